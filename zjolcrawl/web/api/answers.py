"""JSON answers of the API, with entity tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from bson import json_util
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.export.conform import replace_surrogates
from zjolcrawl.export.jsonl import dump

# Stored by a client, but asked for again each time, with If-None-Match.
_CACHE = "no-cache"


def article_json(document: dict[str, Any]) -> bytes:
    """An article or version as `scrapy export` writes it; U+FFFD for what is not UTF-8."""
    try:
        return dump(document).rstrip()
    except UnicodeEncodeError:
        return dump(replace_surrogates(document)).rstrip()


def stored_json(value: Any) -> bytes:
    """Values of documents as Extended JSON; U+FFFD for what is not UTF-8."""
    return json_util.dumps(replace_surrogates(value), ensure_ascii=False).encode()


def json_list(items: Iterable[bytes]) -> bytes:
    """A JSON array of values that are JSON already."""
    return b"[%s]" % b",".join(items)


def json_object(**members: Any) -> bytes:
    """A JSON object; a member of bytes is JSON already, one that is None is left out."""
    parts = (
        json.dumps(name).encode() + b":" + (value if isinstance(value, bytes) else _json(value))
        for name, value in members.items()
        if value is not None
    )
    return b"{%s}" % b",".join(parts)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def answer(
    request: Request, body: bytes, media_type: str = "application/json", **headers: str
) -> Response:
    """The response with this body; 304 without it if the client has the same."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    shown = {"etag": tag, "cache-control": _CACHE, **headers}
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=shown)
    return Response(body, media_type=media_type, headers=shown)


def _has(known: str, tag: str) -> bool:
    """Whether If-None-Match names the tag (RFC 9110, 13.1.2: weak comparison)."""
    tags = [each.strip().removeprefix("W/") for each in known.split(",")]
    return tag in tags or tags == ["*"]
