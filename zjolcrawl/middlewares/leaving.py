"""A host that is to be another run's is asked for nothing more that has not begun."""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler

from zjolcrawl.extensions.leases import FED, HOST, LeaseLost
from zjolcrawl.extensions.run_ledger import RunLedger


class LeavingMiddleware:
    """Turns back links that the feed gave and that wait in the scheduler; what was begun goes on: another
    page of an article, a redirect, a second attempt.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raises LeaseLost."""
        meta = request.meta
        if not meta.get(FED) or "redirect_times" in meta or "retry_times" in meta:
            return
        leases = RunLedger.of(self.crawler).leases
        if leases and meta[HOST] in leases.leaving:
            raise LeaseLost(f"{meta[HOST]} is left to another run")
