"""A worker of a crowd: between the shared queue and Scrapy's engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, Spider, signals
from scrapy.core.engine import ExecutionEngine
from scrapy.core.scheduler import Scheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.utils.defer import deferred_from_coro
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred

from zjolcrawl.cluster import CrowdLost, is_worker
from zjolcrawl.cluster.crawl import SharedCrawl
from zjolcrawl.cluster.manners import first_delay
from zjolcrawl.cluster.membership import Membership
from zjolcrawl.cluster.orders import ORDER, column_id, link_of, order_of
from zjolcrawl.cluster.server import ServerAway
from zjolcrawl.extensions.run_ledger import RunLedger
from zjolcrawl.items import WalkEnd
from zjolcrawl.storage.buffer import Buffer
from zjolcrawl.storage.errors import StoreError

if TYPE_CHECKING:
    from zjolcrawl.spiders.column import ColumnSpider

logger = logging.getLogger(__name__)
_AHEAD = 4  # requests that wait here beside those that are under way: a tick's worth
_TICK, _IDLE = 0.02, 0.25  # seconds between two rounds, at least and at most
_FED = 1000  # orders that wait in Redis while the leader still gives start links


class CrowdScheduler(Scheduler):
    """Scrapy's own scheduler for what follows from a taken order; the rest goes to the shared queue.

    Nothing here waits for Redis but one task, which takes orders in small batches before they are
    wanted, and tells what was pushed and done. Without REDIS_URL this is not used at all.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy. Scrapy's own scheduler where the crawl is not shared."""
        if not is_worker(crawler):
            return Scheduler.from_crawler(crawler)  # type: ignore[return-value]
        return super().from_crawler(crawler)

    def open(self, spider: Spider) -> Deferred[None] | None:
        """Called by Scrapy."""
        assert self.crawler is not None
        settings = self.crawler.settings
        self._hosts: Counter[str] = Counter()  # of the requests that wait here
        self._wake = asyncio.Event()
        self._working: asyncio.Task[None] | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._most = settings.getint("CONCURRENT_REQUESTS")
        self._most_of_host = 2 * settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._delay = first_delay(self.crawler)
        self._looked = self._busy = time.monotonic()
        self._member = Membership.of(self.crawler)
        self.crawl = SharedCrawl(
            self._member,
            settings.get("MONGODB_DATABASE"),
            spider.name,
            getattr(spider, "given", {}),
        )
        # By then the pipelines have opened the store.
        self.crawler.signals.connect(self._join, signal=signals.spider_opened)
        return super().open(spider)

    def close(self, reason: str) -> Deferred[None] | None:
        """Called by Scrapy, after the pipelines wrote their last."""
        super().close(reason)
        return deferred_from_coro(self._part())

    def enqueue_request(self, request: Request) -> bool:
        """Keep it, or have it queued for all; whether it is new there is not known yet."""
        if order := order_of(request):
            self.crawl.push(order)
            self._wake.set()
            return True
        self._hosts[_host(request)] += 1
        return super().enqueue_request(request)

    def next_request(self) -> Request | None:
        """What is here already."""
        if request := super().next_request():
            self._hosts[_host(request)] -= 1
        if len(self) < _AHEAD:
            self._wake.set()
        return request

    def has_pending_requests(self) -> bool:
        """Whether the crowd has work, not only this worker."""
        return super().has_pending_requests() or not self.crawl.over

    # --- life ---------------------------------------------------------------------------------

    async def _join(self) -> None:
        assert self.crawler is not None
        ledger = RunLedger.of(self.crawler)
        self._store = await ledger.open()
        await self._member.open()
        try:
            await self.crawl.join()
        except ServerAway as error:
            ledger.refuse(str(error))
            raise CloseSpider("redis_unavailable") from error
        self._store.after_write = self._written
        self._member.mended = self.crawl.join
        self._working = asyncio.get_running_loop().create_task(self._work())

    async def _part(self) -> None:
        if self._working is None:
            return
        for task in (self._feeding, self._working):
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._member.mended = None
        with contextlib.suppress(ServerAway):
            await self.crawl.part()

    async def _work(self) -> None:
        """Rounds, until the crawl is over."""
        ledger = RunLedger.of(self._the_crawler)
        try:
            while not self.crawl.over:
                with contextlib.suppress(ServerAway):  # the membership sees to it
                    await self._pause(await self._round())
        except CrowdLost as error:
            logger.info("%s", error)  # who lost it ends the run
        except StoreError as error:
            ledger.stop(str(error), "mongo_lost")
        except Exception as error:
            logger.exception("the worker broke")
            ledger.stop(f"the worker broke: {error}", "worker_broke")
        else:
            closing = self._engine.close_spider_async(reason="finished")
            self._closing = asyncio.ensure_future(closing)

    async def _pause(self, most: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), most)
        self._wake.clear()
        await asyncio.sleep(_TICK)

    async def _round(self) -> float:
        """Tell, look after the whole, take, rest; seconds to the next, if nothing happens before."""
        await self.crawl.settle()
        if time.monotonic() - self._looked >= self._member.every:
            self._looked = time.monotonic()
            await self._lead()
        active = self._engine.downloader.active
        wanted = self._most + _AHEAD - len(self) - len(active)
        if wanted <= 0 or not self._engine.running:
            return self._member.every
        have = self._hosts + Counter(map(_host, active))
        taken = await self.crawl.take(wanted, self._delay, self._most_of_host, have)
        await self._begin(taken.orders)
        if self._feeding and taken.waiting < _FED:
            # Whom the spider waits for is the crowd: its queue is nearly empty.
            self._the_crawler.signals.send_catch_log(signals.scheduler_empty)
        if not taken.orders:
            await self._rest(taken.waiting)
        return _IDLE if taken.wait is None else min(taken.wait, _IDLE)

    async def _lead(self) -> None:
        lead = await self.crawl.lead()
        if self._feeding and self._feeding.done():
            feeding, self._feeding = self._feeding, None
            feeding.result()
        if lead.begins and self._feeding is None:
            self._feeding = asyncio.get_running_loop().create_task(self._feed())

    async def _feed(self) -> None:
        """Give the crowd its start links; again, where Redis lost them meanwhile."""
        losses = self.crawl.losses
        del self._spider.asked[:]  # the shared seen-set is in its place
        async for request in self._spider.start():
            self.enqueue_request(request)
        if losses == self.crawl.losses:
            await self.crawl.started()

    async def _begin(self, orders: list[dict[str, Any]]) -> None:
        known: dict[str, Any] = {}
        if any("column" in order for order in orders):
            known = await self._store.columns()  # now: who had the walk before may have begun it
        columns = {column.id: column for column in self._spider.wanted.columns}
        for order in orders:
            if "column" in order:
                column = columns[order["column"]]
                request = self._spider.first_page(column, known.get(column.id, {}))
            else:
                request = self._spider.article_request(
                    link_of(order), order["fetch_url"], row=order["row"]
                )
            request.meta[ORDER] = order["id"]
            self._engine.crawl(request)

    async def _rest(self, waiting: int) -> None:
        """Nothing was to be had. What this worker holds though it does nothing came to no result."""
        scraper = self._engine.scraper.slot
        if len(self) or self._engine.downloader.active or not (scraper and scraper.is_idle()):
            self._busy = time.monotonic()
        elif time.monotonic() - self._busy > _IDLE:
            held = list(self.crawl.held)
            await self._store.flush()
            if not self._store.waiting():
                self.crawl.done(held)
            if not waiting:
                await self.crawl.close()

    def _written(self, buffer: Buffer) -> None:
        """What the store has made durable is held no more."""
        self.crawl.done(
            [
                *(sight.row for sight in buffer.articles.values()),
                *(each.url for each in buffer.unchanged),
                *(each.url for each in buffer.outcomes),
                *(
                    column_id(each.column)
                    for each in buffer.visits
                    if isinstance(each, WalkEnd) or each.error
                ),
            ]
        )
        self._wake.set()

    @property
    def _the_crawler(self) -> Crawler:
        assert self.crawler is not None
        return self.crawler

    @property
    def _engine(self) -> ExecutionEngine:
        assert self._the_crawler.engine is not None
        return self._the_crawler.engine

    @property
    def _spider(self) -> ColumnSpider:
        return self.spider  # type: ignore[return-value]


def _host(request: Request) -> str:
    return urlparse_cached(request).hostname or ""
