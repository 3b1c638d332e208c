"""A page's bytes from what came over the wire, outside a crawl."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]

from zjolcrawl.archive.warc import Message

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_EITHER_HEADER = 47  # zlib's window bits: a gzip or a zlib header, whichever there is


def decoded_body(message: Message) -> bytes:
    """The body without its content codings (RFC 9110, 8.4). Raises ValueError, with the reason."""
    body = message.body
    codings = [c.strip().lower() for c in (message.header("content-encoding") or "").split(",")]
    for coding in filter(None, reversed(codings)):
        if coding not in _DECODERS:
            raise ValueError(f"content coding {coding} is unknown")
        try:
            body = _DECODERS[coding](body)
        except (zlib.error, brotli.error, zstd.ZstdError) as error:
            raise ValueError(f"content coding {coding}: {error}") from error
    return body


def _inflate(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(_EITHER_HEADER).decompress(body)
    except zlib.error:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body)  # some servers leave it out


# All that Scrapy asks servers for; it depends on both libraries itself.
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _inflate, "x-gzip": _inflate, "deflate": _inflate,
    "br": brotli.decompress, "zstd": zstd.decompress, "identity": bytes,
}  # fmt: skip
