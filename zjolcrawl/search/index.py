"""The full-text index of one machine: a Tantivy index under DATA_DIR/search/.

It is derived from `articles` only and may be deleted at any time; the next search rebuilds it. Per
article it holds pairs of neighbouring characters with positions (for the headline and for all text),
the filter values, the publish day, and when it was edited or taken down. The texts themselves stay in MongoDB.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import tantivy

from zjolcrawl.messages import cause_of
from zjolcrawl.parsing.fields.dates import YEARS, china_day
from zjolcrawl.search.tokens import facets, folded, full_text, headline, pairs
from zjolcrawl.storage.errors import StoreUnavailable

_VERSION = 3
"""Version of the fields and tokens; an index of another version is rebuilt."""
CHANGES = ("edited", "gone", "change")
"""Fields with the times of changes, in milliseconds since 1970: `change` is the later of the other two."""
EVENTS = ("seen", "down")
"""Fields with the times of the last events: when the newest version was first seen, and the last takedown or return."""
_WRITER_BYTES = 30_000_000
_STATE = "zjolcrawl.json"


@dataclass(slots=True)
class State:
    """How far an index has caught up.

    `collection`: UUID of the `articles` collection that was indexed. `horizon`: every write up to this
    time is indexed; None at the start. `recent`: times of indexed writes after the horizon. Times are
    MongoDB timestamps as one integer. `counted`: article counts of MongoDB and of the index when they
    were last compared.
    """

    collection: str = ""
    horizon: int | None = None
    recent: list[int] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)


def make_schema() -> tantivy.Schema:
    """The fields of the index."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("url", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("headline", tokenizer_name="pairs", index_option="position")
    builder.add_text_field("text", tokenizer_name="pairs", index_option="position")
    builder.add_text_field("facet", tokenizer_name="raw", index_option="basic")
    builder.add_date_field("at", fast=True)
    for name in ("day", *CHANGES, *EVENTS):
        builder.add_unsigned_field(name, indexed=True, fast=True)
    return builder.build()


SCHEMA = make_schema()


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Turn errors of the index in `folder` into StoreUnavailable."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise StoreUnavailable(
            f"the full-text index in {folder} cannot be used ({cause_of(error, folder)}): delete it, and the next search rebuilds it"
        ) from error


class SearchIndex:
    """An open index. Readers see the last commit; only one process writes at a time."""

    def __init__(self, folder: Path, index: tantivy.Index) -> None:
        self.folder, self._index = folder, index
        whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("pairs", whitespace)

    @classmethod
    def open(cls, data_dir: Path, database: str) -> Self:
        """The index of a database in a data folder; an empty one if there is no intact index.

        Raises StoreUnavailable if the folder cannot be used.
        """
        folder = data_dir / "search" / f"{database}-{_VERSION}"
        path = str(folder)
        with usable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError("it cannot be read and written")
            for number in range(1, _VERSION):
                shutil.rmtree(data_dir / "search" / f"{database}-{number}", ignore_errors=True)
            try:
                if tantivy.Index.exists(path):
                    return cls(folder, tantivy.Index.open(path))
            except (OSError, ValueError):  # damaged, or of another version of Tantivy
                shutil.rmtree(folder)
                folder.mkdir()
            return cls(folder, tantivy.Index(SCHEMA, path=path))

    @property
    def state(self) -> State:
        """How far it has caught up; the initial state if that cannot be read."""
        try:
            return State(**json.loads((self.folder / _STATE).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return State()

    @contextmanager
    def writer(self) -> Iterator[Writer | None]:
        """The writer, or None if another process has it. Raises ValueError for a damaged index."""
        try:
            writer = self._index.writer(_WRITER_BYTES, 1)
        except ValueError as error:
            if "LockBusy" not in str(error):
                raise
            yield None
            return
        try:
            yield Writer(self.folder, writer)
        finally:
            writer.rollback()
            writer.wait_merging_threads()

    def urls(self) -> list[str]:
        """The URLs of all indexed articles."""
        searcher = self.searcher()
        everything = tantivy.Query.all_query()
        found = searcher.search(everything, max(1, searcher.num_docs), count=False).hits
        return [searcher.doc(address)["url"][0] for _, address in found]

    def searcher(self) -> tantivy.Searcher:
        """A searcher on the last commit."""
        self._index.reload()
        return self._index.searcher()


class Writer:
    """Adds articles to an index and removes them; changes take effect with `commit`."""

    def __init__(self, folder: Path, writer: tantivy.IndexWriter) -> None:
        self._folder, self._writer = folder, writer

    def put(self, articles: Iterable[Mapping[str, Any]]) -> None:
        """Add articles, replacing earlier entries with the same URL."""
        for each in articles:
            if isinstance(each["_id"], str):
                self.remove([each["_id"]])
                self._writer.add_document(_document(each))

    def remove(self, urls: Iterable[str]) -> None:
        """Remove articles by URL."""
        for url in urls:
            self._writer.delete_documents_by_term("url", url)

    def clear(self) -> None:
        """Remove all articles. Until the next `commit` the index counts as empty."""
        (self._folder / _STATE).unlink(missing_ok=True)
        self._writer.delete_all_documents()

    def commit(self, state: State) -> None:
        """Make the changes visible and durable, then store `state`.

        After a crash between the two, the next catch-up indexes the same articles again.
        """
        self._writer.commit()
        path = self._folder / _STATE
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(state)), "utf-8")
        part.replace(path)


def _document(article: Mapping[str, Any]) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("url", article["_id"])
    for name, text in (("headline", headline(article)), ("text", full_text(article))):
        document.add_text(name, " ".join(pairs(f"{folded(text)}\n")))
    for each in set(facets(article)):
        document.add_text("facet", each)
    published = article.get("published_at")
    at = published if isinstance(published, datetime) else article.get("first_seen_at")
    if isinstance(at, datetime) and at.year in YEARS:
        document.add_date("at", at)
    if isinstance(published, datetime) and published.year in YEARS:
        document.add_unsigned("day", day_number(china_day(published)))
    for name, number in _changes(article).items():
        document.add_unsigned(name, number)
    return document


def _changes(article: Mapping[str, Any]) -> dict[str, int]:
    """The values of CHANGES and EVENTS that an article has."""
    revision = article.get("revision")
    times = {
        "edited": article.get("changed_at") if isinstance(revision, int) and revision > 1 else None,
        "gone": article.get("gone_at") if article.get("status") == "gone" else None,
    }
    found = {name: milliseconds(at) for name, at in times.items() if isinstance(at, datetime)}
    found |= {"change": max(found.values())} if found else {}
    events = {"seen": ("changed_at",), "down": ("gone_at", "returned_at")}
    for name, fields in events.items():
        if known := [at for each in fields if isinstance(at := article.get(each), datetime)]:
            found[name] = milliseconds(max(known))
    return found


def milliseconds(moment: datetime) -> int:
    """A time as milliseconds since 1970, at least 0."""
    return max(0, int(moment.timestamp() * 1000))


def day_number(day: date) -> int:
    """A day as a number, such as 20170812."""
    return day.year * 10_000 + day.month * 100 + day.day
