"""`scrapy crawl reparse`: parses archived pages again, without the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.decoding import BrokenAnswer
from zjolcrawl.arguments import reparse_arguments
from zjolcrawl.items import Article, ColumnVisit, Link, Outcome, RawArticle, Unchanged
from zjolcrawl.middlewares.own_hosts import OffSite
from zjolcrawl.middlewares.replay import NotCaptured
from zjolcrawl.parsing.urls import canonical, is_own_host
from zjolcrawl.request_meta import CAPTURE, CONTEXT, PART_OF, SEEN_AT
from zjolcrawl.run.opening import Mode
from zjolcrawl.run.reparse_jobs import PART_REPORTS
from zjolcrawl.run.summary import NOTHING_CHOSEN
from zjolcrawl.site.catalogue import Column
from zjolcrawl.site.names import UnknownName
from zjolcrawl.spiders.archive_parts import Groups, groups_of, part_of
from zjolcrawl.spiders.completion import Completion, cut_captures
from zjolcrawl.spiders.context import Days, column_of, link_and_trail
from zjolcrawl.spiders.foreign import followed, is_outranked, next_best
from zjolcrawl.spiders.lists import ListReader, failed_visit
from zjolcrawl.spiders.multipage import Parts
from zjolcrawl.spiders.reader import unwanted
from zjolcrawl.spiders.reparse_selection import selected, with_known_names
from zjolcrawl.spiders.responses import error_of, reason_of, target_of

AHEAD = 100
"""Captures queued in the scheduler at most."""


class ReparseSpider(ListReader):
    """Parses captures again, in the order in which they were taken.

    1. Each capture is parsed on its own, with the context archived beside it. A redirect's or
       stub's target, a retry and an image are separate captures.
    2. A capture of an article or column waits until the store has the previous one, because
       versions depend on the order of visits.
    3. With `part`, the spider takes its part of the archive. All captures of a column, of an
       article's file name, and of the links that led to it belong to one part, so that the order in
       step 2 holds there too.
    """

    name = "reparse"
    mode = Mode.REPLAY
    parse_arguments: ClassVar[Any] = staticmethod(reparse_arguments)
    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # as Scrapy documents it
        "ROBOTSTXT_OBEY": False,  # checked when the page was fetched
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "CONCURRENT_REQUESTS": 2,  # bounds the bodies in memory; more were no faster
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
    }

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.wanted = reparse_arguments(**arguments)
        self.days = Days(self.wanted.since, self.wanted.until)
        if self.wanted.dry_run:
            self.mode = Mode.PREVIEW
        self.part = self.wanted.part
        self._groups: Groups = {}
        self._any_chosen = False
        self._open_keys: dict[str, asyncio.Event] = {}  # by URL or column id
        self._keys_of: dict[str, set[str]] = {}  # those keys, by the capture's name (see _name)
        self._lists: dict[tuple[str, str], set[int]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        for signal in (signals.item_scraped, signals.item_error):
            crawler.signals.connect(spider.item_stored, signal=signal)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """One request per selected capture; ReplayMiddleware answers it."""
        store, archive = await self.run.open(), self.run.archive
        assert archive is not None
        try:
            self.wanted = with_known_names(self.wanted, archive.index)
        except UnknownName as error:
            self.run.refuse(str(error))
            return
        moments: set[datetime] | None = None
        if self.wanted.parser_before:
            moments = await store.seen_by_parsers_before(self.wanted.parser_before)
        if self.part:
            self._groups = groups_of(archive.index.redirect_targets())
        for capture in self._captures():
            if moments is not None and capture.seen_at not in moments:
                continue
            request = self._request(capture)
            self._any_chosen = self._any_chosen or request is not None
            if request and self._is_of_part(request):
                self.run.counts["chosen"] += 1
                await self._wait_for_earlier(request)
                yield request
                if self.run.counts["chosen"] % AHEAD == 0:
                    await self.crawler.signals.wait_for(signals.scheduler_empty)
        async for request in self._again():
            yield request
        # With parser_before=, nothing to do is the usual end. Of several parts, the parent decides.
        may_be_idle = self.wanted.parser_before or self.settings.getbool(PART_REPORTS)
        if not self._any_chosen and not may_be_idle:
            self._nothing_chosen()

    @property
    def _archive(self) -> Archive:
        assert self.run.archive is not None
        return self.run.archive

    def _captures(self) -> Iterator[Capture]:
        """The captures to parse, oldest first."""
        return selected(self.wanted, self._archive.index)

    async def _completed(self) -> AsyncIterator[Capture]:
        """The captures whose articles the captures of this run complete."""
        gained = (await self.run.open()).gained
        async for each in Completion(self.run, self._archive.index, ()).of(gained):
            yield each

    async def _again(self) -> AsyncIterator[Request]:
        """Requests for the captures that this run completes, and then for those of versions that it has cut."""
        await self._all_stored()
        with self.run.stops_if_lost():
            await (await self.run.open()).flush()
            cut = cut_captures(self.run, self._archive.index, self._all_stored)
            for some in (self._completed(), cut):
                async for capture in some:
                    if request := self._request(capture, every_column=True):
                        await self._wait_for_earlier(request)
                        yield request

    async def _all_stored(self) -> None:
        """Wait until the store has what all requests so far yielded."""
        while self._open_keys:
            await next(iter(self._open_keys.values())).wait()

    def _is_of_part(self, request: Request) -> bool:
        """Whether the capture belongs to this process's part."""
        return (
            self.part is None or part_of(_name(request), self._groups, self.part[1]) == self.part[0]
        )

    def _nothing_chosen(self) -> None:
        """End a run that found no capture to parse."""
        self.run.refuse(NOTHING_CHOSEN)

    def _request(self, capture: Capture, *, every_column: bool = False) -> Request | None:
        """The request for a capture of an article or list; None for another one, and for one that does not count."""
        try:
            if is_outranked(capture, self._archive.index):
                return None
            return self._request_of(capture, every_column=every_column)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            at = f"{capture.pointer.file} at byte {capture.pointer.offset}"
            self.run.warnings.append(f"{at}: skipped, its context is unusable ({error!r:.100})")
            return None

    def _request_of(self, capture: Capture, *, every_column: bool) -> Request | None:
        context, columns = capture.context, set(self.wanted.columns)
        listed_by = [context["column"]["id"]] if "column" in context else context.get("columns", [])
        if columns and not every_column and columns.isdisjoint(listed_by):
            return None
        callback: Callable[..., Any]
        if "column" in context:
            callback = self.reparse_list
            callback_args = {"column": column_of(context), "number": context["page"]}
        elif "article" in context and not {"image", "part"} & context.keys():
            callback = self.reparse_article
            callback_args = dict(zip(("link", "trail"), link_and_trail(context), strict=True))
        else:
            return None
        if (capture.status or 500) >= 400 and (
            capture.is_foreign or self._archive.last_attempt(capture) != capture
        ):
            return None
        return Request(
            capture.url,
            callback=callback,
            errback=self.reparse_failed,
            cb_kwargs={**callback_args, "capture": capture},
            meta={
                CAPTURE: capture, CONTEXT: context, "dont_redirect": True, "dont_retry": True,
            },
            dont_filter=True,
        )  # fmt: skip

    async def reparse_article(
        self, response: Response, link: Link, trail: tuple[str, ...], capture: Capture
    ) -> AsyncIterator[Any]:
        """Scrapy callback for a capture of an article page."""
        context = capture.context
        try:
            target = target_of(response)
        except ValueError as error:  # the crawl could not follow it either
            yield Outcome(
                link.url, "failed", reason_of(error), final_url=response.url,
                seen_at=response.meta[SEEN_AT],
            )  # fmt: skip
            return
        if target:
            if request := self._followed(response, target, trail):
                yield request
            elif outcome := self._redirected(response, link, target, context.get("hop", 0)):
                yield outcome
            else:
                self._done(response.request)
            return
        result = self.read(response, link, trail, Days.of(context))
        if isinstance(result, Request) and (parts := result.cb_kwargs.get("parts")):
            parts.origin = result.meta[PART_OF] = capture
            yield result
        elif (
            isinstance(result, Request)
            and (request := self._followed(response, result.url, result.cb_kwargs["trail"]))
        ) or (isinstance(result, Outcome) and (request := self._next_best(capture))):
            yield request
        elif isinstance(result, Request) or unwanted(result, self.days):
            self._done(response.request)
        else:
            yield result

    def _followed(self, response: Response, target: str, trail: tuple[str, ...]) -> Request | None:
        """The request for what a capture of others led to; a crawl has recorded that for the link itself."""
        assert response.request is not None
        return followed(response.request, target, trail, self._archive.index)

    def _next_best(self, capture: Capture) -> Request | None:
        """The request for another capture of others at the same moment, instead of one without an article."""
        found = next_best(capture, self._archive.index)
        return self._request_of(found, every_column=True) if found else None

    def _redirected(self, response: Response, link: Link, target: str, hop: int) -> Outcome | None:
        """The outcome that the redirect itself caused; None if the target's response decides."""
        seen_at = response.meta[SEEN_AT]
        if not is_own_host(target):
            return self.left_the_site(link, target, seen_at)
        if hop >= self.settings.getint("REDIRECT_MAX_TIMES"):
            reason = "IgnoreRequest: max redirections reached"
            return Outcome(link.url, "rejected", reason, final_url=response.url, seen_at=seen_at)
        return None

    def reparse_failed(self, failure: Failure) -> Iterator[Outcome | ColumnVisit]:
        """Scrapy errback: the crawl got no answer either, or the record cannot be read."""
        request: Request = failure.request  # type: ignore[attr-defined]
        link: Link | None = request.cb_kwargs.get("link")
        error = error_of(failure)
        if isinstance(error, ArchiveError):
            self.run.faults.append(f"{request.url}: {error}")
            self._done(request)
        elif isinstance(error, BrokenAnswer) and self._was_asked_again(request):
            self._done(request)
        elif link:
            yield from self.article_failed(failure)
        else:
            yield from self.column_failed(failure)

    def _was_asked_again(self, request: Request) -> bool:
        """Whether that run retried after this capture; then only the last attempt counts."""
        capture = request.cb_kwargs["capture"]
        return bool(self._archive.last_attempt(capture) != capture)

    def part_failed(self, failure: Failure) -> Iterator[Outcome | RawArticle | Request]:
        """Scrapy errback: if a further page was never captured, the crawl had no article either.

        Another archive captures pages by chance, so there the article goes on without the page.
        """
        request: Request = failure.request  # type: ignore[attr-defined]
        parts: Parts = request.cb_kwargs["parts"]
        error = error_of(failure)
        if isinstance(error, ArchiveError):
            self.run.faults.append(f"{request.url}: {error}")
        if isinstance(error, NotCaptured) and parts.origin and parts.origin.is_foreign:
            parts.add(request.cb_kwargs["url"], None)  # others may have taken the first page alone
            yield self._go_on(parts)
        elif isinstance(error, ArchiveError | NotCaptured):
            self._done(request)
        else:
            yield from super().part_failed(failure)

    async def reparse_list(
        self, response: Response, column: Column, number: int, capture: Capture
    ) -> AsyncIterator[Any]:
        """Scrapy callback for a capture of a column page."""
        if target := target_of(response):
            if not is_own_host(target) and not capture.is_foreign:
                reason = reason_of(OffSite(f"leads off the site: {target}"))
                yield failed_visit(column, number, target, reason, response.meta[SEEN_AT])
            else:
                self._done(response.request)
            return
        probe = bool(capture.context.get("probe"))
        lists = self._lists.setdefault((capture.run, column.id), set())
        below = capture.context.get("below")
        visit, page = self.read_list(response, column, number, lists, probe=probe, below=below)
        if page:
            await self.record_list(page, column, response)
        if visit and not capture.is_foreign:  # another archive's visit is no crawl of the column
            yield visit
        else:
            self._done(response.request)

    async def _wait_for_earlier(self, request: Request) -> None:
        """Wait until no capture of the same link, page or column, or of its lists, is open."""
        name = _name(request)
        keys = {name, canonical(request.url)}
        link: Link | None = request.cb_kwargs.get("link")
        lists = link.columns if link else []
        while busy := keys.union(lists) & self._open_keys.keys():
            await self._open_keys[busy.pop()].wait()
        self._keys_of[name] = keys
        if "provenance" in request.meta[CONTEXT]:
            self.run.foreign.add(name)
        self._open_keys |= dict.fromkeys(keys, asyncio.Event())

    def item_stored(self, item: Any) -> None:
        """Scrapy signal: an item passed the pipelines; release its capture."""
        if isinstance(item, Article | RawArticle):
            self._release(item.link)
        elif isinstance(item, Outcome | Unchanged):
            self._release(item.url)
        elif isinstance(item, ColumnVisit):
            self._release(item.column)

    def _done(self, request: Request | None) -> None:
        """Release a capture that yields nothing to store."""
        if request:
            self._release(_name(request))

    def _release(self, name: str) -> None:
        self.run.foreign.discard(name)
        for url in self._keys_of.pop(name, ()):
            self._open_keys.pop(url).set()


def _name(request: Request) -> str:
    """The key of a capture's item: a link's URL or a column's id."""
    callback_args = request.cb_kwargs
    return str(callback_args["link"].url if "link" in callback_args else callback_args["column"].id)
