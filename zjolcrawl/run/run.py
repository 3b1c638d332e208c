"""One run of a spider: opens and closes store and archive, writes `runs`, sets the exit status."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured

from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.s3 import store_of
from zjolcrawl.archive.writer import WarcWriter
from zjolcrawl.contact import contact_warning
from zjolcrawl.items import ColumnVisit, Outcome
from zjolcrawl.messages import cause_of, counted
from zjolcrawl.run import alerts, log_file
from zjolcrawl.run.flip_watch import FlipWatch
from zjolcrawl.run.leases import Leases
from zjolcrawl.run.lock import LockHeld, RunLock
from zjolcrawl.run.opening import Mode, open_store, warc_writer
from zjolcrawl.run.report import sum_up, tell_end, write_report
from zjolcrawl.run.summary import LOCKED, NEEDS_A_PERSON, SHUTDOWN, UNUSABLE
from zjolcrawl.run.tally import Tally
from zjolcrawl.setting_values import parse_bool, watch_path
from zjolcrawl.storage.embedded import EmbeddedServer, EmbeddedUnavailable
from zjolcrawl.storage.errors import DatabaseError, StoreError, StoreUnavailable, unavailable
from zjolcrawl.storage.store import Store

logger = logging.getLogger(__name__)


class Run:
    """One run of one spider, made by the spider and used by middlewares and pipelines.

    The first caller of `open` opens the store and the archive; `close` closes them after the
    pipelines have written everything. `writer` is None if the run archives nothing (WARC=off,
    re-parsing), `leases` if it fetches nothing. `exit_status` is the documented one. `failure` is one
    line for stderr. `warnings` and `faults` are lines too; only faults need action. `at_end`, if
    set, is called before the summary; `at_close`, if set, is awaited before anything closes. `foreign` has the
    links whose captures by others are being parsed. `ending` is set once no further request is wanted,
    `closed` once all is reported and released. `columns` are the ids of the columns of which a page
    was read; `started` is monotonic.
    """

    def __init__(
        self,
        crawler: Crawler,
        mode: Mode,
        arguments: dict[str, str],
        part: tuple[int, int] | None = None,
    ) -> None:
        """A run that is not open yet.

        `arguments` are the spider's name and arguments as given. `part` is (K, N) if the run
        re-parses the K-th of N parts of the archive.
        """
        self.crawler, self.mode, self.part = crawler, mode, part
        self.arguments = arguments
        self.store: Store | None = None
        self.archive: Archive | None = None
        self.writer: WarcWriter | None = None
        self.leases: Leases | None = None
        self.exit_status = NEEDS_A_PERSON  # until the run has ended well
        self.failure: str | None = None
        self.tally = Tally()
        self.flips = FlipWatch(
            crawler.settings.getint("FLIP_ALARM"), self._doubted, self._note_unbelieved
        )
        self.counts: Counter[str] = Counter()  # in addition to the store's
        self.warnings: list[str] = []
        self.faults: list[str] = []
        self.at_end: Callable[[], None] | None = None
        self.at_close: Callable[[], Awaitable[None]] | None = None
        self.foreign: set[str] = set()
        self.ending = asyncio.Event()
        self.closed = asyncio.Event()
        self.columns: set[str] = set()
        self._lock: RunLock | None = None
        self._log: logging.Handler | None = None
        self._server: EmbeddedServer | None = None
        self._released = False
        self._opening = asyncio.Lock()
        self._stopping: asyncio.Task[None] | None = None
        self.started = time.monotonic()

    @property
    def live(self) -> bool:
        """Whether the pages come from the site now."""
        return self.mode is Mode.LIVE

    @property
    def records(self) -> bool:
        """Whether the run uses the network and adds to the archive."""
        return self.mode in {Mode.LIVE, Mode.BACKFILL}

    async def open(self) -> Store:
        """The run's store, opened on the first call.

        Raises CloseSpider, with `failure` set, if the database, the archive or the data folder is
        not available, or another run holds the folder.
        """
        async with self._opening:
            if self.store is None:
                if self.failure:
                    raise CloseSpider("cannot_start")
                try:
                    self.store = await self._open()
                except LockHeld as error:
                    self.refuse(str(error), LOCKED)
                    raise CloseSpider("locked") from error
                except (EmbeddedUnavailable, StoreUnavailable, ArchiveError, OSError) as error:
                    message = cause_of(error, self._data_dir())
                    if isinstance(error, OSError):
                        message = f"DATA_DIR {self._data_dir()} cannot be used: {message}"
                    self.refuse(message)
                    await self._release()
                    raise CloseSpider("cannot_start") from error
        return self.store

    async def _open(self) -> Store:
        settings, data_dir = self.crawler.settings, self._data_dir()
        if not self.records and not (settings.get("WARC_STORE") or (data_dir / "warc").is_dir()):
            raise ArchiveError(f"no archive at {data_dir / 'warc'}")
        if self.mode is not Mode.PREVIEW:
            self._lock = RunLock(data_dir, self.part)
            self._log = log_file.begin(data_dir)
        if not self.live or parse_bool(settings.get("WARC")):
            folder = data_dir / "warc"
            self.archive = await asyncio.to_thread(Archive, folder, store_of(settings.get))
            self._tell_damage(self.archive)
        uri = settings.get("MONGODB_URI")
        if not uri:
            self._server = await asyncio.to_thread(EmbeddedServer.acquire, data_dir)
            uri = self._server.uri
        store = await open_store(settings, self.mode, uri, self.arguments, data_dir)
        store.writer.reparsing = not self.live
        if self.archive and not self.live:
            store.know_visits(self.archive.index)
        if store.dropped:
            message = f"dropped {', '.join(store.dropped)}: the full-text index is in {data_dir / 'search'} now"
            self.warnings.append(message)
        self.tally.former_columns = await store.columns()
        if self.records:
            self._begin_recording(store)
        if self.live:
            await self._lease(store, uri)
        return store

    def _begin_recording(self, store: Store) -> None:
        """Open the archive for writing."""
        settings, run = self.crawler.settings, str(store.run_id)
        if warning := contact_warning(settings):
            self.warnings.append(warning)
        if self.archive:
            self.writer = warc_writer(settings, self.archive, run, self.arguments)
            store.before_write = self._archived

    async def _lease(self, store: Store, uri: str) -> None:
        """Start the heartbeat of the leases. Raises StoreUnavailable."""
        self.leases = Leases(self.crawler, store)
        try:
            await self.leases.begin()
            if watch_path(self.crawler.settings):
                await store.begin_watching()
        except DatabaseError as error:
            raise unavailable(uri, error) from error

    def _tell_damage(self, archive: Archive) -> None:
        """Report archive damage: as faults when the run re-parses the archive, else as warnings."""
        self.warnings += [each for each in archive.repairs if each not in archive.faults]
        (self.warnings if self.records else self.faults).extend(archive.faults)

    async def _archived(self) -> None:
        """Make the archive durable before documents point to it. Raises StoreError."""
        assert self.writer
        try:
            await self.writer.sync()
        except ArchiveError as error:
            raise StoreError(str(error)) from error

    async def _doubted(self, urls: list[str]) -> dict[str, str]:
        return await (await self.open()).doubted(urls)

    def _note_unbelieved(self, outcomes: list[Outcome]) -> None:
        """Archive which visits the run did not believe, so that `reparse` does not either."""
        if self.writer:
            try:
                self.writer.write_unbelieved([(o.url, o.seen_at) for o in outcomes if o.seen_at])
            except ArchiveError as error:
                self.stop(str(error), "archive_lost")

    def column_seen(self, visit: ColumnVisit) -> None:
        """Count a column page; an error on it is a fault of a live run."""
        self.columns.add(visit.column)
        self.tally.column(visit)
        if visit.error and self.live:
            self.faults.append(f"column page {visit.url}: {visit.error}")

    def _tell_missing_issues(self) -> None:
        """Report days without an issue: a warning, or a fault if the paper had no issue at all."""
        for paper, message in self.tally.missing_issues().items():
            (self.warnings if paper in self.columns else self.faults).append(message)

    @contextlib.contextmanager
    def stops_if_lost(self) -> Iterator[None]:
        """A context in which the loss of MongoDB ends the run."""
        try:
            yield
        except StoreError as error:
            self.stop(str(error), "mongo_lost")

    def fail(self, reason: str) -> None:
        """Record that the store or the archive was lost; the first reason is kept."""
        if self.failure is None:
            self.failure = reason
            logger.info("%s", reason)  # the end of the run prints it to stderr

    def refuse(self, reason: str, status: int = UNUSABLE) -> None:
        """Record that the run cannot start or its arguments match nothing; nothing was done."""
        self.failure, self.exit_status = reason, status

    def stop(self, reason: str, finish_reason: str) -> None:
        """End the run because of a failure. Does not wait for the end."""
        self.fail(reason)
        self.end_early(finish_reason)

    def end_early(self, finish_reason: str) -> None:
        """Close the spider, if it is not closing yet. Does not wait for the end."""
        self.ending.set()
        if self._stopping is None:
            assert self.crawler.engine is not None
            closing = self.crawler.engine.close_spider_async(reason=finish_reason)
            self._stopping = asyncio.ensure_future(closing)

    def halt(self) -> None:
        """Drop all waiting requests, because a signal ends the run; their links stay pending."""
        self.ending.set()
        if self.leases:
            self.leases.halt()
        if self.store:
            self.store.hasten()

    async def close(self, reason: str) -> None:
        """End the run, report it, and release all resources. `reason` is Scrapy's finish reason."""
        try:
            if self.at_close:
                await self.at_close()
            await self._end(reason)
        finally:  # even on failure: others wait for the lock and the server
            await self._release()
            log_file.end(self._log)
            self.closed.set()

    async def _end_refused(self, reason: str) -> None:
        if self.store:
            with contextlib.suppress(StoreError):  # the run is refused either way
                await self.store.finish()
                await self.store.end_run({"exit_status": self.exit_status, "finish_reason": reason})
        await self._release()
        tell_end(self, self._log)

    async def _end(self, reason: str) -> None:
        if self.store is None or self.exit_status in {UNUSABLE, LOCKED}:
            await self._end_refused(reason)
            return
        try:
            await self.store.finish()
        except StoreError as error:
            self.fail(str(error))
        if self.at_end:
            self.at_end()
        self.faults += self.store.faults
        if waiting := self.store.waiting():
            self.faults.append(
                f"{counted(waiting, 'file')} must wait for MongoDB in {self._data_dir() / 'spool'}"
            )
        self._tell_missing_issues()
        if self.store.writer.watched and not self.failure and reason != SHUTDOWN:
            from zjolcrawl.run.watching import tell  # imported late: only needed here

            self.faults += await tell(self.crawler.settings, self.store.db, self.store)
        summary = await sum_up(self, self.store, reason)
        status = NEEDS_A_PERSON if self.failure else summary.exit_status
        values = {**summary.values(), "exit_status": status}
        try:
            await self.store.end_run(values)
            if self.mode is not Mode.PREVIEW:
                write_report(self._data_dir() / "reports", self.store.run_id, values)
        except (StoreError, OSError) as error:
            self.fail(cause_of(error))
        if self.leases:
            await self.leases.end()
        if not self.failure and reason != SHUTDOWN:
            from zjolcrawl.search.catchup import index_after_run  # imported late: only needed here

            seconds = time.monotonic() - self.started
            await index_after_run(self.store.db, self._data_dir(), seconds)
        await self._release()
        if summary.alarms:
            self.warnings += await asyncio.to_thread(
                alerts.send, self.crawler.settings, summary.line(), summary.alarms
            )
        tell_end(self, self._log, summary)
        if not self.failure:
            self.exit_status = status

    def _data_dir(self) -> Path:
        return Path(self.crawler.settings.get("DATA_DIR"))

    async def _release(self) -> None:
        if self._released:
            return
        self._released = True
        if self.writer:
            writer, self.writer = self.writer, None
            try:
                await writer.close()
            except ArchiveError as error:
                self.fail(str(error))
        if self.archive:
            self.archive.close()
        if self.leases:
            await self.leases.end()
        if self.store:
            await self.store.close()
        if self._server:
            server, self._server = self._server, None
            await asyncio.to_thread(server.release)
        if self._lock:
            self._lock.release()


def find_run(crawler: Crawler) -> Run | None:
    """The run of a crawler's spider; None for a spider of Scrapy's own (`scrapy fetch`, `scrapy shell`)."""
    run = getattr(crawler.spider, "run", None)
    return run if isinstance(run, Run) else None


def run_of(crawler: Crawler) -> Run:
    """The run of a crawler's spider. Raises NotConfigured without one: nothing is archived or stored then."""
    if run := find_run(crawler):
        return run
    raise NotConfigured  # with a reason, Scrapy would warn of each part
