"""The full-text index of one machine: a Tantivy index under DATA_DIR/search/.

It is derived from `articles` alone and may be deleted at any time: the next search makes it again. Per
article it holds the pairs of neighbouring characters with their positions, of the headline and of all text,
the values of the filters, and the publish day. The texts themselves stay in MongoDB.
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

from zjolcrawl.parsing.fields.dates import YEARS, china_day
from zjolcrawl.search.text import facets, folded, full_text, headline, pairs
from zjolcrawl.storage.errors import StoreUnavailable

_VERSION = 1
"""Of the fields and their tokens: an index of another version is made again."""
_WRITER_BYTES = 30_000_000
_STATE = "zjolcrawl.json"


@dataclass(slots=True)
class State:
    """How far an index has come.

    `collection`: the UUID of the `articles` that it was made of. `horizon`: the time of the last write
    before which every write is in the index, None at the beginning; `recent`: the times of those after it
    that are in. Times are MongoDB timestamps as one integer. `counted`: how many articles MongoDB and the
    index had when they were compared last.
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
    builder.add_unsigned_field("day", indexed=True, fast=True)
    return builder.build()


SCHEMA = make_schema()


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Raises StoreUnavailable where the index in a folder cannot be read or written."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise StoreUnavailable(
            f"the full-text index in {folder} cannot be used ({error}): delete it, the next search makes it again"
        ) from error


class SearchIndex:
    """An open index. Readers see what was committed last; one process at a time writes."""

    def __init__(self, folder: Path, index: tantivy.Index) -> None:
        self.folder, self._index = folder, index
        whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("pairs", whitespace)

    @classmethod
    def open(cls, data_dir: Path, database: str) -> Self:
        """The index of a database in a data folder; an empty one where there is none that is whole.

        Raises StoreUnavailable where the folder cannot be used.
        """
        folder = data_dir / "search" / f"{database}-{_VERSION}"
        path = str(folder)
        with usable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError("it cannot be read and written")
            try:
                if tantivy.Index.exists(path):
                    return cls(folder, tantivy.Index.open(path))
            except (OSError, ValueError):  # damaged, or of another version of Tantivy
                shutil.rmtree(folder)
                folder.mkdir()
            return cls(folder, tantivy.Index(SCHEMA, path=path))

    @property
    def state(self) -> State:
        """How far it has come; at the beginning where that cannot be read."""
        try:
            return State(**json.loads((self.folder / _STATE).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return State()

    @contextmanager
    def writer(self) -> Iterator[Writer | None]:
        """The one writer; None where another process has it. Raises ValueError for a damaged index."""
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
        """The URLs of all articles in it."""
        searcher = self.searcher()
        everything = tantivy.Query.all_query()
        found = searcher.search(everything, max(1, searcher.num_docs), count=False).hits
        return [searcher.doc(address)["url"][0] for _, address in found]

    def searcher(self) -> tantivy.Searcher:
        """What was committed last, to be searched."""
        self._index.reload()
        return self._index.searcher()


class Writer:
    """Adds articles to an index and takes them away; `commit` makes it so."""

    def __init__(self, folder: Path, writer: tantivy.IndexWriter) -> None:
        self._folder, self._writer = folder, writer

    def put(self, articles: Iterable[Mapping[str, Any]]) -> None:
        """Add articles, each in the place of what the index has of it."""
        for each in articles:
            if isinstance(each["_id"], str):
                self.remove([each["_id"]])
                self._writer.add_document(_document(each))

    def remove(self, urls: Iterable[str]) -> None:
        """Take articles out."""
        for url in urls:
            self._writer.delete_documents_by_term("url", url)

    def clear(self) -> None:
        """Take all articles out. From now on until the next `commit` the index counts as empty."""
        (self._folder / _STATE).unlink(missing_ok=True)
        self._writer.delete_all_documents()

    def commit(self, state: State) -> None:
        """Make it so. After a crash in between, what is in the index is written to it again."""
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
    return document


def day_number(day: date) -> int:
    """A day as a number, such as 20170812."""
    return day.year * 10_000 + day.month * 100 + day.day
