"""`scrapy audit`: what the lists declare and `frontier` lacks, and requeueing it."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.display.audit import gaps
from zjolcrawl.site.catalogue import load_catalogue

# Its documents need not fit the validators.
pytestmark = pytest.mark.new_database
CATALOGUE = load_catalogue()
ENABLED = [column.id for column in CATALOGUE.values() if column.enabled]
ID, NAME = "zjxw", CATALOGUE["zjxw"].name
FIRST, LAST = date(2017, 8, 1), date(2017, 8, 31)
AT = datetime(2017, 8, 12, tzinfo=timezone.utc)
WHOLE = {"last_crawled_at": AT, "swept_at": AT, "etag": '"e"', "last_modified": "Sat"}


def link(day: date, number: int, state: str = "stored", **more: Any) -> dict[str, Any]:
    """A link of the column that its list dates: midnight in China is the day before in UTC."""
    at = datetime(day.year, day.month, day.day, 16, tzinfo=timezone.utc) - timedelta(days=1)
    return {
        "_id": f"http://x/{day}/{number}", "state": state, "kind": "article", "columns": [ID],
        "listed_at": at, **more,
    }  # fmt: skip


def month(*without: date, daily: int = 4) -> list[dict[str, Any]]:
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    return [link(day, n) for day in days if day not in without for n in range(daily)]


def august(day: int) -> date:
    return date(2017, 8, day)


@pytest.mark.parametrize("column", [(ID,), ()])
def test_nothing_missing(db: Database[Any], command: Crawl, column: tuple[str, ...]) -> None:
    db.frontier.insert_many([*month(), {**link(FIRST, 9), "columns": ["other"]}])
    known = {"pages_total": 6, "page_links": 20, "pages_seen": 6}
    db.columns.insert_one({"_id": ID, "name": NAME, **WHOLE, **known})
    db.columns.insert_many({"_id": key, **WHOLE} for key in ENABLED if key != ID)
    done = command("audit", *column)
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout.splitlines()
    assert len(shown) == (2 if column else len(ENABLED) + 1)
    assert f"{ID} {NAME}: 124 links, about 120 declared" in shown
    assert shown[-1] == "nothing missing"


def test_what_is_missing(db: Database[Any], command: Crawl) -> None:
    db.frontier.insert_many(
        [
            *month(august(12), august(13), august(20)),
            link(FIRST, 10, "failed", failures=12),
            link(FIRST, 11, "failed", failures=1, next_visit_at=AT),
            link(FIRST, 12, "failed", failures=1, next_visit_at=AT),
            link(FIRST, 13, "pending", next_visit_at=AT),
        ]
    )
    known = {"pages_total": 10, "page_links": 20, "pages_seen": 8, "walk_open_since": AT}
    db.columns.insert_one({"_id": ID, "name": NAME, **WHOLE, **known})
    done = command("audit", ID)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"{ID} {NAME}: 116 links, about 200 declared",
        "    BAD 2 pages of 10 never reached",
        "    BAD 65 links short of 10 pages of 20",
        "    BAD no article on 2017-08-12 to 2017-08-13, 2017-08-20",
        "    BAD its last walk, on 2017-08-12 08:00:00, was cut off",
        "    BAD 1 link failed for good",
        "    2 links failed and will be tried again",
        "    1 link pending",
        "missing: 5 findings in 1 column",
    ]


def test_what_the_next_run_brings_is_not_missing(db: Database[Any], command: Crawl) -> None:
    waits = {"next_visit_at": AT}
    db.frontier.insert_many([link(FIRST, 1, "failed", **waits), link(FIRST, 2, "pending", **waits)])
    db.columns.insert_one({"_id": ID, "name": NAME, **WHOLE})
    done = command("audit", ID)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "nothing missing, 2 links still to be fetched"


def test_every_column_of_the_schedule_and_every_one_crawled(
    db: Database[Any], command: Crawl
) -> None:
    db.columns.insert_one({"_id": "x.zjol.com.cn/lm/", **WHOLE})
    done = command("audit")
    assert done.returncode == 1
    shown = done.stdout.splitlines()
    assert shown[:2] == [
        f"{ENABLED[0]} {CATALOGUE[ENABLED[0]].name}: 0 links",
        "    BAD never crawled",
    ]
    assert shown[-2:] == [
        "x.zjol.com.cn/lm/: 0 links",
        f"missing: {len(ENABLED)} findings in {len(ENABLED)} columns",
    ]
    assert command("audit", "x.zjol.com.cn/lm/").returncode == 0


def test_unknown_column(command: Crawl) -> None:
    done = command("audit", "nosuch", "--requeue")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "zjolcrawl: unknown column nosuch: `scrapy columns` lists them\n"
    assert command("audit", ID, ID).returncode == 2


def test_days_by_url_where_the_list_has_none(db: Database[Any], command: Crawl) -> None:
    links = month(august(10), august(20))
    at_url = "http://zjnews.zjol.com.cn/zjxw/201708/t20170820_4774001.shtml"
    db.frontier.insert_many(
        [*links, {"_id": at_url, "state": "failed", "kind": "article", "columns": [ID]}]
    )
    db.frontier.insert_one({**link(august(10), 1), "kind": "video"})
    db.columns.insert_one({"_id": ID, "name": NAME, **WHOLE})
    done = command("audit", ID)
    assert "    BAD no article on 2017-08-10\n" in done.stdout


def test_requeue(db: Database[Any], command: Crawl) -> None:
    other = {"columns": ["other"], "failures": 12}
    db.frontier.insert_many(
        [
            *month(august(20)),
            link(FIRST, 10, "failed", failures=12, last_error="HTTP 500", attempts=12),
            link(FIRST, 11, "failed", failures=1, next_visit_at=datetime(2999, 1, 1)),
            link(FIRST, 12, "failed", **other),
        ]
    )
    db.columns.insert_many([{"_id": ID, **WHOLE}, {"_id": "other", **WHOLE}])
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    stored = list(db.frontier.find({"state": "stored"}))
    assert command("audit", ID).returncode == 1
    assert db.columns.find_one({"_id": ID}) == {"_id": ID, **WHOLE}  # nothing requested yet

    done = command("audit", ID, "--requeue")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == (
        f"requeued {ID}: 2 failed links due now; the next run reads every page"
    )
    for number in (10, 11):
        row = db.frontier.find_one({"_id": f"http://x/2017-08-01/{number}"})
        assert row is not None
        assert before <= row["next_visit_at"] <= datetime.now(timezone.utc)
        assert (row["state"], "failures" in row) == ("failed", False)
    assert list(db.frontier.find({"columns": "other"})) == [link(FIRST, 12, "failed", **other)]
    assert list(db.frontier.find({"state": "stored"})) == stored
    assert db.columns.find_one({"_id": ID}) == {"_id": ID, "last_crawled_at": AT}
    assert db.columns.find_one({"_id": "other"}) == {"_id": "other", **WHOLE}


def test_requeue_leaves_a_column_alone_whose_pages_were_read(
    db: Database[Any], command: Crawl
) -> None:
    db.columns.insert_one({"_id": ID, **WHOLE})
    assert command("audit", ID, "--requeue").stdout.endswith("nothing to requeue\n")
    db.frontier.insert_one(link(FIRST, 1, "failed"))
    done = command("audit", ID, "--requeue")
    assert done.stdout.endswith(f"requeued {ID}: 1 failed link due now\n")
    assert db.columns.find_one() == {"_id": ID, **WHOLE}


def test_next_crawl_takes_up_what_was_requeued(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl
) -> None:
    serve_column(site, [[(DAY, 4774001)], [(DAY, 4774002)]])
    site.set(url_of(4774001), Answer(status=500))
    crawl("column", url=COLUMN, GIVE_UP_AFTER=1)
    site.set(url_of(4774001), Answer(body=article(DAY, 4774001)))
    site.reset_log()
    crawl("column", url=COLUMN)
    assert url_of(4774001) not in site.urls()
    row = db.columns.find_one()
    assert row is not None
    db.columns.update_one({}, {"$set": {"pages_total": 3, "pages_seen": 2}})
    done = command("audit", row["_id"], "--requeue")
    assert done.stdout.splitlines()[-1].startswith(f"requeued {row['_id']}: 1 failed link due now;")
    site.reset_log()
    crawl("column", url=COLUMN)
    assert set(site.urls()) >= {url_of(4774001), COLUMN, f"{COLUMN}index_1.shtml"}
    assert {each["state"] for each in db.frontier.find()} == {"stored"}


def days(*without: int, daily: int = 3) -> Counter[date]:
    return Counter({august(n): daily for n in range(1, 32) if n not in without})


def test_gaps() -> None:
    assert gaps(Counter()) == []
    assert gaps(days()) == []
    assert gaps(days(15)) == [(august(15), august(15))]
    assert gaps(days(15, daily=2)) == []  # a slow column has empty days
    assert gaps(days(15) - Counter({august(16): 1})) == []  # 41 in 14 days
    assert gaps(days(*range(9, 25))) == [(august(9), august(24))]  # a long gap is found too
    assert (
        gaps(days(1, 2, 30, 31)) == []
    )  # nothing is known before the first and after the last day
    assert gaps(days(10, 13, daily=9)) == [(august(10), august(10)), (august(13), august(13))]


def test_weekly_rest_is_no_gap() -> None:
    sundays = (6, 13, 20, 27)
    assert gaps(days(*sundays, daily=9)) == []
    assert gaps(days(*sundays, 16, daily=9)) == [(august(16), august(16))]
    assert gaps(days(*sundays, 14, daily=9)) == [(august(13), august(14))]
