"""Items as MongoDB operations: one function for each thing that is written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne

from zjolcrawl.items import ColumnVisit, Link, Outcome

_READ_KINDS = {"article", "paper"}
# What an image's entry says of its bytes.
_BYTES = ("status", "sha256", "path", "width", "height", "bytes", "content_type")
_LONGEST_WAIT = timedelta(days=7)


def utc_now() -> datetime:
    """The time as BSON keeps it, to the millisecond."""
    now = datetime.now(timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def discover_link(link: Link) -> UpdateOne:
    """A link as found: a new one waits, or is recorded as what it is; a known one gains columns."""
    read = link.kind in _READ_KINDS and not link.reason
    first: dict[str, Any] = {
        "state": "pending" if read else "rejected", "kind": link.kind, "attempts": 0,
        "discovered_at": link.seen_at or utc_now(),
    }  # fmt: skip
    if link.reason:
        first["last_error"] = link.reason
    update: dict[str, Any] = {"$setOnInsert": first}
    if link.columns:
        update["$addToSet"] = {"columns": {"$each": link.columns}}
    if listed := {k: v for k in ("listed_title", "listed_at") if (v := getattr(link, k))}:
        update["$set"] = listed
    return UpdateOne({"_id": link.url}, update, upsert=True)


def store_link(url: str, now: datetime) -> UpdateOne:
    """A link whose article is durable."""
    return UpdateOne(
        {"_id": url},
        {
            "$set": {"state": "stored", "last_attempt_at": now},
            "$unset": {"last_error": "", "next_visit_at": ""},
            "$inc": {"attempts": 1},
            "$setOnInsert": {"kind": "article", "discovered_at": now},
        },
        upsert=True,
    )


def settle_link(outcome: Outcome) -> UpdateOne:
    """A link's new state. What is stored stays stored, but for a page that is gone."""
    now = outcome.seen_at or utc_now()
    state: dict[str, Any] = {"last_error": outcome.reason, "last_attempt_at": now}
    attempts = int(outcome.attempted)
    delay: Any = "$$REMOVE"
    if outcome.state == "failed":
        hours = {
            "$min": [
                {"$pow": [2, {"$ifNull": ["$attempts", 0]}]},
                _LONGEST_WAIT.total_seconds() / 3600,
            ]
        }
        delay = {
            "$dateAdd": {
                "startDate": now,
                "unit": "minute",
                "amount": {"$toLong": {"$multiply": [hours, 60]}},
            }
        }
    keep = {"$and": [{"$eq": ["$state", "stored"]}, outcome.state != "gone"]}
    state |= {
        "state": {"$cond": [keep, "stored", outcome.state]},
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, attempts]},
        "kind": {"$ifNull": ["$kind", "article"]},
        "discovered_at": {"$ifNull": ["$discovered_at", now]},
        "next_visit_at": delay,
        "last_error": {"$literal": outcome.reason},
    }
    return UpdateOne({"_id": outcome.url}, [{"$set": state}], upsert=True)


def reject_row(outcome: Outcome, run_id: ObjectId) -> dict[str, Any]:
    """A row of `rejects`."""
    row = {
        "url": outcome.url, "final_url": outcome.final_url, "reason": outcome.reason,
        "status": outcome.status, "template": outcome.template,
        "excerpt": outcome.excerpt[:2000] if outcome.excerpt else None, "warc": outcome.warc,
        "at": outcome.seen_at or utc_now(), "run_id": run_id,
    }  # fmt: skip
    return {k: v for k, v in row.items() if v is not None}


def visit_column(visit: ColumnVisit) -> UpdateOne:
    """What one page of a column said."""
    now = visit.seen_at or utc_now()
    values = {k: v for k, v in visit.entry.items() if k != "id" and v is not None}
    if visit.error:
        values |= {"last_error": visit.error, "last_error_at": now}
    else:
        values["last_crawled_at"] = now
    if visit.page == 0:  # the first page's validators are what the next run asks with
        values |= {k: v for k in ("etag", "last_modified") if (v := getattr(visit, k))}
    if visit.pages_total:
        values["pages_total"] = visit.pages_total
    update: dict[str, Any] = {"$set": values}
    if visit.newest_listed_at:
        update["$max"] = {"newest_listed_at": visit.newest_listed_at}
    if not visit.error and visit.page == 0:
        update["$unset"] = {"last_error": "", "last_error_at": ""}
    return UpdateOne({"_id": visit.column}, update, upsert=True)


def take_down(outcome: Outcome) -> UpdateOne:
    """The article of a link that is gone: its text stays. A later sight of it is the better word."""
    at = outcome.seen_at or utc_now()
    return UpdateOne(
        {"_id": outcome.url, "status": "live", "last_seen_at": {"$lte": at}},
        {"$set": {"status": "gone", "gone_at": at}},
    )


def first_version(document: dict[str, Any], run_id: ObjectId) -> dict[str, Any]:
    """Revision 1 of an article: `document` with the bookkeeping fields."""
    seen = document["last_seen_at"]
    times = {"first_seen_at": seen, "changed_at": seen}
    return {**document, "revision": 1, "status": "live", **times, "run_id": run_id}


def next_version(
    document: dict[str, Any], known: dict[str, Any], run_id: ObjectId
) -> dict[str, Any]:
    """The version after `known`, whose history it carries on."""
    version = first_version(document, run_id)
    version["first_seen_at"] = known["first_seen_at"]
    version["revision"] = known["revision"] + 1
    for name in ("columns", "aliases"):
        if both := [*known.get(name, []), *document.get(name, [])]:
            version[name] = list(dict.fromkeys(both))
    if "images" in version:
        version["images"] = _best_images(version["images"], known)
    version |= {name: known[name] for name in ("gone_at", "returned_at") if name in known}
    if known["status"] == "gone":
        version["returned_at"] = version["last_seen_at"]
    return version


def touch(document: dict[str, Any], known: dict[str, Any]) -> UpdateOne:
    """The same content again: `last_seen_at`, and what the page's surroundings add."""
    seen = document["last_seen_at"]
    update: dict[str, Any] = {"$max": {"last_seen_at": seen}}
    if known["status"] == "gone" and known["gone_at"] < seen:
        update["$set"] = {"status": "live", "returned_at": seen}
    images = _best_images(document.get("images", []), known)
    if images != known.get("images", []):  # what failed before has come now
        changes = {"images": images, "warnings": document.get("warnings", [])}
        update.setdefault("$set", {}).update({k: v for k, v in changes.items() if v})
        if not changes["warnings"]:
            update["$unset"] = {"warnings": ""}
    for name in ("columns", "aliases"):
        if more := [each for each in document.get(name, []) if each not in known.get(name, [])]:
            update.setdefault("$addToSet", {})[name] = {"$each": more}
    return UpdateOne({"_id": known["_id"]}, update)


def _best_images(images: list[dict[str, Any]], known: dict[str, Any]) -> list[dict[str, Any]]:
    """The images, each with what is known of its bytes where this visit did not get them."""
    before = {each["url"]: each for each in known.get("images", [])}
    best = []
    for image in images:
        former = before.get(image["url"])
        if former and (image["status"] == "referenced" or former["status"] == "stored"):
            bytes_of = image if image["status"] == "stored" else former
            best.append({**image, **{k: bytes_of[k] for k in _BYTES if k in bytes_of}})
        else:
            best.append(image)
    return best
