"""The archive's state in MongoDB: what is put is written in bulk, what is asked is answered.

While MongoDB is away, what was put goes to the spool and what is asked waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from bson import ObjectId
from pymongo.errors import PyMongoError

from zjolcrawl.items import Article, ColumnVisit, Link, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.buffer import SPOOLED, Buffer, Found, RunEnd, Sight
from zjolcrawl.storage.connection import Client, connect, durable
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.doubts import VisitPolicy
from zjolcrawl.storage.errors import StoreError, lost, short, unavailable
from zjolcrawl.storage.finding import record_links
from zjolcrawl.storage.frontier import due_links
from zjolcrawl.storage.operations import begin_walk, utc_now
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.search.upkeep import Upkeep
from zjolcrawl.storage.spool import Spool
from zjolcrawl.storage.writing import BufferWriter

logger = logging.getLogger(__name__)
_POLL_SECONDS = 0.2


_T = TypeVar("_T")


class Store:
    """One run's connection. `counts` is what the run did so far.

    `before_write`, if set, is awaited before anything is written that was put: what it points to is
    made durable first. It raises StoreError where that fails. `after_write`, if set, is told each buffer
    that is in MongoDB. Given a spool folder, what cannot be
    written while MongoDB is away goes there, and what is asked waits `patience` seconds.
    """

    def __init__(
        self, client: Client, uri: str, database: str, batch: tuple[int, float], policy: VisitPolicy
    ) -> None:
        """`batch`: a write for so many items, or after so many seconds."""
        self.before_write: Callable[[], Awaitable[None]] | None = None
        self.after_write: Callable[[Buffer], None] | None = None
        self.client = client
        self.db = durable(client, database)
        self.run_id = ObjectId()
        self.counts: Counter[str] = Counter()
        self.writer = BufferWriter(self.db, self.run_id, self.counts, policy)
        self.upkeep = Upkeep(self.db, uri, self.run_id)
        self._size, self._seconds = batch
        self._buffer = Buffer()
        self._flushing = asyncio.Lock()
        self._ageing: asyncio.Task[None] | None = None
        self._lost: StoreError | None = None
        self._away_since: float | None = None
        self._spool: Spool | None = None
        self._patience = 0.0

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
            store = cls(client, uri, database, batch, policy or VisitPolicy())
            await store._begin(run_arguments, version)
            if spool:
                store._spool = Spool(spool, str(store.run_id), SPOOLED)
                store._patience = patience
                await store._take_in()
        except (PyMongoError, ValueError, TypeError, OSError) as error:
            await client.close()
            raise unavailable(uri, error) from error
        store._ageing = asyncio.get_running_loop().create_task(store._age())
        return store

    async def discover(self, links: Sequence[Link]) -> Found:
        """Record links durably before they are requested."""
        merged: dict[str, Link] = {}
        for link in links:
            known = merged.setdefault(link.url, link)
            if known is not link:
                known.columns = list(dict.fromkeys([*known.columns, *link.columns]))

        async def record() -> Found:
            # Not beside a write of articles, which takes their columns from the frontier.
            async with self._flushing:
                return await record_links(self.db, merged, self.writer.policy, self.run_id)

        found = await self._ask(record)
        self.counts["links"] += len(merged)
        self.counts["links_new"] += found.new
        return found

    async def due(self, columns: Iterable[str]) -> AsyncIterator[dict[str, Any]]:
        """The rows of columns' links that are pending or to be visited again, oldest first.

        Where MongoDB was away meanwhile, some come twice.
        """
        wanted = due_links(list(columns), utc_now())
        while True:
            try:
                async for row in self.db["frontier"].find(wanted).sort("next_visit_at", 1):
                    yield row
            except PyMongoError as error:
                self._went_away(error)
                await self._ask(lambda: self.client.admin.command("ping"))
            else:
                return

    async def columns(self) -> dict[str, dict[str, Any]]:
        """What is known of each column, by its id."""

        async def find() -> dict[str, dict[str, Any]]:
            return {each["_id"]: each async for each in self.db["columns"].find()}

        return await self._ask(find)

    async def doubted(self, urls: list[str]) -> dict[str, str]:
        """What visits have found of links that is not settled yet, `gone` or `rejected`, by URL."""
        wanted = {"_id": {"$in": urls}, "doubt": {"$exists": True}}

        async def find() -> dict[str, str]:
            rows = self.db["frontier"].find(wanted, {"doubt.state": 1})
            return {row["_id"]: row["doubt"]["state"] async for row in rows}

        return await self._ask(find)

    async def begin_walk(self, column: str) -> None:
        """Note durably that a column's list is being walked."""
        begun = [begin_walk(column, utc_now())]
        await self._ask(lambda: self.db["columns"].bulk_write(begun))

    async def put(self, article: Article, frontier_url: str | None = None) -> None:
        """Buffer an article; `frontier_url` is the link that led to it. Waits on a full buffer."""
        row = frontier_url or article.url
        while article.url in self._buffer.articles or row in self._buffer.settled:
            await self.flush()  # two sights of one page are written one after the other
        self._buffer.articles[article.url] = Sight(
            article_document(article), row, article.validators
        )
        await self._added()

    async def unchanged(self, sight: Unchanged) -> None:
        """Buffer that a link's page is as it was."""
        self._buffer.unchanged.append(sight)
        self._buffer.settled.add(sight.url)
        await self._added()

    async def outcome(self, outcome: Outcome) -> None:
        """Buffer what became of a link that gave no article."""
        self._buffer.outcomes.append(outcome)
        self._buffer.settled.add(outcome.url)
        await self._added()

    async def column_visit(self, visit: ColumnVisit | WalkEnd) -> None:
        """Buffer a visit of a column page, or the end of a walk through them."""
        self._buffer.visits.append(visit)
        self.counts["pages"] += isinstance(visit, ColumnVisit)
        await self._added()

    async def flush(self) -> None:
        """Write the buffer: articles, then frontier, then the rest. Raises StoreError."""
        async with self._flushing:
            if self._lost:
                raise self._lost
            buffer, self._buffer = self._buffer, Buffer()
            if not buffer:
                return
            try:
                if self.before_write:
                    await self.before_write()
                if not self._away_since:
                    await self.write(buffer)
                    return
            except StoreError as error:
                self._lost = error
                raise
            except PyMongoError as error:
                self._went_away(error)
            await self._keep(buffer)

    async def finish(self) -> None:
        """Write what is left, to the spool if need be. Raises StoreError where that fails too."""
        if self._ageing:
            async with self._flushing:  # never in the middle of a write
                self._ageing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ageing
        if self._away_since and not self._lost:
            await self._come_back()
        if self._lost and self._spool and self._buffer:
            buffer, self._buffer = self._buffer, Buffer()
            await self._keep(buffer)
        await self.flush()

    async def end_run(self, values: dict[str, Any]) -> None:
        """Complete the `runs` document with these values. Raises StoreError."""
        end = RunEnd(self.run_id, {"ended_at": utc_now(), **values})
        if self._lost and self._spool:
            await self._keep(Buffer(ends=[end]))
            return
        self._buffer.ends.append(end)
        await self.flush()

    async def former_templates(self, runs: int) -> list[dict[str, Any]]:
        """`templates` of the newest runs that read articles, but for this one; none if unknown."""
        read = {"templates": {"$exists": True}, "_id": {"$lt": self.run_id}}
        newest = self.db["runs"].find(read, {"templates": 1}).sort("_id", -1).limit(runs)
        try:
            return [each["templates"] async for each in newest]
        except PyMongoError:
            return []

    def waiting(self) -> int:
        """How many files of the spool wait for MongoDB."""
        return len(self._spool.files()) if self._spool else 0

    async def close(self) -> None:
        """Disconnect."""
        await self.upkeep.stop()
        await self.client.close()

    async def write(self, buffer: Buffer) -> None:
        """Write a buffer. Raises PyMongoError."""
        await self.writer.write(buffer)
        if self.after_write:
            self.after_write(buffer)
        self.upkeep.written(len(buffer.articles))

    async def index(self) -> None:
        """Bring the full-text index up to date, as far as may be done in a run."""
        await self.upkeep.finish()

    async def _begin(self, arguments: dict[str, Any], version: str) -> None:
        await ensure_schema(self.db)
        run = {"_id": self.run_id, "arguments": arguments, "version": version}
        await self.db["runs"].insert_one({**run, "started_at": utc_now()})

    async def _added(self) -> None:
        if self._lost:
            raise self._lost
        if not self._buffer.since:
            self._buffer.since = time.monotonic()
        if len(self._buffer) >= self._size:
            await self.flush()

    async def _age(self) -> None:
        """Look after the buffer, and after a MongoDB that is away. Whatever ends it is a loss, which the
        next item reports: others wait for what it does.
        """
        try:
            await self._look_after()
        except Exception as error:
            logger.exception("the store broke")
            self._lost = StoreError(f"the store broke: {error}")

    async def _look_after(self) -> None:
        while not self._lost:
            await asyncio.sleep(min(self._seconds, 0.5) or 0.05)
            if self._away_since:
                await self._come_back()
            if len(self._buffer) and time.monotonic() - self._buffer.since >= self._seconds:
                with contextlib.suppress(StoreError):
                    await self.flush()

    async def _ask(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        """The operation's answer, once MongoDB gives one. Raises StoreError after `patience`."""
        while True:
            if self._lost:
                raise self._lost
            if not self._away_since:
                try:
                    return await operation()
                except PyMongoError as error:
                    self._went_away(error)
            await asyncio.sleep(_POLL_SECONDS)

    def _went_away(self, error: PyMongoError) -> None:
        """From now on the spool is written and `_come_back` tried. Raises StoreError without one."""
        if self._spool is None:
            self._lost = lost(error)
            raise self._lost from error
        if not self._away_since:
            self._away_since = time.monotonic()
            logger.warning("MongoDB is away: %s", short(error))

    async def _come_back(self) -> None:
        """Take in the spool if MongoDB answers again; give up after `patience`."""
        try:
            await self.client.admin.command("ping")
            async with self._flushing:
                await self._take_in()
                self._away_since = None
            logger.warning("MongoDB is back")
        except PyMongoError as error:
            if time.monotonic() - (self._away_since or 0) > self._patience:
                self._lost = lost(error)

    async def _take_in(self) -> None:
        """Write what the spool holds. Raises PyMongoError, and then keeps it."""
        assert self._spool
        for path in self._spool.files():
            buffer = Buffer()
            for item in self._spool.read(path):
                known = isinstance(item, Sight) and str(item.document["_id"]) in buffer.articles
                if known or len(buffer) >= self._size:
                    await self.write(buffer)
                    buffer = Buffer()
                buffer.add(item)
                self.counts["taken_in"] += 1
            await self.write(buffer)
            path.unlink()

    async def _keep(self, buffer: Buffer) -> None:
        """Put a buffer into the spool. Raises StoreError."""
        assert self._spool
        try:
            self.counts["spooled"] += await asyncio.to_thread(self._spool.add, list(buffer.items()))
        except OSError as error:
            self._lost = StoreError(f"MongoDB is away and the spool cannot be written: {error}")
            raise self._lost from error
