"""Snapshots of the database, to compare it before and after a rebuild from the archive."""

from __future__ import annotations

from typing import Any

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


def drop(db: Database[Any]) -> None:
    """Drop every collection."""
    for name in db.list_collection_names():
        db[name].drop()


def empty(db: Database[Any]) -> None:
    """Delete every document. Collections and indexes stay: making them takes longer than a short crawl."""
    for name in db.list_collection_names():
        db[name].delete_many({})


def assert_rebuilt(db: Database[Any], site: SiteProxy, crawl: Crawl) -> None:
    """Drop the database and re-parse the archive: everything is restored, without a request."""
    before = snapshot(db)
    assert any(name.startswith("articles") for name in before)
    drop(db)
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
