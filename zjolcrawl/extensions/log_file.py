"""DATA_DIR/logs/zjolcrawl.log: what runs said, at INFO and above, in files that rotate."""

from __future__ import annotations

import contextlib
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES, _FILES = 5 * 1024 * 1024, 10


class _FileHandler(RotatingFileHandler):
    """A log that cannot be written must not bury what the run has to say of the full disk."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave the record out of the file; stderr has it where it matters."""

    def close(self) -> None:
        """Close, and leave out what cannot be written any more."""
        with contextlib.suppress(OSError):
            super().close()


def begin(data_dir: Path) -> logging.Handler | None:
    """Add the file to the root logger; None where it cannot be written. `end` takes it away."""
    try:
        (data_dir / "logs").mkdir(parents=True, exist_ok=True)
        handler = _FileHandler(
            data_dir / "logs" / "zjolcrawl.log",
            maxBytes=_BYTES,
            backupCount=_FILES,
            encoding="utf-8",
        )
        # What several processes, or a version that kept more, have left.
        prune(data_dir / "logs", "zjolcrawl.log.*", _FILES)
    except OSError:
        return None
    handler.setLevel(logging.INFO)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.addHandler(handler)
    # Scrapy leaves the choice to the handlers, and so makes DEBUG records of each page, PyMongo more, for
    # no one: 2 % of a fast crawl's time.
    for name in ("", "scrapy"):
        logging.getLogger(name).setLevel(min(each.level for each in root.handlers))
    return handler


def prune(folder: Path, pattern: str, most: int) -> None:
    """Keep the newest files of this pattern, by the time of their last change. Raises OSError."""
    files = sorted(folder.glob(pattern), key=lambda each: each.stat().st_mtime, reverse=True)
    for path in files[most:]:
        path.unlink(missing_ok=True)


def end(handler: logging.Handler | None) -> None:
    """Take the file away and close it."""
    if handler:
        logging.getLogger().removeHandler(handler)
        handler.close()
