"""What a response says besides its body: redirect target, validators, Retry-After; and why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure
from w3lib.url import safe_url_string

from zjolcrawl.archive.archive import NoAnswer
from zjolcrawl.messages import one_line, typed, without_stack
from zjolcrawl.parsing.fields.dates import is_plausible
from zjolcrawl.request_meta import CONDITIONS, SEEN_AT

_REDIRECTS = {301, 302, 303, 307, 308}
_LONGEST_RETRY_AFTER = timedelta(days=7)


def error_of(failure: Failure) -> BaseException:
    """The error of a Scrapy errback, without its stack."""
    assert failure.value is not None
    return without_stack(failure.value)


def reason_of(error: BaseException | None) -> str:
    """One line on why a request got no answer; `reparse` repeats the crawl's reason."""
    if isinstance(error, NoAnswer) or error is None:
        return one_line(str(error), 300)
    return typed(error)


def target_of(response: Response) -> str | None:
    """The target of a redirect, as Scrapy reads it; None for other responses. Raises ValueError."""
    location = response.headers.get("Location")
    if response.status not in _REDIRECTS or not location:
        return None
    return Request(urljoin(response.url, safe_url_string(location))).url


def retry_after(response: Response) -> datetime | None:
    """The Retry-After time (RFC 9110, 10.2.3), at most a week ahead; None if absent or invalid."""
    said = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    seen_at: datetime = response.meta.get(SEEN_AT) or datetime.now(timezone.utc)
    try:
        moment = (
            seen_at + min(timedelta(seconds=int(said)), _LONGEST_RETRY_AFTER)
            if said.isdigit()
            else parsedate_to_datetime(said)
        )
    except (ValueError, OverflowError):
        return None
    if not is_plausible(moment):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return min(moment, seen_at + _LONGEST_RETRY_AFTER)


def conditional_headers(row: Mapping[str, Any]) -> dict[str, str]:
    """Headers that make a request conditional on the validators in a row of `frontier` or `columns`."""
    return {header: row[name] for name, header in CONDITIONS.items() if row.get(name)}


def validators_of(response: Response) -> dict[str, str]:
    """`etag` and `last_modified` of a response, if present."""
    headers = {
        "etag": response.headers.get("ETag"),
        "last_modified": response.headers.get("Last-Modified"),
    }
    return {name: value.decode("latin-1") for name, value in headers.items() if value}
