"""Read-only check of the archive folder for missing and damaged WARC files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from zjolcrawl.archive.files import (
    DAMAGED,
    OPEN,
    SUFFIX,
    complete_files,
    noted_files,
    only_own,
    shown,
)
from zjolcrawl.archive.foreign_notes import FOLDER, Unfinished, unfinished
from zjolcrawl.archive.index_file import NAME
from zjolcrawl.archive.scan import OWN_NAME, Damage


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """The result of the check.

    `missing`: WARC files that the index or an article refers to, but that are neither here nor noted
    as being in a store. `damaged`: one line for each unreadable part of our own files. `foreign`: paths of
    WARC files in the folder that others made, which are not read. `unfinished`: files whose import was killed.
    """

    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    unfinished: list[Unfinished] = field(default_factory=list)


def state(folder: Path, referred: Iterable[str] = ()) -> ArchiveState:
    """The state of `folder`; `referred` are the files that articles refer to. Raises OSError."""
    # Listed in the order in which a file is renamed, so that none is missed.
    being_written = {path.name.removesuffix(OPEN) for path in folder.glob(f"*{SUFFIX}{OPEN}")}
    here, odd = complete_files(folder)
    there = being_written | here | odd.keys() | noted_files(folder)
    indexed, damaged = _indexed(folder)
    wanted = {Path(name).name for name in referred}
    wanted |= only_own(indexed)
    damaged += [f"{name}: {why}" for name, why in odd.items() if OWN_NAME.fullmatch(name)]
    others = (here | odd.keys()) - only_own(here | odd.keys())
    foreign = sorted(shown(str(folder / name)) for name in others)
    missing = sorted(map(shown, wanted - there))
    return ArchiveState(missing, sorted(damaged), foreign, list(unfinished(folder / FOLDER)))


def _indexed(folder: Path) -> tuple[set[str], list[str]]:
    """The files that the index knows, including lost ones, and a line for each damaged part."""
    path = folder / NAME
    if not path.is_file():
        return set(), []
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=30, uri=True)
        try:
            names = {n for (n,) in db.execute("SELECT name FROM files UNION SELECT name FROM lost")}
            rows = list(db.execute("SELECT file, start, stop, reason, replaced FROM damage"))
        finally:
            db.close()
    except sqlite3.Error:
        return set(), []  # the next run rebuilds it, or says why it cannot
    return names, [
        f"{file}: {Damage(start, stop, reason)}" for file, start, stop, reason, replaced in rows
        if OWN_NAME.fullmatch(file) and (not replaced or (folder / (file + DAMAGED)).exists())
    ]  # fmt: skip
