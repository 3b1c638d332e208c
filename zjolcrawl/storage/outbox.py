"""The collection `outbox`: events of watches on their way to receivers, each once.

A row per event and receiver, made before anything is sent; its `_id` is derived from watch, receiver, URL,
time of the version and event, so it is made once however often a run looks. `state`: waiting, sent, given_up
(after `MOST_ATTEMPTS` in a day or more) or dropped (the file has the watch or receiver no more). `message`: the id of the message that
carries the event, written with `attempts` before it is sent; it stays the same when it is sent again.

`takedown` rows note what a run is about to take down, until the end of that run or the next one. The row
`sender` is the lease of the only process that sends.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId, Timestamp
from pymongo import InsertOne, UpdateOne
from pymongo.errors import PyMongoError

from zjolcrawl.clock import EPOCH, utc_now
from zjolcrawl.items import Outcome
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import storable
from zjolcrawl.storage.errors import DUPLICATE

MOST_ATTEMPTS, GIVEN_UP_AFTER = 5, timedelta(days=1)
"""An event is given up after this many attempts, but not before this time."""
_SENDER = "sender"
# The watches look so long at a run of a folder in which no other run follows.
_LONGEST_OPEN = timedelta(days=30)
_LEASE, _RENEWAL = 10.0, 2.0  # seconds
_PATIENCE = 60.0  # seconds to wait for another process that sends
_PAUSE = 0.2


async def note_takedowns(
    db: Database, run: ObjectId, gone: Iterable[tuple[Outcome, datetime]]
) -> None:
    """Note articles that a run is about to mark as gone, with the times. Raises PyMongoError."""
    rows = [
        UpdateOne(
            {"_id": hashlib.sha256(f"{run} {url}".encode("utf-8", "replace")).hexdigest()},
            {"$set": {"state": "takedown", "run": run, "url": storable(url), "at": at}},
            upsert=True,
        )
        for outcome, at in gone
        for url in (outcome.url, outcome.article)
        if url
    ]
    await write_each(db["outbox"], rows)


async def begin_watching(db: Database, run: ObjectId) -> None:
    """Note in `runs` that watches must look at what this run stores. Raises PyMongoError."""
    begun = {"$set": {"watching": True}, "$currentDate": {"watched_from": {"$type": "timestamp"}}}
    await db["runs"].update_one({"_id": run}, begun)


class OpenRuns:
    """Live runs at which the watches have not finished looking."""

    def __init__(self, rows: Sequence[dict[str, Any]], own: ObjectId | None) -> None:
        self.ids = [row["_id"] for row in rows]
        # Only one run at a time has a folder, so others from there are over, and their spool is loaded. A
        # run of another folder looks itself, or the next one there does.
        places = {row.get("place") for row in rows if row["_id"] == own}
        old = utc_now() - _LONGEST_OPEN if own else EPOCH
        self._over = [
            row["_id"]
            for row in rows
            if row["_id"] == own or row.get("place") in places or row["started_at"] < old
        ]
        self.written: Timestamp = min(
            (row["watched_from"] for row in rows), default=Timestamp(0, 0)
        )
        self.since: datetime = min((row["started_at"] for row in rows), default=EPOCH)

    @classmethod
    async def find(cls, db: Database, own: ObjectId | None) -> OpenRuns:
        """Those of a database; `own` is the run that ends now, None outside a run."""
        wanted = {"watched_from": {"$exists": True}, "$or": [{"watching": True}, {"_id": own}]}
        fields = dict.fromkeys(("watched_from", "started_at", "place"), 1)
        return cls(await db["runs"].find(wanted, fields).to_list(), own)

    async def takedowns(self, db: Database) -> dict[str, set[datetime]]:
        """The times at which these runs took articles down, by URL."""
        found: dict[str, set[datetime]] = {}
        async for row in db["outbox"].find({"state": "takedown", "run": {"$in": self.ids}}):
            found.setdefault(row["url"], set()).add(row["at"])
        return found

    async def close(self, db: Database) -> None:
        """Note that all events of the runs that are over are in the outbox."""
        await db["runs"].update_many({"_id": {"$in": self._over}}, {"$unset": {"watching": ""}})
        await db["outbox"].delete_many({"state": "takedown", "run": {"$in": self._over}})


async def add(db: Database, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Add rows that are new; returns why some cannot be stored. Raises PyMongoError."""
    written = await write_each(db["outbox"], [InsertOne(row) for row in rows])
    return [why for code, why in written.errors.values() if code != DUPLICATE]


async def pairs(db: Database) -> list[tuple[str, str]]:
    """Watch and receiver of all that waits."""
    stages: list[dict[str, Any]] = [
        {"$match": {"state": "waiting"}},
        {"$group": {"_id": {"watch": "$watch", "target": "$target"}}},
        {"$sort": {"_id": 1}},
    ]
    cursor = await db["outbox"].aggregate(stages)
    return [(row["_id"]["watch"], row["_id"]["target"]) async for row in cursor]


async def tried(
    db: Database, watch: str, target: str, without: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows of one message that was sent before, perhaps in vain; not of the messages in `without`."""
    wanted = {"state": "waiting", "watch": watch, "target": target}
    message = {"$exists": True, "$nin": list(without)}
    row = await db["outbox"].find_one({**wanted, "message": message})
    return await _rows(db, {**wanted, "message": row["message"]}) if row else []


async def untried(db: Database, watch: str, target: str, most: int) -> list[dict[str, Any]]:
    """The oldest rows that are in no message yet."""
    wanted = {"state": "waiting", "watch": watch, "target": target, "message": {"$exists": False}}
    return await _rows(db, wanted, most)


async def _rows(db: Database, wanted: dict[str, Any], most: int = 0) -> list[dict[str, Any]]:
    return await db["outbox"].find(wanted).sort([("at", 1), ("_id", 1)]).limit(most).to_list()


async def intend(db: Database, ids: Sequence[str], message: str) -> None:
    """Note that these rows are about to be sent in a message. Raises PyMongoError."""
    values = {"message": message, "tried_at": utc_now()}
    await db["outbox"].update_many(
        {"_id": {"$in": list(ids)}}, {"$set": values, "$inc": {"attempts": 1}}
    )


async def end(db: Database, wanted: dict[str, Any], state: str) -> int:
    """Note the final state of waiting rows; returns their number. Raises PyMongoError."""
    values = {"$set": {"state": state, "done_at": utc_now()}}
    return (await db["outbox"].update_many({"state": "waiting", **wanted}, values)).modified_count


class Sender:
    """The only process that sends, while `is_held`."""

    def __init__(self, db: Database) -> None:
        self._rows, self._id, self.is_held = db["outbox"], ObjectId(), False

    async def renew(self) -> bool:
        """Get or keep the lease; returns whether this process has it. Raises PyMongoError."""
        free = {"$or": [{"$lte": ["$until", "$$NOW"]}, {"$eq": ["$holder", self._id]}]}
        until = {"$add": ["$$NOW", int(_LEASE * 1000)]}
        got = await self._rows.update_one(
            {"_id": _SENDER, "$expr": free}, [{"$set": {"holder": self._id, "until": until}}]
        )
        self.is_held = got.matched_count == 1
        return self.is_held

    async def get(self) -> bool:
        """Wait for the lease; returns whether this process has it. Raises PyMongoError."""
        row = UpdateOne({"_id": _SENDER}, {"$setOnInsert": {"until": EPOCH}}, upsert=True)
        await write_each(self._rows, [row])  # two may insert it at once
        for _ in range(int(_PATIENCE / _PAUSE)):
            if await self.renew():
                return True
            await asyncio.sleep(_PAUSE)
        return False

    async def keep(self) -> None:
        """Renew the lease until it is lost or this task is cancelled."""
        while self.is_held:
            await asyncio.sleep(_RENEWAL)
            try:
                await self.renew()
            except PyMongoError:
                self.is_held = False

    async def give_back(self) -> None:
        await self._rows.update_one(
            {"_id": _SENDER, "holder": self._id}, {"$set": {"until": EPOCH}}
        )


@asynccontextmanager
async def sender(db: Database) -> AsyncIterator[Sender]:
    """The right to send; check `is_held` before each message. Raises PyMongoError."""
    own = Sender(db)
    if not await own.get():
        yield own
        return
    keeping = asyncio.get_running_loop().create_task(own.keep())
    try:
        yield own
    finally:
        keeping.cancel()
        await own.give_back()
