"""Shows the progress of a run in the terminal, and nothing without a terminal (cron)."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from zjolcrawl.display.progress import counting_bar, describe
from zjolcrawl.run.reparse_jobs import PART_REPORTS, report
from zjolcrawl.run.run import Run, run_of

_EVERY = 0.5  # seconds


class Progress:
    """Progress line on stderr with counts of pages, links and articles.

    In a part of `reparse` it reports the counts to the parent process instead, and stops the run if
    the parent has ended.
    """

    def __init__(self, run: Run, *, is_part: bool) -> None:
        self._run, self._is_part = run, is_part
        self._bar = counting_bar(shown=not self._is_part)
        self._ticking: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured if stderr is not a terminal and the run is not a part."""
        is_part = crawler.settings.getbool(PART_REPORTS)
        if not sys.stderr.isatty() and not is_part:
            raise NotConfigured
        progress = cls(run_of(crawler), is_part=is_part)
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
        run = self._run
        while True:
            counts = run.counts + (run.store.counts if run.store else Counter())
            self._bar.update(task, description=describe(counts))
            if self._is_part:
                try:
                    report(counts)
                except BrokenPipeError:
                    run.stop("the process that started this part has ended", "shutdown")
                    return
            await asyncio.sleep(_EVERY)
