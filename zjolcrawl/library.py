"""The Python API to an archive: `from zjolcrawl import open_archive`.

    with open_archive("data") as archive:
        for article in archive.search("环境保护督察", column="zjxw", since="2017-08-01"):
            print(article.published_at, article.title, [each.name for each in article.authors])

It writes nothing except the full-text index, which a search brings up to date. All calls are synchronous
and also work in a notebook, because the MongoDB client runs in its own thread.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, fields
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, Self, TypeVar

from zjolcrawl.archive.archive import read_record
from zjolcrawl.archive.decoding import decoded_body
from zjolcrawl.archive.s3 import store_of
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.argument_values import change_day
from zjolcrawl.display.citation import FORMATS, citation
from zjolcrawl.items import Byline, Image, Media
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.search import Search, SearchIndex, catch_up, matching
from zjolcrawl.search.searcher import Order, Span
from zjolcrawl.storage.connection import Database, open_database, require_database
from zjolcrawl.storage.documents import url_of
from zjolcrawl.storage.embedded import EmbeddedServer
from zjolcrawl.storage.image_stores import ImageReader
from zjolcrawl.storage.queries.articles import all_articles, all_versions, find_article
from zjolcrawl.storage.queries.names import resolved
from zjolcrawl.storage.queries.selection import Selection

_T = TypeVar("_T")
_AT_ONCE = 100  # articles fetched together while a caller iterates


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a capture that others made comes from.

    `kind` is import or backfill, `source` the file or archive (`from` in the schema), `url` the capture there,
    `sha256` that of the file, `record` and `offset` the id and place of the record in it.
    """

    kind: str
    source: str
    url: str | None = None
    sha256: str | None = None
    record: str | None = None
    offset: int | None = None

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A Provenance from the field of a document."""
        return cls(source=values.pop("from"), **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedArticle:
    """One version of an article; docs/reference/schema.md explains the fields.

    Times are aware UTC datetimes. A field that the page lacks is None; a list is empty.
    """

    url: str
    site: str
    title: str
    body: str
    revision: int
    status: str
    content_sha256: str
    template: str
    parser_version: int
    first_seen_at: datetime
    last_seen_at: datetime
    changed_at: datetime
    body_html: str = ""
    doc_id: str | None = None
    site_name: str | None = None
    columns: tuple[str, ...] = ()
    breadcrumb: tuple[str, ...] = ()
    kicker: str | None = None
    subtitle: str | None = None
    published_at: datetime | None = None
    published_precision: str | None = None
    source: str | None = None
    authors: tuple[Byline, ...] = ()
    editors: tuple[Byline, ...] = ()
    tags: tuple[str, ...] = ()
    editor_note: str | None = None
    abstract: str | None = None
    dateline: str | None = None
    original_title: str | None = None
    images: tuple[Image, ...] = ()
    videos: tuple[Media, ...] = ()
    attachments: tuple[Media, ...] = ()
    pages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    page_number: str | None = None
    page_name: str | None = None
    pdf: str | None = None
    warnings: tuple[str, ...] = ()
    gone_at: datetime | None = None
    returned_at: datetime | None = None
    warc: Pointer | None = None
    pages_warc: tuple[Pointer, ...] = ()
    provenance: Provenance | None = None
    run_id: str | None = None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """An ArchivedArticle from a document of `articles` or `revisions`."""
        values: dict[str, Any] = {
            "url": url_of(document),
            "template": document["parser"]["template"],
            "parser_version": document["parser"]["version"],
        }
        for name in _NAMES & document.keys():
            value = document[name]
            made = _MADE.get(name)
            if isinstance(value, list):
                values[name] = tuple(made(**each) if made else each for each in value)
            elif isinstance(value, datetime):
                # pandas recognises a column of times only with one tzinfo; copies of bson's differ.
                values[name] = value.replace(tzinfo=timezone.utc)
            else:
                values[name] = made(**value) if made else value
        if "run_id" in values:
            values["run_id"] = str(values["run_id"])
        return cls(**values)

    def cite(self, form: str = "gbt7714-2025") -> str:
        """A reference to this version: gbt7714-2025, gbt7714-2015, bibtex, ris or csl. Raises ValueError for another."""
        if form not in FORMATS:
            raise ValueError(f"no form {form!r}: expected one of {', '.join(FORMATS)}")
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        authors = [{"name": each.name} for each in self.authors]
        return FORMATS[form].write(citation({**values, "_id": self.url, "authors": authors}))


_NAMES = {each.name for each in fields(ArchivedArticle)}
_MADE: dict[str, Callable[..., Any]] = {
    "authors": Byline, "editors": Byline, "images": Image, "videos": Media, "attachments": Media,
    "warc": Pointer, "pages_warc": Pointer, "provenance": Provenance.of,
}  # fmt: skip


def open_archive(
    data_dir: str | Path | None = None, uri: str | None = None, database: str | None = None
) -> NewsArchive:
    """Open the archive in a data folder or on a MongoDB server; close it, or use `with`.

    An argument that is None comes from the environment variable DATA_DIR, MONGODB_URI or MONGODB_DATABASE.
    The defaults are `data`, the embedded server on the data folder, and `zjol`. FILES_STORE, WARC_STORE and
    the AWS_… variables locate files in stores. Raises StoreUnavailable, also if there is no archive, EmbeddedUnavailable, and ValueError
    for an invalid WARC_STORE or FILES_STORE.
    """
    environment = os.environ
    return NewsArchive(
        Path(data_dir or environment.get("DATA_DIR") or "data"),
        uri if uri is not None else environment.get("MONGODB_URI", ""),
        database or environment.get("MONGODB_DATABASE") or "zjol",
    )


class NewsArchive:
    """An open archive: search, list and read articles.

    Methods that return several articles take these filters: `since` and `until` (days in China, both
    inclusive, a date or "2017-08-12"); `column`, `site`, `person` and `tag` (one value, or several of
    which one must match); `edited`, `gone` and `images` (True: only such articles); `changed_since` and
    `gone_since` (edited or taken down on this day or later: a date, "2017-08-12", or days back from today,
    "7d"; with both, either). A column is given by id or Chinese name, a host in full or short (zjnews). They
    raise TypeError for an unknown filter, ValueError for an invalid date, and UnknownName, a ValueError, for a
    column, host, person or tag that does not exist.
    """

    def __init__(self, data_dir: Path, uri: str, database: str) -> None:
        self._data_dir = data_dir
        self._warc_store = store_of(os.environ.get)
        self._server = ExitStack()
        if not uri:
            require_database(data_dir)
            uri = self._server.enter_context(EmbeddedServer.acquire(data_dir)).uri
        self._thread = _LoopThread()
        self._closing = AsyncExitStack()
        try:
            self._db: Database = self._thread.run(
                self._closing.enter_async_context(open_database(uri, database, data_dir))
            )
        except BaseException:
            self._thread.stop()
            self._server.close()
            raise
        self._images = ImageReader(os.environ.get, data_dir / "images", self._db)
        # Also for `open_archive(…).search(…)`, where nobody can close it.
        self._close = weakref.finalize(self, _close, self._thread, self._closing, self._server)

    def articles(self, **chosen: Any) -> Iterator[ArchivedArticle]:
        """Articles, newest first; those without a publish time come last.

        With `changed_since` or `gone_since`: the last change first.
        """
        return self._each(all_articles(self._db, self._selection(chosen)))

    def search(self, text: str, **chosen: Any) -> Iterator[ArchivedArticle]:
        """Articles that contain all words: matches in the headline first, then newest first.

        With a filter, `text` may be empty. With `changed_since` or `gone_since`: the last change first.

        `order="relevance"` returns the best 1,000 matches, best first. Raises QueryError when the first
        article is requested.
        """
        order: Order = chosen.pop("order", "newest")
        index = self._indexed()
        return self._each(matching(self._db, index, text, self._selection(chosen), order))

    def histogram(self, text: str, span: Span = "month", **chosen: Any) -> dict[str, int]:
        """Number of matches by day, month or year in China, as {"2017-08": 12}. Raises QueryError."""
        return Search(self._indexed(), text, self._selection(chosen)).histogram(span)

    def count(self, **chosen: Any) -> int:
        """Number of articles that the filters select."""
        return self._thread.run(
            self._db["articles"].count_documents(self._selection(chosen).query())
        )

    def article(self, url: str) -> ArchivedArticle | None:
        """The newest version of an article by any of its URLs, or None. Raises ValueError: not a URL."""
        found = self._thread.run(find_article(self._db, canonical(url)))
        return ArchivedArticle.of(found) if found else None

    def revisions(self, url: str) -> list[ArchivedArticle]:
        """All versions of an article, oldest first; empty if it is not stored. Raises ValueError."""
        newest = self._thread.run(find_article(self._db, canonical(url)))
        if newest is None:
            return []
        versions = self._thread.run(all_versions(self._db, newest))
        return [ArchivedArticle.of(version) for version in versions]

    def image(self, image: Image) -> bytes | None:
        """The bytes of an image, or None if they are not stored."""
        return self._thread.run(self._images.read(image.path)) if image.path else None

    def page(self, article: ArchivedArticle) -> bytes | None:
        """The HTML that a version was parsed from, decompressed; None if it was stored with WARC=off.

        Raises ArchiveError if the record cannot be read, ValueError if it cannot be decompressed.
        """
        if article.warc is None:
            return None
        return decoded_body(
            read_record(self._data_dir / "warc", article.warc, self._warc_store).message
        )

    def _selection(self, chosen: dict[str, Any]) -> Selection:
        return self._thread.run(resolved(self._db, _selection(chosen)))

    def _indexed(self) -> SearchIndex:
        """The full-text index, brought up to date."""
        index = SearchIndex.open(self._data_dir, self._db.name)
        self._thread.run(catch_up(self._db, index))
        return index

    def close(self) -> None:
        """Close the database connection. May be called twice."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _each(self, documents: AsyncIterator[dict[str, Any]]) -> Iterator[ArchivedArticle]:
        async def some() -> list[dict[str, Any]]:
            part: list[dict[str, Any]] = []
            async for document in documents:
                part.append(document)
                if len(part) == _AT_ONCE:
                    break
            return part

        while part := self._thread.run(some()):
            yield from map(ArchivedArticle.of, part)


class _LoopThread:
    """An event loop in its own thread: the caller may already run one, for example in a notebook."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="zjolcrawl", daemon=True
        )
        self._thread.start()
        self._ready.wait()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._ended.wait()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of a coroutine. An interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Stop the loop, cancel its remaining tasks and wait for the thread to end."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()


def _close(thread: _LoopThread, closing: AsyncExitStack, server: ExitStack) -> None:
    thread.run(closing.aclose())
    thread.stop()
    server.close()


def _selection(chosen: dict[str, Any]) -> Selection:
    """Keyword filters as a Selection. Raises TypeError for an unknown one, ValueError for an invalid date."""
    plural = {"column": "columns", "site": "sites", "person": "people", "tag": "tags"}
    values: dict[str, Any] = {}
    for name, value in chosen.items():
        if name in plural:
            values[plural[name]] = (value,) if isinstance(value, str) else tuple(value)
        elif name in {"since", "until"} and isinstance(value, str):
            values[name] = date.fromisoformat(value)
        elif name in {"changed_since", "gone_since"} and isinstance(value, str):
            values[name] = change_day(name, value)  # its ArgumentError is a ValueError
        else:
            values[name] = value
    return Selection(**values)
