"""Updates of `frontier` rows: how each discovery and each visit changes a link's row.

Each is one update that depends on when a page was seen, not on when it is written. A later recorded
attempt wins, and the same attempt counts once. So the archive may be reparsed at any time, and repeating
the article and frontier writes completes what a crash interrupted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from zjolcrawl.clock import clock_limit, utc_now
from zjolcrawl.items import READ_KINDS, Link, Outcome
from zjolcrawl.parsing.fields.dates import EARLIEST
from zjolcrawl.parsing.urls import host_of
from zjolcrawl.storage.visit_policy import FINDINGS, Verdict, VisitPolicy

_LONGEST_WAIT = timedelta(days=7)
_DAY = timedelta(days=1)
_VALIDATORS = ("etag", "last_modified")


def new_row(link: Link) -> dict[str, Any]:
    """The row of a link that has none yet, equal to what `discover_link` creates.

    An insert is much cheaper than that update, for MongoDB and for us.
    """
    at = link.seen_at or utc_now()
    read = _is_read(link)
    fetch_url = link.fetch_url if link.fetch_url != link.url else None
    row = {
        "_id": link.url, "host": host_of(link.fetch_url or link.url),
        "state": "pending" if read else "rejected", "kind": link.kind, "attempts": 0,
        "discovered_at": at, "last_error": link.reason, "fetch_url": fetch_url, "columns": link.columns,
        "next_visit_at": at if read else None,
    }  # fmt: skip
    for name, value in _listed(link).items():
        row |= {name: value, f"{name}_seen_at": at}
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def discover_link(link: Link, policy: VisitPolicy) -> UpdateOne:
    """A discovered link: a new one becomes pending or rejected; a known one gains columns.

    Title and date come from the list that was seen last, each with its time (`listed_title_seen_at`,
    `listed_at_seen_at`), because some lists show no dates. Ties go to the greater value, and of several fetch
    URLs the smallest is kept, so that the order of writing does not matter.
    """
    at = link.seen_at or utc_now()
    read = _is_read(link)
    unknown = _is_missing("$state")
    row: dict[str, Any] = {
        "state": {"$ifNull": ["$state", "pending" if read else "rejected"]},
        # An attempt written before its list did not know the kind.
        "kind": link.kind if link.columns else {"$ifNull": ["$kind", link.kind]},
        "attempts": {"$ifNull": ["$attempts", 0]},
        "discovered_at": {"$min": ["$discovered_at", at]},
        "host": _host(link.fetch_url or link.url),
    }
    if link.reason:
        row["last_error"] = {"$cond": [unknown, {"$literal": link.reason}, "$last_error"]}
    if link.fetch_url and link.fetch_url != link.url:
        row["fetch_url"] = {"$min": ["$fetch_url", {"$literal": link.fetch_url}]}
    if link.columns:
        known = {"$ifNull": ["$columns", []]}
        row["columns"] = {"$concatArrays": [known, {"$setDifference": [link.columns, known]}]}
    for name, value in _listed(link).items():
        old, seen, new = f"${name}", f"${name}_seen_at", {"$literal": value}
        # What was seen by a clock that was ahead gives way to whatever is seen next, as an attempt does.
        ahead = {"$gt": [seen, clock_limit()]}
        later = {"$or": [ahead, {"$gt": [[at, new], [seen, old]]}]}
        row |= {name: {"$cond": [later, new, old]}, f"{name}_seen_at": {"$cond": [later, at, seen]}}
    if read:
        row["next_visit_at"] = _visit_of_discovered(policy, row)
    return UpdateOne({"_id": link.url}, [{"$set": row}], upsert=True)


def store_link(
    url: str,
    at: datetime,
    policy: VisitPolicy,
    *,
    published_at: datetime | None = None,
    validators: dict[str, str] | None = None,
    incomplete: bool = False,
    is_foreign: bool = False,
) -> UpdateOne:
    """A link whose article, as seen at `at`, is durable.

    `validators`: `etag` and `last_modified` of the response, for the next conditional request. `incomplete`:
    some images failed, so the link is visited again soon and unconditionally. `is_foreign`: others visited it,
    which is no attempt of ours.
    """
    held = {name: {"$literal": v} for name, v in (validators or {}).items()}
    values: dict[str, Any] = dict.fromkeys((*_VALIDATORS, "image_failures"), "$$REMOVE") | held
    if published_at:
        values["published_at"] = published_at
    values |= _seen(at, policy, published_at or "$published_at")
    if incomplete and not is_foreign:
        values |= _until_complete(at, policy, values)
    return _settled(url, at, policy, values, attempts=int(not is_foreign))


def unchanged_link(url: str, at: datetime, policy: VisitPolicy) -> UpdateOne:
    """A link whose article has not changed since it was stored (304)."""
    return _settled(url, at, policy, _seen(at, policy, "$published_at"))


def _until_complete(at: datetime, policy: VisitPolicy, values: dict[str, Any]) -> dict[str, Any]:
    """The values that differ for a link with failed images.

    It is visited again before the next recheck, or after the last one, without validators, because an
    unchanged page (304) would not be parsed. After `give_up_after` such visits in a row it is treated like
    any other link.
    """
    failures = {"$add": [{"$ifNull": ["$image_failures", 0]}, _if_later(at, 1)]}
    exhausted = {"$gte": [failures, policy.give_up_after]}
    soon = _after_failures(at, {"$subtract": [failures, 1]})
    recheck = values["next_visit_at"]
    return {
        "image_failures": failures,
        "next_visit_at": {"$cond": [exhausted, recheck, {"$min": [recheck, soon]}]},
        **{name: {"$cond": [exhausted, values[name], "$$REMOVE"]} for name in _VALIDATORS},
    }


def settle_link(outcome: Outcome, policy: VisitPolicy, verdict: Verdict | None = None) -> UpdateOne:
    """A link's new state. A stored link stays stored unless its takedown is believed.

    `verdict` is from `judge`; without one the outcome is believed as it is.
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
    elif outcome.state == "pending":  # discovered, but not requested by this run
        values["next_visit_at"] = at
    elif verdict is None and gone:  # it may come back
        values["next_visit_at"] = _recheck(at, policy, "$published_at")
    if outcome.state in FINDINGS:
        values["doubt"] = {"$literal": verdict.doubt} if verdict else "$$REMOVE"
    if verdict:
        later = verdict.next_visit_at or _recheck(at, policy, "$published_at")
        values["next_visit_at"] = "$next_visit_at" if verdict.waits else later
    if outcome.status == 304:  # the validators that were sent do not belong to a stored article
        values |= dict.fromkeys(_VALIDATORS, "$$REMOVE")
    return _settled(outcome.url, at, policy, values, attempts=int(outcome.attempted))


def _failed(outcome: Outcome, at: datetime, policy: VisitPolicy) -> dict[str, Any]:
    """The count of consecutive failures and the time of the retry, not before a doubt may be confirmed."""
    before = {"$ifNull": ["$failures", 0]}
    exhausted = {"$gte": [{"$add": [before, 1]}, policy.give_up_after]}
    doubted = {"$cond": [_is_missing("$doubt"), None, "$next_visit_at"]}
    earliest = {"$max": [_after_failures(at, before), outcome.retry_after, doubted]}
    recheck = _recheck(at, policy, "$published_at")
    at_last = {"$cond": [{"$eq": ["$state", "stored"]}, recheck, "$$REMOVE"]}
    return {
        "failures": {"$add": [before, _if_later(at, 1)]},
        "next_visit_at": {"$cond": [exhausted, at_last, earliest]},
    }


def reject_link(url: str, reason: str) -> UpdateOne:
    """A rejected link whose row could not be written; the row's other fields do not matter."""
    now = utc_now()
    row = {
        "state": {"$cond": [{"$eq": ["$state", "stored"]}, "stored", "rejected"]},
        "last_error": {"$literal": reason}, "next_visit_at": "$$REMOVE",
        "kind": {"$ifNull": ["$kind", "article"]}, "attempts": {"$ifNull": ["$attempts", 0]},
        "discovered_at": {"$ifNull": ["$discovered_at", now]},
        "host": _host(url),
    }  # fmt: skip
    return UpdateOne({"_id": url}, [{"$set": row}], upsert=True)


def too_far_ahead(now: datetime, policy: VisitPolicy) -> dict[str, Any]:
    """The filter for links due later than any visit can be, so set by a clock that was ahead."""
    furthest = now + timedelta(days=2 * max((*policy.recheck_days, 60)))
    return {"next_visit_at": {"$gt": furthest}}


def _listed(link: Link) -> dict[str, Any]:
    """What a list showed of the link, by field."""
    listed = {"listed_title": link.listed_title, "listed_at": link.listed_at}
    return {name: value for name, value in listed.items() if value}


def _is_read(link: Link) -> bool:
    return link.kind in READ_KINDS and not link.reason


def _seen(at: datetime, policy: VisitPolicy, published: Any) -> dict[str, Any]:
    return {
        "state": "stored", "last_error": "$$REMOVE", "failures": "$$REMOVE", "doubt": "$$REMOVE",
        "next_visit_at": _recheck(at, policy, published),
    }  # fmt: skip


def _visit_of_discovered(policy: VisitPolicy, row: dict[str, Any]) -> dict[str, Any]:
    """When a discovered link is visited, given the row's new values: at its discovery if it is new.

    Rechecks count from the list's date if the page itself has none. If a discovery that is written after
    the visit changes that date, the time becomes what it would be in the opposite order.
    """
    starts = {name: row.get(name, f"${name}") for name in ("listed_at", "discovered_at")}
    moved = {"$or": [{"$ne": [f"${name}", value]} for name, value in starts.items()]}
    recheck = _recheck("$last_attempt_at", policy, None, *starts.values())
    is_new = {"$eq": ["$next_visit_at", "$discovered_at"]}  # or missing, as both are
    branches = [
        {"case": is_new, "then": starts["discovered_at"]},
        {"case": {"$and": [_IS_UNDATED, moved]}, "then": recheck},
    ]
    return {"$switch": {"branches": branches, "default": "$next_visit_at"}}


def _settled(
    url: str, at: datetime, policy: VisitPolicy, values: dict[str, Any], attempts: int = 1
) -> UpdateOne:
    """The row of a link after an attempt at `at`.

    If an attempt that is written after a later one is the link's first, rechecks that count from discovery move.
    """
    older = _has_attempt("$gt", at)
    values = {**values, "last_attempt_at": at}
    row = {name: {"$cond": [older, f"${name}", value]} for name, value in values.items()}
    moved = {"$and": [older, _IS_UNDATED, {"$eq": ["$discovered_at", at]}]}
    recheck = _recheck("$last_attempt_at", policy, None)
    row["next_visit_at"] = {"$cond": [moved, recheck, row.get("next_visit_at", "$next_visit_at")]}
    row |= {
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, _if_later(at, attempts)]},
        "kind": {"$ifNull": ["$kind", "article"]},
        "host": _host(url),
    }
    first = {"discovered_at": {"$min": ["$discovered_at", at]}}
    return UpdateOne({"_id": url}, [{"$set": first}, {"$set": row}], upsert=True)


def _is_missing(path: str) -> dict[str, Any]:
    return {"$eq": [{"$type": path}, "missing"]}


_IS_UNDATED = {
    "$and": [
        {"$in": ["$state", ["stored", "gone"]]},
        *map(_is_missing, ("$published_at", "$image_failures", "$doubt", "$failures")),
    ]
}
"""Whether a link's next visit is a recheck that counts from the list's date or from discovery."""


def _has_attempt(than: str, at: datetime) -> dict[str, Any]:
    """Whether an attempt later than (`$gt`), or not before (`$gte`), that time is recorded.

    Attempts by a clock that was ahead do not count.
    """
    last = "$last_attempt_at"
    return {"$and": [{than: [last, at]}, {"$lte": [last, clock_limit()]}]}


def _if_later(at: datetime, count: int) -> dict[str, Any]:
    """`count` for an attempt that is not recorded yet, else 0."""
    return {"$cond": [_has_attempt("$gte", at), 0, count]}


def _after_failures(at: datetime, failures: Any) -> dict[str, Any]:
    """When to retry: an hour later, doubling with each failure, up to a week."""
    most = _LONGEST_WAIT.total_seconds() / 3600
    hours = {"$min": [{"$pow": [2, failures]}, most]}
    minutes = {"$toLong": {"$multiply": [hours, 60]}}
    return {"$dateAdd": {"startDate": at, "unit": "minute", "amount": minutes}}


def _host(url: str) -> dict[str, Any]:
    """The host of the row, or else that of the URL."""
    return {"$ifNull": ["$host", {"$literal": host_of(url)}]}


def _recheck(
    at: Any,
    policy: VisitPolicy,
    published: Any,
    listed: Any = "$listed_at",
    discovered: Any = "$discovered_at",
) -> Any:
    """The first recheck after `at`; absent after the last one.

    Rechecks count from publication, else from the list's date, else from discovery. A date that is
    implausible or more than a day after `at` is skipped. If both times are known here, which is usual, the
    result is a value, otherwise an expression.
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
    dates = [published, listed, discovered, at]
    within = {"$and": [{"$gte": ["$$this", EARLIEST]}, {"$lte": ["$$this", latest]}]}
    start = {"$first": {"$filter": {"input": dates, "cond": within}}}
    moments = [{"$dateAdd": {"startDate": start, "unit": "hour", "amount": n}} for n in hours]
    ahead = {"$filter": {"input": moments, "cond": {"$gt": ["$$this", at]}}}
    return {"$ifNull": [{"$min": ahead}, "$$REMOVE"]}
