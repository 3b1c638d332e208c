"""Items as MongoDB documents and updates, in the words of the contract.

BSON dates are milliseconds: what is finer is cut off when it is stored, so no hash and no comparison
here looks below the second, and `Writer.tick` gives whole milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from bson import ObjectId, encode
from bson.errors import BSONError
from pymongo import UpdateOne

from zjolcrawl.items import Article, ColumnVisit, Link, Outcome

Document = dict[str, Any]

# The fields whose change makes a new revision (contract: `content_sha256`).
_EDITORIAL = (
    "title", "kicker", "subtitle", "published_at", "source", "authors", "editors", "tags",
    "editor_note", "body",
)  # fmt: skip
_NOT_STORED = {"url", "template", "parser_version", "frontier_url"}
_UNITED = ("columns", "aliases")  # sets that only grow, whatever the newest page says
_READ_KINDS = {"article", "paper"}
_LONGEST_WAIT_HOURS = 7 * 24
_EXCERPT = 2000
# A BSON document is 16 MiB at most; the rest is for the columns and aliases still to come.
_LARGEST = 16 * 1024 * 1024 - 64 * 1024


def article_document(article: Article) -> Document:
    """The page's part of an `articles` document; bookkeeping fields are the store's."""
    values = asdict(article)
    document = {k: _tidy(v) for k, v in values.items() if k not in _NOT_STORED}
    document = {k: v for k, v in document.items() if v not in (None, "", [])}
    document["_id"] = article.url
    document.setdefault("body", "")  # an article of pictures alone has an empty one
    document["parser"] = {"template": article.template, "version": article.parser_version}
    document["content_sha256"] = content_sha256(article)
    return document


def content_sha256(article: Article) -> str:
    """Hex digest over the editorial fields as canonical JSON in UTF-8."""
    values = asdict(article)
    editorial = {name: _tidy(values[name]) for name in _EDITORIAL}
    if article.published_at:
        utc = article.published_at.astimezone(timezone.utc)
        editorial["published_at"] = utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    editorial["images"] = [image.ref for image in article.images]
    present = {k: v for k, v in editorial.items() if v not in (None, "", [])}
    text = json.dumps(present, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def unstorable(document: Document) -> str | None:
    """Why BSON cannot hold the document, or None; one such would fail its whole bulk."""
    try:
        size = len(encode(document))
    except (BSONError, ValueError, TypeError, OverflowError) as error:
        return f"not storable as BSON: {' '.join(str(error).split())[:300]}"
    return f"too large for MongoDB: {size} bytes" if size > _LARGEST else None


def clean(value: Any) -> Any:
    """The value with lone surrogates, which BSON has no room for, as question marks."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [clean(each) for each in value]
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items()}
    return value


def unite(document: Document, former: Document) -> Document:
    """The document with the columns and aliases of a former one before its own."""
    united = {n: list(dict.fromkeys(former.get(n, []) + document.get(n, []))) for n in _UNITED}
    return document | {name: values for name, values in united.items() if values}


def first_version(document: Document, at: datetime, run_id: ObjectId) -> Document:
    """The whole `articles` document of an article seen for the first time."""
    times = {"first_seen_at": at, "last_seen_at": at, "changed_at": at}
    return {**document, "revision": 1, "status": "live", **times, "run_id": run_id}


def next_version(document: Document, former: Document, at: datetime, run_id: ObjectId) -> Document:
    """The whole `articles` document that replaces `former`."""
    version = first_version(unite(document, former), at, run_id)
    version |= {k: former[k] for k in ("first_seen_at", "gone_at") if k in former}
    return version | {"revision": former["revision"] + 1}


def same_again(document: Document, known: Document, at: datetime) -> UpdateOne:
    """The same content again: `last_seen_at`, and what the page's surroundings add.

    Known limit: what is outside the hash (breadcrumb, body_html, dateline, videos, parser …) stays
    as the first reading had it, also where a newer parser reads it better; that is for a reparse.
    """
    update: Document = {"$set": {"last_seen_at": at}}
    if known["status"] == "gone":
        update["$set"]["status"] = "live"
    for name in _UNITED:
        if more := [each for each in document.get(name, []) if each not in known.get(name, [])]:
            update.setdefault("$addToSet", {})[name] = {"$each": more}
    return UpdateOne({"_id": known["_id"]}, update)


def discovered(link: Link, at: datetime) -> UpdateOne:
    """A link on a list: new to the frontier, or one column more for a known one."""
    read = link.kind in _READ_KINDS and not link.reason
    first: Document = {
        "state": "pending" if read else "rejected", "kind": link.kind, "discovered_at": at,
        "attempts": 0,
    }  # fmt: skip
    if link.reason:
        first["last_error"] = clean(link.reason)
    update: Document = {"$setOnInsert": first}
    if link.columns:
        update["$addToSet"] = {"columns": {"$each": link.columns}}
    listed = {"listed_title": clean(link.listed_title), "listed_at": link.listed_at}
    if present := {k: v for k, v in listed.items() if v}:
        update["$set"] = present
    return UpdateOne({"_id": clean(link.url)}, update, upsert=True)


def stored(url: str, at: datetime) -> UpdateOne:
    """The frontier row of an article that is safe."""
    update = {
        "$set": {"state": "stored", "last_attempt_at": at},
        "$unset": {"last_error": "", "next_visit_at": ""},
        "$inc": {"attempts": 1},
        "$setOnInsert": {"kind": "article", "discovered_at": at},
    }
    return UpdateOne(_attempt(url, at), update, upsert=True)


def outcome_state(outcome: Outcome, at: datetime) -> UpdateOne:
    """A link's new state. What is stored stays stored, unless its page is gone."""
    attempts = {"$ifNull": ["$attempts", 0]}
    keep = {"$and": [{"$eq": ["$state", "stored"]}, outcome.state != "gone"]}
    state: Document = {
        "state": {"$cond": [keep, "stored", outcome.state]},
        "kind": {"$ifNull": ["$kind", "article"]},
        "discovered_at": {"$ifNull": ["$discovered_at", at]},
        "attempts": {"$add": [attempts, int(outcome.attempted)]},
        "last_error": {"$literal": clean(outcome.reason) or outcome.state},
        "next_visit_at": "$$REMOVE",
    }
    if outcome.state == "failed":
        hours = {"$min": [{"$pow": [2, attempts]}, _LONGEST_WAIT_HOURS]}
        wait = {"startDate": at, "unit": "hour", "amount": {"$toLong": hours}}
        state["next_visit_at"] = {"$dateAdd": wait}
    if not outcome.attempted:
        return UpdateOne({"_id": clean(outcome.url)}, [{"$set": state}], upsert=True)
    state["last_attempt_at"] = at
    return UpdateOne(_attempt(outcome.url, at), [{"$set": state}], upsert=True)


def reject(outcome: Outcome, at: datetime, row_id: ObjectId, run_id: ObjectId) -> Document:
    """The `rejects` row of a rejected page."""
    row = {
        "_id": row_id, "url": outcome.url, "final_url": outcome.final_url,
        "reason": outcome.reason, "status": outcome.status, "template": outcome.template,
        "excerpt": outcome.excerpt[:_EXCERPT] if outcome.excerpt else None,
        "at": at, "run_id": run_id,
    }  # fmt: skip
    return {k: clean(v) for k, v in row.items() if v is not None}


def visited(visit: ColumnVisit, at: datetime) -> UpdateOne:
    """The `columns` document after a visit of one of its pages; `page` counts from 0."""
    values = {k: clean(v) for k, v in visit.entry.items() if k != "id" and v is not None}
    if visit.error:
        values |= {"last_error": clean(visit.error), "last_error_at": at}
    else:
        values["last_crawled_at"] = at
    if visit.page == 0:  # the first page's validators are what the next run asks with
        values |= {k: v for k in ("etag", "last_modified") if (v := getattr(visit, k))}
    if visit.pages_total:
        values["pages_total"] = visit.pages_total
    update: Document = {"$set": values}
    if visit.newest_listed_at:
        update["$max"] = {"newest_listed_at": visit.newest_listed_at}
    if not visit.error and visit.page == 0:
        update["$unset"] = {"last_error": "", "last_error_at": ""}
    return UpdateOne({"_id": visit.column}, update, upsert=True)


def _attempt(url: str, at: datetime) -> Document:
    """Matches a row that does not know this attempt: written again, it is counted once.

    The upsert of one that does know it fails on the key, which `Writer.upsert` takes as done.
    """
    return {"_id": clean(url), "last_attempt_at": {"$ne": at}}


def _tidy(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if v is not None}
    return value
