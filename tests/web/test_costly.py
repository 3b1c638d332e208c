"""Expensive documents: each page responds in bounded CPU time, and other pages are not blocked."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from lxml import html
from pymongo import MongoClient
from pymongo.database import Database

from tests.display.test_diff import line
from tests.export.made import article
from tests.support.crawling import Running, peak_so_far, scrapy
from tests.web.serving import PatientWeb, Web, browsing
from zjolcrawl.display.article import render
from zjolcrawl.display.html_check import is_well_formed
from zjolcrawl.web.body import links_in, reading

# Its documents need not fit the validators.
pytestmark = pytest.mark.new_database
SECONDS = 8.0  # of CPU time, for what takes one


def cpu(running: Running) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def server(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Web, Running, Database[Any]]]:
    """A server on a database of its own: to start one takes longer than most of these tests."""
    data, name = tmp_path_factory.mktemp("server"), "test_costly"
    with (
        MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client,
        browsing(data, mongodb_uri, name) as (web, running),
    ):
        yield PatientWeb(web.url), running, client[name]
        client.drop_database(name)


@pytest.fixture
def emptied(
    server: tuple[Web, Running, Database[Any]],
) -> Iterator[tuple[Web, Running, Database[Any]]]:
    """The same; no other test's articles are in its database."""
    web, running, db = server
    assert running.poll() is None
    assert web.get("/").status == 200
    yield web, running, db
    for each in (db.articles, db.revisions):
        each.delete_many({})


def put(db: Database[Any], *bodies: str, **more: Any) -> str:
    """Stores an article whose versions have these bodies; returns its URL."""
    versions = [
        article(0, body=body, body_html="<p>x</p>", revision=n, content_sha256=f"{n:064}", **more)
        | {"changed_at": article(0)["changed_at"] + timedelta(days=n)}
        for n, body in enumerate(bodies, 1)
    ]  # fmt: skip
    url: str = versions[-1]["_id"]
    db.articles.insert_one(versions[-1])
    if len(versions) > 1:
        former = [{**v, "_id": {"url": url, "revision": v["revision"]}} for v in versions[:-1]]
        db.revisions.insert_many(former)
    return url


HISTORIES: dict[str, tuple[list[str], str]] = {
    # name: bodies, text on the page
    "one long line": ([line(40_000), line(40_000)], "<del>"),
    "an edit in a long line": ([f"{(a := line(20_000))}甲{(b := line(20_000))}", f"{a}乙{b}"], "<ins>乙</ins>"),
    "equal sentences": (["同一句话。" * 8000, "同一句话。" * 4000 + "另一句话。" + "同一句话。" * 4000], "另一句话。"),
    "equal sentences, all edited": (["同一句话。" * 8000, "另一句话。" * 8000], "<ins>"),
    "many long versions": ([line(30_000) for _ in range(40)], "改动太长"),
    "three megabytes": (["一二三四。" * 200_000, "一二三五。" * 200_000], "字以后未作比较"),
    "commas alone": (["，" * 300_000, "，" * 299_999 + "、"], "字以后未作比较"),
    "quotation marks": (["。”" * 40_000, "。’" * 40_000], "第 2 版"),
}  # fmt: skip


@pytest.mark.parametrize("name", HISTORIES)
def test_history(name: str, emptied: tuple[Web, Running, Database[Any]]) -> None:
    web, running, db = emptied
    bodies, told = HISTORIES[name]
    url = put(db, *bodies)
    begun = cpu(running)
    got = web.get("/history", url=url)
    assert got.status == 200
    assert told in got.text
    assert len(got.text) < 8_000_000
    assert cpu(running) - begun < SECONDS


def test_history_of_many_versions_is_in_pages(
    shown: tuple[Web, Running], db: Database[Any]
) -> None:
    web, _ = shown
    url = put(db, *(f"第{n}种说法。" for n in range(1, 121)))
    heads: list[str] = []
    target = f"/history?url={url}"
    for _ in range(3):
        page = html.fromstring(web.raw(target).text)
        heads += [each.text_content().split()[1] for each in page.xpath("//h2[@id]")]
        target = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert heads == [str(n) for n in range(120, 0, -1)]  # the newest first
    assert target == ""
    second = web.get("/history", url=url, page=2).text  # ends with the edits to version 21
    assert "第2<del>0</del><ins>1</ins>种说法" in second
    assert "首次见到" not in second
    assert web.get("/history", url=url, page=4).status == 200
    for bad in ("0", "-1", "x", "99999999", "1e3"):
        assert web.get("/history", url=url, page=bad).status == 400


BODIES: dict[str, str] = {
    "deep quotes": "<blockquote>" * 200_000 + "深处",
    "deep quotes, closed": "<blockquote>" * 100_000 + "深处" + "</blockquote>" * 100_000,
    "deep lists": "<ul><li>" * 60_000 + "深处",
    "deep tables": "<table><tr><td>" * 30_000 + "深处",
    "siblings": "<p>段</p>" * 200_000 + "<p>深处</p>",
    "paragraphs not closed": "<p>" * 300_000 + "深处",
    "emphasis not closed": "".join(f'<em id="{n}">字<p>' for n in range(30_000)) + "深处",
    "closed in another order": "<em><strong><p>字</em></strong></p>" * 20_000 + "深处",
    "closed by what is none": "".join(f'<em id="{n}"></x>' for n in range(30_000)) + "深处",
    "closed within an attribute": '<em><img alt="</em>">' * 30_000 + "深处",
    "opened within an odd attribute": '<p x">' + "<em>" * 50_000 + '">深处',
    "links in links": "<a href='http://x/'>" * 50_000 + "深处",
    "beside a table": "<table>" + "<em>字</em>" * 40_000 + "</table>深处",
    "attributes": "<p " + " ".join(f"a{n}=1" for n in range(80_000)) + ">深处</p>",
    "attributes after a quoted one": "<p a='>' " + " ".join(f"a{n}" for n in range(80_000)) + ">深处</p>",
    "a huge attribute": f'<p title="{"长" * 2_000_000}">深处</p>',
    "images": '<figure><img src="http://x.zjol.com.cn/a.jpg"></figure>' * 20_000 + "<p>深处</p>",
    "references": "&amp;" * 400_000 + "深处",
    "references not ended": "&a" * 400_000 + "深处",
    "signs of tags": "<" * 1_000_000 + "深处",
    "comments": "<!--" * 200_000 + "-->深处",
    "a script not closed": "<p>深处</p>" + "<script>" * 30_000,
    "foreign elements": "<svg><p>" * 30_000 + "深处",
    "templates": "<template>" * 30_000 + "深处",
    "selects": "<select><option>" * 20_000 + "深处",
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_body(name: str, emptied: tuple[Web, Running, Database[Any]]) -> None:
    web, running, db = emptied
    made = article(0, body="正文，深处", body_html=BODIES[name])
    db.articles.insert_one(made)
    begun = cpu(running)
    got = web.get("/article", url=made["_id"])
    assert got.status == 200
    assert "深处" in got.text
    assert cpu(running) - begun < SECONDS
    assert "深处" in "".join(each.plain for each in render(made))  # in a terminal


def test_html_of_the_parsers_kind_stays_html() -> None:
    made = '<p>段<a href="http://x/?a=1&amp;b=2">链</a><br/>x</p><table><tr><td colspan="2">格</td></tr></table>'
    assert is_well_formed(made * 1000)
    assert "<table>" in str(reading({"body_html": made * 1000}, set()).html)
    assert links_in(made * 1000) == {"http://x/?a=1&b=2"}
    for bad in (
        "<p>",
        "</p>",
        "<p></em></p>",
        '<p a="',
        "<p <p>",
        "<",
        "<p/>",
        "<!-- -->",
        "<1>",
        "</p x>" * 2,
    ):
        assert not is_well_formed(made + bad), bad


def test_huge_lists(shown: tuple[Web, Running], db: Database[Any]) -> None:
    web, running = shown
    image = article(0)["images"][0]
    lists = {
        "images": [{**image, "position": n} for n in range(1, 40_001)],
        "tags": [f"标签{n}" for n in range(20_000)],
        "columns": [f"column{n}" for n in range(20_000)],
        "authors": [{"name": f"某{n}", "role": "记者"} for n in range(20_000)],
        "warnings": ["疑"] * 50_000,
        "pages_warc": [article(0)["warc"]] * 20_000,
    }
    db.articles.insert_many(
        [article(n, **{name: many}) for n, (name, many) in enumerate(lists.items())]
    )
    begun = cpu(running)
    for n in range(len(lists)):
        for path in ("/article", "/history"):
            assert web.get(path, url=article(n)["_id"]).status == 200
    for path in ("/", "/columns", "/calendar", "/health", "/?q=标签"):
        assert web.raw(path.replace("标签", "%E6%A0%87%E7%AD%BE")).status == 200
    assert cpu(running) - begun < 5 * SECONDS


@pytest.fixture(scope="module")
def indexed(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    """DATA_DIR with a full-text index, and the name of its database: 24 articles of 2 MB each."""
    data, name = tmp_path_factory.mktemp("indexed"), "test_costly_indexed"
    body = "浙江在线讯，全省各地贯彻落实督察。\n" * 14_000
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        for n in range(24):
            made = article(n, body=f"第{n}条 {body}", body_html=f"<p>{body}</p>" * 2)
            client[name].articles.insert_one(made)
        done = scrapy("search", "督察", data=data, uri=mongodb_uri, database=name)
        assert done.returncode == 0, done.stderr
        yield data, name
        client.drop_database(name)


@pytest.mark.parametrize(
    ("target", "hits", "most"),
    [("/", 20, 200), ("/?column=zjxw", 20, 200), ("/?q=%E7%9D%A3%E5%AF%9F", 20, 260), ("/columns", 0, 200)],
)  # fmt: skip
def test_many_ask_at_once_beside_large_documents(
    target: str, hits: int, most: int, indexed: tuple[Path, str], mongodb_uri: str
) -> None:
    """A list reads only the start of each text; a search reads whole texts, for four pages at once."""
    data, name = indexed
    with browsing(data, mongodb_uri, name) as (plain, running):
        web = PatientWeb(plain.url)

        def ask(_: int) -> tuple[int, int]:
            got = web.raw(target)
            return got.status, got.text.count("<h3")

        with ThreadPoolExecutor(24) as pool:
            answers = Counter(pool.map(ask, range(24)))
        assert answers == {(200, hits): 24}
        peak = peak_so_far(running.pid)
    assert peak < most * 1000 * 1024


def test_a_slow_page_lets_others_through(shown: tuple[Web, Running], db: Database[Any]) -> None:
    """With many slow histories at once, every other page responds before they end."""
    web, _ = shown
    url = put(db, *(line(30_000) for _ in range(50)))
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(web.get, "/history", url=url) for _ in range(3)]
        assert {web.get(path).status for path in ("/", "/columns", "/calendar")} == {200}
        assert [each.result().status for each in slow] == [200] * 3


def test_what_no_other_client_should_have_stored(
    shown: tuple[Web, Running], db: Database[Any]
) -> None:
    web, _ = shown
    late = bson.DatetimeMS(2**50)
    odd: list[dict[str, Any]] = [
        article(0, gone_at=late, status="gone"),
        article(1, published_at=late),
        article(2, changed_at=late, first_seen_at=late, last_seen_at=late),
        article(3, published_at=bson.DatetimeMS(-(2**50))),
        article(4, warc={"file": "../../etc/passwd", "offset": -5, "length": 2**60, "record_id": "x"}),
        article(5, warc={"file": "a\0b", "offset": 2**62, "length": -1, "record_id": "x", "more": 1}),
        article(6, warc={"file": 7, "offset": "x", "length": None, "record_id": []}),
        article(7, revision=2**31 - 1),
        article(8, status="gone"),
        article(9, published_precision="day", published_at=None),
    ]  # fmt: skip
    mark = "x" * 6
    half = bson.encode(article(10, title=mark)).replace(mark.encode(), b"a\xed\xa0\x80bc")
    db.command({"insert": "articles", "documents": [*map(RawBSONDocument, map(bson.encode, odd)), RawBSONDocument(half)]})  # fmt: skip
    for n in range(11):
        url = article(n)["_id"]
        assert web.get("/article", url=url).status == 200, n
        assert web.get("/history", url=url).status == 200, n
        assert web.get("/record", url=url).status == 404, n
    for path in (
        "/",
        "/?page=2",
        "/columns",
        "/calendar",
        "/calendar?year=2100",
        "/health",
        "/?edited=1",
    ):
        assert web.raw(path).status == 200, path


@pytest.mark.parametrize(
    "query",
    ["q=" + "%F0%9F%98%80" * 200, "q=" + "%22" * 200, "q=" + "+".join(["%E6%B5%99"] * 99), "q=%E2%80%AE%E2%81%A6",
     "q=" + "a+" * 99 + "b", "page=%2B1", "page=1_0", "page=%EF%BC%91", "year=1", "year=99999", "since=2017-W01-1",
     "since=20170812", "since=%EF%BC%92017-08-12", "column=" + "a," * 99, "host=" + "a," * 99, "host=..%2F..", "host=%00",
     "person=" + "%EF%BC%8C" * 60, "tag=%ED%A0%80", "q=%ED%A0%80%E6%B5%99%E6%B1%9F", "edited[$ne]=1", "images=%00",
     "&".join(f"q{n}=1" for n in range(3000)), "&".join("q=%E6%B5%99%E6%B1%9F" for _ in range(500)), ";" * 5000, "=" * 5000],
    ids=range(26),
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/calendar", "/columns", "/history", "/article"])
def test_more_hostile_questions(path: str, query: str, web: Web) -> None:
    got = web.raw(f"{path}?{query}")
    assert got.status in {200, 400, 404}
    assert "Traceback" not in got.text
