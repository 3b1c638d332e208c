"""`scrapy crawl discover`: proposes columns that the catalogue lacks, for review by a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from zjolcrawl.arguments import discover_arguments
from zjolcrawl.display.terminal import write_text
from zjolcrawl.messages import cause_of, counted
from zjolcrawl.parsing.column_page import ColumnPage, link_day_of, read_column
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.navigation import ColumnLink, column_url, read_navigation
from zjolcrawl.request_meta import CONTEXT, SEEN_AT
from zjolcrawl.site.catalogue import Column, load_catalogue
from zjolcrawl.site.proposals import Find, fragment, propose, table
from zjolcrawl.spiders.reader import REFUSALS, ArticleReader
from zjolcrawl.spiders.responses import error_of, reason_of

_STDOUT = "-"


class DiscoverSpider(ArticleReader):
    """Fetches known columns and front pages, and each new column that they link, once.

    The catalogue is not changed, and only the run is written to the database. The proposals go to a
    file for review. The captures are archived with a context that `reparse` skips.
    """

    name = "discover"
    parse_arguments = staticmethod(discover_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.wanted = discover_arguments(**arguments)
        catalogue = load_catalogue()
        self._ids = set(catalogue)
        self._known = {column_url(column.url) for column in catalogue.values()}
        self._finds: dict[str, Find] = {}
        self._asked_for = self._answered = 0

    async def start(self) -> AsyncIterator[Any]:
        """Requests for known pages; half of the page limit is kept for new columns."""
        self.run.at_end = self.tell
        columns = self.wanted.columns
        if self.wanted.pages:
            columns = columns[: max(1, self.wanted.pages // 2)]
        for column in columns:
            yield self._request(column.url, column.url, self.parse_known, known=column)

    def _request(self, url: str, seen_on: str, callback: Any, **callback_args: Any) -> Request:
        self._asked_for += 1
        return Request(
            url, callback=callback, errback=self.failed, cb_kwargs=callback_args,
            meta={CONTEXT: {"discover": seen_on}}, dont_filter=True,
        )  # fmt: skip

    async def parse_known(self, response: Response, known: Column) -> AsyncIterator[Any]:
        """Scrapy callback for a known column: requests the new columns that it links."""
        links: list[ColumnLink] | None = []
        if response.status == 200:
            links = self.pages.read_other(read_navigation, response.body, response.url)
        fault = self._fault(response)
        if fault is None and not links:
            page = self.pages.read_list(read_column, response.body, response.url)
            fault = page.fault  # a challenge, an empty page
        if fault:
            self._unread(known, fault)
            return
        self._answered += 1
        for link in links or ():
            if link.url in self._known or link.url in self._finds:
                continue
            find = Find(
                link.url, link.name, link.place, response.url,
                china_day(response.meta[SEEN_AT]),
            )  # fmt: skip
            self._finds[link.url] = find
            most = self.wanted.pages or self.settings.getint("COLUMN_MAX_PAGES")
            if self._asked_for < most:
                yield self._request(link.url, response.url, self.parse_new, find=find)

    async def parse_new(self, response: Response, find: Find) -> None:
        """Scrapy callback for a column that the catalogue lacks."""
        find.fault = self._fault(response)
        if find.fault:
            return
        landed = column_url(response.url)
        if landed != find.url:
            self._finds.pop(find.url)
            if landed is None or landed in self._known or landed in self._finds:
                find.fault = f"leads to {response.url}"
                self._finds[find.url] = find
                return
            find.url = landed
            self._finds[landed] = find
        _read(find, self.pages.read_list(read_column, response.body, response.url))

    def failed(self, failure: Failure) -> Iterator[Any]:
        """Scrapy errback: record the reason; robots.txt or a dead host does not end the run."""
        callback_args = failure.request.cb_kwargs  # type: ignore[attr-defined]
        reason = reason_of(error_of(failure))
        if find := callback_args.get("find"):
            find.fault = reason
        else:
            self._unread(callback_args["known"], reason)
        yield from ()

    def _fault(self, response: Response) -> str | None:
        self._watch(refused=response.status in REFUSALS)
        return None if response.status == 200 else f"HTTP {response.status}"

    def _unread(self, column: Column, reason: str) -> None:
        """Report an unreadable page: a fault for an enabled column, else a warning."""
        messages = self.run.faults if column.enabled else self.run.warnings
        messages.append(f"column page {column.url}: {reason}")

    def tell(self) -> None:
        """Write the proposals file and print the table; called before the run summary."""
        finds = list(self._finds.values())
        proposed = propose(finds, self._ids)
        others = [find for find in finds if find.fault]
        self.run.counts.update(looked_at=self._asked_for, linked=len(finds), proposed=len(proposed))
        if not self._answered:
            self.run.faults.append("no known page could be read")
        if not self.wanted.pages and self._asked_for >= self.settings.getint("COLUMN_MAX_PAGES"):
            warning = f"stopped after {counted(self._asked_for, 'page')} (COLUMN_MAX_PAGES)"
            self.run.warnings.append(warning)
        text = fragment(proposed, others)
        if self.wanted.file == _STDOUT:
            write_text(text)
            return
        path = Path(self.wanted.file or Path(self.settings["DATA_DIR"]) / "discovered.toml")
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self.run.faults.append(f"{path} cannot be written: {cause_of(error, path)}")
            write_text(text)
            return
        for line in (*table(proposed, others), str(path)):
            write_text(f"{line}\n")


def _read(find: Find, page: ColumnPage) -> None:
    """Fill in the results from the page of a possible column."""
    articles = [link for link in page.links if link.kind == "article"]
    moments = [link_day_of(link.url, link.listed_at) for link in articles]
    find.articles = len(articles)
    find.newest = max((china_day(moment) for moment in moments if moment), default=None)
    if page.pages_total:
        find.pager = counted(page.pages_total, "page")
    elif page.next_url:
        find.pager = "a next page"
    find.fault = None if articles else page.fault or "no list of articles"
