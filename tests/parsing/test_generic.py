"""The generic reader: where the article is, and what replaces missing heading fields."""

import pytest

from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import NotArticle, read_article
from zjolcrawl.pipelines.normalize import normalize

URL = "http://www.example.cn/news/1.html"
ONE = "开化县城的早市在五点半开张，卖菜的农户有二百多人，最远的来自三十公里外的山村。"
TWO = "市场管理员说，入夏以来摊位多了一成，新来的多是种水果的，他们想趁早卖完回去。"
THREE = "县里计划在明年开春以前，给早市加一个顶棚，再修一条让三轮车进出的便道。"
BODY = f"<div class=txt><p>{ONE}<p>{TWO}<p>{THREE}</div>"
HEAD = "<h1>山城的早市五点半开张</h1><div>2017-08-12 07:34 来源：开化新闻网</div>"
TITLE = "<title>山城的早市五点半开张_某新闻网</title>"


def read(page: str) -> Article:
    found = read_article(page.encode(), URL)
    assert isinstance(found, RawArticle), found
    return normalize(found)


@pytest.mark.parametrize(
    "body",
    [
        f"<div><section><p>{ONE}</section><section><p>{TWO}</section><section><p>{THREE}</section></div>",
        f"<div><div>{ONE}</div><div>{TWO}</div><div>{THREE}</div></div>",
        f"<div>{ONE}<br>{TWO}<br>{THREE}</div>",
        f"<div class=page-share-box>{BODY}</div>",
        f"<form>{BODY}</form>",
        f"<div class=content><div class=nav>{'<p>频道的名字很长很长'}</div>{BODY}"
        f"<div class=list>{'<p><a href=/2.html>另一条新闻的标题，也不短。</a>' * 9}</div></div>",
        f"{BODY}<div class=list>{'<div><p>另一条，<a href=/2.html>它的标题是一句很长的话</a></div>' * 9}</div>",
        f"</html><html>{BODY}",
    ],
    ids=["sections", "leaves", "lines", "named-share", "form", "content", "list", "after-html"],
)
def test_article_is_found_whole_and_alone(body: str) -> None:
    article = read(f"{TITLE}{HEAD}{body}<div>某新闻网 版权所有</div>")
    assert article.body.split("\n") == [ONE, TWO, THREE]
    assert (article.title, article.source) == ("山城的早市五点半开张", "开化新闻网")


@pytest.mark.parametrize(
    "title, headline",
    [
        ("山城的早市五点半开张_某新闻网", "<h1>某新闻网</h1><h2>山城的早市五点半开张</h2>"),
        (
            "某新闻网--山城的早市五点半开张",
            "<h1><a href=/>某新闻网</a></h1><b>山城的早市五点半开张</b>",
        ),
        ("山城的早市五点半开张 东区_某新闻网", "<span>山城的早市五点半开张</span>"),
        ("某新闻网", "<h1>山城的早市五点半开张</h1>"),
        ("某新闻网", "<meta name=ArticleTitle content=山城的早市五点半开张>"),
    ],
)
def test_headline_is_what_title_and_page_agree_on(title: str, headline: str) -> None:
    page = f"<title>{title}</title>{headline}<div>2017-08-12 来源：某报</div>{BODY}"
    assert read(page).title == "山城的早市五点半开张"


@pytest.mark.parametrize(
    "info, source",
    [
        ("<span>2017-08-12</span><span class=a_source>棱镜</span>", "棱镜"),
        ("<p>石佳/中国青年报</p><p>2017-08-12 09:10</p>", "中国青年报"),
        ("发表于2017-08-12 21:30| 1164次阅读| 来源CSDN| 0 条评论", "CSDN"),
        ("2017-08-12 21:30 来源 浙江日报", "浙江日报"),
        ("2017-08-12 21:30", None),
    ],
)
def test_outlet_without_a_label(info: str, source: str | None) -> None:
    page = f"{TITLE}<h1>山城的早市五点半开张</h1><div>{info}</div>{BODY}"
    assert read(page).source == source


@pytest.mark.parametrize(
    "metadata",
    [
        '<meta name="PubDate" content="2017-08-12 07:34"><meta name="ContentSource" content="某报">',
        '<meta property="article:published_time" content="2017-08-12T07:34+08:00">'
        '<meta name="source" content="某报">',
        '<meta name=source content=某报><script type="application/ld+json">{"@graph": '
        '[{"@type": "NewsArticle", "datePublished": "2017-08-11T23:34Z"}]}</script>',
    ],
)
def test_metadata_stands_in_and_is_a_doubt(metadata: str) -> None:
    page = f"<head>{metadata}{TITLE}</head><h1>山城的早市五点半开张</h1>{BODY}"
    article = read(page)
    assert str(article.published_at) == "2017-08-11 23:34:00+00:00"
    assert article.source == "某报"
    doubts = {"published_at: from metadata", "source: from metadata"}
    assert doubts <= set(article.warnings)
    shown = read(page.replace("</h1>", "</h1><p>2016-01-02 来源：另一报</p>"))
    assert (str(shown.published_at)[:10], shown.source) == ("2016-01-01", "另一报")


def with_json(*texts: str) -> Article:
    """A page without a visible date, with JSON-LD: only there is JSON-LD read."""
    scripts = "".join(f'<script type="application/ld+json">{text}</script>' for text in texts)
    return read(f"<head>{TITLE}{scripts}</head><h1>山城的早市五点半开张</h1>{BODY}")


@pytest.mark.parametrize(
    "rubbish",
    ["{", "[1, null]", '{"@graph": 3}', "[" * 5000, "{}", '{"@type": "Article",}', '"Article"',
     '{"@type": "Article", "datePublished": ["2016-01-01"], "headline": {"a": 1}}',
     '{"@type": "WebPage", "datePublished": "2016-01-01"}',
     f'{{"@type": "Article", "datePublished": "2016-01-01", "text": "{"a" * 200_000}"}}'],
    ids=range(10),
)  # fmt: skip
def test_json_that_is_none(rubbish: str) -> None:
    good = '[{"@type": ["Thing", "NewsArticle"], "datePublished": "2017-08-11T23:34Z"}]'
    assert with_json(rubbish).published_at is None
    assert str(with_json(rubbish, good).published_at) == "2017-08-11 23:34:00+00:00"


def test_microdata_stands_in_and_is_a_doubt() -> None:
    data = (
        "<p><span itemprop=datePublished content='2017-08-12T07:34+08:00'></span>"
        f"<b itemprop=source>某报</b><i itemprop=headline>{'很长' * 70}</i></p>"
    )
    article = read(f"<head>{TITLE}</head><h1>山城的早市五点半开张</h1>{BODY}{data}")
    assert str(article.published_at) == "2017-08-11 23:34:00+00:00"
    assert (article.title, article.source) == ("山城的早市五点半开张", "某报")
    assert {"published_at: from metadata", "source: from metadata"} <= set(article.warnings)


@pytest.mark.parametrize(
    "line",
    [
        "<div><span>您当前的位置：</span><ul><li><a href=/>首页</a><li><a href=/x/>要闻</a></ul></div>",
        "<table><tr><td>您的位置：<td><a href=/>首页</a><td><a href=/x/>要闻</a></table>",
        "<div>当前位置：<a href=/>首页</a> &gt; <a href=/x/>要闻</a> &gt; 山城的早市五点半开张</div>",
        "<div>当前位置：<a href=/>首页</a> &gt; <a href=/x/>要闻</a> &gt; 山城的早市 五点半开张</div>",
    ],
    ids=["list", "cells", "with the title", "title with a space"],
)
def test_breadcrumb_in_its_own_elements_or_with_the_title(line: str) -> None:
    article = read(f"{TITLE}{line}{HEAD}{BODY}")
    assert article.breadcrumb == ["首页", "要闻"]
    assert article.title == "山城的早市五点半开张"


@pytest.mark.parametrize(
    ("tail", "names"),
    [
        ("【责任编辑：王小明】", ["王小明"]),
        ("（编辑 王小明）", ["王小明"]),
        ("<b>【责任编辑：王小明】</b>", ["王小明"]),
        ("<b><a href=/e/>【责编：王小明】</a></b>", ["王小明"]),
        ("【责任编辑：<b>王小明</b>】", ["王小明"]),
        ("<span>[责编：<a href=/x>王小明</a>]</span>", ["王小明"]),
        ("（编辑 王小明 &amp; 李四光）", ["王小明", "李四光"]),
        ("<br>（责编王小明）", ["王小明"]),
        ("<b><br>（编辑 王小明 &amp; 李四光）<br></b>", ["王小明", "李四光"]),
    ],
)
def test_editors_behind_the_last_sentence_are_cut_from_text_and_html(
    tail: str, names: list[str]
) -> None:
    article = read(
        f"{TITLE}{HEAD}<div class=txt><p>{ONE}<p>{TWO}<p><b>县里</b>{THREE} {tail}</div>"
    )
    assert [each.name for each in article.editors] == names
    assert article.body.split("\n") == [ONE, TWO, f"县里{THREE}"]
    assert article.body_html.split("\n")[-1] == f"<p><strong>县里</strong>{THREE}</p>"


def test_gallery_is_read_with_its_hidden_slides() -> None:
    slides = "".join(
        f'<li style="display:{"none" if n else "block"}"><img src="/{n}.jpg"><em>{n}/3</em><p>第{n}张的说明</p>'
        for n in range(3)
    )
    twins = "".join(f'<li><img src="/{n}.jpg" width=90>' for n in range(3))
    others = "".join(
        f'<li><a href="/{n}.html"><img src="/{n}{n}.jpg"><p>另一组图片</p></a>' for n in range(5)
    )
    article = read(
        f"{TITLE}{HEAD}<ul>{slides}</ul><ul>{twins}</ul><p>早市五点半开张。</p>"
        f"<div>责任编辑：方力</div><h3>推荐</h3><ul>{others}</ul>"
    )
    assert [(image.ref, image.caption) for image in article.images] == [
        (f"/{n}.jpg", f"第{n}张的说明") for n in range(3)
    ]
    assert article.body == "早市五点半开张。"
    assert [editor.name for editor in article.editors] == ["方力"]


def test_pictures_of_other_stories_make_no_gallery() -> None:
    others = "".join(f"<li onclick='go({n})'><img src=/{n}.jpg><p>别的事" for n in range(5))
    article = read(f"{TITLE}{HEAD}{BODY}<ul>{others}</ul>")
    assert article.body.split("\n") == [ONE, TWO, THREE]
    assert article.images == []


def test_few_words_are_an_article_only_below_a_head() -> None:
    few = "<div><p>今天夜里，全县有小到中雨，请出行的人带伞。</p></div>"
    assert read(TITLE + HEAD + few).body == "今天夜里，全县有小到中雨，请出行的人带伞。"
    found = read_article((TITLE + few).encode(), URL)
    assert isinstance(found, NotArticle)


def test_last_lines_that_say_whence_and_who() -> None:
    last = "<p>本文来源：某报 责任编辑：方力_NF4425</p>"
    article = read(f"{TITLE}<h1>山城的早市五点半开张</h1>{BODY.replace('</div>', last + '</div>')}")
    assert article.body.split("\n") == [ONE, TWO, THREE]
    assert article.source == "某报"
    assert [editor.name for editor in article.editors] == ["方力"]
    signed = read(f"{TITLE}{HEAD}{BODY.replace('便道。', '便道。（张巨峰）')}")
    assert [author.name for author in signed.authors] == ["张巨峰"]
