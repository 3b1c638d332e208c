"""Queries of `frontier`: link counts for `scrapy health`, and one column's links for `scrapy audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from zjolcrawl.items import READ_KINDS
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.selection import china_date


@dataclass(frozen=True, slots=True)
class ColumnLinks:
    """The links of one column.

    `states`: number of links per state. `gave_up`: failed links that are no longer retried. `days`:
    number of links to articles per day (China), in any state.
    """

    states: dict[str, int] = field(default_factory=dict)
    gave_up: int = 0
    days: Counter[date] = field(default_factory=Counter)

    @property
    def links(self) -> int:
        """The total number of links."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """The frontier in numbers: links by `state`, links `due` now, failed links that `gave_up`."""

    states: dict[str, int] = field(default_factory=dict)
    due: int = 0
    gave_up: int = 0


async def column_links(
    db: Database, column: str, day_of_url: Callable[[str], date | None]
) -> ColumnLinks:
    """A column's ledger (index `columns, state`); `day_of_url` dates links that the list does not date."""
    states, gave_up = await link_states(db, {"columns": column})
    return ColumnLinks(states, gave_up, await _days(db, column, day_of_url))


async def requeue(db: Database, column: str, now: datetime, *, sweep: bool) -> int:
    """Make a column's failed links due now and reset their failure counts; returns how many.

    `sweep`: the next run reads all pages of the column.
    """
    done = await db["frontier"].update_many(
        {"columns": column, "state": "failed"},
        {"$set": {"next_visit_at": now}, "$unset": {"failures": ""}},
    )
    if sweep:
        held = dict.fromkeys(("swept_at", "etag", "last_modified"), "")
        await db["columns"].update_one({"_id": column}, {"$unset": held})
    return done.modified_count


async def frontier_row(db: Database, url: str) -> dict[str, Any] | None:
    """The frontier row of a canonical URL, or None."""
    return await db["frontier"].find_one({"_id": url})


async def link_counts(db: Database, now: datetime) -> LinkCounts:
    """The frontier in numbers.

    `state` alone has no index, so this reads the collection once: acceptable for an occasional check, unlike
    an index that costs every write.
    """
    states, gave_up = await link_states(db, {})
    due = await db["frontier"].count_documents({"next_visit_at": {"$lte": now}})
    return LinkCounts(states, due, gave_up)


async def link_states(db: Database, wanted: dict[str, Any]) -> tuple[dict[str, int], int]:
    """The number of matching links per state, and how many of the failed are no longer retried."""
    waits = {"$ne": [{"$type": "$next_visit_at"}, "missing"]}
    stages: list[dict[str, Any]] = [
        {"$match": wanted},
        {"$group": {"_id": {"state": "$state", "waits": waits}, "links": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]
    states: dict[str, int] = {}
    gave_up = 0
    async for group in await db["frontier"].aggregate(stages):
        state, links = group["_id"]["state"], group["links"]
        states[state] = states.get(state, 0) + links
        if state == "failed" and not group["_id"]["waits"]:
            gave_up = links
    return states, gave_up


async def _days(
    db: Database, column: str, day_of_url: Callable[[str], date | None]
) -> Counter[date]:
    listed = {"columns": column, "kind": {"$in": sorted(READ_KINDS)}}
    stages: list[dict[str, Any]] = [
        {"$match": {**listed, "listed_at": {"$type": "date"}}},
        {"$group": {"_id": china_date("$listed_at", "%Y-%m-%d"), "links": {"$sum": 1}}},
    ]
    days: Counter[date] = Counter()
    async for group in await db["frontier"].aggregate(stages):
        days[date.fromisoformat(group["_id"])] += group["links"]
    undated = {**listed, "listed_at": {"$exists": False}}
    async for row in db["frontier"].find(undated, {"_id": 1}):
        if day_found := day_of_url(row["_id"]):
            days[day_found] += 1
    return days
