"""Links that were found: their rows of `frontier`, and the columns of articles that are stored already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo import UpdateMany
from pymongo.errors import BulkWriteError

from zjolcrawl.items import Link
from zjolcrawl.storage.buffer import Found
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.doubts import VisitPolicy
from zjolcrawl.storage.errors import DUPLICATE
from zjolcrawl.storage.frontier import discover_link, new_row
from zjolcrawl.storage.operations import utc_now
from zjolcrawl.storage.search.index import announce


async def record_links(
    db: Database, links: Mapping[str, Link], policy: VisitPolicy, run_id: ObjectId
) -> Found:
    """Record links, by URL, durably; how many are new, and which are due. Raises PyMongoError."""
    rows = db["frontier"].find({"_id": {"$in": list(links)}}, {"_id": 1})
    known = {row["_id"] async for row in rows}
    inserted = await _insert(db, [new_row(link) for url, link in links.items() if url not in known])
    new, due = len(inserted), {}
    if found := [link for url, link in links.items() if url not in inserted]:
        updates = [discover_link(link, policy) for link in found]
        result = await db["frontier"].bulk_write(updates, ordered=False)
        new += len(result.upserted_ids or {})
        wanted = {
            "_id": {"$in": [link.url for link in found]},
            "next_visit_at": {"$lte": utc_now()},
        }
        due = {row["_id"]: row async for row in db["frontier"].find(wanted)}
    if listed := [link for link in links.values() if link.columns]:
        await _add_columns(db, listed, run_id)
    due |= {url: row for url, row in inserted.items() if "next_visit_at" in row}
    return Found(new, due)


async def _insert(db: Database, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Insert rows; those, by URL, that no other run has inserted meanwhile."""
    inserted = {row["_id"]: row for row in rows}
    try:
        if rows:
            await db["frontier"].insert_many(rows, ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if error.details["writeConcernErrors"] or any(e["code"] != DUPLICATE for e in failed):
            raise
        for each in failed:
            del inserted[each["op"]["_id"]]
    return inserted


async def _add_columns(db: Database, listed: list[Link], run_id: ObjectId) -> None:
    """An article that another column listed before belongs to these links' columns too."""
    columns = {tuple(link.columns): link.columns for link in listed}.values()
    lacking = [
        {"_id": {"$in": [link.url for link in listed if link.columns == each]},
         "columns": {"$not": {"$all": each}}}
        for each in columns
    ]  # fmt: skip
    found = db["articles"].find({"$or": lacking}, {"_id": 1})
    if urls := [row["_id"] async for row in found]:
        await announce(db, urls, run_id)
        added = [{"$addToSet": {"columns": {"$each": each}}} for each in columns]
        await db["articles"].bulk_write(
            [UpdateMany(*each) for each in zip(lacking, added, strict=True)], ordered=False
        )
