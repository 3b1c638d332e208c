"""Rows of `frontier`: what each find and each attempt makes of a link's row.

Each is one update that depends on when a page was seen, not on when it is written: a later attempt
that is on record has the last word, and the same attempt counts once. So the archive may be read
again at any time, and a crash between two writes is repaired by doing both again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from zjolcrawl.items import READ_KINDS, Link, Outcome
from zjolcrawl.parsing.fields.dates import EARLIEST
from zjolcrawl.parsing.urls import host_of
from zjolcrawl.storage.doubts import FINDINGS, Verdict, VisitPolicy
from zjolcrawl.storage.operations import clock_limit, utc_now

_LONGEST_WAIT = timedelta(days=7)
_DAY = timedelta(days=1)
_VALIDATORS = ("etag", "last_modified")


def new_row(link: Link) -> dict[str, Any]:
    """The row of a link that has none: what `discover_link` makes of nothing.

    An insert takes MongoDB a tenth of the time of that update (27 us against 290), and us a sixth.
    """
    at = link.seen_at or utc_now()
    read = _is_read(link)
    listed = link.listed_title or link.listed_at
    fetch_url = link.fetch_url if link.fetch_url != link.url else None
    row = {
        "_id": link.url, "host": host_of(link.fetch_url or link.url),
        "state": "pending" if read else "rejected", "kind": link.kind, "attempts": 0,
        "discovered_at": at, "last_error": link.reason, "fetch_url": fetch_url, "columns": link.columns,
        "listed_title": link.listed_title, "listed_at": link.listed_at,
        "listed_since": at if listed else None, "next_visit_at": at if read else None,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def discover_link(link: Link, policy: VisitPolicy) -> UpdateOne:
    """A link as found: a new one waits, or is recorded as what it is; a known one gains columns.

    The list's title and date are those it showed last; `listed_since` is when it began to.
    """
    at = link.seen_at or utc_now()
    read = _is_read(link)
    unknown = _is_missing("$state")
    row: dict[str, Any] = {
        "state": {"$ifNull": ["$state", "pending" if read else "rejected"]},
        # An attempt that was written before its list could not tell.
        "kind": link.kind if link.columns else {"$ifNull": ["$kind", link.kind]},
        "attempts": {"$ifNull": ["$attempts", 0]},
        "discovered_at": {"$min": ["$discovered_at", at]},
        "host": _host(link.fetch_url or link.url),
    }
    if link.reason:
        row["last_error"] = {"$cond": [unknown, {"$literal": link.reason}, "$last_error"]}
    if link.fetch_url and link.fetch_url != link.url:
        row["fetch_url"] = {"$ifNull": ["$fetch_url", {"$literal": link.fetch_url}]}
    if link.columns:
        known = {"$ifNull": ["$columns", []]}
        row["columns"] = {"$concatArrays": [known, {"$setDifference": [link.columns, known]}]}
    if listed := {k: v for k in ("listed_title", "listed_at") if (v := getattr(link, k))}:
        other = {"$or": [{"$ne": [f"${k}", {"$literal": v}]} for k, v in listed.items()]}
        newer = {"$lte": [{"$ifNull": ["$listed_since", at]}, at]}
        values = {k: {"$literal": v} for k, v in listed.items()} | {"listed_since": at}
        row |= {k: {"$cond": [{"$and": [other, newer]}, v, f"${k}"]} for k, v in values.items()}
    if read:
        row["next_visit_at"] = _visit_of_found(at, policy, row)
    return UpdateOne({"_id": link.url}, [{"$set": row}], upsert=True)


def store_link(
    url: str,
    at: datetime,
    policy: VisitPolicy,
    *,
    published_at: datetime | None = None,
    validators: dict[str, str] | None = None,
    incomplete: bool = False,
) -> UpdateOne:
    """A link whose article, as seen at that time, is durable.

    `validators`: `etag` and `last_modified` of the answer, with which the next visit asks. `incomplete`:
    some of its images failed, so that it is visited again soon and unconditionally.
    """
    held = {name: {"$literal": v} for name, v in (validators or {}).items()}
    values: dict[str, Any] = dict.fromkeys((*_VALIDATORS, "image_failures"), "$$REMOVE") | held
    if published_at:
        values["published_at"] = published_at
    values |= _seen(at, policy, published_at or "$published_at")
    if incomplete:
        values |= _until_complete(at, policy, values)
    return _settled(url, at, values)


def unchanged_link(url: str, at: datetime, policy: VisitPolicy) -> UpdateOne:
    """A link whose article is as it was when it was stored (304)."""
    return _settled(url, at, _seen(at, policy, "$published_at"))


def _until_complete(at: datetime, policy: VisitPolicy, values: dict[str, Any]) -> dict[str, Any]:
    """Of a link with failed images, what differs from one without: a visit before the next recheck, or
    after the last, and no validators, since an unchanged page (304) would not be read. After so many such
    visits in a row as a link that fails has, it is like any other.
    """
    failures = {"$add": [{"$ifNull": ["$image_failures", 0]}, _if_later(at, 1)]}
    tired = {"$gte": [failures, policy.give_up_after]}
    soon = _after_failures(at, {"$subtract": [failures, 1]})
    recheck = values["next_visit_at"]
    return {
        "image_failures": failures,
        "next_visit_at": {"$cond": [tired, recheck, {"$min": [recheck, soon]}]},
        **{name: {"$cond": [tired, values[name], "$$REMOVE"]} for name in _VALIDATORS},
    }


def settle_link(outcome: Outcome, policy: VisitPolicy, verdict: Verdict | None = None) -> UpdateOne:
    """A link's new state. What is stored stays stored, but for a page whose takedown is believed.

    `verdict`: of `weigh`; without one the outcome is believed as it is.
    """
    at = outcome.seen_at or utc_now()
    gone = outcome.state == "gone" and (verdict is None or verdict.believed)
    keep = {"$and": [{"$eq": ["$state", "stored"]}, not gone]}
    values: dict[str, Any] = {
        "state": {"$cond": [keep, "stored", outcome.state]},
        "last_error": {"$literal": outcome.reason},
        "next_visit_at": "$$REMOVE",
    }
    if outcome.state == "failed":
        values |= _failed(outcome, at, policy)
    elif outcome.state == "pending":  # found, but not asked for by this run
        values["next_visit_at"] = at
    elif verdict is None and gone:  # it may come back
        values["next_visit_at"] = _recheck(at, policy, "$published_at")
    if outcome.state in FINDINGS:
        values["doubt"] = {"$literal": verdict.doubt} if verdict else "$$REMOVE"
    if verdict:
        later = verdict.next_visit_at or _recheck(at, policy, "$published_at")
        values["next_visit_at"] = "$next_visit_at" if verdict.waits else later
    if outcome.status == 304:  # the validators that were sent are not those of what is stored
        values |= dict.fromkeys(_VALIDATORS, "$$REMOVE")
    return _settled(outcome.url, at, values, attempts=int(outcome.attempted))


def _failed(outcome: Outcome, at: datetime, policy: VisitPolicy) -> dict[str, Any]:
    """The failures in a row, and when to try again: not before a doubt may be confirmed."""
    before = {"$ifNull": ["$failures", 0]}
    tired = {"$gte": [{"$add": [before, 1]}, policy.give_up_after]}
    doubted = {"$cond": [_is_missing("$doubt"), None, "$next_visit_at"]}
    earliest = {"$max": [_after_failures(at, before), outcome.retry_after, doubted]}
    recheck = _recheck(at, policy, "$published_at")
    at_last = {"$cond": [{"$eq": ["$state", "stored"]}, recheck, "$$REMOVE"]}
    return {
        "failures": {"$add": [before, _if_later(at, 1)]},
        "next_visit_at": {"$cond": [tired, at_last, earliest]},
    }


def reject_link(url: str, reason: str) -> UpdateOne:
    """A link whose row cannot be what it should be; what else the row holds has no influence."""
    now = utc_now()
    row = {
        "state": {"$cond": [{"$eq": ["$state", "stored"]}, "stored", "rejected"]},
        "last_error": {"$literal": reason}, "next_visit_at": "$$REMOVE",
        "kind": {"$ifNull": ["$kind", "article"]}, "attempts": {"$ifNull": ["$attempts", 0]},
        "discovered_at": {"$ifNull": ["$discovered_at", now]},
        "host": _host(url),
    }  # fmt: skip
    return UpdateOne({"_id": url}, [{"$set": row}], upsert=True)


def due_filter(now: datetime, since: datetime) -> dict[str, Any]:
    """The filter for links whose time has come, but for those that were visited since a time before."""
    visited = {"last_attempt_at": {"$gte": since, "$lte": now}}
    return {"next_visit_at": {"$lte": now}, "$nor": [visited]}


def too_far_ahead(now: datetime, policy: VisitPolicy) -> dict[str, Any]:
    """The filter for links whose time is further ahead than any visit can be: it is from a clock that was
    ahead.
    """
    furthest = now + timedelta(days=2 * max((*policy.recheck_days, 60)))
    return {"next_visit_at": {"$gt": furthest}}


def _is_read(link: Link) -> bool:
    return link.kind in READ_KINDS and not link.reason


def _seen(at: datetime, policy: VisitPolicy, published: Any) -> dict[str, Any]:
    return {
        "state": "stored", "last_error": "$$REMOVE", "failures": "$$REMOVE", "doubt": "$$REMOVE",
        "next_visit_at": _recheck(at, policy, published),
    }  # fmt: skip


def _visit_of_found(at: datetime, policy: VisitPolicy, row: dict[str, Any]) -> dict[str, Any]:
    """When a link that was found is visited, given what the find makes of its row: now if it is new.

    A recheck is counted from the list's date where the page itself has none: if a find that is written
    after the visit changes that date, it is what it would have been had the find been written before.
    """
    starts = {name: row.get(name, f"${name}") for name in ("listed_at", "discovered_at")}
    moved = {"$or": [{"$ne": [f"${name}", value]} for name, value in starts.items()]}
    undated = {
        "$and": [
            {"$in": ["$state", ["stored", "gone"]]},
            *map(_is_missing, ("$published_at", "$image_failures", "$doubt")), moved,
        ]
    }  # fmt: skip
    recheck = _recheck("$last_attempt_at", policy, {"$ifNull": list(starts.values())})
    branches = [
        {"case": _is_missing("$state"), "then": at},
        {"case": undated, "then": recheck},
    ]
    return {"$switch": {"branches": branches, "default": "$next_visit_at"}}


def _settled(url: str, at: datetime, values: dict[str, Any], attempts: int = 1) -> UpdateOne:
    """The row of a link as an attempt at that time leaves it."""
    older = _has_attempt("$gt", at)
    values = {**values, "last_attempt_at": at}
    row = {name: {"$cond": [older, f"${name}", value]} for name, value in values.items()}
    row |= {
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, _if_later(at, attempts)]},
        "kind": {"$ifNull": ["$kind", "article"]},
        "discovered_at": {"$ifNull": ["$discovered_at", at]},
        "host": _host(url),
    }
    return UpdateOne({"_id": url}, [{"$set": row}], upsert=True)


def _has_attempt(than: str, at: datetime) -> dict[str, Any]:
    """Whether an attempt `$gt` or `$gte` that time is on record, by a clock that was not ahead."""
    last = "$last_attempt_at"
    return {"$and": [{than: [last, at]}, {"$lte": [last, clock_limit()]}]}


def _if_later(at: datetime, count: int) -> dict[str, Any]:
    """`count` for an attempt that is not on record yet, else 0."""
    return {"$cond": [_has_attempt("$gte", at), 0, count]}


def _after_failures(at: datetime, failures: Any) -> dict[str, Any]:
    """When to try again: an hour later, doubled with each failure, a week at the most."""
    most = _LONGEST_WAIT.total_seconds() / 3600
    hours = {"$min": [{"$pow": [2, failures]}, most]}
    minutes = {"$toLong": {"$multiply": [hours, 60]}}
    return {"$dateAdd": {"startDate": at, "unit": "minute", "amount": minutes}}


def _host(url: str) -> dict[str, Any]:
    """The host that a row has, else that of the URL."""
    return {"$ifNull": ["$host", {"$literal": host_of(url)}]}


def _is_missing(path: str) -> dict[str, Any]:
    return {"$eq": [{"$type": path}, "missing"]}


def _recheck(at: Any, policy: VisitPolicy, published: Any) -> Any:
    """The first recheck after `at`, counted from publication, else from the list's date, else from
    discovery; absent after the last. Known before it is written, where both times are: most often.

    A date that is not plausible, or more than a day after `at`, is passed over.
    """
    hours = [round(days * 24) for days in policy.recheck_days]
    latest: Any = {"$dateAdd": {"startDate": at, "unit": "day", "amount": 1}}
    if isinstance(at, datetime):
        latest = at + _DAY
    if (
        isinstance(latest, datetime)
        and isinstance(published, datetime)
        and EARLIEST <= published <= latest
    ):
        days = [published + timedelta(hours=n) for n in hours]
        return min((day for day in days if day > at), default="$$REMOVE")
    dates = [published, "$listed_at", "$discovered_at", at]
    within = {"$and": [{"$gte": ["$$this", EARLIEST]}, {"$lte": ["$$this", latest]}]}
    start = {"$first": {"$filter": {"input": dates, "cond": within}}}
    moments = [{"$dateAdd": {"startDate": start, "unit": "hour", "amount": n}} for n in hours]
    ahead = {"$filter": {"input": moments, "cond": {"$gt": ["$$this", at]}}}
    return {"$ifNull": [{"$min": ahead}, "$$REMOVE"]}
