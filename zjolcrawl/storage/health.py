"""Queries of `scrapy runs` and `scrapy health`: recent runs, columns, link counts.

They only read, and each result is small whatever the archive's size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.hosts import LIVE
from zjolcrawl.storage.operations import clock_limit

# Reparsing, discovery of columns and imports say nothing about the state of the crawl.
_CRAWLS = {"arguments.spider": {"$nin": ["reparse", "discover", "import"]}}
_NEWEST_FIRST = {"started_at": -1}


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """The frontier in numbers: links by `state`, links `due` now, failed links that `gave_up`."""

    states: dict[str, int] = field(default_factory=dict)
    due: int = 0
    gave_up: int = 0


async def last_runs(db: Database, count: int) -> list[dict[str, Any]]:
    """The last runs of any spider, newest first."""
    return await db["runs"].find().sort(_NEWEST_FIRST).limit(count).to_list()


async def live_runs(db: Database, *, held: bool) -> dict[Any, list[str]]:
    """The runs that are at work now, by id, with the hosts that each one leases.

    A run that requests pages renews its leases, on whatever machine. A run that only reads the archive has
    none: it is the newest run without an end if `held`, that is, if a run holds the lock of DATA_DIR.
    """
    live: dict[Any, list[str]] = {
        each["_id"]: [] async for each in db["runs"].find(LIVE, {"_id": 1})
    }
    async for host in (
        db["hosts"].find({"holder": {"$in": list(live)}}, {"holder": 1}).sort("_id", 1)
    ):
        live[host["holder"]].append(host["_id"])
    for newest in await last_runs(db, 1) if held else []:
        if "ended_at" not in newest:
            live.setdefault(newest["_id"], [])
    return live


async def last_crawls(db: Database, count: int) -> list[dict[str, Any]]:
    """The last runs that requested articles from the site, newest first."""
    return await db["runs"].find({**_CRAWLS, **_past()}).sort(_NEWEST_FIRST).limit(count).to_list()


def _past() -> dict[str, Any]:
    """Exclude runs of a clock that was ahead; they would stay the newest until then."""
    return {"started_at": {"$lt": clock_limit()}}


async def last_good_crawl(db: Database) -> dict[str, Any] | None:
    """The newest run over columns that ended with status 0.

    A run of single articles does not count, because it keeps no column up to date.
    """
    good = {"arguments.spider": "column", "exit_status": 0, **_past()}
    return await db["runs"].find_one(good, sort=_NEWEST_FIRST)


async def crawls_with_articles(db: Database, count: int) -> list[dict[str, Any]]:
    """The last runs that requested the site and read articles, newest first."""
    told = {**_CRAWLS, **_past(), "templates": {"$exists": True, "$ne": {}}}
    return await db["runs"].find(told).sort(_NEWEST_FIRST).limit(count).to_list()


async def column_rows(db: Database) -> dict[str, dict[str, Any]]:
    """The `columns` document of each column that was ever requested, by id."""
    return {each["_id"]: each async for each in db["columns"].find().sort("_id", 1)}


async def referred_files(db: Database) -> set[str]:
    """The WARC files that articles and their former versions refer to.

    It reads both collections once, which takes seconds for a million articles.
    """
    records = {"$setUnion": [{"$ifNull": ["$pages_warc.file", []]}, ["$warc.file"]]}
    stages: list[dict[str, Any]] = [
        {"$match": {"warc.file": {"$type": "string"}}},
        {"$project": {"file": records}},
        {"$unwind": "$file"},
        {"$group": {"_id": "$file"}},
    ]
    return {
        str(row["_id"])
        for name in ("articles", "revisions")
        async for row in await db[name].aggregate(stages)
    }


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
