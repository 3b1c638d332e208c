"""The run: opens and closes the store, writes `runs`, decides the exit status, prints the summary."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Self

import scrapy
from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider

from zjolcrawl import __version__
from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.writer import WarcWriter
from zjolcrawl.items import ColumnVisit
from zjolcrawl.storage.embedded import EmbeddedServer, EmbeddedUnavailable
from zjolcrawl.storage.errors import StoreError, StoreUnavailable
from zjolcrawl.storage.frontier import VisitPolicy
from zjolcrawl.storage.preview import Preview
from zjolcrawl.storage.store import Store
from zjolcrawl.switch import switch

logger = logging.getLogger(__name__)

DONE, NEEDS_A_PERSON, UNUSABLE = 0, 1, 2
# What of the settings decides what a run archives; no URI, which may hold a password.
_TOLD_SETTINGS = (
    "ROBOTSTXT_OBEY", "DOWNLOAD_DELAY", "DOWNLOAD_MAXSIZE", "CONCURRENT_REQUESTS_PER_DOMAIN",
    "AUTOTHROTTLE_ENABLED", "RETRY_TIMES",
)  # fmt: skip
# Reasons that end a run as asked for; others (shutdown, mongo_lost) leave work undone.
_GOOD_ENDS = ("finished", "closespider_")


class RunLedger:
    """One run of one spider.

    The store and the archive are opened by whoever asks first (`open`) and closed here, after the
    pipelines wrote their last. `writer` is None where the run archives nothing (WARC=off, offline).
    `exit_status` is the contract's: 0, 1 or 2; `failure` is the line for stderr.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store: Store | None = None
        self.archive: Archive | None = None
        self.writer: WarcWriter | None = None
        self.exit_status = DONE
        self.failure: str | None = None
        self.skipped = 0
        self.columns: set[str] = set()
        self.column_faults: dict[str, str] = {}
        self.warnings: list[str] = []
        self.unreadable: list[str] = []
        self.summary = ""
        self._server: EmbeddedServer | None = None
        self._opening = asyncio.Lock()
        self._stopping: asyncio.Task[None] | None = None
        self._started = time.monotonic()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        ledger = cls(crawler)
        crawler.signals.connect(ledger.spider_closed, signal=signals.spider_closed)
        return ledger

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The ledger of a crawler that has begun."""
        ledger = crawler.get_extension(cls)
        assert ledger is not None
        return ledger

    async def open(self) -> Store:
        """The run's store. Raises CloseSpider, with `failure` set, where there is no database."""
        async with self._opening:
            if self.store is None:
                if self.failure:
                    raise CloseSpider("mongo_unavailable")
                try:
                    self.store = await self._open()
                except (EmbeddedUnavailable, StoreUnavailable, ArchiveError) as error:
                    self.refuse(str(error))
                    await self._release()
                    raise CloseSpider("mongo_unavailable") from error
        return self.store

    async def _open(self) -> Store:
        settings = self.crawler.settings
        offline = getattr(self.crawler.spider, "offline", False)
        folder = Path(settings.get("DATA_DIR")) / "warc"
        if offline and not folder.is_dir():
            raise ArchiveError(f"no archive at {folder}")
        if offline or switch(settings.get("WARC")):
            self.archive = await asyncio.to_thread(Archive, folder)
            self.warnings += self.archive.repairs
        uri = settings.get("MONGODB_URI")
        if not uri:
            folder = Path(settings.get("DATA_DIR"))
            self._server = await asyncio.to_thread(EmbeddedServer.acquire, folder)
            uri = self._server.uri
        spider = self.crawler.spider
        arguments = {"spider": getattr(spider, "name", None), **getattr(spider, "given", {})}
        kind = Preview if getattr(spider, "dry_run", False) else Store
        store = await kind.open(
            uri,
            settings.get("MONGODB_DATABASE"),
            run_arguments=arguments,
            version=__version__,
            batch_size=settings.getint("MONGODB_BATCH_SIZE"),
            batch_seconds=settings.getfloat("MONGODB_BATCH_SECONDS"),
            policy=VisitPolicy(
                recheck_days=tuple(float(each) for each in settings.getlist("RECHECK_DAYS")),
                give_up_after=settings.getint("GIVE_UP_AFTER"),
            ),
        )
        store.rereading = offline
        if self.archive and not offline:
            run = str(store.run_id)
            self.writer = WarcWriter(
                self.archive, run=run, info=self._about(run, arguments),
                max_bytes=settings.getint("WARC_MAX_BYTES"),
            )  # fmt: skip
            store.before_write = self._archived
        return store

    def _about(self, run: str, arguments: dict[str, str]) -> dict[str, str]:
        """The warcinfo fields: with what, for which run and how it was crawled."""
        settings = self.crawler.settings
        return {
            "software": f"zjolcrawl/{__version__} Scrapy/{scrapy.__version__}",
            "isPartOf": f"run {run}",
            "robots": "obey" if settings.getbool("ROBOTSTXT_OBEY") else "ignore",
            "http-header-user-agent": settings.get("USER_AGENT"),
            "arguments": json.dumps(arguments),
            "settings": json.dumps({name: settings.get(name) for name in _TOLD_SETTINGS}),
        }

    async def _archived(self) -> None:
        """What the archive was given is durable, so that documents may point to it."""
        assert self.writer
        try:
            await self.writer.sync()
        except ArchiveError as error:
            raise StoreError(str(error)) from error

    def column_seen(self, visit: ColumnVisit) -> None:
        """Count a column page; a faulty one needs a person."""
        self.columns.add(visit.column)
        if visit.error:
            self.column_faults[visit.url] = visit.error

    def fail(self, reason: str) -> None:
        """The store was lost: the run cannot vouch for what it found."""
        self.failure = reason
        logger.critical("%s", reason)

    def refuse(self, reason: str) -> None:
        """What the run was asked for makes no sense: nothing was done."""
        self.failure, self.exit_status = reason, UNUSABLE

    def stop(self, reason: str, finish_reason: str) -> None:
        """End the run because of a failure; the caller need not wait for the end."""
        if self._stopping is None:
            self.fail(reason)
            assert self.crawler.engine is not None
            closing = self.crawler.engine.close_spider_async(reason=finish_reason)
            self._stopping = asyncio.ensure_future(closing)

    async def spider_closed(self, spider: Spider, reason: str) -> None:
        """Scrapy signal: end the run, tell, and let the database go."""
        if self.exit_status != UNUSABLE:
            self.exit_status = self._status(reason)
        seconds = time.monotonic() - self._started
        if self.store:
            counts = {**self.store.counts, "columns": len(self.columns), "skipped": self.skipped}
            self.summary = self._summary(counts, seconds, reason)
            warnings = [f"{url}: {fault}" for url, fault in self.column_faults.items()]
            warnings += [*self.warnings, *self.unreadable]
            try:
                await self.store.end_run(self.exit_status, reason, counts, warnings, seconds)
                await self.store.close()
            except StoreError as error:
                self.fail(str(error))
                self.exit_status = NEEDS_A_PERSON
        await self._release()
        self._tell()

    def _status(self, reason: str) -> int:
        assert self.store is not None
        counts = self.store.counts
        if self.store.rereading:
            # What was faulty when it was fetched is no news; what is read worse than then is.
            faults = [*self.unreadable, *filter(counts.get, ("unread", "refused", "missed"))]
        else:
            faults = [*self.column_faults, *filter(counts.get, ("failed", "images_failed"))]
            faults += ["rejected"] if counts["rejected"] > self.skipped else []
        troubled = self.failure or faults or self._errors() or not reason.startswith(_GOOD_ENDS)
        return NEEDS_A_PERSON if troubled else DONE

    def _errors(self) -> int:
        stats = self.crawler.stats
        return int(stats.get_value("log_count/ERROR", 0)) if stats else 0

    def _summary(self, counts: dict[str, int], seconds: float, reason: str) -> str:
        def count(name: str) -> int:
            return counts.get(name, 0)

        end = "" if reason.startswith(_GOOD_ENDS) else f" (ended early: {reason})"
        if self.store and self.store.rereading:
            return (
                f"zjolcrawl: {getattr(self.crawler.spider, 'chosen', 0)} captures read again; "
                f"{count('new')} new, {count('changed')} changed, {count('reread')} read otherwise, "
                f"{count('same')} same, {count('missed')} between versions; {count('unread')} not "
                f"read any more, {count('refused')} refused; {seconds:.1f} s{end}"
            )
        return (
            f"zjolcrawl: {count('columns')} columns, {count('pages')} pages, "
            f"{count('links')} links found ({count('links_new')} new); "
            f"stored {count('new')} new, {count('changed')} changed, {count('same')} same; "
            f"{count('rejected') - self.skipped} rejected, {count('failed')} failed, "
            f"{count('gone')} gone; "
            f"images {count('images_stored')} stored, {count('images_missing')} missing, "
            f"{count('images_failed')} failed; {seconds:.1f} s{end}"
        )

    def _tell(self) -> None:
        for warning in [*self.warnings, *self.unreadable]:
            sys.stderr.write(f"zjolcrawl: {warning}\n")
        faults = {} if self.store and self.store.rereading else self.column_faults
        for url, fault in faults.items():
            sys.stderr.write(f"zjolcrawl: column page {url}: {fault}\n")
        if self.failure:
            sys.stderr.write(f"zjolcrawl: {self.failure}\n")
        if self.exit_status == UNUSABLE:
            return
        if isinstance(self.store, Preview):
            sys.stdout.write("".join(f"{line}\n" for line in self.store.lines()))
        elif self.summary:
            sys.stderr.write(self.summary + "\n")

    async def _release(self) -> None:
        if self.writer:
            writer, self.writer = self.writer, None
            try:
                await writer.close()
            except ArchiveError as error:
                self.fail(str(error))
                self.exit_status = self.exit_status or NEEDS_A_PERSON
        if self.archive:
            self.archive.close()
        if self._server:
            server, self._server = self._server, None
            await asyncio.to_thread(server.release)
