"""Makes an exchange of ours from a record that others made: status, headers, and the body without chunks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from io import BytesIO
from urllib.parse import urlsplit

from w3lib.url import safe_url_string
from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader

from zjolcrawl.archive.captures import mime_of
from zjolcrawl.archive.decoding import body_start
from zjolcrawl.archive.foreign import Foreign
from zjolcrawl.archive.verify import digest_faults
from zjolcrawl.archive.warc import Message, Record, digest
from zjolcrawl.archive.writer import Headers
from zjolcrawl.clock import utc_now
from zjolcrawl.parsing.fields.dates import YEARS, is_plausible
from zjolcrawl.parsing.urls import is_image_host, is_own_host
from zjolcrawl.site.description import DEFAULT_PORTS

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_INTERIM = re.compile(rb"HTTP/\S{1,8}[ \t]{1,8}1(?!01)\d\d\b", re.IGNORECASE)
_TYPES = {"response", "revisit", "resource", "continuation", ""}
_LONGEST_URL = 4096  # characters
_AHEAD = timedelta(days=1)  # by which a clock may be wrong


class BadRecord(ValueError):
    """A record that cannot be imported; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response of a record. `truncated`: its body is incomplete."""

    status: int
    headers: Headers
    body: bytes
    truncated: bool = False

    @property
    def mime(self) -> str | None:
        """The media type, lower-case, without parameters."""
        return mime_of(self.header(b"content-type"))

    def header(self, name: bytes) -> str | None:
        """The first header with this lower-case name, or None."""
        values = (value for each, value in self.headers if each.lower() == name)
        found = next(values, None)
        return None if found is None else found.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the site that may become a capture: its `url` and `moment`, and what it says.

    `response` is None for a revisit, which needs another record; only a revisit keeps its block. `digest`
    is that of the response's body.
    `fault`, if not empty, says why the record cannot be imported.
    """

    record: Record
    offset: int
    url: str
    moment: datetime | None = None
    response: Response | None = None
    digest: str = ""
    fault: str = ""

    @property
    def size(self) -> int:
        """The bytes that it holds."""
        return len(self.record.block) + (len(self.response.body) if self.response else 0)


def candidate_of(found: Foreign) -> Candidate | None:
    """The candidate in a record; None for records of other types, and for those without an http URL.

    `url` alone is set if it is on another host.
    """
    record = found.record
    if record.type not in _TYPES:
        return None
    bare = replace(record, block=b"")
    try:
        url = address_of(record)
        if not url.lower().startswith(("http://", "https://")):
            return None
        if not (is_own_host(url) or is_image_host(url)):
            return Candidate(bare, found.offset, url)
        if "warc-segment-number" in record.fields or record.type == "continuation":
            raise BadRecord(
                "it is a part of a record (WARC-Segment-Number), and parts are not joined"
            )
        if not record.type:
            raise BadRecord("it has no WARC-Type")
        moment = parse_warc_date(record.fields.get("warc-date", ""))
        if record.type == "revisit":
            return Candidate(record, found.offset, url, moment)
        response = response_of(record)
    except BadRecord as error:
        return Candidate(bare, found.offset, record.url[:200], fault=str(error))
    return Candidate(bare, found.offset, url, moment, response, digest(response.body))


def address_of(record: Record) -> str:
    """The URL that a record is about, without the default port, and encoded as a request would have it.

    Raises BadRecord if there is none or it is too long.
    """
    url = record.url
    if not url:
        raise BadRecord("it has no WARC-Target-URI, or one of several lines")
    if len(url) > _LONGEST_URL:
        raise BadRecord("its URL is too long")
    try:
        parts = urlsplit(url)
        port = DEFAULT_PORTS.get(parts.scheme)
        if port and parts.netloc.endswith(f":{port}"):
            url = parts._replace(netloc=parts.netloc.removesuffix(f":{port}")).geturl()
        return str(safe_url_string(url.partition("#")[0]))
    except ValueError:  # a broken host name or port: no host of the site
        return url


def parse_warc_date(text: str) -> datetime:
    """A WARC-Date as an aware UTC datetime. Raises BadRecord if it is none, before 1990, or in the future."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        moment = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise BadRecord(f"its date cannot be read ({text[:40]!r})") from None
    if moment > utc_now() + _AHEAD:
        raise BadRecord(f"its date is in the future ({text[:40]})")
    if not is_plausible(moment):
        raise BadRecord(f"its date is before {YEARS.start} ({text[:40]})")
    return moment


def response_of(record: Record) -> Response:
    """The response in a `response`, `revisit` or `resource` record. Raises BadRecord.

    A body is kept as it came but for chunks (RFC 9112, 7.1), which are removed if it has them, whatever
    its headers claim. A content coding that the body does not have is renamed to `X-Orig-…`: browser tools
    store decoded bodies under the original headers.
    """
    if fault := next(digest_faults(_checkable(record)), None):
        raise BadRecord(fault)
    if record.type == "resource":
        kind = record.fields.get("content-type", "application/octet-stream")
        return Response(200, [(b"Content-Type", kind.encode("utf-8"))], record.block)
    status, headers, body = _parsed(record.block)
    truncated = "warc-truncated" in record.fields and record.type != "revisit"
    names = {name.lower(): value for name, value in headers}
    if b"chunked" in names.get(b"transfer-encoding", b"").lower() and body:
        body, cut = _without_chunks(body)
        truncated = truncated or cut
    elif record.type == "response" and _is_short(names.get(b"content-length"), body):
        truncated = True
    if body and not _is_coded(names.get(b"content-encoding"), body):
        headers = [(_renamed(name), value) for name, value in headers]
    return Response(status, headers, body, truncated)


def _checkable(record: Record) -> Record:
    """The record, without the payload digest if it is unclear where the payload begins."""
    is_clear = b"\r\n\r\n" in record.block and not _INTERIM.match(record.block)
    if record.type == "resource" or is_clear:
        return record
    fields = {k: v for k, v in record.fields.items() if k != "warc-payload-digest"}
    return replace(record, fields=fields)


def _parsed(block: bytes) -> tuple[int, Headers, bytes]:
    """Status, headers and body of an HTTP response; old tools end lines with LF alone.

    What comes before the response, such as `100 Continue` (RFC 9110, 15.2), is dropped.
    """
    start = 0
    found = _HEAD_END.search(block)
    while found and _INTERIM.match(block, start):
        start = found.end()
        found = _HEAD_END.search(block, start)
    head, body = (
        (block[start : found.start()], block[found.end() :]) if found else (block[start:], b"")
    )
    first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    try:
        protocol, code, *_ = first.split(None, 2)
        status = int(code)
    except ValueError:
        protocol, status = b"", 0
    if not protocol.upper().startswith(b"HTTP") or not (status == 101 or 200 <= status <= 999):
        raise BadRecord("it holds no HTTP response, or only the beginning of one")
    headers: Headers = []
    for line in lines:
        name, colon, value = line.replace(b"\r", b" ").partition(b":")
        if line[:1] in b" \t" and headers:  # folded (RFC 9112, 5.2)
            headers[-1] = (headers[-1][0], headers[-1][1] + b" " + line.strip())
        elif colon and name.strip():
            headers.append((name.strip(), value.strip()))
    return status, headers, body


def _without_chunks(body: bytes) -> tuple[bytes, bool]:
    """The body without chunks, and whether it ends too early; as it is if it has no chunks."""
    try:
        return ChunkedDataReader(BytesIO(body), raise_exceptions=True).read(), False
    except ChunkedDataException:
        rest = ChunkedDataReader(BytesIO(body)).read()
        return rest, rest != body


def _is_short(length: bytes | None, body: bytes) -> bool:
    return length is not None and length.isdigit() and int(length[:15]) > len(body) > 0


def _is_coded(coding: bytes | None, body: bytes) -> bool:
    """Whether a body has the content coding that its header names; unknown codings count as had."""
    if not coding:
        return True
    named = Message("", [("content-encoding", coding.decode("latin-1"))], body)
    try:
        body_start(named, 1)
    except ValueError as error:
        return "unknown" in str(error)
    return True


def _renamed(name: bytes) -> bytes:
    return b"X-Orig-" + name if name.lower() == b"content-encoding" else name
