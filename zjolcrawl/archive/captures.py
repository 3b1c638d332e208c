"""What the archive holds, a line a capture: where it is, of which URL, when, and what came back."""

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
"""The address of the records that say which visits their run did not believe."""
INDEXED = {"response", "revisit", "metadata"}
_PARTS = {"article": str, "image": str, "column": dict, "columns": list, "trail": list}


@dataclass(frozen=True, slots=True)
class Capture:
    """One visit of one URL.

    `date` is the WARC-Date as written, `digest` that of the payload, `origin` the id of the record
    that holds a revisit's payload, `context` the JSON the crawl left, `type` the record's: a
    `metadata` record stands for a request that got no response.
    """

    pointer: Pointer
    type: str
    url: str
    date: str
    status: int | None = None
    mime: str | None = None
    digest: str | None = None
    origin: str | None = None
    context: str | None = None

    @property
    def seen_at(self) -> datetime:
        """`date` as a value, aware, UTC."""
        return datetime.fromisoformat(self.date)

    @property
    def run(self) -> str:
        """The id of the run that made it, which the file's name has; a foreign file is one run."""
        parts = self.pointer.file.split("-")
        return parts[2] if len(parts) == 4 else self.pointer.file

    @property
    def known(self) -> dict[str, Any]:
        """The context as a value, empty where the crawl left none."""
        return json.loads(self.context) if self.context else {}


def capture_of(record: Record, pointer: Pointer) -> Capture | None:
    """The capture that a record stands for; None for a request or warcinfo record, and for one of
    another tool that no query could find: without id, date, http(s) URL or status.
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
    """The URL. Raises ValueError where it is no http(s) URL with a host."""
    parts = urlsplit(url)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("no http URL")
    return url


def _utc(date: str) -> str:
    """A WARC-Date as a string that sorts by time. Raises ValueError where it is none."""
    moment = datetime.fromisoformat(date)
    if date.endswith("Z"):
        return date
    return warc_date(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


def _context(text: str | None) -> str | None:
    """The context, if it is one of ours: a JSON object of known parts."""
    try:
        known = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    sound = isinstance(known, dict) and all(
        isinstance(known[name], kind) for name, kind in _PARTS.items() if name in known
    )
    return text if sound else None


def mime_of(content_type: str | None) -> str | None:
    """The media type of a Content-Type, lower-case, without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower() or None


def url_key(url: str) -> str:
    """The sort key of a CDXJ line: the host's labels from the right, then path and query.

    As the Wayback tools make it for plain http(s) URLs: no scheme, no `www.`, no default port, all
    lower-case, the query's arguments in order.
    """
    parts = urlsplit(url.lower())
    host = re.sub(r"^www\d*\.", "", parts.hostname or "")
    port = f":{parts.port}" if parts.port and parts.port not in {80, 443} else ""
    query = "&".join(sorted(parts.query.split("&")))
    path = parts.path.rstrip("/") or "/"
    return f"{','.join(reversed(host.split('.')))}{port}){path}{f'?{query}' if query else ''}"


def cdxj(captures: Iterable[Capture]) -> str:
    """A CDXJ index of captures, sorted; a failure is not one, for there is nothing to replay."""
    return "".join(sorted(cdxj_line(each) for each in captures if each.type != "metadata"))


def cdxj_line(capture: Capture) -> str:
    """The line of one capture, with its end."""
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
