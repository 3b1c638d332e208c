"""Sets the product's clock ahead, for tests of later visits."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from zjolcrawl import clock
from zjolcrawl.spiders import column


def set_ahead(days: float) -> None:
    """Sets the product's clock in this process ahead by this many days; 0: the right time again."""
    ahead = timedelta(days=days)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    for module in (column, clock):
        module.datetime = Clock if days else datetime  # type: ignore[attr-defined]
