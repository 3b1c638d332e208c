"""Publish times in every form that a heading or an attribute has."""

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
        ("二〇一七年八月十二日 七时三十四分", "2017-08-12 07:34"),
        ("二零一七年八月十二日下午三时", "2017-08-12 15"),
        ("二〇一七年八月十二日晚八点半", "2017-08-12 20:30"),
        ("2017年8月12日 上午十点二十五分", "2017-08-12 10:25"),
        ("2017-08-12 下午两点零五分", "2017-08-12 14:05"),
        ("2017年8月12日十六时零九分三十秒", "2017-08-12 16:09:30"),
        ("2017年8月12日 二十一点整", "2017-08-12 21"),
        ("2017-08-12 下午2点半", "2017-08-12 14:30"),
        ("2017年8月12日8点一刻", "2017-08-12 08:15"),
        ("2017年8月12日晚7点三刻", "2017-08-12 19:45"),
        ("2017年08月12日07∶35∶18", "2017-08-12 07:35:18"),
        ("2017-08-12 7∶35", "2017-08-12 07:35"),
        ("Aug 12, 2017 07:34", "2017-08-12 07:34"),
        ("August 12, 2017 7:34 PM", "2017-08-12 19:34"),
        ("Posted on Sept. 2nd, 2017", "2017-09-02"),
        ("12 Aug 2017 07:34:27", "2017-08-12 07:34:27"),
        ("12-Aug-2017 07:34", "2017-08-12 07:34"),
        ("Sat, 12 Aug 2017 07:34:27 +0800", "2017-08-12 07:34:27"),
        ("Fri, 11 Aug 2017 23:34:27 GMT", "2017-08-12 07:34:27"),
        ("Sat Aug 12 07:34:27 CST 2017", "2017-08-12 07:34:27"),
        ("8/12/2017 2:26:00 PM", "2017-08-12 14:26:00"),
        ("08/12/2017 14:26", "2017-08-12 14:26"),
        ("1/2/2018", "2018-01-02"),
        ("20170812 07:34", "2017-08-12 07:34"),
        ("发布时间：20170812 07:34:27", "2017-08-12 07:34:27"),
        ("201708120734", "2017-08-12 07:34"),
        ("20170812073427", "2017-08-12 07:34:27"),
    ],
)
def test_time_as_words_say_it(text: str, there: str) -> None:
    found = find_time(text)
    assert found
    assert found[0].astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S").startswith(there)
    assert {19: "second", 16: "minute", 13: "hour", 10: "day"}[len(there)] == found[1]


@pytest.mark.parametrize(
    "text",
    [
        "二〇一七年", "八月十二日", "十二月三十二日", "二〇一七年十三月一日", "七时三十四分", "Aug 12", "Aug 32, 2017",
        "Augmented 12, 2017", "13/13/2017", "20171312 07:34", "12017081207345", "20170812", "May 1998", "1/2/3/2017",
    ],
)  # fmt: skip
def test_words_that_say_no_day(text: str) -> None:
    assert find_time(text) is None


@pytest.mark.parametrize(
    "text, there",
    [
        ("2017年8月12日三点建议", "2017-08-12"),
        ("2017年8月12日 一点感想", "2017-08-12"),
        ("2017年8月12日 两时期作品展", "2017-08-12"),
        ("2017年8月12日十分热", "2017-08-12"),
        ("二〇一七年八月十二日 三点要求", "2017-08-12"),
    ],
)
def test_word_after_a_day_that_is_no_clock(text: str, there: str) -> None:
    found = find_time(text)
    assert found
    assert (found[0].astimezone(CHINA).strftime("%Y-%m-%d"), found[1]) == (there, "day")


@pytest.mark.parametrize(
    "said",
    ["Aug 12, 2017 07:34", "12 Aug 2017 07:34:00 +0800", "二〇一七年八月十二日 七时三十四分", "201708120734"],
)  # fmt: skip
def test_what_stands_around_a_time_in_other_words(said: str) -> None:
    article = read(f"<div class=info>{said} 来源：浙江日报 记者 江帆</div>")
    assert published(article).startswith("2017-08-12 07:34")
    assert article.source == "浙江日报"
    assert [each.name for each in article.authors] == ["江帆"]
    assert article.subtitle is None


@pytest.mark.parametrize(
    "info",
    [
        "今天是2020年1月1日 发布时间：2017-08-12 07:34 来源：浙江日报",
        "今天是：2020年1月1日 星期三 2017-08-12 07:34 来源：浙江日报",
        "今日2020-01-01 来源：浙江日报 2017-08-12 07:34",
        "现在是2020年1月1日10:20 来源：浙江日报 发布日期：2017-08-12 07:34",
        "当前时间：2020-01-01 10:20:30 来源：浙江日报 时间：2017-08-12 07:34",
        "截稿：2017-08-13 09:00 首发：2017-08-12 07:34 来源：浙江日报",
    ],
)
@pytest.mark.parametrize("name", ["info", "time"])
def test_the_day_of_the_visit_is_not_the_publish_time(info: str, name: str) -> None:
    article = read(f"<div class={name}>{info}</div>")
    assert (published(article), article.source) == ("2017-08-12 07:34", "浙江日报")


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
        ("<i data-ts=1502494467000>刚刚</i> 来源：浙江日报", "2017-08-12 07:34:27"),
        ("<b data-publish=1502494467>3天前</b> 来源：浙江日报", "2017-08-12 07:34:27"),
        ("<span data-created-at=1502494467>昨天</span> 来源：浙江日报", "2017-08-12 07:34:27"),
        ("<u data-pub='201708120734'>1周前</u> 来源：浙江日报", "2017-08-12 07:34"),
        ("<span data-unix=1502494467>2天前</span> 来源：浙江日报", "2017-08-12 07:34:27"),
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
    ("shown", "elsewhere", "there"),
    [
        ("2017-08-12 07:34", "2017-08-12T07:34:27+08:00", "2017-08-12 07:34:27"),
        ("2017年8月12日 07时34分", "2017-08-11T23:34:27Z", "2017-08-12 07:34:27"),
        ("2017-08-12 07:34", "2017-08-12T07:35:27+08:00", "2017-08-12 07:34"),  # of another story
        ("2017-08-12 07:34", "2017-08-12T07:34:00+08:00", "2017-08-12 07:34"),  # no more precise
        ("2017-08-12 07:34", "soon", "2017-08-12 07:34"),
        ("2017-08-12 07:34:11", "2017-08-12T07:34:27+08:00", "2017-08-12 07:34:11"),
        ("2017-08-12", "2017-08-12T07:34:27+08:00", "2017-08-12"),  # may be of another story
    ],
)
def test_time_element_below_the_text_only_makes_the_minute_exact(
    shown: str, elsewhere: str, there: str
) -> None:
    page = f"<html><body><h1>菜场搬进新楼</h1><p>{shown} 来源：浙江日报</p><div class=artCon><p>{TEXT}</p></div>"
    found = read_article(f"{page}<time datetime='{elsewhere}'>那天</time>".encode(), URL)
    assert isinstance(found, RawArticle)
    assert published(normalize(found)) == there


@pytest.mark.parametrize(
    "meta",
    [
        "<meta name=pubdate content=1502494467>",
        "<meta property='article:published_time' content='Fri, 11 Aug 2017 23:34:27 GMT'>",
        "<meta name=publishdate content=20170812073427>",
        "<meta itemprop=datePublished content='2017-08-12T07:34:27+0800'>",
        "<meta name=PubDate content='2017-08-12 07:34:27'>",
        "<meta name=_pubtime content='2017-08-12 07:34:27'>",
        "<meta name=_pubdate content='Sat Aug 12 07:34:27 CST 2017'>",
        "<meta name=pub_time content='8/12/2017 7:34:27 AM'>",
        "<meta name=releaseDate content='Aug 12, 2017 07:34:27'>",
        "<meta property=release_date content='12 Aug 2017 07:34:27'>",
    ],
)
def test_time_in_the_metadata(meta: str) -> None:
    article = read("<div class=info>来源：浙江日报</div>", head=meta)
    assert published(article) == "2017-08-12 07:34:27"
    assert "published_at: from metadata" in article.warnings
