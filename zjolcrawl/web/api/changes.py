"""The edits between two versions of an article, for programs: whole values, and operations on characters."""

from __future__ import annotations

from typing import Any

from zjolcrawl.display.diff import Effort, spans
from zjolcrawl.fields import FIELDS

_COMPARED = [field for field in FIELDS if field.editorial]
_TEXTS = {field.name for field in _COMPARED if field.type == "string" and not field.many}


def changes(old: dict[str, Any], new: dict[str, Any], effort: Effort) -> list[dict[str, Any]]:
    """The editorial fields that differ, each with `before`, `after` (absent: it has no value), `operations`.

    `operations` turn the text `before` into `after`: at the character `at` of `before`, remove `remove` and
    put `insert`. Positions count Unicode characters, in ascending order. `effort` is the budget of a request;
    when it is used up, one operation replaces the rest.
    """
    found = []
    for field in _COMPARED:
        name = field.name
        before, after = old.get(name), new.get(name)
        if _compared(name, before) == _compared(name, after):
            continue
        change: dict[str, Any] = {"field": name}
        change |= {"before": before} if before is not None else {}
        change |= {"after": after} if after is not None else {}
        if name in _TEXTS and all(isinstance(each or "", str) for each in (before, after)):
            change["operations"] = operations(before or "", after or "", effort)
        found.append(change)
    return found


def operations(before: str, after: str, effort: Effort) -> list[dict[str, Any]]:
    """The operations that turn one text into another."""
    return [
        {"at": span.i1, "remove": before[span.i1 : span.i2], "insert": after[span.j1 : span.j2]}
        for span in spans(before, after, effort)
        if not span.equal
    ]


def _compared(name: str, value: Any) -> Any:
    """What of a value counts: of images their URLs as the page wrote them, not the state of their bytes."""
    if name != "images" or not isinstance(value, list):
        return value or None
    return [each.get("ref") if isinstance(each, dict) else each for each in value] or None
