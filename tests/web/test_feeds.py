"""Feeds of `scrapy browse`: valid, complete, conditional, and inert whatever an archive has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from lxml import etree, html
from pymongo.database import Database

from tests.export.made import article
from tests.support.crawling import wait_until
from tests.support.feed_rules import ATOM, checked_atom, checked_json
from tests.web.conftest import Archive
from tests.web.sample import COLUMNS, EDITED, FOE, GONE, REFERENCE, REVERTED
from tests.web.serving import Got, Web, browsing

FEEDS = ("search", "changes", "edited", "gone")
FEED = "//head/link[@rel='alternate'][@type='application/atom+xml']/@href"


def links(got: Got) -> dict[str, str]:
    root = etree.fromstring(got.body)
    return {each.get("rel"): each.get("href") for each in root.findall(f"{ATOM}link")}


def whole(web: Web, path: str) -> list[Any]:
    """The entries of all pages, by way of `next`."""
    found: list[Any] = []
    while path:
        got = web.raw(path)
        assert got.status == 200
        found += checked_atom(got.body).entries
        following = urlsplit(links(got).get("next", ""))
        path = f"{following.path}?{following.query}" if following.path else ""
    return found


def event_of(entry: Any) -> str:
    return str(entry.tags[0].term)


@pytest.mark.parametrize("name", FEEDS)
def test_both_forms_are_valid_and_have_the_same_entries(name: str, web: Web) -> None:
    got, other = web.get(f"/feeds/{name}.atom"), web.get(f"/feeds/{name}.json")
    assert got.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert other.headers["content-type"] == "application/feed+json; charset=utf-8"
    atom, json_feed = checked_atom(got.body), checked_json(other.body)
    assert atom.entries
    for one, two in zip(atom.entries, json_feed["items"], strict=True):
        assert (one.id, one.title, one.content[0].value) == (
            two["id"],
            two["title"],
            two["content_html"],
        )
        assert event_of(one) == two["_zjolcrawl"]["event"]
        assert (one.published, one.updated) == (two["date_published"], two["date_modified"])
    assert atom.feed.title == json_feed["title"]


def test_the_world_as_it_was(web: Web, archive: Archive) -> None:
    """Each version of each article is an entry once, and so are the takedowns and the return."""
    found = whole(web, "/feeds/search.atom")
    told = sorted((each.id.partition("#")[0], event_of(each)) for each in found)
    wanted = [(each["_id"], "new") for each in archive.db.articles.find({}, {"_id": 1})]
    for url, edits in {REFERENCE: 2, EDITED: 1, REVERTED: 2}.items():
        wanted += [(url, "edited")] * edits
    wanted += [(EDITED, "gone"), (GONE, "gone"), (EDITED, "returned")]
    assert len(told) > 1000
    assert told == sorted(wanted)
    changes = whole(web, "/feeds/changes.atom")
    assert [each.id for each in changes] == [e.id for e in found if event_of(e) != "new"]


def test_entry_of_an_edit_and_of_a_takedown(web: Web, archive: Archive) -> None:
    changes = checked_atom(web.get("/feeds/changes.atom").body).entries
    edit = next(each for each in changes if each.id.startswith(f"{REFERENCE}#"))
    stored = archive.db.articles.find_one({"_id": REFERENCE}) or {}
    shown = edit.content[0].value
    for part in ("金<del>晨</del><ins>辰</ins>", "<ins>切实</ins>扛起", "<ins>和环境保护</ins>"):
        assert part in shown
    assert edit.title == f"改动：{stored['title']}"
    assert [each.name for each in edit.authors] == [each["name"] for each in stored["authors"]]
    terms = [each.term for each in edit.tags]
    assert terms == ["edited", *stored["columns"], *stored["tags"]]
    takedown = next(each for each in changes if each.id.startswith(f"{GONE}#gone-"))
    assert "这一篇后来不见了" in takedown.content[0].value
    assert takedown.title.startswith("撤下：")
    permalink = urlsplit(takedown.link)
    assert web.raw(f"{permalink.path}?{permalink.query}").status == 200
    at = stored["changed_at"].strftime("%Y%m%d%H%M%S")
    assert at in edit.link
    assert re.fullmatch(rf"{re.escape(REFERENCE)}#{at}(\.\d{{3}})?", edit.id)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("column/zjxw", {"columns": "zjxw"}),
        ("column/" + quote("浙江新闻"), {"columns": "zjxw"}),
        ("person/" + quote("江帆"), {"authors.name": "江帆"}),
        ("tag/" + quote("生态文明"), {"tags": "生态文明"}),
        ("search", {}),
    ],
)  # fmt: skip
def test_feeds_of_columns_people_and_tags(
    path: str, query: dict[str, str], web: Web, archive: Archive
) -> None:
    found = whole(web, f"/feeds/{path}.atom?images=0")
    urls = {each["_id"] for each in archive.db.articles.find(query)}
    assert {each.id.partition("#")[0] for each in found} == urls
    assert urls


def test_search_takes_the_fields_of_the_search_page(web: Web) -> None:
    for fields in ("q=%E7%8E%AF%E4%BF%9D%E7%9D%A3%E5%AF%9F", "column=zjxw&since=2017-08-01&until=2017-08-31",
                   "host=opinion", "edited=1", "gone=1", "changed_since=9999d", "images=1&q=%E6%B5%99%E6%B1%9F"):  # fmt: skip
        page = html.fromstring(web.raw(f"/?{fields}").text)
        (feed,) = page.xpath(FEED)
        got = web.raw(feed)
        assert got.status == 200
        shown = {each.id.partition("#")[0] for each in whole(web, feed)}
        listed = {
            each.partition("url=")[2].partition("&")[0] for each in page.xpath("//h3/a/@href")
        }
        assert {quote(url, safe="") for url in shown} >= listed
        assert listed
        home = urlsplit(links(got)["alternate"])
        again = html.fromstring(web.raw(f"{home.path}?{home.query}").text)
        assert again.xpath("//h3/a/@href") == page.xpath("//h3/a/@href")


def test_days_ago_stay_days_ago_in_the_links(web: Web) -> None:
    got = web.get("/feeds/search.atom", changed_since="7d", lang="en")
    assert links(got)["self"] == f"{web.url}/feeds/search.atom?changed_since=7d"
    assert checked_atom(got.body).feed.title.endswith("7d 起改过")


def test_links_of_a_name_with_signs(web: Web, archive: Archive) -> None:
    tag = "甲?乙#丙/丁 100%戊&己=庚+辛"
    archive.db.articles.update_one({"_id": EDITED}, {"$set": {"tags": [tag]}})
    got = web.raw(f"/feeds/tag/{quote(tag, safe='')}.atom")
    assert len(checked_atom(got.body).entries) == 4
    for relation in ("self", "first"):
        found = urlsplit(links(got)[relation])
        assert web.raw(found.path).body == got.body
    home = urlsplit(links(got)["alternate"])
    assert html.fromstring(web.raw(f"/?{home.query}").text).xpath("count(//h3/a)") == 1
    archive.db.articles.update_one({"_id": EDITED}, {"$unset": {"tags": ""}})


def test_pages_have_first_previous_and_next(web: Web) -> None:
    first = web.get("/feeds/search.atom", column="zjxc")
    second = web.get("/feeds/search.atom", column="zjxc", page=2)
    here = f"{web.url}/feeds/search.atom?column=zjxc"
    assert links(first) == {
        "self": here,
        "alternate": f"{web.url}/?column=zjxc",
        "first": here,
        "next": f"{here}&page=2",
    }
    told = links(second)
    assert (told["self"], told["previous"], told["first"]) == (f"{here}&page=2", here, here)
    assert checked_json(web.get("/feeds/search.json", column="zjxc").body)["next_url"] == (
        f"{web.url}/feeds/search.json?column=zjxc&page=2"
    )
    assert etree.fromstring(first.body).findtext(f"{ATOM}id") == etree.fromstring(
        second.body
    ).findtext(f"{ATOM}id")
    for bad in ("0", "51", "x", "-1"):
        assert web.get("/feeds/search.atom", page=bad).status == 400


def test_id_of_a_feed_depends_on_what_it_has(web: Web) -> None:
    ids = {
        path: etree.fromstring(web.raw(f"/feeds/{path}").body).findtext(f"{ATOM}id")
        for path in (
            "column/zjxw.atom",
            "search.atom?column=zjxw",
            "search.atom",
            "changes.atom",
            "gone.atom",
            "column/zjxc.atom",
        )
    }
    assert ids["column/zjxw.atom"] == ids["search.atom?column=zjxw"]
    assert len(set(ids.values())) == len(ids) - 1


@pytest.mark.parametrize("form", ["atom", "json"])
def test_unchanged_feed_is_not_sent_again(form: str, web: Web) -> None:
    got = web.get(f"/feeds/changes.{form}")
    tag = got.headers["etag"]
    assert got.headers["cache-control"] == "no-cache"
    for known in (tag, f'"x", W/{tag}', "*"):
        again = web.get(f"/feeds/changes.{form}", headers={"If-None-Match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    for other in ('"x"', ""):
        assert web.get(f"/feeds/changes.{form}", headers={"If-None-Match": other}).status == 200
    head = web.get(f"/feeds/changes.{form}", "HEAD")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", tag)


def test_last_modified_is_the_last_write(web: Web, archive: Archive) -> None:
    # It is told two seconds after the write.
    wait_until(lambda: "last-modified" in web.get("/feeds/changes.atom").headers)
    modified = web.get("/feeds/changes.atom").headers["last-modified"]
    parsedate_to_datetime(modified)
    again = web.get("/feeds/changes.atom", headers={"If-Modified-Since": modified})
    assert (again.status, again.body) == (304, b"")
    later = {"If-Modified-Since": modified, "If-None-Match": '"x"'}
    assert web.get("/feeds/changes.atom", headers=later).status == 200
    assert web.get("/feeds/changes.atom", headers={"If-Modified-Since": "soon"}).status == 200
    archive.db.articles.update_one(
        {"_id": GONE}, {"$currentDate": {"written_at": {"$type": "timestamp"}}}
    )
    changed = web.get("/feeds/changes.atom", headers={"If-Modified-Since": modified})
    assert changed.status == 200
    assert changed.headers.get("last-modified") != modified


@pytest.mark.parametrize("path", ["x.atom", "search.rss", "search", ".atom", "column/.atom", "column.atom", "search/x.atom",
                                  "tag/%00.atom", "column/zjxv.atom", "../feeds.atom", "%2e%2e/x.atom", "person/a/b.json"])  # fmt: skip
def test_unknown_feed(path: str, web: Web) -> None:
    assert web.raw(f"/feeds/{path}").status in ({200, 404} if path == "tag/%00.atom" else {404})


@pytest.mark.parametrize(
    "path", ["person/,.json", "tag/%EF%BC%8C.json", "column/%20.json", "column/%00.atom", "search.json?person=,",
             "changes.atom?tag=%20,%20", "search.atom?host=,"],
)  # fmt: skip
def test_feed_of_nothing_is_none_of_everything(path: str, web: Web) -> None:
    assert web.raw(f"/feeds/{path}").status == 404


def test_unknown_name_tells_the_nearest(web: Web) -> None:
    got = web.get("/feeds/column/zjxv.atom")
    assert "是不是 zjxw" in html.fromstring(got.text).text_content()


@pytest.mark.parametrize(
    "query",
    ["q=-a", "since=x", "q[$ne]=1", "q=%00%FF", "q=" + "%E5%AD%97" * 300, "tag[$gt]=", "page=1e3"],
)
def test_hostile_questions(query: str, web: Web) -> None:
    got = web.raw(f"/feeds/search.atom?{query}")
    assert got.status in {200, 400, 404}
    assert "Traceback" not in got.text
    if got.status == 200:
        checked_atom(got.body)


@pytest.mark.parametrize(
    ("field", "near"),
    [("words", "q"), ("colum", "column"), ("kind", ""), ("changed", "changed_since")],
)
def test_unknown_field_is_refused(field: str, near: str, web: Web) -> None:
    """Otherwise the feed would have other articles than were asked for."""
    got = web.get("/feeds/changes.atom", **{field: "gone"})
    told = html.fromstring(got.text).text_content()
    assert got.status == 400
    assert f"没有字段 {field}" in told
    assert (f"是不是 {near}？" if near != "q" and near else "可用的有 q、column") in told


def test_feed_is_the_same_in_each_language(web: Web) -> None:
    assert web.get("/feeds/changes.atom", lang="en").status == 200
    page = html.fromstring(web.get("/", lang="en", column="zjxw").text)
    assert page.xpath(FEED) == ["/feeds/search.atom?column=zjxw"]


def test_list_of_feeds(web: Web) -> None:
    page = html.fromstring(web.get("/feeds").text)
    paths = [
        each for each in page.xpath("//table//a/@href") if "zjx" in each or "column" not in each
    ]
    assert {f"/feeds/{name}.{form}" for name in FEEDS for form in ("atom", "json")} <= set(paths)
    assert {f"/feeds/column/{each}.atom" for each in COLUMNS.split(",")[:2]} <= set(paths)
    assert {web.raw(path).status for path in paths} == {200}
    for page_path in ("/", "/columns", "/changes", "/feeds"):
        found = html.fromstring(web.get(page_path).text).xpath(FEED)
        assert [web.raw(each).status for each in found] == [200]


def test_article_of_a_foe_is_inert(web: Web) -> None:
    found = whole(web, "/feeds/search.atom?since=2017-08-13&until=2017-08-13")
    foe = next(each for each in found if each.id.startswith(f"{FOE}#"))
    assert foe.title.startswith("恶意标题<script>")
    assert "<p>正文&lt;script&gt;" in foe.content[0].value  # its HTML is not well-formed
    items = checked_json(
        web.get("/feeds/search.json", since="2017-08-13", until="2017-08-13").body
    )["items"]
    assert any(each["id"] == foe.id for each in items)


HOSTILE: dict[str, dict[str, Any]] = {
    "control characters": {"title": "标\x00\x01\x0b\x1f题\x7f\x85\ufffe\uffff", "body_html": "<p>\x08正\x0c文&#1;&#xFFFF;</p>"},
    "end of CDATA": {"title": "]]></content><script>x</script>", "body_html": "<p>]]>&lt;/content></p>", "tags": ["]]>", "<b>"]},
    "five thousand tags": {"tags": [f"标签{n}" for n in range(5000)], "columns": [f"c{n}" for n in range(5000)]},
    "long values": {"title": "长" * 300_000, "authors": [{"name": "名" * 100_000, "role": "记者"}], "body": "文" * 2_000_000, "body_html": f"<p>{'文' * 2_000_000}</p>"},
    "odd address": {"_id": "http://x.zjol.com.cn/a b\"<>\u202e字#x#y%zz{}|\\^`\x01"},
    "script as address": {"_id": "javascript:alert(1)//"},
    "no address": {"_id": "某处"},
    "empty texts": {"title": " ", "tags": ["", "\n"], "authors": [{"name": "", "role": ""}], "source": "", "body": "", "body_html": ""},
    "deep": {"body_html": "<em>" * 5000 + "深", "body": "深"},
    "script": {"body_html": "<p onclick=x>段<script>alert(1)</script></p>", "body": "段"},
    "javascript link": {"body_html": '<p><a href="javascript:x">甲</a><a href="//e/x">乙</a><img src="http://e/x" onerror="x"><video src="http://e/v"></video></p>'},
}  # fmt: skip


@pytest.fixture
def odd(mongodb_uri: str, database: str, tmp_path: Path, db: Database[Any]) -> Iterator[Web]:
    """An archive of hostile articles; each was edited and taken down."""
    for number, more in enumerate(HOSTILE.values()):
        made = article(number, **{"body_html": "<p>正文</p>", **more})
        later = made["changed_at"].replace(year=2019)
        newest = {**made, "revision": 2, "changed_at": later, "status": "gone", "gone_at": later.replace(year=2020),
                  "body": f"{made['body']}\x02]]>", "content_sha256": "1" * 64}  # fmt: skip
        db.articles.insert_one(newest)
        db.revisions.insert_one({**made, "_id": {"url": made["_id"], "revision": 1}})
    with browsing(tmp_path, mongodb_uri, database) as (web, _):
        yield web


@pytest.mark.new_database
def test_hostile_articles_are_well_formed_and_inert(odd: Web) -> None:
    for name in FEEDS:
        got = odd.get(f"/feeds/{name}.atom")
        assert got.status == 200
        assert len(got.body) < 3_000_000
        read = checked_atom(got.body)
        items = checked_json(odd.get(f"/feeds/{name}.json").body)["items"]
        assert [each["id"] for each in items] == [each.id for each in read.entries]
        assert all(len(each.tags) <= 101 for each in read.entries)
        kinds = {"search": 3, "changes": 2, "edited": 1, "gone": 1}
        assert len(items) == kinds[name] * len(HOSTILE)


@pytest.mark.new_database
def test_address_of_a_proxy_is_in_all_links(
    mongodb_uri: str, database: str, tmp_path: Path, db: Database[Any]
) -> None:
    db.articles.insert_one(article(1))
    given = ("--base-url", "https://news.example.org")
    with browsing(tmp_path, mongodb_uri, database, *given) as (web, _):
        got = web.get("/feeds/search.atom")
        read = checked_atom(got.body)
        assert read.entries[0].link.startswith("https://news.example.org/article?url=")
        assert links(got)["self"] == "https://news.example.org/feeds/search.atom"
        assert web.url.encode() not in got.body


@pytest.mark.new_database
def test_empty_archive(mongodb_uri: str, database: str, tmp_path: Path) -> None:
    with browsing(tmp_path, mongodb_uri, database) as (web, _):
        for name in FEEDS:
            assert checked_atom(web.get(f"/feeds/{name}.atom").body).entries == []
            assert checked_json(web.get(f"/feeds/{name}.json").body)["items"] == []
        assert web.get("/feeds").status == 200
        assert web.get("/feeds/search.atom", q="浙江").status == 200
