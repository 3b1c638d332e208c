"""Answers of the JSON API on a crawled archive: each path, filters, errors, entity tags."""

from __future__ import annotations

import itertools
import json
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from tests.support.crawling import scrapy
from tests.web.api.asking import ROOT, articles, ask, get, ids, pages, problem, told
from tests.web.conftest import Archive
from tests.web.sample import EDITED, GONE, REFERENCE, REVERTED, SOWN, SOWN_YEAR
from tests.web.serving import Web
from zjolcrawl.fields import FIELDS
from zjolcrawl.parsing.urls import canonical


@pytest.fixture(scope="session")
def exported(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The lines of `scrapy export --revisions`."""
    file = tmp_path_factory.mktemp("exported") / "all.jsonl"
    done = scrapy(
        "export", str(file), "--revisions",
        data=archive.data, uri=archive.uri, database=archive.database,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_all_articles_are_those_of_an_export(web: Web, exported: list[dict[str, Any]]) -> None:
    newest = {each["_id"]: each for each in exported if isinstance(each["_id"], str)}
    found = articles(web, "articles", limit=100)
    assert len(found) == len(newest) > 100
    assert {each["_id"]: each for each in found} == newest
    times = [each.get("published_at", "") for each in found]
    assert times == sorted(times, reverse=True)


def test_an_article_by_any_of_its_urls(web: Web, archive: Archive, exported: list[Any]) -> None:
    (stored,) = [each for each in exported if each["_id"] == REFERENCE]
    for url in (REFERENCE, REFERENCE.removeprefix("http://"), f"{REFERENCE}?a=1#b"):
        assert ask(web, "article", url=url) == stored
    alias = "http://zjnews.zjol.com.cn/another.html"
    archive.db.articles.update_one({"_id": GONE}, {"$set": {"aliases": [alias]}})
    try:
        assert ask(web, "article", url=alias)["_id"] == GONE
    finally:
        archive.db.articles.update_one({"_id": GONE}, {"$unset": {"aliases": ""}})


def test_an_article_that_is_not_there(web: Web, archive: Archive) -> None:
    assert (
        "(unknown)" in problem(web, "article", url="http://zjnews.zjol.com.cn/none.shtml")["detail"]
    )
    rows = archive.db.frontier.find({"state": "rejected"})
    row = next(each for each in rows if canonical(each["_id"]) == each["_id"])
    found = problem(web, "article", url=row["_id"])
    assert (found["status"], found["type"]) == (404, "/api/v1/#not-found")
    assert "its link is rejected" in found["detail"]
    assert problem(web, "article")["parameter"] == "url"


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_revisions_with_their_changes(limit: int, web: Web, exported: list[dict[str, Any]]) -> None:
    for url in (REFERENCE, EDITED, REVERTED, GONE):
        stored = [each for each in exported if url in (each["_id"], each["_id"]["url"] if isinstance(each["_id"], dict) else "")]  # fmt: skip
        found = [
            each
            for page in pages(web, "revisions", url=url, limit=limit)
            for each in page["revisions"]
        ]
        assert [each["article"] for each in found] == stored
        assert "changes" not in found[0]
        for before, after in itertools.pairwise(found):
            changed = {change["field"]: change for change in after["changes"]}
            assert changed
            for field in (each.name for each in FIELDS if each.editorial and each.name != "images"):
                old, new = before["article"].get(field), after["article"].get(field)
                assert (field in changed) == (old != new), field
                if field in changed:
                    assert (changed[field].get("before"), changed[field].get("after")) == (old, new)
            for change in changed.values():
                if "operations" in change:
                    assert (
                        applied(change.get("before", ""), change["operations"]) == change["after"]
                    )


def applied(text: str, operations: list[dict[str, Any]]) -> str:
    """The text after the operations, which are in the order of their positions."""
    parts, end = [], 0
    for each in operations:
        parts += [text[end : each["at"]], each["insert"]]
        end = each["at"] + len(each["remove"])
        assert text[each["at"] : end] == each["remove"]
    return "".join([*parts, text[end:]])


def test_an_edit_is_located_in_the_body(web: Web) -> None:
    _, second, third = ask(web, "revisions", url=REFERENCE)["revisions"]
    (title,) = [each for each in second["changes"] if each["field"] == "title"]
    inserted = [{"at": 7, "remove": "", "insert": "境"}, {"at": 8, "remove": "", "insert": "护"}]
    assert title["operations"] == inserted
    assert {"body", "editors"} <= {each["field"] for each in third["changes"]}
    (editors,) = [each for each in third["changes"] if each["field"] == "editors"]
    assert (editors["before"][0]["name"], editors["after"][0]["name"]) == ("金晨", "金辰")
    assert "operations" not in editors


def test_search_with_words(web: Web) -> None:
    found = ask(web, "search", words="环保督察 鹿城区")
    assert ids(found["articles"]) == [REFERENCE]
    assert found["total"] == 1
    assert "next" not in found
    assert ask(web, "search", words="无此一词之文") == {"articles": [], "total": 0}


@pytest.mark.parametrize("path", ["search", "articles"])
@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"column": "zjxw"}, {"columns": "zjxw"}),
        ({"column": ["zjxw", "浙江宣传"]}, {"columns": {"$in": ["zjxw", "zjxc"]}}),
        ({"column": "zjxw,zjxc"}, {"columns": {"$in": ["zjxw", "zjxc"]}}),
        ({"host": "opinion"}, {"site": "opinion.zjol.com.cn"}),
        ({"person": "江帆"}, {"authors.name": "江帆"}),
        ({"tag": "生态文明"}, {"tags": "生态文明"}),
        ({"edited": "true"}, {"revision": {"$gt": 1}}),
        ({"edited": "false", "gone": "1"}, {"status": "gone"}),
        ({"images": "on"}, {"images": {"$exists": True}}),
        ({"changed_since": "9999d"}, {"revision": {"$gt": 1}}),
        ({"gone_since": "1991-01-01"}, {"status": "gone"}),
    ],
)
def test_filters(
    path: str, asked: dict[str, Any], query: dict[str, Any], web: Web, archive: Archive
) -> None:
    chosen = {each["_id"] for each in archive.db.articles.find(query)}
    found = ids(articles(web, path, **asked, limit=7 if len(chosen) < 50 else 70))
    assert len(found) == len(set(found))
    assert set(found) == chosen
    assert chosen


def test_columns_and_counts(web: Web, archive: Archive) -> None:
    rows = {each["id"]: each for each in ask(web, "columns")["columns"]}
    assert set(rows) == set(filter(None, archive.db.articles.distinct("columns")))
    assert rows["zjxw"]["name"] == "浙江新闻"
    assert rows[SOWN]["articles"] == archive.db.articles.count_documents({"columns": SOWN})
    newest = archive.db.articles.find_one({"columns": SOWN}, sort={"published_at": -1})
    assert newest is not None
    assert rows[SOWN]["newest"].startswith(
        newest["published_at"].astimezone(timezone.utc).isoformat()[:19]
    )
    counts = ask(web, "counts", column=SOWN, by="year")
    assert counts["counts"][str(SOWN_YEAR)] == counts["total"] - sum(
        number for year, number in counts["counts"].items() if year != str(SOWN_YEAR)
    )
    months = ask(web, "counts", column=SOWN, since=f"{SOWN_YEAR}-01-01", until=f"{SOWN_YEAR}-12-31")
    assert months["by"] == "month"
    assert len(months["counts"]) == 11
    days = ask(
        web,
        "counts",
        words="消息",
        by="day",
        since=f"{SOWN_YEAR}-06-01",
        until=f"{SOWN_YEAR}-06-30",
    )
    assert sum(days["counts"].values()) == months["counts"][f"{SOWN_YEAR}-06"] == days["total"]


def test_health(web: Web, archive: Archive) -> None:
    found = ask(web, "health")
    done = scrapy("health", "--json", data=archive.data, uri=archive.uri, database=archive.database)
    assert {each["section"] for each in found["findings"]} == {
        each["section"] for each in json.loads(done.stdout)["findings"]
    }
    assert found["well"] == (done.returncode == 0)


@pytest.mark.parametrize(
    ("path", "asked", "near"),
    [
        ("articles", {"column": "zjxv"}, "zjxw"),
        ("search", {"column": "浙江新文", "words": "督察"}, "zjxw"),
        ("counts", {"host": "zjnewz"}, "zjnews"),
        ("articles", {"person": "江凡"}, "江帆"),
        ("search", {"tag": "生态文名"}, "生态文明"),
    ],
)
def test_unknown_names_have_the_nearest(
    path: str, asked: dict[str, str], near: str, web: Web
) -> None:
    found = problem(web, path, **asked)
    assert (found["status"], found["type"]) == (400, "/api/v1/#unknown-name")
    assert found["near"] == near
    assert found["parameter"] in asked
    assert found["name"] == asked[found["parameter"]]
    assert "did you mean" in found["detail"]


def test_a_name_with_several_meanings(web: Web) -> None:
    found = problem(web, "articles", column="要闻")
    assert "is ambiguous" in found["detail"] or "unknown column" in found["detail"]
    assert ("meanings" in found) == ("is ambiguous" in found["detail"])


def test_unchanged_answers_are_not_sent_again(web: Web) -> None:
    for path in ("article", "revisions", "search", "articles", "columns", "openapi.json", ""):
        asked = {
            "article": {"url": REFERENCE},
            "revisions": {"url": REFERENCE},
            "search": {"words": "督察"},
        }.get(path, {})
        got = get(web, path, **asked)
        tag = got.headers["etag"]
        assert got.headers["cache-control"] == "no-cache"
        target = f"{ROOT}/{path}?" + "&".join(f"{k}={v}" for k, v in asked.items()).replace(
            "督察", "%E7%9D%A3%E5%AF%9F"
        )
        for known in (tag, f'"x", W/{tag}', "*"):
            again = web.raw(target, headers={"If-None-Match": known})
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag), path
        assert web.raw(target, headers={"If-None-Match": '"x"'}).status == 200
    assert (
        get(web, "article", url=EDITED).headers["etag"]
        != get(web, "article", url=GONE).headers["etag"]
    )


def test_link_to_the_next_page(web: Web) -> None:
    got = get(web, "search", column=SOWN, limit=5)
    target = got.headers["link"].removeprefix("<").removesuffix('>; rel="next"')
    following = json.loads(web.raw(target).body)
    assert following["articles"] == ask(web, "search", column=SOWN, limit=10)["articles"][5:]


def test_head_is_get_without_a_body(web: Web) -> None:
    got, head = get(web, "columns"), web.raw(f"{ROOT}/columns", "HEAD")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", got.headers["etag"])


def test_page_for_people(web: Web) -> None:
    got = web.raw(f"{ROOT}/")
    page = html.fromstring(got.text)
    assert got.headers["content-type"].startswith("text/html")
    assert not page.xpath("//script")
    links = page.xpath("//table[1]//th/a/@href")
    assert len(links) == 7
    for link in links:
        assert (
            web.raw(
                link.encode("ascii", "ignore").decode() if link.isascii() else quoted(link)
            ).status
            == 200
        )
    anchors = set(page.xpath("//@id"))
    assert {link[1:] for link in page.xpath("//td/a/@href")} <= anchors
    assert "unknown-name" in anchors
    assert f"{ROOT}/" in html.fromstring(web.get("/").text).xpath("//footer//a/@href")


def quoted(link: str) -> str:
    """A link as a browser sends it."""
    return "".join(
        each if each.isascii() else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in link
    )


def test_unknown_paths_and_methods(web: Web) -> None:
    found = told(web.raw(f"{ROOT}/serach"))
    assert (found["status"], found["near"]) == (404, f"{ROOT}/search")
    assert told(web.raw("/api/v2/search"))["status"] == 404
    assert told(web.raw("/api"))["status"] == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "X"):
        got = web.raw(f"{ROOT}/search", method)
        assert told(got)["status"] == 405
        assert got.headers["allow"] == "GET, HEAD"
    assert told(web.get(f"{ROOT}/columns", headers={"Host": "evil.example"}))["type"].endswith(
        "#wrong-host"
    )
    assert Path(web.raw(f"{ROOT}").headers["location"]).name == "v1"
