"""Decompression that does not guess the charset of compressed bytes."""

from __future__ import annotations

import zlib

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.http import Response, TextResponse

_GZIP = 31  # zlib's window bits for a gzip member


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

    @staticmethod
    def _decode(body: bytes, encoding: bytes, max_size: int) -> bytes:
        if encoding in {b"gzip", b"x-gzip"} and (whole := _gunzipped(body, max_size)) is not None:
            return whole
        return HttpCompressionMiddleware._decode(body, encoding, max_size)


def _gunzipped(body: bytes, most: int) -> bytes | None:
    """What one whole gzip member of at most so many bytes (0: of any size) holds, in one call.

    None for all else, which Scrapy's reader takes in steps: broken off, several, followed by something,
    too large.
    """
    member = zlib.decompressobj(_GZIP)
    try:
        whole = member.decompress(body, most + 1 if most else 0)
    except zlib.error:
        return None
    plain = member.eof and not member.unused_data and (not most or len(whole) <= most)
    return whole if plain else None
