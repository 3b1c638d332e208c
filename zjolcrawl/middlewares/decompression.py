"""Decompression that does not guess the charset of compressed bytes."""

from __future__ import annotations

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.http import Response, TextResponse


class DecompressionMiddleware(HttpCompressionMiddleware):
    """Scrapy's own, given a plain Response.

    Replacing the body of a TextResponse reads its `.encoding`, which without a charset header runs
    charset detection over the still-compressed bytes: half of a crawl's time (measured, 2.19).
    """

    def process_response(  # type: ignore[override]  # `spider` is deprecated
        self, request: Request, response: Response
    ) -> Request | Response:
        """Decompress; parameters and errors as in Scrapy's middleware."""
        if isinstance(response, TextResponse) and "Content-Encoding" in response.headers:
            response = Response(**{name: getattr(response, name) for name in Response.attributes})
        return super().process_response(request, response)
