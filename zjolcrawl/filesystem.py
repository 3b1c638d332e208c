"""File locks and fsync helpers."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

import portalocker
from portalocker import LockFlags


class FileLock(FileIO):
    """A locked file (flock(2) on Unix), free once all processes that have the descriptor close it or end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a+")

    def try_take(self, *, shared: bool = False) -> bool:
        """Take the lock, or change it to this kind, if that needs no waiting."""
        return take_lock(self.fileno(), shared=shared)


def take_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file; False if another process holds it. Raises OSError or LockException otherwise."""
    kind = LockFlags.SHARED if shared else LockFlags.EXCLUSIVE
    try:
        portalocker.lock(descriptor, kind | LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make names that were just given in a folder durable; Windows does that by itself. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
