"""`scrapy crawl paper`: crawls the issues of digital papers and their articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from zjolcrawl.arguments import paper_arguments
from zjolcrawl.messages import counted
from zjolcrawl.parsing.paper_page import PaperPage, newest_issue, read_calendar
from zjolcrawl.request_meta import CONTEXT, after
from zjolcrawl.site.catalogue import Column
from zjolcrawl.site.papers import Paper
from zjolcrawl.spiders.context import Days, column_context
from zjolcrawl.spiders.lists import ListReader
from zjolcrawl.spiders.responses import error_of, reason_of


@dataclass(frozen=True, slots=True)
class _Issue:
    """One issue of a paper.

    Its pages are `below` this address. `entries` are candidate addresses of its first page, tried
    in order. `promised`: the paper itself says that the issue exists.
    """

    paper: Paper
    day: date | None
    below: str
    entries: tuple[str, ...]
    promised: bool


class PaperSpider(ListReader):
    """Crawls the issues of papers.

    1. Links of the papers that are pending or due for a revisit are requested.
    2. A month's calendar lists the days with an issue and the first page of each. Without a
       calendar, the addresses in papers.toml are tried. Without days, `paperindex.htm` leads to the
       newest issue.
    3. The first page of an issue names the others. Each page's links are recorded in the frontier,
       where step 1 finds them.
    """

    name = "paper"
    parse_arguments = staticmethod(paper_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.wanted = paper_arguments(**arguments)
        self.days = Days(self.wanted.since, self.wanted.until)
        self.requested_urls = set() if self.wanted.recheck else None

    def listings(self) -> Iterable[Paper]:
        return self.wanted.papers

    def begin(self, list_id: str, row: dict[str, Any]) -> Iterator[Request]:
        """The requests that lead to a paper's issues: calendars, or the newest issue."""
        (paper,) = (each for each in self.wanted.papers if each.id == list_id)
        if self.wanted.since is None:
            yield self._asking(paper, paper.newest, self.parse_newest)
        for days in self.wanted.months():
            yield self._asking(paper, paper.calendar(days[0]), self.parse_calendar, days=days)

    def _asking(self, paper: Paper, url: str, callback: Any, **callback_args: Any) -> Request:
        """A request for a calendar or `paperindex.htm`; `reparse` skips these."""
        return Request(
            url,
            callback=callback,
            errback=self.not_led,
            cb_kwargs={"paper": paper, **callback_args},
            meta={CONTEXT: {"paper": paper.id}},
            dont_filter=True,
            priority=20,
        )

    async def parse_newest(self, response: Response, paper: Paper) -> AsyncIterator[Any]:
        """Scrapy callback for `paperindex.htm`."""
        url = None
        if response.status == 200:
            url = self.pages.read_other(newest_issue, response.body, response.url)
        if url is None:
            reason = "names no issue" if response.status == 200 else f"HTTP {response.status}"
            self.run.faults.append(f"paper {paper.id}: {response.url}: {reason}")
            return
        below = url[: url.rindex("/") + 1]
        issue = _Issue(paper, None, below, (url,), promised=True)
        yield after(response, self._first_page(issue))

    async def parse_calendar(
        self, response: Response, paper: Paper, days: list[date]
    ) -> AsyncIterator[Any]:
        """Scrapy callback for a month's calendar."""
        known: dict[date, str | None] | None = None
        if response.status == 200:
            known = self.pages.read_other(read_calendar, response.body)
        for request in self._issues(paper, days, known or {}):
            yield after(response, request)

    def not_led(self, failure: Failure) -> Iterator[Any]:
        """Scrapy errback: without a calendar, try the addresses in papers.toml."""
        request: Request = failure.request  # type: ignore[attr-defined]
        paper: Paper = request.cb_kwargs["paper"]
        if days := request.cb_kwargs.get("days"):
            yield from self._issues(paper, days, {})
        else:
            reason = reason_of(error_of(failure))
            self.run.faults.append(f"paper {paper.id}: {request.url}: {reason}")

    def _issues(
        self, paper: Paper, days: list[date], known: dict[date, str | None]
    ) -> Iterator[Request]:
        """Requests for the first pages of issues; a day missing from the calendar has no issue."""
        for day in days:
            if known and day not in known:
                self.run.tally.no_issue(paper.id, day)
                continue
            below = paper.issue(day)
            names = dict.fromkeys([*filter(None, [known.get(day)]), *paper.entries])
            entries = tuple(below + name for name in names)
            yield self._first_page(_Issue(paper, day, below, entries, promised=bool(known)))

    def _first_page(self, issue: _Issue, tried: int = 0) -> Request:
        more = tried + 1 < len(issue.entries)
        return self._page_request(
            issue, issue.entries[tried], 0, tried, probe=more or not issue.promised
        )

    def _page_request(
        self, issue: _Issue, url: str, number: int, tried: int = 0, *, probe: bool = False
    ) -> Request:
        column = issue.paper.column
        context = column_context(column, number, probe=probe)
        return Request(
            url,
            callback=self.parse_page,
            errback=self.column_failed,
            cb_kwargs={
                "column": column, "number": number, "issue": issue, "tried": tried, "probe": probe,
            },
            meta={CONTEXT: {**context, "below": issue.below}},
            dont_filter=True,
            priority=10,  # pages before articles, so that links are recorded early
        )  # fmt: skip

    async def parse_page(
        self,
        response: Response,
        column: Column,
        number: int,
        *,
        issue: _Issue,
        tried: int,
        probe: bool,
    ) -> AsyncIterator[Any]:
        """Scrapy callback for a page of an issue."""
        visit, page = self.read_list(
            response, column, number, set(), probe=probe, below=issue.below
        )
        requests: list[Request] = []
        if page:
            _, requests = await self.record_list(page, column, response)
        if visit:
            yield visit
        elif tried + 1 < len(issue.entries):
            yield after(response, self._first_page(issue, tried + 1))
        elif issue.day:
            self.run.tally.no_issue(issue.paper.id, issue.day)
        if not isinstance(page, PaperPage):
            return
        for request in requests:
            yield request
        if number == 0:
            others = [each.url for each in page.issue if each.url != response.url]
            most = self.settings.getint("COLUMN_MAX_PAGES") - 1
            if len(others) > most:
                problem = f"the issue has {counted(len(others) + 1, 'page')}, of which {most + 1} were fetched"
                self.run.warnings.append(f"paper {column.id}: {problem} (COLUMN_MAX_PAGES)")
                others = others[:most]
            for place, url in enumerate(others, 1):
                yield after(response, self._page_request(issue, url, place))
