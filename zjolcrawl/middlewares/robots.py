"""Downloader middleware that obeys robots.txt (RFC 9309), fetched before a host's first page."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import RobotParser, decode_robotstxt
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import load_object

from zjolcrawl.archive.archive import ArchiveError, NoAnswer
from zjolcrawl.messages import typed
from zjolcrawl.parsing.urls import absolute, host_of
from zjolcrawl.request_meta import HOST
from zjolcrawl.run.leases import LeaseLost
from zjolcrawl.run.run import Run, find_run

MOST_BYTES = 500 * 1024
"""Bytes of robots.txt to read, the rest is ignored (RFC 9309, 2.5 requires at least this)."""
_MOST_STEPS = 2_000_000  # agents times rules: a larger file takes Protego seconds to parse
_ASK_AGAIN = 600.0  # seconds between two attempts while the fetch fails


class Forbidden(IgnoreRequest):
    """A rule of robots.txt forbids the URL; the message names the file."""


class RobotsUnavailable(Exception):
    """A host's robots.txt could not be fetched, so none of its pages may be fetched now."""


@dataclass(slots=True)
class _Rules:
    """A host's rules, valid until `expires` (monotonic seconds).

    `parser` has the rules, None if there are none. `crawl_delay` is in seconds between two
    requests. `fault` says why the rules are unknown.
    """

    parser: RobotParser | None = None
    crawl_delay: float | None = None
    fault: str | None = None
    expires: float = 0.0


class RobotsMiddleware:
    """Lets a request pass once its host's robots.txt is known and allows it.

    Replaces Scrapy's middleware: there one Deferred serves all waiting requests, and from the third
    on they pass unchecked (Scrapy 2.19). A 2xx gives rules; a 4xx other than 429 means that there
    are none. Anything else (5xx, 429, no answer, a redirect off the site or without end) forbids
    the whole host until it answers.
    """

    def __init__(self, crawler: Crawler, run: Run | None) -> None:
        settings = crawler.settings
        self.crawler, self._run = crawler, run
        self._parser: type[RobotParser] = load_object(settings["ROBOTSTXT_PARSER"])
        self._agent: str | None = settings["ROBOTSTXT_USER_AGENT"]
        self._default_agent: str = settings["USER_AGENT"]
        self._longest = settings.getfloat("ROBOTSTXT_MAX_AGE")
        self._hosts: dict[str, asyncio.Future[_Rules]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured with ROBOTSTXT_OBEY=False."""
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        return cls(crawler, find_run(crawler))

    async def process_request(self, request: Request) -> None:
        """Wait for the host's rules.

        Raises Forbidden if a rule forbids the URL, RobotsUnavailable if the rules are unknown, and
        LeaseLost or ArchiveError from fetching the file.
        """
        url = urlparse_cached(request)
        if request.meta.get("dont_obey_robotstxt") or url.scheme not in {"http", "https"}:
            return
        site = f"{url.scheme}://{url.netloc}"
        rules = await self._rules(site, request.meta.get(HOST))
        if rules.fault:
            raise RobotsUnavailable(f"{site}/robots.txt cannot be fetched: {rules.fault}")
        agent = self._agent or request.headers.get(b"User-Agent") or self._default_agent
        # A redirect may hide a forbidden path behind dot segments, and rules are prefixes.
        address = absolute(request.url, request.url) or request.url
        if rules.parser and not rules.parser.allowed(address, agent):
            raise Forbidden(f"Forbidden by robots.txt: {site}/robots.txt")

    async def _rules(self, site: str, leased: str | None) -> _Rules:
        """The rules of a site; concurrent callers share one fetch.

        `leased`: the host whose lease the first caller needs, and so the fetch too.
        """
        asked, former = self._hosts.get(site), None
        if asked and asked.done():
            former = asked.result()
            asked = asked if time.monotonic() < former.expires else None
        if asked is None:
            asked = self._hosts[site] = asyncio.ensure_future(self._ask(site, former, leased))
        return await asyncio.shield(asked)

    async def _ask(self, site: str, former: _Rules | None, leased: str | None) -> _Rules:
        url = f"{site}/robots.txt"
        request = Request(
            url, callback=NO_CALLBACK, meta={"dont_obey_robotstxt": True, HOST: leased}
        )
        assert self.crawler.engine is not None
        try:
            rules = self._read(await self.crawler.engine.download_async(request))
        except (LeaseLost, ArchiveError):
            del self._hosts[site]  # forget it, so that the next holder of the host fetches it
            raise
        except Exception as error:
            rules = _Rules(fault=typed(error))
        now = time.monotonic()
        if rules.fault is None:
            if self._run and (leases := self._run.leases):
                leases.slow_down(host_of(site), rules.crawl_delay)
            rules.expires = now + self._longest
            return rules
        if self._run and (former is None or not former.fault):
            held = "its previous rules apply" if former else "no page of this host is fetched"
            self._run.warnings.append(
                f"{url} cannot be fetched ({rules.fault}): {held} until it answers"
            )
        if former and not former.fault:
            rules = former  # RFC 9309, 2.4: a cached file may be used while the host is unreachable
        rules.expires = now + _ASK_AGAIN
        return rules

    def _read(self, response: Response) -> _Rules:
        status = response.status
        if 400 <= status < 500 and status != 429:
            return _Rules()
        if not 200 <= status < 300:
            return _Rules(fault=f"HTTP {status}")
        body = response.body
        if len(body) > MOST_BYTES:  # drop the rule that the limit cuts in two
            body = body[:MOST_BYTES].rpartition(b"\n")[0]
        if _steps(decode_robotstxt(body, None)) > _MOST_STEPS:
            return _Rules(fault="too many agents share too many rules")
        parser = self._parser.from_crawler(self.crawler, body)
        # Scrapy's parser interface does not offer the crawl delay.
        crawl_delay = getattr(getattr(parser, "rp", None), "crawl_delay", lambda _: None)
        return _Rules(parser, crawl_delay(self._agent or self._default_agent))


def was_forbidden(error: BaseException | None) -> bool:
    """Whether robots.txt forbade a request, now or in the archived crawl."""
    archived = isinstance(error, NoAnswer) and str(error).startswith(f"{Forbidden.__name__}: ")
    return archived or isinstance(error, Forbidden)


def _steps(text: str) -> int:
    """The approximate parser cost: a parser keeps each rule once per agent of its group."""
    steps = agents = 0
    in_rules = False
    for line in text.splitlines():
        word = line.lstrip()[:5].lower()
        if word.startswith("user"):
            agents = 1 if in_rules else agents + 1
            in_rules = False
        elif word.startswith(("allow", "di", "crawl", "reque", "visit")):
            in_rules = True
        steps += agents
    return steps
