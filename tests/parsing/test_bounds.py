"""Pages built to be slow: parsing time is linear in the size of the page."""

from __future__ import annotations

import pytest

from tests.support import timing
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.fields.text import clean, fold_width
from zjolcrawl.parsing.navigation import read_navigation
from zjolcrawl.parsing.paper_page import newest_issue, read_calendar, read_paper_page
from zjolcrawl.pipelines.normalize import normalize

ARTICLE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
PAPER = "http://zjrb.zjol.com.cn/html/2017-08/12/content_3076000.htm"
ISSUE = "http://zjrb.zjol.com.cn/html/2017-08/12/node_18.htm"
COLUMN = "http://china.zjol.com.cn/gnxw/"
# CPU seconds: far above the slowest of these pages, far below a quadratic reader.
MOST_SECONDS = 4
TEXT = "这是一个很长的句子，好好学习。"


def holds(page: str) -> None:
    """Every reader finishes the page in time."""
    body = page.encode("utf-8", "surrogatepass")
    for read, url in ((_article, ARTICLE), (_article, PAPER), (_lists, COLUMN)):
        assert timing.seconds(read, body, url, most=MOST_SECONDS) < MOST_SECONDS, url


def _article(body: bytes, url: str) -> None:
    found = read_article(body, url)
    if isinstance(found, RawArticle):
        normalize(found)


def _lists(body: bytes, _: str) -> None:
    read_column(body, COLUMN)
    read_paper_page(body, ISSUE)
    read_navigation(body, COLUMN)
    read_calendar(body)
    newest_issue(body, ISSUE)


# Lines on which a pattern could try every combination, or start again at each position.
LINES = {
    "驻": "驻" * 60,
    "驻京": "驻京驻沪" * 2500,
    "kinds of reporter": "【热点】" + "见习特派全媒体" * 1500 + "者",
    "reporters without end": "【热点】记者:" + "浙江杭州市民大家记者:" * 1000,
    "reporters with 、": "【热点】" + "记者：江帆、王明 通讯员：" * 1000 + "，",
    "bracket after bracket": "【热点】记者 " + "江 帆 " * 4000 + "！",
    "photographers": "张三 摄影 " * 4000 + "x",
    "photographers by stroke": "张三/文 李四/摄、" * 4000 + "x",
    "editors": "责任编辑 " * 4000 + "x",
    "editors by name": "编辑 江帆编辑 " * 4000 + "！",
    "pages of a pager": "下一页" + "1" * 20_000 + "x",
    "dots of a pager": "下一页" + "." * 20_000 + "x",
    "reads": "阅读" + "\u3000" * 30_000 + "次",
    "related": "相关新闻" + ">" * 30_000 + "x",
    "away": "-" * 99,
    "original title": "原标题为" + "\u3000" * 30_000 + "x",
    "note": "编者按" + "\u3000" * 30_000 + "x",
    "date": "2017-08-12" + "\u3000" * 30_000 + "x",
    "dates": "2017-08-12\u3000\u3000\u3000" * 10_000 + "x",
    "digits": "1" * 100_000 + "x",
    "counter": "1 / " * 30_000 + "x",
    "signs": "、" * 30_000 + "x",
    "spaces": "好" + " \u3000" * 30_000 + "学",
    "arrows": "▶>" * 30_000 + "x",
    "arrows and spaces": "▶ > " * 30_000 + "x",
    "brackets": "【" * 30_000,
    "brackets and spaces": "（\u3000" * 30_000 + "下转",
    "books": "《" * 30_000,
    "pages of a paper": "第\u3000" * 30_000 + "版",
    "links as text": "&lt;a " * 30_000,
    "turns": "下转第3版<br>" * 4000,
    "latin tags": "标签：" + "a " * 50_000,
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_line(line: str) -> None:
    holds(f"<div class=contTit>好好学习</div><div class=contTxt><p>{TEXT}</p><p>{line}</p></div>")
    holds(f"<div class=main-article-title>好</div><div id=ozoom><p>{line}</p><p>{TEXT}</p></div>")


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_line_of_a_head(line: str) -> None:
    head = f"<title>好好学习_{line}_好</title><div class=path>位置：<a href=/>好</a>{line}好</div>"
    author = f"<span id=author_baidu>{line}</span><div class=tags>标签：{line}</div>"
    holds(
        f"{head}<h1>好好学习</h1><div class=time>2017-08-12 {line}</div>{author}<p>{TEXT * 9}</p>"
    )


MARKUP = {
    "comments of a paper": "<!--enpproperty " * 30_000,
    "comment's ends": "<!--enpproperty " + "/enpproperty" * 30_000,
    "comment's fields": "<!--enpproperty " + "<a>" * 30_000 + "/enpproperty-->",
    "comment's numbers": f"<!--enpproperty <author>&#{'9' * 5000};</author>/enpproperty-->",
    "title that was never closed": "<title>" + "数字报" * 30_000 + "\n好",
    "days": "<period_date>" * 30_000,
    "days with space": "<period_date>" + " " * 100_000,
    "classes": "<div class=x>好</div>" * 25_000,
    "ids": "<b id=x>好</b>" * 25_000,
    "lists in lists": "<div id=main>" * 1000 + "<ul><li>好</ul>" * 10_000,
    "lists of a class": "<ul class=listUl>" * 1000 + "<li>好" * 20_000,
    "pages of an issue": "<dl>" + "<dt><a id=pageLink href=node_1.htm>第1版：好</a>" * 10_000,
    "other pages of an issue": "<dl>"
    + "".join(f"<dt><a id=pageLink href=node_{n}.htm>好</a>" for n in range(5_000)),
    "pagers": "<div class=fenye>" * 1000 + "<a href=#>下一页</a>" * 20_000,
    "pictures in boxes": "<div>" * 1900 + "<img src=a.jpg>" * 30_000,
    "items": "<div itemprop=x>" * 1900 + "<b itemprop=x>好</b>" * 20_000,
    "tables in tables": "<table><tr><td>好<td>" * 600 + "<tr><td>好</tr>" * 10_000,
    "more": "<div><a href=/x/>更多</a></div>" * 7_500,
    "places": f"<div>{TEXT * 10_000}" + "<a href=/x/></a>" * 20_000,
    "tag bars": "<div class=tags>" * 1900 + "<b class=tags>好</b>" * 20_000,
    "notes": "<p>" + "编者按：<br>x<br>" * 20_000,
    "credits": "<p>好<br>" + "责任编辑：江帆<br>" * 20_000,
    "authors of JSON": '<script type="application/ld+json">{"@type":"Article","author":'
    + "[" * 400 + "]" * 400 + "}</script>",
    "pictures": "<p align=center><img src=./W020170812341787363590.jpg></p>" * 10_000,
    "captions": "<p align=center><img src=./a.jpg></p><p align=center>图为好学</p>" * 5_000,
    "meta": "".join(f"<meta name=a{n} content=好>" for n in range(20_000)),
}  # fmt: skip


@pytest.mark.parametrize("markup", MARKUP.values(), ids=MARKUP)
def test_markup(markup: str) -> None:
    holds(f"<div class=contTit>好好学习</div><div class=contTxt><p>{TEXT}</p>{markup}")


@pytest.mark.parametrize("form", ["a{}=1 ", "a{} ", "a{}='x>y' ", 'a{}="<p>"', "a{}/", "xmlns:a{}='' "])  # fmt: skip
def test_attributes(form: str) -> None:
    """libxml2 compares each attribute of a tag with all others, and no signal interrupts it."""
    many = "".join(form.format(n) for n in range(40_000))
    holds(f"<div class=contTit>好好学习</div><div class=contTxt {many}><p>{TEXT}</p></div>")
    # Nor hidden by text that only looks like a tag.
    holds(f"<script>if (a<b='</script><!-- <a b=\" --><div {many} z='\"'><p>{TEXT}")


def test_a_tag_of_many_attributes_is_read_all_the_same() -> None:
    many = " ".join(f"a{n}=1" for n in range(40_000))
    page = f"<div class=contTit>好好学习</div><div class=contTxt {many}><p>{TEXT}</p></div>"
    found = read_article(page.encode(), ARTICLE)
    assert isinstance(found, RawArticle)
    assert (found.title, found.body) == ("好好学习", [TEXT])


@pytest.mark.parametrize(
    "marks", ["\u0301\u0327", "\u0327\u0301", "\u0301", "\u3099\u309a", "\u0e38\u0e48", "\u0591\u05b0"]
)  # fmt: skip
def test_combining_characters(marks: str) -> None:
    """Unicode normalisation sorts combining characters; no signal interrupts it."""
    many = f"a{marks * 250_000}好1"
    for read in (clean, fold_width):
        assert timing.seconds(read, many, most=MOST_SECONDS) < MOST_SECONDS
    holds(f"<div class=time>1{marks * 25_000}</div><div class=contTxt><p>{TEXT}{marks * 25_000}")


def test_text_in_pieces_is_as_it_would_be_whole() -> None:
    text = ("e\u0301好" + "がば" + "한국" + "e\u0327\u0301" * 30) * 20
    assert clean(text) == clean(text[:40]) + clean(text[40:])
    assert "é" in clean("e\u0301" * 200)
