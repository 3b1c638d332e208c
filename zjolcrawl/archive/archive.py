"""The archive's folder: its WARC files, the index of them, and what a killed run left.

DATA_DIR/warc/zjol-<UTC time>-<run>-<number>.warc.gz         complete, never written again
zjol-<UTC time>-<run>-<number>.warc.gz.open    being written; its writer holds flock
zjol-<UTC time>-<run>-<number>.cdxj            index of a complete file
zjol-<UTC time>-<run>-<number>.warc.gz.stored  it is in WARC_STORE, and perhaps there alone
index.sqlite                                   of all; made anew if it is deleted
"""

from __future__ import annotations

import fcntl
import io
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from zjolcrawl.archive.captures import Capture, capture_of
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.warc import Message, Pointer, Record, TornRecord, read_records
from zjolcrawl.durable import sync_folder

SUFFIX, OPEN, STORED = ".warc.gz", ".open", ".stored"


class ArchiveError(Exception):
    """The archive cannot be written or read; the message is one line for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class NoAnswer(Exception):
    """A capture of a request that got no response; the message is the reason kept then."""


class Archive:
    """The archive on one folder, for reading; a context manager that closes it.

    Opening it completes the files of killed writers (`repairs` says what was done) and indexes
    every file that the index lacks.
    """

    def __init__(self, folder: Path, store: WarcStore | None = None) -> None:
        """Open `folder`, making it if absent; `store` has files that left it. Raises ArchiveError."""
        self.folder, self.store = folder, store
        self.repairs: list[str] = []
        with _one_line_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.index = ArchiveIndex(folder)
            for path in sorted(folder.glob(f"*{SUFFIX}{OPEN}")):
                if repair := _complete_if_left(path, self.index):
                    self.repairs.append(repair)
            self._catch_up()

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
        message = record.message
        if capture.type != "revisit":
            return message
        return Message(
            message.first_line, message.headers, self.read(self.source(capture)).message.body
        )

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

    def _catch_up(self) -> None:
        known = self.index.files()
        # In this order: a file that leaves meanwhile has its note before it goes.
        here = {path.name for path in self.folder.glob(f"*{SUFFIX}")}
        noted = {p.name.removesuffix(STORED) for p in self.folder.glob(f"*{SUFFIX}{STORED}")}
        there = here | noted
        if self.store is None and (away := there - here - known):
            self.repairs.append(f"{len(away)} files are not indexed: they are in a WARC_STORE")
            known |= away
        for name in sorted(there - known):
            with self.open(name) as file:
                captures, torn = _scan(name, file)
            self.index.complete(name, captures)
            if torn:
                self.repairs.append(f"{name}: unreadable {torn}; the records before are indexed")
        for name in known - there:
            self.index.forget(name)


def read_record(folder: Path, pointer: Pointer, store: WarcStore | None = None) -> Record:
    """The record at `pointer`, for who only reads: nothing is completed or indexed.

    From `store` where the folder has not the file. Raises ArchiveError where it is not there.
    """
    with _one_line_errors(folder):
        try:
            record = _record_at(folder, pointer, store)
        # The last three: a pointer by another hand, whose name or place no file can have.
        except (TornRecord, StopIteration, ValueError, OverflowError, TypeError) as error:
            raise ArchiveError(f"{pointer.file} at byte {pointer.offset}: {error}") from error
    if record.record_id != pointer.record_id:
        raise ArchiveError(f"{pointer.file} has no record {pointer.record_id}")
    return record


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


def complete(path: Path, index: ArchiveIndex) -> None:
    """Give a durable `.open` file, which is indexed, its lasting name and write the CDXJ beside it.

    OSError, sqlite3.Error.
    """
    lasting = path.with_name(path.name.removesuffix(OPEN))
    beside = lasting.with_name(lasting.name.removesuffix(SUFFIX) + ".cdxj")
    scratch = beside.with_name(beside.name + ".new")
    with scratch.open("w", encoding="utf-8") as file:
        file.writelines(index.cdxj(lasting.name))
    scratch.replace(beside)
    path.rename(lasting)
    sync_folder(path.parent)
    index.complete(lasting.name)


def lock(descriptor: int) -> bool:
    """Take the lock that tells a living writer's file from a dead one's, if no one has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _path(folder: Path, name: str) -> Path:
    path = folder / Path(name).name
    being_written = path.with_name(path.name + OPEN)
    return being_written if not path.exists() and being_written.exists() else path


def _complete_if_left(path: Path, index: ArchiveIndex) -> str | None:
    """Cut a dead writer's file at its last whole record and complete it; what was done."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None  # completed by another process
    try:
        if not lock(descriptor) or not _is_still(path, descriptor):
            return None
        with path.open("rb") as file:
            captures, torn = _scan(path.name.removesuffix(OPEN), file)
        size = os.fstat(descriptor).st_size
        end = torn.offset if torn else size
        os.ftruncate(descriptor, end)
        os.fsync(descriptor)
        name = path.name.removesuffix(OPEN)
        if end == 0:
            path.unlink()
            return f"warc/{name}: had no whole record ({size} bytes), removed"
        index.forget(name)
        index.add(captures)
        complete(path, index)
        what = f"cut {size - end} torn bytes after byte {end}" if torn else "was whole"
        return f"warc/{name}: left by a run that was cut off; {what}, {len(captures)} captures kept"
    finally:
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


class _Torn:
    """Where a file stops being readable, and why."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset, self.reason = offset, reason

    def __str__(self) -> str:
        return f"after byte {self.offset} ({self.reason})"


def _scan(name: str, file: BinaryIO) -> tuple[list[Capture], _Torn | None]:
    """A file's captures, and where its first record that is not whole begins."""
    captures: list[Capture] = []
    end = 0
    try:
        for offset, length, record in read_records(file):
            end = offset + length
            at = Pointer(name, offset, length, record.record_id)
            if capture := capture_of(record, at):
                captures.append(capture)
    except (TornRecord, KeyError) as error:
        return captures, _Torn(end, str(error))
    return captures, None


@contextmanager
def _one_line_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"archive {folder}: {error}") from error
