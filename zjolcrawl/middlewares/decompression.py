"""Downloader middleware that decompresses responses and retries incomplete ones."""

from __future__ import annotations

import re

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response
from scrapy.responsetypes import responsetypes

from zjolcrawl.archive.decoding import BrokenAnswer, TooLarge, unpacked
from zjolcrawl.messages import counted
from zjolcrawl.middlewares.archive import UNASKED
from zjolcrawl.middlewares.replay import ARCHIVED

_OPENED = re.compile(rb"<(?:html|body)[\s>]", re.IGNORECASE)
_CLOSED = re.compile(rb"</(?:html|body)\s*>", re.IGNORECASE)
_IN_A_TAG = re.compile(rb"<[a-zA-Z/!][^<>]*\Z")


class DecompressionMiddleware(HttpCompressionMiddleware):
    """Replaces Scrapy's HttpCompressionMiddleware, with the same Accept-Encoding.

    Scrapy's accepts the readable part of a broken body, so half a page would become a version. It
    also guesses the charset of bytes that are still compressed, which is slow (Scrapy 2.19).
    """

    def __init__(self, *, crawler: Crawler) -> None:
        super().__init__(crawler=crawler)
        self.crawler = crawler
        self._most = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._retries = crawler.settings.getbool("RETRY_ENABLED")

    def process_response(  # type: ignore[override]  # `spider` is deprecated
        self, request: Request, response: Response
    ) -> Request | Response:
        """The decompressed response, or the request again if the response is broken.

        Raises BrokenAnswer when the retries are used up, IgnoreRequest for a body that is too
        large.
        """
        try:
            return self._whole(request, response)
        except TooLarge as error:
            raise IgnoreRequest(f"exceeded DOWNLOAD_MAXSIZE: {error}") from error
        except BrokenAnswer as error:
            if again := self._again(request, response, str(error)):
                return again
            raise

    def _whole(self, request: Request, response: Response) -> Response:
        if UNASKED in response.flags:
            raise BrokenAnswer("HTTP 304 to a request without If-None-Match and If-Modified-Since")
        if 300 <= response.status < 400 or request.method == "HEAD":
            return response  # nothing reads its body
        if "dataloss" in response.flags:  # set by Scrapy
            raise BrokenAnswer(
                f"the connection was lost after {counted(len(response.body), 'byte')}"
            )
        codings = [each.decode("latin-1") for each in response.headers.getlist("Content-Encoding")]
        if codings:
            most = request.meta.get("download_maxsize", self._most)
            response = _replaced(
                response, unpacked(response.body, ",".join(codings).split(","), most)
            )
        if "partial" in response.flags and isinstance(response, HtmlResponse):
            _check_end(response.body)
        return response

    def _again(self, request: Request, response: Response, reason: str) -> Request | None:
        if not self._retries or ARCHIVED in response.flags or request.meta.get("dont_retry"):
            return None
        assert self.crawler.spider is not None
        return get_retry_request(request, spider=self.crawler.spider, reason=reason)


def _replaced(response: Response, body: bytes) -> Response:
    """The response with the new body, as the response class that fits the body."""
    headers = response.headers.copy()
    del headers["Content-Encoding"]
    kind = responsetypes.from_args(headers=headers, url=response.url, body=body)
    values = {name: getattr(response, name) for name in Response.attributes}
    return kind(**{**values, "headers": headers, "body": body})


def _check_end(page: bytes) -> None:
    """Raises BrokenAnswer if the HTML shows that the page was cut off.

    For a body without a length, which ends when the connection closes (RFC 9112, 6.3), so that
    nothing else shows whether it is complete. HTML allows omitting these end tags, but every known
    page of the site has one of the two.
    """
    if _IN_A_TAG.search(page[-4096:]):
        raise BrokenAnswer("a body without a length ends within a tag")
    if _OPENED.search(page) and not _CLOSED.search(page):
        raise BrokenAnswer("a body without a length ends before </body> and </html>")
