"""Downloader middleware that answers requests from the WARC archive instead of the network."""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.warc import warc_date
from zjolcrawl.request_meta import AS_OF, CAPTURE, FROM_ARCHIVE, PART_OF, SEEN_AT, WARC
from zjolcrawl.run.run import Run, run_of

ARCHIVED = "archived"
"""The flag of a response that comes from the archive."""


class NotCaptured(IgnoreRequest):
    """The archive has no capture for a request."""


class ReplayMiddleware:
    """Answers a request whose `meta` has a CAPTURE.

    When re-parsing, it answers every request and lets none through to the network. It then uses the last good
    capture of the URL before AS_OF, else the first one after it. For a further page of an article it uses
    the capture that the same run took after the capture PART_OF; if that is another archive's, the one
    nearest in time. In a backfill, requests to the other archive pass.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a run."""
        return cls(run_of(crawler))

    def process_request(self, request: Request) -> Response | None:
        """The archived response, or None to pass the request on.

        Raises NoAnswer for a request that got no answer when it was made, ArchiveError for an
        unreadable record, and NotCaptured if the run is re-parsing and the archive has no capture.
        """
        capture: Capture | None = request.meta.pop(CAPTURE, None)
        if capture is None and (self._run.live or request.meta.get(FROM_ARCHIVE)):
            return None
        archive = self._run.archive
        assert archive is not None
        if capture is None and (as_of := request.meta.get(AS_OF)):
            capture = archive.around(request.url, warc_date(as_of))
        if capture is None and (first := request.meta.get(PART_OF)):
            capture = archive.further(request.url, first)
        if capture is None:
            raise NotCaptured(f"not in the archive: {request.url}")
        request.meta[SEEN_AT] = capture.seen_at
        return _answer(request, capture, archive)


def _answer(request: Request, capture: Capture, archive: Archive) -> Response:
    message = archive.message(capture)
    request.meta[WARC] = archive.source(capture).values()
    values: dict[str, list[bytes]] = {}  # Headers.appendlist copies all values of a name each time
    for name, value in message.headers:
        values.setdefault(name.title(), []).append(value.encode("latin-1"))
    headers = Headers(values)
    kind = responsetypes.from_args(headers=headers, url=capture.url, body=message.body)
    flags = [ARCHIVED, *capture.context.get("flags", ())]
    return kind(capture.url, status=message.status, headers=headers, body=message.body, flags=flags)
