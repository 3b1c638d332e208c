"""One run at a time on a data folder."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path

from zjolcrawl.storage.embedded import FileLock

NAME = "run.lock"
_TRIES, _PAUSE = 5, 0.05  # seconds


class LockHeld(Exception):
    """Another run holds the folder; the message is one line that says which and for how long."""


class RunLock:
    """DATA_DIR/run.lock, held by flock(2): the kernel drops it however a run ends, so that none is
    ever stale. What stands in the file is for people.
    """

    def __init__(self, data_dir: Path) -> None:
        """Take it. Raises LockHeld, and OSError where the folder cannot be written."""
        data_dir.mkdir(parents=True, exist_ok=True)
        path = data_dir / NAME
        self._lock = FileLock(path)
        for _ in range(_TRIES):  # `holder` has it for an instant
            if self._lock.try_take():
                break
            time.sleep(_PAUSE)
        else:
            self._lock.close()
            raise LockHeld(f"another run holds {path}: {_told(path)}")
        path.write_text(json.dumps({"pid": os.getpid(), "since": time.time()}), encoding="utf-8")

    def release(self) -> None:
        """Let others run; nothing the second time."""
        self._lock.close()


def holder(data_dir: Path) -> str | None:
    """Who holds the folder now, in words, or None."""
    path = data_dir / NAME
    if not path.exists():
        return None
    with FileLock(path, create=False) as lock:
        return None if lock.try_take(shared=True) else _told(path)


def _told(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(told["since"], timezone.utc).astimezone()
        age = max(0, int(time.time() - told["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return "by a process that has not said which"
    return f"pid {told['pid']}, for {age} s, since {since:%Y-%m-%d %H:%M:%S}"
