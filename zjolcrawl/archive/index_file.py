"""Opens the file of the SQLite index: its tables, and what is done if it is damaged or not ours."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

NAME = "index.sqlite"
_PATIENCE = 30  # seconds to wait for another process's lock
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY);  -- those that are indexed to their end
CREATE TABLE IF NOT EXISTS lost (name TEXT PRIMARY KEY);  -- those that were, and are not there any more
CREATE TABLE IF NOT EXISTS damage (
    file TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, reason TEXT NOT NULL,
    replaced INTEGER NOT NULL, stamp TEXT NOT NULL,  -- of the file when it was read
    PRIMARY KEY (file, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS captures (
    file TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, record_id TEXT NOT NULL,
    type TEXT NOT NULL, url TEXT NOT NULL, date TEXT NOT NULL, status INTEGER, mime TEXT,
    digest TEXT, origin TEXT, context TEXT,
    PRIMARY KEY (file, offset)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS captures_url ON captures (url, date);
CREATE INDEX IF NOT EXISTS captures_date ON captures (date, file, offset);
CREATE INDEX IF NOT EXISTS captures_digest ON captures (digest);
CREATE INDEX IF NOT EXISTS captures_record ON captures (record_id);
-- Of captures that others made: the id of the original record, and its payload digest.
CREATE INDEX IF NOT EXISTS captures_original ON captures (json_extract(context, '$.provenance.record'))
    WHERE instr(context, '"provenance"') > 0;
CREATE INDEX IF NOT EXISTS captures_original_digest ON captures (json_extract(context, '$.digest'))
    WHERE instr(context, '"provenance"') > 0;
-- Redirects that others captured, by the article that they lead to.
CREATE INDEX IF NOT EXISTS captures_leads_to ON captures (json_extract(context, '$.leads_to'))
    WHERE instr(context, '"leads_to"') > 0;
"""
COLUMNS = "file, offset, length, record_id, type, url, date, status, mime, digest, origin, context"
"""The columns of `captures`."""
_TABLES = {
    "files": "name", "lost": "name", "damage": "file, start, stop, reason, replaced, stamp",
    "captures": COLUMNS,
}  # fmt: skip
# Errors of the machine or of another process: a new index would have them too.
_OUTSIDE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY", "SQLITE_FULL", "SQLITE_NOMEM")


def open_index(folder: Path) -> tuple[sqlite3.Connection, str]:
    """A connection to the index in a folder, and a note if it had to be replaced by an empty one.

    Raises OSError and sqlite3.Error.
    """
    path = folder / NAME
    try:
        return _opened(path), ""
    except sqlite3.DatabaseError as error:
        if str(getattr(error, "sqlite_errorname", "")).startswith(_OUTSIDE):
            raise
        _put_away(path)
        return _opened(path), f"{NAME} could not be used ({error}): rebuilt from the WARC files"


def _opened(path: Path) -> sqlite3.Connection:
    """A connection to an intact index. Raises sqlite3.DatabaseError if it is damaged or not ours."""
    db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _write_ahead(db)
        # A power cut does not damage it; timings are in bench/RESULTS.md
        db.execute("PRAGMA synchronous=NORMAL")
        # quick_check reads each page only once, which is fast enough for every opening.
        ((verdict,),) = db.execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        db.executescript(_SCHEMA)
        for table, columns in _TABLES.items():
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            if names != columns.split(", "):
                raise sqlite3.DatabaseError(f"its table {table} has other columns")
    except BaseException:
        db.close()
        raise
    return db


def _write_ahead(db: sqlite3.Connection) -> None:
    """Turn on the write-ahead log.

    SQLite itself does not wait while another process turns it on, so this retries.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > end:
                raise
        time.sleep(0.02)


def _put_away(path: Path) -> None:
    """Remove an unusable index; a folder of that name is renamed. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(f"{NAME}.folder"))
        return
    for each in (path, path.with_name(f"{NAME}-wal"), path.with_name(f"{NAME}-shm")):
        each.unlink(missing_ok=True)
