"""The current time as MongoDB stores it, the latest time that is trusted, and the text of a time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def utc_now() -> datetime:
    """The current time in milliseconds, the precision of BSON."""
    now = datetime.now(timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def clock_limit() -> datetime:
    """The latest trusted time; a stored time after it comes from a clock that was ahead."""
    return utc_now() + timedelta(days=1)


def iso_time(moment: datetime) -> str:
    """An aware time as text in UTC, in milliseconds: 2017-08-11T23:34:27.000Z (RFC 3339, WARC-Date)."""
    utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"
