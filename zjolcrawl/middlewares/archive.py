"""Downloader middleware that archives every response to WARC as it came over the wire."""

from __future__ import annotations

import logging
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from zjolcrawl.archive.archive import ArchiveError, NoAnswer
from zjolcrawl.archive.writer import Exchange, Headers
from zjolcrawl.clock import utc_now
from zjolcrawl.messages import typed
from zjolcrawl.middlewares.replay import ARCHIVED
from zjolcrawl.middlewares.robots import Forbidden
from zjolcrawl.request_meta import CONDITIONS, CONTEXT, FROM_ARCHIVE, SEEN_AT, WARC
from zjolcrawl.run.leases import LeaseLost
from zjolcrawl.run.run import Run, run_of

logger = logging.getLogger(__name__)
UNASKED = "unasked"
"""The response flag of a 304 to a request that was not conditional."""
_COUNTERS = {"attempt": "retry_times", "hop": "redirect_times"}  # Scrapy's meta keys
_CONDITIONS = {name.encode() for name in CONDITIONS.values()}
_KEPT_FLAGS = {UNASKED, "dataloss", "partial"}
_SECRET = {b"proxy-authorization", b"authorization", b"cookie"}


class ArchiveMiddleware:
    """Writes each response to the archive, before decompression.

    Sets SEEN_AT and WARC in `request.meta`, and stores CONTEXT with the record. A request without an
    answer is stored too, with the reason. An exchange with an archive of others is not: `crawl backfill`
    records the page in it under the page's own URL.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a run."""
        return cls(run_of(crawler))

    def process_response(self, request: Request, response: Response) -> Response:
        """Archive the exchange. If that fails, ends the run and raises ArchiveError."""
        if ARCHIVED in response.flags or request.meta.get(FROM_ARCHIVE):
            return response
        request.meta[SEEN_AT] = utc_now()
        if response.status == 304 and not _CONDITIONS & request.headers.keys():
            response.flags.append(UNASKED)
        writer = self._run.writer
        if writer is None or "cached" in response.flags:
            return response
        ip = None if request.meta.get("proxy") else response.ip_address
        exchange = Exchange(
            url=response.url,
            status=response.status,
            headers=_pairs(response),
            body=response.body,
            seen_at=request.meta[SEEN_AT],
            request_headers=[each for each in _pairs(request) if each[0].lower() not in _SECRET],
            request_body=request.body,
            method=request.method,
            ip=str(ip) if ip else None,
            context=_context(request, response),
            truncated="dataloss" in response.flags,
        )
        try:
            request.meta[WARC] = writer.write(exchange).values()
        except ArchiveError as error:
            self._run.stop(str(error), "archive_lost")
            raise
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Archive a failed request, or one that robots.txt forbids; `reparse` needs both."""
        ignored = isinstance(exception, IgnoreRequest) and not isinstance(exception, Forbidden)
        if ignored or isinstance(exception, (ArchiveError, LeaseLost, NoAnswer)):
            return
        if request.meta.get(FROM_ARCHIVE):
            return
        request.meta[SEEN_AT] = utc_now()
        if writer := self._run.writer:
            reason = typed(exception, None)  # whole: it is the record of what happened
            try:
                writer.write_failure(request.url, reason, request.meta[SEEN_AT], _context(request))
            except ArchiveError as error:
                self._run.stop(str(error), "archive_lost")


def _context(request: Request, response: Response | None = None) -> dict[str, Any] | None:
    """The request's context plus its retry and redirect counts and its response flags."""
    context = request.meta.get(CONTEXT)
    if context is None:
        return None
    counts = {name: request.meta.get(key) for name, key in _COUNTERS.items()}
    flags = sorted(_KEPT_FLAGS.intersection(response.flags)) if response else []
    values = {**counts, "flags": flags}
    return {**context, **{name: value for name, value in values.items() if value}}


def _pairs(message: Request | Response) -> Headers:
    return [(name, value) for name, values in message.headers.items() for value in values]
