"""Shows the progress of a run in the terminal, and nothing without a terminal (cron)."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Self

from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from zjolcrawl.display.terminal import console
from zjolcrawl.extensions.run_ledger import RunLedger
from zjolcrawl.processes import PART_REPORTS, report

_EVERY = 0.5  # seconds


def counting_bar(*, shown: bool = True) -> Bar:
    """A transient progress line on stderr; disabled if stderr is not a terminal."""
    return Bar(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=console(stderr=True), transient=True, disable=not (shown and sys.stderr.isatty()),
    )  # fmt: skip


def describe(counts: Mapping[str, int]) -> str:
    """One line of a run's counts so far."""
    stored = sum(counts.get(name, 0) for name in ("new", "changed", "reread", "same"))
    bad = sum(counts.get(name, 0) for name in ("rejected", "failed", "gone"))
    return (
        f"{counts.get('pages', 0)} column pages · {counts.get('links', 0)} links · "
        f"{stored} articles stored ({counts.get('new', 0)} new) · {bad} not stored"
    )


class Progress:
    """Progress line on stderr with counts of pages, links and articles.

    In a part of `reparse` it reports the counts to the parent process instead, and stops the run if
    the parent has ended.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._is_part = crawler.settings.getbool(PART_REPORTS)
        self._bar = counting_bar(shown=not self._is_part)
        self._ticking: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured if stderr is not a terminal and the run is not a part."""
        if not sys.stderr.isatty() and not crawler.settings.getbool(PART_REPORTS):
            raise NotConfigured
        progress = cls(crawler)
        crawler.signals.connect(progress.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(progress.spider_closed, signal=signals.spider_closed)
        return progress

    def spider_opened(self) -> None:
        self._bar.start()
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def spider_closed(self) -> None:
        if self._ticking:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        self._bar.stop()

    async def _tick(self) -> None:
        task = self._bar.add_task("starting")
        ledger = RunLedger.of(self.crawler)
        while True:
            counts = ledger.counts + (ledger.store.counts if ledger.store else Counter())
            self._bar.update(task, description=describe(counts))
            if self._is_part:
                try:
                    report(counts)
                except BrokenPipeError:
                    ledger.stop("the process that started this part has ended", "shutdown")
                    return
            await asyncio.sleep(_EVERY)
