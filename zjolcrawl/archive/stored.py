"""Moves complete WARC files to a store and back, with a note beside each file that is in the store.

zjol-….warc.gz.stored    {store, bytes, sha256}: these bytes were verified by reading them back;
                         without sha256: another host uploaded the file
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from zjolcrawl.archive.files import STORED, SUFFIX, complete_files, is_plain, only_own, shown
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.filesystem import sync_folder
from zjolcrawl.messages import cause_of, counted

_LONGEST_NAME = 240  # bytes, with room for a suffix


@dataclass(frozen=True, slots=True)
class Note:
    """The store's URI, the file's size in bytes, and its sha256 if this host uploaded it."""

    store: str
    bytes: int
    sha256: str | None = None


@dataclass(slots=True)
class Pushed:
    """The files that `push` uploaded and removed, and a line in `faults` for each failure."""

    stored: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def push(folder: Path, store: WarcStore, *, remove: bool = False) -> Pushed:
    """Upload each complete file and its CDXJ to the store; `remove` then deletes the local WARC files.

    A file that cannot be uploaded stays, with a line in `faults`. It may be interrupted and repeated at
    any time, also while runs write or read.
    """
    done = Pushed()
    names, _ = complete_files(folder)
    for path in (folder / name for name in sorted(only_own(names))):
        try:
            note = note_of(path)
            if note is None or note.store != store.uri:
                note = _bring(path, store)
                done.stored.append(path.name)
            if remove:
                _let_go(path, note, store)
                done.removed.append(path.name)
        except OSError as error:
            done.faults.append(" ".join(f"{path.name}: {cause_of(error, path)}".split()))
    return done


def pull(folder: Path, store: WarcStore, faults: list[str] | None = None) -> list[str]:
    """Note the store's WARC files that are not here, such as another host's; returns their names.

    The next process that opens the archive indexes them. A file that cannot be noted gets a line in
    `faults`. Raises OSError if the store or the folder is unreachable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    new = []
    for name in sorted(name for name in store.names() if _is_unknown(folder, name)):
        size = store.size(name)
        if size is not None and is_plain(name) and len(name.encode()) <= _LONGEST_NAME:
            _write(folder / name, Note(store.uri, size))
            new.append(name)
        elif faults is not None:
            faults.append(
                f"{store.uri}/{shown(name)} is skipped: unusable name, or removed meanwhile"
            )
    return new


def _is_unknown(folder: Path, name: str) -> bool:
    path = folder / name
    if not name.endswith(SUFFIX) or Path(name).name != name:
        return False
    return not path.exists() and not path.with_name(name + STORED).exists()


def _bring(path: Path, store: WarcStore) -> Note:
    beside = path.with_name(path.name.removesuffix(SUFFIX) + ".cdxj")
    note = Note(store.uri, *store.put(path))
    if beside.exists():
        store.put(beside)
    _write(path, note)
    return note


def _let_go(path: Path, note: Note, store: WarcStore) -> None:
    """Remove a file whose note is durable, after a last check that the store has it. Raises OSError."""
    if not path.stat().st_size == note.bytes == store.size(path.name):
        raise OSError(
            f"{store.uri} no longer has all {counted(path.stat().st_size, 'byte')} of this file"
        )
    path.unlink()
    sync_folder(path.parent)


def note_of(path: Path) -> Note | None:
    """The note beside a WARC file; None if there is none, or if it is not one of ours."""
    try:
        return Note(**json.loads(path.with_name(path.name + STORED).read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return None  # not one of our notes: upload and verify again


def _write(path: Path, note: Note) -> None:
    lasting = path.with_name(path.name + STORED)
    scratch = lasting.with_name(lasting.name + ".new")
    with scratch.open("w", encoding="utf-8") as file:
        json.dump(asdict(note), file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(lasting)
    sync_folder(path.parent)
