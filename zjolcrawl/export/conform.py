"""An article's values as files hold them: the types of `zjolcrawl.fields`, in text that is valid UTF-8.

A time is a timestamp of milliseconds in UTC. A field that an article lacks is absent, null in a table.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from bson import Code, ObjectId, Regex

from zjolcrawl.fields import FIELDS, Field
from zjolcrawl.storage.documents import url_of

_HALVES = re.compile("[\ud800-\udfff]")
_PYTHON: dict[str, type[Any]] = {
    "string": str, "int": int, "long": int, "timestamp": datetime, "objectid": ObjectId, "struct": dict,
}  # fmt: skip


def replace_surrogates(value: Any) -> Any:
    """The value with U+FFFD for each half of a surrogate pair, so that all text can be UTF-8."""
    if isinstance(value, Code):
        return Code(_HALVES.sub("\ufffd", value), replace_surrogates(value.scope))
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {replace_surrogates(name): replace_surrogates(each) for name, each in value.items()}
    if isinstance(value, Regex):
        return Regex(replace_surrogates(value.pattern), value.flags)
    return [replace_surrogates(each) for each in value] if isinstance(value, list) else value


def conform(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A document's schema fields, and the paths of values that have another type.

    Values of another type are left out, or None within a list. `_id` of a former version becomes its URL.
    """
    wrong: list[str] = []
    row = _struct(FIELDS, {**document, "_id": url_of(document)}, "", wrong)
    return row, wrong


def _struct(
    parts: tuple[Field, ...], values: dict[str, Any], path: str, wrong: list[str]
) -> dict[str, Any]:
    row = {}
    for part in parts:
        if part.name in values:
            value = values[part.name]
            if part.many and not isinstance(value, list):
                wrong.append(f"{path}{part.name}")
            elif part.many:
                row[part.name] = [_one(part, each, path, wrong) for each in value]
            elif (fit := _one(part, value, path, wrong)) is not None:
                row[part.name] = fit
    return row


def _one(field: Field, value: Any, path: str, wrong: list[str]) -> Any:
    if not isinstance(value, _PYTHON[field.type]) or isinstance(value, (bool, Code)):
        wrong.append(f"{path}{field.name}")
        return None
    if field.parts:
        return _struct(field.parts, value, f"{path}{field.name}.", wrong)
    return value
