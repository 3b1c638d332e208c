"""Complete WARC files go to a store, and may leave the folder then; what went is noted beside them.

zjol-….warc.gz.stored    {store, bytes, sha256}: a reading of the store has shown these bytes there;
                         without sha256: another host brought them
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from zjolcrawl.archive.files import STORED, SUFFIX, complete_files, is_plain, shown
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.durable import sync_folder

_LONGEST_NAME = 240  # bytes, with room for a suffix


@dataclass(frozen=True, slots=True)
class Note:
    """The store's URI, the file's bytes, and its sha256 where this host brought it."""

    store: str
    bytes: int
    sha256: str | None = None


@dataclass(slots=True)
class Pushed:
    """Files that are in the store now and were not known to be, those that left; `faults` are lines."""

    stored: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def push(folder: Path, store: WarcStore, *, remove: bool = False) -> Pushed:
    """Bring each complete file and its CDXJ to the store; with `remove`, let the WARC files go then.

    What cannot be brought stays as it is, with a line in `faults`. May be ended at any moment and done
    again, beside runs that write or read.
    """
    done = Pushed()
    names, _ = complete_files(folder)
    for path in (folder / name for name in sorted(names)):
        try:
            note = _note_of(path)
            if note is None or note.store != store.uri:
                note = _bring(path, store)
                done.stored.append(path.name)
            if remove:
                _let_go(path, note, store)
                done.removed.append(path.name)
        except OSError as error:
            done.faults.append(" ".join(f"{path.name}: {error}".split()))
    return done


def pull(folder: Path, store: WarcStore, faults: list[str] | None = None) -> list[str]:
    """Note the store's WARC files that are not here, of other hosts say; their names.

    Who opens the archive next indexes them. One that cannot be noted has a line in `faults`. Raises
    OSError where the store or the folder is away.
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
                f"{store.uri}/{shown(name)} is left out: no usable name, or removed meanwhile"
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
    """Remove a file whose note is durable, after a last look that the store has it. Raises OSError."""
    if not path.stat().st_size == note.bytes == store.size(path.name):
        raise OSError(f"{store.uri} has not the {path.stat().st_size} bytes of this file any more")
    path.unlink()
    sync_folder(path.parent)


def _note_of(path: Path) -> Note | None:
    try:
        return Note(**json.loads(path.with_name(path.name + STORED).read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return None  # not one of ours: shown anew


def _write(path: Path, note: Note) -> None:
    lasting = path.with_name(path.name + STORED)
    scratch = lasting.with_name(lasting.name + ".new")
    with scratch.open("w", encoding="utf-8") as file:
        json.dump(asdict(note), file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(lasting)
    sync_folder(path.parent)
