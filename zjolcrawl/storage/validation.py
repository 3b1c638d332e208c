"""Checks imported documents against the validators of `storage.schema` before the server does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bson import Int64, ObjectId, Timestamp

from zjolcrawl.parsing.urls import is_own_host
from zjolcrawl.site.current import current_site
from zjolcrawl.storage.limits import LONGEST_KEY
from zjolcrawl.storage.schema import VALIDATORS


def fault(collection: str, document: dict[str, Any]) -> str | None:
    """The first reason why a collection's validator would refuse a document, or None.

    It supports only the JSON Schema keywords that the validators use.
    """
    return next(_faults(VALIDATORS[collection] or {}, document, ""), None)


def url_fault(url: str) -> str | None:
    """Why a URL cannot be the address of a page of this site, or None."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable()
    except ValueError:
        good = False
    if not good:
        return "_id is not an http address"
    if not is_own_host(url):
        return f"_id is not an address of {current_site().domain}"
    return f"_id has more than {LONGEST_KEY} characters" if len(url) > LONGEST_KEY else None


def _faults(schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    name = path or "the document"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{name} is not one of {', '.join(schema['enum'])}"
    if "bsonType" not in schema:
        return
    types = schema["bsonType"] if isinstance(schema["bsonType"], list) else [schema["bsonType"]]
    if not any(_is_of(each, value) for each in types):
        yield f"{name} is no {types[-1]}"
        return
    if len(value) < schema.get("minLength", 0) if isinstance(value, str) else False:
        yield f"{name} is empty"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{name} does not match {schema['pattern']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{name} is less than {schema['minimum']}"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{name} is empty"
        for number, each in enumerate(value):
            yield from _faults(schema.get("items", {}), each, f"{path}.{number}")
    if isinstance(value, dict):
        yield from (
            f"{name} lacks {each}" for each in schema.get("required", []) if each not in value
        )
        for key, part in schema.get("properties", {}).items():
            if key in value:
                yield from _faults(part, value[key], f"{path}.{key}" if path else key)


def _is_of(bson_type: str, value: Any) -> bool:
    if bson_type == "int":  # 32 bits
        small = isinstance(value, int) and -(2**31) <= value < 2**31
        return small and not isinstance(value, (bool, Int64))
    if bson_type == "long":
        return isinstance(value, int) and not isinstance(value, bool)
    types: dict[str, type[Any]] = {
        "string": str, "date": datetime, "objectId": ObjectId, "array": list, "object": dict,
        "timestamp": Timestamp,
    }  # fmt: skip
    return isinstance(value, types[bson_type])
