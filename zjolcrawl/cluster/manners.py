"""How often a host is asked, and how often at once: by all processes together."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict, deque
from itertools import count
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from zjolcrawl.cluster import CrowdLost
from zjolcrawl.cluster.membership import Membership

SLOT = "crowd"
"""The downloader slot of every request, without limits of its own (`DOWNLOAD_SLOTS`)."""
_TURN = "turn"  # in a request's meta, while it has one
_LOOKS = (0.01, 0.1)  # seconds between two looks at a busy host, first and at most
_LONGEST_WAIT = 1.0


class SharedManners:
    """Nearest the downloader: a request goes on once Redis gives it a turn at its host.

    CONCURRENT_REQUESTS_PER_DOMAIN turns a host are out at once, and one is given DOWNLOAD_DELAY seconds
    after another, in the whole crowd. With AUTOTHROTTLE_ENABLED the delay follows the latency as
    Scrapy's own extension has it. It is exact, not random: waits are made uneven by the crowd itself.
    A turn ends with the answer, with the process that has it, or by itself.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        settings = crawler.settings
        self._most = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._delay = first_delay(crawler)
        self._throttled = settings.getbool("AUTOTHROTTLE_ENABLED")
        self._bounds = [
            1000 * settings.getfloat(name) for name in ("DOWNLOAD_DELAY", "AUTOTHROTTLE_MAX_DELAY")
        ]
        self._target = settings.getfloat("AUTOTHROTTLE_TARGET_CONCURRENCY")
        self._longest = round(2000 * settings.getfloat("DOWNLOAD_TIMEOUT")) + 1000
        self._numbers = count()
        # The first of a host's requests asks for all of this process that wait behind it.
        self._doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[str] = Counter()
        self._given: defaultdict[str, deque[str]] = defaultdict(deque)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy. Not configured without REDIS_URL, nor for what asks no host."""
        if not crawler.settings.get("REDIS_URL") or getattr(crawler.spider, "offline", False):
            raise NotConfigured
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for a turn. Raises CrowdLost."""
        host = urlparse_cached(request).hostname or ""
        self._waiting[host] += 1
        try:
            async with self._doors[host]:
                if not self._given[host]:
                    await self._enter(host, patient=request.callback is NO_CALLBACK)
                turn = self._given[host].popleft()
        finally:
            self._waiting[host] -= 1
        # The waiting is done: the process's own slot and AutoThrottle are not to wait once more.
        request.meta[_TURN], request.meta["download_slot"] = turn, SLOT
        request.meta["autothrottle_dont_adjust_delay"] = True

    async def process_response(self, request: Request, response: Response) -> Response:
        """The turn ends."""
        await self._leave(request, response)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """The turn ends, if there was one."""
        await self._leave(request, None)

    async def _enter(self, host: str, *, patient: bool) -> None:
        """Get turns, one at least."""
        member, look, longest = Membership.of(self.crawler), *_LOOKS
        # A run that ends still fetches what its articles lack (`patient`), and begins no others.
        while True:
            assert self.crawler.engine is not None
            if not patient and not self.crawler.engine.running:
                raise CrowdLost("the run ends")
            wanted = [f"{member.worker}|{next(self._numbers)}" for _ in range(self._waiting[host])]
            wait, *turns = await member.call(
                "enter", "", host, self._most, 1000 * self._delay, self._longest, *wanted
            )
            if turns:
                member.held |= dict.fromkeys(turns, host)
                self._given[host].extend(turns)
                return
            await asyncio.sleep(min(wait / 1000, _LONGEST_WAIT) if wait > 0 else look)
            look = min(2 * look, longest)

    async def _leave(self, request: Request, response: Response | None) -> None:
        turn: str | None = request.meta.pop(_TURN, None)
        if turn is None:
            return
        member = Membership.of(self.crawler)
        host, told = member.held.pop(turn), list[str | float]()
        latency = request.meta.get("download_latency")
        if self._throttled and response is not None and latency is not None:
            target = 1000 * latency / self._target
            told = [1000 * self._delay, target, *self._bounds, int(response.status == 200)]
        with contextlib.suppress(CrowdLost):  # the answer is none the worse for it
            await member.call("leave", "", host, turn, *told)


def first_delay(crawler: Crawler) -> float:
    """Seconds between two requests to a host of which nothing is known yet."""
    settings = crawler.settings
    throttled = settings.getbool("AUTOTHROTTLE_ENABLED")
    start = settings.getfloat("AUTOTHROTTLE_START_DELAY") if throttled else 0.0
    return max(settings.getfloat("DOWNLOAD_DELAY"), start)
