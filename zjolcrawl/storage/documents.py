"""Articles as MongoDB documents: conversion, content hashes, and checks of what MongoDB can hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import bson

from zjolcrawl.clock import utc_now
from zjolcrawl.fields import FIELDS
from zjolcrawl.items import Article, Byline, Image, Media
from zjolcrawl.messages import typed
from zjolcrawl.parsing.fields.dates import YEARS, is_plausible
from zjolcrawl.parsing.image_refs import image_key

# The fields whose change makes a new revision (contract: `content_sha256`).
_EDITORIAL = [field.name for field in FIELDS if field.editorial and field.name != "images"]
_NOT_STORED = {"url", "template", "parser_version", "visit"}
_STORED = tuple(each.name for each in fields(Article) if each.name not in _NOT_STORED)
_OF_VISIT = ("aliases", "warc", "pages_warc", "provenance")
# Faster than `dataclasses.asdict`, which copies everything and visits every line of a body.
_PARTS = {kind: tuple(each.name for each in fields(kind)) for kind in (Byline, Image, Media)}

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


def article_document(article: Article) -> dict[str, Any]:
    """The part of an `articles` document that comes from the page, with `last_seen_at`."""
    values = {name: tidy(getattr(article, name)) for name in _STORED}
    values |= {name: tidy(getattr(article.visit, name)) for name in _OF_VISIT}
    document = {k: v for k, v in values.items() if v not in (None, "", [])}
    document["_id"] = article.url
    document.setdefault("body", "")  # an article of pictures alone has an empty one
    document["parser"] = {"template": article.template, "version": article.parser_version}
    document["content_sha256"] = _sha256(values)
    document["last_seen_at"] = article.visit.seen_at or utc_now()
    return document


def url_of(document: dict[str, Any]) -> Any:
    """The URL of an article or of one of its former versions."""
    key = document["_id"]
    return key.get("url", key) if isinstance(key, dict) else key


def former_versions(url: Any, first: int, end: int) -> dict[str, Any]:
    """The filter on `revisions` for versions `first` to `end - 1` of an article, by key."""
    return {"_id": {"$gte": {"url": url, "revision": first}, "$lt": {"url": url, "revision": end}}}


def records_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The WARC records of a version, one per page."""
    return document.get("pages_warc") or [document[k] for k in ("warc",) if k in document]


def is_same_content(document: dict[str, Any], version: dict[str, Any]) -> bool:
    """Whether a page has the same content as a stored version.

    A stored hash may follow an older rule, which used image references as written. If two hashes differ,
    both documents are hashed again.
    """
    return document["content_sha256"] == version["content_sha256"] or _sha256(document) == _sha256(
        version
    )


def _sha256(values: dict[str, Any]) -> str:
    editorial = {name: values.get(name) for name in _EDITORIAL}
    if published_at := values.get("published_at"):
        editorial["published_at"] = published_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    editorial["images"] = [image_key(image["url"]) for image in values.get("images") or ()]
    present = {k: v for k, v in editorial.items() if v not in (None, "", [])}
    text = json.dumps(present, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def tidy(value: Any) -> Any:
    """The value as plain lists and dicts, without None fields."""
    if isinstance(value, list):
        return [tidy(each) for each in value]
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if v is not None}
    if names := _PARTS.get(type(value)):
        return {name: v for name in names if (v := getattr(value, name)) is not None}
    return value


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
    return text(typed(error), 300)


def _culprit(document: Mapping[str, Any]) -> str:
    for name, value in document.items():
        try:
            bson.encode({name: value})
        except Exception:
            return f"{text(str(name), 50)}: "
    return ""
