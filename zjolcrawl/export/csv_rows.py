r"""CSV for spreadsheets: one row per article, one column per value of the schema.

A column is named by its path: `authors.name`, `warc.file`. List values are joined by `|`, one text
per entry, empty where an entry lacks the value; a `|` or `\` within a text is escaped with `\`. A cell
that a spreadsheet would take for a formula, or that begins with an apostrophe, is prefixed with an
apostrophe; removing the first apostrophe restores the text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from zjolcrawl.clock import iso_time
from zjolcrawl.fields import FIELDS, Field

BOM = "\ufeff".encode()
"""Makes Excel read the file as UTF-8."""
APOSTROPHE = "'"
# Characters that start a formula in Excel, LibreOffice or WPS; the full-width ones do in some locales.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", APOSTROPHE)


def header() -> list[str]:
    """The column names."""
    return [path for field in FIELDS for path, _ in _leaves(field)]


def cells(row: dict[str, Any]) -> list[str]:
    """An article's cells; `row` is from `conform`."""
    return [cell for field in FIELDS for cell in _cells(field, row.get(field.name))]


def line(values: list[str]) -> bytes:
    """The cells as one UTF-8 row with CRLF. Raises UnicodeEncodeError for half of a surrogate pair."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(values)
    return text.getvalue().encode()


def _leaves(field: Field) -> Iterator[tuple[str, Field]]:
    """A field's columns as pairs of path and field."""
    if not field.parts:
        yield field.name, field
    for part in field.parts:
        yield f"{field.name}.{part.name}", part


def _cells(field: Field, value: Any) -> Iterator[str]:
    for _, leaf in _leaves(field):
        if not field.many:
            found = value.get(leaf.name) if field.parts and value else value
            yield _guarded(_text(found))
        else:
            entries = value or []
            if field.parts:
                entries = [(each or {}).get(leaf.name) for each in entries]
            # An empty cell, not "|||", if no entry has the value.
            joined = "|".join(map(_entry, entries)) if any(e is not None for e in entries) else ""
            yield _guarded(joined)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return iso_time(value) if isinstance(value, datetime) else str(value)


def _entry(value: Any) -> str:
    return _text(value).replace("\\", "\\\\").replace("|", "\\|")


def _guarded(cell: str) -> str:
    return APOSTROPHE + cell if cell.startswith(_RISKY) else cell
