"""QUIET_HOURS: nothing is fetched in them."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import SiteProxy
from zjolcrawl.extensions.quiet_hours import parse_hours, seconds_to
from zjolcrawl.parsing.fields.dates import CHINA

NIGHT, MORNING = (time(22, 0), time(5, 30)), (time(1, 0), time(5, 30))


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24T{clock}:00").replace(tzinfo=CHINA)


@pytest.mark.parametrize(
    ("hours", "now", "seconds"),
    [
        (MORNING, "01:00", 0), (MORNING, "05:29", 0), (MORNING, "05:30", 19.5 * 3600),
        (MORNING, "00:59", 60), (NIGHT, "23:00", 0), (NIGHT, "03:00", 0), (NIGHT, "21:00", 3600),
    ],
)  # fmt: skip
def test_how_long_until_they_begin(hours: tuple[time, time], now: str, seconds: float) -> None:
    assert seconds_to(hours, at(now)) == seconds


def test_run_that_starts_in_them_fetches_nothing_and_is_no_fault(
    site: SiteProxy, crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, 4774001)]])
    ends = [datetime.now(CHINA) + timedelta(hours=hours) for hours in (-1, 1)]
    hours = "-".join(f"{end:%H:%M}" for end in ends)
    done = crawl("column", url=COLUMN, QUIET_HOURS=hours, recheck="on")
    assert (done.returncode, site.urls()) == (0, [])
    assert done.stderr == f"zjolcrawl: quiet hours until {ends[1]:%H:%M}, China time\n"
    assert crawl("column", url=COLUMN, QUIET_HOURS="1-5", recheck="on").returncode == 2


def test_form() -> None:
    assert parse_hours("01:00-05:30") == MORNING
    for text in ("25:00-01:00", "1:00-2:00", "01:00"):
        with pytest.raises(ValueError, match="01:00-05:30"):
            parse_hours(text)
