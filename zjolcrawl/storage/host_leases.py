"""Which run may request which host: leases and slots in `hosts`, heartbeats in `runs`.

    hosts    _id        the host
             holder     the run that requests lists and articles from it, until it releases the host …
             until      … or its lease expires
             asked_at   time of the last request, as far as known
             delay      seconds between requests that the holder last used (AutoThrottle)
             crawl_delay    seconds between requests that robots.txt asks for
             turns      slots of runs for single requests without a lease: [{id, run, until}]; the
                        latest was given at turned_at
    runs     alive_until, place    of a live run: its heartbeat, and its machine and folder

All times are the server's ($$NOW), so the workers' clocks do not matter. Writes are acknowledged by a
majority, so that no election gives a host to two runs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument

from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.schema import HOST_SCHEMA

LIVE: dict[str, Any] = {
    "alive_until": {"$exists": True}, "$expr": {"$gt": ["$alive_until", "$$NOW"]},
}  # fmt: skip
"""The filter on `runs` for those that are live, by the server's clock."""


@dataclass(frozen=True, slots=True)
class HostState:
    """What the last holder left about a host.

    `idle`: seconds since the last request (None: there was none). `delay`: seconds between requests that it
    used. `crawl_delay`: seconds that the host's robots.txt asks for.
    """

    idle: float | None
    delay: float | None = None
    crawl_delay: float | None = None


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A live run: its id, its arguments and when it started."""

    run: ObjectId
    arguments: dict[str, Any]
    began: datetime


class HostLeases:
    """One run's leases, each for `seconds`. Every method raises PyMongoError."""

    def __init__(self, db: Database, run: ObjectId, seconds: float) -> None:
        self.run, self.seconds = run, seconds
        self._hosts, self._runs = db["hosts"], db["runs"]
        self._end = {"$add": ["$$NOW", _milliseconds(seconds)]}

    async def begin(self, place: str) -> None:
        """Register this run as alive.

        `place` is a folder that only this run uses: earlier runs there are dead, and their leases are released
        at once.
        """
        # Such a row would end every run with an error. It holds nothing that the next requests do not restore.
        await self._hosts.delete_many({"$nor": [{"$jsonSchema": HOST_SCHEMA}]})
        alive = {"alive_until": {"$exists": True}}
        others = self._runs.find({**alive, "place": place}, {"_id": 1})
        dead = [each["_id"] async for each in others]
        await self._free(dead)
        late = {**alive, "$expr": {"$lte": ["$alive_until", "$$NOW"]}}
        await self._runs.update_many(
            {"$or": [{"_id": {"$in": dead}}, late]}, {"$unset": {"alive_until": ""}}
        )
        await self._runs.update_one({"_id": self.run}, {"$set": {"place": place}})
        await self.renew()

    async def renew(self, hosts: Collection[str] = ()) -> None:
        """Extend the heartbeat, this run's slots, and the leases of `hosts`."""
        await self._runs.update_one({"_id": self.run}, [{"$set": {"alive_until": self._end}}])
        mine = {"$and": [{"$eq": ["$holder", self.run]}, {"$in": ["$_id", list(hosts)]}]}
        turn = {
            "$cond": [
                {"$eq": ["$$this.run", self.run]},
                {"$mergeObjects": ["$$this", {"until": self._end}]}, "$$this",
            ]
        }  # fmt: skip
        renewed = {
            "until": {"$cond": [mine, self._end, "$until"]},
            "turns": {"$map": {"input": {"$ifNull": ["$turns", []]}, "in": turn}},
        }
        held = {"$or": [{"holder": self.run}, {"turns.run": self.run}]}
        await self._hosts.update_many(held, [{"$set": renewed}])

    async def held(self) -> set[str]:
        """The hosts that this run holds."""
        return {each["_id"] async for each in self._hosts.find({"holder": self.run}, {"_id": 1})}

    async def live(self) -> list[LiveRun]:
        """The live runs, in the order they started."""
        wanted = {**LIVE, "arguments": {"$type": "object"}, "started_at": {"$type": "date"}}
        found = self._runs.find(wanted, {"arguments": 1, "started_at": 1}).sort("started_at", 1)
        return [LiveRun(each["_id"], each["arguments"], each["started_at"]) async for each in found]

    async def take(self, host: str) -> HostState | None:
        """Lease a host that is free or whose lease has expired; None if another run holds it."""
        over = {"$lte": ["$until", "$$NOW"]}  # also true if the field is missing
        mine = {"$eq": ["$holder", self.run]}
        free = {"$or": [over, mine]}
        # A holder that did not release the host may have requested it until its lease expired.
        asked_at = {"$max": ["$asked_at", "$turned_at", {"$cond": [over, "$until", None]}]}
        values = {"holder": self.run, "until": self._end, "asked_at": asked_at}
        row = await self._hosts.find_one_and_update(
            {"_id": host},
            [{"$set": {name: {"$cond": [free, value, f"${name}"]} for name, value in values.items()}}],
            upsert=True, return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        assert row is not None
        if row["holder"] != self.run:
            return None
        now = row["until"] - timedelta(seconds=self.seconds)
        idle = (now - row["asked_at"]).total_seconds() if row.get("asked_at") else None
        return HostState(idle, row.get("delay"), row.get("crawl_delay"))

    async def give_back(self, host: str, known: HostState) -> None:
        """Release the lease, and leave what is known for the next holder."""
        values: dict[str, Any] = {"holder": "$$REMOVE", "until": "$$REMOVE"}
        if known.idle is not None:
            values["asked_at"] = {"$subtract": ["$$NOW", _milliseconds(known.idle)]}
        if known.delay is not None:
            values["delay"] = known.delay
        values["crawl_delay"] = "$$REMOVE" if known.crawl_delay is None else known.crawl_delay
        await self._hosts.update_one({"_id": host, "holder": self.run}, [{"$set": values}])

    async def take_turn(self, host: str, turn: ObjectId, most: int, delay: float) -> bool:
        """Try to get a slot for a single request to a host without a lease; whether this run got it.

        All runs together get at most `most` slots at once, and one slot per `delay` seconds.
        """
        out = {"$gt": ["$$this.until", "$$NOW"]}
        turns = {"$filter": {"input": {"$ifNull": ["$turns", []]}, "cond": out}}
        after = {"$add": ["$turned_at", _milliseconds(delay)]}  # null if there was no slot before
        given = {"$and": [{"$lt": [{"$size": turns}, most]}, {"$lte": [after, "$$NOW"]}]}
        added = {"$concatArrays": [turns, [{"id": turn, "run": self.run, "until": self._end}]]}
        values = {
            "turns": {"$cond": [given, added, turns]},
            "turned_at": {"$cond": [given, "$$NOW", "$turned_at"]},
        }
        row = await self._hosts.find_one_and_update(
            {"_id": host}, [{"$set": values}], upsert=True, return_document=ReturnDocument.AFTER
        )
        assert row is not None
        return any(each["id"] == turn for each in row["turns"])

    async def end_turn(self, host: str, turn: ObjectId) -> None:
        """Release a slot after the response."""
        await self._hosts.update_one({"_id": host}, {"$pull": {"turns": {"id": turn}}})

    async def end(self) -> None:
        """End the run and release what it holds."""
        await self._free([self.run])
        await self._runs.update_one({"_id": self.run}, {"$unset": {"alive_until": ""}})

    async def _free(self, runs: list[ObjectId]) -> None:
        given_back = {"$unset": {"holder": "", "until": ""}, "$currentDate": {"asked_at": True}}
        await self._hosts.update_many({"holder": {"$in": runs}}, given_back)
        of_runs = {"run": {"$in": runs}}
        await self._hosts.update_many({"turns.run": {"$in": runs}}, {"$pull": {"turns": of_runs}})


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
