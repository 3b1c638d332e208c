"""`scrapy crawl column`: crawls column (栏目) pages and the articles that they list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from scrapy import Request
from scrapy.http import Response

from zjolcrawl.arguments import column_arguments
from zjolcrawl.items import READ_KINDS, ColumnVisit, WalkEnd
from zjolcrawl.middlewares.frontier import conditional_headers
from zjolcrawl.parsing.column_page import ColumnPage, link_day_of
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.urls import is_own_host, normalized
from zjolcrawl.site.catalogue import Column
from zjolcrawl.spiders.context import Days, column_context
from zjolcrawl.spiders.lists import ListReader
from zjolcrawl.spiders.reader import validators_of


@dataclass(slots=True)
class _Walk:
    """The state of one column's walk from page to page.

    `full`: go to the last page even if every link is known. `validators` are the first page's.
    """

    column: Column
    full: bool
    page: int = 0
    urls: set[str] = field(default_factory=set)
    lists: set[int] = field(default_factory=set)
    validators: dict[str, str] = field(default_factory=dict)

    def end(self, seen_at: datetime | None, *, complete: bool | None, swept: bool) -> WalkEnd:
        """The item that records the end of the walk."""
        return WalkEnd(
            self.column.id, complete, swept, self.page + 1, seen_at=seen_at, **self.validators
        )


class ColumnSpider(ListReader):
    """Crawls columns page by page.

    1. Links of the columns that are pending or due for a revisit are requested, host by host (see
       `Feed`).
    2. A column page is parsed and its links are recorded in the frontier, where step 1 finds them.
    3. The next page is the one that the page links. For a catalogue entry with `paging = "index"`
       the spider tries `index_N` if the page links none.
    4. A walk ends at an unchanged first page, at a page without an unknown link, at the last page,
       at `pages=`, after COLUMN_MAX_PAGES, at a page that is entirely before `since`, or at a page
       address or link list that it has already seen. Every FULL_SWEEP_DAYS it goes to the last
       page.
    """

    name = "column"
    ends = ("walked_at", "last_error_at")
    parse_arguments = staticmethod(column_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.wanted = column_arguments(**arguments)
        self.days = Days(self.wanted.since, self.wanted.until)
        self.rechecked = set() if self.wanted.recheck else None

    def walks(self) -> Iterable[Column]:
        return self.wanted.columns

    def begin(self, walk: str, known: dict[str, Any]) -> Iterable[Request]:
        """The request for a column's first page."""
        (column,) = (each for each in self.wanted.columns if each.id == walk)
        return [self.first_page(column, known)]

    def ends_of(self, visits: Iterable[ColumnVisit | WalkEnd]) -> Iterable[str]:
        """The columns whose walk ended: with a WalkEnd, or with a page that could not be read."""
        return [each.column for each in visits if isinstance(each, WalkEnd) or each.error]

    def first_page(self, column: Column, known: dict[str, Any]) -> Request:
        """The request that begins a walk; `known` is the column's row in `columns`.

        The request is conditional unless every page is to be read: every FULL_SWEEP_DAYS, because
        old pages change too, on `recheck`, and after a walk that was cut off.
        """
        swept: datetime | None = known.get("swept_at")
        days = timedelta(days=self.settings.getfloat("FULL_SWEEP_DAYS"))
        stale = swept is None or abs(datetime.now(timezone.utc) - swept) >= days
        walk = _Walk(column, full=stale or self.wanted.recheck or "walk_open_since" in known)
        request = self._page_request(walk, column.url)
        if not walk.full:
            request.headers.update(conditional_headers(known))
        return request

    def _page_request(self, walk: _Walk, url: str, *, probe: bool = False) -> Request:
        walk.urls.add(_page_key(url))
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
            meta={"context": column_context(walk.column, walk.page, probe=probe)},
            dont_filter=True,
            priority=10,  # lists before articles, so that links are recorded early
        )

    async def parse_column(
        self, response: Response, walk: _Walk, column: Column, number: int, probe: bool
    ) -> AsyncIterator[Any]:
        """Scrapy callback for a column page."""
        seen_at = response.meta.get("seen_at")
        visit, page = self.read_list(response, column, number, walk.lists, probe=probe)
        if visit:
            yield visit
            if visit.error:
                return  # the walk stays open, so the next run reads all pages
        if page is None and visit and number < (visit.pages_total or 0):
            told = f"page {number + 1} of {visit.pages_total} repeats an earlier page"
            self._warn(column, f"{told}; later pages cannot be reached")
            yield walk.end(seen_at, complete=False, swept=False)
            return
        if page is None:
            # Not modified, or past the last page.
            yield walk.end(seen_at, complete=True, swept=response.status != 304)
            return
        if number == 0:
            walk.validators = validators_of(response)
        following, bounded = self._following(page, walk)
        if following and number == 0:
            # Must come before the page's links are recorded. Otherwise, if the run is cut off
            # before the next page, the next run finds no unknown link here and stops.
            await (await self.ledger.open()).begin_walk(column.id)
        for each in self.listed(page, column, seen_at):
            yield each
        if following is None:
            complete = None if bounded else True
            yield walk.end(seen_at, complete=complete, swept=not bounded)
            return
        if not walk.full:
            following.meta["unless_known"] = walk.end(seen_at, complete=True, swept=False)
        yield following

    def _following(self, page: ColumnPage, walk: _Walk) -> tuple[Request | None, bool]:
        """The next page's request, if any, and whether only the run's own limits prevent it."""
        if self.wanted.pages and walk.page + 1 >= self.wanted.pages:
            return None, True
        if self._lies_before_since(page):
            return None, True
        url, probe = page.next_url, False
        if not url and walk.column.paging == "index" and page.links and page.pages_total is None:
            url, probe = f"{walk.column.url}index_{walk.page + 1}.shtml", True
        if not url or _page_key(url) in walk.urls or not is_own_host(url):
            return None, False
        if walk.page + 1 >= (most := self.settings.getint("COLUMN_MAX_PAGES")):
            told = f"the walk stopped after {most} pages, but the list continues"
            self._warn(walk.column, f"{told}; raise COLUMN_MAX_PAGES if the list is that long")
            return None, True
        walk.page += 1
        return self._page_request(walk, url, probe=probe), False

    def _warn(self, column: Column, told: str) -> None:
        self.ledger.warnings.append(f"column {column.id}: {told}")

    def _lies_before_since(self, page: ColumnPage) -> bool:
        since = self.days.since
        if not since or not page.links:
            return False
        links = [link for link in page.links if link.kind in READ_KINDS]
        moments = [link_day_of(link.url, link.listed_at) for link in links]
        days = [china_day(moment) for moment in moments if moment]
        return bool(days) and len(days) == len(moments) and max(days) < since


def _page_key(url: str) -> str:
    """One key per list page: `/x/`, `/x/index.shtml` and both schemes are the same page."""
    plain = normalized(url).partition("://")[2].partition("#")[0]
    for name in ("index.shtml", "index.html", "index.htm"):
        plain = plain.removesuffix(name)
    return plain
