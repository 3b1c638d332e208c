"""`scrapy crawl column`: from column pages to articles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from scrapy import Request
from scrapy.http import Response

from zjolcrawl.catalogue import Column
from zjolcrawl.parsing.column_page import ColumnPage, ListedLink, link_day_of
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.urls import is_own_host
from zjolcrawl.spiders.arguments import column_arguments
from zjolcrawl.spiders.context import Days, column_context
from zjolcrawl.spiders.lists import READ_KINDS, ListReader, link_of_list


@dataclass(slots=True)
class _Walk:
    """One column's walk through its pages: the page's number and what was seen on the way."""

    column: Column
    page: int = 0
    urls: set[str] = field(default_factory=set)
    lists: set[int] = field(default_factory=set)


class ColumnSpider(ListReader):
    """Crawls columns page by page.

    1. A column page is read; its links are recorded in the frontier, then requested.
    2. The next page is the one the page offers; a catalogue entry with `paging = "index"` is
       asked for `index_N` where its pages offer none.
    3. A walk ends at the last page, at `pages=`, at a page that lies before `since` as a whole, at
       an address or a list already seen.
    """

    name = "column"
    parse_arguments = staticmethod(column_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.wanted = column_arguments(**arguments)
        self.days = Days(self.wanted.since, self.wanted.until)

    async def start(self) -> AsyncIterator[Any]:
        """The first page of each column."""
        for column in self.wanted.columns:
            yield self._page_request(_Walk(column), column.url)

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
            priority=10,  # lists before articles: what was found is recorded early
        )

    async def parse_column(
        self, response: Response, walk: _Walk, column: Column, number: int, probe: bool
    ) -> AsyncIterator[Any]:
        """Scrapy callback of a column page."""
        visit, page = self.read_list(response, column, number, walk.lists, probe=probe)
        if visit:
            yield visit
        if page is None:
            return
        for listed in page.links:
            link = link_of_list(listed, column, response.meta.get("seen_at"))
            wanted = listed.kind in READ_KINDS and self._wanted_day(listed)
            ask = wanted and self.asks_first(link)
            yield self.article_request(link, listed.fetch_url) if ask else link
        if following := self._following(page, walk):
            yield following

    def _wanted_day(self, listed: ListedLink) -> bool:
        moment = link_day_of(listed)
        return moment is None or china_day(moment) in self.days

    def _following(self, page: ColumnPage, walk: _Walk) -> Request | None:
        if self.wanted.pages and walk.page + 1 >= self.wanted.pages:
            return None
        if self._lies_before_since(page):
            return None
        url, probe = page.next_url, False
        if not url and walk.column.paging == "index" and page.links and page.pages_total is None:
            url, probe = f"{walk.column.url}index_{walk.page + 1}.shtml", True
        if not url or _page_key(url) in walk.urls or not is_own_host(url):
            return None
        walk.page += 1
        return self._page_request(walk, url, probe=probe)

    def _lies_before_since(self, page: ColumnPage) -> bool:
        since = self.days.since
        if not since or not page.links:
            return False
        moments = [link_day_of(link) for link in page.links if link.kind in READ_KINDS]
        days = [china_day(moment) for moment in moments if moment]
        return bool(days) and len(days) == len(moments) and max(days) < since


def _page_key(url: str) -> str:
    """One address a list page: `/x/`, `/x/index.shtml` and either scheme are the same page."""
    plain = url.partition("://")[2].partition("#")[0]
    for name in ("index.shtml", "index.html", "index.htm"):
        plain = plain.removesuffix(name)
    return plain
