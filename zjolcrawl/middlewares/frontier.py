"""Spider middleware that records every link in the frontier before its request is scheduled."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from zjolcrawl.extensions.leases import HOST
from zjolcrawl.extensions.run_ledger import RunLedger
from zjolcrawl.items import ColumnVisit, Link, Outcome, WalkEnd
from zjolcrawl.storage.link_recorder import Recorded

logger = logging.getLogger(__name__)
_START_BATCH = 100
CONDITIONS = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
"""Validator name in a frontier row to the request header that makes a request conditional."""


class FrontierMiddleware:
    """Writes a page's links in one durable bulk write, then releases its requests.

    A request carries its link in `cb_kwargs["link"]`. A Link item without a request ends here; the
    feed requests it later. A request with an item in `meta["unless_known"]` is replaced by that
    item if the page listed no unknown link. Requests from a page need the same host lease as the
    page.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Record the start links in batches: a file may name thousands."""
        batch: list[Any] = []
        async for each in start:
            if not batch and not _link_of(each):
                yield each
                continue
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
        """Hold a callback's output until its links are written."""
        batch = [each async for each in result]
        if host := response.meta.get(HOST):
            for each in batch:
                if isinstance(each, Request):
                    each.meta.setdefault(HOST, host)
        for ready in await self._recorded(batch):
            yield ready

    async def process_spider_exception(
        self, response: Response, exception: Exception
    ) -> AsyncIterator[Any]:
        """Turn an exception in a callback into a recorded outcome, and log the traceback."""
        told = response.request.cb_kwargs if response.request else {}
        reason, seen_at = f"{type(exception).__name__}: {exception}", response.meta.get("seen_at")
        logger.error("Could not process %s", response.url, exc_info=exception)
        if link := told.get("link"):
            yield Outcome(
                link.url, "rejected", reason, status=response.status, final_url=response.url,
                seen_at=seen_at, warc=response.meta.get("warc"),
            )  # fmt: skip
        elif column := told.get("column"):
            yield ColumnVisit(
                column.id, response.url, told["number"], 0,
                entry=asdict(column), error=reason, seen_at=seen_at,
            )  # fmt: skip

    async def _recorded(self, batch: list[Any]) -> list[Any]:
        """The batch without links that are only recorded and requests that are not needed."""
        links = [link for each in batch if (link := _link_of(each))]
        found = Recorded()
        if links:
            found = await (await RunLedger.of(self.crawler).open()).discover(links)
            if feed := getattr(self.crawler.spider, "feed", None):
                feed.found(links)
        return [ready for each in batch if (ready := _ready(each, found))]


def conditional_headers(row: dict[str, Any]) -> dict[str, str]:
    """Headers that make a request conditional on the validators in the row."""
    return {header: row[name] for name, header in CONDITIONS.items() if row.get(name)}


def _ready(each: Any, found: Recorded) -> Any:
    """What to pass on for one output of a callback; None drops it."""
    if isinstance(each, Link):
        return None
    if isinstance(each, WalkEnd) and each.complete is None:
        each.complete = not found.new
    if not isinstance(each, Request):
        return each
    instead = each.meta.pop("unless_known", None)
    return instead if instead and not found.new else each


def _link_of(each: Any) -> Link | None:
    if isinstance(each, Link):
        return each
    if isinstance(each, Request) and not each.meta.get("link_recorded"):
        return each.cb_kwargs.get("link")
    return None
