"""The files of the archive's folder: their names, locks, and what a complete one needs."""

from __future__ import annotations

import fcntl
import stat
import unicodedata
from pathlib import Path

from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.durable import sync_folder

SUFFIX, OPEN, STORED, DAMAGED = ".warc.gz", ".open", ".stored", ".damaged"


class ArchiveError(Exception):
    """The archive cannot be written or read; the message is one line for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def complete_files(folder: Path) -> tuple[set[str], dict[str, str]]:
    """The names of the complete WARC files, and by name why others that end so are left out."""
    names: set[str] = set()
    odd: dict[str, str] = {}
    for path in (*folder.glob(f"*{SUFFIX}"), *folder.glob("*.warc")):
        if reason := _reason_against(path):
            odd[path.name] = reason
        else:
            names.add(path.name)
    return names, odd


def noted_files(folder: Path) -> set[str]:
    """The names of the WARC files that are in a store, by the notes beside them."""
    notes = (path.name.removesuffix(STORED) for path in folder.glob(f"*{SUFFIX}{STORED}"))
    return {name for name in notes if is_plain(name)}


def is_plain(name: str) -> bool:
    """Whether a file's name can be kept in the index and printed as it is."""
    return not any(unicodedata.category(each) in {"Cc", "Cs"} for each in name)


def shown(name: str) -> str:
    """A file's name for a message, in which control characters and bytes that are no UTF-8 are escaped."""
    return name if is_plain(name) else ascii(name)


def stamp(path: Path) -> str:
    """What differs once a file, or the note in its place, was replaced. Raises OSError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        found = path.with_name(path.name + STORED).stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


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


def _reason_against(path: Path) -> str | None:
    """Why a file is not read; one that is no regular file could block its reader for ever."""
    if not is_plain(path.name):
        return "its name has control characters, or bytes that are no UTF-8"
    if path.suffix == ".warc":
        return "it is not compressed: `warcio recompress` makes a .warc.gz of it"
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return None
    except OSError as error:
        return str(error.strerror or error).lower()
    return "it is no regular file"
