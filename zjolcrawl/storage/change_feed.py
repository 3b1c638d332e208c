"""Finds articles written since a given time, for data derived from them.

Every write of an article sets `written_at` to the server's cluster time (a BSON timestamp). It only
grows, across all members of a replica set, and no two writes share one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from bson import Timestamp
from pymongo import ReadPreference

from zjolcrawl.storage.connection import LENIENT, Database

SERVER_TIME = Timestamp(0, 0)
"""The server replaces this by its cluster time in a document that is inserted or replaces another."""
SET_WRITTEN_AT: dict[str, Any] = {"written_at": {"$type": "timestamp"}}
"""The `$currentDate` part of an update that changes an article."""
PUBLIC_FIELDS = {"written_at": 0}
"""A projection without `written_at`, which is internal and not part of any version."""


def readable(db: Database) -> Database:
    """The database for reading derived data: from the primary, because a lagging member hides writes.

    Odd values stored by other programs are decoded leniently.
    """
    return db.with_options(codec_options=LENIENT, read_preference=ReadPreference.PRIMARY)


def number(at: Timestamp) -> int:
    """A timestamp as one integer."""
    return (at.time << 32) | at.inc


async def collection_id(db: Database) -> str:
    """The UUID of the `articles` collection, or "" if there is none; a recreated collection has another."""
    async for each in await db.list_collections(filter={"name": "articles"}):
        return str(each["info"]["uuid"])
    return ""


async def server_seconds(db: Database) -> int:
    """The server's clock, in seconds since 1970."""
    answer = await db.command("hello")
    return int(answer["localTime"].timestamp())


async def written_since(db: Database, horizon: int | None) -> AsyncIterator[tuple[str, int]]:
    """URLs of articles with the times of their last writes, in time order.

    Only writes after `horizon`; None: all, first those with unknown time (0).
    """
    after = {"$gt": Timestamp(horizon >> 32, horizon & 0xFFFFFFFF)} if horizon is not None else None
    wanted = {"written_at": after} if after else {}
    found = db["articles"].find(wanted, {"written_at": 1}).sort("written_at", 1)
    async for each in found:
        at = each.get("written_at")
        yield each["_id"], number(at) if at else 0


async def times_since(db: Database, horizon: int) -> set[int]:
    """Only the times of `written_since`; they are few if `horizon` is recent."""
    return {at async for _, at in written_since(db, horizon)}


async def articles_of(
    db: Database, urls: Sequence[str], fields: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Articles in any order; `fields` is a projection."""
    wanted = {"_id": {"$in": list(urls)}}
    return await db["articles"].find(wanted, fields).to_list()


async def estimated_count(db: Database) -> int:
    """The approximate number of articles, from the collection's metadata."""
    return await db["articles"].estimated_document_count()


async def all_urls(db: Database) -> set[str]:
    """The URLs of all articles."""
    return {each["_id"] async for each in db["articles"].find({}, {"_id": 1})}
