"""`scrapy crawl column`: from column pages to articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from zjolcrawl.catalogue import Column
from zjolcrawl.items import ColumnVisit, Link
from zjolcrawl.parsing.column_page import ColumnPage, ListedLink, link_day_of, read_column
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.urls import is_own_host
from zjolcrawl.spiders.arguments import column_arguments
from zjolcrawl.spiders.context import column_context
from zjolcrawl.spiders.reader import ArticleReader

_READ_KINDS = {"article"}
_REASONS = {
    "app": "app page: its ids are re-used, so it is recorded and never rewritten",
    "video": "video page: recorded, not read",
    "topic": "topic page: a collection of links, recorded, not read",
    "paper": "digital paper: recorded, not read by this version",
    "offsite": "leads off the site",
}


@dataclass(slots=True)
class _Walk:
    """One column's walk through its pages: the page's number and what was seen on the way."""

    column: Column
    page: int = 0
    urls: set[str] = field(default_factory=set)
    lists: set[tuple[str, ...]] = field(default_factory=set)


class ColumnSpider(ArticleReader):
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
        self.since, self.until = self.wanted.since, self.wanted.until

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
            cb_kwargs={"walk": walk, "probe": probe},
            meta={"context": column_context(walk.column, walk.page, probe=probe)},
            dont_filter=True,
            priority=10,  # lists before articles: what was found is recorded early
        )

    async def parse_column(
        self, response: Response, walk: _Walk, probe: bool
    ) -> AsyncIterator[Any]:
        """Scrapy callback of a column page."""
        if response.status != 200:
            if not (probe and response.status == 404):
                yield self._visit(walk, response, error=f"HTTP {response.status}")
            return
        if not is_own_host(response.url):
            yield self._visit(walk, response, error=f"redirects off the site to {response.url}")
            return
        page = read_column(response.body, response.url)
        fingerprint = tuple(link.url for link in page.links)
        if probe and fingerprint in walk.lists:
            return  # a server that answers index_N beyond the last page with the last
        repeated = fingerprint in walk.lists
        walk.lists.add(fingerprint)
        yield self._visit(walk, response, page, error=page.fault)
        if repeated:
            return
        for link in page.links:
            yield self._link(link, walk.column, response.meta.get("seen_at"))
        if following := self._following(page, response, walk):
            yield following

    def _link(self, listed: ListedLink, column: Column, seen_at: datetime | None) -> Request | Link:
        link = Link(
            listed.url, listed.kind, [column.id], listed.title, listed.listed_at,
            _REASONS.get(listed.kind), seen_at,
        )  # fmt: skip
        if listed.kind not in _READ_KINDS or not self._wanted_day(listed):
            return link
        return self.article_request(link, listed.fetch_url)

    def _wanted_day(self, listed: ListedLink) -> bool:
        moment = link_day_of(listed)
        if moment is None:
            return True
        day = china_day(moment)
        return not ((self.since and day < self.since) or (self.until and day > self.until))

    def _following(self, page: ColumnPage, response: Response, walk: _Walk) -> Request | None:
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
        if not self.since or not page.links:
            return False
        moments = [link_day_of(link) for link in page.links if link.kind in _READ_KINDS]
        days = [china_day(moment) for moment in moments if moment]
        return bool(days) and len(days) == len(moments) and max(days) < self.since

    def _visit(
        self,
        walk: _Walk,
        response: Response,
        page: ColumnPage | None = None,
        *,
        error: str | None = None,
    ) -> ColumnVisit:
        headers = response.headers
        dates = [link.listed_at for link in page.links if link.listed_at] if page else []
        return ColumnVisit(
            column=walk.column.id,
            url=response.url,
            page=walk.page,
            links=len(page.links) if page else 0,
            newest_listed_at=max(dates, default=None),
            pages_total=page.pages_total if page else None,
            etag=_text(headers.get("ETag")),
            last_modified=_text(headers.get("Last-Modified")),
            entry=asdict(walk.column),
            error=error,
            seen_at=response.meta.get("seen_at"),
        )

    def column_failed(self, failure: Failure) -> Iterator[ColumnVisit]:
        """Scrapy errback: the column keeps the reason, the run goes on."""
        request: Request = failure.request  # type: ignore[attr-defined]
        walk: _Walk = request.cb_kwargs["walk"]
        reason = " ".join(f"{type(failure.value).__name__}: {failure.value}".split())[:300]
        yield ColumnVisit(
            walk.column.id, request.url, walk.page, 0,
            entry=asdict(walk.column), error=reason, seen_at=request.meta.get("seen_at"),
        )  # fmt: skip


def _page_key(url: str) -> str:
    """One address a list page: `/x/`, `/x/index.shtml` and either scheme are the same page."""
    plain = url.partition("://")[2].partition("#")[0]
    for name in ("index.shtml", "index.html", "index.htm"):
        plain = plain.removesuffix(name)
    return plain


def _text(header: bytes | None) -> str | None:
    return header.decode("latin-1") if header else None
