"""Base class for spiders that read lists: column pages and paper issues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from zjolcrawl.items import READ_KINDS, ColumnVisit, Link, WalkEnd
from zjolcrawl.middlewares.own_hosts import OffSite
from zjolcrawl.parsing.column_page import ColumnPage, link_day_of, read_column
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.list_links import ListedLink
from zjolcrawl.parsing.paper_page import read_paper_page
from zjolcrawl.parsing.urls import is_own_host, is_paper_page
from zjolcrawl.request_meta import SEEN_AT, after
from zjolcrawl.run.leases import LeaseLost
from zjolcrawl.site.catalogue import Column
from zjolcrawl.spiders.feed import Feed
from zjolcrawl.spiders.host_queue import Listing
from zjolcrawl.spiders.reader import ArticleReader
from zjolcrawl.spiders.responses import error_of, reason_of, target_of

_REASONS = {
    "app": "app page: its ids are re-used, so it is recorded and never rewritten",
    "video": "video page: recorded, not read",
    "topic": "topic page: a collection of links, recorded, not read",
    "offsite": "leads off the site",
}


class ListReader(ArticleReader):
    """Base spider: parses a page of a column or of a paper issue and yields what it lists."""

    ends: tuple[str, ...] = ()
    """Fields of a `columns` row that hold the time at which a list's walk ended."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.requested_urls: set[str] | None = None  # in this run; None without `recheck`

    async def start(self) -> AsyncIterator[Any]:
        """Requests from the feed: the wanted lists and the links that are due."""
        self.feed = Feed(self, self.listings())
        with self.run.stops_if_lost():
            async for request in self.feed.requests():
                yield request

    def listings(self) -> Iterable[Listing]:
        """The lists to walk."""
        raise NotImplementedError

    def begin(self, list_id: str, row: dict[str, Any]) -> Iterable[Request]:
        """The requests that begin the walk of this list; `row` is its row in `columns`."""
        raise NotImplementedError

    def ends_of(self, visits: Iterable[ColumnVisit | WalkEnd]) -> Iterable[str]:
        """The ids of the lists whose walk these items end."""
        return ()

    def wanted_day(self, url: str, listed_at: datetime | None) -> bool:
        """Whether a link's day is wanted; a link without a known day is."""
        moment = link_day_of(url, listed_at)
        return moment is None or china_day(moment) in self.days

    async def record_list(
        self, page: ColumnPage, column: Column, response: Response
    ) -> tuple[bool, list[Request]]:
        """Record the links of a page in the frontier, before any request for them: a crash leaves them pending.

        Returns whether it lacked one of them, and the requests that need not wait for the feed: with
        `recheck`, one for each article link of the wanted days, once per run. Raises StoreError.
        """
        links = [link_of_list(each, column, response.meta.get(SEEN_AT)) for each in page.links]
        if not links:
            return False, []
        found = await (await self.run.open()).discover(links)
        if self.feed:
            self.feed.note_links(links)
        requests = []
        for link in links if self.requested_urls is not None else ():
            if link.kind in READ_KINDS and self.wanted_day(link.url, link.listed_at):
                requests += self._recheck(link, column, response)
        return bool(found.new), requests

    def _recheck(self, link: Link, column: Column, response: Response) -> list[Request]:
        if self.requested_urls is None or link.url in self.requested_urls:
            return []
        self.requested_urls.add(link.url)
        if self.feed:
            self.feed.note_recheck(column.id, link)
        return [after(response, self.article_request(link, link.fetch_url or link.url))]

    def read_list(
        self,
        response: Response,
        column: Column,
        number: int,
        lists: set[int],
        *,
        probe: bool,
        below: str | None = None,
    ) -> tuple[ColumnVisit | None, ColumnPage | None]:
        """The visit and the parsed page; either can be None.

        The page is None if its links are not wanted: on a 304, an error, or a repeated list.
        `number` counts a column's pages from 0. `lists` holds the walk's lists so far; this one is
        added. `probe`: nothing links this page, so it may be missing or repeat the last one.
        `below` is the address that a page of an issue must be below; elsewhere is another issue.
        """
        if response.status == 304:
            return self.visit(column, number, response), None
        if (target := target_of(response)) and not is_own_host(target):  # ftp:, data: …
            error = reason_of(OffSite(f"leads off the site: {target}"))
            return self.visit(column, number, response, error=error), None
        if response.status != 200:
            missing = probe and response.status == 404
            error = f"HTTP {response.status}"
            return None if missing else self.visit(column, number, response, error=error), None
        if not is_own_host(response.url):
            error = f"redirects off the site to {response.url}"
            return self.visit(column, number, response, error=error), None
        if below and not _lies_below(response.url, below):
            error = f"redirects to {response.url}"
            return None if probe else self.visit(column, number, response, error=error), None
        read = read_paper_page if is_paper_page(response.url) else read_column
        page = self.pages.read_list(read, response.body, response.url)
        fingerprint = hash(tuple(link.url for link in page.links))
        repeated = fingerprint in lists
        lists.add(fingerprint)
        if repeated and probe:
            return None, None
        visit = self.visit(column, number, response, page, error=page.fault)
        return visit, None if repeated else page

    def visit(
        self,
        column: Column,
        number: int,
        response: Response,
        page: ColumnPage | None = None,
        *,
        error: str | None = None,
    ) -> ColumnVisit:
        """The record of a column page that was answered."""
        dates = [link.listed_at for link in page.links if link.listed_at] if page else []
        return ColumnVisit(
            column=column.id,
            url=response.url,
            page=number,
            links=len(page.links) if page else 0,
            newest_listed_at=max(dates, default=None),
            pages_total=page.pages_total if page else None,
            not_modified=response.status == 304,
            entry=asdict(column),
            error=error,
            seen_at=response.meta.get(SEEN_AT),
        )

    def column_failed(self, failure: Failure) -> Iterator[ColumnVisit]:
        """Scrapy errback: record the reason for the column; the run continues."""
        request: Request = failure.request  # type: ignore[attr-defined]
        column, number = (request.cb_kwargs[name] for name in ("column", "number"))
        error = error_of(failure)
        if isinstance(error, LeaseLost):
            if self.feed:
                self.feed.note_dropped_walk(column.id)
            return
        reason, seen_at = reason_of(error), request.meta.get(SEEN_AT)
        yield failed_visit(column, number, request.url, reason, seen_at)


def _lies_below(url: str, address: str) -> bool:
    return url.partition("://")[2].startswith(address.partition("://")[2])


def failed_visit(
    column: Column, number: int, url: str, reason: str, seen_at: datetime | None
) -> ColumnVisit:
    """The record of a column page that got no answer."""
    return ColumnVisit(
        column.id, url, number, 0, entry=asdict(column), error=reason, seen_at=seen_at
    )


def link_of_list(listed: ListedLink, column: Column, seen_at: datetime | None) -> Link:
    """The frontier's Link for a listed link."""
    reason = _REASONS.get(listed.kind)
    return Link(
        listed.url, listed.kind, [column.id], listed.title, listed.listed_at, reason, seen_at,
        listed.fetch_url,
    )  # fmt: skip
