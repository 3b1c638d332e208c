"""Checks what MongoDB can hold before it is buffered: text, numbers, times, sizes, URLs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import bson

from zjolcrawl.parsing.fields.dates import YEARS, is_plausible

MOST_BYTES = 16 * 2**20 - 2**16
"""Size limit of an article's document in bytes: MongoDB's 16 MiB, less room for bookkeeping fields and a
longer `_id`.
"""
_MOST_DEPTH = 100  # nesting levels of a value that is not part of an article; MongoDB refuses 180
LONGEST_KEY = 8000
"""Limit in characters of a URL that is the `_id` of a row (RFC 9110, 4.1 asks servers for 8000)."""
MOST_ENTRIES = 10_000
"""Limit of a list in an article's document.

Each entry is an index entry. A few hundred thousand are more than MongoDB writes at once: it gives up or
retries forever.
"""
LONGEST_TEXT = 2000
"""Limit in characters of text outside articles: a list's title, a reason, an excerpt, a header."""
_INT64 = range(-(2**63), 2**63)


def document_fault(document: Mapping[str, Any]) -> tuple[str | None, int]:
    """Why an article's document cannot be stored, or None; and its size in bytes."""
    for name, value in document.items():
        if isinstance(value, datetime) and not is_plausible(value):
            known = f"{YEARS.start} to {YEARS.stop - 1}"
            return f"cannot be stored: {name} has the year {value.year}, outside {known}", 0
        if isinstance(value, list) and len(value) > MOST_ENTRIES:
            return (
                f"cannot be stored: {name} has {len(value)} entries, {MOST_ENTRIES} is the limit",
                0,
            )
    try:
        size = len(bson.encode(document))
    except Exception as error:
        return f"cannot be stored: {_culprit(document)}{describe(error)}", 0
    if size > MOST_BYTES:
        return f"cannot be stored: {size} bytes, but an article may have {MOST_BYTES} at most", size
    return None, size


def key_fault(url: str) -> str | None:
    """Why a URL cannot be the key of a row, or None."""
    if len(url) > LONGEST_KEY:
        return f"its URL has {len(url)} characters, {LONGEST_KEY} is the limit"
    if not url or text(url) != url[:LONGEST_TEXT]:
        return "its URL is empty or cannot be encoded"
    return None


def text(value: str, most: int = LONGEST_TEXT) -> str:
    """The text cut to `most` characters, with U+FFFD for each character that UTF-8 cannot encode."""
    value = value[:most]
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return value


def storable(value: Any, most: int = LONGEST_TEXT, depth: int = 0) -> Any:
    """The value as MongoDB can hold it: text cut by `text`, None for numbers and times out of range.

    Not for articles, whose text is never changed.
    """
    if isinstance(value, str):
        return text(value, most)
    if isinstance(value, datetime):
        return value if is_plausible(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in _INT64 else None
    if isinstance(value, (Mapping, list, tuple)) and depth == _MOST_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {
            text(str(key), most).replace("\0", "\ufffd"): storable(each, most, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [storable(each, most, depth + 1) for each in value]
    return value


def make_storable(item: Any, keys: tuple[str, ...] = ("url", "column")) -> None:
    """Make each field of a slotted dataclass `storable`, in place, except its keys."""
    for name in item.__slots__:
        value = getattr(item, name)
        if name not in keys and value is not None:
            setattr(item, name, storable(value))


def describe(error: BaseException) -> str:
    """An error with one document, on one line."""
    return text(" ".join(f"{type(error).__name__}: {error}".split()), 300)


def _culprit(document: Mapping[str, Any]) -> str:
    for name, value in document.items():
        try:
            bson.encode({name: value})
        except Exception:
            return f"{text(str(name), 50)}: "
    return ""
