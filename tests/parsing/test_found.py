"""Regressions found with generated and mutilated pages, each as a minimal page."""

import pytest

from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.pipelines.normalize import normalize

HEAD = '<h1>西湖荷花进入观赏期</h1><div class="meta">2017-08-12 07:34 来源：浙江在线</div>'
TEXT = "<p>　　西湖的荷花进入最佳观赏期，市民游客纷纷前来。</p>"


def read(html: str) -> Article:
    page = f"<html><body>{html}</body></html>".encode()
    raw = read_article(page, "http://zjnews.zjol.com.cn/zjnews/201708/t20170812_4774532.shtml")
    assert isinstance(raw, RawArticle)
    return normalize(raw)


@pytest.mark.parametrize(
    "text",
    [
        "分享会上，大家畅所欲言。",
        "分享经验 共谋发展",
        "网友评论说，花真美。",
        "网友评论说花真美……",
        "手机看新闻成了习惯。",
    ],
)
def test_text_that_begins_like_a_share_bar(text: str) -> None:
    article = read(f'{HEAD}<div class="contTxt">{TEXT}<p>　　{text}</p>{TEXT}</div>')
    assert article.body.split("\n")[1] == text


@pytest.mark.parametrize(
    "bar", ["分享到：", "分享：微信 微博", "分享到微信", "分享 微信", "网友评论"]
)
def test_share_bar_is_no_text(bar: str) -> None:
    article = read(f'{HEAD}<div class="contTxt">{TEXT}<p>{bar}</p></div>')
    assert bar not in article.body


def test_where_a_picture_is_from_is_not_the_source() -> None:
    picture = '<p align="center"><img src="a.jpg"></p><p>曲院风荷 图片来源：视觉中国</p>'
    article = read(f'<div class="content">{HEAD}{picture}{TEXT}{TEXT}</div>')
    assert article.source == "浙江在线"
    assert article.images[0].caption == "曲院风荷 图片来源：视觉中国"


def test_book_title_in_a_kicker() -> None:
    kicker = "省人大常委会通过《浙江省河长制规定》"
    title = '<div class="contTit">河长制有法可依了</div>'
    crumbs = '<div class="path">当前位置：<a href="/">浙江在线</a> &gt; 正文</div>'
    article = read(
        f'{crumbs}<div class="yinti">{kicker}</div>{title}<div class="contTxt">{TEXT}</div>'
    )
    assert (article.kicker, article.title) == (kicker, "河长制有法可依了")


def test_item_inside_an_item_is_read_once() -> None:
    items = "<ul><li>荷花进入观赏期<div><li>游船票价不变</div></ul>"
    article = read(f'{HEAD}<div class="contTxt">{TEXT}{items}</div>')
    assert article.body.count("游船票价不变") == 1


def test_reporter_of_a_rare_family_signs_the_text() -> None:
    article = read(f'{HEAD}<div class="contTxt">{TEXT}{TEXT}<p>本报记者麻承芳</p></div>')
    assert [(each.name, each.role, each.outlet) for each in article.authors] == [
        ("麻承芳", "记者", "本报")
    ]


def test_info_line_far_down_in_the_container() -> None:
    """Below a menu of twelve lines a paragraph had no line left, which raised an exception."""
    head = "<h1>西湖荷花进入观赏期</h1><p>——来自曲院风荷的报道</p><p>2017-08-12 07:34 来源：浙江在线</p>"
    article = read(f'<div class="content">{"<p>频道</p>" * 12}{head}{TEXT}{TEXT}</div>')
    assert article.source == "浙江在线"
    assert article.body.startswith("西湖的荷花")
