"""Downloader middleware that stops new requests to a host that another run gets, or of a run that ends."""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler

from zjolcrawl.request_meta import FED, HOST
from zjolcrawl.run.leases import HALTED, LeaseLost
from zjolcrawl.run.run import Run, run_of


class LeavingMiddleware:
    """Drops a scheduled link from the feed if its host is being given back.

    Started work continues: further pages of an article, redirects and retries.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a run."""
        return cls(run_of(crawler))

    def process_request(self, request: Request) -> None:
        """Raises LeaseLost for a link of a host that is being given back, and for all once the run is stopped."""
        meta, leases = request.meta, self._run.leases
        if leases and leases.halted:
            raise LeaseLost(HALTED)
        if not meta.get(FED) or "redirect_times" in meta or "retry_times" in meta:
            return
        if leases and meta[HOST] in leases.to_give_back:
            raise LeaseLost(f"{meta[HOST]} is being given to another run")
