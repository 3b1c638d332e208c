"""Host leases of a run, so that rate limits hold across parallel runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bson import ObjectId
from scrapy import Request
from scrapy.core.downloader import Downloader, Slot
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from zjolcrawl.request_meta import HOST
from zjolcrawl.storage.errors import DatabaseError
from zjolcrawl.storage.host_leases import HostLeases, HostState, LiveRun
from zjolcrawl.storage.store import Store

logger = logging.getLogger(__name__)
_BEATS = 5  # heartbeats per lease time
_GRACE = 5.0  # seconds that requests under way have to end when a signal ends the run
HALTED = "the run was stopped"
_TURN_INTERVAL = 0.1  # seconds between two attempts to get a turn


def folder_id(data_dir: Path) -> str:
    """A name for a folder that no other folder has: `host:path#mark`.

    The mark is made of the boot of the machine and the folder's device and inode, because two machines or
    containers may have one name and one path.
    """
    folder, boot = data_dir.resolve(), Path("/proc/sys/kernel/random/boot_id")
    status = folder.stat()
    mark = f"{status.st_dev:x}.{status.st_ino:x}"
    if boot.is_file():
        mark += f".{boot.read_text(encoding='ascii')[:8]}"
    return f"{socket.gethostname()}:{folder}#{mark}"


class LeaseLost(Exception):
    """The request was not made: another run leases the host, or this run ends. The link stays as is."""


class Leases:
    """The hosts that this run has leased (`held`), and the `live` runs beside it.

    A heartbeat renews the leases every few seconds. If MongoDB does not answer or this process is
    suspended, this run treats its leases as expired before another run can take them. Requests then
    wait for the next heartbeat; those for a lost host are not made (LeaseLost).
    """

    def __init__(self, crawler: Crawler, store: Store) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.held: dict[str, float] = {}  # monotonic time until which each lease is certain
        self.to_give_back: set[str] = set()  # the held hosts that will be given back
        self.live: list[LiveRun] = []
        self.seconds = settings.getfloat("LEASE_SECONDS")
        self._store = store
        self._hosts = HostLeases(store.db, store.run_id, self.seconds)
        self._folder_id = folder_id(Path(settings["DATA_DIR"]))
        self._concurrency = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._delay = settings.getfloat("DOWNLOAD_DELAY")
        self._longest = settings.getfloat("AUTOTHROTTLE_MAX_DELAY")
        self._throttled = settings.getbool("AUTOTHROTTLE_ENABLED")
        self._beat_done = asyncio.Event()
        self._beat_task: asyncio.Task[None] | None = None
        self._requested_at: dict[str, float] = {}  # monotonic time of the last request, by host
        # Monotonic time of a host's next allowed request, where Scrapy's slot does not know it.
        self._free_at: dict[str, float] = {}
        self._crawl_delays: dict[str, float] = {}
        # Without a delay, Scrapy 2.19 starts all waiting requests of a slot, above the concurrency limit.
        self._semaphores = defaultdict[str, asyncio.Semaphore](
            lambda: asyncio.Semaphore(self._concurrency)
        )
        self._known_from = 0.0  # monotonic time from which every live run knows of this one
        self._had_company = False  # whether another live run was ever seen
        self._alone_until = -math.inf  # monotonic time until which no other run takes a turn unseen
        self._halted = asyncio.Event()
        self._under_way: set[asyncio.Future[Response]] = set()

    async def begin(self) -> None:
        """Register the run as live and start the heartbeat. Raises DatabaseError."""
        await self._hosts.begin(self._folder_id)
        await self._refresh_live()
        # A run that was alone sends nothing without a turn after its next heartbeat is due.
        self._known_from = time.monotonic() + self.seconds / _BEATS
        self._beat_task = asyncio.get_running_loop().create_task(self._beat())

    async def end(self) -> None:
        """Give all hosts back; if MongoDB does not answer, the leases expire. Idempotent."""
        if self._beat_task is None:
            return
        beat_task, self._beat_task = self._beat_task, None
        beat_task.cancel()
        await asyncio.gather(beat_task, return_exceptions=True)
        if self._store.lost or self._store.away:
            return
        with contextlib.suppress(DatabaseError):
            for host in list(self.held):
                await self.give_back(host)
            await self._hosts.end()

    def peers(self) -> list[LiveRun]:
        """The live runs with the same arguments; empty before this run knows itself."""
        mine = [each.arguments for each in self.live if each.run == self._hosts.run]
        return [each for each in self.live if each.arguments in mine]

    async def take(self, host: str) -> bool:
        """Lease a host; returns whether this run holds it now, False also if MongoDB does not answer."""
        began, taken = time.monotonic(), None
        with contextlib.suppress(DatabaseError):
            taken = await self._hosts.take(host) if self._beat_task else None
        if taken is None:
            return False
        if (certain := self._expiry(began)) <= time.monotonic():
            return False  # this process was suspended: another run may have the host by now
        self.held[host] = certain
        delay = self._delay
        if taken.delay is not None and self._throttled:
            delay = max(delay, taken.delay)
            if slot := self._slot(host):
                slot.delay = delay
            else:  # the slot does not exist yet
                self._downloader.per_slot_settings.setdefault(host, {"delay": delay})
        if taken.crawl_delay is not None:
            self.slow_down(host, taken.crawl_delay)
        if taken.idle is not None:
            delay = max(delay, self._crawl_delays.get(host, 0.0))
            self._free_at[host] = began + delay - taken.idle
        return True

    async def give_back(self, host: str) -> None:
        """Give a host back to other runs; if MongoDB does not answer, the lease expires."""
        self.held.pop(host, None)
        self.to_give_back.discard(host)
        asked, slot = self._requested_at.get(host), self._slot(host)
        idle = None if asked is None else time.monotonic() - asked
        delay = slot.delay if slot else None
        with contextlib.suppress(DatabaseError):
            await self._hosts.give_back(host, HostState(idle, delay, self._crawl_delays.get(host)))

    def slow_down(self, host: str, crawl_delay: float | None) -> None:
        """Apply a host's Crawl-delay from robots.txt, in seconds, up to AUTOTHROTTLE_MAX_DELAY."""
        self._crawl_delays.pop(host, None)
        if crawl_delay:
            self._crawl_delays[host] = min(crawl_delay, self._longest)

    @property
    def halted(self) -> bool:
        """Whether no further request is made, because a signal ends the run."""
        return self._halted.is_set()

    def halt(self) -> None:
        """Drop the requests that wait, and cut off those under way after a few seconds: LeaseLost for each."""
        self._halted.set()
        for slot in self._downloader.slots.values():
            while slot.queue:
                _, waiting = slot.queue.popleft()
                waiting.errback(LeaseLost(HALTED))
        asyncio.get_running_loop().call_later(_GRACE, self._cut_off)

    def _cut_off(self) -> None:
        for each in self._under_way:
            each.cancel()

    async def response_to(self, sent: Coroutine[Any, Any, Response]) -> Response:
        """The response that a handler waits for. Raises what the handler raises, and LeaseLost when cut off."""
        task = asyncio.ensure_future(sent)
        self._under_way.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self.halted:
                raise LeaseLost(HALTED) from None
            raise
        finally:
            self._under_way.discard(task)

    @asynccontextmanager
    async def permission(self, request: Request) -> AsyncIterator[None]:
        """Context of one request: waits until the host may be requested. Raises LeaseLost."""
        host = urlparse_cached(request).hostname or ""
        needed: str | None = request.meta.get(HOST)
        async with self._semaphores[host]:
            await self._pause(host)
            async with self._by_lease_or_turn(host, needed):
                self._requested_at[host] = time.monotonic()
                if slot := self._slot(host):  # the next delay counts from now
                    slot.lastseen = self._requested_at[host]
                yield

    @asynccontextmanager
    async def _by_lease_or_turn(self, host: str, needed: str | None) -> AsyncIterator[None]:
        """Context in which this run may request the host, by lease or by turn. Raises LeaseLost."""
        if needed and not await self._is_held(needed):
            raise LeaseLost(f"another run leases {needed}")
        turn = None
        if host != needed and not await self._is_held(host):
            turn = await self._turn(host)
        try:
            yield
        finally:
            if turn:
                with contextlib.suppress(DatabaseError):  # else it expires
                    await self._hosts.end_turn(host, turn)

    async def _pause(self, host: str) -> None:
        """Wait for the delay after the host's previous holder, and for its Crawl-delay."""
        now = time.monotonic()
        free = max(now, self._free_at.get(host, now))
        if crawl_delay := self._crawl_delays.get(host):
            self._free_at[host] = free + crawl_delay
        if free > now:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._halted.wait(), free - now)
        self._check()

    async def _is_held(self, host: str) -> bool:
        """Whether the host is held; waits until that is certain."""
        while time.monotonic() >= self.held.get(host, math.inf):
            self._check()
            await self._next_beat()
        return host in self.held

    async def _turn(self, host: str) -> ObjectId | None:
        """Get a turn at a host that is not leased; None while no other run has lived beside this one.

        After that all requests take turns, for one without a turn would not wait for those that do.
        """
        while not self._had_company:
            if time.monotonic() < self._alone_until or not self._beat_task:
                return None
            self._check()
            await self._next_beat()
        turn = ObjectId()
        delay = max(self._delay, self._crawl_delays.get(host, 0.0))
        await asyncio.sleep(max(0.0, self._known_from + delay - time.monotonic()))
        while True:
            self._check()
            with contextlib.suppress(DatabaseError):
                if await self._hosts.take_turn(host, turn, self._concurrency, delay):
                    return turn
            await asyncio.sleep(_TURN_INTERVAL)

    @property
    def _downloader(self) -> Downloader:
        assert self.crawler.engine is not None
        return self.crawler.engine.downloader

    def _slot(self, host: str) -> Slot | None:
        return self._downloader.slots.get(host)

    def _check(self) -> None:
        if self._store.lost:
            raise LeaseLost("MongoDB was lost")
        if self.halted:
            raise LeaseLost(HALTED)

    async def _next_beat(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._beat_done.wait(), 1.0)

    async def _beat(self) -> None:
        every = wait = self.seconds / _BEATS
        # `end` cancels this task, but a cancellation can be lost (see Store._maintain).
        while self._beat_task:
            await asyncio.sleep(wait)
            began, before = time.monotonic(), set(self.held)
            try:
                await self._hosts.renew(before)
                mine = await self._hosts.held()
                await self._refresh_live()
            except Exception as error:  # the next heartbeat may succeed
                logger.info("Could not renew the host leases, retrying: %s", error)
                wait = min(every, 1.0)
                continue
            wait = every
            for host in before & self.held.keys():
                if host in mine:
                    self.held[host] = self._expiry(began)
                    continue
                logger.warning("The lease of %s was lost: another run has it now", host)
                del self.held[host]
                self.to_give_back.discard(host)
            self._beat_done.set()
            self._beat_done = asyncio.Event()

    async def _refresh_live(self) -> None:
        began = time.monotonic()
        self.live = await self._hosts.live()
        self._had_company |= len(self.live) > 1
        # A run that begins after this waits as long with requests that need a turn (`_known_from`).
        self._alone_until = began + self.seconds / _BEATS

    def _expiry(self, began: float) -> float:
        """When a lease that was requested at `began` ends, less a margin."""
        return began + self.seconds * (1 - 1 / _BEATS)
