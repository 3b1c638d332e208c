"""QUIET_HOURS: nothing is fetched in them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl, environment
from tests.support.in_turn import InTurn
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import SiteProxy
from zjolcrawl.extensions.quiet_hours import parse_hours, seconds_to
from zjolcrawl.parsing.fields.dates import CHINA

NIGHT, MORNING = (time(22, 0), time(5, 30)), (time(1, 0), time(5, 30))


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24T{clock}:00").replace(tzinfo=CHINA)


def around_now() -> tuple[str, str]:
    """Begin and end of hours that it is now in the middle of."""
    now, hour = datetime.now(CHINA), timedelta(hours=1)
    return f"{now - hour:%H:%M}", f"{now + hour:%H:%M}"


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
    begin, end = around_now()
    done = crawl("column", url=COLUMN, QUIET_HOURS=f"{begin}-{end}", recheck="on")
    assert (done.returncode, site.urls()) == (0, [])
    assert done.stderr == f"zjolcrawl: quiet hours until {end}, China time\n"
    assert crawl("column", url=COLUMN, QUIET_HOURS="1-5", recheck="on").returncode == 2


def test_run_of_a_script_ends_when_they_begin(
    site: SiteProxy,
    db: Database[Any],
    mongodb_uri: str,
    database: str,
    tmp_path: Path,
) -> None:
    """The command has not looked at the clock; for the run, the hours begin as it starts."""
    serve_column(site, [[(DAY, 4774001 + n) for n in range(40)]])
    given = environment(site, tmp_path, mongodb_uri, database)
    begin, end = around_now()
    with InTurn(given | {"QUIET_HOURS": f"{begin}-{end}"}) as process:
        process.crawl("column", url=COLUMN)
    (run,) = db.runs.find()
    assert (run["finish_reason"], run["exit_status"]) == ("closespider_quiet_hours", 0)
    assert run["warnings"] == [f"quiet hours until {end}, China time"]
    assert not [url for url in site.urls() if url.endswith(".shtml")]
    with InTurn(given | {"QUIET_HOURS": f"{end}-{begin}"}) as process:
        process.crawl("column", url=COLUMN)
    assert db.articles.count_documents({}) == 40


def test_form() -> None:
    assert parse_hours("01:00-05:30") == MORNING
    for text in ("25:00-01:00", "1:00-2:00", "01:00"):
        with pytest.raises(ValueError, match="01:00-05:30"):
            parse_hours(text)
