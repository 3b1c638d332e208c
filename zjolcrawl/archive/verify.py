"""Re-hashes WARC files: gzip members, digests of records, and what indexes and documents refer to.

It only reads, repairs nothing, and holds one record in memory at a time; where each record is goes to a
temporary SQLite file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from zjolcrawl.archive.archive import ArchiveError, open_file, read_record
from zjolcrawl.archive.files import DAMAGED, OPEN, SUFFIX, complete_files, noted_files, shown
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.scan import OWN_NAME, Damage, scan_records
from zjolcrawl.archive.state import state
from zjolcrawl.archive.stored import note_of
from zjolcrawl.archive.warc import REPLACED, Pointer, Record
from zjolcrawl.messages import cause_of, counted

_TABLES = """
CREATE TABLE records (file, offset, length, record_id, PRIMARY KEY (file, offset)) WITHOUT ROWID;
CREATE TABLE origins (file, offset, origin);
"""
_AT_BYTE = re.compile(r"^at byte \d+: ")
# RFC 1952: no flags but FNAME, no time, the compression levels and systems that zlib writes.
_HEADER = re.compile(rb"\x1f\x8b\x08[\x00\x08]\x00{4}[\x00\x02\x04][\x03\x07\x0a\x0b\x13\xff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of the archive that is damaged or missing: its file, and the byte offset in it if known."""

    kind: Literal["damaged", "missing"]
    file: str
    offset: int | None
    why: str

    def __str__(self) -> str:
        at = "" if self.offset is None else f", byte {self.offset}"
        return " ".join(f"{self.kind}: {shown(self.file)}{at}: {self.why}".split())


class WarcCheck:
    """The WARC files of a folder and its store, by name; `records` counts those that were read."""

    def __init__(self, folder: Path, store: WarcStore | None) -> None:
        """List the files. Raises ArchiveError, also if files are in a store and `store` is None."""
        self._folder, self._store = folder, store
        self._places = sqlite3.connect("")  # a temporary file
        self._places.executescript(_TABLES)
        self._lost: set[str] = set()
        self.records = 0
        open_files = {each.name.removesuffix(OPEN) for each in folder.glob(f"*{SUFFIX}{OPEN}")}
        here, self._odd = complete_files(folder)
        away = noted_files(folder) - here
        if away and store is None:
            files = counted(len(away), "WARC file")
            raise ArchiveError(f"{files} cannot be read here: set WARC_STORE to read them")
        self._being_written = open_files - here
        self.names = sorted(here | away | self._being_written)

    def size(self) -> int:
        """The bytes of all files together."""
        return sum(self._size(name) for name in self.names)

    def missing(self) -> Iterator[Fault]:
        """Files that the index knows and that do not exist, and files that cannot be read at all."""
        for name in state(self._folder).missing:
            self._lost.add(name)
            yield Fault("missing", f"warc/{name}", None, "the index knows this file")
        for name, why in sorted(self._odd.items()):
            if OWN_NAME.fullmatch(name):
                yield Fault("damaged", f"warc/{name}", None, why)

    def check(self, name: str) -> Iterator[Fault | int]:
        """Read a file; yields its faults, and the number of bytes of each record.

        Raises ArchiveError if the store cannot be reached.
        """
        local = self._path(name).exists()
        try:
            with open_file(self._folder, name, self._store) as file, self._second(name) as heads:
                for each in scan_records(name, file):
                    if isinstance(each, Damage):
                        yield from self._damage(name, each)
                    else:
                        yield from self._record(*each, heads)
        except FileNotFoundError:
            self._lost.add(name)
            yield Fault("missing", f"warc/{name}", None, "the file does not exist")
        except OSError as error:
            if not local:
                raise ArchiveError(cause_of(error)) from error
            yield Fault("damaged", f"warc/{name}", None, f"cannot be read: {cause_of(error)}")
        else:
            yield from self._against_notes(name)

    def origins(self) -> Iterator[Fault]:
        """Revisits of our own files whose payload is in no file; call it after all files were checked."""
        orphans = (
            "SELECT file, offset, origin FROM origins WHERE origin NOT IN"
            " (SELECT record_id FROM records) ORDER BY file, offset"
        )
        for file, offset, origin in self._places.execute(orphans):
            why = f"the record that it refers to is nowhere ({origin})"
            yield Fault("missing", f"warc/{file}", offset, why)

    def pointer(self, place: Mapping[str, Any]) -> Fault | None:
        """The fault of a record that a document refers to (its `warc` field), or None."""
        try:
            at = Pointer(**{name: place[name] for name in Pointer.__dataclass_fields__})
            name = Path(at.file).name
            row = self._places.execute(
                "SELECT record_id, length FROM records WHERE file = ? AND offset = ?",
                (name, at.offset),
            ).fetchone()
        except (KeyError, TypeError, OverflowError, sqlite3.Error):
            return Fault("damaged", str(place.get("file")), None, "not the place of a record")
        if row == (at.record_id, at.length):
            return None
        if name in self._lost:
            return None  # reported once
        try:
            read_record(self._folder, at, self._store)  # a run may have written it meanwhile
        except ArchiveError as error:
            exists = name in self.names or (self._folder / name).exists()
            if not exists:
                self._lost.add(name)
                return Fault("missing", f"warc/{name}", None, "an article refers to this file")
            kind: Literal["damaged", "missing"] = "damaged" if row is None else "missing"
            return Fault(kind, f"warc/{name}", at.offset, _AT_BYTE.sub("", str(error)))
        return None

    def close(self) -> None:
        self._places.close()

    def _path(self, name: str) -> Path:
        return self._folder / (name + OPEN if name in self._being_written else name)

    def _size(self, name: str) -> int:
        try:
            return self._path(name).stat().st_size
        except OSError:
            note = note_of(self._folder / name)
            return note.bytes if note else 0

    def _second(self, name: str) -> AbstractContextManager[BinaryIO | None]:
        """The file once more, to look at single bytes; None for one in the store."""
        path = self._path(name)
        return path.open("rb", buffering=0) if path.exists() else nullcontext()

    def _damage(self, name: str, damage: Damage) -> Iterator[Fault]:
        if damage.ended and name in self._being_written:
            return  # the record that a run is writing, or that the next run will cut off
        why = f"{_AT_BYTE.sub('', damage.reason)}; no record can be read up to byte {damage.end}"
        yield Fault("damaged", f"warc/{name}", damage.start, why)

    def _record(self, at: Pointer, record: Record, heads: BinaryIO | None) -> Iterator[Fault | int]:
        self.records += 1
        place = (at.file, at.offset, at.length, at.record_id)
        self._places.execute("INSERT OR REPLACE INTO records VALUES (?,?,?,?)", place)
        own = bool(OWN_NAME.fullmatch(at.file))
        if own and (origin := record.fields.get("warc-refers-to", "").strip("<>")):
            self._places.execute("INSERT INTO origins VALUES (?,?,?)", (at.file, at.offset, origin))
        faults = list(digest_faults(record))
        if own and heads:
            heads.seek(at.offset)
            if not _HEADER.match(heads.read(10)):
                faults.append("the gzip header has changed")
        replaced = own and record.block.startswith(REPLACED)
        if replaced and (self._folder / (at.file + DAMAGED)).exists():
            faults.append("a repair replaced damaged bytes here, and kept a copy of the file")
        for why in faults:
            yield Fault("damaged", f"warc/{at.file}", at.offset, why)
        yield at.length

    def _against_notes(self, name: str) -> Iterator[Fault]:
        """Compare with the file's CDXJ and with the note of its upload."""
        path = self._folder / name
        wanted = "SELECT count(*) FROM records WHERE file = ? AND offset = ? AND length = ?"
        for offset, length in _listed(path.with_name(name.removesuffix(SUFFIX) + ".cdxj")):
            if self._places.execute(wanted, (name, offset, length)).fetchone() == (0,):
                why = f"its CDXJ lists a record of {counted(length, 'byte')} here"
                yield Fault("missing", f"warc/{name}", offset, why)
        note = note_of(path)
        if note and self._store and note.bytes != (there := self._store.size(name)):
            why = f"uploaded with {counted(note.bytes, 'byte')}, and now has {there}"
            yield Fault("damaged", f"{self._store.uri}/{name}", None, why)


def digest_faults(record: Record) -> Iterator[str]:
    """A line for each digest of a record that differs from its bytes."""
    parts = {"warc-block-digest": record.block, "warc-payload-digest": _payload(record)}
    for name, data in parts.items():
        stated = record.fields.get(name)
        if stated and data is not None and not _is_digest(stated, data):
            what = name.removeprefix("warc-").replace("-", " ")
            yield f"the {what} of {record.type} {record.url} is not {stated}"


def _payload(record: Record) -> bytes | None:
    """What a payload digest is about; None for a revisit, and where tools differ (chunked bodies)."""
    if record.type == "revisit":
        return None
    try:
        message = record.message
    except ValueError:
        return record.block
    return message.body if message.header("transfer-encoding") is None else None


def _is_digest(stated: str, data: bytes) -> bool:
    """Whether a labelled digest (`sha256:…`, in base32 or hex) is that of `data`."""
    label, _, value = stated.partition(":")
    try:
        name = label.strip().lower().replace("-", "")
        found = hashlib.new(name, data, usedforsecurity=False).digest()
    except (ValueError, TypeError):
        return True  # an algorithm that is unknown here, or one whose digests have any length
    value = value.strip().rstrip("=")
    in_base32 = base64.b32encode(found).decode("ascii").rstrip("=")
    return value.upper() == in_base32 or value.lower() == found.hex()


def _listed(path: Path) -> Iterator[tuple[int, int]]:
    """Offset and length of each record in a CDXJ file; nothing if there is no such file."""
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line[line.index("{") :])
                yield int(entry["offset"]), int(entry["length"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # derived from the file, and not needed to read it
