"""The search form: what is invalid is said beside its field and kept, empty fields leave the URL, a URL is opened."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from tests.web.conftest import Archive
from tests.web.sample import REFERENCE
from tests.web.serving import Web
from tests.web.test_pages import keys, titles, tree, words


@pytest.mark.parametrize(
    ("asked", "name", "told"),
    [
        ({"since": "soon", "q": "浙江"}, "since", "“soon”不是日期"),
        ({"until": "2017-13-01"}, "until", "不是日期"),
        ({"changed_since": "gestern", "column": "zjxw"}, "changed_since", "不是日期"),
        ({"gone_since": "0001-01-01"}, "gone_since", "日期要在"),
        ({"since": "2018-01-01", "until": "2017-01-01"}, "until", "晚于截止日期"),
        ({"q": "字" * 201}, "q", "检索词太长"),
        ({"q": "-浙江", "tag": "生态文明"}, "q", "至少写一个"),
        ({"q": " ".join(f"词{n}" for n in range(21))}, "q", "最多 20 个词"),
        ({"person": "人" * 201}, "person", "人名太长"),
        ({"tag": "a" * 5000, "edited": "1"}, "tag", "标签名太长"),
    ],
)
def test_an_invalid_field_is_kept_and_explained(
    asked: dict[str, str], name: str, told: str, web: Web
) -> None:
    got = web.get("/", **asked)
    assert got.status == 400
    page = html.fromstring(got.text)
    (field,) = page.xpath(f"//*[@name='{name}']")
    assert field.get("aria-invalid") == "true"
    assert told in words(page.get_element_by_id(field.get("aria-describedby")))
    for key, value in asked.items():
        (shown,) = page.xpath(f"//*[@name='{key}']")
        chosen = shown.xpath("./@value | .//option[@selected]/@value")[0]
        assert chosen == value[:200]
        assert shown.get("type") != "date" or key != name  # a date field would show nothing
    assert page.xpath("//details[@open]") or set(asked) == {"q"}
    assert not page.xpath("//*[@class='results']/li")


@pytest.mark.parametrize("number", ["0", "51", "x", "99999999"])
def test_a_page_out_of_range_keeps_the_search(number: str, web: Web) -> None:
    got = web.get("/", q="浙江", column="zjxw", page=number)
    page = html.fromstring(got.text)
    assert got.status == 400
    assert page.xpath("//input[@name='q']/@value") == ["浙江"]
    note = page.xpath("//p[@class='note']")[0]
    assert "页码要是 1 至 50 的整数" in words(note)
    assert parse_qs(urlsplit(note.xpath("a/@href")[0]).query) == {"q": ["浙江"], "column": ["zjxw"]}


@pytest.mark.parametrize(
    ("sent", "there"),
    [
        ("/?q=a&since=&until=&column=&host=&person=&tag=", "/?q=a"),
        ("/?q=&since=&until=", "/"),
        ("/?q=&lang=en&edited=1", "/?edited=1&lang=en"),
        ("/?q=%E6%B5%99&page=&tag=", "/?q=%E6%B5%99"),
        ("/?q=&path=x&self=y&q%5B%5D=", "/"),
        ("/?q=&tag=%22%3E%3Cscript%3E%0D%0ASet-Cookie:%20a", "/?tag=%22%3E%3Cscript%3E%0D%0ASet-Cookie%3A+a"),
        ("/calendar?column=&year=2016", "/calendar?year=2016"),
        ("/calendar?column=&lang=zh", "/calendar?lang=zh"),
    ],
)  # fmt: skip
def test_empty_fields_leave_the_url(sent: str, there: str, web: Web) -> None:
    got = web.raw(sent)
    assert (got.status, got.headers["location"]) == (302, there)
    assert "set-cookie" not in got.headers
    assert web.raw(there).status != 302


@pytest.mark.parametrize(
    "given",
    [
        REFERENCE, REFERENCE.replace("http:", "https:"), REFERENCE.removeprefix("http://"), f"  {REFERENCE} ",
        REFERENCE + "?from=timeline#top", REFERENCE.replace(".shtml", "_1.shtml"), REFERENCE.replace("http://", "HTTP://"),
    ],
)  # fmt: skip
def test_a_pasted_url_opens_the_article(given: str, web: Web) -> None:
    for more in ({}, {"column": "zjxc", "since": "2020-01-01"}):
        got = web.get("/", q=given, **more)
        assert got.status == 302
        assert parse_qs(urlsplit(got.headers["location"]).query) == {"url": [REFERENCE]}
    assert got.headers["location"].startswith("/article?")


@pytest.mark.parametrize(
    "given",
    ["http://zjnews.zjol.com.cn/zjnews/zjxw/209901/t20990101_1.shtml", "zjnews.zjol.com.cn/no", "https://example.org/",
     "http://[", "http://a:99999/", "http://" + "a" * 1990],
)  # fmt: skip
def test_a_url_that_is_not_stored_is_said(given: str, web: Web) -> None:
    got = web.get("/", q=given)
    assert got.status == 404
    assert "归档中没有这个网址的文章" in words(html.fromstring(got.text))


@pytest.mark.parametrize("given", ["3.5/10", "浙江/宁波", "a.b", "GDP增长7.5%", "http", "w.w/"])
def test_what_only_looks_like_one_is_searched(given: str, web: Web) -> None:
    assert web.get("/", q=given).status == 200


def test_edited_and_gone_lists_begin_with_the_last_change(web: Web, archive: Archive) -> None:
    for asked, query, key in (
        ({"edited": "1"}, {"revision": {"$gt": 1}}, "changed_at"),
        ({"gone": "1"}, {"status": "gone"}, "gone_at"),
    ):
        wanted = [each["_id"] for each in archive.db.articles.find(query).sort(key, -1)]
        got = web.get("/", **asked)
        assert keys(got) == wanted != []
        day = archive.db.articles.find_one({"_id": wanted[0]}) or {}
        assert f"{day[key].astimezone().year}年" in words(
            tree(got).xpath("//a[contains(@class,'flag')]")[0]
        )
        found = web.get("/", q="浙江", **asked)
        assert keys(found) == [each for each in wanted if each in keys(found)]
    both: dict[str, Any] = {"edited": "1", "gone": "1"}
    assert keys(web.get("/", **both)) == [
        each["_id"] for each in archive.db.articles.find({"revision": {"$gt": 1}, "status": "gone"})
    ]


def test_a_flag_narrows_a_day_of_changes(web: Web, archive: Archive) -> None:
    """Edited articles that were taken down since a day, and the other way round."""
    for flag, day, query in (
        ("edited", "gone_since", {"revision": {"$gt": 1}, "status": "gone"}),
        ("gone", "changed_since", {"revision": {"$gt": 1}, "status": "gone"}),
        ("edited", "changed_since", {"revision": {"$gt": 1}}),
        ("gone", "gone_since", {"status": "gone"}),
    ):
        wanted = {each["_id"] for each in archive.db.articles.find(query)}
        assert set(keys(web.get("/", **{flag: "1", day: "1991-01-01"}))) == wanted, (flag, day)
        assert keys(web.get("/", **{flag: "1", day: "2099-01-01"})) == [], (flag, day)


def test_only_the_front_page_takes_the_focus(web: Web) -> None:
    def focus(**asked: str) -> list[str]:
        return tree(web.get("/", **asked)).xpath("//*[@autofocus]/@id")

    assert focus() == ["q"]
    for asked in ({"q": "浙江"}, {"column": "zjxw"}, {"page": "2"}):
        assert focus(**asked) == []
    assert titles(web.get("/"))


def test_counts_over_time_are_also_a_table(web: Web, archive: Archive) -> None:
    sown = archive.db.articles.count_documents({"title": {"$regex": "一则消息"}})
    page = tree(web.get("/", q="一则消息"))
    (figure,) = page.xpath("//figure[@class='histogram']")
    assert figure.xpath("svg/@aria-hidden") == ["true"]
    assert set(figure.xpath("svg//a/@tabindex")) == {"-1"}
    rows = [
        (words(row.xpath("th")[0]), words(row.xpath("td")[0]))
        for row in figure.xpath(".//tbody/tr")
    ]
    assert rows[0][0] == "2016-02"
    months = [int(name[:4]) * 12 + int(name[5:]) for name, _ in rows]
    assert months == list(range(months[0], months[0] + len(rows)))  # also those without hits
    assert sum(int(count) for _, count in rows) == sown > 1000
    bars = {bar.findtext(".//title"): bar.get("href") for bar in figure.xpath("svg//a")}
    assert bars == {
        f"{words(row.xpath('th')[0])}：{words(row.xpath('td')[0])} 篇": row.xpath("th/a/@href")[0]
        for row in figure.xpath(".//tbody/tr[th/a]")
    }
    most = max(rows, key=lambda row: int(row[1]))
    assert f"最多 {most[0]}：{most[1]} 篇" in words(figure)
