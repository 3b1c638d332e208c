"""Lock files that allow one run per data folder, or the parts of one `reparse` side by side."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path

from zjolcrawl.filesystem import FileLock

NAME = "run.lock"
_PARTS = "run-*-of-*.lock"
_TRIES, _PAUSE = 5, 0.05  # seconds


class LockHeld(Exception):
    """Another run holds the data folder. The message is one line: which run, for how long."""


class RunLock:
    """DATA_DIR/run.lock, held by flock(2).

    The kernel releases it however a run ends, so it is never stale. Its content is for people only.
    A run that re-parses the K-th of N parts of the archive shares this lock with the other parts
    and holds run-K-of-N.lock alone.
    """

    def __init__(self, data_dir: Path, part: tuple[int, int] | None = None) -> None:
        """Take the lock. Raises LockHeld, or OSError if the folder cannot be written."""
        data_dir.mkdir(parents=True, exist_ok=True)
        path = data_dir / ("run-{}-of-{}.lock".format(*part) if part else NAME)
        self._locks: list[FileLock] = []
        try:
            if part:
                self._take(data_dir, data_dir / NAME, shared=True)
            self._take(data_dir, path)
        except BaseException:
            self.release()
            raise
        path.write_text(json.dumps({"pid": os.getpid(), "since": time.time()}), encoding="utf-8")

    def _take(self, data_dir: Path, path: Path, *, shared: bool = False) -> None:
        lock = FileLock(path)
        self._locks.append(lock)
        for _ in range(_TRIES):  # `holder` takes it for an instant
            if lock.try_take(shared=shared):
                return
            time.sleep(_PAUSE)
        # A part that shares run.lock is described in its own lock file.
        held = (_held(data_dir) if path.name == NAME else None) or (path, _holder_in(path))
        raise LockHeld(f"another run holds {held[0]}: {held[1]}")

    def release(self) -> None:
        """Release the lock. Idempotent."""
        for lock in reversed(self._locks):
            lock.close()


def holder(data_dir: Path) -> str | None:
    """One line on who holds the folder now, or None."""
    held = _held(data_dir)
    return held[1] if held else None


def _held(data_dir: Path) -> tuple[Path, str] | None:
    """The first lock file that a run holds alone, and who that is."""
    for path in (data_dir / NAME, *sorted(data_dir.glob(_PARTS))):
        if path.exists():
            with FileLock(path) as lock:
                if not lock.try_take(shared=True):
                    return path, _holder_in(path)
    return None


def _holder_in(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(holder["since"], timezone.utc).astimezone()
        age = max(0, int(time.time() - holder["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return "an unknown process"
    return f"pid {holder['pid']}, for {age} s, since {since:%Y-%m-%d %H:%M:%S}"
