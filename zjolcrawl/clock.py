"""The current time as MongoDB stores it, and the latest time that is trusted."""

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
