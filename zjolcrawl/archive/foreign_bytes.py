"""Reads the bytes of a WARC or ARC file that others made, in bounded memory, from one gzip member or uncompressed."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any, BinaryIO

GZIP_MAGIC = b"\x1f\x8b\x08"
_CHUNK = 64 * 1024  # bytes read or decompressed at a time
_GZIP = 31  # zlib's window bits for a gzip member
_STEP = 64  # the same up to damage, where the last piece is lost
_WINDOW = 1024 * 1024
LONGEST_LINE = 16 * 1024  # bytes of a line that is looked at as a whole
# Each alternative begins with a character: Python's re then passes the others five times as fast.
_STARTS = re.compile(rb"\x1f\x8b\x08|WARC/[01]\.\d+[ \t]*\r?\n|\n[a-z]{2,8}:")
_SCHEME = re.compile(rb"[a-z]{2,8}:")


def record_starts(data: bytes) -> Iterator[int]:
    """Where a record may begin: a gzip member, or a line of an uncompressed record.

    The first line of a WARC record may follow bytes of a record that is cut off.
    """
    if _SCHEME.match(data):
        yield 0
    for found in _STARTS.finditer(data):
        yield found.start() + found[0].startswith(b"\n")


class Section:
    """The bytes of one gzip member, or of the rest of an uncompressed file.

    `start` is the offset in the file where it begins, `position` the number of bytes read so far,
    after decompression. `fault` says why the bytes end too early, None if they do not. `end` is the
    offset in the file after a complete member.
    """

    def __init__(self, file: BinaryIO, start: int, *, packed: bool) -> None:
        self.start, self.packed, self.position = start, packed, 0
        self.fault: str | None = None
        self._file, self._at = file, start
        self._member = zlib.decompressobj(_GZIP)
        self._raw = b""
        self._held = bytearray()
        self._done = False

    @property
    def end(self) -> int:
        return self._at - len(self._raw)

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end."""
        data = BytesIO()  # getvalue copies nothing
        while data.write(self._take(size - data.tell())) or self._fill():
            if data.tell() == size:
                break
        return data.getvalue()

    def readline(self, size: int = LONGEST_LINE) -> bytes:
        """The next line with its newline, or the first `size` bytes of it."""
        seen = 0
        while (at := self._held.find(b"\n", seen)) < 0:
            seen = len(self._held)
            if seen >= size or not self._fill():
                break
        return self._take(min(at + 1 or seen, size))

    def peek(self, size: int = LONGEST_LINE) -> bytes:
        """The next `size` bytes, fewer at the end, without reading them."""
        while len(self._held) < size and self._fill():
            pass
        return bytes(self._held[:size])

    def unread(self, data: bytes) -> None:
        """Put back what was read last."""
        self._held[:0] = data
        self.position -= len(data)

    def rewind(self, position: int) -> None:
        """Go back to a position; a gzip member is decompressed again up to it."""
        self.__init__(self._file, self.start, packed=self.packed)  # type: ignore[misc]
        self.skip(position)

    def skip(self, size: int) -> int:
        """Read past up to `size` bytes; returns how many there were."""
        left = size - len(self._take(min(size, len(self._held))))
        if not self.packed and left:  # an uncompressed file needs no reading
            there = max(0, min(left, self._file.seek(0, os.SEEK_END) - self._at))
            self._at += there
            self.position += there
            return size - left + there
        while left and self._fill():
            left -= len(self._take(min(left, len(self._held))))
        return size - left

    def _take(self, size: int) -> bytes:
        data = bytes(self._held[:size])
        del self._held[:size]
        self.position += len(data)
        return data

    def _fill(self) -> bool:
        """Hold more bytes; False at the end."""
        while not self._done:
            if not self._raw:
                self._file.seek(self._at)
                self._raw = self._file.read(_CHUNK)
                self._at += len(self._raw)
            if data := self._decompressed() if self.packed else self._plain():
                self._held += data
                return True
        return False

    def _plain(self) -> bytes:
        data, self._raw = self._raw, b""
        self._done = not data
        return data

    def _decompressed(self) -> bytes:
        if not self._raw:
            self._done, self.fault = True, "the file ends within a gzip member"
            return b""
        before = self._member.copy()
        try:
            data = self._member.decompress(self._raw, _CHUNK)
        except zlib.error as error:
            self._done, self.fault = True, f"the gzip member is damaged ({error})"
            return _up_to_damage(before, self._raw)
        self._raw = self._member.unconsumed_tail
        if self._member.eof:
            self._done, self._raw = True, self._member.unused_data
        return data


def _up_to_damage(member: Any, raw: bytes) -> bytes:
    """What can be decompressed of bytes with damage in them."""
    parts: list[bytes] = []
    with suppress(zlib.error):
        for start in range(0, len(raw), _STEP):
            parts.append(member.decompress(raw[start : start + _STEP], _CHUNK))
            if member.unconsumed_tail:  # extremely compressed, so no text
                break
    return b"".join(parts)


def next_record(file: BinaryIO, start: int) -> int | None:
    """The offset from `start` on of the next record or gzip member that begins with one, or None."""
    while True:
        file.seek(start)
        window = file.read(_WINDOW + LONGEST_LINE)
        for at in record_starts(window):
            if at >= _WINDOW:
                break
            line = window[at : at + LONGEST_LINE]
            if is_member(line) or begins_a_record(line):
                return start + at
        if len(window) <= _WINDOW:
            return None
        start += _WINDOW


def is_member(start: bytes) -> bool:
    """Whether these are the first bytes of a gzip member that begins with a record."""
    if not start.startswith(GZIP_MAGIC):
        return False
    try:
        return begins_a_record(zlib.decompressobj(_GZIP).decompress(start, 4096))
    except zlib.error:
        return False


def begins_a_record(start: bytes) -> bool:
    """Whether the first line is that of a WARC record, or the header line of an ARC record.

    ARC 1.0: URL, IP address, time of 14 digits, media type, length
    (archive.org/web/researcher/ArcFileFormat.php).
    """
    if start.startswith(b"WARC/"):
        return start[5:6] in b"01" and start[6:7] == b"."
    words = start.partition(b"\n")[0].rstrip(b"\r").rsplit(b" ", 4)
    return (
        len(words) == 5
        and b":" in words[0][:12]
        and len(words[2]) == 14
        and words[2].isdigit()
        and words[4].isdigit()
    )
