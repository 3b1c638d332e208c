"""A page's bytes from what came over the wire: the same for a crawl and for what is archived."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import brotli  # type: ignore[import-untyped]

from zjolcrawl.archive.warc import Message

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 4096  # bytes: what follows a member is copied, and a body may be a million of them
_GZIP_MAGIC = b"\x1f\x8b\x08"
_EITHER_HEADER = 47  # zlib's window bits: a gzip or a zlib header, whichever there is
_GZIP, _ZLIB, _RAW = 31, zlib.MAX_WBITS, -zlib.MAX_WBITS
_ERRORS = (zlib.error, brotli.error, zstd.ZstdError)


class BrokenAnswer(ValueError):
    """An answer that was cut, damaged, or does not fit its request: it says nothing of the page."""


class TooLarge(BrokenAnswer):
    """A body that is larger, unpacked, than it may be."""


def decoded_body(message: Message) -> bytes:
    """The body without its content codings (RFC 9110, 8.4). Raises BrokenAnswer."""
    return unpacked(message.body, (message.header("content-encoding") or "").split(","))


def unpacked(body: bytes, codings: Iterable[str], most: int = 0) -> bytes:
    """The body without its content codings, given in the order in which they were applied.

    A coding that is unknown is none: servers send `utf-8` and `none`. `most`: the most bytes of each step
    (0: any). Raises BrokenAnswer where a body is not whole, its checksum does not fit or something
    follows it; TooLarge.
    """
    for coding in reversed([name for each in codings if (name := each.strip().lower())]):
        if coding not in _DECODERS or not body:
            break
        try:
            body = _DECODERS[coding](body, most)
        except _ERRORS as error:
            raise BrokenAnswer(f"content coding {coding}: {error}") from error
        except _Cut as error:
            raise BrokenAnswer(f"content coding {coding}: the body is cut") from error
        if most and len(body) > most:
            raise TooLarge(f"content coding {coding}: more than {most} bytes")
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


class _Cut(Exception):
    """The body ends before its coding does."""


def _members(body: bytes, most: int, begin: Callable[[], Any], limit: int) -> bytes:
    """What one or several whole members, one after the other, hold; little more than `most` of it.

    `limit`: the decoder's word for a size without limit. Most often there is one, unpacked in one call.
    """
    view, at, step = memoryview(body), 0, len(body)
    parts: list[bytes] = []
    size = 0
    while at < len(body):
        if at and body[at] == 0 and not body[at:].strip(b"\0"):  # padding to a block
            break
        member = begin()
        while not member.eof:
            piece = view[at : at + step]
            if not piece:
                raise _Cut
            parts.append(member.decompress(piece, most + 1 - size if most else limit))
            size += len(parts[-1])
            if most and size > most:
                return b"".join(parts)
            at += len(piece) - len(member.unused_data)
        step = _PIECE
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _gunzip(body: bytes, most: int) -> bytes:
    return _members(body, most, lambda: zlib.decompressobj(_GZIP), 0)


def _inflate(body: bytes, most: int) -> bytes:
    try:
        return _members(body, most, lambda: zlib.decompressobj(_ZLIB), 0)
    except zlib.error:  # some servers leave the header out
        return _members(body, most, lambda: zlib.decompressobj(_RAW), 0)


def _unbrotli(body: bytes, most: int) -> bytes:
    decoder = brotli.Decompressor()
    parts = [decoder.process(body, output_buffer_limit=_STEP)]
    size = len(parts[0])
    while not decoder.is_finished() and not (most and size > most):
        parts.append(decoder.process(b"", output_buffer_limit=_STEP))
        if not parts[-1]:
            raise _Cut
        size += len(parts[-1])
    return b"".join(parts)


def _unzstd(body: bytes, most: int) -> bytes:
    return _members(body, most, zstd.ZstdDecompressor, -1)


_STEP = 1 << 20
# All that Scrapy asks servers for; it depends on both libraries itself.
_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate, "br": _unbrotli, "zstd": _unzstd,
    "identity": lambda body, most: body,
}  # fmt: skip


def _leading(body: bytes, most: int) -> bytes:
    """The first `most` bytes of what all gzip members hold (RFC 1952, 2.2), however the body ends."""
    view, at = memoryview(body), 0
    parts: list[bytes] = []
    left = most
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
        return _leading(body, most)
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
