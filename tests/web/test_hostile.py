"""Hostile requests and hostile articles: no script runs, nothing leaks, nothing breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import html

from tests.web.sample import FOE, HOSTILE, REFERENCE
from tests.web.serving import Web
from zjolcrawl.web.body import TAGS, links_in, reading

QUERIES = [
    '"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", ".*", "(((((", "[a-", "\\", "$ne",
    "a" * 10_000, "字" * 3000, "\0", "\0\0浙江", "\x1b[31m浙江", "{{7*7}}", "%s%n", "' || '1'=='1", "\ufffe浙",
    "😀" * 50, "浙江\r\nSet-Cookie: a=b", '"', '""""', "-", "。",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
@pytest.mark.parametrize(
    "name", ["q", "tag", "person", "host", "column", "since", "page", "revision"]
)
def test_hostile_value_is_text_or_refused(name: str, query: str, web: Web) -> None:
    got = web.get("/", **{name: query})
    assert got.status in {200, 400, 404}  # 404: a column, host, person or tag that is unknown
    assert "<script>" not in got.text
    assert not html.fromstring(got.text).xpath("//script | //*[@onerror]")
    assert "set-cookie" not in got.headers
    assert "Traceback" not in got.text


@pytest.mark.parametrize(
    "query",
    ["q[$ne]=", "column[$ne]=x", "since[$gt]=", "q=%FF%FE", "q=%", "%00=%00", "q=a&q=b", "&&==&", "page=-1",
     "page=1e9", "page=%D9%A3", "since=9999-12-31", "until=0001-01-01", "since=2017-02-30",
     "since=2018-01-01&until=2017-01-01", "page=99999999999999999999"],
)  # fmt: skip
def test_hostile_query_string(query: str, web: Web) -> None:
    assert web.raw(f"/?{query}").status in {200, 400}


def test_operators_choose_nothing(web: Web) -> None:
    plain = web.get("/columns").main
    assert web.raw("/columns?q[$ne]=&column[$gt]=").main == plain != ""
    assert web.raw("/?q[$ne]=").main == web.get("/").main != ""
    assert web.raw("/?column[$ne]=zjxw&tag[$exists]=true").main == web.get("/").main


@pytest.mark.parametrize(
    "target",
    ["/image/../../../../etc/passwd", "/image/..%2f..%2fetc%2fpasswd", "/image/" + "g" * 64,
     "/image/" + "A" * 64, "/image/" + "0" * 64, "/image/", "/static/../app.py", "/static/%2e%2e/app.py",
     "/static/app.py", "/static/", "//evil.example/", "/article%00", "/" + "a" * 5000],
)  # fmt: skip
def test_no_way_out_of_the_stores(target: str, web: Web) -> None:
    got = web.raw(target)
    assert got.status == 404
    assert "root:" not in got.text


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "file:///etc/passwd", "x" * 1990, "http://[", "http://a:99999/", "\0"],
)
@pytest.mark.parametrize("path", ["/article", "/history", "/record"])
def test_hostile_address_of_an_article(path: str, url: str, web: Web) -> None:
    assert web.get(path, url=url).status in {400, 404}
    assert web.get(path, url=REFERENCE, revision="1 or 1").status == (
        200 if path == "/history" else 400
    )


@pytest.mark.parametrize("path", ["/article", "/history"])
def test_article_of_a_foe_is_only_text(path: str, web: Web) -> None:
    page = html.fromstring(web.get(path, url=FOE).text)
    assert not page.xpath("//script | //iframe | //style | //svg | //math | //embed | //object")
    attributes = page.xpath("//@*")
    assert not [each for each in attributes if each.attrname.startswith("on")]
    assert not page.xpath("//@style")
    for href in page.xpath("//@href | //@src | //@action"):
        assert href.startswith(("/", "http://", "https://", "#")), href
    assert page.xpath("//h1")[0].text_content().startswith("恶意标题<script>")


def test_foe_in_a_list_is_only_text(web: Web) -> None:
    page = html.fromstring(web.get("/", since="2017-08-13", until="2017-08-13").text)
    assert not page.xpath("//script | //*[@onerror]")
    assert "<script>" in page.xpath("//h3/a")[0].text_content()
    assert not page.xpath("//img[contains(@src, 'etc')]") or all(
        src.startswith("/image/") for src in page.xpath("//img/@src")
    )


def test_body_has_no_tag_but_the_contracts() -> None:
    root = html.fromstring(f"<div>{reading({'body_html': HOSTILE}, set()).html}</div>")
    assert {each.tag for each in root.iter()} <= TAGS | {"div", "span", "tbody"}
    assert root.xpath("//a[.='好链接']/@rel") == ["noopener noreferrer"]
    assert root.xpath("//a[.='好链接']/@href") == ["http://example.org/x?a=1&b=2"]
    assert not root.xpath("//a[.='坏链接']/@href")
    assert root.xpath("//td/@colspan") == []
    assert "干净的第一段。" in root.text_content()
    assert "owned" not in root.text_content()


def test_images_that_are_not_here_are_notes() -> None:
    def entry(position: int, status: str) -> dict[str, Any]:
        return {"url": f"http://x.zjol.com.cn/{position}.jpg", "ref": "x", "position": position,
                "status": status, "sha256": "0" * 64}  # fmt: skip

    images = [entry(1, "stored"), entry(2, "missing"), entry(3, "failed")]
    body = "".join(f'<figure><img src="{each["url"]}"></figure>' for each in images)
    article = {"body_html": body, "images": images}
    shown = html.fromstring(f"<div>{reading(article, set()).html}</div>")
    assert shown.xpath("//img/@src") == ["/image/" + "0" * 64]
    notes = [each.text_content() for each in shown.xpath("//span[@class='absent']")]
    assert notes == ["图片：原站已无此图 · 原地址", "图片：未能取得 · 原地址"]
    assert not html.fromstring(f"<div>{reading(article, set(), images=False).html}</div>").xpath(
        "//img"
    )


def test_links_to_articles_that_are_here_stay_here() -> None:
    body = f'<p><a href="{REFERENCE}">甲</a> <a href="http://example.org/">乙</a></p>'
    assert REFERENCE in links_in(body)
    root = html.fromstring(str(reading({"body_html": body}, {REFERENCE}).html))
    first, second = root.xpath("//a/@href")
    assert first.startswith("/article?url=http")
    assert second == "http://example.org/"


def test_deep_and_wide_bodies_are_read() -> None:
    deep = "<em>" * 20_000 + "深处" + "</em>" * 20_000
    assert "深处" in str(reading({"body_html": deep}, set()).html)
    wide = "<p>段</p>" * 50_000
    assert str(reading({"body_html": wide}, set()).html).count("<p>") == 50_000


def test_record_that_is_not_there_is_said(web: Web, tmp_path: Path) -> None:
    assert web.get("/record", url=FOE).status == 404
