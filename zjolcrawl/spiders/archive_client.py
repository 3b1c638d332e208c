"""Requests to the hosts of other archives: one at a time, with pauses, and again when the archive asks to wait."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from zjolcrawl.messages import without_stack
from zjolcrawl.request_meta import FROM_ARCHIVE
from zjolcrawl.run.run import Run
from zjolcrawl.spiders.responses import reason_of, retry_after

_ATTEMPTS = 4
_LONGEST_WAIT = 3600.0  # seconds; an archive that asks for more is left alone
_INDEX_TIMEOUT = 300.0  # seconds: an index may search for minutes
_BUSY = {429, 500, 502, 503, 504, 520, 522, 523, 524}


class Service(Enum):
    """What is asked of an archive; each has a rate limit of its own. The value names its setting."""

    INDEX = "BACKFILL_CDX_DELAY"
    PAGES = "BACKFILL_DELAY"


class Unanswered(Exception):
    """An archive gave no usable answer to one request; the message says why."""


class ArchiveAway(Unanswered):
    """The archive does not answer at all, or asks to stay away for long: further requests are of no use."""


class RunEnds(Exception):
    """The run ends, so no further request is made."""


class ArchiveClient:
    """Sends one request at a time and waits between two, by the settings BACKFILL_….

    robots.txt of an archive is not fetched. It is for crawlers that follow links; this client requests what
    a person named, by interfaces that archives offer to programs, within the limits that they publish. Nor
    does the site's own robots.txt matter: nothing is requested from the site.
    """

    def __init__(self, run: Run) -> None:
        settings = run.crawler.settings
        self._run = run
        self._delays = {each: settings.getfloat(each.value) for each in Service}
        self._wait = settings.getfloat("BACKFILL_WAIT")
        self._last: dict[Service, float] = {}  # monotonic time of the last answer

    async def get(
        self, url: str, service: Service, headers: dict[str, str] | None = None
    ) -> Response:
        """The answer, whatever its status, unless that says that the archive is busy.

        A busy archive and a lost connection are asked again, a few times: after Retry-After, or else
        BACKFILL_WAIT seconds, doubled each time. Raises Unanswered, ArchiveAway and RunEnds.
        """
        reason, wait = "", self._wait
        for attempt in range(_ATTEMPTS):
            await self._pause(service)
            wait = self._wait * 2**attempt
            try:
                response = await self._send(url, service, headers)
            except (IgnoreRequest, DownloadCancelledError) as error:  # too large
                raise Unanswered(reason_of(without_stack(error))) from error
            except Exception as error:
                self._check()
                reason = reason_of(without_stack(error))
            else:
                if response.status not in _BUSY or response.headers.get("Memento-Datetime"):
                    return response
                reason = f"HTTP {response.status}"
                wait = _asked_wait(response, wait)
            if wait > _LONGEST_WAIT:
                raise ArchiveAway(f"{reason}, and asks to wait for {wait / 3600:.1f} hours")
            if attempt + 1 < _ATTEMPTS:
                await self._sleep(wait)
        raise Unanswered(f"{reason}, {_ATTEMPTS} times")

    async def _send(self, url: str, service: Service, headers: dict[str, str] | None) -> Response:
        meta: dict[str, Any] = {
            FROM_ARCHIVE: True, "dont_retry": True, "dont_redirect": True, "dont_obey_robotstxt": True,
        }  # fmt: skip
        if service is Service.INDEX:
            meta["download_timeout"] = _INDEX_TIMEOUT
        request = Request(url, callback=NO_CALLBACK, headers=headers, meta=meta, dont_filter=True)
        assert self._run.crawler.engine is not None
        try:
            return await self._run.crawler.engine.download_async(request)
        finally:  # from the answer on: however long a request was on its way, the archive sees the whole delay
            self._last[service] = time.monotonic()

    async def _pause(self, service: Service) -> None:
        """Wait until the service may be asked again. Raises RunEnds."""
        last = self._last.get(service)
        if last is not None:
            await self._sleep(last + self._delays[service] - time.monotonic())
        self._check()

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not beyond the end of the run. Raises RunEnds."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._run.ending.wait(), seconds)
        self._check()

    def _check(self) -> None:
        if self._run.ending.is_set():
            raise RunEnds


def _asked_wait(response: Response, otherwise: float) -> float:
    """The seconds that the archive asks to wait, `otherwise` if it names no time."""
    moment = retry_after(response)
    if moment is None:
        return otherwise
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
