"""`scrapy crawl backfill`: fetches what other web archives have of the site, and reads it like an archived crawl."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Container, Iterable
from contextlib import aclosing
from datetime import date, datetime, timedelta, timezone
from itertools import chain

from scrapy import signals

from zjolcrawl.archive.archive import ArchiveError
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.cdx import Listing, NotCdx
from zjolcrawl.archive.foreign_exchange import Response
from zjolcrawl.archive.mementos import Memento, NotAPage, NotTheMemento
from zjolcrawl.archive.warc import warc_date
from zjolcrawl.archive.writer import Exchange
from zjolcrawl.arguments import backfill_arguments
from zjolcrawl.clock import utc_now
from zjolcrawl.display.terminal import write_text
from zjolcrawl.messages import counted
from zjolcrawl.parsing.fields.dates import china_midnight
from zjolcrawl.run.opening import Mode
from zjolcrawl.site.current import current_site
from zjolcrawl.spiders.archive_client import ArchiveAway, ArchiveClient, RunEnds, Unanswered
from zjolcrawl.spiders.capture_rows import KINDS, Found, PageGroups, wanted
from zjolcrawl.spiders.cdx_query import CdxQuery, Scope
from zjolcrawl.spiders.completion import Completion
from zjolcrawl.spiders.context import Days
from zjolcrawl.spiders.foreign import context_of
from zjolcrawl.spiders.memento_source import MementoSource
from zjolcrawl.spiders.reparse import AHEAD, ReparseSpider

logger = logging.getLogger(__name__)
_FIRST_WEB_ARCHIVE = datetime(1996, 1, 1, tzinfo=timezone.utc)
_DAY = timedelta(days=1)
_MOST_UNANSWERED = 3  # captures in a row: then the archive is away
_MOST_LINES = 20  # of rows that cannot be read
_AGAIN = "repeat the command to go on where it stopped"


class BackfillSpider(ReparseSpider):
    """Brings the captures of one archive into ours, page by page of the site, and parses each.

    1. The CDX server lists captures. Those of articles and lists of the site are kept, without repeats.
    2. The captures of one page are fetched one after another and recorded under the page's own URL and
       their own time, with `provenance` in their context.
    3. Then they are parsed in order of time, as `reparse` does it.

    A capture that our archive has is not fetched, only parsed; that changes nothing if it is stored. So a
    run that was cut off is resumed by repeating it.
    """

    name = "backfill"
    mode = Mode.BACKFILL
    parse_arguments = staticmethod(backfill_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.asked = backfill_arguments(**arguments)
        self.days = Days(self.asked.since, self.asked.until)
        self._kinds: Counter[tuple[int, str]] = Counter()  # by year and kind
        self._unanswered = 0  # captures in a row
        self._unfetched: str | None = None  # the first, with the reason
        self._bad_rows = 0
        self._further: list[Capture] = []  # further pages of articles

    async def start(self) -> AsyncIterator[object]:
        """One request per capture, in order of time for each page; ReplayMiddleware answers it."""
        await self.run.open()
        self.run.at_end = self._tell
        client = ArchiveClient(self.run)
        self._query = CdxQuery(client, self.asked.cdx)
        self._source = MementoSource(client, self.asked.pages)
        try:
            async with aclosing(self._captures_of_pages()) as captures:
                async for capture in captures:
                    request = self._request(capture)
                    # A further page of an article is requested by its first page.
                    if request is None:
                        self._further.append(capture)
                        continue
                    self.run.counts["chosen"] += 1
                    await self._wait_for_earlier(request)
                    yield request
                    if self.run.counts["chosen"] % AHEAD == 0:
                        await self.crawler.signals.wait_for(signals.scheduler_empty)
            async for request in self._again():
                yield request
        except NotCdx as error:
            self._not_cdx(error)
        except Unanswered as error:
            self.run.faults.append(f"the archive does not answer: {error}; {_AGAIN}")
        except ArchiveError as error:
            self.run.stop(str(error), "archive_lost")
        except RunEnds:
            return

    async def _completed(self) -> AsyncIterator[Capture]:
        run = str((await self.run.open()).run_id)
        fetched = chain(self._further, self._archive.index.captures(run=run))
        async for each in Completion(self.run, self._archive.index, [run]).by(fetched):
            yield each
        async for each in super()._completed():
            yield each

    # --- what the archive has ---------------------------------------------------------------------

    async def _captures_of_pages(self) -> AsyncGenerator[Capture]:
        """The captures of each page in order of time, once all of a page are in our archive."""
        async with aclosing(self._pages()) as pages:
            async for rows in pages:
                self.run.counts["listed"] += len(rows)
                for each in rows:
                    self._kinds[each.row.seen_at.year, each.kind] += 1
                if not self.asked.dry_run:
                    for capture in await self._captures_in_order(rows):
                        yield capture

    async def _pages(self) -> AsyncGenerator[list[Found]]:
        first, last = self._span()
        for scope in self._scopes():
            groups = PageGroups()
            async with aclosing(self._query.listings(scope, first, last)) as listings:
                async for listing in listings:
                    for rows in groups.add(self._wanted(listing)):
                        yield rows
            for rows in groups.rest():
                yield rows

    def _wanted(self, listing: Listing) -> Iterable[Found]:
        for fault in listing.faults:
            self._bad_rows += 1
            if self._bad_rows <= _MOST_LINES:
                self.run.warnings.append(f"cdx={self.asked.cdx}: skipped, {fault}")
        self.run.counts["rows"] += listing.size
        return filter(None, (wanted(row, self.days) for row in listing.rows))

    def _scopes(self) -> list[Scope]:
        """The columns' folders and the hosts; without either, all of the site."""
        folders = [Scope(each.url.partition("://")[2], "prefix") for each in self.asked.columns]
        hosts = [Scope(host, "host") for host in self.asked.hosts]
        return [*folders, *hosts] or [Scope(each, "domain") for each in current_site().domains]

    def _span(self) -> tuple[datetime, datetime]:
        """The time of the captures, in full seconds. A page is captured after its publication."""
        first, last = self.asked.captured
        since = self.days.since - _DAY if self.days.since else None
        begin = max(filter(None, (first, since)), default=None)
        until = _midnight(last + _DAY) - timedelta(seconds=1) if last else utc_now()
        begun = _midnight(begin) if begin else _FIRST_WEB_ARCHIVE
        return begun, max(begun, until.replace(microsecond=0))

    # --- the captures themselves ------------------------------------------------------------------

    async def _captures_in_order(self, rows: list[Found]) -> list[Capture]:
        """The captures of one page, in order of time; those that our archive lacks are fetched first."""
        keys: dict[tuple[str, str], None] = {}
        for each in rows:
            if capture := self._capture_of(each):
                self.run.counts["archived"] += 1
                keys[capture.url, capture.date] = None
            elif memento := await self._fetch(each):
                keys[self._record(memento, each, keys)] = None
        if self.run.writer:
            await self.run.writer.sync()
        found = [self._archive.index.at(*key) for key in keys]
        return sorted(filter(None, found), key=lambda capture: capture.date)

    def _capture_of(self, found: Found) -> Capture | None:
        """The capture of a row if our archive has it; the other archive may have given it with another time."""
        url, date = found.row.url, warc_date(found.row.seen_at)
        return self._archive.index.at(url, date) or self._archive.index.at(url, date, asked=True)

    async def _fetch(self, found: Found) -> Memento | None:
        """The capture of a row, or None if the archive has no page there or gives none now.

        Raises ArchiveAway if that is so for several in a row.
        """
        row = found.row
        try:
            memento = await self._source.get(row)
        except NotAPage as error:
            logger.info("%s at %s is no page: %s", row.url, row.timestamp, error)
            self.run.counts["no_page"] += 1
            self._unanswered = 0
            return None
        except ArchiveAway:
            raise
        except (Unanswered, NotTheMemento) as error:
            self._unfetched = self._unfetched or f"{row.url} at {row.timestamp}: {error}"
            self.run.counts["unfetched"] += 1
            self._unanswered = self._unanswered + 1 if isinstance(error, Unanswered) else 0
            if self._unanswered >= _MOST_UNANSWERED:
                raise ArchiveAway(str(error)) from error
            return None
        self._unanswered = 0
        self.run.counts["fetched"] += 1
        return memento

    def _record(
        self, memento: Memento, found: Found, keys: Container[tuple[str, str]]
    ) -> tuple[str, str]:
        """Record a capture, unless our archive or one of `keys` has it; returns its URL and WARC-Date.

        If its time is not that of its row, it is recorded with the row's time as `asked`, also once more, so
        that the next run knows what the row gives. Raises ArchiveError.
        """
        key, asked = (memento.url, warc_date(memento.seen_at)), warc_date(found.row.seen_at)
        is_known = key in keys or self._archive.index.at(*key)
        if self.run.writer and (not is_known or _second(asked) != _second(key[1])):
            answer = Response(200, memento.headers, memento.body)
            context = {**context_of(memento.url, answer), "provenance": memento.provenance}
            context |= {"asked": asked} if asked != key[1] else {}
            page = memento.url, 200, memento.headers, memento.body, memento.seen_at
            self.run.writer.write(Exchange(*page, context=context, requested=False))
        return key

    # --- the end ----------------------------------------------------------------------------------

    def _not_cdx(self, error: NotCdx) -> None:
        problem = f"cdx={self.asked.cdx} answers with {error}"
        if self.run.counts["rows"]:
            self.run.faults.append(f"{problem}; {_AGAIN}")
        else:
            self.run.refuse(
                f"{problem}: give the address of a CDX server, as in docs/how-to/backfill.md"
            )

    def _tell(self) -> None:
        """Report what could not be fetched; in a dry run, print the table. Called before the summary."""
        if (more := self._bad_rows - _MOST_LINES) > 0:
            self.run.warnings.append(
                f"cdx={self.asked.cdx}: and {counted(more, 'more row')} skipped"
            )
        if self._unfetched:
            count = counted(self.run.counts["unfetched"], "capture")
            self.run.faults.append(
                f"{count} could not be fetched, first {self._unfetched}; {_AGAIN}"
            )
        if self.asked.dry_run:
            write_text("".join(f"{line}\n" for line in self._table()))

    def _table(self) -> Iterable[str]:
        """How many captures of which years and kinds there are."""
        widths = [max(9, len(kind)) for kind in KINDS]
        yield _line("year", KINDS, widths)
        for year in sorted({year for year, _ in self._kinds}):
            yield _line(str(year), [str(self._kinds[year, kind]) for kind in KINDS], widths)
        totals = [sum(n for (_, of), n in self._kinds.items() if of == kind) for kind in KINDS]
        yield _line("all", map(str, totals), widths)


def _line(first: str, cells: Iterable[str], widths: list[int]) -> str:
    return "  ".join([f"{first:<4}", *(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))])


def _second(date: str) -> str:
    """A WARC-Date to the second, as an index has it."""
    return date[:19]


def _midnight(day: date) -> datetime:
    return china_midnight(day).astimezone(timezone.utc)
