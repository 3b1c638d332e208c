"""Re-hashes the files that others made, against the sha256 in their notes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from zjolcrawl.archive.foreign_notes import FOLDER, Kept, kept_files
from zjolcrawl.archive.verify import Fault
from zjolcrawl.messages import cause_of, counted

_PIECE = 1024 * 1024


class ForeignCheck:
    """The kept files of an archive's folder, by name. One that was imported may have been deleted."""

    def __init__(self, folder: Path) -> None:
        """`folder` is that of the WARC files."""
        self._folder = folder / FOLDER
        self.files = [each for each in kept_files(self._folder) if self._is_wanted(each)]

    def size(self) -> int:
        """The bytes of all files together, as their notes say."""
        return sum(each.bytes for each in self.files)

    def check(self, kept: Kept) -> Iterator[Fault | int]:
        """Hash a file; yields the number of bytes of each piece, and the fault if there is one."""
        name, found, size = f"warc/{FOLDER}/{kept.name}", hashlib.sha256(), 0
        try:
            with (self._folder / kept.name).open("rb") as file:
                while data := file.read(_PIECE):
                    found.update(data)
                    size += len(data)
                    yield len(data)
        except FileNotFoundError:
            yield Fault(
                "missing", name, None, "its import has not ended, and the file does not exist"
            )
        except OSError as error:
            yield Fault("damaged", name, None, f"cannot be read: {cause_of(error)}")
        else:
            if found.hexdigest() != kept.sha256:
                why = f"{counted(size, 'byte')} with sha256 {found.hexdigest()}, not {kept.sha256}"
                yield Fault("damaged", name, None, why)

    def _is_wanted(self, kept: Kept) -> bool:
        return kept.imported_at is None or (self._folder / kept.name).exists()
