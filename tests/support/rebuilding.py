"""Snapshots of the database, to compare it before and after a rebuild from the archive."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.site import SiteProxy


def snapshot(db: Database[Any]) -> dict[str, dict[str, Any]]:
    """Everything that is stored except run ids, by collection and key; sets are sorted."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("articles", "revisions", "frontier", "columns", "rejects"):
        for document in db[name].find():
            document.pop("run_id", None)
            document["columns"] = sorted(document.get("columns", []))
            if name == "columns":  # the progress of a walk is not in the archive
                walk = (
                    "walked_at",
                    "swept_at",
                    "pages_seen",
                    "walk_open_since",
                    "ended_by",
                    "etag",
                )
                for field in (*walk, "last_modified"):
                    document.pop(field, None)
            found[f"{name} {document.pop('_id')}"] = document
    return found


class Saved:
    """A copy of a database and its DATA_DIR, with which several tests of a module begin. The first one makes it."""

    def __init__(self, db: Database[Any], data: Path, folder: Path) -> None:
        """`folder`: where to keep the copy; it must not exist."""
        self._folder = shutil.copytree(data, folder)
        raw = _raw(db)
        self._documents = {name: list(raw[name].find()) for name in raw.list_collection_names()}

    def restore(self, db: Database[Any], data: Path) -> None:
        """Into an empty database and folder."""
        shutil.copytree(self._folder, data, dirs_exist_ok=True)
        for name, documents in self._documents.items():
            if documents:
                _raw(db)[name].insert_many(documents)


def _raw(db: Database[Any]) -> Database[RawBSONDocument]:
    """The same database, whose documents are the bytes that are stored."""
    options: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    return db.client.get_database(db.name, codec_options=options)


def drop(db: Database[Any]) -> None:
    """Drop every collection."""
    for name in db.list_collection_names():
        db[name].drop()


def empty(db: Database[Any]) -> None:
    """Delete every document. Collections and indexes stay: making them takes longer than a short crawl."""
    for name in db.list_collection_names():
        db[name].delete_many({})


def assert_rebuilt(db: Database[Any], site: SiteProxy, crawl: Crawl, *, new: bool = False) -> None:
    """Empty the database and re-parse the archive: everything is restored, without a request.

    `new`: without the collections and indexes, which the product has to make then.
    """
    before = snapshot(db)
    assert any(name.startswith("articles") for name in before)
    (drop if new else empty)(db)
    site.reset_log()
    done = crawl("reparse")
    assert done.returncode == 0, done.stderr
    assert site.requests == []
    after = snapshot(db)
    assert after.keys() == before.keys()
    differing = {
        name: {
            field: (document.get(field), after[name].get(field))
            for field in document.keys() | after[name].keys()
            if document.get(field) != after[name].get(field)
        }
        for name, document in before.items()
        if after[name] != document
    }
    assert differing == {}, differing
