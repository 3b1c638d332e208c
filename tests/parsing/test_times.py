"""When an article was published, in every form that a head or an attribute says it."""

import pytest

from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.fields.dates import CHINA, find_stamp, find_time
from zjolcrawl.pipelines.normalize import normalize

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774999.shtml"
TEXT = "镇上的菜场昨天搬进了新楼，一百多个摊位当天就开张了，附近的居民都说比从前亮堂。"


def read(info: str, url: str = URL, head: str = "") -> Article:
    page = (
        f"<html><head><title>菜场搬进新楼-浙江在线</title>{head}</head><body>"
        "<div>您当前的位置：<a href=/>浙江在线</a> &gt; <a href=/z/>浙江新闻</a> &gt; 正文</div>"
        f"<h1 class=artTitle>菜场搬进新楼</h1>{info}<div class=artCon><p>{TEXT}</p></div></body></html>"
    )
    found = read_article(page.encode(), url)
    assert isinstance(found, RawArticle)
    return normalize(found)


def published(article: Article) -> str:
    assert article.published_at
    lengths = {"second": 19, "minute": 16, "hour": 13, "day": 10}
    there = article.published_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return there[: lengths[article.published_precision or "second"]]


@pytest.mark.parametrize(
    "text, there",
    [
        ("2017年8月12日 早上7:34", "2017-08-12 07:34"),
        ("2017年8月12日 清晨5点", "2017-08-12 05"),
        ("2017年8月12日晚间8时15分", "2017-08-12 20:15"),
        ("2017年8月12日晚8点", "2017-08-12 20"),
        ("2017-08-12 傍晚 6:05", "2017-08-12 18:05"),
        ("2017年8月12日 夜里11:20", "2017-08-12 23:20"),
        ("2017年8月12日 深夜1:20", "2017-08-12 01:20"),
        ("2017年8月12日 中午1:05", "2017-08-12 13:05"),
        ("2017年8月12日 中午11:55", "2017-08-12 11:55"),
        ("2017年8月12日 中午12:30", "2017-08-12 12:30"),
        ("2017年8月12日 凌晨12:10", "2017-08-12 00:10"),
        ("2017年8月12日 上午12:10", "2017-08-12 00:10"),
        ("2017年8月12日 下午12:10", "2017-08-12 12:10"),
        ("2017年8月12日 下午14:10", "2017-08-12 14:10"),
        ("2017年8月12日 晚上12:10", "2017-08-13 00:10"),
        ("2017-08-12 2:26 PM", "2017-08-12 14:26"),
        ("2017/8/12 12:05:09 AM", "2017-08-12 00:05:09"),
        ("2017/8/12 11:05 a.m.", "2017-08-12 11:05"),
        ("2017-08-12 | 07:34", "2017-08-12 07:34"),
        ("二〇一七年八月十二日", "2017-08-12"),
        ("二零一七年十月三十一日", "2017-10-31"),
        ("二○一九年十二月二十日 07:34", "2019-12-20 07:34"),
        ("一九九九年一月一日", "1999-01-01"),
        ("于二〇〇八年五月十日下午3:20发布", "2008-05-10 15:20"),
    ],
)
def test_time_as_words_say_it(text: str, there: str) -> None:
    found = find_time(text)
    assert found
    assert found[0].astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S").startswith(there)
    assert {19: "second", 16: "minute", 13: "hour", 10: "day"}[len(there)] == found[1]


@pytest.mark.parametrize(
    "text", ["二〇一七年", "八月十二日", "十二月三十二日", "二〇一七年十三月一日"]
)
def test_words_that_say_no_day(text: str) -> None:
    assert find_time(text) is None


@pytest.mark.parametrize(
    "info",
    [
        "更新时间：2017-08-13 09:00 发布时间：2017-08-12 07:34 来源：浙江日报",
        "来源：浙江日报 最后更新：2017-08-13 09:00:15 发布于 2017-08-12 07:34",
        "<span>修改时间：2017年08月20日</span> <span>2017-08-12 07:34</span> <span>来源：浙江日报</span>",
        "2017-08-13 09:00更新 2017-08-12 07:34发布 来源：浙江日报",
        "发布时间：2017-08-12 07:34 更新时间：2017-08-13 09:00 来源：浙江日报",
        "发布日期：2017-08-12 07:34 来源：浙江日报 截止：2017-09-01",
    ],
)
def test_the_time_of_a_change_is_not_the_publish_time(info: str) -> None:
    assert published(read(f"<div class=info>{info}</div>")) == "2017-08-12 07:34"


def test_the_time_of_a_change_alone_is_better_than_none() -> None:
    info = "<div class=info>更新时间：2017-08-13 09:00 来源：浙江日报</div>"
    assert published(read(info)) == "2017-08-13 09:00"


@pytest.mark.parametrize(
    "info, there",
    [
        ("08-12 07:34 来源：浙江日报", "2017-08-12 07:34"),
        ("8月12日 07:34:27 来源：浙江日报", "2017-08-12 07:34:27"),
        ("发布时间：08/12 07:34 来源：浙江日报", "2017-08-12 07:34"),
        ("来源：浙江日报 08-13 00:04", "2017-08-13 00:04"),
        ("<p>08-12 07:34</p><p>来源：浙江日报</p>", "2017-08-12 07:34"),
    ],
)
def test_year_that_the_address_tells(info: str, there: str) -> None:
    article = read(f"<div class=info>{info}</div>")
    assert (published(article), article.source, article.subtitle) == (there, "浙江日报", None)
    assert "published_at: the year is not the page's" in article.warnings


def test_year_before_that_of_the_address() -> None:
    url = "http://zjnews.zjol.com.cn/zjnews/zjxw/201801/t20180102_6774999.shtml"
    assert published(read("<div class=info>12-31 23:10</div>", url)) == "2017-12-31 23:10"


def test_day_far_from_the_address_gets_no_year() -> None:
    article = read("<div class=info>03-01 10:00 来源：浙江日报</div>")
    assert published(article) == "2017-08-12"
    assert "published_at: from the URL" in article.warnings


@pytest.mark.parametrize(
    "stamp, iso",
    [
        ("1502494467", "2017-08-12T07:34:27+08:00"),
        ("1502494467000", "2017-08-12T07:34:27+08:00"),
        ("20170812073427", "2017-08-12 07:34:27"),
        ("Fri, 11 Aug 2017 23:34:27 GMT", "2017-08-11T23:34:27+00:00"),
        ("2017-08-12T07:34:27+08:00", "2017-08-12T07:34:27+08:00"),
        ("13812345678", None),
        ("20171332073427", None),
        ("Fri, 41 Aug 2017", None),
        ("3小时前", None),
        ("", None),
    ],
)
def test_stamps_of_machines(stamp: str, iso: str | None) -> None:
    assert find_stamp(stamp) == iso


@pytest.mark.parametrize(
    "info, there",
    [
        ("<span data-timestamp=1502494467000>3小时前</span> 来源：浙江日报", "2017-08-12 07:34:27"),
        (
            "<time datetime='2017-08-12T07:34:27+08:00'>昨天</time> 来源：浙江日报",
            "2017-08-12 07:34:27",
        ),
        ("<em title='2017-08-12 07:34'>2天前</em> <i>来源：浙江日报</i>", "2017-08-12 07:34"),
        ("<span data-publish-time=1502494467>刚刚</span> 来源：浙江日报", "2017-08-12 07:34:27"),
        (
            "<span title='2017-08-12 07:34:27'>2017-08-12</span> 来源：浙江日报",
            "2017-08-12 07:34:27",
        ),
        ("<span title='2017-08-15 07:34:27'>2017-08-12</span> 来源：浙江日报", "2017-08-12"),
        (
            "<p class=t data-time='20170812073427'>1周前</p><p>来源：浙江日报</p>",
            "2017-08-12 07:34:27",
        ),
    ],
)
def test_time_in_an_attribute_of_the_head(info: str, there: str) -> None:
    article = read(f"<div class=info>{info}</div>")
    assert (published(article), article.subtitle) == (there, None)


@pytest.mark.parametrize(
    "meta",
    [
        "<meta name=pubdate content=1502494467>",
        "<meta property='article:published_time' content='Fri, 11 Aug 2017 23:34:27 GMT'>",
        "<meta name=publishdate content=20170812073427>",
        "<meta itemprop=datePublished content='2017-08-12T07:34:27+0800'>",
        "<meta name=PubDate content='2017-08-12 07:34:27'>",
    ],
)
def test_time_in_the_metadata(meta: str) -> None:
    article = read("<div class=info>来源：浙江日报</div>", head=meta)
    assert published(article) == "2017-08-12 07:34:27"
    assert "published_at: from metadata" in article.warnings
