"""Tells watches what live runs changed: events into the outbox, then to receivers.

Order, so that a killed process loses no event and repeats none without saying so: (1) a run that begins notes
that watches must look at it; (2) at its end, or at that of the next run if it was killed, events go into the
outbox under unique ids; (3) the id of a message is noted; (4) it is sent; (5) that is noted. After a kill between 4
and 5 the next run sends the same message with the same id, marked as a repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId, Timestamp
from scrapy.settings import BaseSettings

from zjolcrawl.clock import utc_now
from zjolcrawl.messages import cause_of, counted, typed
from zjolcrawl.run.watch_events import Matcher, example_event
from zjolcrawl.run.watch_file import Target, Watch, read_watches
from zjolcrawl.run.watch_send import Message, SendError, reason, send
from zjolcrawl.site.description import SiteError
from zjolcrawl.storage import outbox
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.errors import DatabaseError
from zjolcrawl.storage.queries.watched import happenings
from zjolcrawl.storage.store import Store

_BATCH = 200  # rows written at once
_MOST_EVENTS = 500  # in one message
_MOST_FAILURES = 3  # messages that one receiver may refuse before the rest waits for the next run


async def tell(settings: BaseSettings, db: Database, ending: Store | None = None) -> list[str]:
    """Tell what live runs have changed; returns a line per fault.

    `ending`: the store of the run that ends now; None outside a run.
    """
    # What waits in the spool is not in MongoDB yet: the next run looks at this one again.
    own = ending.run_id if ending and not ending.waiting() else None
    try:
        watches = read_watches(settings)
        faults = await _collect(db, watches, own)
        return [*faults, *await _deliver(settings, db, watches)]
    except (SiteError, DatabaseError) as error:
        return [f"watch events were not sent; the next run tries again: {cause_of(error)}"]


async def try_receivers(settings: BaseSettings, watches: Sequence[Watch]) -> list[tuple[str, str]]:
    """Send an event `test` to each receiver; returns (watch and receiver, why it failed or "")."""
    results = []
    for watch in watches:
        for target in watch.targets:
            message = Message(f"test-{ObjectId()}", watch.name, [example_event(watch.name)])
            failure = ""
            try:
                await asyncio.to_thread(send, settings, target, message)
            except SendError as error:
                failure = reason(error)
            results.append((f"watch {watch.name}, {target.label}", failure))
    return results


async def events_since(
    db: Database, watches: Sequence[Watch], since: datetime
) -> AsyncIterator[tuple[Watch, dict[str, Any]]]:
    """The events that watches match since a time, in order of writing."""
    written = Timestamp(max(0, int(since.timestamp())), 0)
    async for each in happenings(db, written, since):
        matcher = Matcher(each)
        for watch in watches:
            if matcher.matches(watch):
                yield watch, matcher.event(watch)


async def _collect(db: Database, watches: Sequence[Watch], own: ObjectId | None) -> list[str]:
    """Put the events of live runs into the outbox. Raises DatabaseError."""
    runs = await outbox.OpenRuns.find(db, own)
    if not runs.ids:
        return []
    refused: list[str] = []
    rows: list[dict[str, Any]] = []
    async for each in happenings(db, runs.written, runs.since, await runs.takedowns(db)):
        try:
            rows += Matcher(each).rows(watches)
        except Exception as error:  # one odd article must not stop the events of others
            refused.append(f"{each.version['_id']}: {typed(error)}")
        if len(rows) >= _BATCH:
            refused += await outbox.add(db, rows)
            rows = []
    refused += await outbox.add(db, rows)
    await runs.close(db)
    return [f"an event of a watch cannot be sent: {why}" for why in refused]


async def _deliver(settings: BaseSettings, db: Database, watches: Sequence[Watch]) -> list[str]:
    """Send what waits; returns a line per fault. Raises DatabaseError."""
    known = {(watch.name, each.id): (watch, each) for watch in watches for each in watch.targets}
    faults: list[str] = []
    if not await outbox.pairs(db):
        return []
    async with outbox.sender(db) as sender:
        if not sender.is_held:
            return ["another run is still sending; the next run sends what waits"]
        for pair in await outbox.pairs(db):
            if pair not in known:
                count = await outbox.end(db, {"watch": pair[0], "target": pair[1]}, "dropped")
                faults.append(
                    f"watch {pair[0]}: {counted(count, 'event')} dropped: the watch or its receiver was removed"
                )
                continue
            delivery = _Delivery(settings, db, sender, *known[pair])
            await delivery.run()
            faults += delivery.faults
    return faults


class _Delivery:
    """Sends the messages of one watch to one receiver."""

    def __init__(
        self,
        settings: BaseSettings,
        db: Database,
        sender: outbox.Sender,
        watch: Watch,
        target: Target,
    ) -> None:
        self._settings, self._db, self._sender = settings, db, sender
        self._watch, self._target = watch, target
        self._failed: list[str] = []  # ids of messages
        self.faults: list[str] = []

    async def run(self) -> None:
        """Send until nothing waits or the receiver has refused too many messages. Raises DatabaseError."""
        while len(self._failed) < _MOST_FAILURES and self._sender.is_held:
            rows = await outbox.tried(self._db, self._watch.name, self._target.id, self._failed)
            if rows:
                await self._send(rows, rows[0]["message"])
                continue
            rows = await outbox.untried(self._db, self._watch.name, self._target.id, _MOST_EVENTS)
            if not rows:
                return
            if len(rows) > self._watch.digest:
                await self._send(rows, f"digest-{ObjectId()}")
                continue
            for row in rows:
                if len(self._failed) < _MOST_FAILURES and self._sender.is_held:
                    await self._send([row], row["event"]["id"])

    async def _send(self, rows: list[dict[str, Any]], message_id: str) -> None:
        ids = [row["_id"] for row in rows]
        attempts = max(row["attempts"] for row in rows)
        await outbox.intend(self._db, ids, message_id)
        message = Message(
            message_id, self._watch.name, [row["event"] for row in rows], repeat=attempts > 0
        )
        wanted = {"_id": {"$in": ids}}
        try:
            await asyncio.to_thread(send, self._settings, self._target, message)
        except SendError as error:
            self._failed.append(message_id)
            count, end = counted(len(rows), "event"), "; the next run tries again"
            is_old = utc_now() - min(row["made_at"] for row in rows) >= outbox.GIVEN_UP_AFTER
            if attempts + 1 >= outbox.MOST_ATTEMPTS and is_old:
                await outbox.end(self._db, wanted, "given_up")
                end = f": given up after {attempts + 1} attempts"
            self.faults.append(
                f"watch {self._watch.name}, {self._target.label}: {count} not sent ({reason(error)}){end}"
            )
            return
        await outbox.end(self._db, wanted, "sent")
