"""DATA_DIR as `scrapy health` looks at it: room, size, what waits in the spool."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from zjolcrawl.storage.spool import QUARANTINE


@dataclass(frozen=True, slots=True)
class Folder:
    """Bytes `free` on its disk and in `archive`; `spooled`: bytes by name of the spool's files,
    `set_aside` likewise of those that no run takes in.
    """

    free: int
    archive: int = 0
    spooled: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, int] = field(default_factory=dict)


def look(data_dir: Path) -> Folder:
    """What DATA_DIR holds; one that is not there yet is empty. Raises OSError."""
    there = data_dir.absolute()
    while not there.exists():
        there = there.parent  # where it would be made
    files = {name: size for name, size in _sizes(data_dir / "spool").items() if size}
    spooled = {name: size for name, size in files.items() if not name.startswith(QUARANTINE)}
    set_aside = {name: size for name, size in files.items() if name not in spooled}
    archive = sum(_sizes(data_dir / "warc").values())
    return Folder(shutil.disk_usage(there).free, archive, spooled, set_aside)


def _sizes(folder: Path) -> dict[str, int]:
    sizes = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # a run that goes on has renamed or emptied it
            if path.is_file():
                sizes[str(path.relative_to(folder))] = path.stat().st_size
    return sizes
