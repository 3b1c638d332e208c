"""Converts articles to MongoDB documents, and computes and compares their content hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

from zjolcrawl.clock import utc_now
from zjolcrawl.fields import FIELDS
from zjolcrawl.items import Article, Byline, Image, Media
from zjolcrawl.parsing.image_refs import image_key

# The fields whose change makes a new revision (contract: `content_sha256`).
_EDITORIAL = [field.name for field in FIELDS if field.editorial and field.name != "images"]
_NOT_STORED = {"url", "template", "parser_version", "frontier_url", "seen_at", "validators"}
_STORED = tuple(each.name for each in fields(Article) if each.name not in _NOT_STORED)
# Faster than `dataclasses.asdict`, which copies everything and visits every line of a body.
_PARTS = {kind: tuple(each.name for each in fields(kind)) for kind in (Byline, Image, Media)}


def article_document(article: Article) -> dict[str, Any]:
    """The part of an `articles` document that comes from the page, with `last_seen_at`."""
    values = {name: tidy(getattr(article, name)) for name in _STORED}
    document = {k: v for k, v in values.items() if v not in (None, "", [])}
    document["_id"] = article.url
    document.setdefault("body", "")  # an article of pictures alone has an empty one
    document["parser"] = {"template": article.template, "version": article.parser_version}
    document["content_sha256"] = _sha256(values)
    document["last_seen_at"] = article.seen_at or utc_now()
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
