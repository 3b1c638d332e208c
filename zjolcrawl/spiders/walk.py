"""The walk through the pages of a column's list: which page comes next, and when the walk ends.

Pure: no request, no database. What is known of a column comes from its row in `columns`, and the spider
says whether the frontier lacked a link of the page. A walk ends

    at an unchanged first page (304), a page past the last one, or a list that was read before
    at a page without an unknown link, unless it is a full walk
    at a page that links no further page of the site, or one that was read before
    at the limits of the run: `pages=`, a page that is entirely before `since`, COLUMN_MAX_PAGES
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Self

from zjolcrawl.items import READ_KINDS, WalkEnd
from zjolcrawl.messages import counted
from zjolcrawl.parsing.column_page import ColumnPage, link_day_of
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.urls import is_own_host, normalized
from zjolcrawl.site.catalogue import Column


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run limits its walks to.

    `pages` to read per column, 0 for all. `since`: no page whose links are all older. `most`: pages per
    column in any case (COLUMN_MAX_PAGES).
    """

    pages: int
    since: date | None
    most: int


@dataclass(frozen=True, slots=True)
class Step:
    """What follows a page, if the page has an unknown link or the walk is a full one.

    `url` is the next page; None ends the walk. `probe`: nothing links the page, it may be missing.
    `limited`: only the run's own limits end the walk. `warning` is a line for the run.
    """

    url: str | None = None
    probe: bool = False
    limited: bool = False
    warning: str | None = None


@dataclass(slots=True)
class Walk:
    """The state of one column's walk from page to page.

    `full`: go to the last page even if every link is known. `page` counts from 0. `urls` are the keys of
    the pages requested so far, `lists` the fingerprints of the lists read. `validators` are the first
    page's.
    """

    column: Column
    limits: Limits
    full: bool
    page: int = 0
    urls: set[str] = field(default_factory=set)
    lists: set[int] = field(default_factory=set)
    validators: dict[str, str] = field(default_factory=dict)

    @classmethod
    def begin(
        cls, column: Column, row: Mapping[str, Any], limits: Limits,
        *, recheck: bool, sweep_days: float, now: datetime,
    ) -> Self:  # fmt: skip
        """A walk that has not begun; `row` is the column's row in `columns`.

        Every page is read every `sweep_days`, because old pages change too, on `recheck`, and after a
        walk that was cut off.
        """
        swept: datetime | None = row.get("swept_at")
        stale = swept is None or abs(now - swept) >= timedelta(days=sweep_days)
        return cls(column, limits, full=stale or recheck or "walk_open_since" in row)

    def enter(self, url: str) -> None:
        """Note that a page is requested."""
        self.urls.add(_page_key(url))

    def step(self, page: ColumnPage) -> Step:
        """What follows a page with a list."""
        if self.limits.pages and self.page + 1 >= self.limits.pages:
            return Step(limited=True)
        if self._is_before_since(page):
            return Step(limited=True)
        url, probe = page.next_url, False
        if not url and self.column.paging == "index" and page.links and page.pages_total is None:
            url, probe = f"{self.column.url}index_{self.page + 1}.shtml", True
        if not url or _page_key(url) in self.urls or not is_own_host(url):
            return Step()
        if self.page + 1 >= (most := self.limits.most):
            problem = f"the walk stopped after {counted(most, 'page')}, but the list continues"
            return Step(
                limited=True,
                warning=f"{problem}; raise COLUMN_MAX_PAGES if the list is that long",
            )
        return Step(url, probe)

    def next_url(self, step: Step, *, unknown: bool) -> str | None:
        """The next page, if it is wanted; `unknown`: the frontier lacked a link of this page."""
        return step.url if self.full or unknown else None

    def end(self, step: Step, seen_at: datetime | None, *, unknown: bool) -> WalkEnd:
        """The item that records the end after a page; `unknown`: the frontier lacked a link of it."""
        swept = step.url is None and not step.limited
        return self._end(seen_at, complete=not (step.limited and unknown), swept=swept)

    def end_without_list(self, seen_at: datetime | None, *, unchanged: bool) -> WalkEnd:
        """The item that records the end at an unchanged first page or past the last page."""
        return self._end(seen_at, complete=True, swept=not unchanged)

    def end_at_repeat(self, seen_at: datetime | None) -> WalkEnd:
        """The item that records the end at a list that was read before, although pages remain."""
        return self._end(seen_at, complete=False, swept=False)

    def _end(self, seen_at: datetime | None, *, complete: bool, swept: bool) -> WalkEnd:
        return WalkEnd(
            self.column.id, complete, swept, self.page + 1, seen_at=seen_at, **self.validators
        )

    def _is_before_since(self, page: ColumnPage) -> bool:
        since = self.limits.since
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
