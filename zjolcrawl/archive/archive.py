"""Reads the archive folder: opens its WARC files, keeps their index current, finishes killed runs' files.

DATA_DIR/warc/zjol-<UTC time>-<run>-<number>.warc.gz         complete, never written again
zjol-<UTC time>-<run>-<number>.warc.gz.open    being written; its writer holds flock
zjol-<UTC time>-<run>-<number>.cdxj            index of a complete file
zjol-<UTC time>-<run>-<number>.warc.gz.stored  the file is in WARC_STORE, and perhaps only there
zjol-<UTC time>-<run>-<number>.warc.gz.damaged copy of a killed run's file before its repair
index.sqlite                                   index of all files; rebuilt if it is deleted
foreign/                                       files that others made, kept whole (archive.foreign_files)
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
    NOT_OURS,
    OPEN,
    STORED,
    SUFFIX,
    ArchiveError,
    complete,
    complete_files,
    noted_files,
    only_own,
    shown,
    stamp,
)
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.repair import complete_if_left
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.scan import OWN_NAME, Damage, scan
from zjolcrawl.archive.warc import Message, Pointer, Record, read_records
from zjolcrawl.messages import cause_of, counted

__all__ = ["OPEN", "STORED", "SUFFIX", "Archive", "ArchiveError", "NoAnswer", "complete"]


class NoAnswer(Exception):
    """A captured request got no response; the message is the reason recorded at the time."""


class Archive:
    """The archive in one folder, for reading; a context manager that closes it.

    Opening it completes the files of killed writers and indexes every file that the index lacks.
    `repairs` lists what this opening repaired or noticed. `faults` lists which of our own files are
    damaged or missing, at every opening. Other files in the folder are reported in `repairs` and left
    alone.
    """

    def __init__(self, folder: Path, store: WarcStore | None = None) -> None:
        """Open `folder`, creating it if absent; `store` holds files that left the folder.

        Raises ArchiveError.
        """
        self.folder, self.store = folder, store
        self.repairs: list[str] = []
        self.faults: list[str] = []
        with _one_line_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.index = ArchiveIndex(folder)
            try:
                self._prepare()
            except BaseException:
                self.index.close()
                raise

    def _prepare(self) -> None:
        """Complete the files of killed writers, bring the index up to date and report damage."""
        if self.index.note:
            self.repairs.append(self.index.note)
        for path in sorted(self.folder.glob(f"zjol-*{SUFFIX}{OPEN}")):
            self._complete(path)
        self._catch_up()
        self._look()

    def read(self, pointer: Pointer) -> Record:
        """The record at `pointer`. Raises ArchiveError if it is not there."""
        return read_record(self.folder, pointer, self.store)

    def open(self, name: str) -> BinaryIO:
        """Open a WARC file of the archive by name; the caller closes it. Raises OSError."""
        return open_file(self.folder, name, self.store)

    def message(self, capture: Capture) -> Message:
        """The response of a capture; a revisit gets its own headers and the body it refers to.

        Raises NoAnswer if the request got no response, and ArchiveError if the record, or the record it
        refers to, cannot be read.
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
        """Where the capture's payload is. Raises ArchiveError if no file has it."""
        if capture.type != "revisit":
            return capture.pointer
        origin = self.index.record(capture.origin) if capture.origin else None
        if origin is None:
            raise ArchiveError(f"{capture.pointer.record_id} refers to a missing record")
        return origin.pointer

    def around(self, url: str, moment: str) -> Capture | None:
        """The capture to use for a request of `url` made at `moment`, a WARC-Date.

        It is the last capture with status 200 up to that time, because a crawl would use it instead of
        a request; otherwise the first capture after it. The last failure of others counts if there is nothing else.
        """
        found = self.index.newest(url, until=moment, status=200)
        found = found or self.last_attempt(self.index.following(url, moment, good=True))
        if found:
            return found
        failed = self.index.newest(url)
        return failed if failed and failed.is_foreign else None

    def further(self, url: str, first: Capture) -> Capture | None:
        """The capture of another page of an article, requested after `first` by the same run, or None.

        If others took `first`, it is the nearest capture of any run.
        """
        if first.is_foreign:
            return self.index.nearest(url, first.date)
        return self.last_attempt(self.index.following(url, first.date, run=first.run))

    def last_attempt(self, capture: Capture | None) -> Capture | None:
        """The capture of the last retry that the same run made after `capture`."""
        while capture and (again := self.index.following(capture.url, capture.date)):
            attempt = capture.context.get("attempt", 0)
            if again.run != capture.run or again.context.get("attempt", 0) != attempt + 1:
                break
            capture = again
        return capture

    def close(self) -> None:
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
            self._tell(name, f"a killed run's file cannot be completed: {cause_of(error, path)}")

    def _catch_up(self) -> None:
        indexed = self._own(self.index.files())
        # Files before notes: a file that moves to the store meanwhile gets its note first.
        here, odd = complete_files(self.folder)
        others = here | odd.keys()
        here, noted = only_own(here), only_own(noted_files(self.folder))
        odd = {name: odd[name] for name in only_own(odd)}
        there = here | noted
        changed = {
            name for name, _, was in self.index.damage()
            if name in there and stamp(self.folder / name) != was
        }  # fmt: skip
        if self.store is None and (away := there - here - indexed):
            self.repairs.append(
                f"{counted(len(away), 'file')} not indexed: set WARC_STORE to read them"
            )
            indexed |= away
        for name in sorted((there - indexed) | changed):
            self._index(name, local=name in here)
        for name, reason in sorted(odd.items()):
            self._tell(name, f"is left out: {reason}")
        for name in indexed - there - odd.keys():
            self.index.forget(name, lost=True)
        for name in sorted(others - here - odd.keys()):
            where = shown(str(self.folder / name))
            self.repairs.append(f"warc/{shown(name)}: {NOT_OURS} {where}")

    def _own(self, names: set[str]) -> set[str]:
        """The names of our own files; an index of an earlier version may have others."""
        own = only_own(names)
        for name in names - own:
            self.index.forget(name)
        return own

    def _index(self, name: str, *, local: bool) -> None:
        try:
            with self.open(name) as file:
                found = scan(name, file)
        except OSError as error:
            if not local and not isinstance(error, FileNotFoundError):
                raise  # the store is unreachable, so every file would fail
            self._tell(name, f"cannot be read: {cause_of(error, self.folder / name)}")
            return
        self.index.complete(name, found.captures)
        self.index.set_damage(name, found.damage, stamp(self.folder / name))
        if found.unusable:
            message = f"{counted(found.unusable, 'response')} without id, date or URL not indexed"
            self.repairs.append(f"warc/{shown(name)}: {message}")
        self.repairs += [_damage_line(name, each) for each in found.damage]

    def _look(self) -> None:
        """Report damaged and missing files."""
        for name, damage, _ in self.index.damage():
            if not damage.replaced or (self.folder / (name + DAMAGED)).exists():
                self.faults.append(_damage_line(name, damage))
        for name in sorted(self.index.lost()):
            if OWN_NAME.fullmatch(name):
                self._tell(name, "is missing: it was indexed earlier and is in no known WARC_STORE")

    def _tell(self, name: str, what: str) -> None:
        self.faults.append(f"warc/{shown(name)}: {what}")


def _damage_line(name: str, damage: Damage) -> str:
    return f"warc/{shown(name)}: {damage}; the other records are indexed"


def open_file(folder: Path, name: str, store: WarcStore | None) -> BinaryIO:
    """Open a WARC file by name, in the folder or else in the store; the caller closes it. Raises OSError."""
    try:
        return _path(folder, name).open("rb")
    except FileNotFoundError:
        if store is None:
            raise
        return store.open(name)


def read_record(folder: Path, pointer: Pointer, store: WarcStore | None = None) -> Record:
    """The record at `pointer`, read without completing or indexing anything.

    It comes from `store` if the folder does not have the file. Raises ArchiveError if it is not there.
    """
    with _one_line_errors(folder):
        try:
            record = _record_at(folder, pointer, store)
        except StopIteration:
            raise ArchiveError(
                f"{pointer.file} has no record at byte {pointer.offset}: the file ends there"
            ) from None
        except (ValueError, OverflowError, TypeError) as error:
            # TornRecord, or a pointer written by another tool with an impossible name or offset.
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
        raise ArchiveError(f"archive {folder}: {cause_of(error, folder)}") from error
