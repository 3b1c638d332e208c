"""Progress in a terminal; nothing under cron."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Self

from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from zjolcrawl.extensions.run_ledger import RunLedger
from zjolcrawl.terminal import console

_EVERY = 0.5  # seconds


class Progress:
    """A line on stderr that counts pages, links and articles while the crawl runs."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console(stderr=True),
            transient=True,
        )
        self._ticking: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy. Not configured where stderr is no terminal."""
        if not sys.stderr.isatty():
            raise NotConfigured
        progress = cls(crawler)
        crawler.signals.connect(progress.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(progress.spider_closed, signal=signals.spider_closed)
        return progress

    def spider_opened(self) -> None:
        """Scrapy signal."""
        self._bar.start()
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def spider_closed(self) -> None:
        """Scrapy signal."""
        if self._ticking:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        self._bar.stop()

    async def _tick(self) -> None:
        task = self._bar.add_task("starting")
        while True:
            self._bar.update(task, description=self._line())
            await asyncio.sleep(_EVERY)

    def _line(self) -> str:
        ledger = self.crawler.get_extension(RunLedger)
        counts = ledger.store.counts if ledger and ledger.store else {}
        stored = sum(counts.get(name, 0) for name in ("new", "changed", "same"))
        bad = sum(counts.get(name, 0) for name in ("rejected", "failed", "gone"))
        return (
            f"{counts.get('pages', 0)} column pages · {counts.get('links', 0)} links · "
            f"{stored} articles stored ({counts.get('new', 0)} new) · {bad} not"
        )
