"""Reads a whole WARC file for the index and continues after damaged parts."""

from __future__ import annotations

import os
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from zjolcrawl.archive.captures import INDEXED, Capture, capture_of
from zjolcrawl.archive.warc import REPLACED, Pointer, Record, TornRecord, read_records

OWN_NAME = re.compile(r"zjol-[0-9]{14,20}-([0-9a-f]{24})-[0-9]+\.warc\.gz")
"""The name of a file that one of our runs wrote; group 1 is the run's id."""
_MAGIC = b"\x1f\x8b\x08"
_WINDOW = 1024 * 1024
_LOOK = 1024  # bytes that hold a gzip header and the start of a record's first line
_MOST = 256 * 1024 * 1024  # byte limit of a foreign record; DOWNLOAD_MAXSIZE limits ours


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes from `start` up to `end` in which no record can be read, and the `reason`.

    `ended`: the file ends within a record, as after a killed writer. `replaced`: a repair has
    overwritten the bytes with a record that says so.
    """

    start: int
    end: int
    reason: str
    ended: bool = False
    replaced: bool = False

    def __str__(self) -> str:
        return f"unreadable from byte {self.start} to byte {self.end} ({self.reason})"


@dataclass(slots=True)
class Scanned:
    """A file's captures, its damage, and the number of `unusable` responses: without id, date or URL."""

    captures: list[Capture] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    unusable: int = 0


def scan(name: str, file: BinaryIO) -> Scanned:
    """The captures and the damage of a file. Raises OSError."""
    found = Scanned()
    for each in scan_records(name, file):
        if isinstance(each, Damage):
            found.damage.append(each)
        else:
            _take(found, *each)
    return found


def scan_records(name: str, file: BinaryIO) -> Iterator[tuple[Pointer, Record] | Damage]:
    """Every whole record of a file, and the damage between them, in order. Raises OSError.

    After damage it continues at the next gzip member that is a whole record. An archived page may
    itself contain such members, so in our own files only records of the same warcinfo record count.
    """
    end = file.seek(0, os.SEEK_END)
    family: set[str] | None = set() if OWN_NAME.fullmatch(name) else None
    most = _MOST if family is None else sys.maxsize
    at = 0
    while at < end:
        try:
            for offset, length, record in read_records(file, at, most):
                yield Pointer(name, offset, length, record.record_id), record
                if family is not None:
                    family.add(_family(record))
                at = offset + length
        except TornRecord as error:
            following = _following(file, at + 1, family, most)
            torn = following is None and error.ended
            resumed = end if following is None else following
            yield Damage(at, resumed, str(error), ended=torn)
            at = resumed
        else:
            break
    if end == 0:
        yield Damage(0, 0, "the file is empty")


def _take(found: Scanned, at: Pointer, record: Record) -> None:
    if capture := capture_of(record, at):
        found.captures.append(capture)
    elif record.block.startswith(REPLACED):
        reason = record.block.decode("utf-8", "replace").partition(": ")[2].strip()
        found.damage.append(Damage(at.offset, at.offset + at.length, reason, replaced=True))
    elif record.type in INDEXED - {"metadata"}:
        found.unusable += 1


def _family(record: Record) -> str:
    """The id of the warcinfo record that a record belongs to, or "" if it names none."""
    if record.type == "warcinfo":
        return record.record_id
    return record.fields.get("warc-warcinfo-id", "").strip("<>")


def _following(file: BinaryIO, start: int, family: set[str] | None, most: int) -> int | None:
    """The offset of the next whole record, or None.

    With a `family`, a record of that family is preferred, then the next warcinfo record.
    """
    other: int | None = None
    for offset in _candidates(file, start):
        try:
            record = next(read_records(file, offset, most))[2]
        except TornRecord:
            continue
        if not family or _family(record) in family:
            return offset
        if other is None and record.type == "warcinfo":
            other = offset
    return other


def _candidates(file: BinaryIO, start: int) -> Iterator[int]:
    """Offsets of gzip members whose first bytes start a WARC record."""
    while True:
        file.seek(start)
        window = file.read(_WINDOW + _LOOK)
        at = window.find(_MAGIC)
        while 0 <= at < _WINDOW:
            if _begins_a_record(window[at : at + _LOOK]):
                yield start + at
            at = window.find(_MAGIC, at + 1)
        if len(window) <= _WINDOW:
            return
        start += _WINDOW


def _begins_a_record(data: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(data, 7) == b"WARC/1."
    except zlib.error:
        return False
