"""A clock that was ahead during a run and is right again."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, saying, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.commands.crawl import _checked
from zjolcrawl.run import log_file
from zjolcrawl.spiders.responses import retry_after

IDENTS = (4774001, 4774002, 4774003, 4774004)
HOUR, YEAR = 3600_000, 365 * 24 * 3600_000


def move(db: Database[Any], milliseconds: int, *names: str) -> None:
    """Moves all stored times by this much."""
    for name in names:
        for row in db[name].find():
            moved = {
                key: {"$add": [f"${key}", milliseconds]}
                for key in row
                if key.endswith("_at") and key not in {"published_at", "listed_at"}
            }
            if moved:
                db[name].update_one({"_id": row["_id"]}, [{"$set": moved}])


@pytest.fixture
def seen(site: SiteProxy, db: Database[Any], crawl: Crawl) -> SiteProxy:
    serve_column(site, [[(DAY, ident) for ident in IDENTS]])
    site.set(url_of(IDENTS[3]), Answer(status=500))
    crawl("column", url=COLUMN, recheck="on")
    return site


def test_a_year_ahead(seen: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    move(db, YEAR, "articles", "frontier", "columns")
    seen.set(url_of(IDENTS[0]), saying(IDENTS[0], "后来改了几个字"))
    seen.set(url_of(IDENTS[1]), Answer(status=404))
    done = crawl("column", url=COLUMN, recheck="on")
    assert "1 changed, 1 same" in done.stderr, done.stderr
    assert "earlier" not in done.stderr
    run = db.runs.find_one(sort=[("$natural", -1)])
    assert run is not None
    rows = {row["_id"]: row for row in db.frontier.find()}
    for ident in IDENTS:
        assert run["started_at"] <= rows[url_of(ident)]["last_attempt_at"] <= run["ended_at"]
    states = [rows[url_of(ident)]["state"] for ident in IDENTS]
    assert states[:1] + states[2:] == ["stored", "stored", "failed"]
    for ident in (IDENTS[0], IDENTS[2]):
        article = db.articles.find_one({"_id": url_of(ident)})
        assert article is not None
        assert run["started_at"] <= article["last_seen_at"] <= run["ended_at"]
    column = db.columns.find_one()
    assert column is not None
    assert column["last_crawled_at"] <= run["ended_at"]
    assert column["swept_at"] <= run["ended_at"]


def test_what_waits_until_next_year_is_visited_now(
    seen: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    move(db, YEAR, "frontier", "columns")
    seen.reset_log()
    done = crawl("column", url=COLUMN)
    assert url_of(IDENTS[3]) in seen.urls(), done.stderr
    assert url_of(IDENTS[0]) not in seen.urls()  # an old article is not visited again


def test_newest_link_of_a_list_is_not_of_the_future(
    seen: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(seen, [[(DAY, IDENTS[0]), ("2099-08-12", IDENTS[1])]])
    crawl("column", url=COLUMN)
    assert db.columns.find_one()["newest_listed_at"].year == 2017


def test_version_that_was_seen_before_the_newest(
    seen: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """An hour of difference may come from another run."""
    seen.set(url_of(IDENTS[3]), saying(IDENTS[3], "讲述了浙江各地的新鲜事情"))
    crawl("column", url=COLUMN, recheck="on")
    move(db, HOUR, "articles")
    seen.set(url_of(IDENTS[0]), saying(IDENTS[0], "后来改了几个字"))
    done = crawl("column", url=COLUMN, recheck="on")
    assert (done.returncode, "0 changed, 1 earlier" in done.stderr) == (0, True), done.stderr
    newest, former = db.articles.find_one({"_id": url_of(IDENTS[0])}), db.revisions.find_one()
    assert newest
    assert former
    assert "后来改了几个字" in former["body"]
    assert (former["revision"], newest["revision"]) == (1, 2)
    assert former["last_seen_at"] < newest["changed_at"]


def test_run_of_the_future_is_not_the_last_good_one(
    seen: SiteProxy, db: Database[Any], command: Crawl
) -> None:
    late = ObjectId(f"{0x7FFFFFFF:08x}{'0' * 16}")
    run = db.runs.find_one()
    assert run is not None
    ahead = datetime.now(timezone.utc) + timedelta(days=400)
    db.runs.insert_one({**run, "_id": late, "started_at": ahead, "exit_status": 0})
    assert str(late) not in command("health", "--json").stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECHECK_DAYS", "1,inf"), ("RECHECK_DAYS", "nan"), ("RECHECK_DAYS", "1e9"),
        ("FULL_SWEEP_DAYS", "1e300"), ("MONGODB_PATIENCE", "nan"), ("MONGODB_BATCH_SECONDS", "-1"),
    ],
)  # fmt: skip
def test_setting_that_is_no_span_of_time(name: str, value: str) -> None:
    settings = Settings()
    settings.setmodule("zjolcrawl.settings")
    _checked(settings)
    settings.set(name, value)
    with pytest.raises(ArgumentError, match=name):
        _checked(settings)


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("120", 0), ("99999999999", 7), ("9" * 400, None), ("9" * 5000, None), ("-5", None), ("²", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None), ("Sun, 01 Jan 1989 00:00:00 GMT", None),
        ("Sat, 01 Jan 2050 00:00:00 GMT", 7), ("Thu, 01 Jan 1970 00:00:00 GMT", None), ("morgen", None),
        ("Sat, 01 Jan 2050 00:00:00 +9999", None), ("", None),
    ],
)  # fmt: skip
def test_retry_after_is_a_week_at_the_most(said: str, days: int | None) -> None:
    seen_at = datetime(2026, 1, 10, tzinfo=timezone.utc)
    response = Response("http://x/", headers={"Retry-After": said.encode("utf-8")})
    response.request = Request("http://x/", meta={"seen_at": seen_at})
    found = retry_after(response)
    assert (found and (found - seen_at).days) == days


# --- how a run ends ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        ("zjolcrawl.storage.store", "Store.end_run"), ("zjolcrawl.search.catchup", "index_after_run"),
        ("zjolcrawl.run.summary", "RunSummary.line"), ("zjolcrawl.run.run", "write_report"),
    ],
    ids=lambda each: each[1],
)  # fmt: skip
def test_status_is_1_until_a_run_has_ended_well(
    broken: tuple[str, str], site: SiteProxy, crawl: Crawl, tmp_path: Path
) -> None:
    """Wherever it breaks before; in a separate process."""
    serve_column(site, [[(DAY, IDENTS[0])]])
    module, name = broken
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        f"import {module} as m\ndef breaks(*_, **__): raise ZeroDivisionError\nm.{name} = breaks\n"
    )
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{before}"
    try:
        done = crawl("column", url=COLUMN, recheck="on")
    finally:
        os.environ["PYTHONPATH"] = before
    assert done.returncode == 1
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0  # the lock was released


def test_reports_are_pruned(tmp_path: Path) -> None:
    for number in range(12):
        path = tmp_path / f"{number:024x}.json"
        path.touch()
        os.utime(path, (number, number))
    (tmp_path / "notes.txt").touch()
    log_file.prune(tmp_path, "*.json", 5)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [*(f"{number:024x}.json" for number in range(7, 12)), "notes.txt"]


def test_a_run_prunes_reports_and_logs(site: SiteProxy, crawl: Crawl, tmp_path: Path) -> None:
    serve_column(site, [[(DAY, IDENTS[0])]])
    for name, count in (("reports/{:024x}.json", 1005), ("logs/zjolcrawl.log.{}", 30)):
        for number in range(count):
            path = tmp_path / name.format(number)
            path.parent.mkdir(exist_ok=True)
            path.touch()
            os.utime(path, (number, number))
    crawl("column", url=COLUMN)
    assert len(list((tmp_path / "reports").iterdir())) == 1000
    assert len(list((tmp_path / "logs").iterdir())) <= 11
