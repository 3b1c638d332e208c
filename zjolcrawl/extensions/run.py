"""Scrapy extension that ends the spider's run when the spider has closed."""

from __future__ import annotations

import logging
from typing import Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.utils.spider import DefaultSpider

from zjolcrawl.run.run import Run, find_run, run_of

logger = logging.getLogger(__name__)


class RunExtension:
    """Closes a run after the pipelines, which close with the spider, have written everything."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a run."""
        if find_run(crawler) is None and crawler.spidercls is not DefaultSpider:
            logger.warning(
                "Spider %s is not of zjolcrawl: nothing is archived or stored",
                crawler.spidercls.name,
            )
        extension = cls(run_of(crawler))
        crawler.signals.connect(extension.spider_closed, signal=signals.spider_closed)
        return extension

    async def spider_closed(self, spider: Spider, reason: str) -> None:
        await self.run.close(reason)
