"""A run's hosts: it asks those that it holds, and others in passing, as if all runs were one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bson import ObjectId
from pymongo.errors import PyMongoError
from scrapy import Request
from scrapy.core.downloader import Downloader, Slot
from scrapy.crawler import Crawler
from scrapy.utils.httpobj import urlparse_cached

from zjolcrawl.storage.hosts import Hosts, Live, Taken
from zjolcrawl.storage.store import Store

logger = logging.getLogger(__name__)
HOST = "leased"
"""The host, in a request's meta, whose lease it needs: that of the list or article that it began with."""
FED = "fed"
"""Marks, in its meta, a request for a link that the feed gave."""
_BEATS = 5  # in the time of a lease
_LOOK = 0.1  # seconds between two looks for a turn


class LeaseLost(Exception):
    """Another run asks the host now, or the run ends: the request was not made, and its link is as it was."""


class Leases:
    """The hosts that a run has `held` since it took them, and the runs that are `live` beside it.

    Every few seconds a heartbeat renews what is held. If MongoDB does not answer, or this process was not
    let run, the leases are past before another run can have them: then requests wait for the next heartbeat,
    and those for a host that was lost are not made (LeaseLost).
    """

    def __init__(self, crawler: Crawler, store: Store) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.held: set[str] = set()
        self.leaving: set[str] = set()  # of these, those that are to be given back
        self.live: list[Live] = []
        self.seconds = settings.getfloat("LEASE_SECONDS")
        self._store = store
        self._hosts = Hosts(store.db, store.run_id, self.seconds)
        self._place = f"{socket.gethostname()}:{Path(settings['DATA_DIR']).resolve()}"
        self._most = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._delay = settings.getfloat("DOWNLOAD_DELAY")
        self._longest = settings.getfloat("AUTOTHROTTLE_MAX_DELAY")
        self._throttled = settings.getbool("AUTOTHROTTLE_ENABLED")
        self._until = 0.0  # by this process's clock: what is held is held at least until then
        self._beaten = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None
        self._asked: dict[str, float] = {}  # when a host was asked last
        # When a host may be asked next, where its slot does not know.
        self._free_from: dict[str, float] = {}
        self._crawl_delays: dict[str, float] = {}
        # Scrapy (2.19) begins all that waits in a slot at once, however many may be, where there is no delay.
        self._places = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(self._most))
        self._turns_from = 0.0

    async def begin(self) -> None:
        """Live, from now on. Raises PyMongoError."""
        began = time.monotonic()
        await self._hosts.begin(self._place)
        self._renewed(began)
        self.live = await self._hosts.live()
        # Who believes to be alone knows better with its next heartbeat.
        self._turns_from = time.monotonic() + self.seconds / _BEATS
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def end(self) -> None:
        """Give everything back; where MongoDB does not answer, it is free once the leases are past.
        Nothing the second time.
        """
        if self._beating is None:
            return
        beating, self._beating = self._beating, None
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        if self._store.lost or self._store.away:
            return
        with contextlib.suppress(PyMongoError):
            for host in list(self.held):
                await self.give_back(host)
            await self._hosts.end()

    def crowd(self) -> list[Live]:
        """The runs that live and were asked for the same as this one; itself alone, before it is known."""
        mine = [each.arguments for each in self.live if each.run == self._hosts.run]
        return [each for each in self.live if each.arguments in mine]

    async def take(self, host: str) -> bool:
        """Whether the host is held now. Raises PyMongoError."""
        began = time.monotonic()
        if self._beating is None or (taken := await self._hosts.take(host)) is None:
            return False
        if not self.held:
            self._renewed(began)
        self.held.add(host)
        delay = self._delay
        if taken.delay is not None and self._throttled:
            delay = max(delay, taken.delay)
            if slot := self._slot(host):
                slot.delay = delay
            else:  # as the slot will be made
                self._downloader.per_slot_settings.setdefault(host, {"delay": delay})
        if taken.crawl_delay is not None:
            self.slow_down(host, taken.crawl_delay)
        if taken.idle is not None:
            delay = max(delay, self._crawl_delays.get(host, 0.0))
            self._free_from[host] = began + delay - taken.idle
        return True

    async def give_back(self, host: str) -> None:
        """Let another run have the host. Raises PyMongoError."""
        self.held.discard(host)
        self.leaving.discard(host)
        asked, slot = self._asked.get(host), self._slot(host)
        idle = None if asked is None else time.monotonic() - asked
        delay = slot.delay if slot else None
        await self._hosts.give_back(host, Taken(idle, delay, self._crawl_delays.get(host)))

    def slow_down(self, host: str, crawl_delay: float | None) -> None:
        """Keep the Crawl-delay of a host's robots.txt, in seconds, up to AUTOTHROTTLE_MAX_DELAY."""
        self._crawl_delays.pop(host, None)
        if crawl_delay:
            self._crawl_delays[host] = min(crawl_delay, self._longest)

    @asynccontextmanager
    async def asking(self, request: Request) -> AsyncIterator[None]:
        """While a request is made: waits until it may be. Raises LeaseLost."""
        host = urlparse_cached(request).hostname or ""
        needed: str | None = request.meta.get(HOST)
        async with self._places[host]:
            await self._pause(host)
            async with self._leave_to(host, needed):
                self._asked[host] = time.monotonic()
                if slot := self._slot(host):  # the next one's delay counts from now
                    slot.lastseen = self._asked[host]
                yield

    @asynccontextmanager
    async def _leave_to(self, host: str, needed: str | None) -> AsyncIterator[None]:
        """While the host is this run's to ask, by its lease or by a turn. Raises LeaseLost."""
        if needed and not await self._is_sure(needed):
            raise LeaseLost(f"another run asks {needed}")
        turn = None
        if host != needed and not await self._is_sure(host):
            turn = await self._turn(host)
        try:
            yield
        finally:
            if turn:
                with contextlib.suppress(PyMongoError):  # it ends by itself
                    await self._hosts.end_turn(host, turn)

    async def _pause(self, host: str) -> None:
        """Wait as long after the host's last holder, and after the request before, as it asks for."""
        now = time.monotonic()
        free = max(now, self._free_from.get(host, now))
        if crawl_delay := self._crawl_delays.get(host):
            self._free_from[host] = free + crawl_delay
        if free > now:
            await asyncio.sleep(free - now)

    async def _is_sure(self, host: str) -> bool:
        """Whether the host is held, once that is sure."""
        while host in self.held and time.monotonic() >= self._until:
            self._check()
            await self._next_beat()
        return host in self.held

    async def _turn(self, host: str) -> ObjectId | None:
        """A turn at a host that is not held; none is needed by a run that is the only one."""
        if len(self.live) < 2:
            return None
        turn = ObjectId()
        await asyncio.sleep(max(0.0, self._turns_from - time.monotonic()))
        while True:
            self._check()
            with contextlib.suppress(PyMongoError):
                if await self._hosts.take_turn(host, turn, self._most, self._delay):
                    return turn
            await asyncio.sleep(_LOOK)

    @property
    def _downloader(self) -> Downloader:
        assert self.crawler.engine is not None
        return self.crawler.engine.downloader

    def _slot(self, host: str) -> Slot | None:
        return self._downloader.slots.get(host)

    def _check(self) -> None:
        if self._store.lost:
            raise LeaseLost("MongoDB was lost")

    async def _next_beat(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._beaten.wait(), 1.0)

    async def _beat(self) -> None:
        every = wait = self.seconds / _BEATS
        while True:
            await asyncio.sleep(wait)
            began, before = time.monotonic(), set(self.held)
            try:
                await self._hosts.renew(before)
                mine, self.live = await self._hosts.held(), await self._hosts.live()
            except Exception as error:  # whatever it is, the next heartbeat may do better
                logger.info("The leases of hosts were not renewed: %s", error)
                wait = min(every, 1.0)
                continue
            wait = every
            for host in (before & self.held) - mine:
                logger.warning("The lease of %s was lost: another run asks it now", host)
                self.held.discard(host)
                self.leaving.discard(host)
            self._renewed(began)

    def _renewed(self, began: float) -> None:
        """What is held is so for the time of a lease from the moment it was asked for, less a margin."""
        self._until = began + self.seconds * (1 - 1 / _BEATS)
        self._beaten.set()
        self._beaten = asyncio.Event()
