"""Finds what live runs changed: versions that are new or edited, articles taken down and restored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId, Timestamp

from zjolcrawl.storage.change_feed import PUBLIC_FIELDS, readable
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import url_of

LIVE_SPIDERS = ("column", "paper", "article")


@dataclass(frozen=True, slots=True)
class Happening:
    """`event` (new, edited, gone or returned) at `at` concerns `version`; `former` is the one before an edit."""

    event: str
    at: datetime
    version: dict[str, Any]
    former: dict[str, Any] | None = None


async def happenings(
    db: Database,
    written: Timestamp,
    since: datetime,
    takedowns: Mapping[str, set[datetime]] | None = None,
) -> AsyncIterator[Happening]:
    """What happened from `since` on, to articles written after `written`.

    Only versions that a live run stored: not those of re-parsing, imports and backfills. `takedowns`: the
    times of takedowns to report, by URL; None: all.
    """
    db = readable(db)
    runs: dict[ObjectId, bool] = {}
    found = db["articles"].find({"written_at": {"$gt": written}}, PUBLIC_FIELDS)
    async for newest in found.sort("written_at", 1):
        if not _is_sound(newest):
            continue
        after = newest
        while after["changed_at"] >= since:
            before = await _former(db, after)
            if await _is_live(db, after.get("run_id"), runs):
                event = "new" if after["revision"] == 1 else "edited"
                yield Happening(event, after["changed_at"], {**after, "_id": newest["_id"]}, before)
            if before is None or not _is_sound({**before, "_id": newest["_id"]}):
                break
            after = before
        if newest["status"] == "gone" and (gone_at := newest.get("gone_at")):
            if (
                gone_at in takedowns.get(newest["_id"], ())
                if takedowns is not None
                else gone_at >= since
            ):
                yield Happening("gone", gone_at, newest)
        elif (returned_at := newest.get("returned_at")) and returned_at >= since:
            yield Happening("returned", returned_at, newest)


def _is_sound(version: Mapping[str, Any]) -> bool:
    """Whether the values that are used here have their types; another program may have stored others."""
    types = {"_id": str, "changed_at": datetime, "revision": int, "status": str}
    times = (version.get(name) for name in ("gone_at", "returned_at"))
    return all(isinstance(version.get(name), each) for name, each in types.items()) and all(
        each is None or isinstance(each, datetime) for each in times
    )


async def _former(db: Database, version: dict[str, Any]) -> dict[str, Any] | None:
    """The version before this one."""
    if version["revision"] == 1:
        return None
    key = {"url": url_of(version), "revision": version["revision"] - 1}
    return await db["revisions"].find_one({"_id": key})


async def _is_live(db: Database, run: Any, known: dict[ObjectId, bool]) -> bool:
    if run not in known:
        row = await db["runs"].find_one({"_id": run}, {"arguments.spider": 1}) or {}
        known[run] = row.get("arguments", {}).get("spider") in LIVE_SPIDERS
    return known[run]
