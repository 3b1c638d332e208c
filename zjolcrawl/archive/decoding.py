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

_PIECE = 4096  # bytes: what follows a member is copied, and a body may be a million of them
_GZIP_MAGIC = b"\x1f\x8b\x08"
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


def body_start(message: Message, most: int) -> tuple[bytes, bool]:
    """The first `most` bytes of the body without its content coding, and whether there are more.

    However little was sent, no more than about `most` is unpacked. Raises ValueError, with the reason.
    """
    codings = [c.strip().lower() for c in (message.header("content-encoding") or "").split(",")]
    codings = [each for each in codings if each and each != "identity"]
    if len(codings) > 1 or not set(codings) <= _STARTS.keys():
        raise ValueError(f"content coding {', '.join(codings)} is unknown")
    start = message.body
    if codings:
        try:
            start = _STARTS[codings[0]](start, most + 1)
        except (zlib.error, brotli.error, zstd.ZstdError) as error:
            raise ValueError(f"content coding {codings[0]}: {error}") from error
    return start[:most], len(start) > most


def _inflate(body: bytes) -> bytes:
    try:
        return _members(body)
    except zlib.error:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body)  # some servers leave it out


# All that Scrapy asks servers for; it depends on both libraries itself.
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _inflate, "x-gzip": _inflate, "deflate": _inflate,
    "br": brotli.decompress, "zstd": zstd.decompress, "identity": bytes,
}  # fmt: skip


def _members(body: bytes, most: int = 0) -> bytes:
    """What all gzip members hold (RFC 1952, 2.2), or the first `most` bytes of it.

    What follows the last one and is none, padding say, is left out, as gzip and browsers do.
    """
    view, at = memoryview(body), 0
    parts: list[bytes] = []
    left = most or sys.maxsize
    while left and (at == 0 or body.startswith(_GZIP_MAGIC, at)):
        member = zlib.decompressobj(_EITHER_HEADER)
        while left and at < len(body) and not member.eof:
            piece = view[at : at + _PIECE]
            parts.append(member.decompress(piece, left))
            at += len(piece) - len(member.unused_data) - len(member.unconsumed_tail)
            left -= len(parts[-1])
        if not member.eof:
            break
    return b"".join(parts)


def _inflate_start(body: bytes, most: int) -> bytes:
    try:
        return _members(body, most)
    except zlib.error:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, most)


def _brotli_start(body: bytes, most: int) -> bytes:
    return bytes(brotli.Decompressor().process(body, output_buffer_limit=most))


def _zstd_start(body: bytes, most: int) -> bytes:
    return zstd.ZstdDecompressor().decompress(body, most)


_STARTS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _inflate_start, "x-gzip": _inflate_start, "deflate": _inflate_start,
    "br": _brotli_start, "zstd": _zstd_start,
}  # fmt: skip
