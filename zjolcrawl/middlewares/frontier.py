"""Every link is in the frontier before its request can be scheduled."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from zjolcrawl.extensions.run_ledger import RunLedger
from zjolcrawl.items import Link, Outcome

logger = logging.getLogger(__name__)
_START_BATCH = 100


class FrontierMiddleware:
    """Writes a page's links in one durable bulk, then lets its requests go.

    A request carries its link in `cb_kwargs["link"]`; a link without a request is yielded as a
    Link item and ends here.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Links given by hand, in batches: a file may name thousands."""
        batch: list[Any] = []
        async for each in start:
            batch.append(each)
            if len(batch) >= _START_BATCH:
                for ready in await self._recorded(batch):
                    yield ready
                batch = []
        for ready in await self._recorded(batch):
            yield ready

    async def process_spider_output(
        self, response: Response, result: AsyncIterator[Any]
    ) -> AsyncIterator[Any]:
        """All of a callback's output is held until its links are written."""
        batch = [each async for each in result]
        for ready in await self._recorded(batch):
            yield ready

    async def process_spider_exception(
        self, response: Response, exception: Exception
    ) -> AsyncIterator[Any]:
        """A page that our code cannot take is rejected, not lost; the traceback is logged."""
        url = response.request.url if response.request else response.url
        link: Link | None = response.request.cb_kwargs.get("link") if response.request else None
        logger.error("Could not process %s", url, exc_info=exception)
        if link:
            yield Outcome(
                link.url, "rejected", f"{type(exception).__name__}: {exception}",
                status=response.status, final_url=response.url,
            )  # fmt: skip

    async def _recorded(self, batch: list[Any]) -> list[Any]:
        links = [link for each in batch if (link := _link_of(each))]
        if links:
            ledger = self.crawler.get_extension(RunLedger)
            assert ledger is not None
            await (await ledger.open()).discover(links)
        return [each for each in batch if not isinstance(each, Link)]


def _link_of(each: Any) -> Link | None:
    if isinstance(each, Link):
        return each
    if isinstance(each, Request) and not each.meta.get("link_recorded"):
        return each.cb_kwargs.get("link")
    return None
