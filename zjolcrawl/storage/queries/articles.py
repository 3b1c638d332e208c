"""Queries of articles and their versions: single ones, and all of a selection for an export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion

from zjolcrawl.storage.change_feed import PUBLIC_FIELDS
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.queries.selection import Selection, in_order, length_of, start_of

_END = datetime.max.replace(tzinfo=timezone.utc)
_BATCH = 200  # documents per server batch, which has 16 MB at most
# Other clients may have stored text that is not UTF-8, or dates after the year 9999. They are decoded to
# values that the export can report, instead of aborting it.
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    unicode_decode_error_handler="surrogateescape",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


async def find_article(db: Database, url: str) -> dict[str, Any] | None:
    """The newest version of the article with this canonical URL or alias, or None."""
    for wanted in ({"_id": url}, {"aliases": url}):
        if found := await db["articles"].find_one(wanted, PUBLIC_FIELDS):
            return found
    return None


async def all_versions(db: Database, article: dict[str, Any]) -> list[dict[str, Any]]:
    """All versions of an article, oldest first; `article` itself is the last."""
    former = db["revisions"].find(former_versions(article["_id"], 1, article["revision"]))
    return [*[each async for each in former.sort("_id", 1)], article]


async def version_of(db: Database, newest: dict[str, Any], revision: int) -> dict[str, Any] | None:
    """A version of an article by its number, or None."""
    if revision == newest["revision"]:
        return newest
    return await db["revisions"].find_one({"_id": {"url": newest["_id"], "revision": revision}})


async def version_at(
    db: Database, newest: dict[str, Any], moment: datetime
) -> dict[str, Any] | None:
    """The version of an article that held at a time, to the second; None before the first one.

    So a version is found by its URL and `changed_at` also after older captures have renumbered the versions,
    or have shown that it held before.
    """
    second = timedelta(seconds=1)
    before = {"$lt": min(moment, _END - second) + second}
    if newest["changed_at"] < before["$lt"]:
        return newest
    span = former_versions(newest["_id"], 1, newest["revision"])
    return await db["revisions"].find_one({**span, "changed_at": before}, sort={"_id": -1})


async def history(
    db: Database, newest: dict[str, Any], text: int, first: int = 1, last: int = 2**31
) -> AsyncIterator[dict[str, Any]]:
    """Versions `first` to `last` of an article, oldest first, the former ones without `body_html`.

    `body` and `editor_note` are cut to `text` characters in former versions; `characters` is the body's full
    length.
    """
    end = min(last + 1, newest["revision"])
    stages: list[dict[str, Any]] = [
        {"$match": former_versions(newest["_id"], first, end)},
        {"$sort": {"_id": 1}},
        {"$set": {
            "body": start_of("body", text), "editor_note": start_of("editor_note", text),
            "characters": length_of("body"),
        }},
        {"$unset": "body_html"},
    ]  # fmt: skip
    # Small batches, because a version may have 16 MB.
    async for each in await db["revisions"].aggregate(stages, batchSize=10):
        yield each
    if first <= newest["revision"] <= last:
        yield {**newest, "characters": len(newest.get("body", ""))}


async def headlines(db: Database, urls: Iterable[str]) -> dict[str, str]:
    """Titles by URL of the articles that are stored."""
    chosen = {"_id": {"$in": list(urls)}}
    return {each["_id"]: each["title"] async for each in db["articles"].find(chosen, {"title": 1})}


async def parts_of(
    db: Database, urls: Iterable[str], records: Collection[str]
) -> dict[str, set[str]]:
    """The URLs of images and further pages of articles, by the URL or alias given.

    They are those of the newest version, and of former ones that were parsed from one of `records`
    (WARC record ids).
    """
    given, parts = list(urls), dict[str, set[str]]()
    shown = {"images.url": 1, "pages": 1, "aliases": 1, "revision": 1, "warc.record_id": 1}
    for start in range(0, len(given), _BATCH):
        some = given[start : start + _BATCH]
        wanted = {"$or": [{"_id": {"$in": some}}, {"aliases": {"$in": some}}]}
        async for newest in db["articles"].find(wanted, shown):
            found = _parts(newest)
            if newest.get("revision", 1) > 1:
                former = former_versions(newest["_id"], 1, newest["revision"])
                async for each in db["revisions"].find(former, shown):
                    if each.get("warc", {}).get("record_id") in records:
                        found |= _parts(each)
            for url in {newest["_id"], *newest.get("aliases", ())}.intersection(some):
                parts.setdefault(url, set()).update(found)
    return parts


def _parts(version: dict[str, Any]) -> set[str]:
    images = (each["url"] for each in version.get("images", ()) if "url" in each)
    return {*images, *version.get("pages", ())}


def for_export(db: Database) -> Database:
    """The database with decoding that keeps odd values instead of raising."""
    return db.with_options(codec_options=_OPTIONS)


async def with_revisions(
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


async def count_selected(db: Database, selection: Selection) -> int:
    """The number of selected articles. Raises PyMongoError."""
    return await db["articles"].count_documents(selection.query())


async def all_articles(db: Database, selection: Selection) -> AsyncIterator[dict[str, Any]]:
    """The selected articles with all fields, newest first, or the last change first."""
    stages = [
        {"$match": selection.query()}, *in_order(selection, {"published_at": -1}), {"$project": PUBLIC_FIELDS},
    ]  # fmt: skip
    async for each in await db["articles"].aggregate(stages, allowDiskUse=True):
        yield each


async def for_file(db: Database, selection: Selection) -> AsyncIterator[dict[str, Any]]:
    """The selected articles with all fields, ordered by `_id`, or by the change that selects them.

    These orders are total, so two exports of the same articles are the same file; `_id` has an index.
    """
    if selection.by_change:
        stages = [
            {"$match": selection.query()}, {"$project": PUBLIC_FIELDS}, *in_order(selection, {"_id": 1}),
        ]  # fmt: skip
        async for each in await db["articles"].aggregate(
            stages, allowDiskUse=True, batchSize=_BATCH
        ):
            yield each
        return
    # If the server uses the index of a filter instead and has to sort, let it sort on disk.
    cursor = db["articles"].find(selection.query(), PUBLIC_FIELDS, allow_disk_use=True)
    async for each in cursor.sort("_id", 1).batch_size(_BATCH):
        yield each
