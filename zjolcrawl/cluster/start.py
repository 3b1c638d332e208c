"""Start links come from the leader alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from zjolcrawl.cluster import is_worker


class SharedStart:
    """A worker begins with nothing: the scheduler of the one that leads asks the spider for the start."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy. Not configured where the crawl is not shared."""
        if not is_worker(crawler):
            raise NotConfigured
        return cls()

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """None of it."""
        nothing: tuple[Any, ...] = ()
        for each in nothing:
            yield each
