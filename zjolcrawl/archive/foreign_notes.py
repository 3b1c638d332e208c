"""The notes of files that others made, in DATA_DIR/warc/foreign.

NAME         the file as it came
NAME.json    {name, sha256, bytes, source, kept_at, run, recorded, imported_at, records}
.new-XXXX    a copy that is being made
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from zjolcrawl.filesystem import sync_folder

FOLDER, NOTE, SCRATCH = "foreign", ".json", ".new-"
_LEFT = 24 * 3600  # seconds without a change after which a copy is no longer being made


@dataclass(slots=True)
class Kept:
    """A kept file, as its note says.

    `source` is where it came from, as the user gave it. `run` is the id of the run that its captures
    belong to, `recorded` whether all of them are in our WARC files. `imported_at` is when they had been
    read too. `records` counts what was in it.
    """

    name: str
    sha256: str
    bytes: int
    source: str
    kept_at: str
    run: str | None = None
    recorded: bool = False
    imported_at: str | None = None
    records: dict[str, int] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether another import of the file would add nothing."""
        return self.imported_at is not None and not self.records.get("unresolved")

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The note of a file; None if there is none, or if it is not one of ours."""
        try:
            return cls(**json.loads(path.with_name(path.name + NOTE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Write the note, durably. Raises OSError."""
        target = folder / (self.name + NOTE)
        scratch = target.with_name(target.name + ".new")
        with scratch.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(target)
        sync_folder(folder)


def kept_files(folder: Path) -> Iterator[Kept]:
    """The notes of all kept files, by name."""
    for path in sorted(folder.glob(f"*{NOTE}")):
        if kept := Kept.read(path.with_name(path.name.removesuffix(NOTE))):
            yield kept


def left_copies(folder: Path) -> list[Path]:
    """The copies that killed imports began, by name. Raises OSError."""
    changed = {path: path.stat().st_mtime for path in sorted(folder.glob(f"{SCRATCH}*"))}
    return [path for path, moment in changed.items() if moment < time.time() - _LEFT]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A file whose import did not end: its name, why, and the run that began it, if any."""

    name: str
    why: str
    run: str | None = None


def unfinished(folder: Path) -> Iterator[Unfinished]:
    """What killed imports left in the folder, by name. Raises OSError."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for path in left_copies(folder):
        yield Unfinished(path.name, "it is a part of a copy")
    for name in sorted(names):
        if name.startswith(SCRATCH) or name.endswith(f"{NOTE}.new"):
            continue
        if name.endswith(NOTE):
            file = name.removesuffix(NOTE)
            kept = Kept.read(folder / file)
            if kept is None and file not in names:
                yield Unfinished(file, "its note cannot be read and the file is missing")
            elif kept and not kept.imported_at:
                why = "not all of it is imported" if file in names else "the file is missing"
                yield Unfinished(file, why, kept.run)
        elif Kept.read(folder / name) is None:
            yield Unfinished(name, "it has no readable note")
