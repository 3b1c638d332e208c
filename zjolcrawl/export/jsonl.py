"""JSON Lines: one line per article with everything that is stored, readable back unchanged.

The schema (`zjolcrawl.fields`) restores the types: times are ISO 8601 in UTC with milliseconds
(2017-08-11T23:34:27.000Z), ObjectIds are hex. Values outside the schema that JSON cannot express are
MongoDB Extended JSON, such as {"$date": …}. Fields keep their stored order.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from math import isinf
from typing import Any, NoReturn

import bson
from bson import Code, DBRef, ObjectId, json_util
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError

from zjolcrawl.clock import iso_time
from zjolcrawl.export.conform import conform
from zjolcrawl.fields import FIELDS
from zjolcrawl.messages import one_line
from zjolcrawl.parsing.fields.dates import YEARS
from zjolcrawl.storage.documents import MOST_ENTRIES

MOST_BYTES = 16 * 2**20
"""MongoDB's size limit of a document, in bytes."""
_EXTENDED = json_util.JSONOptions(
    json_mode=json_util.JSONMode.RELAXED,
    tz_aware=True,
    tzinfo=timezone.utc,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
_DEEPEST = 100  # nesting levels, MongoDB's documented limit
_MOST_REVISIONS = 100_000
_TIMES = {field.name for field in FIELDS if field.type == "timestamp"}
_IDS = {field.name for field in FIELDS if field.type == "objectid"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", re.ASCII)
_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
_BOM = "\ufeff"


class Unreadable(Exception):
    """A line is not a valid document; the message says why, on one line."""


def dump(document: dict[str, Any]) -> bytes:
    """A document as a line. Raises UnicodeEncodeError for half of a surrogate pair."""
    text = json_util.dumps(
        as_text(document), json_options=_EXTENDED, ensure_ascii=False, separators=(",", ":")
    )
    return text.encode() + b"\n"


def comes_back(line: bytes, document: dict[str, Any]) -> bool:
    """Whether reading the line back gives exactly the same document.

    It may not for a document with an object such as {"$oid": …}, which is how an ObjectId is written.
    """
    if b'{"$' not in line:
        return True
    try:
        return bson.encode(_parse(line)) == bson.encode(as_text(document))
    except (Unreadable, BSONError, ValueError, OverflowError):
        return False


def load(line: bytes) -> dict[str, Any]:
    """The document of a line, ready to be stored. Raises Unreadable."""
    document = _parse(line)
    if not _is_key(document.get("_id")):
        raise Unreadable("_id is neither a URL nor {url, revision}")
    for name in _TIMES & document.keys():
        document[name] = _time(name, document[name])
    for name in _IDS & document.keys():
        document[name] = _object_id(name, document[name])
    if wrong := conform(document)[1]:
        types = {field.name: str(field) for field in FIELDS}
        stated = {types[path.partition(".")[0]] for path in wrong}
        raise Unreadable(f"{', '.join(wrong)}: not of the type {', '.join(sorted(stated))}")
    if odd := _odd(document):
        raise Unreadable(odd)
    if _deep(document, _DEEPEST):
        raise Unreadable(f"nested too deeply: more than {_DEEPEST} levels")
    try:
        size = len(bson.encode(document))
    except UnicodeEncodeError as error:
        raise Unreadable("half of a surrogate pair: text that cannot be stored") from error
    except (BSONError, OverflowError, RecursionError) as error:
        raise Unreadable(
            f"a document that cannot be stored: {one_line(str(error), 200)}"
        ) from error
    if size > MOST_BYTES:
        raise Unreadable(f"{size} bytes: a document may have {MOST_BYTES} at most")
    return document


def as_text(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the times and ids of the schema as text."""
    values = dict(document)
    for name in _TIMES & document.keys():
        if isinstance(values[name], datetime):
            values[name] = iso_time(values[name])
    for name in _IDS & document.keys():
        if isinstance(values[name], ObjectId):
            values[name] = str(values[name])
    return values


def _parse(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode().removeprefix(_BOM)
        document = json.loads(
            text,
            object_pairs_hook=_from_extended,
            parse_constant=_no_number,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except Unreadable:
        raise
    except MemoryError as error:
        raise Unreadable("too large to be read") from error
    except Exception as error:  # pymongo's Extended JSON reader raises many kinds of error
        raise Unreadable(
            f"a value that cannot be read: {one_line(str(error), 200) or error!r}"
        ) from error
    if not isinstance(document, dict):
        raise Unreadable("not a JSON object")
    if odd := next((name for name in document if name.startswith("$")), None):
        raise Unreadable(f"{odd[:40]} is not a field name")
    return document


def _from_extended(pairs: list[tuple[str, Any]]) -> Any:
    """The value of an Extended JSON object; other objects unchanged."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"{twice[:40]} occurs twice in one object")
    if next(iter(values), "").startswith("$"):
        return json_util.object_hook(values, _EXTENDED)
    return values


def _float(word: str) -> float:
    value = float(word)
    return _no_number(word) if isinf(value) else value


def _no_number(word: str) -> NoReturn:
    raise Unreadable(f"{word[:40]} is not a JSON number")


def _odd(document: dict[str, Any]) -> str | None:
    """Why a document with the right types still cannot belong to an archive, or None."""
    key = document["_id"]
    for number in (document.get("revision", 1), key["revision"] if isinstance(key, dict) else 1):
        if number > _MOST_REVISIONS:
            return f"revision {number} is more than {_MOST_REVISIONS}"
    for name in _TIMES & document.keys():
        if document[name].year not in YEARS:
            return (
                f"{name} is not in the years {YEARS[0]} to {YEARS[-1]}: {iso_time(document[name])}"
            )
    for name, value in document.items():
        if isinstance(value, list) and len(value) > MOST_ENTRIES:
            return f"{name[:40]} has {len(value)} entries: a list may have {MOST_ENTRIES} at most"
    records = [document.get("warc", {}), *document.get("pages_warc", [])]
    if any(each.get(name, 0) < 0 for each in records for name in ("offset", "length")):
        return "a WARC record's offset or length is less than 0"
    return None


def _deep(value: Any, levels: int) -> bool:
    """Whether a value nests objects and lists more than `levels` deep."""
    if isinstance(value, DBRef):
        value = value.as_doc()
    elif isinstance(value, Code):
        value = value.scope
    if isinstance(value, dict):
        return levels == 0 or any(_deep(each, levels - 1) for each in value.values())
    return isinstance(value, list) and (
        levels == 0 or any(_deep(each, levels - 1) for each in value)
    )


def _is_key(key: Any) -> bool:
    if isinstance(key, dict):
        return (
            list(key) == ["url", "revision"]
            and _is_key(key["url"])
            and type(key["revision"]) is int
        )
    return type(key) is str and bool(key)


def _time(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        if not _TIME.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(f"{name} must look like 2017-08-11T23:34:27.000Z: {value[:40]}") from None


def _object_id(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not _ID.fullmatch(value):
        raise Unreadable(f"{name} is not an id of 24 hex digits: {value[:40]}")
    return ObjectId(value)
