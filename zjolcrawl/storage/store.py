"""The archive's state in MongoDB: what is put is written in bulk, what is asked is answered.

While MongoDB is away, what was put goes to the spool and what is asked waits. Nothing enters the buffer
that MongoDB cannot hold (storage.limits); what cannot be written all the same is rejected by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from bson import ObjectId
from pymongo.errors import PyMongoError

from zjolcrawl.items import Article, ColumnVisit, Link, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.buffer import SPOOLED, Buffer, Found, RunEnd, make_sight
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.connection import Client, connect, durable
from zjolcrawl.storage.delivery import Delivery
from zjolcrawl.storage.doubts import VisitPolicy
from zjolcrawl.storage.errors import StoreError, broken, unavailable
from zjolcrawl.storage.finding import record_links
from zjolcrawl.storage.frontier import due_filter, too_far_ahead
from zjolcrawl.storage.limits import key_fault, make_storable, storable
from zjolcrawl.storage.operations import begin_walk, clock_limit, utc_now
from zjolcrawl.storage.outage import Outage
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.spool import Spool
from zjolcrawl.storage.writing import BufferWriter

logger = logging.getLogger(__name__)
_BYTES = 32 * 2**20  # of articles: so many are written at once, however few they are
_LINKS = 500  # of a list are recorded at once: their addresses have to fit into one query
_LONGEST_ARGUMENT = 100_000  # characters
_ORDER = [("next_visit_at", 1), ("_id", 1)]
_ROW = dict.fromkeys(
    ("columns", "listed_at", "fetch_url", "etag", "last_modified", "next_visit_at"), 1
)
Place = tuple[datetime, str]
"""A row's place among those that are due."""


class Store:
    """One run's connection. `counts` is what the run did so far.

    `before_write`, if set, is awaited before anything is written that was put: what it points to is
    made durable first. It raises StoreError where that fails. `after_write`, if set, is told each buffer
    that is in MongoDB. Given a spool folder, what cannot be
    written while MongoDB is away goes there, and what is asked waits `patience` seconds.
    """

    def __init__(
        self, client: Client, database: str, batch: tuple[int, float], policy: VisitPolicy
    ) -> None:
        """`batch`: a write for so many items, or after so many seconds."""
        self.before_write: Callable[[], Awaitable[None]] | None = None
        self.after_write: Callable[[Buffer], None] | None = None
        self.dropped: list[str] = []  # collections that nothing uses any more
        self.client = client
        self.db = durable(client, database)
        self.run_id = ObjectId()
        self.counts: Counter[str] = Counter()
        self.writer = BufferWriter(self.db, self.run_id, self.counts, policy)
        self._size, self._seconds = batch
        self._buffer = Buffer()
        self._flushing = asyncio.Lock()
        self._ageing: asyncio.Task[None] | None = None
        self._outage = Outage()
        self._delivery = Delivery(self.write, self.counts, self._size)

    @property
    def lost(self) -> bool:
        """Whether the run has to end because of its database."""
        return self._outage.lost is not None

    @property
    def away(self) -> bool:
        """Whether MongoDB does not answer."""
        return self._outage.away

    @property
    def faults(self) -> list[str]:
        """A line for each item that was set aside: it cannot be written, or the spool is damaged."""
        return self._delivery.faults

    @property
    def _spool(self) -> Spool | None:
        return self._delivery.spool

    @classmethod
    async def open(
        cls,
        uri: str,
        database: str,
        *,
        run_arguments: dict[str, Any],
        version: str,
        batch_size: int = 200,
        batch_seconds: float = 2.0,
        policy: VisitPolicy | None = None,
        spool: Path | None = None,
        patience: float = 0.0,
    ) -> Self:
        """Connect, create what is absent, begin the run, take in what other runs left in the spool.

        Raises StoreUnavailable within 8 s.
        """
        client = await connect(uri)
        try:
            batch = batch_size, batch_seconds
            store = cls(client, database, batch, policy or VisitPolicy())
            await store._begin(run_arguments, version)
            if spool:
                store._delivery.spool = Spool(spool, str(store.run_id), SPOOLED)
                store._outage.patience = patience
                await store._delivery.take_in()
        except BaseException as error:
            await client.close()
            if isinstance(error, PyMongoError):
                raise unavailable(uri, error) from error
            raise
        store._ageing = asyncio.get_running_loop().create_task(store._age())
        return store

    async def discover(self, links: Sequence[Link]) -> Found:
        """Record links durably before they are requested; those that cannot be are rejected by name."""
        merged: dict[str, Link] = {}
        refused: dict[str, str] = {}
        for link in links:
            if why := key_fault(link.url):
                refused[link.url] = why
                continue
            make_storable(link)
            if link.fetch_url and key_fault(link.fetch_url):
                link.fetch_url = None
            known = merged.setdefault(link.url, link)
            if known is not link:
                known.columns = list(dict.fromkeys([*known.columns, *link.columns]))
        found = Found(refused=refused)
        urls = list(merged)
        for first in range(0, len(urls), _LINKS):
            some = {url: merged[url] for url in urls[first : first + _LINKS]}
            found += await self._outage.ask(partial(self._record, some))
        for url, why in found.refused.items():
            await self.outcome(Outcome(url, "rejected", why))
        self._outage.wrote()
        self.counts["links"] += len(merged)
        self.counts["links_new"] += found.new
        return found

    async def _record(self, links: dict[str, Link]) -> Found:
        # Not beside a write of articles, which takes their columns from the frontier.
        async with self._flushing:
            return await record_links(self.db, links, self.writer.policy)

    async def due(
        self,
        host: str,
        columns: Collection[str],
        since: datetime,
        after: Place | None = None,
        most: int = 100,
    ) -> list[dict[str, Any]]:
        """The rows of columns' links on a host that are pending or to be visited again, oldest first, and not
        visited `since` a time; so many at most, that follow a place in this order.
        """
        wanted = {"host": host, "columns": {"$in": list(columns)}, **due_filter(utc_now(), since)}
        if after:
            at, url = after
            wanted["next_visit_at"]["$gte"] = at
            wanted["$or"] = [{"next_visit_at": {"$gt": at}}, {"_id": {"$gt": url}}]

        async def find() -> list[dict[str, Any]]:
            rows = self.db["frontier"].find(wanted, _ROW).sort(_ORDER).limit(most)
            return await rows.to_list()

        return await self._outage.ask(find)

    async def hosts_due(self, columns: Collection[str], since: datetime) -> set[str]:
        """The hosts of such rows."""
        wanted = {"columns": {"$in": list(columns)}, **due_filter(utc_now(), since)}

        async def find() -> set[str]:
            groups = await self.db["frontier"].aggregate(
                [{"$match": wanted}, {"$group": {"_id": "$host"}}]
            )
            return {each["_id"] async for each in groups}

        return await self._outage.ask(find)

    async def columns(self) -> dict[str, dict[str, Any]]:
        """What is known of each column, by its id."""

        async def find() -> dict[str, dict[str, Any]]:
            return {each["_id"]: each async for each in self.db["columns"].find()}

        return await self._outage.ask(find)

    async def doubted(self, urls: list[str]) -> dict[str, str]:
        """What visits have found of links that is not settled yet, `gone` or `rejected`, by URL."""
        wanted = {"_id": {"$in": urls}, "doubt": {"$exists": True}}

        async def find() -> dict[str, str]:
            rows = self.db["frontier"].find(wanted, {"doubt.state": 1})
            return {row["_id"]: row["doubt"]["state"] async for row in rows}

        return await self._outage.ask(find)

    async def begin_walk(self, column: str) -> None:
        """Note durably that a column's list is being walked."""
        begun = [begin_walk(column, utc_now())]
        written = await self._outage.ask(lambda: write_each(self.db["columns"], begun))
        self.faults.extend(f"column {column}: {why}" for _, why in written.errors.values())

    async def put(self, article: Article, frontier_url: str | None = None) -> None:
        """Buffer an article; `frontier_url` is the link that led to it. Waits on a full buffer.

        An article that cannot be stored is rejected in its place, with the reason.
        """
        row = frontier_url or article.url
        sight, size = make_sight(article, row)
        if isinstance(sight, Outcome):
            self.counts["refused"] += 1
            await self.outcome(sight)
            return
        while article.url in self._buffer.articles or row in self._buffer.settled:
            await self.flush()  # two sights of one page are written one after the other
        self._buffer.articles[article.url] = sight
        self._buffer.size += size
        await self._added()

    async def unchanged(self, sight: Unchanged) -> None:
        """Buffer that a link's page is as it was."""
        make_storable(sight)
        self._buffer.unchanged.append(sight)
        self._buffer.settled.add(sight.url)
        await self._added()

    async def outcome(self, outcome: Outcome) -> None:
        """Buffer what became of a link that gave no article."""
        make_storable(outcome)
        outcome.reason = outcome.reason or outcome.state
        self._buffer.outcomes.append(outcome)
        self._buffer.settled.add(outcome.url)
        await self._added()

    async def column_visit(self, visit: ColumnVisit | WalkEnd) -> None:
        """Buffer a visit of a column page, or the end of a walk through them."""
        make_storable(visit)
        self._buffer.visits.append(visit)
        self.counts["pages"] += isinstance(visit, ColumnVisit)
        await self._added()

    async def flush(self) -> None:
        """Write the buffer: articles, then frontier, then the rest. Raises StoreError.

        What was taken from the buffer is in MongoDB then, or in the spool, or not archived and so pending.
        """
        async with self._flushing:
            self._outage.check()
            buffer, self._buffer = self._buffer, Buffer()
            if not buffer:
                return
            if self.before_write:
                try:
                    await self.before_write()
                except Exception as error:
                    self._outage.lost = error if isinstance(error, StoreError) else broken(error)
                    raise self._outage.lost from error
            if not self._outage.away:
                try:
                    await self._delivery.deliver(buffer)
                except Exception as error:
                    self._outage.failed(error)
                else:
                    self._outage.wrote()
                    return
            await self._keep(buffer)
            self._outage.check()

    async def finish(self) -> None:
        """Write what is left, to the spool if need be. Raises StoreError where that fails too."""
        if self._ageing:
            async with self._flushing:  # never in the middle of a write
                self._ageing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ageing
        if self._outage.away and not self._outage.lost:
            await self._come_back()
        if self._outage.lost and self._spool and self._buffer:
            buffer, self._buffer = self._buffer, Buffer()
            await self._keep(buffer)
        await self.flush()

    async def end_run(self, values: dict[str, Any]) -> None:
        """Complete the `runs` document with these values. Raises StoreError."""
        end = RunEnd(self.run_id, storable({"ended_at": utc_now(), **values}))
        if self._outage.lost and self._spool:
            await self._keep(Buffer(ends=[end]))
            return
        self._buffer.ends.append(end)
        await self.flush()

    async def former_templates(self, runs: int) -> list[dict[str, Any]]:
        """`templates` of the newest runs that read articles, but for this one; none if unknown."""
        read = {
            "templates": {"$exists": True},
            "_id": {"$ne": self.run_id},
            "started_at": {"$lt": clock_limit()},
        }
        newest = self.db["runs"].find(read, {"templates": 1}).sort("started_at", -1).limit(runs)
        try:
            return [each["templates"] async for each in newest]
        except PyMongoError:
            return []

    def waiting(self) -> int:
        """How many files of the spool wait for MongoDB."""
        return len(self._spool.files()) if self._spool else 0

    async def close(self) -> None:
        """Disconnect."""
        await self.client.close()

    async def write(self, buffer: Buffer) -> None:
        """Write a buffer. Raises PyMongoError."""
        await self.writer.write(buffer)
        if self.after_write:
            self.after_write(buffer)

    async def _begin(self, arguments: dict[str, Any], version: str) -> None:
        self.dropped = await ensure_schema(self.db)
        await self.db["frontier"].update_many(
            too_far_ahead(utc_now(), self.writer.policy), {"$set": {"next_visit_at": utc_now()}},
            bypass_document_validation=True,
        )  # fmt: skip
        run = {"_id": self.run_id, "version": version}
        run["arguments"] = storable(arguments, _LONGEST_ARGUMENT)
        await self.db["runs"].insert_one({**run, "started_at": utc_now()})

    async def _added(self) -> None:
        self._outage.check()
        if not self._buffer.since:
            self._buffer.since = time.monotonic()
        if len(self._buffer) >= self._size or self._buffer.size >= _BYTES:
            await self.flush()

    async def _age(self) -> None:
        """Look after the buffer, and after a MongoDB that is away. Whatever ends it is a loss, which the
        next item reports: others wait for what it does.
        """
        try:
            await self._look_after()
        except Exception as error:
            self._outage.failed(error)

    async def _look_after(self) -> None:
        while not self._outage.lost:
            await asyncio.sleep(min(self._seconds, 0.5) or 0.05)
            if self._outage.away:
                await self._come_back()
            if len(self._buffer) and time.monotonic() - self._buffer.since >= self._seconds:
                with contextlib.suppress(StoreError):
                    await self.flush()

    async def _come_back(self) -> None:
        """Take in the spool if MongoDB answers again; give up after `patience`."""
        try:
            await self.client.admin.command("ping")
            async with self._flushing:
                if await self._delivery.take_in():
                    self._outage.wrote()
                self._outage.away = False
            logger.warning("MongoDB is back")
        except Exception as error:
            self._outage.failed(error)

    async def _keep(self, buffer: Buffer) -> None:
        """Put a buffer into the spool. Raises StoreError."""
        if self._spool is None:
            return
        try:
            self.counts["spooled"] += await asyncio.to_thread(self._spool.add, list(buffer.items()))
        except Exception as error:
            told = f"MongoDB is away and the spool cannot be written: {error}"
            self._outage.lost = StoreError(told)
            raise self._outage.lost from error
