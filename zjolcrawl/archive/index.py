"""SQLite index of all captures, beside the WARC files; rebuilt from them where it is incomplete."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zjolcrawl.archive.captures import UNBELIEVED, Capture, cdxj_line
from zjolcrawl.archive.index_file import COLUMNS, NAME, open_index
from zjolcrawl.archive.scan import Damage
from zjolcrawl.archive.warc import Pointer

_INSERT = f"INSERT OR REPLACE INTO captures ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
_READ_PATIENCE = 5  # seconds that a reader waits for another process's lock
_ORDER = " ORDER BY date, file, offset"
# Among captures of one moment: our own before those of others, then by payload. By file only if nothing else differs,
# because that depends on the order of imports.
_RANK = "ifnull(instr(context, '\"provenance\"'), 0) > 0, digest, url, file, offset"
_NEWEST_RANK = (
    "ifnull(instr(context, '\"provenance\"'), 0) > 0, digest, url, file DESC, offset DESC"
)


class ArchiveIndex:
    """One connection, for one thread at a time. Several processes may each have their own."""

    def __init__(self, folder: Path) -> None:
        """Open or create `folder/index.sqlite`. Raises OSError and sqlite3.Error.

        An index that is damaged or not ours is rebuilt; `note` then says so.
        """
        self._db, self.note = open_index(folder)
        self._db.create_function("cdxj", -1, lambda *row: cdxj_line(_capture(row)))

    def add(self, captures: Iterable[Capture]) -> None:
        """Add captures that are already durable in their files."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_INSERT, [_row(each) for each in captures])

    def complete(self, name: str, captures: Iterable[Capture] | None = None) -> None:
        """Mark a file as fully indexed; `captures`, if given, replace its earlier entries."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if captures is not None:
                self._db.execute("DELETE FROM captures WHERE file = ?", (name,))
                self._db.executemany(_INSERT, [_row(each) for each in captures])
            self._db.execute("INSERT OR IGNORE INTO files VALUES (?)", (name,))
            self._db.execute("DELETE FROM lost WHERE name = ?", (name,))

    def set_damage(self, name: str, damage: Iterable[Damage], stamp: str) -> None:
        """Record the unreadable parts of a file; `stamp` detects that the file was replaced later."""
        rows = [(name, d.start, d.end, d.reason, int(d.replaced), stamp) for d in damage]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM damage WHERE file = ?", (name,))
            self._db.executemany("INSERT OR REPLACE INTO damage VALUES (?,?,?,?,?,?)", rows)

    def damage(self) -> list[tuple[str, Damage, str]]:
        """All unreadable parts, each with its file and that file's stamp."""
        rows = self._db.execute(
            "SELECT file, start, stop, reason, replaced, stamp FROM damage ORDER BY file, start"
        )
        return [
            (file, Damage(start, stop, reason, replaced=bool(replaced)), stamp)
            for file, start, stop, reason, replaced, stamp in rows
        ]

    def lost(self) -> set[str]:
        """The names of files that were indexed and no longer exist."""
        return {name for (name,) in self._db.execute("SELECT name FROM lost")}

    def files(self) -> set[str]:
        """The names of the fully indexed files."""
        return {name for (name,) in self._db.execute("SELECT name FROM files")}

    def forget(self, name: str, *, lost: bool = False) -> None:
        """Remove a file from the index; `lost` records that the file no longer exists."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM captures WHERE file = ?", (name,))
            self._db.execute("DELETE FROM files WHERE name = ?", (name,))
            self._db.execute("DELETE FROM damage WHERE file = ?", (name,))
            if lost:
                self._db.execute("INSERT OR IGNORE INTO lost VALUES (?)", (name,))

    def cdxj(self, name: str) -> Iterator[str]:
        """The sorted CDXJ lines of a file; SQLite sorts on disk beyond a few thousand lines."""
        lines = (
            f"SELECT cdxj({COLUMNS}) AS line FROM captures"  # noqa: S608
            " WHERE file = ? AND type <> 'metadata' ORDER BY line"
        )
        return (line for (line,) in self._db.execute(lines, (name,)))

    def with_payload(self, digest: str, status: int) -> Capture | None:
        """A response record with this status and payload digest, or None."""
        where = "WHERE digest = ? AND status = ? AND type = 'response' LIMIT 1"
        return next(self._select(where, (digest, status)), None)

    def record(self, record_id: str) -> Capture | None:
        """The capture with this record id, or None."""
        return next(self._select("WHERE record_id = ? LIMIT 1", (record_id,)), None)

    def of_original(
        self, *, record: str | None = None, digest: str | None = None
    ) -> Capture | None:
        """A capture that others made, by the id of the original record or by its payload digest."""
        name, value = ("$.provenance.record", record) if record else ("$.digest", digest)
        where = (
            f"WHERE json_extract(context, '{name}') = ? AND instr(context, '\"provenance\"') > 0"
            " AND status = 200 LIMIT 1"
        )
        return next(self._select(where, (value,)), None) if value else None

    def at(
        self, url: str, date: str, digest: str | None = None, *, asked: bool = False
    ) -> Capture | None:
        """The capture of a URL at a WARC-Date, if it has this payload digest; None: any.

        `asked`: the one that another archive gave for that date, with another time.
        """
        time = "json_extract(context, '$.asked')" if asked else "date"
        where = f"WHERE url = ? AND {time} = ? AND (? IS NULL OR digest = ?) LIMIT 1"
        return next(self._select(where, (url, date, digest, digest)), None)

    def nearest(self, url: str, date: str, *, redirects: bool = False) -> Capture | None:
        """The capture of a URL, by http or https, with a page that is nearest to a WARC-Date.

        `redirects`: a redirect will do too.
        """
        where = (
            "WHERE url IN (?, ?) AND status >= 200 AND status < ?"
            f" ORDER BY abs(julianday(date) - julianday(?)), date, {_RANK} LIMIT 1"
        )
        below = 400 if redirects else 201
        return next(self._select(where, (*_schemes(url), below, date)), None)

    def rivals(self, capture: Capture) -> list[Capture]:
        """The captures of its URL, by http or https, with a page at its moment, the one that counts first."""
        where = f"WHERE url IN (?, ?) AND date = ? AND status = 200 ORDER BY {_RANK}"
        return list(self._select(where, (*_schemes(capture.url), capture.date)))

    def leading_to(self, articles: Iterable[str]) -> list[Capture]:
        """Redirects that others captured and that lead to one of these articles, also by way of others."""
        where = (  # `instr` is the condition of the index
            "WHERE json_extract(context, '$.leads_to') IN (WITH RECURSIVE led(article) AS ("
            "SELECT value FROM json_each(?) UNION SELECT json_extract(context, '$.article')"
            " FROM led CROSS JOIN captures ON json_extract(context, '$.leads_to') = led.article"
            " AND instr(context, '\"leads_to\"') > 0) SELECT article FROM led)"
            " AND instr(context, '\"leads_to\"') > 0"
        )
        return list(self._select(where + _ORDER, (json.dumps(list(articles)),)))

    def newest(self, url: str, *, until: str = "9", status: int | None = None) -> Capture | None:
        """The last capture of a URL up to `until`, a WARC-Date.

        With `status`, only captures with that status and a complete body count.
        """
        where = (
            "WHERE url = ? AND date <= ?"
            " AND (? IS NULL OR status = ? AND ifnull(instr(context, '\"dataloss\"'), 0) = 0)"
            f" ORDER BY date DESC, {_NEWEST_RANK} LIMIT 1"
        )
        return next(self._select(where, (url, until, status, status)), None)

    def following(
        self, url: str, date: str, *, run: str | None = None, good: bool = False
    ) -> Capture | None:
        """The first capture of a URL after `date`, a WARC-Date.

        `run`: only of this run. `good`: no failure of others.
        """
        where = (
            "WHERE url = ? AND date > ? AND (? IS NULL OR file LIKE ?)"
            " AND (NOT ? OR status = 200 OR ifnull(instr(context, '\"provenance\"'), 0) = 0)"
            f" ORDER BY date, {_RANK} LIMIT 1"
        )
        return next(self._select(where, (url, date, run, f"%-{run}-%", good)), None)

    def visits(self, urls: Iterable[str], since: str, until: str) -> Iterator[Capture]:
        """Captures of URLs from `since` to `until` (WARC-Dates, both included) with a page or a 304, by date."""
        given = sorted(urls)
        marks = ", ".join("?" * len(given))
        where = f"WHERE url IN ({marks}) AND date BETWEEN ? AND ? AND status IN (200, 304)"
        return self._select(where + _ORDER, [*given, since, until])

    def captures(
        self,
        *,
        since: str = "",
        until: str = "9",
        run: str | None = None,
        url: str | None = None,
        article: str | None = None,
        host: str | None = None,
    ) -> Iterator[Capture]:
        """Captures in date order with `since <= date < until` (WARC-Dates).

        `url` selects captures of that URL, or requested for `article` (default: `url`).
        """
        where, values = "WHERE date >= ? AND date < ?", [since, until]
        if run:
            where, values = f"{where} AND file LIKE ?", [*values, f"%-{run}-%"]
        if url:
            where += " AND (url = ? OR instr(context, ?) > 0)"
            values += [url, json.dumps({"article": article or url}, separators=(",", ":"))[1:-1]]
        if host:
            where += " AND (url LIKE ? OR url LIKE ?)"
            values += [f"http://{host}/%", f"https://{host}/%"]
        return self._select(where + _ORDER, values)

    def hosts(self) -> list[str]:
        """The hosts of all captures."""
        rest = "substr(url, instr(url, '://') + 3)"
        host = f"substr({rest}, 1, instr({rest} || '/', '/') - 1)"
        found = f"SELECT DISTINCT {host} FROM captures WHERE url LIKE 'http%://%'"  # noqa: S608
        return [each for (each,) in self._db.execute(found)]

    def columns(self) -> dict[str, str]:
        """The columns in the contexts of all captures: ids, each with its name if a list was captured."""
        listed = (
            "SELECT DISTINCT each.value, '' FROM captures, json_each(context, '$.columns') AS each"
            " UNION ALL SELECT DISTINCT json_extract(context, '$.column.id'),"
            " json_extract(context, '$.column.name') FROM captures"
        )
        rows = self._db.execute(listed)
        return {key: name or "" for key, name in rows if isinstance(key, str)}

    def redirect_targets(self) -> Iterator[tuple[str, str]]:
        """Pairs of an article link and the different URL whose page it led to."""
        return self._db.execute(
            "SELECT DISTINCT json_extract(context, '$.article') AS link, url FROM captures"
            " WHERE link <> url AND json_extract(context, '$.image', '$.part') = '[null,null]'"
        )

    def unbelieved(self) -> set[tuple[str, str]]:
        """The visits that their run distrusted, as pairs of link and WARC-Date."""
        rows = self._db.execute("SELECT context FROM captures WHERE url = ?", (UNBELIEVED,))
        return {(url, date) for (text,) in rows for url, date in json.loads(text)["unbelieved"]}

    def close(self) -> None:
        self._db.close()

    def _select(self, where: str, values: Iterable[object]) -> Iterator[Capture]:
        rows = self._db.execute(f"SELECT {COLUMNS} FROM captures {where}", tuple(values))  # noqa: S608
        return map(_capture, rows)


def capture_at(folder: Path, url: str, date: str) -> Capture | None:
    """The capture of a URL at a WARC-Date, from the index in `folder`, which is only read; None without an index.

    Raises sqlite3.Error if the index cannot be read.
    """
    path = (folder / NAME).absolute()
    if not path.is_file():
        return None
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", timeout=_READ_PATIENCE, uri=True)
    try:
        query = f"SELECT {COLUMNS} FROM captures WHERE url = ? AND date = ? LIMIT 1"  # noqa: S608
        row = db.execute(query, (url, date)).fetchone()
        return _capture(row) if row else None
    finally:
        db.close()


def _schemes(url: str) -> tuple[str, str]:
    """The URL by http and by https."""
    rest = url.partition("://")[2]
    return f"http://{rest}", f"https://{rest}"


def _capture(row: tuple[Any, ...]) -> Capture:
    return Capture(Pointer(*row[:4]), *row[4:])


def _row(capture: Capture) -> tuple[object, ...]:
    at = capture.pointer
    return (
        at.file, at.offset, at.length, at.record_id, capture.type, capture.url, capture.date,
        capture.status, capture.mime, capture.digest, capture.origin, capture.context_json,
    )  # fmt: skip
