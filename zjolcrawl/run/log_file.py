"""Writes the rotating log file DATA_DIR/logs/zjolcrawl.log, at level INFO and above."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path

from zjolcrawl.messages import hide_passwords

_BYTES, _FILES = 5 * 1024 * 1024, 10


class _Formatter(logging.Formatter):
    """Leaves out passwords in URIs."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its traceback, without passwords."""
        return hide_passwords(super().format(record))


class _FileHandler(RotatingFileHandler):
    """Ignores write errors, so that they do not hide the run's own report of a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Skip the record in the file; stderr gets the important ones."""

    def close(self) -> None:
        """Close; data that cannot be written any more is dropped."""
        with contextlib.suppress(OSError):
            super().close()


def begin(data_dir: Path) -> logging.Handler | None:
    """Add the file to the root logger; None if it cannot be written. Undo with `end`."""
    try:
        (data_dir / "logs").mkdir(parents=True, exist_ok=True)
        handler = _FileHandler(
            data_dir / "logs" / "zjolcrawl.log",
            maxBytes=_BYTES,
            backupCount=_FILES,
            encoding="utf-8",
        )
        # Remove files left by parallel processes, or by a version that kept more.
        prune(data_dir / "logs", "zjolcrawl.log.*", _FILES)
    except OSError:
        return None
    handler.setLevel(logging.INFO)
    handler.setFormatter(_Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    # Scrapy leaves filtering to the handlers, so it and PyMongo would create DEBUG records for
    # every page that nothing writes.
    for name in ("", "scrapy"):
        logging.getLogger(name).setLevel(min(each.level for each in root.handlers))
    return handler


def prune(folder: Path, pattern: str, most: int) -> None:
    """Delete all but the `most` newest files that match, by modification time. Raises OSError."""
    files = sorted(folder.glob(pattern), key=lambda each: each.stat().st_mtime, reverse=True)
    for path in files[most:]:
        path.unlink(missing_ok=True)


def write(handler: logging.Handler | None, lines: Iterable[str]) -> None:
    """Write lines to the file only: stderr has them already."""
    if handler is None:
        return
    for line in lines:
        handler.handle(logging.makeLogRecord({"name": __name__, "levelname": "INFO", "msg": line}))


def end(handler: logging.Handler | None) -> None:
    """Remove the handler and close the file."""
    if handler:
        logging.getLogger().removeHandler(handler)
        handler.close()
