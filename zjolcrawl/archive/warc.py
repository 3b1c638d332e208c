"""WARC/1.1 records (ISO 28500:2017) as bytes and back: no files, no clock."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from http.client import responses
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from uuid import uuid4

SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
CONTEXT = "Zjolcrawl-Context"
"""Extension field: what the crawl knew when it asked, as ASCII JSON; a re-read needs it."""
FAILED, REPLACED = b"fetch-failed: ", b"damaged-bytes: "
"""How the block of a `metadata` record of ours begins: of a request without a response, and of a record
that stands in the place of damaged bytes."""

_CHUNK = 128 * 1024
_GZIP = 31  # zlib's window bits for a gzip member
_LONGEST_HEAD = 1024 * 1024  # bytes of a record before its block
_BLOCK = 0xFFFF  # the most bytes of a stored block
# What is no larger is squeezed as well with so little memory (window bits and level), and making it
# ready is most of the time that a request's record takes.
_SMALL = 4096
_GZIP_SMALL = (16 + 12, 5)

Fields = list[tuple[str, str]]


class TornRecord(ValueError):
    """The bytes end, or go wrong, before a record is whole. `ended`: the file ends within it."""

    def __init__(self, message: str, *, ended: bool = False) -> None:
        super().__init__(message)
        self.ended = ended


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a record is: the WARC file's name, the member's first byte and length in bytes."""

    file: str
    offset: int
    length: int
    record_id: str

    def values(self) -> dict[str, Any]:
        """As `warc` of a document."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP message: its first line, its headers in order, its body as it came over the wire."""

    first_line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def status(self) -> int:
        """A response's status; ValueError where the first line has none."""
        return int(self.first_line.split(None, 2)[1])

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read: named fields by lower-case name, the block, and the whole as it stood."""

    fields: dict[str, str]
    block: bytes
    raw: bytes

    @property
    def type(self) -> str:
        """WARC-Type: warcinfo, response, request, revisit or metadata; empty where it is absent."""
        return self.fields.get("warc-type", "")

    @property
    def record_id(self) -> str:
        """WARC-Record-ID without its angle brackets; empty where it is absent."""
        return self.fields.get("warc-record-id", "").strip("<>")

    @property
    def url(self) -> str:
        """WARC-Target-URI, or an empty string; WARC/1.0 writers put it in angle brackets."""
        return self.fields.get("warc-target-uri", "").strip("<>")

    @property
    def message(self) -> Message:
        """The HTTP message in the block. Raises ValueError where there is none."""
        head, found, body = self.block.partition(b"\r\n\r\n")
        if not found:
            raise ValueError(f"record {self.record_id} holds no HTTP message")
        first, *rest = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in rest)
        return Message(first, [(name, value.strip()) for name, _, value in pairs], body)


def warc_date(moment: datetime) -> str:
    """A WARC-Date to the millisecond, which is what MongoDB keeps."""
    utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def digest(payload: bytes) -> str:
    """A WARC digest: `sha256:` and base32, as WARC-Payload-Digest has it."""
    return "sha256:" + base64.b32encode(hashlib.sha256(payload).digest()).decode("ascii")


def response_block(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The bytes of an HTTP response whose transfer encoding was undone (so it has none)."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, '')}".rstrip().encode()]
    lines += [
        name + b": " + value for name, value in headers if name.lower() != b"transfer-encoding"
    ]
    return b"\r\n".join([*lines, b"", body])


def request_block(
    method: str, url: str, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> bytes:
    """The bytes of an HTTP/1.1 request as the server sees it."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.encode("ascii" if parts.netloc.isascii() else "idna")
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: " + host]
    lines += [name + b": " + value for name, value in headers if name.lower() != b"host"]
    return b"\r\n".join([*lines, b"", body])


def new_id() -> str:
    """A fresh record id, without angle brackets."""
    return f"urn:uuid:{uuid4()}"


def member(record_id: str, kind: str, fields: Fields, block: bytes, level: int) -> bytes:
    """One record as one gzip member.

    `level` is zlib's for the block. At 0, for a body that is squeezed already, what stands before the
    body is squeezed and the body stored: a fifth of level 1's time, no byte more (measured).
    """
    lines = ["WARC/1.1", f"WARC-Type: {kind}", f"WARC-Record-ID: <{record_id}>"]
    lines += [f"{name}: {value}" for name, value in fields]
    lines += [f"WARC-Block-Digest: {digest(block)}", f"Content-Length: {len(block)}", "", ""]
    head = "\r\n".join(lines).encode()
    if level == 0:
        before, blank, body = block.partition(b"\r\n\r\n")
        return _gzipped(head + before + blank, body + b"\r\n\r\n")
    small = len(head) + len(block) <= _SMALL
    squeeze = zlib.compressobj(level, zlib.DEFLATED, *(_GZIP_SMALL if small else (_GZIP,)))
    parts = [squeeze.compress(part) for part in (head, block, b"\r\n\r\n")]
    return b"".join([*parts, squeeze.flush()])


def _gzipped(squeezed: bytes, stored: bytes) -> bytes:
    """A gzip member (RFC 1952) of a deflate stream that ends in a full flush, then blocks as they are."""
    memory = (12, 5) if len(squeezed) <= _SMALL else (zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL)
    first = zlib.compressobj(6, zlib.DEFLATED, -memory[0], memory[1])
    checksum = zlib.crc32(stored, zlib.crc32(squeezed))
    return b"".join(
        [
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
            first.compress(squeezed), first.flush(zlib.Z_FULL_FLUSH),
            *_blocks(stored),
            struct.pack("<II", checksum, (len(squeezed) + len(stored)) & 0xFFFFFFFF),
        ]
    )  # fmt: skip


def _blocks(stored: bytes) -> Iterator[bytes | memoryview]:
    """Bytes as blocks of a deflate stream that are not squeezed (RFC 1951, 3.2.4), to its end."""
    view = memoryview(stored)
    for start in range(0, len(stored), _BLOCK):
        part = view[start : start + _BLOCK]
        last = start + _BLOCK >= len(stored)
        yield struct.pack("<BHH", last, len(part), len(part) ^ 0xFFFF)
        yield part


def replacement(length: int, reason: str) -> bytes | None:
    """A gzip member of exactly so many bytes, a `metadata` record that says why no other is here.

    None where that is too few (about 300 bytes). Other tools read past it to the records that follow.
    """
    fields = [
        ("WARC-Date", warc_date(datetime.now(timezone.utc))),
        ("Content-Type", "text/plain"),
    ]
    start = REPLACED + " ".join(reason.split()).encode()[:200] + b"\r\n\r\n"
    ident = new_id()

    def padded(spaces: int) -> bytes:  # what follows an empty line is stored as it is
        return member(ident, "metadata", fields, start + b" " * spaces, 0)

    spaces = length - len(padded(0))
    while spaces >= 0:
        made = padded(spaces)
        if len(made) <= length:
            return _with_name(made, length - len(made))
        spaces -= len(made) - length
    return None


def _with_name(made: bytes, more: int) -> bytes:
    """A gzip member without a file name, made longer by one of so many bytes (RFC 1952, FNAME)."""
    if more == 0:
        return made
    return made[:3] + b"\x08" + made[4:10] + b"-" * (more - 1) + b"\0" + made[10:]


def parse_record(data: bytes) -> Record:
    """A record from a member's bytes. Raises TornRecord."""
    head, found, rest = data.partition(b"\r\n\r\n")
    version, *lines = head.decode("utf-8", "replace").split("\r\n")
    if not found or not version.startswith("WARC/1."):
        raise TornRecord("no WARC record here")
    pairs = (line.partition(":") for line in lines)
    fields = {name.lower(): value.strip() for name, _, value in pairs}
    try:
        length = int(fields["content-length"])
    except (KeyError, ValueError):
        raise TornRecord("a record without Content-Length") from None
    if len(rest) != length + 4 or rest[length:] != b"\r\n\r\n":
        raise TornRecord("a record is shorter or longer than it says")
    return Record(fields, rest[:length], data)


def read_records(
    file: BinaryIO, offset: int = 0, most: int = sys.maxsize
) -> Iterator[tuple[int, int, Record]]:
    """Records from `offset` on, each with its member's offset and length, in bytes.

    Ends at the end of the file. Raises TornRecord at the first member that is not one whole record of
    at most `most` bytes.
    """
    file.seek(offset)
    held = b""
    while held or (held := file.read(_CHUNK)):
        member = zlib.decompressobj(_GZIP)
        parts: list[bytes] = []
        length = size = expected = 0
        while True:
            try:
                parts.append(member.decompress(held))
            except zlib.error as error:
                raise TornRecord(f"at byte {offset}: {error}") from error
            length += len(held) - len(member.unused_data)
            if member.eof:
                break
            size += len(parts[-1])
            expected = expected or _record_size(b"".join(parts))
            if size > min(expected or _LONGEST_HEAD, most):
                raise TornRecord(f"at byte {offset}: the member is longer than its record")
            if not (held := file.read(_CHUNK)):
                raise TornRecord(f"at byte {offset}: the file ends within a record", ended=True)
        yield offset, length, parse_record(b"".join(parts))
        offset += length
        held = member.unused_data


def _record_size(start: bytes) -> int:
    """The size of the record that begins so, 0 where that is not known yet. Raises TornRecord.

    It bounds the memory for a foreign file that is one member of any size.
    """
    if not start[:7] == b"WARC/1."[: len(start)]:
        raise TornRecord("no WARC record here")
    head, found, _ = start.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length:[ \t]*([0-9]{1,15})", head) if found else None
    return len(head) + 8 + int(length[1]) if length else 0
