"""Reads any number of articles in sequence for `scrapy export`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion

from zjolcrawl.storage.changes import NOT_SHOWN
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.selection import Selection

_BATCH = 200  # documents per server batch, which has 16 MB at most
# Other clients may have stored text that is not UTF-8, or dates after the year 9999. They are decoded to
# values that the export can report, instead of aborting it.
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    unicode_decode_error_handler="surrogateescape",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


def to_export(db: Database) -> Database:
    """The database with decoding that keeps odd values instead of raising."""
    return db.with_options(codec_options=_OPTIONS)


async def versions(
    db: Database, articles: AsyncIterator[dict[str, Any]], *, revisions: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """The articles; with `revisions`, each preceded by its former versions, oldest first.

    Raises PyMongoError.
    """
    async for article in articles:
        # A former version is in `revisions` before the version that replaces it is stored.
        last = article.get("revision")
        if revisions and isinstance(last, int) and last > 1:
            span = former_versions(article["_id"], 1, last)
            async for former in db["revisions"].find(span).sort("_id", 1):
                yield former
        yield article


async def count(db: Database, selection: Selection) -> int:
    """The number of selected articles. Raises PyMongoError."""
    return await db["articles"].count_documents(selection.query())


def by_key(db: Database, selection: Selection) -> AsyncIterator[dict[str, Any]]:
    """The selected articles with all fields, ordered by `_id`.

    That order is total, so two exports of the same articles are the same file, and `_id` has an index.
    """
    # If the server uses the index of a filter instead and has to sort, let it sort on disk.
    cursor = db["articles"].find(selection.query(), NOT_SHOWN, allow_disk_use=True)
    return cursor.sort("_id", 1).batch_size(_BATCH)
