"""Articles one after the other, as many as there are: what `scrapy export` reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion

from zjolcrawl.storage.changes import NOT_SHOWN
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.selection import Selection

_BATCH = 200  # documents that the server sends at once, 16 MB at the most
# A text that is no UTF-8 and a date after the year 9999, which other clients may have stored, come as
# values that can be told, not as the end of the whole walk.
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    unicode_decode_error_handler="surrogateescape",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


def to_export(db: Database) -> Database:
    """The database, read so that odd values are told and do not end the walk."""
    return db.with_options(codec_options=_OPTIONS)


async def versions(
    db: Database, articles: AsyncIterator[dict[str, Any]], *, revisions: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """The articles; with `revisions` the former versions of each before it, oldest first.

    Raises PyMongoError.
    """
    async for article in articles:
        # What the newest version has followed is in `revisions` before the newest is there.
        last = article.get("revision")
        if revisions and isinstance(last, int) and last > 1:
            span = former_versions(article["_id"], 1, last)
            async for former in db["revisions"].find(span).sort("_id", 1):
                yield former
        yield article


async def count(db: Database, selection: Selection) -> int:
    """How many articles are chosen. Raises PyMongoError."""
    return await db["articles"].count_documents(selection.query())


def by_key(db: Database, selection: Selection) -> AsyncIterator[dict[str, Any]]:
    """The chosen articles, whole, in the order of `_id`: it is total, so that two exports of the same
    articles are the same file, and its index serves it.
    """
    # Where the server takes a filter's index instead and sorts, it does so on disk, not in memory.
    cursor = db["articles"].find(selection.query(), NOT_SHOWN, allow_disk_use=True)
    return cursor.sort("_id", 1).batch_size(_BATCH)
