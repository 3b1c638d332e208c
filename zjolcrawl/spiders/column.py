"""`scrapy crawl column`: crawls column (栏目) pages and the articles that they list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timezone
from typing import Any

from scrapy import Request
from scrapy.http import Response

from zjolcrawl.arguments import column_arguments
from zjolcrawl.items import ColumnVisit, WalkEnd
from zjolcrawl.request_meta import CONTEXT, SEEN_AT, after
from zjolcrawl.site.catalogue import Column, switched_off
from zjolcrawl.spiders.context import Days, column_context
from zjolcrawl.spiders.lists import ListReader
from zjolcrawl.spiders.responses import conditional_headers, validators_of
from zjolcrawl.spiders.walk import Limits, Walk


class ColumnSpider(ListReader):
    """Crawls columns page by page.

    1. Links of the columns that are pending or due for a revisit are requested, host by host (see
       `Feed`).
    2. A column page is parsed and its links are recorded in the frontier, where step 1 finds them.
    3. The next page is the one that the page links. For a catalogue entry with `paging = "index"`
       the spider tries `index_N` if the page links none. `walk.py` says when a walk ends.
    """

    name = "column"
    ends = ("walked_at", "last_error_at")
    parse_arguments = staticmethod(column_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.wanted = column_arguments(**arguments)
        self.days = Days(self.wanted.since, self.wanted.until)
        self.requested_urls = set() if self.wanted.recheck else None

    def listings(self) -> Iterable[Column]:
        """The columns to crawl; those that the user has switched off are counted, if all are crawled."""
        if not self.given.keys() & {"column", "url"}:
            self.run.counts["columns_off"] = len(switched_off())
        return self.wanted.columns

    def begin(self, list_id: str, row: dict[str, Any]) -> Iterable[Request]:
        """The request for a column's first page; conditional unless every page is to be read."""
        (column,) = (each for each in self.wanted.columns if each.id == list_id)
        most = self.settings.getint("COLUMN_MAX_PAGES")
        state = Walk.begin(
            column, row, Limits(self.wanted.pages or 0, self.days.since, most),
            recheck=self.wanted.recheck, sweep_days=self.settings.getfloat("FULL_SWEEP_DAYS"),
            now=datetime.now(timezone.utc),
        )  # fmt: skip
        request = self._page_request(state, column.url)
        if not state.full:
            request.headers.update(conditional_headers(row))
        return [request]

    def ends_of(self, visits: Iterable[ColumnVisit | WalkEnd]) -> Iterable[str]:
        """The columns whose walk ended: with a WalkEnd, or with a page that could not be read."""
        return [each.column for each in visits if isinstance(each, WalkEnd) or each.error]

    def _page_request(self, walk: Walk, url: str, *, probe: bool = False) -> Request:
        walk.enter(url)
        return Request(
            url,
            callback=self.parse_column,
            errback=self.column_failed,
            cb_kwargs={
                "walk": walk,
                "column": walk.column,
                "number": walk.page,
                "probe": probe,
            },
            meta={CONTEXT: column_context(walk.column, walk.page, probe=probe)},
            dont_filter=True,
            priority=10,  # lists before articles, so that links are recorded early
        )

    async def parse_column(
        self, response: Response, walk: Walk, column: Column, number: int, probe: bool
    ) -> AsyncIterator[Any]:
        """Scrapy callback for a column page."""
        seen_at = response.meta.get(SEEN_AT)
        visit, page = self.read_list(response, column, number, walk.lists, probe=probe)
        if visit and visit.error:
            yield visit
            return  # the walk stays open, so the next run reads all pages
        if page is None:
            if visit:
                yield visit
            if visit and number < (visit.pages_total or 0):
                problem = f"page {number + 1} of {visit.pages_total} repeats an earlier page"
                self._warn(column, f"{problem}; later pages cannot be reached")
                yield walk.end_at_repeat(seen_at)
            else:
                yield walk.end_without_list(seen_at, unchanged=response.status == 304)
            return
        if number == 0:
            walk.validators = validators_of(response)
        step = walk.step(page)
        if step.warning:
            self._warn(column, step.warning)
        if step.url and number == 0:
            # Must come before the page's links are recorded. Otherwise, if the run is cut off
            # before the next page, the next run finds no unknown link here and stops.
            await (await self.run.open()).begin_walk(column.id)
        unknown, requests = await self.record_list(page, column, response)
        yield visit
        for request in requests:
            yield request
        if url := walk.next_url(step, unknown=unknown):
            walk.page += 1
            yield after(response, self._page_request(walk, url, probe=step.probe))
        else:
            yield walk.end(step, seen_at, unknown=unknown)

    def _warn(self, column: Column, message: str) -> None:
        self.run.warnings.append(f"column {column.id}: {message}")
