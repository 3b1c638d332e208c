"""Names and completion of the WARC files in the archive folder."""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.scan import OWN_NAME
from zjolcrawl.filesystem import sync_folder
from zjolcrawl.messages import cause_of, one_line

SUFFIX, OPEN, STORED, DAMAGED = ".warc.gz", ".open", ".stored", ".damaged"

NOT_OURS = (
    "zjolcrawl did not make this file, and does not read it. Import it: zjolcrawl archive import"
)
"""What is said of another program's file in the folder; the path of the file follows."""


class ArchiveError(Exception):
    """The archive cannot be written or read; the message is one line for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def complete_files(folder: Path) -> tuple[set[str], dict[str, str]]:
    """The names of the complete WARC files, and the reason by name for each file that is skipped."""
    names: set[str] = set()
    odd: dict[str, str] = {}
    for path in (*folder.glob(f"*{SUFFIX}"), *folder.glob("*.warc")):
        if reason := _reason_against(path):
            odd[path.name] = reason
        else:
            names.add(path.name)
    return names, odd


def noted_files(folder: Path) -> set[str]:
    """The names of the WARC files that are in a store, taken from the notes beside them."""
    notes = (path.name.removesuffix(STORED) for path in folder.glob(f"*{SUFFIX}{STORED}"))
    return {name for name in notes if is_plain(name)}


def only_own(names: Iterable[str]) -> set[str]:
    """The names that our own runs give to WARC files."""
    return {name for name in names if OWN_NAME.fullmatch(name)}


def is_plain(name: str) -> bool:
    """Whether a file name can be indexed and printed as it is."""
    return not any(unicodedata.category(each) in {"Cc", "Cs"} for each in name)


def shown(name: str) -> str:
    """A file name for a message, with control characters and non-UTF-8 bytes escaped."""
    return name if is_plain(name) else ascii(name)


def stamp(path: Path) -> str:
    """Size and modification time of a file or of its store note; differs once it is replaced.

    Raises OSError.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        found = path.with_name(path.name + STORED).stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def complete(path: Path, index: ArchiveIndex) -> None:
    """Give a durable, indexed `.open` file its final name and write its CDXJ.

    Raises OSError and sqlite3.Error.
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


def _reason_against(path: Path) -> str | None:
    """Why a file is skipped, or None. A file that is not regular could block its reader forever."""
    if not is_plain(path.name):
        return "its name has control characters, or bytes that are not UTF-8"
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return None
    except OSError as error:
        return cause_of(error, path).lower()
    return "it is not a regular file"
