"""Captures, the index entries of the archive: position, URL, time and response of each visit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from zjolcrawl.archive.warc import CONTEXT, FAILED, Pointer, Record, warc_date

UNBELIEVED = "metadata://zjolcrawl/unbelieved"
"""URL of the records that list the visits which their run distrusted (see run.flip_watch)."""
INDEXED = {"response", "revisit", "metadata"}
_PARTS = {"article": str, "image": str, "column": dict, "columns": list, "trail": list}


@dataclass(frozen=True, slots=True)
class Capture:
    """One visit of one URL.

    `date` is the WARC-Date as written, `digest` that of the payload, `origin` the id of the record
    that holds a revisit's payload. `context_json` is what the crawl stored with it. `type` is the
    WARC-Type; a `metadata` record stands for a request that got no response.
    """

    pointer: Pointer
    type: str
    url: str
    date: str
    status: int | None = None
    mime: str | None = None
    digest: str | None = None
    origin: str | None = None
    context_json: str | None = None

    @property
    def seen_at(self) -> datetime:
        """`date` as an aware UTC datetime."""
        return datetime.fromisoformat(self.date)

    @property
    def run(self) -> str:
        """The id of the run that made it, from the file name."""
        parts = self.pointer.file.split("-")
        return parts[2] if len(parts) == 4 else self.pointer.file

    @property
    def is_foreign(self) -> bool:
        """Whether others took it: it was imported, or fetched from another archive."""
        return "provenance" in self.context

    @property
    def context(self) -> dict[str, Any]:
        """`context_json` as a dict, empty if the crawl stored none."""
        return json.loads(self.context_json) if self.context_json else {}


def capture_of(record: Record, pointer: Pointer) -> Capture | None:
    """The capture for a record, or None if it is not indexed.

    Not indexed are request and warcinfo records, and records of other tools that no query could find:
    those without id, date, http(s) URL or status.
    """
    if record.type not in INDEXED or not record.record_id:
        return None
    status: int | None = None
    mime: str | None = None
    try:
        url, date = _fetched_url(record.url), _utc(record.fields.get("warc-date", ""))
        if record.type != "metadata":
            message = record.message
            status, mime = message.status, mime_of(message.header("content-type"))
            if not 0 <= status < 1000:
                return None
        elif not record.block.startswith(FAILED):
            return None
    except (ValueError, IndexError, OverflowError):
        return None
    origin = record.fields.get("warc-refers-to", "").strip("<>")
    return Capture(
        pointer, record.type, url, date, status, mime,
        record.fields.get("warc-payload-digest"), origin or None,
        _context(record.fields.get(CONTEXT.lower())),
    )  # fmt: skip


def _fetched_url(url: str) -> str:
    """The URL. Raises ValueError if it is not an http(s) URL with a host."""
    parts = urlsplit(url)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("no http URL")
    return url


def _utc(date: str) -> str:
    """A WARC-Date as a UTC string that sorts by time. Raises ValueError if it is not a date."""
    moment = datetime.fromisoformat(date)
    if date.endswith("Z"):
        return date
    return warc_date(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


def _context(text: str | None) -> str | None:
    """The context, or None unless it is ours: a JSON object whose known parts have the right types."""
    try:
        context = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(context, dict) and all(
        isinstance(context[name], kind) for name, kind in _PARTS.items() if name in context
    )
    return text if is_ours else None


def mime_of(content_type: str | None) -> str | None:
    """The media type of a Content-Type header, lower-case, without parameters."""
    return (content_type or "").partition(";")[0].strip().lower() or None


def url_key(url: str) -> str:
    """The sort key of a CDXJ line: host labels in reverse order, then path and query.

    It is the key that Wayback tools make for plain http(s) URLs: no scheme, no `www.`, no default
    port, all lower-case, query arguments sorted.
    """
    parts = urlsplit(url.lower())
    host = re.sub(r"^www\d*\.", "", parts.hostname or "")
    port = f":{parts.port}" if parts.port and parts.port not in {80, 443} else ""
    query = "&".join(sorted(parts.query.split("&")))
    path = parts.path.rstrip("/") or "/"
    return f"{','.join(reversed(host.split('.')))}{port}){path}{f'?{query}' if query else ''}"


def cdxj(captures: Iterable[Capture]) -> str:
    """A sorted CDXJ index of captures, without failed requests: they have nothing to replay."""
    return "".join(sorted(cdxj_line(each) for each in captures if each.type != "metadata"))


def cdxj_line(capture: Capture) -> str:
    """The CDXJ line of one capture, with its newline."""
    revisit = capture.type == "revisit"
    values = {
        "url": capture.url,
        "mime": "warc/revisit" if revisit else capture.mime,
        "status": str(capture.status) if capture.status else None,
        "digest": capture.digest,
        "length": str(capture.pointer.length),
        "offset": str(capture.pointer.offset),
        "filename": capture.pointer.file,
    }
    stamp = re.sub(r"\D", "", capture.date)[:14]
    shown = json.dumps({k: v for k, v in values.items() if v is not None}, ensure_ascii=False)
    return f"{url_key(capture.url)} {stamp} {shown}\n"
