"""A process that lives: its heartbeat in Redis, and what it does when Redis was away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Self
from uuid import uuid4

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured

from zjolcrawl.cluster import CrowdLost
from zjolcrawl.cluster.server import Server, ServerAway
from zjolcrawl.extensions.run_ledger import RunLedger

logger = logging.getLogger(__name__)
_AGAIN_SECONDS = 0.2  # between two looks for a Redis that is away

How = Literal["fresh", "mend", "lost"]
"""How a worker comes: for the first time, after a pause, or to a Redis that has forgotten something."""


class Membership:
    """A process among the others, known to them by `worker`.

    It counts as dead when it was silent for REDIS_LEASE seconds; what it held is others' then. `held` are
    its turns at hosts, by turn. `mended`, if set, is awaited when Redis is back, before anyone else may
    ask it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.lease = crawler.settings.getfloat("REDIS_LEASE")
        self.held: dict[str, str] = {}
        self.mended: Callable[[How], Awaitable[None]] | None = None
        self._patience = crawler.settings.getfloat("MONGODB_PATIENCE")
        self._server: Server | None = None
        self._opening = asyncio.Lock()
        self._there = asyncio.Event()
        self._lost: str | None = None
        self._beats = 0
        self._beating: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy. Not configured without REDIS_URL, nor for what asks no host."""
        if not crawler.settings.get("REDIS_URL") or getattr(crawler.spider, "offline", False):
            raise NotConfigured
        member = cls(crawler)
        crawler.signals.connect(member.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(member.spider_closed, signal=signals.spider_closed)
        return member

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The membership of a crawler that has begun."""
        member = crawler.get_extension(cls)
        assert member is not None
        return member

    @property
    def every(self) -> float:
        """Seconds between two beats."""
        return min(1.0, self.lease / 5)

    async def open(self) -> None:
        """Become known; nothing the second time. Raises CloseSpider where there is no Redis."""
        async with self._opening:
            if self._beating:
                return
            try:
                self._server = self._server or Server(self.crawler.settings.get("REDIS_URL"))
                await self._beat()
            except ServerAway as error:
                RunLedger.of(self.crawler).refuse(str(error))
                raise CloseSpider("redis_unavailable") from error
            self._there.set()
            self._beating = asyncio.get_running_loop().create_task(self._live())

    async def call(self, script: str, crawl: str, *arguments: str | float) -> Any:
        """A script's answer, once Redis gives one; it may then have run twice. Raises CrowdLost."""
        while True:
            await self._there.wait()
            if self._lost:
                raise CrowdLost(self._lost)
            try:
                return await self.ask(script, crawl, *arguments)
            except ServerAway as error:
                self._went_away(error)

    async def ask(self, script: str, crawl: str, *arguments: str | float) -> Any:
        """A script's answer now. Raises ServerAway."""
        assert self._server
        return await self._server.run(
            script, crawl, self.worker, round(self.lease * 1000), *arguments
        )

    def doubt(self) -> None:
        """Redis has forgotten something: nobody asks it before the next beat has mended that."""
        self._there.clear()

    async def spider_opened(self) -> None:
        """Scrapy signal."""
        await self.open()

    async def spider_closed(self) -> None:
        """Scrapy signal: others need not wait until the lease ends."""
        if self._beating:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
        if self._server:
            with contextlib.suppress(ServerAway):
                await self.ask("quit", "")
            await self._server.close()

    async def _live(self) -> None:
        """Beats, until Redis is lost. Whatever ends it ends the run: others wait for what it tells."""
        try:
            await self._beat_on()
        except Exception as error:
            logger.exception("the heartbeat broke")
            self._give_up(error)

    async def _beat_on(self) -> None:
        away_since: float | None = None
        while not self._lost:
            await asyncio.sleep(self.every if self._there.is_set() else _AGAIN_SECONDS)
            try:
                whole = await self._beat()
                if not whole or not self._there.is_set():
                    await self._mend("mend" if whole else "lost")
                    self._there.set()
                away_since = None
            except ServerAway as error:
                self._went_away(error)
                away_since = away_since or time.monotonic()
                assert self.crawler.engine is not None
                ends = not self.crawler.engine.running
                if ends or time.monotonic() - away_since > self._patience:
                    self._give_up(error)

    async def _beat(self) -> bool:
        """Whether Redis remembers all that it was told."""
        whole = bool(await self.ask("beat", "", self._beats))
        self._beats += 1
        return whole

    async def _mend(self, how: How) -> None:
        """Tell Redis again what is held. Raises ServerAway."""
        # Who else has turns is known once each has made its beat.
        quiet = round(2000 * self.every) + 500 if how == "lost" else 0
        told = [part for turn, host in self.held.items() for part in (host, turn)]
        await self.ask("regain", "", quiet, *told)
        if self.mended:
            await self.mended(how)
        logger.warning("Redis is back%s", " and had forgotten us" if how == "lost" else "")

    def _went_away(self, error: ServerAway) -> None:
        if self._there.is_set():
            self._there.clear()
            logger.warning("Redis is away: %s", error)

    def _give_up(self, error: Exception) -> None:
        self._lost = f"Redis was lost: {error}; what was not stored stays pending"
        self._there.set()
        RunLedger.of(self.crawler).stop(self._lost, "redis_lost")
