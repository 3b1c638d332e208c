"""What MongoDB can hold, checked before anything is buffered: text, numbers, times, sizes, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import bson

from zjolcrawl.parsing.fields.dates import YEARS, is_plausible

MOST_BYTES = 16 * 2**20 - 2**16
"""Of an article's document: MongoDB's 16 MiB, less room for the bookkeeping fields and a longer `_id`."""
_MOST_DEPTH = 100  # of nested documents and lists beside an article; MongoDB refuses 180
LONGEST_KEY = 8000
"""Characters of an address that is the `_id` of a row (RFC 9110, 4.1 asks servers for 8000)."""
MOST_ENTRIES = 10_000
"""Of a list in an article's document. Each is an entry of an index, and a few hundred thousand of them are more
than MongoDB writes in one go: it gives up, or tries again for ever.
"""
LONGEST_TEXT = 2000
"""Characters of a text that is not an article's own: a list's title, a reason, an excerpt, a header."""
_INT64 = range(-(2**63), 2**63)


def document_fault(document: Mapping[str, Any]) -> tuple[str | None, int]:
    """Why an article's document cannot be stored, None where it can; and its size in bytes."""
    for name, value in document.items():
        if isinstance(value, datetime) and not is_plausible(value):
            known = f"{YEARS.start} to {YEARS.stop - 1}"
            return f"cannot be stored: {name} is of the year {value.year}, not of {known}", 0
        if isinstance(value, list) and len(value) > MOST_ENTRIES:
            return (
                f"cannot be stored: {name} has {len(value)} entries, {MOST_ENTRIES} are the most",
                0,
            )
    try:
        size = len(bson.encode(document))
    except Exception as error:
        return f"cannot be stored: {_culprit(document)}{describe(error)}", 0
    if size > MOST_BYTES:
        return f"cannot be stored: {size} bytes, MongoDB holds {MOST_BYTES} of an article", size
    return None, size


def key_fault(url: str) -> str | None:
    """Why an address cannot be the key of a row, None where it can."""
    if len(url) > LONGEST_KEY:
        return f"its address has {len(url)} characters, {LONGEST_KEY} are the most"
    if not url or text(url) != url[:LONGEST_TEXT]:
        return "its address is empty or cannot be encoded"
    return None


def text(value: str, most: int = LONGEST_TEXT) -> str:
    """A text cut to a length, with U+FFFD for each character that UTF-8 cannot encode."""
    value = value[:most]
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return value


def storable(value: Any, most: int = LONGEST_TEXT, depth: int = 0) -> Any:
    """The value as MongoDB can hold it: texts as `text`, None for numbers and times out of range.

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
    """Make each field of a dataclass with slots `storable`, but for its keys."""
    for name in item.__slots__:
        value = getattr(item, name)
        if name not in keys and value is not None:
            setattr(item, name, storable(value))


def describe(error: BaseException) -> str:
    """What went wrong with one document, on one line."""
    return text(" ".join(f"{type(error).__name__}: {error}".split()), 300)


def _culprit(document: Mapping[str, Any]) -> str:
    for name, value in document.items():
        try:
            bson.encode({name: value})
        except Exception:
            return f"{text(str(name), 50)}: "
    return ""
