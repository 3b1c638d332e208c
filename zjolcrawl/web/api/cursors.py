"""Cursors: the key of a page's last entry as opaque text, bound to the query it belongs to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from starlette.datastructures import QueryParams

from zjolcrawl.web.api.problems import Problem

_OWN = ("cursor", "limit")  # parameters that may differ from page to page
_INT64 = range(-(2**63), 2**63)
_VALUES = range(42 * 10**17)  # nanoseconds up to the year 2103
_SURROGATE = re.compile("[\ud800-\udfff]")


def encode(key: tuple[Any, ...], query: QueryParams) -> str:
    """The cursor of a page that ends with `key`."""
    text = json.dumps([_fingerprint(query), *key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def decode(text: str | None, query: QueryParams, types: tuple[Callable[[Any], bool], ...]) -> Any:
    """The key of a cursor as a tuple, None without a cursor. Raises Problem.

    `types` has a check for each part of the key.
    """
    if text is None:
        return None
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        mark, *key = json.loads(packed.decode())
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _invalid("it is not a `next` of this API") from None
    if len(key) != len(types) or not all(fits(part) for fits, part in zip(types, key, strict=True)):
        raise _invalid("it is not a `next` of this path")
    if mark != _fingerprint(query):
        raise _invalid("it belongs to a query with other parameters")
    return tuple(key)


def is_text(part: Any) -> bool:
    """Whether a part of a key can be a URL."""
    return isinstance(part, str) and not _SURROGATE.search(part)


def is_number(part: Any) -> bool:
    """Whether a part of a key can be a time in milliseconds."""
    return type(part) is int and part in _INT64


def is_time(part: Any) -> bool:
    """Whether a part of a key can be a time in milliseconds, or None."""
    return part is None or is_number(part)


def is_value(part: Any) -> bool:
    """Whether a part of a key can be a value that orders hits of the index, or None."""
    return part is None or (type(part) is int and part in _VALUES)


def is_group(part: Any) -> bool:
    """Whether a part of a key can be a group of hits."""
    return type(part) is int and part in (0, 1)


def _fingerprint(query: QueryParams) -> str:
    pairs = sorted(pair for pair in query.multi_items() if pair[0] not in _OWN)
    text = json.dumps(pairs)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _invalid(why: str) -> Problem:
    return Problem("invalid-parameter", f"cursor is invalid: {why}", parameter="cursor")
