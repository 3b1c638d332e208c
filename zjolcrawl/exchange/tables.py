r"""CSV: a row an article, a column for each value of the schema, fit for a spreadsheet.

A column is named by its path: `authors.name`, `warc.file`. What is in a list is joined by `|`, one
text for each entry, empty where that has none; a `|` or `\` of the text itself has a `\` before it.
A cell that a spreadsheet would take for a formula gets an apostrophe in front, and so does one that
begins with an apostrophe: without its first apostrophe each is again what it was.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from zjolcrawl.exchange.jsonl import iso
from zjolcrawl.fields import FIELDS, Field

BOM = "\ufeff".encode()
"""With it Excel takes the file for UTF-8."""
APOSTROPHE = "'"
# What starts a formula in Excel, LibreOffice or WPS, the wide forms in some locales.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", APOSTROPHE)


def header() -> list[str]:
    """The names of the columns."""
    return [path for field in FIELDS for path, _ in _leaves(field)]


def cells(row: dict[str, Any]) -> list[str]:
    """An article's cells; `row` as `fitted` gives it."""
    return [cell for field in FIELDS for cell in _cells(field, row.get(field.name))]


def line(values: list[str]) -> bytes:
    """Cells as a row of UTF-8 with CRLF. Raises UnicodeEncodeError for half a surrogate pair."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(values)
    return text.getvalue().encode()


def _leaves(field: Field) -> Iterator[tuple[str, Field]]:
    """A field's columns: their paths, and what is in each."""
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
            # Not "|||" where no entry has the value.
            joined = "|".join(map(_entry, entries)) if any(e is not None for e in entries) else ""
            yield _guarded(joined)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return iso(value) if isinstance(value, datetime) else str(value)


def _entry(value: Any) -> str:
    return _text(value).replace("\\", "\\\\").replace("|", "\\|")


def _guarded(cell: str) -> str:
    return APOSTROPHE + cell if cell.startswith(_RISKY) else cell
