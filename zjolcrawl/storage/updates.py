"""Builds MongoDB updates of articles, columns and rejects from items."""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import UpdateMany, UpdateOne

from zjolcrawl.clock import clock_limit, utc_now
from zjolcrawl.items import ColumnVisit, Outcome, Unchanged, WalkEnd
from zjolcrawl.parsing.urls import host_of
from zjolcrawl.storage.change_feed import SET_WRITTEN_AT
from zjolcrawl.storage.documents import storable


def reject_row(outcome: Outcome, run_id: ObjectId) -> UpdateOne:
    """A row of `rejects`; a page that is reparsed and rejected again keeps its row."""
    at = outcome.seen_at or utc_now()
    row = {
        "url": outcome.url, "final_url": outcome.final_url, "reason": outcome.reason,
        "status": outcome.status, "template": outcome.template,
        "excerpt": outcome.excerpt or None, "warc": outcome.warc,
        "at": at,
    }  # fmt: skip
    update = {
        "$set": {k: storable(v) for k, v in row.items() if v is not None},
        "$setOnInsert": {"run_id": run_id},
    }
    return UpdateOne({"_id": reject_id(outcome.url, at)}, update, upsert=True)


def reject_id(url: str, at: datetime) -> ObjectId:
    """The `_id` of the reject row of a page seen at `at`: an ObjectId derived from both."""
    name = f"{url} {at.isoformat(timespec='milliseconds')}"
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return ObjectId(struct.pack(">I", int(at.timestamp())) + mark[:8])


def visit_column(visit: ColumnVisit, run: ObjectId) -> UpdateOne:
    """Update of a column by a run's visit of one of its pages. A later recorded visit wins."""
    at = visit.seen_at or utc_now()
    values: dict[str, Any] = {
        k: {"$literal": v} for k, v in visit.entry.items() if k != "id" and v is not None
    }
    if address := visit.entry.get("url"):
        values["host"] = host_of(address)
    if visit.error:
        values |= {"last_error": {"$literal": visit.error}, "last_error_at": at, "ended_by": run}
    else:
        values["last_crawled_at"] = at
        if visit.page == 0:
            values |= {"last_error": "$$REMOVE", "last_error_at": "$$REMOVE"}
    if visit.pages_total:
        values["pages_total"] = visit.pages_total
    if visit.page == 0 and visit.links:
        values["page_links"] = visit.links
    limit = clock_limit()
    last = {"$max": ["$last_crawled_at", "$last_error_at"]}
    newest = {"$or": [{"$lte": [{"$ifNull": [last, at]}, at]}, {"$gt": [last, limit]}]}
    row: dict[str, Any] = {k: {"$cond": [newest, v, f"${k}"]} for k, v in values.items()}
    if (listed := visit.newest_listed_at) and listed <= limit:
        known = {"$cond": [{"$gt": ["$newest_listed_at", limit]}, None, "$newest_listed_at"]}
        row["newest_listed_at"] = {"$max": [known, listed]}
    return UpdateOne({"_id": visit.column}, [{"$set": row}], upsert=True)


def begin_walk(column: str, at: datetime) -> UpdateOne:
    """Mark a column as being walked because the walk goes beyond its first page; `end_walk` ends that."""
    started = {"$set": {"walk_open_since": at}, "$unset": {"etag": "", "last_modified": ""}}
    return UpdateOne({"_id": column}, started, upsert=True)


def end_walk(walk: WalkEnd, run: ObjectId) -> UpdateOne:
    """Record the end of a run's walk: all links of a column, or the requested part, are in the frontier.

    Only a complete walk stores the first page's validators. Otherwise a 304 would hide links that an
    incomplete walk missed.
    """
    at = walk.seen_at or utc_now()
    values: dict[str, Any] = {"walked_at": at, "ended_by": run}
    if walk.complete:
        values |= {k: v for k in ("etag", "last_modified") if (v := getattr(walk, k))}
    if walk.swept:
        values |= {"swept_at": at, "pages_seen": walk.pages}
    update: dict[str, Any] = {"$set": values}
    if walk.complete:
        update["$unset"] = {"walk_open_since": ""}
    return UpdateOne({"_id": walk.column}, update, upsert=True)


def mark_gone(outcome: Outcome, since: datetime | None = None) -> UpdateMany:
    """Mark the article of a gone link as gone `since` then; its text stays. A later visit wins."""
    at = since or outcome.seen_at or utc_now()
    addresses = [each for each in (outcome.url, outcome.article) if each]
    seen_before = [{"last_seen_at": {"$lte": at}}, {"last_seen_at": {"$gt": clock_limit()}}]
    return UpdateMany(
        {"_id": {"$in": addresses}, "status": "live", "$or": seen_before},
        {"$set": {"status": "gone", "gone_at": at}, "$currentDate": SET_WRITTEN_AT},
    )


def add_to_columns(url: str, columns: list[str]) -> UpdateOne:
    """Add columns to an article."""
    gained = {"$addToSet": {"columns": {"$each": columns}}, "$currentDate": SET_WRITTEN_AT}
    return UpdateOne({"_id": url}, gained)


def mark_seen(page: Unchanged) -> UpdateOne:
    """Record that an article's page was seen unchanged."""
    at = page.seen_at or utc_now()
    ahead = {"$gt": ["$last_seen_at", clock_limit()]}
    seen = {"$cond": [ahead, at, {"$max": ["$last_seen_at", at]}]}
    return UpdateOne({"_id": page.url}, [{"$set": {"last_seen_at": seen}}])


def mark_returned(page: Unchanged) -> UpdateOne:
    """Make the article of an unchanged page live again if it was gone."""
    at = page.seen_at or utc_now()
    before = [{"gone_at": {"$lt": at}}, {"gone_at": {"$gt": clock_limit()}}]
    return UpdateOne(
        {"_id": page.url, "status": "gone", "$or": before},
        {"$set": {"status": "live", "returned_at": at}, "$currentDate": SET_WRITTEN_AT},
    )
