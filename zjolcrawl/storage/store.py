"""The MongoDB connection of one run: buffers and writes items in bulk, and answers queries.

During an outage, items go to the spool and queries wait. Nothing enters the buffer that MongoDB cannot
hold (storage.documents); whatever still cannot be written is rejected by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Self

from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.clock import utc_now
from zjolcrawl.items import Article, ColumnVisit, Link, Outcome, Unchanged, WalkEnd
from zjolcrawl.messages import cause_of
from zjolcrawl.storage.archived_visits import ArchivedVisits, CutVisits
from zjolcrawl.storage.buffer import (
    SPOOLED,
    Buffer,
    Item,
    RunEnd,
    foreign_fault,
    link_of,
    make_visit,
)
from zjolcrawl.storage.buffer_writer import BufferWriter
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.connection import Client, connect, durable
from zjolcrawl.storage.documents import make_storable, storable
from zjolcrawl.storage.errors import StoreError, broken, unavailable
from zjolcrawl.storage.frontier import too_far_ahead
from zjolcrawl.storage.isolating_writer import IsolatingWriter
from zjolcrawl.storage.link_recorder import LinkRecorder, Recorded
from zjolcrawl.storage.outbox import begin_watching
from zjolcrawl.storage.queries.crawl import CrawlQueries
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.spool import Spool
from zjolcrawl.storage.updates import begin_walk
from zjolcrawl.storage.visit_policy import VisitPolicy

logger = logging.getLogger(__name__)
AfterWrite = Callable[[list[str], list[ColumnVisit | WalkEnd]], None]
_BYTES = 32 * 2**20  # a buffer with this many bytes of articles is written at once
_NOTE_SECONDS = 5.0  # between two writes of the counts
_LONGEST_ARGUMENT = 100_000  # characters


class Store(CrawlQueries):
    """One run's connection; `counts` is what the run has done so far.

    `before_write`, if set, is awaited before buffered items are written, to make durable what they refer to;
    it raises StoreError on failure. `after_write`, if set, is called with the URLs of links and the column pages that are in MongoDB. With
    a spool folder, items that cannot be written during an outage go there, and queries wait up to `patience`
    seconds.
    """

    def __init__(
        self, client: Client, database: str, batch: tuple[int, float], policy: VisitPolicy
    ) -> None:
        """`batch`: number of items, and of seconds, after which the buffer is written."""
        super().__init__(durable(client, database))
        self.before_write: Callable[[], Awaitable[None]] | None = None
        self.after_write: AfterWrite | None = None
        self.dropped: list[str] = []  # obsolete collections that were dropped
        self.client = client
        self.counts: Counter[str] = Counter()
        self._noted, self._noted_at = Counter[str](), -_NOTE_SECONDS
        self.writer = BufferWriter(self.db, self.run_id, self.counts, policy)
        self._size, self._seconds = batch
        self._buffer = Buffer()
        self._flushing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._recorder = LinkRecorder(self.db, policy, self._outage, self._flushing)
        self._isolating = IsolatingWriter(self.write, self.counts, self._size)
        self.writer.faults = self._isolating.faults

    @property
    def lost(self) -> bool:
        """Whether the run must end because of its database."""
        return self._outage.lost is not None

    @property
    def away(self) -> bool:
        """Whether MongoDB is unavailable."""
        return self._outage.away

    @property
    def faults(self) -> list[str]:
        """A line for each item that was quarantined or could not be written."""
        return self._isolating.faults

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
        """Connect, create what is missing, begin the run, and write what other runs left in the spool.

        Raises StoreUnavailable within 8 s.
        """
        client = await connect(uri, database)
        try:
            batch = batch_size, batch_seconds
            store = cls(client, database, batch, policy or VisitPolicy())
            await store._begin(run_arguments, version)
            if spool:
                store._isolating.spool = Spool(spool, str(store.run_id), SPOOLED)
                store._outage.patience = patience
                await store._isolating.write_spool()
        except BaseException as error:
            await client.close()
            if isinstance(error, PyMongoError):
                raise unavailable(uri, error) from error
            raise
        store._task = asyncio.get_running_loop().create_task(store._background())
        return store

    async def begin_watching(self) -> None:
        """Let watches look at what this run stores (storage.outbox). Raises PyMongoError."""
        await begin_watching(self.db, self.run_id)
        self.writer.watched = True

    async def discover(self, links: Sequence[Link]) -> Recorded:
        """Record links durably before they are requested; links that cannot be recorded are rejected."""
        recorded = await self._recorder.record(links)
        for url, why in recorded.refused.items():
            await self.outcome(Outcome(url, "rejected", why))
        self.counts.update(links=recorded.links, links_new=recorded.new)
        self.gained |= recorded.gained if self.writer.reparsing else set()
        return recorded

    def know_visits(self, index: ArchiveIndex) -> None:
        """Let versions end and begin at visits of this archive; `cut` then tells what to re-parse."""
        self.writer.versions.visits = ArchivedVisits(index).of

    async def cut(self) -> list[CutVisits]:
        """Write the buffer; returns the visits that must be re-parsed since the last call. Raises StoreError.

        A visit between two others that saw another page cuts their version in two. The halves are copies until
        their own visits are re-parsed.
        """
        await self.flush()
        found = list(self.writer.versions.cut.values())
        self.writer.versions.cut.clear()
        return found

    async def begin_walk(self, column: str) -> None:
        """Record durably that a column's list is being walked."""
        begun = [begin_walk(column, utc_now())]
        written = await self._outage.ask(lambda: write_each(self.db["columns"], begun))
        self.faults.extend(f"column {column}: {why}" for _, why in written.errors.values())

    async def put(self, article: Article) -> None:
        """Buffer an article. Waits while the buffer is full.

        If it cannot be stored, its link is rejected with the reason; if others captured it, a fault names it.
        """
        visit, size = make_visit(article)
        if isinstance(visit, Outcome):
            self.counts["refused"] += 1
            if article.visit.provenance:
                self.faults.append(foreign_fault(article.url, visit.seen_at, visit.reason))
            else:
                await self.outcome(visit)
            return
        while self._buffer.has_same_page(visit):
            await self.flush()
        await self._add(visit, size)

    async def unchanged(self, page: Unchanged) -> None:
        """Buffer that a link's page is unchanged."""
        make_storable(page)
        await self._add(page)

    async def outcome(self, outcome: Outcome) -> None:
        """Buffer the outcome of a link that gave no article."""
        make_storable(outcome)
        outcome.reason = outcome.reason or outcome.state
        await self._add(outcome)

    async def column_visit(self, visit: ColumnVisit | WalkEnd) -> None:
        """Buffer a visit of a column page, or the end of a walk."""
        make_storable(visit)
        self.counts["pages"] += isinstance(visit, ColumnVisit)
        await self._add(visit)

    async def flush(self) -> None:
        """Write the buffer, in the order that `buffer_writer` describes. Raises StoreError.

        Afterwards its items are in MongoDB or in the spool. Items lost with a StoreError leave their links pending.
        """
        async with self._flushing:
            self._outage.check()
            buffer, self._buffer = self._buffer, Buffer()
            if not buffer:
                return
            await self._make_archive_durable()
            if not self._outage.away:
                try:
                    await self._isolating.write(buffer)
                except Exception as error:
                    self._outage.failed(error)
                else:
                    self._outage.wrote()
                    return
            await self._keep(buffer)
            self._outage.check()

    async def _make_archive_durable(self) -> None:
        """Call `before_write`. Raises StoreError; then the store is lost."""
        if self.before_write:
            try:
                await self.before_write()
            except Exception as error:
                self._outage.lost = error if isinstance(error, StoreError) else broken(error)
                raise self._outage.lost from error

    async def finish(self) -> None:
        """Write what is left, or put it into the spool. Raises StoreError whenever the database is lost."""
        if self._task:
            self._ending = True
            async with self._flushing:  # never in the middle of a write
                self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._outage.away and not self._outage.lost:
            await self._resume()
        if self._outage.lost and self._isolating.spool and self._buffer:
            buffer, self._buffer = self._buffer, Buffer()
            await self._make_archive_durable()
            await self._keep(buffer)
        await self.flush()

    def hasten(self) -> None:
        """Stop waiting for MongoDB: the next failed write ends the run and leaves its items in the spool."""
        self._outage.patience = 0.0

    async def end_run(self, values: dict[str, Any]) -> None:
        """Complete the `runs` document with these values. Raises StoreError."""
        end = RunEnd(self.run_id, storable({"ended_at": utc_now(), **values}))
        if self._outage.lost and self._isolating.spool:
            await self._keep(Buffer(ends=[end]))
            return
        self._buffer.add(end)
        await self.flush()

    def waiting(self) -> int:
        """The number of spool files that wait for MongoDB."""
        return self._isolating.waiting()

    async def close(self) -> None:
        await self.client.close()

    async def write(self, buffer: Buffer) -> None:
        """Write a buffer. Raises PyMongoError."""
        await self.writer.write(buffer)
        if self.after_write:
            links = [url for each in buffer.items() if (url := link_of(each))]
            self.after_write(links, buffer.visits)

    async def _begin(self, arguments: dict[str, Any], version: str) -> None:
        self.dropped = await ensure_schema(self.db)
        await self.db["frontier"].update_many(
            too_far_ahead(utc_now(), self.writer.policy), {"$set": {"next_visit_at": utc_now()}},
            bypass_document_validation=True,
        )  # fmt: skip
        run = {"version": version, "arguments": storable(arguments, _LONGEST_ARGUMENT)}
        await self.db["runs"].insert_one({"_id": self.run_id, **run, "started_at": utc_now()})

    async def _add(self, item: Item, size: int = 0) -> None:
        self._buffer.add(item, size)
        self._outage.check()
        if len(self._buffer) >= self._size or self._buffer.size >= _BYTES:
            await self.flush()

    async def _background(self) -> None:
        """Background task: flush the buffer in time, and end outages.

        Any error in it marks the store as failed, and the next item reports that; others wait for this task.
        """
        try:
            await self._maintain()
        except Exception as error:
            self._outage.failed(error)

    async def _maintain(self) -> None:
        # A cancellation can be lost: asyncio.wait_for, which PyMongo uses, drops one that comes as its work
        # ends (Python 3.11).
        while not self._outage.lost and not self._ending:
            await asyncio.sleep(min(self._seconds, 0.5) or 0.05)
            if self._outage.away:
                await self._resume()
            if len(self._buffer) and time.monotonic() - self._buffer.since >= self._seconds:
                with contextlib.suppress(StoreError):
                    await self.flush()
            if not self._outage.away and self.counts != self._noted:
                await self._note_counts()

    async def _note_counts(self) -> None:
        """Store the counts in `runs`, for `scrapy runs` while the run goes on.

        A failure is ignored: the next flush notices an outage, and must find this task alive to end it.
        """
        if time.monotonic() - self._noted_at < _NOTE_SECONDS:
            return
        self._noted, self._noted_at = self.counts.copy(), time.monotonic()
        runs = self.db["runs"].with_options(write_concern=WriteConcern(1))
        with contextlib.suppress(PyMongoError):
            await runs.update_one({"_id": self.run_id}, {"$set": {"counts": dict(+self.counts)}})

    async def _resume(self) -> None:
        """Write the spool if MongoDB answers again; give up after `patience`."""
        try:
            await self.client.admin.command("ping")
            async with self._flushing:
                if await self._isolating.write_spool():
                    self._outage.wrote()
                self._outage.away = False
            logger.warning("MongoDB is available again")
        except Exception as error:
            self._outage.failed(error)

    async def _keep(self, buffer: Buffer) -> None:
        """Put a buffer into the spool. Raises StoreError."""
        try:
            await self._isolating.keep(buffer)
        except Exception as error:
            message = f"MongoDB is unavailable and the spool cannot be written: {cause_of(error)}"
            self._outage.lost = StoreError(message)
            raise self._outage.lost from error
