"""The main job, run as its user runs it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.crawling import scrapy
from tests.goldens import FIXTURES
from tests.site import Answer, SiteProxy

HOST = "http://zjnews.zjol.com.cn"
REFERENCE = f"{HOST}/zjnews/zjxw/201708/t20170812_4774532.shtml"
COLUMN = f"{HOST}/test/lm/"


@pytest.fixture
def site() -> Iterator[SiteProxy]:
    with SiteProxy(FIXTURES) as proxy:
        proxy.set(f"{HOST}/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
        yield proxy


@pytest.fixture
def db(mongodb_uri: str, database: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield client[database]


def article(day: str, ident: int, title: str = "标题一则新闻") -> bytes:
    return (
        f'<html><head><meta charset="utf-8"><title>{title}-浙江在线</title></head><body>'
        f'<div class="contTit">{title}</div><div class="info"><span id="pubtime_baidu">{day} 10:00:00</span>'
        f'<span id="source_baidu">来源：浙江在线</span></div><div class="contTxt">'
        f"<p>　　这是第{ident}篇文章的正文，讲述了浙江各地的新鲜事情。</p></div></body></html>"
    ).encode()


def list_page(items: list[tuple[str, int]], pager: str = "") -> bytes:
    rows = "".join(
        f'<li class="listLi"><span class="listSpan">{day}</span>'
        f'<a href="./{day[:4]}{day[5:7]}/t{day.replace("-", "")}_{ident}.shtml">文章{ident}</a></li>'
        for day, ident in items
    )
    return f'<html><meta charset="utf-8"><ul class="listUl">{rows}</ul>{pager}</html>'.encode()


def following(number: int) -> str:
    return f'<span class="fenye"><a href="index_{number}.shtml">下一页</a></span>'


def serve_column(site: SiteProxy, pages: list[list[tuple[str, int]]]) -> None:
    for number, items in enumerate(pages):
        name = f"index_{number}.shtml" if number else ""
        pager = following(number + 1) if number + 1 < len(pages) else ""
        site.set(
            COLUMN + name,
            Answer(headers={"Content-Type": "text/html"}, body=list_page(items, pager)),
        )
        for day, ident in items:
            url = f"{COLUMN}{day[:4]}{day[5:7]}/t{day.replace('-', '')}_{ident}.shtml"
            site.set(url, Answer(headers={"Content-Type": "text/html"}, body=article(day, ident)))


PAGES = [
    [("2017-08-12", 4774001), ("2017-08-12", 4774002)],
    [("2017-08-11", 4773001)],
    [("2017-08-10", 4772001)],
]


def test_bundled_column_twice(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    """The second identical run adds no document, changes no revision, moves last_seen_at only."""
    run = {"site": site, "data": tmp_path, "uri": mongodb_uri, "database": database}
    first = scrapy("crawl", "column", "-a", "column=zjxw", **run)
    assert "stored" in first.stderr, first.stderr
    before = {a["_id"]: a for a in db.articles.find()}
    reference = before[REFERENCE]
    assert reference["title"] == "全力保障中央环保督察开展"
    assert reference["columns"] == ["zjxw"]
    assert reference["revision"] == 1
    assert db.frontier.find_one({"_id": REFERENCE})["state"] == "stored"
    assert {row["state"] for row in db.frontier.find()} <= {"stored", "rejected", "gone"}
    scrapy("crawl", "column", "-a", "column=zjxw", **run)
    after = {a["_id"]: a for a in db.articles.find()}
    assert after.keys() == before.keys()
    for url, document in after.items():
        assert document.pop("last_seen_at") > before[url].pop("last_seen_at")
        assert document == before[url]
    assert db.runs.count_documents({}) == 2
    assert db.columns.find_one({"_id": "zjxw"})["last_crawled_at"]


def test_pages_bound(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    serve_column(site, PAGES)
    done = scrapy(
        "crawl",
        "column",
        "-a",
        f"url={COLUMN}",
        "-a",
        "pages=2",
        site=site,
        data=tmp_path,
        uri=mongodb_uri,
        database=database,
    )
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == 3
    assert f"{COLUMN}index_2.shtml" not in site.urls()


def test_since_ends_after_a_whole_page_before_it(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    serve_column(site, PAGES)
    done = scrapy(
        "crawl",
        "column",
        "-a",
        f"url={COLUMN}",
        "-a",
        "since=2017-08-12",
        site=site,
        data=tmp_path,
        uri=mongodb_uri,
        database=database,
    )
    assert done.returncode == 0, done.stderr
    assert {a["_id"][-13:-6] for a in db.articles.find()} == {"4774001", "4774002"}
    assert f"{COLUMN}index_1.shtml" in site.urls()
    assert f"{COLUMN}index_2.shtml" not in site.urls()


def test_until_keeps_both_ends(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    serve_column(site, PAGES)
    scrapy(
        "crawl",
        "column",
        "-a",
        f"url={COLUMN}",
        "-a",
        "since=2017-08-10",
        "-a",
        "until=2017-08-11",
        site=site,
        data=tmp_path,
        uri=mongodb_uri,
        database=database,
    )
    assert {a["_id"][-13:-6] for a in db.articles.find()} == {"4773001", "4772001"}
    # What was found but not asked for is remembered.
    assert db.frontier.count_documents({"state": "pending"}) == 2


def test_loop_of_pages_ends(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    serve_column(site, PAGES)
    back = '<span class="fenye"><a href="./index.shtml">下一页</a></span>'
    site.set(f"{COLUMN}index_2.shtml", Answer(body=list_page(PAGES[2], back)))
    scrapy(
        "crawl",
        "column",
        "-a",
        f"url={COLUMN}",
        site=site,
        data=tmp_path,
        uri=mongodb_uri,
        database=database,
    )
    asked = [url for url in site.urls() if url.startswith(COLUMN) and "/2017" not in url]
    assert asked == [COLUMN, f"{COLUMN}index_1.shtml", f"{COLUMN}index_2.shtml"]


def test_every_trouble_is_a_state(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
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
    done = scrapy(
        "crawl",
        "column",
        "-a",
        f"url={COLUMN}",
        site=site,
        data=tmp_path,
        uri=mongodb_uri,
        database=database,
    )
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
    assert "1 rejected, 2 failed, 1 gone" in done.stderr  # the stub to the app is rightly skipped


def test_stub_is_followed_and_kept_as_alias(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    serve_column(site, [[("2017-08-12", 4774001)]])
    target = f"{COLUMN}201708/t20170812_4774001.shtml"
    stub = f"{COLUMN}201708/t20170812_4774999.shtml"
    site.set(stub, Answer(body=f'<script>window.location.replace("{target}");</script>'.encode()))
    done = scrapy(
        "crawl",
        "article",
        "-a",
        f"url={stub}",
        site=site,
        data=tmp_path,
        uri=mongodb_uri,
        database=database,
    )
    assert done.returncode == 0, done.stderr
    stored = db.articles.find_one({"_id": target})
    assert stored is not None
    assert stored["aliases"] == [stub]
    assert db.frontier.find_one({"_id": stub})["state"] == "stored"


def test_two_columns_one_article(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    serve_column(site, [[("2017-08-12", 4774001)]])
    other = f"{HOST}/test/other/"
    link = (
        f'<ul class="listUl"><li><a href="{COLUMN}201708/t20170812_4774001.shtml">x</a></li></ul>'
    )
    site.set(other, Answer(body=link.encode()))
    for url in (COLUMN, other):
        scrapy(
            "crawl",
            "column",
            "-a",
            f"url={url}",
            site=site,
            data=tmp_path,
            uri=mongodb_uri,
            database=database,
        )
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
        (("column", "-a", "since=2017-02-30"), "since=2017-02-30 is not a date"),
        (("column", "-a", "since=2017-09-01", "-a", "until=2017-08-01"), "lies after until"),
        (("column", "-a", "pages=0"), "pages=0 is not"),
        (("column", "-a", "colum=zjxw"), "unknown argument colum"),
        (("column", "-a", "url=http://www.example.com/"), "is not on zjol.com.cn"),
        (("article",), "needs url="),
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
    begun = time.monotonic()
    done = scrapy(
        "crawl",
        *arguments,
        data=tmp_path,
        uri="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=3000",
    )
    assert time.monotonic() - begun < 10
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().split("\n")
    assert len(lines) == 1, done.stderr
    assert line in lines[0]
    assert re.match("zjolcrawl: ", lines[0])
    assert "secret" not in lines[0]


def test_https_through_the_proxy(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    url = REFERENCE.replace("http:", "https:")
    done = scrapy(
        "crawl", "article", "-a", f"url={url}",
        site=site, data=tmp_path, uri=mongodb_uri, database=database,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert url in site.urls()
    assert [each["_id"] for each in db.articles.find()] == [REFERENCE]
    assert "aliases" not in db.articles.find_one({})


def test_no_embedded_server_on_this_platform(tmp_path: Path) -> None:
    """A DATA_DIR that cannot be made stands for every reason that the server does not start."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = scrapy("crawl", "column", data=blocked)
    assert done.returncode == 2
    assert len(done.stderr.strip().split("\n")) == 1, done.stderr
