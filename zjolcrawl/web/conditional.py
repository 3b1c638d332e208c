"""Conditional requests (RFC 9110, 13): 304 for a client that has the response already."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.clock import utc_now

_SETTLED = timedelta(seconds=2)


def answer(
    request: Request, content: bytes, media_type: str, changed: datetime | None = None
) -> Response:
    """The content, or 304 if the client has it, by If-None-Match or else by If-Modified-Since.

    `changed`: the last change in UTC. A change of the last two seconds gives no date, because another one may
    follow within the same second. The dates must be equal: an article that is deleted makes them earlier.
    """
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if changed and changed < utc_now() - _SETTLED:
        headers["last-modified"] = format_datetime(changed.astimezone(timezone.utc), usegmt=True)
    if _is_known(request, tag, headers.get("last-modified")):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _is_known(request: Request, tag: str, modified: str | None) -> bool:
    if (tags := request.headers.get("if-none-match")) is not None:
        return tags.strip() == "*" or tag in re.findall(r'"[^"]*"', tags)
    return bool(modified) and request.headers.get("if-modified-since") == modified
