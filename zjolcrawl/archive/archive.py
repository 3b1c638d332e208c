"""The archive's folder: its WARC files, the index of them, and what a killed run left.

DATA_DIR/warc/zjol-<UTC time>-<run>-<number>.warc.gz         complete, never written again
zjol-<UTC time>-<run>-<number>.warc.gz.open    being written; its writer holds flock
zjol-<UTC time>-<run>-<number>.cdxj            index of a complete file
zjol-<UTC time>-<run>-<number>.warc.gz.stored  it is in WARC_STORE, and perhaps there alone
zjol-<UTC time>-<run>-<number>.warc.gz.damaged as a killed run left it, before bytes were replaced
index.sqlite                                   of all; made anew if it is deleted
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.files import (
    DAMAGED,
    OPEN,
    STORED,
    SUFFIX,
    ArchiveError,
    complete,
    complete_files,
    lock,
    noted_files,
    shown,
    stamp,
)
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.repair import complete_if_left
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.scan import OWN_NAME, Damage, scan
from zjolcrawl.archive.warc import Message, Pointer, Record, read_records

__all__ = ["OPEN", "STORED", "SUFFIX", "Archive", "ArchiveError", "NoAnswer", "complete", "lock"]


class NoAnswer(Exception):
    """A capture of a request that got no response; the message is the reason kept then."""


class Archive:
    """The archive on one folder, for reading; a context manager that closes it.

    Opening it completes the files of killed writers and indexes every file that the index lacks.
    `repairs` says what was done and found this time, `faults` what of our own files is damaged or missing,
    every time. A foreign file is indexed as far as it can be and else named in `repairs`.
    """

    def __init__(self, folder: Path, store: WarcStore | None = None) -> None:
        """Open `folder`, making it if absent; `store` has files that left it. Raises ArchiveError."""
        self.folder, self.store = folder, store
        self.repairs: list[str] = []
        self.faults: list[str] = []
        with _one_line_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.index = ArchiveIndex(folder)
            if self.index.note:
                self.repairs.append(self.index.note)
            for path in sorted(folder.glob(f"zjol-*{SUFFIX}{OPEN}")):
                self._complete(path)
            self._catch_up()
            self._look()

    def read(self, pointer: Pointer) -> Record:
        """The record at `pointer`. Raises ArchiveError where it is not there."""
        return read_record(self.folder, pointer, self.store)

    def open(self, name: str) -> BinaryIO:
        """A WARC file of the archive, by its name, to be read and closed. Raises OSError."""
        try:
            return _path(self.folder, name).open("rb")
        except FileNotFoundError:
            if self.store is None:
                raise
            return self.store.open(name)

    def message(self, capture: Capture) -> Message:
        """The response of a capture: a revisit's headers with the payload it refers to.

        Raises NoAnswer where there was none, ArchiveError where the record, or the one it refers to,
        cannot be read.
        """
        record = self.read(capture.pointer)
        if capture.type == "metadata":
            raise NoAnswer(record.block.decode("utf-8", "replace").partition(": ")[2].strip())
        message = _message(record)
        if capture.type != "revisit":
            return message
        origin = _message(self.read(self.source(capture)))
        return Message(message.first_line, message.headers, origin.body)

    def source(self, capture: Capture) -> Pointer:
        """Where the capture's payload is. Raises ArchiveError where no file has it."""
        if capture.type != "revisit":
            return capture.pointer
        origin = self.index.record(capture.origin) if capture.origin else None
        if origin is None:
            raise ArchiveError(f"{capture.pointer.record_id} refers to a record that is not here")
        return origin.pointer

    def around(self, url: str, moment: str) -> Capture | None:
        """What a request made at `moment`, a WARC-Date, got, or would have been spared by.

        The last good answer before it, which a crawl takes in the place of a request; else the
        first answer after it.
        """
        good = self.index.newest(url, until=moment, status=200)
        return good or self.last_attempt(self.index.following(url, moment))

    def further(self, url: str, first: Capture) -> Capture | None:
        """What the run that made `first` got of another page of its article, asked for after it."""
        found = self.last_attempt(self.index.following(url, first.date))
        return found if found and found.run == first.run else None

    def last_attempt(self, capture: Capture | None) -> Capture | None:
        """The capture that a failed one ended in, where its run tried again."""
        while capture and (again := self.index.following(capture.url, capture.date)):
            attempt = capture.known.get("attempt", 0)
            if again.run != capture.run or again.known.get("attempt", 0) != attempt + 1:
                break
            capture = again
        return capture

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _complete(self, path: Path) -> None:
        name = path.name.removesuffix(OPEN)
        if not OWN_NAME.fullmatch(name):
            return
        try:
            if repair := complete_if_left(path, self.index):
                self.repairs.append(repair)
        except OSError as error:
            self._tell(name, f"a killed run's file cannot be completed: {error}")

    def _catch_up(self) -> None:
        known = self.index.files()
        # In this order: a file that leaves meanwhile has its note before it goes.
        here, odd = complete_files(self.folder)
        noted = noted_files(self.folder)
        there = here | noted
        changed = {
            name for name, _, was in self.index.damage()
            if name in there and stamp(self.folder / name) != was
        }  # fmt: skip
        if self.store is None and (away := there - here - known):
            self.repairs.append(f"{len(away)} files are not indexed: they are in a WARC_STORE")
            known |= away
        for name in sorted((there - known) | changed):
            self._index(name, local=name in here)
        for name, reason in sorted(odd.items()):
            self._tell(name, f"is left out: {reason}")
        for name in known - there - odd.keys():
            self.index.forget(name, lost=True)

    def _index(self, name: str, *, local: bool) -> None:
        try:
            with self.open(name) as file:
                found = scan(name, file)
        except OSError as error:
            if not local and not isinstance(error, FileNotFoundError):
                raise  # the store is away, with all its files
            self._tell(name, f"cannot be read: {error}")
            return
        self.index.complete(name, found.captures)
        self.index.set_damage(name, found.damage, stamp(self.folder / name))
        if found.unusable:
            told = f"{found.unusable} responses without id, date or URL are not indexed"
            self.repairs.append(f"warc/{shown(name)}: {told}")
        if OWN_NAME.fullmatch(name):  # of others it is told every time
            self.repairs += [_damage_line(name, each) for each in found.damage]

    def _look(self) -> None:
        """Tell what is damaged or missing."""
        for name, damage, _ in self.index.damage():
            if not damage.replaced or (self.folder / (name + DAMAGED)).exists():
                line = _damage_line(name, damage)
                (self.faults if OWN_NAME.fullmatch(name) else self.repairs).append(line)
        for name in sorted(self.index.lost()):
            if OWN_NAME.fullmatch(name):
                self._tell(name, "is missing: it was here, and is in no WARC_STORE that is known")

    def _tell(self, name: str, what: str) -> None:
        own = OWN_NAME.fullmatch(name)
        (self.faults if own else self.repairs).append(f"warc/{shown(name)}: {what}")


def _damage_line(name: str, damage: Damage) -> str:
    return f"warc/{shown(name)}: {damage}; the other records are indexed"


def read_record(folder: Path, pointer: Pointer, store: WarcStore | None = None) -> Record:
    """The record at `pointer`, for who only reads: nothing is completed or indexed.

    From `store` where the folder has not the file. Raises ArchiveError where it is not there.
    """
    with _one_line_errors(folder):
        try:
            record = _record_at(folder, pointer, store)
        except StopIteration:
            raise ArchiveError(
                f"{pointer.file} has no record at byte {pointer.offset}: the file ends there"
            ) from None
        except (ValueError, OverflowError, TypeError) as error:
            # TornRecord, or a pointer by another hand, whose name or place no file can have.
            raise ArchiveError(
                f"{pointer.file}: the record at byte {pointer.offset} is damaged ({error})"
            ) from error
    if record.record_id != pointer.record_id:
        raise ArchiveError(f"{pointer.file} has no record {pointer.record_id}")
    return record


def _message(record: Record) -> Message:
    try:
        return record.message
    except ValueError as error:
        raise ArchiveError(str(error)) from error


def _record_at(folder: Path, pointer: Pointer, store: WarcStore | None) -> Record:
    offset = pointer.offset
    file: BinaryIO
    try:
        file = _path(folder, pointer.file).open("rb")
    except FileNotFoundError:
        if store is None:
            raise
        name = Path(pointer.file).name
        offset, file = 0, io.BytesIO(store.read(name, pointer.offset, pointer.length))
    with file:
        return next(read_records(file, offset))[2]


def _path(folder: Path, name: str) -> Path:
    path = folder / Path(name).name
    being_written = path.with_name(path.name + OPEN)
    return being_written if not path.exists() and being_written.exists() else path


@contextmanager
def _one_line_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"archive {folder}: {error}") from error
