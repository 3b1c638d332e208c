"""A clock that is some days ahead, for what a crawl does only then."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from zjolcrawl import clock
from zjolcrawl.spiders import column


def set_ahead(days: float) -> None:
    """Put the product's clock in this process so many days ahead."""
    ahead = timedelta(days=days)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    for module in (column, clock):
        module.datetime = Clock  # type: ignore[attr-defined]
