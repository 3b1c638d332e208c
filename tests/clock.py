"""`python -m tests.clock DAYS crawl …`: scrapy with a clock that is so many days ahead."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo

from scrapy.cmdline import execute

from zjolcrawl.spiders import column
from zjolcrawl.storage import operations


def main() -> None:
    """Run scrapy."""
    ahead = timedelta(days=float(sys.argv.pop(1)))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    for module in (column, operations):
        module.datetime = Clock  # type: ignore[attr-defined]
    execute()


if __name__ == "__main__":
    main()
