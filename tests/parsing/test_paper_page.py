"""Pages of a paper's issue: their articles, the other pages, and the place in the issue."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.goldens import FIXTURES, file_of, load, sidecars
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, read_article
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.paper_page import (
    Label,
    newest_issue,
    read_calendar,
    read_label,
    read_paper_page,
)
from zjolcrawl.pipelines.normalize import normalize

ISSUE = "http://zjrb.zjol.com.cn/html/2017-09/05/"


def name(path: Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


@pytest.mark.parametrize("path", sidecars("issue"), ids=name)
def test_page_gives_its_articles_and_the_issue(path: Path) -> None:
    golden, body = load(path)
    page = read_paper_page(body, golden["url"])
    assert page.fault is None
    for link in page.links:
        assert link.kind == "paper"
        assert link.listed_at is not None
        assert china_day(link.listed_at).isoformat() == golden["day"]
    titled = all(isinstance(link, dict) for link in golden["links"])
    found: dict[str, Any] = {
        "links": [
            {"url": link.url, "title": link.title or ""} if titled else link.url
            for link in page.links
        ],
        "issue": [each.url for each in page.issue],
        "page_number": page.label and page.label.number,
        "page_name": page.label and page.label.name,
        "pdf": page.pdf,
    }
    assert found == {key: golden.get(key) for key in found}


def test_list_of_pages_names_each_with_its_pdf() -> None:
    url = ISSUE + "node_19.htm"
    page = read_paper_page(file_of(url).read_bytes(), url)
    assert [(each.label, each.pdf) for each in page.issue[:2]] == [
        (
            Label("01", "要闻"),
            "http://zjrb.zjol.com.cn/images/2017-09/05/zjrb2017090500001v01n.pdf",
        ),
        (
            Label("02", "人文"),
            "http://zjrb.zjol.com.cn/images/2017-09/05/zjrb2017090500002v01n.pdf",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("第01版：要闻", Label("01", "要闻")),
        ("01版:要闻", Label("01", "要闻")),
        (" 第 01 版 ： 要闻 ", Label("01", "要闻")),
        ("A0001版：封面", Label("A0001", "封面")),
        ("第04-05版:目的地", Label("04-05", "目的地")),
        ("第四版 副刊", Label("4", "副刊")),
        ("第三版:世相 改变文字大小: | 打印 | 关闭", Label("3", "世相")),
        ("第十二版：钱塘江", Label("12", "钱塘江")),
        ("a0001版:头版", Label("a0001", "头版")),
        ("q0003版:健康", Label("q0003", "健康")),
        ("2017年9月5日 第12版：钱塘江 上一版 下一版", Label("12", "钱塘江")),
        ("第00001版", Label("00001")),
        ("00A03版:今日关注", Label("A03", "今日关注")),
        ("0B12版：楼市", Label("B12", "楼市")),
        ("第00C1版:文脉", Label("C1", "文脉")),
        ("头版:要闻", Label("1", "要闻")),
        ("头版：", Label("1")),
        ("三版:世相", Label("3", "世相")),
        ("十二版：副刊", Label("12", "副刊")),
        ("浙江法制报 > 三版:世相", Label("3", "世相")),
        ("第3-4版:专题", Label("3-4", "专题")),
        ("第三、四版:专题", Label("3-4", "专题")),
        ("六至七版：特别报道", Label("6-7", "特别报道")),
        ("A04-A05版:体育", Label("A04-A05", "体育")),
        ("第02、03版：要闻", Label("02、03", "要闻")),
        ("第一版 头版头条：茶厂", Label("1", "头版头条：茶厂")),
        ("登上了头版", None),
        ("这本书出了三版", None),
        ("PDF版", None),
        ("下一版", None),
        ("版面导航", None),
        ("", None),
    ],
)
def test_label(text: str, label: Label | None) -> None:
    assert read_label(text) == label


def test_calendar() -> None:
    url = "http://zjrb.zjol.com.cn/html/2017-09/paper_existed.xml"
    assert read_calendar(file_of(url).read_bytes()) == {
        date(2017, 9, 4): "node_18.htm",
        date(2017, 9, 5): "node_18.htm",
    }
    odd = b"<period_date>2017-09-31</period_date><front_page>a</front_page><period_date>2017-09-30</period_date>"
    assert read_calendar(odd) == {date(2017, 9, 30): None}
    path = b"<period_date>2017-09-01</period_date><front_page>01/node_2.htm</front_page>"
    assert read_calendar(path) == {date(2017, 9, 1): "node_2.htm"}
    assert read_calendar(b"<html>404</html>") == {}


def test_newest_issue() -> None:
    url = "http://zjrb.zjol.com.cn/paperindex.htm"
    assert newest_issue(file_of(url).read_bytes(), url) == ISSUE + "node_18.htm"
    away = b'<meta http-equiv="refresh" content="0;url=http://zjrb.zjol.com.cn/">'
    assert newest_issue(away, url) is None


@pytest.mark.parametrize(
    "body", [b"", b"<html><p>x</p></html>", b"<script>location.reload()</script>"]
)
def test_no_page_of_an_issue_says_so(body: bytes) -> None:
    assert read_paper_page(body, ISSUE + "node_18.htm").fault


ARTICLE = ISSUE + "content_3079199.htm"


def body_of(markup: str) -> list[str]:
    page = f'<h1 class="main-article-title">题</h1><div id="ozoom"><founder-content>{markup}</founder-content></div>'
    found = read_article(f"<html><body>{page}</body></html>".encode(), ARTICLE)
    assert isinstance(found, RawArticle)
    return found.body


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("村里开了会。（下转第3版）", ["村里开了会。"]),
        ("（上接第1版）走进老街。", ["走进老街。"]),
        ("（上接A01版）", []),
        ("▶▶▶下转02版", []),
        ("►A0002版", []),
        ("（相关报道见第五版）", ["（相关报道见第五版）"]),
        ("他翻到第3版", ["他翻到第3版"]),
        ("新书出到第二版", ["新书出到第二版"]),
    ],
)
def test_what_leads_to_another_printed_page_is_no_text(line: str, kept: list[str]) -> None:
    first = "天还没亮，铺子里的灯已经亮了两个小时。"
    assert body_of(f"<p>{first}</p><p>　　<b>{line}</b>　</p>") == [first, *kept]


def test_paper_speaks_for_an_article_that_names_no_source() -> None:
    page = "<h1 class='main-article-title'>题</h1><founder-content><p>没有版次的正文，也没有作者。</p></founder-content>"
    found = read_article(page.encode(), ARTICLE)
    assert isinstance(found, RawArticle)
    article = normalize(found)
    assert (article.source, article.columns, article.doc_id) == ("浙江日报", ["zjrb"], "3079199")
    assert article.published_precision == "day"
    assert article.warnings == ["missing: authors", "missing: page_name", "missing: page_number"]


def test_picture_without_a_headline_has_that_of_the_title_tag() -> None:
    page = "<title>浙江日报数字报-潮起钱塘</title><div id='ozoom'><p><img src='a1.jpg'></p></div>"
    found = read_article(page.encode(), ARTICLE)
    assert isinstance(found, RawArticle)
    assert (found.title, found.warnings) == ("潮起钱塘", ["title: from <title>"])


@pytest.mark.parametrize(
    "page",
    [
        "<title>浙江日报</title><div id='ozoom'><p><img src='a1.jpg'></p></div>",
        "<h1 class='main-article-title'>广告</h1><div id='ozoom'><founder-content></founder-content></div>",
    ],
)
def test_advertisement_is_blank(page: str) -> None:
    found = read_article(page.encode(), ARTICLE)
    assert isinstance(found, NotArticle)
    assert found.blank


def test_page_that_says_it_is_missing() -> None:
    found = read_article("<html><h1>404 页面不存在</h1></html>".encode(), ARTICLE)
    assert found == NotArticle("page says it is missing", missing=True)
