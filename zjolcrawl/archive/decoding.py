"""Undoes content codings (gzip, deflate, br, zstd), identically for crawled and archived responses."""

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

_PIECE = 4096  # bytes; zlib copies what follows a member, and a body may have a million members
_GZIP_MAGIC = b"\x1f\x8b\x08"
_EITHER_HEADER = 47  # zlib window bits: accepts a gzip or a zlib header
_GZIP, _ZLIB, _RAW = 31, zlib.MAX_WBITS, -zlib.MAX_WBITS
_ERRORS = (zlib.error, brotli.error, zstd.ZstdError)


class BrokenAnswer(ValueError):
    """A response that is truncated, damaged or unfit for its request; it says nothing about the page."""


class TooLarge(BrokenAnswer):
    """A body whose decoded size exceeds the limit."""


def decoded_body(message: Message) -> bytes:
    """The body without its content codings (RFC 9110, 8.4). Raises BrokenAnswer."""
    return unpacked(message.body, (message.header("content-encoding") or "").split(","))


def unpacked(body: bytes, codings: Iterable[str], most: int = 0) -> bytes:
    """The body without its content codings, which are given in the order they were applied.

    Decoding stops at an unknown coding, because servers send `utf-8` and `none`. `most` limits the
    bytes of each step (0: no limit). Raises BrokenAnswer if the body is truncated, fails its checksum
    or has trailing data; TooLarge if it exceeds `most`.
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
    """The first `most` bytes of the decoded body, and whether there are more.

    Decodes not much more than `most` bytes, so a decompression bomb is harmless. Raises ValueError
    with the reason.
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
    """The decoded content of one or more complete members in sequence, cut soon after `most` bytes.

    `limit` is the decoder's value for "no limit". A single member, the usual case, takes one call.
    """
    view, at, step = memoryview(body), 0, len(body)
    parts: list[bytes] = []
    size = 0
    while at < len(body):
        if at and body[at] == 0 and not body[at:].strip(b"\0"):  # zero padding
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
    except zlib.error:  # some servers omit the zlib header
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
# All codings in Scrapy's Accept-Encoding; Scrapy depends on both libraries itself.
_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate, "br": _unbrotli, "zstd": _unzstd,
    "identity": lambda body, most: body,
}  # fmt: skip


def _leading(body: bytes, most: int) -> bytes:
    """The first `most` decoded bytes of all gzip members (RFC 1952, 2.2), even if the body is truncated."""
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
