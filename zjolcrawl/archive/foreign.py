"""Reads WARC and ARC files that others made: every whole record, and each part that cannot be used, by offset.

warcio parses the headers of both formats. What it lacks is here: a limit of memory, offsets of damage, and
the way on to the next record.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from warcio.recordloader import ArcWarcRecordLoader

from zjolcrawl.archive.foreign_bytes import (
    GZIP_MAGIC,
    LONGEST_LINE,
    Section,
    begins_a_record,
    is_member,
    next_record,
    record_starts,
)
from zjolcrawl.archive.warc import Record
from zjolcrawl.messages import counted

MOST = 21 * 1024 * 1024
"""Byte limit of a record: a little more than DOWNLOAD_MAXSIZE, the largest response that a crawl takes."""
_LONGEST_HEAD = 256 * 1024  # bytes of a record's header
_LONGEST_SKIP = 4 * 1024**3  # bytes of a record that is decompressed only to get past it
_MOST_AGAIN = 1024**3  # bytes of damaged records of a file that are read again
_MOST_SEARCHED = 1024**3  # bytes of a file that are searched for the next record
_SEARCHED = 64 * 1024  # bytes of them at a time; more than LONGEST_LINE


@dataclass(frozen=True, slots=True)
class Foreign:
    """A record, with the offset of the gzip member or of the uncompressed record that holds it."""

    record: Record
    offset: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """Bytes at `offset` that give no record, and the reason."""

    offset: int
    reason: str


class _Damaged(Exception):
    """The bytes here are no record; the message is the reason."""


class ForeignFile:
    """A WARC or ARC file, compressed or not, whatever its name says."""

    def __init__(self, file: BinaryIO, most: int = MOST) -> None:
        """`file` must be seekable. Records of more than `most` bytes are named and skipped."""
        self._file, self._most = file, most
        self._size = file.seek(0, os.SEEK_END)
        self._again, self._left = _MOST_AGAIN, _MOST_SEARCHED
        # ARC headers come as the WARC headers that mean the same.
        self._loader = ArcWarcRecordLoader(verify_http=False, arc2warc=True)

    def __iter__(self) -> Iterator[Foreign | Unusable]:
        """Every record and every unusable part, in order. Raises OSError."""
        if not self._size:
            yield Unusable(0, "the file is empty")
        at = 0
        while at < self._size:
            start = self._bytes_at(at)
            packed = start.startswith(GZIP_MAGIC)
            if packed or begins_a_record(start):
                section = Section(self._file, at, packed=packed)
                yield from self._records(section)
                at = self._after(section)
            elif start[:1] in b"\r\n":  # between two sections
                at += len(start) - len(start.lstrip(b"\r\n"))
            elif self._is_padding(at):
                return
            else:
                yield Unusable(at, "no record begins here")
                at = self._next(at + 1)

    def _after(self, section: Section) -> int:
        """Where to go on after the bytes of a section."""
        if not section.packed:
            return section.start + section.position if _at_member(section) else self._size
        if section.fault is None and not section.peek(1):
            return section.end
        return self._next(section.start + 1)

    def _next(self, start: int) -> int:
        """The offset of the next record from `start` on, or the file's size."""
        following = next_record(self._file, start)
        return self._size if following is None else following

    def _records(self, section: Section) -> Iterator[Foreign | Unusable]:
        """The records of a section, up to its end or to a gzip member that follows uncompressed records."""
        while _skip_blank(section) and not _at_member(section):
            at = section.start + (0 if section.packed else section.position)
            try:
                record = self._record(section)
            except _Damaged as damage:
                yield Unusable(at, str(damage))
                if not self._find(section):
                    break
            else:
                yield record if isinstance(record, Unusable) else Foreign(record, at)
        if section.fault and not section.position:
            yield Unusable(section.start, section.fault)

    def _record(self, section: Section) -> Record | Unusable:
        """The next record, or that it is too large. Raises _Damaged."""
        start = section.position
        at = section.start + (0 if section.packed else start)
        if not begins_a_record(section.peek()):
            section.readline()
            raise _Damaged(section.fault or "no record begins here")
        fields, length = self._head(section)
        if length > self._most:
            message = f"a record of {counted(length, 'byte')} is too large: it stays in the file"
            self._pass(section, length, message)
            return Unusable(at, message)
        block = section.read(length)
        if len(block) < length:
            why = section.fault or "the file or its gzip member ends within it"
            self._search_within(section, block)
            raise _Damaged(f"a record is cut off: {why}")
        blank = section.position
        if not _skip_blank(section):
            if section.fault:
                raise _Damaged(f"a record is damaged: {section.fault}")
        elif section.position == blank and not (
            begins_a_record(section.peek()) or _at_member(section)
        ):
            self._search_within(section, block)
            raise _Damaged("a record's length differs from its Content-Length")
        return Record(fields, block, b"")

    def _head(self, section: Section) -> tuple[dict[str, str], int]:
        """The fields of a record's header, by lower-case name, and the length of its block."""
        is_arc = not section.peek(5).startswith(b"WARC/")
        try:
            head = _Head(section, is_arc=is_arc)
            parsed = self._loader.parse_record_stream(head, no_record_parse=True)
            fields = {name.lower(): value.strip() for name, value in parsed.rec_headers.headers}
            length = parsed.length if fields["content-length"].strip().isdecimal() else None
        except _Damaged:
            raise
        except Exception as error:  # whatever warcio finds wrong with a hostile header
            raise _Damaged(f"a record's header cannot be read ({error!r:.100})") from error
        if length is None:
            raise _Damaged("a record without Content-Length")
        if is_arc:
            fields.pop("warc-record-id", None)  # made up by warcio
        if head.is_broken:
            del fields["warc-target-uri"]
        return fields, length

    def _pass(self, section: Section, length: int, message: str) -> None:
        """Read past a record that is too large. Raises _Damaged if it cannot be as long as it says."""
        start = section.position
        most = _LONGEST_SKIP if section.packed else length
        if section.skip(min(length, most)) == length:
            return
        if self._again >= (size := section.position if section.packed else 0):
            self._again -= size
            section.rewind(start)
        raise _Damaged(f"{message}, and it is cut off or shorter than it says")

    def _search_within(self, section: Section, block: bytes) -> None:
        """Put back a damaged record's block, because another record may begin in it."""
        if self._again >= len(block):
            self._again -= len(block)
            section.unread(block)

    def _find(self, section: Section) -> bool:
        """Read up to the next record; False if there is none, or it is too far away."""
        while (held := section.peek(_SEARCHED)) and self._left > 0:
            for at in record_starts(held):
                line = held[at : at + LONGEST_LINE]
                if begins_a_record(line) or (not section.packed and is_member(line)):
                    section.skip(at)
                    return True
            # What is at the end may be the start of a line that is not held as a whole.
            at = max(len(held) - LONGEST_LINE, 0) if len(held) == _SEARCHED else len(held)
            self._left -= section.skip(at)
        return False

    def _bytes_at(self, at: int) -> bytes:
        self._file.seek(at)
        return self._file.read(LONGEST_LINE)

    def _is_padding(self, at: int) -> bool:
        """Whether only zeros, blanks or line ends are left."""
        self._file.seek(at)
        while data := self._file.read(1024 * 1024):
            if data.strip(b"\0\r\n "):
                return False
        return True


class _Head:
    """What warcio reads a header from: lines of a section, up to a limit, each with the lines that continue it.

    `is_broken`: the URL goes on in another line, so it is unknown where its parts belong.
    """

    def __init__(self, section: Section, *, is_arc: bool) -> None:
        self._section, self._left, self._is_arc = section, _LONGEST_HEAD, is_arc
        self.is_broken = False

    def readline(self) -> bytes:
        line = self._line()
        if self._is_arc or not line.strip():
            return line
        parts = [line.rstrip()]
        while self._section.peek(1) in {b" ", b"\t"}:
            parts.append(self._line().strip())
        if line.lower().startswith(b"warc-target-uri:"):
            values = [parts[0].partition(b":")[2].strip(), *parts[1:]]
            self.is_broken = sum(map(bool, values)) > 1
        return b" ".join(parts) + b"\r\n"

    def _line(self) -> bytes:
        line = self._section.readline(LONGEST_LINE)
        self._left -= len(line)
        if self._left < 0 or (len(line) == LONGEST_LINE and not line.endswith(b"\n")):
            raise _Damaged("a record's header is too long")
        return line

    def read(self, size: int) -> bytes:
        return self._section.read(size)


def _skip_blank(section: Section) -> bool:
    """Read past the line ends between records; False at the end of the section."""
    while (byte := section.peek(1)) in {b"\r", b"\n"}:
        section.skip(1)
    return bool(byte)


def _at_member(section: Section) -> bool:
    """Whether a gzip member with a record follows uncompressed records here."""
    is_plain = not section.packed and section.peek(3) == GZIP_MAGIC
    return is_plain and is_member(section.peek())
