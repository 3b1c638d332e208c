"""Builds and parses WARC/1.1 records (ISO 28500:2017) as bytes, without files."""

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
from io import BytesIO
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from uuid import uuid4

from zjolcrawl.clock import iso_time
from zjolcrawl.messages import one_line

SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
CONTEXT = "Zjolcrawl-Context"
"""Extension field: what the crawl knew when it made the request, as ASCII JSON. A reparse needs it."""
FAILED, REPLACED = b"fetch-failed: ", b"damaged-bytes: "
"""How the blocks of our `metadata` records begin: for a request without a response, and for a record
that replaces damaged bytes.
"""

_CHUNK = 128 * 1024
_GZIP = 31  # zlib's window bits for a gzip member
_LONGEST_HEAD = 1024 * 1024  # byte limit of a record's header
_BLOCK = 0xFFFF  # byte limit of a stored deflate block
_CONTENT_LENGTH = re.compile(rb"(?i)\ncontent-length:[ \t]*([0-9]{1,15})")
# Up to this size, less memory (window bits and level) compresses as well. Allocating it takes most of
# the time of a request record.
_SMALL = 4096
_GZIP_SMALL = (16 + 12, 5)

Fields = list[tuple[str, str]]


class TornRecord(ValueError):
    """The bytes end or are invalid before a record is complete. `ended`: the file ends within it."""

    def __init__(self, message: str, *, ended: bool = False) -> None:
        super().__init__(message)
        self.ended = ended


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a record is: WARC file name, offset and length of its gzip member in bytes, record id."""

    file: str
    offset: int
    length: int
    record_id: str

    def values(self) -> dict[str, Any]:
        """The `warc` field of a document."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP message: first line, headers in order, and the body as received."""

    first_line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def status(self) -> int:
        """The status of a response. Raises ValueError if the first line has none."""
        return int(self.first_line.split(None, 2)[1])

    def header(self, name: str) -> str | None:
        """The first header with this name, case-insensitive, or None."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read: fields by lower-case name, the block, and the bytes of the header before it."""

    fields: dict[str, str]
    block: bytes
    head: bytes = b""

    @property
    def raw(self) -> bytes:
        """All bytes of the record."""
        return self.head + self.block + b"\r\n\r\n"

    @property
    def type(self) -> str:
        """WARC-Type (warcinfo, response, request, revisit or metadata), or ""."""
        return self.fields.get("warc-type", "")

    @property
    def record_id(self) -> str:
        """WARC-Record-ID without angle brackets, or ""."""
        return self.fields.get("warc-record-id", "").strip("<>")

    @property
    def url(self) -> str:
        """WARC-Target-URI, or ""; WARC/1.0 writers put it in angle brackets."""
        return self.fields.get("warc-target-uri", "").strip("<>")

    @property
    def message(self) -> Message:
        """The HTTP message in the block. Raises ValueError if there is none."""
        head, found, body = self.block.partition(b"\r\n\r\n")
        if not found:
            raise ValueError(f"record {self.record_id} holds no HTTP message")
        first, *rest = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in rest)
        return Message(first, [(name, value.strip()) for name, _, value in pairs], body)


def warc_date(moment: datetime) -> str:
    """A WARC-Date in milliseconds, the precision of MongoDB."""
    return iso_time(moment)


def digest(payload: bytes) -> str:
    """A WARC-Payload-Digest: `sha256:` and base32."""
    return "sha256:" + base64.b32encode(hashlib.sha256(payload).digest()).decode("ascii")


def response_block(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The bytes of an HTTP response, without Transfer-Encoding because that is already undone in `body`."""
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
    """A new record id, without angle brackets."""
    return f"urn:uuid:{uuid4()}"


def member(record_id: str, kind: str, fields: Fields, block: bytes, level: int) -> bytes:
    """One record as one gzip member.

    `level` is zlib's for the block. Level 0 is for a body that is already compressed: it compresses the
    headers and stores the body, which is faster than level 1 and no larger.
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
    """A gzip member (RFC 1952): a deflate stream that ends in a full flush, then stored blocks."""
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
    """Bytes as uncompressed deflate blocks (RFC 1951, 3.2.4), up to the end of the stream."""
    view = memoryview(stored)
    for start in range(0, len(stored), _BLOCK):
        part = view[start : start + _BLOCK]
        last = start + _BLOCK >= len(stored)
        yield struct.pack("<BHH", last, len(part), len(part) ^ 0xFFFF)
        yield part


def replacement(length: int, reason: str) -> bytes | None:
    """A gzip member of exactly `length` bytes: a `metadata` record that replaces a damaged one.

    It contains `reason`. None if `length` is too short (about 300 bytes). Other tools read past it to
    the records that follow.
    """
    fields = [
        ("WARC-Date", warc_date(datetime.now(timezone.utc))),
        ("Content-Type", "text/plain"),
    ]
    start = REPLACED + one_line(reason).encode()[:200] + b"\r\n\r\n"
    ident = new_id()

    def padded(spaces: int) -> bytes:  # level 0 stores what follows an empty line uncompressed
        return member(ident, "metadata", fields, start + b" " * spaces, 0)

    spaces = length - len(padded(0))
    while spaces >= 0:
        made = padded(spaces)
        if len(made) <= length:
            return _with_name(made, length - len(made))
        spaces -= len(made) - length
    return None


def _with_name(made: bytes, more: int) -> bytes:
    """The gzip member made `more` bytes longer by a file name (RFC 1952, FNAME)."""
    if more == 0:
        return made
    return made[:3] + b"\x08" + made[4:10] + b"-" * (more - 1) + b"\0" + made[10:]


def parse_record(data: bytes) -> Record:
    """A record from the bytes of a decompressed member. Raises TornRecord."""
    end = data.find(b"\r\n\r\n")
    head = data[: end + 4]
    version, *lines = head[:-4].decode("utf-8", "replace").split("\r\n")
    if end < 0 or not version.startswith("WARC/1."):
        raise TornRecord("no WARC record here")
    pairs = (line.partition(":") for line in lines)
    fields = {name.lower(): value.strip() for name, _, value in pairs}
    try:
        length = int(fields["content-length"])
    except (KeyError, ValueError):
        raise TornRecord("a record without Content-Length") from None
    if length < 0 or len(data) != len(head) + length + 4 or not data.endswith(b"\r\n\r\n"):
        raise TornRecord("a record's length differs from its Content-Length")
    return Record(fields, data[len(head) : -4], head)


def read_records(
    file: BinaryIO, offset: int = 0, most: int = sys.maxsize
) -> Iterator[tuple[int, int, Record]]:
    """Records from `offset` on, each with its member's offset and length in bytes.

    Stops at the end of the file. Raises TornRecord at the first member that is not exactly one
    record of at most `most` bytes.
    """
    file.seek(offset)
    held = b""
    while held or (held := file.read(_CHUNK)):
        member = zlib.decompressobj(_GZIP)
        data = BytesIO()  # getvalue copies nothing
        length = expected = 0
        while True:
            try:
                data.write(member.decompress(held))
            except zlib.error as error:
                raise TornRecord(f"at byte {offset}: {error}") from error
            length += len(held) - len(member.unused_data)
            if member.eof:
                break
            expected = expected or _record_size(data.getvalue())
            if data.tell() > min(expected or _LONGEST_HEAD, most):
                raise TornRecord(f"at byte {offset}: the member is longer than its record")
            if not (held := file.read(_CHUNK)):
                raise TornRecord(f"at byte {offset}: the file ends within a record", ended=True)
        record = parse_record(data.getvalue())
        del data
        yield offset, length, record
        del record  # none is kept while the next one is read
        offset += length
        held = member.unused_data


def _record_size(start: bytes) -> int:
    """The size of a record from its first bytes, or 0 if not known yet. Raises TornRecord.

    This limits the memory for a foreign file that is a single huge member.
    """
    if not start[:7] == b"WARC/1."[: len(start)]:
        raise TornRecord("no WARC record here")
    end = start.find(b"\r\n\r\n")
    length = _CONTENT_LENGTH.search(start, 0, end) if end >= 0 else None
    return end + 8 + int(length[1]) if length else 0
