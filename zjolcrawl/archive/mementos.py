"""Turns answers of other archives into captures: the page as it was, its time, and where it came from. Pure.

Wayback and pywb answer `BASE/<14 digits>id_/<URL>` with the bytes of the capture nearest to that time, its time in
Memento-Datetime (RFC 7089), and its headers as `X-Archive-Orig-…`. Common Crawl answers a byte range with one gzip
member, which is a WARC record.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from zjolcrawl.archive.captures import mime_of
from zjolcrawl.archive.cdx import Row, stamp_of
from zjolcrawl.archive.decoding import BrokenAnswer, unpacked
from zjolcrawl.archive.warc import TornRecord, read_records
from zjolcrawl.clock import utc_now
from zjolcrawl.parsing.fields.dates import is_plausible

Headers = list[tuple[bytes, bytes]]
_ORIGINAL = b"x-archive-orig-"
_FRAMING = {b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"trailer"}
_CDX_PATH = re.compile(r"(?:/cdx/search)?[/-](?:cdx|index)/?\Z")
_REPLAYED = re.compile(r"/(\d{4,14})(?:id_)?/(https?:/.*)\Z", re.DOTALL)
_COMMON_CRAWL = "crawl-data/"
COMMON_CRAWL = "https://data.commoncrawl.org/"
"""Where the file names in Common Crawl's index are."""
_LONGEST = 64 * 1024 * 1024  # bytes of an unpacked record
_AHEAD = timedelta(days=1)  # of the other archive's clock, at most


class NotAPage(Exception):
    """The archive's capture is no page: a redirect or an error of the site at the time."""


class NotTheMemento(Exception):
    """The answer is not the capture asked for, but the archive's own page or a damaged record."""


@dataclass(frozen=True, slots=True)
class Memento:
    """A capture that another archive gave: the original URL, its own time, headers and body.

    `provenance` is the part of a capture's context that says whose it is.
    """

    url: str
    seen_at: datetime
    headers: Headers
    body: bytes
    provenance: dict[str, Any]


def replay_base(cdx: str) -> str | None:
    """The URL before the timestamp of an archive's replayed pages, from that of its CDX server; None if unknown.

    `http://web.archive.org/cdx/search/cdx` gives `http://web.archive.org/web/`, pywb's
    `https://host/coll/cdx` gives `https://host/coll/`.
    """
    found = _CDX_PATH.search(cdx)
    try:
        parts = urlsplit(cdx)
    except ValueError:  # an unbalanced IPv6 bracket
        return None
    if not found or parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    front = cdx[: found.start()]
    return f"{front}/web/" if found[0].startswith("/cdx/search") else f"{front}/"


def is_common_crawl(row: Row) -> bool:
    """Whether the row is from Common Crawl's index, so that its record is fetched by its byte range."""
    named = bool(row.filename and row.filename.startswith(_COMMON_CRAWL))
    return named and row.offset is not None and bool(row.length)


def redirect_within(row: Row, address: str, location: str) -> str | None:
    """The replay URL of another capture of the same page to which an archive redirects, or None.

    `address` is the URL that was requested. With `id_`, because an archive may leave it out.
    """
    target = urljoin(address, location)
    found = _REPLAYED.search(target)
    if not found or urlsplit(target).hostname != urlsplit(address).hostname:
        return None
    if _plain(found[2]) != _plain(row.url):
        return None
    return f"{target[: found.start()]}/{found[1]}id_/{row.url}"


def of_replay(row: Row, base: str, status: int, headers: Headers, body: bytes) -> Memento:
    """The page in a replayed answer whose transfer coding is undone. Raises NotAPage, NotTheMemento."""
    values = {name.lower(): value.decode("latin-1") for name, value in headers}
    moment = _memento_time(values.get(b"memento-datetime"))
    if moment is None:
        raise NotTheMemento(f"HTTP {status} without Memento-Datetime: a page of the archive itself")
    _check_time(moment)
    if status != 200:
        raise NotAPage(f"HTTP {status}")
    link = f"{base}{stamp_of(moment)}/{row.url}"
    return Memento(row.url, moment, _original(headers, body), body, _source(base, link))


def of_record(row: Row, data: bytes) -> Memento:
    """The page in the gzip member of a WARC record. Raises NotAPage, NotTheMemento."""
    try:
        _, _, record = next(read_records(io.BytesIO(data), most=_LONGEST))
        message = record.message
        status = message.status
        moment = datetime.fromisoformat(record.fields.get("warc-date", ""))
    except (TornRecord, ValueError, IndexError, StopIteration) as error:
        raise NotTheMemento(f"its WARC record cannot be read ({error})") from None
    if _plain(record.url) != _plain(row.url):
        raise NotTheMemento(f"its WARC record is of {record.url}")
    if status != 200 or record.type != "response":
        raise NotAPage(f"HTTP {status}, a {record.type} record")
    headers = [(name.encode("latin-1"), v.encode("latin-1")) for name, v in message.headers]
    source = _source(COMMON_CRAWL, f"{COMMON_CRAWL}{row.filename}")
    source |= {"record": record.record_id}
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    _check_time(moment)
    return Memento(row.url, moment, _honest(headers, message.body), message.body, source)


def _source(base: str, link: str) -> dict[str, Any]:
    return {"kind": "backfill", "from": base, "url": link}


def _check_time(moment: datetime) -> None:
    """Raises NotTheMemento for a time at which nobody can have taken a page."""
    if not is_plausible(moment) or moment > utc_now() + _AHEAD:
        raise NotTheMemento(f"its time, {moment.isoformat()}, cannot be true")


def _memento_time(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(timezone.utc) if text else None
    except (ValueError, OverflowError):
        return None


def _original(headers: Headers, body: bytes) -> Headers:
    """The headers that the site sent: those that the archive renamed, and the media type."""
    kept = [(n[len(_ORIGINAL) :], v) for n, v in headers if n.lower().startswith(_ORIGINAL)]
    if not any(name.lower() == b"content-type" for name, _ in kept):
        kept += [(name, value) for name, value in headers if name.lower() == b"content-type"]
    return _honest(kept, body)


def _honest(headers: Headers, body: bytes) -> Headers:
    """The headers without those that do not fit the body: an archive may have undone its codings."""
    codings = [v.decode("latin-1") for n, v in headers if n.lower() == b"content-encoding"]
    dropped = set(_FRAMING)
    try:
        unpacked(body[:_LONGEST], ",".join(codings).split(","), _LONGEST)
    except BrokenAnswer:
        dropped.add(b"content-encoding")
    kept = [(name, value) for name, value in headers if name.lower() not in dropped]
    return [*kept, (b"Content-Length", str(len(body)).encode())]


def is_html(mime: str) -> bool:
    """Whether a row's media type may be that of a page; an index may not know it."""
    kind = mime_of(mime)
    return kind in {None, "text/html", "application/xhtml+xml", "warc/revisit", "unk", "text/plain"}


def _plain(url: str) -> str:
    """A URL to compare with: without scheme and default port, and with one spelling of slashes."""
    text = re.sub(r"^https?:/+", "", url)
    host, slash, path = text.partition("/")
    return f"{host.lower().removesuffix(':80').removesuffix(':443')}{slash}{path}"
