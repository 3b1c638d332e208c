"""File locks and fsync helpers."""

from __future__ import annotations

import os
from contextlib import suppress
from io import FileIO
from pathlib import Path


class FileLock(FileIO):
    """A file with an flock(2), dropped when all processes that have the descriptor close it or end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a+")

    def try_take(self, *, shared: bool = False) -> bool:
        """Take the lock, or change it to this kind, if that needs no waiting."""
        import fcntl  # not at the top: Windows has none

        with suppress(BlockingIOError):
            fcntl.flock(self, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            return True
        return False


def sync_folder(folder: Path) -> None:
    """Make names that were just given in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
