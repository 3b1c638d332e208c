"""Who reads a page: this process, or one beside it while pages come fast."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from zjolcrawl.parsing.column_page import ColumnPage
from zjolcrawl.reading.deadline import TooLong, within
from zjolcrawl.reading.process import Found, read_in_time
from zjolcrawl.reading.worker import Worker

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)
_BURST = 20  # pages within a second: no polite crawl asks for so many, and a process would idle
# Pages that a worker has before it; what comes while it has so many is read here. Seldom: the crawl has most
# to do by itself (with 16, which come at once, its own processor time is a third more), and what it fetches is
# bounded by SCRAPER_SLOT_MAX_ACTIVE_SIZE.
_AHEAD = 64
_LOSSES = 3  # processes lost, after which a crawl reads by itself


class PageReader:
    """Reads pages, with up to so many `processes` beside this one, each page in `seconds` of processor
    time at most.
    """

    def __init__(self, processes: int, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self._most = processes
        self._workers: list[Worker] = []
        self._starting: asyncio.Task[None] | None = None
        self._lost = 0
        self._asked: deque[float] = deque(maxlen=_BURST)

    async def read(self, body: bytes, url: str) -> Found:
        """What `read_article` returns, or raises, wherever it was called; a NotArticle that says so
        where it took too long.
        """
        if self._most:
            self._look()
            worker = min(self._workers, key=lambda each: each.waiting, default=None)
            if worker and worker.waiting < _AHEAD and (found := await worker.read(body, url)):
                return found
        return read_in_time(self.seconds, body, url)

    def read_list(
        self, read: Callable[[bytes, str], ColumnPage], body: bytes, url: str
    ) -> ColumnPage:
        """What `read` returns, here; a page with a fault where it took too long."""
        try:
            return within(self.seconds, read, body, url)
        except TooLong as error:
            return ColumnPage(fault=str(error))

    def read_other(
        self, read: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result | None:
        """What `read` returns, here; None, with a warning in the log, where it took too long."""
        try:
            return within(self.seconds, read, *given, **named)
        except TooLong as error:
            logger.warning("%s: %s", given[-1] if isinstance(given[-1], str) else "A page", error)
            return None

    async def close(self) -> None:
        """End the processes, and wait for that."""
        self._most = 0
        if self._starting:
            await self._starting
        workers, self._workers = self._workers, []
        for worker in workers:
            await worker.close()

    def _look(self) -> None:
        """Start a process where pages come fast; let go of one that was lost."""
        now = time.monotonic()
        busy = len(self._asked) == _BURST and now - self._asked[0] < 1
        self._asked.append(now)
        under_way = self._starting and not self._starting.done()
        if under_way or (len(self._workers) >= self._most and all(w.alive for w in self._workers)):
            return
        if busy or any(not worker.alive for worker in self._workers):
            self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        for worker in [each for each in self._workers if not each.alive]:
            self._workers.remove(worker)
            await worker.close()
            self._lost += 1
            logger.warning("A process that reads pages was lost; its pages are read here")
        if self._lost >= _LOSSES:
            self._most = 0
        while len(self._workers) < self._most:
            try:
                self._workers.append(await Worker.start(self.seconds))
            except OSError as error:
                logger.warning("No process to read pages: %s", error)
                self._most = 0
