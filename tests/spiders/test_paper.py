"""`scrapy crawl paper`: the articles of a day's issue."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl, scrapy
from tests.support.pages import COLUMN
from tests.support.rebuilding import assert_rebuilt, drop, snapshot
from tests.support.site import Answer, SiteProxy

ZJRB = "http://zjrb.zjol.com.cn"
ISSUE = f"{ZJRB}/html/2017-09/05/"
CALENDAR = f"{ZJRB}/html/2017-09/paper_existed.xml"
FIRST = f"{ISSUE}content_3079101.htm"
QJWB = "http://qjwb.zjol.com.cn/html/2018-09/21/"
DAY = "2017-09-05"


def page(ident: int, pages: tuple[int, ...] = (2,)) -> Answer:
    """A page of an issue that lists one article."""
    nav = "".join(
        f"<dl><dt><a id=pageLink href=node_{n}.htm>第0{n}版：要闻</a></dt></dl>" for n in pages
    )
    return Answer(
        headers={"Content-Type": "text/html"},
        body=f'<html><div class="main-ednav-nav">{nav}</div><ul class="main-ed-articlenav-list"><li>'
        f"<a href=content_{ident}.htm?div=-1>文章{ident}</a></li></ul></html>".encode(),
    )


def article(ident: int) -> Answer:
    return Answer(
        headers={"Content-Type": "text/html"},
        body=f'<html><div class="main-ed-pageifm"><span>第02版：要闻</span></div>'
        f'<h1 class="main-article-title">文章{ident}</h1><h6 class="main-article-author">记者 江帆</h6>'
        f'<div id="ozoom"><founder-content><p>这是第{ident}篇文章的正文，讲述了浙江各地的事情。</p>'
        f"</founder-content></div></html>".encode(),
    )


def calendar(*days: str, front: str = "node_2.htm") -> Answer:
    periods = "".join(
        f"<period><period_date>{day}</period_date><front_page>{front}</front_page></period>"
        for day in days
    )
    return Answer(headers={"Content-Type": "text/xml"}, body=f"<x>{periods}</x>".encode())


def test_issue_twice(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    """The second run requests the pages of the issue again, but no article, and changes nothing."""
    done = crawl("paper", paper="zjrb", date=DAY)
    assert done.returncode == 0, done.stderr
    assert {a["doc_id"] for a in db.articles.find()} == {"3079101", "3079102", "3079103", "3079104"}
    first = db.articles.find_one({"_id": FIRST})
    assert first is not None
    assert first["published_at"] == datetime(2017, 9, 4, 16, tzinfo=timezone.utc)
    assert first["pdf"] == f"{ZJRB}/images/2017-09/05/zjrb2017090500001v01n.pdf"
    assert (first["page_number"], first["page_name"]) == ("01", "要闻")
    assert (first["source"], first["columns"]) == ("浙江日报", ["zjrb"])
    assert first["aliases"] == [f"{FIRST}?div=-1"]
    assert "warnings" not in first
    row = db.frontier.find_one({"_id": FIRST})
    assert row is not None
    assert (row["kind"], row["state"], row["columns"]) == ("paper", "stored", ["zjrb"])
    assert row["listed_title"] == "湖州绿道串起三百里太湖风光"
    paper = db.columns.find_one({"_id": "zjrb"})
    assert paper is not None
    assert (paper["name"], paper["page_links"]) == ("浙江日报", 3)
    before = snapshot(db)
    site.reset_log()
    again = crawl("paper", paper="zjrb", date=DAY)
    assert again.returncode == 0, again.stderr
    assert not [url for url in site.urls() if "content_" in url]
    after = snapshot(db)
    seen_again = {"last_crawled_at", "listed_title_seen_at", "listed_at_seen_at"}
    for name, document in before.items():
        for field in seen_again & document.keys():
            assert after[name].pop(field) > document.pop(field), (name, field)
    assert after == before


def test_issue_is_rebuilt_from_the_archive(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.gzip = True
    site.set(CALENDAR, calendar("2017-09-04", DAY, front="node_18.htm"))
    site.set(
        f"{ZJRB}/html/2017-09/04/node_18.htm", Answer(status=302, headers={"Location": f"{ZJRB}/"})
    )
    site.set(
        f"{ZJRB}/", Answer(body="<ul class='listUl'><li><a href='/x/'>首页</a></li></ul>".encode())
    )
    crawl("paper", paper="zjrb,qjwb", since="2017-09-04", until="2017-09-06")
    crawl("paper", paper="qjwb", date="2018-09-21")
    assert db.articles.count_documents({"columns": "qjwb"}) == 1
    assert db.articles.count_documents({"columns": "zjrb"}) == 4
    assert_rebuilt(db, site, crawl)


def test_articles_edited_in_the_archive_are_found_by_reparse(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    crawl("paper", paper="zjrb", date=DAY)
    drop(db)
    crawl("reparse", column="zjrb", host="zjrb.zjol.com.cn")
    assert db.articles.count_documents({}) == 4


def test_range_with_a_day_without_an_issue(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Days that the calendar lacks are reported as notes and not requested."""
    site.set(CALENDAR, calendar(DAY, "2017-09-07"))
    for day, ident in (("05", 1), ("07", 2)):
        below = f"{ZJRB}/html/2017-09/{day}/"
        site.set(f"{below}node_2.htm", page(ident))
        site.set(f"{below}content_{ident}.htm?div=-1", article(ident))
    done = crawl("paper", paper="zjrb", since=DAY, until="2017-09-08")
    assert done.returncode == 0, done.stderr
    line = "paper zjrb: no issue of 2017-09-06, 2017-09-08"
    assert f"zjolcrawl: {line}" in done.stderr
    assert db.runs.find_one()["warnings"] == [line]
    assert {a["doc_id"] for a in db.articles.find()} == {"1", "2"}
    assert not [url for url in site.urls() if "2017-09/06" in url or "2017-09/08" in url]


def test_day_without_an_issue_needs_a_person(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    done = crawl("paper", paper="zjrb", date="2017-09-30")
    assert done.returncode == 1
    assert "zjolcrawl: paper zjrb: no issue of 2017-09-30" in done.stderr
    assert db.articles.count_documents({}) == 0
    assert site.urls() == [f"{ZJRB}/robots.txt", CALENDAR]


def test_without_a_calendar_the_known_pages_are_tried(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    below = "http://zjlnb.zjol.com.cn/html/2016-01/08/"
    site.set("http://zjlnb.zjol.com.cn/robots.txt", Answer(status=404))
    site.set(
        f"{below}zjlnbindex.htm",
        Answer(status=302, headers={"Location": "http://zjlnb.zjol.com.cn/"}),
    )
    site.set("http://zjlnb.zjol.com.cn/", page(9))
    site.set(f"{below}node_2.htm", page(1, (2, 3)))
    site.set(f"{below}node_3.htm", page(2, (2, 3)))
    for ident in (1, 2):
        site.set(f"{below}content_{ident}.htm?div=-1", article(ident))
    done = crawl("paper", paper="zjlnb", since="2016-01-07", until="2016-01-08")
    assert done.returncode == 0, done.stderr
    assert "paper zjlnb: no issue of 2016-01-07" in done.stderr
    assert {a["doc_id"] for a in db.articles.find()} == {"1", "2"}
    assert_rebuilt(db, site, crawl)


def test_newest_issue(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    done = crawl("paper", paper="zjrb")
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == 4
    site.set(f"{ZJRB}/paperindex.htm", Answer(status=500))
    done = crawl("paper", paper="zjrb")
    assert done.returncode == 1
    assert f"paper zjrb: {ZJRB}/paperindex.htm: HTTP 500" in done.stderr


@pytest.mark.parametrize(
    "answer", [Answer(fault="reset"), Answer(status=500), Answer(body=b"<p>x")]
)
def test_calendar_and_newest_issue_that_cannot_be_read(
    answer: Answer, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Without a calendar, the known pages of a day are tried. Without the newest issue, the run fails."""
    site.set(CALENDAR, answer)
    site.set(f"{ZJRB}/paperindex.htm", answer)
    done = crawl("paper", paper="zjrb", date=DAY)
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == 4
    done = crawl("paper", paper="zjrb")
    assert done.returncode == 1
    (line,) = [each for each in done.stderr.splitlines() if "paperindex.htm" in each]
    assert line.startswith(f"zjolcrawl: paper zjrb: {ZJRB}/paperindex.htm: ")
    assert "Traceback" not in done.stderr


def test_page_that_fails_needs_a_person(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    site.set(f"{ISSUE}node_19.htm", Answer(status=404))
    done = crawl("paper", paper="zjrb", date=DAY)
    assert done.returncode == 1
    assert f"{ISSUE}node_19.htm: HTTP 404" in done.stderr
    assert db.articles.count_documents({}) == 3
    challenge = Answer(body=b"<script>location.reload()</script>")
    site.set(f"{ISSUE}node_18.htm", challenge)
    done = crawl("paper", paper="zjrb", date=DAY)
    assert done.returncode == 1
    assert f"{ISSUE}node_18.htm: not a page of a paper's issue" in done.stderr


def test_paper_that_has_moved_away(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    away = Answer(
        status=302, headers={"Location": "http://qjwb.thehour.cn/html/2018-09/22/node_77.htm"}
    )
    site.set("http://qjwb.zjol.com.cn/html/2018-09/22/node_77.htm", away)
    done = crawl("paper", paper="qjwb", date="2018-09-22")
    assert done.returncode == 1
    assert "leads off the site: http://qjwb.thehour.cn/" in done.stderr


def test_what_is_pending_of_a_paper_is_taken_up(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(f"{FIRST}?div=-1", Answer(status=503))
    crawl("paper", paper="zjrb", date=DAY)
    row = db.frontier.find_one({"_id": FIRST})
    assert row is not None
    assert row["state"] == "failed"
    now = {"$set": {"next_visit_at": datetime(2020, 1, 1, tzinfo=timezone.utc)}}
    db.frontier.update_one({"_id": FIRST}, now)
    site.set(f"{FIRST}?div=-1", article(3079101))
    assert crawl("paper", paper="zjrb", date="2017-09-30").returncode == 1
    assert db.articles.find_one({"_id": FIRST}) is None  # of a day that was not chosen
    assert crawl("paper", paper="zjrb", date=DAY).returncode == 0
    assert db.articles.find_one({"_id": FIRST}) is not None


def test_recheck_asks_for_every_article(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    crawl("paper", paper="zjrb", date=DAY)
    site.set(f"{FIRST}?div=-1", article(3079101))
    assert crawl("paper", paper="zjrb", date=DAY, recheck="on").returncode == 0
    assert db.articles.find_one({"_id": FIRST})["revision"] == 2


def test_single_article(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    done = crawl("article", url=f"{FIRST}?div=-1")
    assert done.returncode == 0, done.stderr
    stored = db.articles.find_one()
    assert stored is not None
    assert (stored["_id"], stored["columns"], stored["parser"]["template"]) == (
        FIRST,
        ["zjrb"],
        "T5",
    )


def test_column_that_lists_an_article_of_a_paper(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed = f'<ul class="listUl"><li><a href="{FIRST}?div=-1">绿道</a></li></ul>'
    site.set(COLUMN, Answer(body=listed.encode()))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    stored = db.articles.find_one({"_id": FIRST})
    assert stored is not None
    assert sorted(stored["columns"]) == ["zjnews.zjol.com.cn/test/lm/", "zjrb"]
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("-a", "date=2017-08-12"), "needs paper=ID"),
        (("-a", "paper=rmrb"), "unknown paper rmrb: did you mean rarb (瑞安日报)?"),
        (("-a", "paper=zjrb,rmrb"), "unknown paper rmrb"),
        (("-a", "paper=人民网"), "unknown paper 人民网: known papers: zjrb, qjwb"),
        (("-a", "paper=zjrb", "-a", "date=2017-8-12"), "date=2017-8-12 is not a date"),
        (("-a", "paper=zjrb", "-a", "date=2017-08-12", "-a", "since=2017-08-01"), "cannot be combined with since="),
        (("-a", "paper=zjrb", "-a", "since=2017-08-01"), "must be given together"),
        (("-a", "paper=zjrb", "-a", "since=2017-08-02", "-a", "until=2017-08-01"), "is after"),
        (("-a", "paper=zjrb", "-a", "day=2017-08-12"), "unknown argument day"),
    ],
)  # fmt: skip
def test_unusable_is_one_line_and_status_2(
    arguments: tuple[str, ...], line: str, tmp_path: Path
) -> None:
    done = scrapy("crawl", "paper", *arguments, data=tmp_path, uri="mongodb://127.0.0.1:1/")
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().split("\n")
    assert len(lines) == 1, done.stderr
    assert line in lines[0]
    assert re.match("zjolcrawl: ", lines[0])
