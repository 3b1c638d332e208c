"""Who may ask which host: leases of `hosts`, turns at them, and the heartbeats of `runs`.

    hosts    _id        the host
             holder     the run that asks it for lists and articles, until it gives it back …
             until      … or does not renew its lease in time
             asked_at   when it was asked last, as far as is known
             delay      seconds between two requests that its holder came to (AutoThrottle)
             crawl_delay    the same, as its robots.txt asks for
             turns      runs that ask it in passing: [{id, run, until}]; the last since turned_at
    runs     alive_until, place    of a run that lives: its heartbeat, and its machine and folder

All times are the server's ($$NOW): the clocks of those that lease do not count. What is written is
acknowledged by a majority, so that no election gives a host twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument

from zjolcrawl.storage.connection import Database


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of a host from its last holder: `idle` seconds since it was asked (None: it never was),
    the `delay` that it came to, and the `crawl_delay` of its robots.txt.
    """

    idle: float | None
    delay: float | None = None
    crawl_delay: float | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A run that lives: its id, its arguments and when it began."""

    run: ObjectId
    arguments: dict[str, Any]
    began: datetime


class Hosts:
    """One run's leases, of so many `seconds` each. Every method raises PyMongoError."""

    def __init__(self, db: Database, run: ObjectId, seconds: float) -> None:
        self.run, self.seconds = run, seconds
        self._hosts, self._runs = db["hosts"], db["runs"]
        self._end = {"$add": ["$$NOW", _milliseconds(seconds)]}

    async def begin(self, place: str) -> None:
        """Be known as alive. `place` is the folder that this run has for itself: runs that were there
        before are dead, and what they held is free at once.
        """
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
        """Be alive for so many seconds more, with these of the hosts that are held."""
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
        """The hosts that are this run's."""
        return {each["_id"] async for each in self._hosts.find({"holder": self.run}, {"_id": 1})}

    async def live(self) -> list[Live]:
        """The runs that live, the first that began first."""
        wanted = {"alive_until": {"$exists": True}, "$expr": {"$gt": ["$alive_until", "$$NOW"]}}
        found = self._runs.find(wanted, {"arguments": 1, "started_at": 1}).sort("started_at", 1)
        return [Live(each["_id"], each["arguments"], each["started_at"]) async for each in found]

    async def take(self, host: str) -> Taken | None:
        """Lease a host, if it is free or its lease has run out; None where another run holds it."""
        over = {"$lte": ["$until", "$$NOW"]}  # so is a field that is missing
        mine = {"$eq": ["$holder", self.run]}
        free = {"$or": [over, mine]}
        # Who did not give it back may have asked it until its lease had run out.
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
        return Taken(idle, row.get("delay"), row.get("crawl_delay"))

    async def give_back(self, host: str, known: Taken) -> None:
        """End the lease, and leave what is known to the next holder."""
        values: dict[str, Any] = {"holder": "$$REMOVE", "until": "$$REMOVE"}
        if known.idle is not None:
            values["asked_at"] = {"$subtract": ["$$NOW", _milliseconds(known.idle)]}
        if known.delay is not None:
            values["delay"] = known.delay
        values["crawl_delay"] = "$$REMOVE" if known.crawl_delay is None else known.crawl_delay
        await self._hosts.update_one({"_id": host, "holder": self.run}, [{"$set": values}])

    async def take_turn(self, host: str, turn: ObjectId, most: int, delay: float) -> bool:
        """Ask a host in passing, if now is the time: so many turns are given at once, to all runs
        together, and one so many seconds after another.
        """
        out = {"$gt": ["$$this.until", "$$NOW"]}
        turns = {"$filter": {"input": {"$ifNull": ["$turns", []]}, "cond": out}}
        after = {"$add": ["$turned_at", _milliseconds(delay)]}  # null where there was none
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
        """The answer is there."""
        await self._hosts.update_one({"_id": host}, {"$pull": {"turns": {"id": turn}}})

    async def end(self) -> None:
        """The run is over, and what it held is free."""
        await self._free([self.run])
        await self._runs.update_one({"_id": self.run}, {"$unset": {"alive_until": ""}})

    async def _free(self, runs: list[ObjectId]) -> None:
        given_back = {"$unset": {"holder": "", "until": ""}, "$currentDate": {"asked_at": True}}
        await self._hosts.update_many({"holder": {"$in": runs}}, given_back)
        of_runs = {"run": {"$in": runs}}
        await self._hosts.update_many({"turns.run": {"$in": runs}}, {"$pull": {"turns": of_runs}})


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
