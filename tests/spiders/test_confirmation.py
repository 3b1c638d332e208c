"""Takedowns are confirmed by several visits, and a broken host raises an alarm."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from tests.spiders.test_incremental import row_of
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, HOST, article, serve_column, url_of
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, SiteProxy

FIRST = 4774001
IDENTS = [FIRST + n for n in range(8)]  # more than FLIP_ALARM, the fewest flips of an alarm
HTML = {"Content-Type": "text/html"}
LOGIN = "<html><form><input type='password'></form><a href='/'>首页</a></html>".encode()
MISSING = "<html><title>404</title><p>对不起，页面不存在</p></html>".encode()
CLOSED = "<html><title>系统维护</title><p>系统维护中，请稍后再来。</p></html>".encode()

BAD_HOURS = {
    "404": Answer(status=404),
    "410": Answer(status=410),
    "missing page": Answer(body=MISSING, headers=HTML),
    "login": Answer(body=LOGIN, headers=HTML),
    "maintenance": Answer(body=CLOSED, headers=HTML),
    "front page": Answer(status=302, headers={"Location": f"{HOST}/"}),
    "redirect loop": Answer(status=302, headers={"Location": "?again"}),
    "another site": Answer(status=302, headers={"Location": "http://portal.example.org/"}),
}
NOTICE = Answer(body=article(DAY, 1, "网站升级公告"), headers=HTML)


def serve(site: SiteProxy, answer: Answer | None) -> None:
    """Serves the column: good articles (None), or the same response for all."""
    serve_column(site, [[(DAY, ident) for ident in IDENTS]])
    site.set(f"{HOST}/", Answer(body=b"<html><a href='/'>front</a></html>", headers=HTML))
    for ident in IDENTS if answer else []:
        site.set(url_of(ident), answer)  # type: ignore[arg-type]
        site.set(f"{url_of(ident)}?again", answer)  # type: ignore[arg-type]


def states(db: Database[Any]) -> set[str]:
    return {row["state"] for row in db.frontier.find()}


@pytest.mark.parametrize("hour", BAD_HOURS)
def test_host_out_of_order_changes_nothing_and_is_an_alarm(
    hour: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, None)
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    before = {each["_id"]: each for each in db.articles.find()}
    assert len(before) == len(IDENTS)
    serve(site, BAD_HOURS[hour])
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 1
    assert "ALARM: host zjnews.zjol.com.cn: 8 of 8 visits" in done.stderr
    assert {each["_id"]: each for each in db.articles.find()} == before
    rows = list(db.frontier.find())
    assert {row["state"] for row in rows} == {"stored"}
    assert not any("doubt" in row for row in rows)
    assert all("next_visit_at" in row for row in rows)
    assert db.rejects.count_documents({}) == 0
    serve(site, None)
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize("hour", ["404", "login", "missing page"])
def test_new_links_of_a_bad_hour_are_visited_again(
    hour: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, BAD_HOURS[hour])
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert "ALARM: host zjnews.zjol.com.cn" in done.stderr
    assert states(db) == {"failed"}
    serve(site, None)
    assert crawl("column", url=COLUMN, ahead=0.1).returncode == 0
    assert states(db) == {"stored"}
    assert db.articles.count_documents({"status": "live"}) == len(IDENTS)


def test_one_text_for_all_is_believed_once_at_the_most(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """The first page with that text looks like an edit."""
    serve(site, None)
    crawl("column", url=COLUMN, recheck="on")
    serve(site, NOTICE)
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 1
    assert "ALARM: host zjnews.zjol.com.cn: 7 of 8 visits" in done.stderr
    assert db.articles.count_documents({"title": "网站升级公告"}) == 1
    serve(site, None)
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    assert db.articles.count_documents({"title": "网站升级公告"}) == 0
    assert_rebuilt(db, site, crawl)


def test_robots_that_forbid_all_for_one_run_decide_nothing(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, None)
    links = ",".join(map(url_of, IDENTS))
    assert crawl("article", url=links).returncode == 0
    site.set(f"{HOST}/robots.txt", Answer(body=b"User-agent: *\nDisallow: /test/\n"))
    done = crawl("article", url=links)
    assert done.returncode == 1
    assert "ALARM: host zjnews.zjol.com.cn" in done.stderr
    assert states(db) == {"stored"}
    assert all("next_visit_at" in row for row in db.frontier.find())


@pytest.mark.parametrize("hour", ["404", "login", "front page", "maintenance"])
def test_new_link_that_gave_nothing_is_stored_once_it_is_there(
    hour: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, None)
    site.set(url_of(FIRST), BAD_HOURS[hour])
    crawl("column", url=COLUMN)
    row = row_of(db, url_of(FIRST))
    assert row["state"] in {"gone", "rejected"}
    assert row["doubt"]["count"] == 1
    site.reset_log()
    crawl("column", url=COLUMN, ahead=0.5)
    assert url_of(FIRST) not in site.urls()
    serve(site, None)
    assert crawl("column", url=COLUMN, ahead=1.1).returncode == 0
    row = row_of(db, url_of(FIRST))
    assert (row["state"], "doubt" in row) == ("stored", False)
    assert_rebuilt(db, site, crawl)


def test_visits_to_confirm_come_later_and_later_and_end(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, None)
    site.set(url_of(FIRST), Answer(body=LOGIN, headers=HTML))
    statuses, asked, day = [], 0, 0.0
    for wait in (0, 1.1, 2.1, 4.1, 8.1, 16.1, 40):
        day += wait
        site.reset_log()
        statuses.append(crawl("column", url=COLUMN, ahead=day).returncode)
        asked += url_of(FIRST) in site.urls()
    # The first visit is reported; later ones find what is known already.
    assert statuses == [1, 0, 0, 0, 0, 0, 0]
    assert asked == 6
    row = row_of(db, url_of(FIRST))
    assert (row["state"], row["doubt"]["count"]) == ("rejected", 6)


def test_good_visit_ends_a_doubt(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve(site, None)
    crawl("column", url=COLUMN, recheck="on")
    for later in (0.1, 3, 6):  # as many doubts as make an article gone if none of them ends
        site.set(url_of(FIRST), Answer(status=404))
        crawl("column", url=COLUMN, ahead=later, recheck="on")
        assert row_of(db, url_of(FIRST))["doubt"]["count"] == 1
        serve(site, None)
        crawl("column", url=COLUMN, ahead=later + 1.5, recheck="on")
        assert "doubt" not in row_of(db, url_of(FIRST))
    assert db.articles.count_documents({"status": "live"}) == len(IDENTS)
    assert db.articles.count_documents({"gone_at": {"$exists": True}}) == 0


def test_alarm_may_be_switched_off_where_it_is_true(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, None)
    crawl("column", url=COLUMN, recheck="on")
    serve(site, BAD_HOURS["404"])
    for later in (0, 1.1, 3.2):
        done = crawl("column", url=COLUMN, ahead=later, FLIP_ALARM=0, recheck="on")
        assert "ALARM" not in done.stderr
    assert states(db) == {"gone"}
    assert db.articles.count_documents({"status": "gone"}) == len(IDENTS)


@pytest.mark.parametrize("dead", [range(25, 30), range(10), range(5, 19)])
def test_dead_links_side_by_side_among_good_ones_are_no_alarm(
    dead: range, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    idents = [FIRST + n for n in range(30)]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    for n in dead:
        site.set(url_of(idents[n]), Answer(status=404))
    done = crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1)
    assert "ALARM" not in done.stderr
    assert f"stored {30 - len(dead)} new" in done.stderr
    assert db.frontier.count_documents({"state": "gone", "doubt.count": 1}) == len(dead)
