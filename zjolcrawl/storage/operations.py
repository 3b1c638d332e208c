"""Items as MongoDB operations: one function for each thing that is written."""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime, timedelta, timezone
from typing import Any

from bson import ObjectId
from pymongo import UpdateMany, UpdateOne

from zjolcrawl.items import ColumnVisit, Link, Outcome

_READ_KINDS = {"article", "paper"}
_LONGEST_WAIT = timedelta(days=7)


def utc_now() -> datetime:
    """The time as BSON keeps it, to the millisecond."""
    now = datetime.now(timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def discover_link(link: Link) -> UpdateOne:
    """A link as found: a new one waits, or is recorded as what it is; a known one gains columns.

    The list's title and date are those it showed last; `listed_since` is when it began to.
    """
    at = link.seen_at or utc_now()
    read = link.kind in _READ_KINDS and not link.reason
    unknown = {"$eq": [{"$type": "$state"}, "missing"]}
    row: dict[str, Any] = {
        "state": {"$ifNull": ["$state", "pending" if read else "rejected"]},
        "kind": {"$ifNull": ["$kind", link.kind]},
        "attempts": {"$ifNull": ["$attempts", 0]},
        "discovered_at": {"$min": ["$discovered_at", at]},
    }
    if link.reason:
        row["last_error"] = {"$cond": [unknown, {"$literal": link.reason}, "$last_error"]}
    if link.columns:
        known = {"$ifNull": ["$columns", []]}
        row["columns"] = {"$concatArrays": [known, {"$setDifference": [link.columns, known]}]}
    if listed := {k: v for k in ("listed_title", "listed_at") if (v := getattr(link, k))}:
        other = {"$or": [{"$ne": [f"${k}", {"$literal": v}]} for k, v in listed.items()]}
        newer = {"$lte": [{"$ifNull": ["$listed_since", at]}, at]}
        values = {k: {"$literal": v} for k, v in listed.items()} | {"listed_since": at}
        row |= {k: {"$cond": [{"$and": [other, newer]}, v, f"${k}"]} for k, v in values.items()}
    return UpdateOne({"_id": link.url}, [{"$set": row}], upsert=True)


def store_link(url: str, at: datetime) -> UpdateOne:
    """A link whose article, as seen at that time, is durable."""
    values = {"state": "stored", "last_error": "$$REMOVE", "next_visit_at": "$$REMOVE"}
    return _settled(url, at, values)


def settle_link(outcome: Outcome) -> UpdateOne:
    """A link's new state. What is stored stays stored, but for a page that is gone."""
    at = outcome.seen_at or utc_now()
    keep = {"$and": [{"$eq": ["$state", "stored"]}, outcome.state != "gone"]}
    values = {
        "state": {"$cond": [keep, "stored", outcome.state]},
        "last_error": {"$literal": outcome.reason},
        "next_visit_at": _next_visit(at) if outcome.state == "failed" else "$$REMOVE",
    }
    return _settled(outcome.url, at, values, attempts=int(outcome.attempted))


def _settled(url: str, at: datetime, values: dict[str, Any], attempts: int = 1) -> UpdateOne:
    """The row of a link as an attempt at that time leaves it.

    A later attempt that is on record has the last word (the archive may be read again at any time),
    and the same attempt is counted once.
    """
    last = {"$ifNull": ["$last_attempt_at", datetime.fromtimestamp(0, timezone.utc)]}
    newest = {"$lte": [last, at]}
    counted = {"$cond": [{"$lt": [last, at]}, attempts, 0]}
    values = {**values, "last_attempt_at": at}
    row = {name: {"$cond": [newest, value, f"${name}"]} for name, value in values.items()}
    row |= {
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, counted]},
        "kind": {"$ifNull": ["$kind", "article"]},
        "discovered_at": {"$ifNull": ["$discovered_at", at]},
    }
    return UpdateOne({"_id": url}, [{"$set": row}], upsert=True)


def _next_visit(at: datetime) -> dict[str, Any]:
    """When to try again: an hour later, doubled with each attempt, a week at the most."""
    most = _LONGEST_WAIT.total_seconds() / 3600
    hours = {"$min": [{"$pow": [2, {"$ifNull": ["$attempts", 0]}]}, most]}
    minutes = {"$toLong": {"$multiply": [hours, 60]}}
    return {"$dateAdd": {"startDate": at, "unit": "minute", "amount": minutes}}


def reject_row(outcome: Outcome, run_id: ObjectId) -> UpdateOne:
    """A row of `rejects`; a page that is read again and rejected again keeps its row."""
    at = outcome.seen_at or utc_now()
    row = {
        "url": outcome.url, "final_url": outcome.final_url, "reason": outcome.reason,
        "status": outcome.status, "template": outcome.template,
        "excerpt": outcome.excerpt[:2000] if outcome.excerpt else None, "warc": outcome.warc,
        "at": at,
    }  # fmt: skip
    update = {
        "$set": {k: v for k, v in row.items() if v is not None},
        "$setOnInsert": {"run_id": run_id},
    }
    return UpdateOne({"_id": reject_id(outcome.url, at)}, update, upsert=True)


def reject_id(url: str, at: datetime) -> ObjectId:
    """The `_id` of the row of a page as seen at a time: as any ObjectId, but made of the two."""
    mark = hashlib.sha256(f"{url} {at.isoformat(timespec='milliseconds')}".encode()).digest()
    return ObjectId(struct.pack(">I", int(at.timestamp())) + mark[:8])


def visit_column(visit: ColumnVisit) -> UpdateOne:
    """What one page of a column said."""
    at = visit.seen_at or utc_now()
    values: dict[str, Any] = {
        k: {"$literal": v} for k, v in visit.entry.items() if k != "id" and v is not None
    }
    if visit.error:
        values |= {"last_error": {"$literal": visit.error}, "last_error_at": at}
    else:
        values["last_crawled_at"] = at
        if visit.page == 0:
            values |= {"last_error": "$$REMOVE", "last_error_at": "$$REMOVE"}
    if visit.page == 0:  # the first page's validators are what the next run asks with
        validators = {k: getattr(visit, k) for k in ("etag", "last_modified")}
        values |= {k: {"$literal": v} for k, v in validators.items() if v}
    if visit.pages_total:
        values["pages_total"] = visit.pages_total
    # A later visit that is on record has the last word: the archive may be read again at any time.
    last = {"$max": ["$last_crawled_at", "$last_error_at"]}
    newest = {"$lte": [{"$ifNull": [last, at]}, at]}
    row: dict[str, Any] = {k: {"$cond": [newest, v, f"${k}"]} for k, v in values.items()}
    if visit.newest_listed_at:
        row["newest_listed_at"] = {"$max": ["$newest_listed_at", visit.newest_listed_at]}
    return UpdateOne({"_id": visit.column}, [{"$set": row}], upsert=True)


def take_down(outcome: Outcome) -> UpdateMany:
    """The article of a link that is gone: its text stays. A later sight of it is the better word."""
    at = outcome.seen_at or utc_now()
    addresses = [each for each in (outcome.url, outcome.article) if each]
    return UpdateMany(
        {"_id": {"$in": addresses}, "status": "live", "last_seen_at": {"$lte": at}},
        {"$set": {"status": "gone", "gone_at": at}},
    )
