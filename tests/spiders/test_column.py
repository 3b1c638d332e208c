"""`scrapy crawl column`, run as a user runs it."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl, scrapy
from tests.support.pages import COLUMN, HOST, list_page, serve_column
from tests.support.site import Answer, SiteProxy

REFERENCE = f"{HOST}/zjnews/zjxw/201708/t20170812_4774532.shtml"


PAGES = [
    [("2017-08-12", 4774001), ("2017-08-12", 4774002)],
    [("2017-08-11", 4773001)],
    [("2017-08-10", 4772001)],
]


def test_bundled_column_twice(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    """A second identical run adds no document, changes no revision, and updates only last_seen_at."""
    first = crawl("column", column="zjxw", recheck="on")
    assert "stored" in first.stderr, first.stderr
    before = {a["_id"]: a for a in db.articles.find()}
    reference = before[REFERENCE]
    assert reference["title"] == "全力保障中央环保督察开展"
    assert reference["columns"] == ["zjxw"]
    assert reference["revision"] == 1
    assert db.frontier.find_one({"_id": REFERENCE})["state"] == "stored"
    assert {row["state"] for row in db.frontier.find()} <= {"stored", "rejected", "gone"}
    crawl("column", column="zjxw", recheck="on")
    after = {a["_id"]: a for a in db.articles.find()}
    assert after.keys() == before.keys()
    for url, document in after.items():
        assert document.pop("last_seen_at") > before[url].pop("last_seen_at")
        assert document == before[url]
    assert db.runs.count_documents({}) == 2
    assert db.columns.find_one({"_id": "zjxw"})["last_crawled_at"]


def test_pages_bound(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve_column(site, PAGES)
    done = crawl("column", url=COLUMN, pages="2")
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == 3
    assert f"{COLUMN}index_2.shtml" not in site.urls()


@pytest.mark.parametrize("sweep", ["0", "7"])
def test_next_page_is_asked_for_before_most_articles(
    sweep: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Downloads never wait for the next list page, in a full walk and in a walk to the first known page."""
    serve_column(
        site, [[("2017-08-12", 4774000 + n) for n in range(40)], [("2017-08-11", 4773001)]]
    )
    db.columns.insert_one({"_id": "zjxw", "swept_at": datetime.now(timezone.utc)})
    done = crawl("column", url=COLUMN, FULL_SWEEP_DAYS=sweep)
    assert "41 links found (41 new); stored 41" in done.stderr, done.stderr
    asked = site.urls()
    assert asked.index(f"{COLUMN}index_1.shtml") < 10


def test_since_ends_after_a_whole_page_before_it(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, PAGES)
    done = crawl("column", url=COLUMN, since="2017-08-12")
    assert done.returncode == 0, done.stderr
    assert {a["_id"][-13:-6] for a in db.articles.find()} == {"4774001", "4774002"}
    assert f"{COLUMN}index_1.shtml" in site.urls()
    assert f"{COLUMN}index_2.shtml" not in site.urls()


def test_until_keeps_both_ends(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve_column(site, PAGES)
    crawl("column", url=COLUMN, since="2017-08-10", until="2017-08-11")
    assert {a["_id"][-13:-6] for a in db.articles.find()} == {"4773001", "4772001"}
    # Links that were found but not requested are stored.
    assert db.frontier.count_documents({"state": "pending"}) == 2


def test_loop_of_pages_ends(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve_column(site, PAGES)
    back = '<span class="fenye"><a href="./index.shtml">下一页</a></span>'
    site.set(f"{COLUMN}index_2.shtml", Answer(body=list_page(PAGES[2], back)))
    crawl("column", url=COLUMN)
    asked = [url for url in site.urls() if url.startswith(COLUMN) and "/2017" not in url]
    assert asked == [COLUMN, f"{COLUMN}index_1.shtml", f"{COLUMN}index_2.shtml"]


def test_every_trouble_is_a_state(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    days = [("2017-08-12", 4774000 + n) for n in range(6)]
    serve_column(site, [days])
    url = [f"{COLUMN}201708/t20170812_{ident}.shtml" for _, ident in days]
    site.set(url[1], Answer(status=404))
    site.set(url[2], Answer(status=500))
    site.set(url[3], Answer(fault="reset"))
    site.set(
        url[4],
        Answer(body="<html><title>专题</title><body><a href='/'>首页</a></body></html>".encode()),
    )
    site.set(
        url[5],
        Answer(body=b'<script>location.replace("http://zj.zjol.com.cn/news.html?id=7")</script>'),
    )
    done = crawl("column", url=COLUMN)
    states = {row["_id"]: row["state"] for row in db.frontier.find()}
    assert [states[each] for each in url] == [
        "stored",
        "gone",
        "failed",
        "failed",
        "rejected",
        "rejected",
    ]
    assert db.rejects.count_documents({}) == 2
    assert done.returncode == 1
    assert (
        "1 rejected, 2 failed, 1 gone" in done.stderr
    )  # the stub that leads to the app is skipped as expected


def test_stub_is_followed_and_kept_as_alias(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[("2017-08-12", 4774001)]])
    target = f"{COLUMN}201708/t20170812_4774001.shtml"
    stub = f"{COLUMN}201708/t20170812_4774999.shtml"
    site.set(stub, Answer(body=f'<script>window.location.replace("{target}");</script>'.encode()))
    done = crawl("article", url=stub)
    assert done.returncode == 0, done.stderr
    stored = db.articles.find_one({"_id": target})
    assert stored is not None
    assert stored["aliases"] == [stub]
    assert db.frontier.find_one({"_id": stub})["state"] == "stored"


def test_two_columns_one_article(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve_column(site, [[("2017-08-12", 4774001)]])
    other = f"{HOST}/test/other/"
    link = (
        f'<ul class="listUl"><li><a href="{COLUMN}201708/t20170812_4774001.shtml">x</a></li></ul>'
    )
    site.set(other, Answer(body=link.encode()))
    for url in (COLUMN, other):
        crawl("column", url=url, recheck="on")
    stored = db.articles.find_one({})
    assert stored is not None
    assert sorted(stored["columns"]) == [
        "zjnews.zjol.com.cn/test/lm/",
        "zjnews.zjol.com.cn/test/other/",
    ]
    assert stored["revision"] == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("column", "-a", "column=nope"), "unknown column nope"),
        (("column", "-a", "since=2017-8-1"), "since=2017-8-1 is not a date"),
        (("column", "-a", "since=2017-02-30"), "since=2017-02-30 is not a day of the calendar"),
        (("column", "-a", "since=2017-09-01", "-a", "until=2017-08-01"), "is after until"),
        (("column", "-a", "pages=0"), "pages=0 is not"),
        (("column", "-a", "colum=zjxw"), "unknown argument colum"),
        (("column", "-a", "url=http://www.example.com/"), "is not on zjol.com.cn"),
        (("column", "-a", "column=zjxw", "-a", f"url={COLUMN}"), "cannot be combined"),
        (("column", "-a", f"url={REFERENCE}"), "is not a column page but article: see `crawl article`"),
        (("article",), "needs url="),
        (("article", "-a", "file=/dev/null"), "file=/dev/null contains no URL"),
        (("article", "-a", "file=/no/such/file"), "cannot be read"),
        (("nospider",), "unknown spider nospider"),
        (("column", "-s", "MONGODB_URI=mongodb://user:secret@127.0.0.1:1/"), "cannot be reached"),
        (("column", "-s", "MONGODB_URI=nonsense"), "MONGODB_URI"),
        (("column", "-s", "MONGODB_BATCH_SIZE=x"), "MONGODB_BATCH_SIZE"),
    ],
)  # fmt: skip
def test_unusable_is_one_line_and_status_2(
    arguments: tuple[str, ...], line: str, tmp_path: Path
) -> None:
    done = scrapy(
        "crawl",
        *arguments,
        data=tmp_path,
        uri="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=3000",
    )
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().split("\n")
    assert len(lines) == 1, done.stderr
    assert line in lines[0]
    assert re.match("zjolcrawl: ", lines[0])
    assert "secret" not in lines[0]


def test_https_through_the_proxy(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    url = REFERENCE.replace("http:", "https:")
    done = crawl("article", url=url)
    assert done.returncode == 0, done.stderr
    assert url in site.urls()
    assert [each["_id"] for each in db.articles.find()] == [REFERENCE]
    assert "aliases" not in db.articles.find_one({})


def test_no_embedded_server_on_this_platform(tmp_path: Path) -> None:
    """A DATA_DIR that cannot be created stands for every reason why the server does not start."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = scrapy("crawl", "column", data=blocked)
    assert done.returncode == 2
    assert len(done.stderr.strip().split("\n")) == 1, done.stderr
