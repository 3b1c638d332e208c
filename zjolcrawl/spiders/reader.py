"""Base class for all spiders: requests an article and turns the response into an item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from zjolcrawl.archive.archive import ArchiveError
from zjolcrawl.items import READ_KINDS, Link, Outcome, RawArticle, Unchanged, Visit
from zjolcrawl.middlewares.own_hosts import OffSite
from zjolcrawl.middlewares.robots import was_forbidden
from zjolcrawl.parsing.article_page import NotArticle, Stub
from zjolcrawl.parsing.fields.dates import china_day, find_time
from zjolcrawl.parsing.page import decode
from zjolcrawl.parsing.urls import (
    canonical,
    is_front,
    is_own_host,
    kind,
    page_number,
    url_day,
)
from zjolcrawl.request_meta import CONTEXT, HOST, PART_OF, SEEN_AT, WARC, after
from zjolcrawl.run.leases import LeaseLost
from zjolcrawl.run.opening import Mode
from zjolcrawl.run.run import Run
from zjolcrawl.spiders.context import Days, article_context, provenance_of
from zjolcrawl.spiders.feed import Feed
from zjolcrawl.spiders.multipage import Parts
from zjolcrawl.spiders.pages import PageReader
from zjolcrawl.spiders.responses import (
    conditional_headers,
    error_of,
    reason_of,
    retry_after,
    target_of,
    validators_of,
)

REFUSALS = {403, 429}
"""Statuses that mean that the server refuses the crawler."""
_MOST_REFUSALS = 20  # in a row
_MOST_STUBS = 3  # JavaScript redirects in a row: more is a loop


class ArticleReader(Spider):
    """Base spider: requests articles and yields one result per link.

    Each link ends as a RawArticle, an Unchanged or an Outcome, whatever the server answers.
    """

    days = Days()
    mode = Mode.LIVE
    part: tuple[int, int] | None = None
    given: Mapping[str, str] = MappingProxyType({})
    """The arguments as given."""
    run: Run

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.pages = PageReader()
        self.feed: Feed | None = None  # set by spiders that walk lists
        self._refused = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.pages.seconds = crawler.settings.getfloat("PAGE_SECONDS")
        arguments = {"spider": spider.name, **spider.given}
        spider.run = Run(crawler, spider.mode, arguments, spider.part)
        if not spider.run.live:
            # A crawl stores why a page is rejected; of a capture that others made nothing else would tell.
            spider.pages.tell = spider.run.warnings.append
        return spider

    def article_request(
        self,
        link: Link,
        url: str,
        trail: tuple[str, ...] = (),
        *,
        row: dict[str, Any] | None = None,
    ) -> Request:
        """The request for a link.

        `trail`: URLs of the stubs that led here. `row`: the link's frontier row, if known. Scrapy's
        duplicate filter is off: it would drop a redirect to a page that the run has already
        fetched, and the link would stay pending for ever.
        """
        return Request(
            url,
            callback=self.parse_article,
            errback=self.article_failed,
            cb_kwargs={"link": link, "trail": trail},
            headers=conditional_headers(row or {}),
            meta={
                CONTEXT: article_context(link, trail, self.days),
            },
            dont_filter=True,
        )

    async def parse_article(self, response: Response, link: Link, trail: tuple[str, ...]) -> Any:
        """Scrapy callback: yields an article, the request for a stub's target, or an outcome."""
        if self.feed:
            self.feed.note_answer(link)
        yield self.read(response, link, trail, self.days)

    def read(
        self, response: Response, link: Link, trail: tuple[str, ...], days: Days
    ) -> RawArticle | Request | Outcome | Unchanged:
        """The item or the next request for an article response, given the wanted days."""
        if response.status == 304:
            if canonical(response.url) != link.url:  # the validators belong to the link's own URL
                other = f"HTTP 304 of another page, {response.url}"
                return self._outcome(link, response, "failed", other)
            return Unchanged(link.url, response.meta.get(SEEN_AT))
        if response.status in {404, 410}:
            return self._outcome(link, response, "gone", f"HTTP {response.status}")
        if (target := target_of(response)) and not is_own_host(target):  # ftp:, data: …
            return self.left_the_site(link, target, response.meta.get(SEEN_AT))
        if response.status != 200:
            self._watch(refused=response.status in REFUSALS)
            failed = self._outcome(link, response, "failed", f"HTTP {response.status}")
            failed.retry_after = retry_after(response)
            return failed
        moved = canonical(response.url) != link.url
        elsewhere = kind(response.url) not in READ_KINDS and not trail
        if moved and (elsewhere or is_front(response.url)):
            target = f"redirects to {kind(response.url)} page {response.url}"
            return self._outcome(link, response, "rejected", target)
        found = self.pages.read(response.body, response.url)
        self._watch(refused=isinstance(found, NotArticle) and found.withheld)
        if isinstance(found, Stub):
            return self._follow(found, response, link, trail)
        if isinstance(found, NotArticle):
            state = "gone" if found.missing else "failed" if found.withheld else "rejected"
            return self._outcome(link, response, state, found.reason, skipped=found.blank)
        if reason := unwanted(found, days):
            return self._outcome(link, response, "pending", reason)
        article = self._complete(found, response, link, trail)
        if not article.pages:
            return article
        parts = Parts(link, article, article.pages, response.meta.get(HOST))
        parts.add(response.url, article)
        return self._go_on(parts)

    def _go_on(self, parts: Parts) -> RawArticle | Request:
        """The request for the article's next page, or the complete article."""
        url = parts.missing
        if url is None:
            return parts.whole()
        context = article_context(parts.link, (), self.days)
        return Request(
            url,
            callback=self.parse_part,
            errback=self.part_failed,
            cb_kwargs={"link": parts.link, "parts": parts, "url": url},
            meta={
                CONTEXT: {**context, "part": page_number(url)},
                PART_OF: parts.origin,
                "dont_retry": not self.run.live,
                HOST: parts.host,
            },
            dont_filter=True,
            priority=5,  # finish started articles before new ones
        )

    async def parse_part(self, response: Response, link: Link, parts: Parts, url: str) -> Any:
        """Scrapy callback for a further page: requests the next, or yields the complete article."""
        if response.status not in {200, 404, 410}:
            self._watch(refused=response.status in REFUSALS)
            reason = f"page {page_number(url) + 1}: HTTP {response.status}"
            yield self._outcome(link, response, "failed", reason)
            return
        found: RawArticle | Stub | NotArticle | None = None
        if response.status == 200 and canonical(response.url) == parts.first.url:
            found = self.pages.read(response.body, response.url)
        if isinstance(found, NotArticle) and found.withheld:
            self._watch(refused=True)
            yield self._outcome(
                link, response, "failed", f"page {page_number(url) + 1}: {found.reason}"
            )
            return
        part = found if isinstance(found, RawArticle) else None
        if part:
            part.visit.warc = response.meta.get(WARC)
        parts.add(url, part)
        yield self._go_on(parts)

    def part_failed(self, failure: Failure) -> Iterator[Outcome | RawArticle | Request]:
        """Scrapy errback: a page that may not be fetched counts as empty; else the link failed."""
        request: Request = failure.request  # type: ignore[attr-defined]
        link, parts, url = (request.cb_kwargs[name] for name in ("link", "parts", "url"))
        error = error_of(failure)
        if isinstance(error, LeaseLost):
            if self.feed:
                self.feed.note_answer(link, dropped=True)
            return
        if isinstance(error, IgnoreRequest) or was_forbidden(error):
            parts.add(url, None)
            yield self._go_on(parts)
            return
        state = "pending" if isinstance(error, ArchiveError) else "failed"
        reason = f"page {page_number(url) + 1}: {reason_of(error)}"
        seen_at = request.meta.get(SEEN_AT)
        yield Outcome(link.url, state, reason, final_url=request.url, seen_at=seen_at)

    def _watch(self, *, refused: bool) -> None:
        """End the run after _MOST_REFUSALS refusals in a row; the remaining links stay pending."""
        self._refused = self._refused + 1 if refused else 0
        if self._refused == _MOST_REFUSALS and self.run.live:
            reason = (
                f"the site refuses: {_MOST_REFUSALS} answers in a row were 403, 429 or a challenge"
            )
            self.run.stop(reason, "site_refuses")

    def _complete(
        self, found: RawArticle, response: Response, link: Link, trail: tuple[str, ...]
    ) -> RawArticle:
        addresses = [
            link.url,
            *trail,
            response.request.url if response.request else "",
            response.url,
        ]
        plain = [re.sub("^https:", "http:", address) for address in addresses if address]
        own = link.url == found.url == canonical(response.url) and not trail
        found.visit = Visit(
            link.url, link.columns, link.listed_at, response.meta.get(SEEN_AT),
            aliases=[a for a in dict.fromkeys(plain) if a != found.url],
            validators=validators_of(response) if own else {},
            warc=response.meta.get(WARC),
            provenance=provenance_of(response.meta.get(CONTEXT) or {}),
        )  # fmt: skip
        return found

    def _follow(
        self, stub: Stub, response: Response, link: Link, trail: tuple[str, ...]
    ) -> Request | Outcome:
        if len(trail) >= _MOST_STUBS or stub.target in trail:
            return self._outcome(link, response, "rejected", "JavaScript redirects in a loop")
        if not is_own_host(stub.target) or kind(stub.target) in {"app", "video", "offsite"}:
            what = kind(stub.target)
            reason = f"JavaScript redirect to {what} page {stub.target}"
            skipped = what != "offsite"  # a captive portal redirects off the site too
            return self._outcome(link, response, "rejected", reason, skipped=skipped)
        return after(response, self.article_request(link, stub.target, (*trail, response.url)))

    def article_failed(self, failure: Failure) -> Iterator[Outcome]:
        """Scrapy errback: record the reason as the link's outcome."""
        request: Request = failure.request  # type: ignore[attr-defined]
        link: Link = request.cb_kwargs["link"]
        error, seen_at = error_of(failure), request.meta.get(SEEN_AT)
        if self.feed:
            self.feed.note_answer(link, dropped=isinstance(error, LeaseLost))
        if isinstance(error, LeaseLost):
            return
        if isinstance(error, OffSite):
            yield self.left_the_site(link, request.url, seen_at)
            return
        states = {IgnoreRequest: "rejected", ArchiveError: "pending"}
        state = next((s for kind, s in states.items() if isinstance(error, kind)), "failed")
        state = "rejected" if was_forbidden(error) else state
        yield Outcome(link.url, state, reason_of(error), final_url=request.url, seen_at=seen_at)

    def left_the_site(self, link: Link, target: str, seen_at: datetime | None) -> Outcome:
        """The outcome of a link that redirects to another site."""
        reason = f"redirects to {kind(target)} page {target}"
        front = urlsplit(target).path in {"", "/"}
        return Outcome(link.url, "rejected", reason, final_url=target, front=front, seen_at=seen_at)

    def _outcome(
        self, link: Link, response: Response, state: str, reason: str, *, skipped: bool = False
    ) -> Outcome:
        excerpt: str | None = None
        if state == "rejected":
            excerpt = decode(response.body[:4000])[0][:2000]
        return Outcome(
            link.url, state, reason,
            status=response.status, final_url=response.url, article=canonical(response.url),
            excerpt=excerpt, skipped=skipped,
            front=state == "rejected" and is_front(response.url), seen_at=response.meta.get(SEEN_AT),
            warc=response.meta.get(WARC),
        )  # fmt: skip


def unwanted(found: RawArticle | Outcome | Unchanged, days: Days) -> str | None:
    """Why a page is outside the wanted publish days, or None; the page's own date decides."""
    if days == Days():
        return None
    if not isinstance(found, RawArticle):
        day = url_day(found.url)
        return None if day is None or day in days else f"of {day}"
    time = find_time(found.published) if found.published else None
    day = china_day(time[0]) if time else url_day(found.url)
    return None if day is None or day in days else f"published {day}, outside the days asked for"
