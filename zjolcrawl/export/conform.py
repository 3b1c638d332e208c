"""Checks articles against the table of fields: types and rules, and text that is valid UTF-8.

A time is a timestamp of milliseconds in UTC. A field that an article lacks is absent, null in a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from bson import Code, Int64, ObjectId, Regex

from zjolcrawl.fields import FIELDS, Field
from zjolcrawl.storage.documents import url_of

_SURROGATES = re.compile("[\ud800-\udfff]")
_INT32 = range(-(2**31), 2**31)
_PYTHON: dict[str, type[Any]] = {
    "string": str, "int": int, "long": int, "timestamp": datetime, "objectid": ObjectId, "struct": dict,
}  # fmt: skip


def replace_surrogates(value: Any) -> Any:
    """The value with U+FFFD for each half of a surrogate pair, so that all text can be UTF-8."""
    if isinstance(value, Code):
        return Code(_SURROGATES.sub("\ufffd", value), replace_surrogates(value.scope))
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
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


def broken_rule(document: dict[str, Any]) -> str | None:
    """Why MongoDB's validator would refuse a document whose types conform, or None.

    The server's own message names neither the rule nor the place in a list.
    """
    return next(_broken_rules(FIELDS, document, ""), None)


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


def _broken_rules(fields: Sequence[Field], values: dict[str, Any], path: str) -> Iterator[str]:
    for field in fields:
        name = f"{path}{field.name}"
        if field.name not in values:
            if field.required:
                yield f"{path[:-1] or 'the document'} lacks {field.name}"
        elif not field.many:
            yield from _broken_rules_of(field, values[field.name], name)
        elif not (values[field.name] or field.parts):
            yield f"{name} is empty"
        else:
            for number, each in enumerate(values[field.name]):
                yield from _broken_rules_of(field, each, f"{name}.{number}")


def _broken_rules_of(field: Field, value: Any, name: str) -> Iterator[str]:
    if field.parts:
        checked = [part for part in field.parts if part.required or part.checked]
        yield from _broken_rules(checked, value, f"{name}.")
    elif field.choices and value not in field.choices:
        yield f"{name} is not one of {', '.join(field.choices)}"
    elif field.pattern and not re.search(field.pattern, value):
        yield f"{name} does not match {field.pattern}"
    elif value == "" and not (field.empty or field.choices or field.pattern):
        yield f"{name} is empty"
    elif field.type == "int" and (isinstance(value, Int64) or value not in _INT32):
        yield f"{name} is no int"
    elif field.least is not None and value < field.least:
        yield f"{name} is less than {field.least}"
