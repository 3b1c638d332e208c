"""Each fixture page gives the document in its golden file."""

import html
import re
from pathlib import Path

import pytest

from tests.support.goldens import FIXTURES, file_of, load, read, sidecars
from zjolcrawl.fixture import as_document
from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.pipelines.normalize import normalize


def name(path: Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


@pytest.mark.parametrize("path", sidecars("document"), ids=name)
def test_page_gives_its_document(path: Path) -> None:
    golden, _ = load(path)
    raw = read(path)
    assert isinstance(raw, RawArticle)
    document = as_document(normalize(raw))
    if "body_html" not in golden["document"]:
        document.pop("body_html", None)
    assert document == golden["document"]


@pytest.mark.parametrize("path", sidecars("document"), ids=name)
def test_body_html_says_what_body_says(path: Path) -> None:
    raw = read(path)
    assert isinstance(raw, RawArticle)
    text = re.sub(r"<figcaption>.*?</figcaption>", "", "".join(raw.body_html))
    text = html.unescape(re.sub(r"<[^>]+>", "", text))
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(raw.body))


@pytest.mark.parametrize("path", sidecars("stub"), ids=name)
def test_stub_leads_on(path: Path) -> None:
    golden, page = load(path)
    assert read_article(page, golden["url"]) == Stub(golden["stub"])


@pytest.mark.parametrize("path", sidecars("not_article"), ids=name)
def test_page_without_an_article_says_why(path: Path) -> None:
    golden, page = load(path)
    found = read_article(page, golden["url"])
    assert isinstance(found, NotArticle)
    assert found.reason


def test_reference_article_is_whole() -> None:
    """The text of the reference article, paragraph by paragraph, from the bytes of the page."""
    url = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
    raw = read_article(file_of(url).read_bytes(), url)
    assert isinstance(raw, RawArticle)
    article = normalize(raw)
    assert len(article.body.split("\n")) == 18
    assert re.findall(r"<h2>(.*?)</h2>", article.body_html) == [
        "党政同责,抓住关键少数",
        "问题导向,力求真实有效",
        "协调保障,凝聚社会共识",
    ]
    assert article.dateline == "浙江在线8月12日讯"
    assert article.warnings == []


PAGE = (
    "<html><head><title>{title}-浙江在线</title></head><body><h1>{title}</h1>"
    "<div>2018-03-18 10:00 来源：浙江在线 记者 江帆</div><div class='content'><p>“路修好了，客人就多了。”村民老潘说。</p>"
    "<p>村里的路灯也亮了。</p><p>今年秋天，村口还要建一座桥。</p>{more}</div>{foot}</body></html>"
)
URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201803/t20180318_6823266.shtml"


def article_of(title: str = "山村通了公交车", more: str = "", foot: str = "") -> Article:
    raw = read_article(PAGE.format(title=title, more=more, foot=foot).encode(), URL)
    assert isinstance(raw, RawArticle)
    return normalize(raw)


@pytest.mark.parametrize("title", ["1404个老年食堂落户杭州", "宁波新增404户人家用上天然气"])
def test_a_number_in_a_short_storys_title_is_no_error(title: str) -> None:
    assert article_of(title).title == title


def test_who_took_the_last_picture_did_not_write() -> None:
    more = "<p align='center'><img src='./W020180318000000000001.jpg'></p><p align='center'>村口的桥。（记者 周丹 摄）</p>"
    article = article_of(more=more)
    assert [image.caption for image in article.images] == ["村口的桥。（记者 周丹 摄）"]
    assert [author.name for author in article.authors] == ["江帆"]


def test_a_link_is_one_tag() -> None:
    assert article_of(foot="<div>标签：<a href='/tag/1/'>G20 峰会</a></div>").tags == ["G20 峰会"]


@pytest.mark.parametrize(
    "line",
    [
        "“点赞”让老年食堂走进浦江县",
        "杭州启动摄影大赛",
        "记者在浦江看到，扫描二维码就能查到来源……绍兴的客户端也有这个功能。",
    ],
)
def test_words_of_the_furniture_may_be_the_articles(line: str) -> None:
    article = article_of(more=f"<p>{line}</p>")
    assert article.body.split("\n")[-1] == line
    assert [author.name for author in article.authors] == ["江帆"]


def test_a_caption_may_use_the_words_of_a_credit() -> None:
    more = "<p align='center'><img src='./W020180318000000000001.jpg'></p><p align='center'>桐庐的评论员培训班</p>"
    assert [image.caption for image in article_of(more=more).images] == ["桐庐的评论员培训班"]
