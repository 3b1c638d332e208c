"""Pages of articles and versions by key: a page begins after the last entry of the page before.

An article that is added meanwhile neither repeats nor hides another one, which a number of skipped ones would.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from bson import DatetimeMS
from bson.codec_options import CodecOptions, DatetimeConversion

from zjolcrawl.storage.change_feed import PUBLIC_FIELDS
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.queries.articles import for_export
from zjolcrawl.storage.queries.selection import Selection, change_time

Key = tuple[int | None, str]
"""The time that orders an article, in milliseconds since 1970 (None: it has none), and its URL."""
# Times as they are stored, also those that Python's datetime cannot hold.
_MILLISECONDS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS, unicode_decode_error_handler="replace"
)
_SIZE = {"$bsonSize": "$$ROOT"}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def milliseconds(at: Any) -> int:
    """A stored time in milliseconds since 1970; 0 for anything else."""
    if isinstance(at, datetime):
        return round((at - _EPOCH).total_seconds() * 1000)
    return int(at) if isinstance(at, DatetimeMS) else 0


async def keys_after(
    db: Database, selection: Selection, after: Key | None, limit: int
) -> list[Key]:
    """The keys of the next `limit` selected articles, newest first, then by URL.

    Those without a publish time come last. If articles are selected by change: the last change first.
    """
    db = db.with_options(codec_options=_MILLISECONDS)
    if selection.by_change:
        return await _by_change(db, selection, after, limit)
    query = selection.query()
    found = [] if after and after[0] is None else await _dated(db, query, after, limit)
    if len(found) < limit and "published_at" not in query:
        last = after[1] if after and after[0] is None else ""
        undated = {"published_at": {"$not": {"$type": "date"}}}
        found += [
            (None, url) for url in await _urls(db, [query, undated], last, limit - len(found))
        ]
    return found


async def _dated(db: Database, query: dict[str, Any], after: Key | None, limit: int) -> list[Key]:
    """The keys of articles with a publish time.

    No index has the URL behind the time, so the articles of the last time are asked for once more, by URL.
    """
    found: list[Key] = []
    bound: dict[str, Any] = {"$type": "date"}
    if after:
        found = await _tied(db, query, after, limit)
        bound = {"$lt": DatetimeMS(after[0] or 0)}
    if not (room := limit - len(found)):
        return found
    wanted = {"$and": [query, {"published_at": bound}]}
    cursor = db["articles"].find(wanted, {"published_at": 1}).sort("published_at", -1).limit(room)
    rows: list[Key] = [(int(each["published_at"]), each["_id"]) async for each in cursor]
    rows.sort(key=lambda key: (-(key[0] or 0), key[1]))
    if len(rows) == room:
        last = rows[-1][0]
        rows = [key for key in rows if key[0] != last]
        rows += await _tied(db, query, (last, ""), room - len(rows))
    return found + rows


async def _tied(db: Database, query: dict[str, Any], after: Key, limit: int) -> list[Key]:
    """The keys of articles with the same publish time and a greater URL."""
    at, url = after
    same = {"published_at": DatetimeMS(at or 0)}
    return [(at, each) for each in await _urls(db, [query, same], url, limit)]


async def _urls(
    db: Database, conditions: list[dict[str, Any]], after: str, limit: int
) -> list[str]:
    wanted = {"$and": [*conditions, {"_id": {"$gt": after}}]}
    cursor = db["articles"].find(wanted, {"_id": 1}).sort("_id", 1).limit(limit)
    return [each["_id"] async for each in cursor]


async def _by_change(
    db: Database, selection: Selection, after: Key | None, limit: int
) -> list[Key]:
    stages: list[dict[str, Any]] = [
        {"$match": selection.query()}, {"$project": {"at": change_time(selection)}},
    ]  # fmt: skip
    if after:
        at = DatetimeMS(after[0] or 0)
        stages.append(
            {"$match": {"$or": [{"at": {"$lt": at}}, {"at": at, "_id": {"$gt": after[1]}}]}}
        )
    stages += [{"$sort": {"at": -1, "_id": 1}}, {"$limit": limit}]
    rows = await (await db["articles"].aggregate(stages)).to_list()
    return [(milliseconds(each["at"]), each["_id"]) for each in rows]


async def documents(db: Database, urls: Sequence[str], most: int) -> list[dict[str, Any]]:
    """The first articles of `urls`, in this order: as many as have `most` bytes together, but at least one."""
    if not urls:
        return []
    sizes = await _sizes(db, "articles", urls)
    chosen = _within([url for url in urls if url in sizes], sizes, most)
    cursor = for_export(db)["articles"].find({"_id": {"$in": chosen}}, PUBLIC_FIELDS)
    found = {each["_id"]: each async for each in cursor}
    return [found[url] for url in chosen if url in found]


async def _sizes(db: Database, collection: str, keys: Sequence[Any]) -> dict[str, int]:
    stages: list[dict[str, Any]] = [
        {"$match": {"_id": {"$in": list(keys)}}}, {"$project": {"size": _SIZE}},
    ]  # fmt: skip
    return {each["_id"]: each["size"] async for each in await db[collection].aggregate(stages)}


def _within(keys: list[str], sizes: dict[str, int], most: int) -> list[str]:
    chosen, taken = keys[:1], sizes[keys[0]] if keys else 0
    for key in keys[1:]:
        taken += sizes[key]
        if taken > most:
            break
        chosen.append(key)
    return chosen


def version_key(version: dict[str, Any]) -> int:
    """The key of a version: when it was first seen, because an import may change its number."""
    return milliseconds(version.get("changed_at"))


async def versions_after(
    db: Database, newest: dict[str, Any], after: int | None, limit: int, most: int
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The next `limit` versions of an article, oldest first, and the version before them.

    `newest` is the article. At least one and at most as many as have `most` bytes together.
    """
    revisions = for_export(db)["revisions"]
    former = former_versions(newest["_id"], 1, newest["revision"])
    later: dict[str, Any] = {}
    before = None
    if after is not None:
        later = {"changed_at": {"$gt": DatetimeMS(after)}}
        earlier = {"$and": [former, {"$nor": [later]}]}
        before = await revisions.find_one(earlier, sort={"_id": -1})
    stages: list[dict[str, Any]] = [
        {"$match": {"$and": [former, later]}}, {"$sort": {"_id": 1}}, {"$limit": limit},
        {"$project": {"size": _SIZE}},
    ]  # fmt: skip
    keys: list[Any] = []
    taken = 0
    async for each in await revisions.aggregate(stages):
        taken += each["size"]
        if keys and taken > most:
            limit = len(keys)
            break
        keys.append(each["_id"])
    cursor = revisions.find({"_id": {"$in": keys}}).sort("_id", 1)
    found = [each async for each in cursor]
    if len(found) < limit and (after is None or version_key(newest) > after):
        found.append(newest)
    return before, found
