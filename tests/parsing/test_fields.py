"""Strings from pages are parsed to values."""

import re
from datetime import date, datetime, timedelta, timezone

import pytest

from zjolcrawl.items import Byline
from zjolcrawl.parsing.column_page import link_day_of
from zjolcrawl.parsing.fields.bylines import merge, people
from zjolcrawl.parsing.fields.dates import china_midnight, find_time, is_plausible
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES, EDITOR_SIGNS
from zjolcrawl.parsing.fields.tags import split_tags
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.info_line import read_info
from zjolcrawl.parsing.page import decode
from zjolcrawl.parsing.urls import (
    absolute,
    canonical,
    doc_id,
    is_paper_page,
    kind,
    page_number,
    url_day,
)


@pytest.mark.parametrize(
    ("text", "moment", "precision"),
    [
        ("2017年08月12日 07:34:27", "2017-08-11T23:34:27", "second"),
        ("2017年06月28日 10:22:33", "2017-06-28T02:22:33", "second"),
        ("\r\n\t\t2020-01-02 10:22:33\r\n", "2020-01-02T02:22:33", "second"),
        ("2026年02月23日12时", "2026-02-23T04:00:00", "hour"),
        ("| 2026-09-23", "2026-09-22T16:00:00", "day"),
        ("(2018-03-18)", "2018-03-17T16:00:00", "day"),
        ("2015年04月08日10:05", "2015-04-08T02:05:00", "minute"),
        ("17-08-12 07:34", "2017-08-11T23:34:00", "minute"),
        ("２０１７年０８月１２日　０７：３４：２７", "2017-08-11T23:34:27", "second"),
        ("2017/8/2 7:04", "2017-08-01T23:04:00", "minute"),
        ("2017-08-12T07:34:27+08:00", "2017-08-11T23:34:27", "second"),
        ("2017-08-11T23:34:27Z", "2017-08-11T23:34:27", "second"),
        ("2017年8月12日 星期六 07:34", "2017-08-11T23:34:00", "minute"),
        ("发布时间：2017年08月12日07时34分27秒", "2017-08-11T23:34:27", "second"),
        ("2017年2月30日 2017年3月1日", "2017-02-28T16:00:00", "day"),
    ],
)
def test_time(text: str, moment: str, precision: str) -> None:
    found = find_time(text)
    assert found is not None
    assert (found[0].strftime("%Y-%m-%dT%H:%M:%S"), found[1]) == (moment, precision)


@pytest.mark.parametrize("text", ["", "8月12日", "2017年", "13812345678", "2017-13-01", "1.2.3.4"])
def test_no_time(text: str) -> None:
    assert find_time(text) is None


def byline(name: str, role: str, outlet: str | None = None) -> Byline:
    return Byline(name, role, outlet)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("记者 江帆", [byline("江帆", "记者")]),
        ("浙江在线记者 江帆", [byline("江帆", "记者", "浙江在线")]),
        (
            "浙江在线记者 江帆 通讯员 王小明 张三",
            [
                byline("江帆", "记者", "浙江在线"),
                byline("王小明", "通讯员"),
                byline("张三", "通讯员"),
            ],
        ),
        ("记者江帆 通讯员王小明", [byline("江帆", "记者"), byline("王小明", "通讯员")]),
        ("记者 江帆 文/摄", [byline("江帆", "记者")]),
        ("见习记者 李四", [byline("李四", "见习记者")]),
        ("本报记者 欧阳修远", [byline("欧阳修远", "记者", "本报")]),
        ("记者 阿卜杜拉·买买提", [byline("阿卜杜拉·买买提", "记者")]),
        ("记者 王小明、张三", [byline("王小明", "记者"), byline("张三", "记者")]),
        ("记者 江　帆 李小明", [byline("江帆", "记者"), byline("李小明", "记者")]),
        ("作者：张三", [byline("张三", "作者")]),
        (
            "浙江日报记者 王坚 钱江晚报记者 李红",
            [byline("王坚", "记者", "浙江日报"), byline("李红", "记者", "钱江晚报")],
        ),
        ("文/张三 图/李四", [byline("张三", "文"), byline("李四", "图")]),
        ("本报驻京记者 王大力", [byline("王大力", "驻京记者", "本报")]),
        ("记者 江帆 报道", [byline("江帆", "记者")]),
        ("", []),
        ("浙江在线", []),
    ],
)
def test_bylines(text: str, expected: list[Byline]) -> None:
    assert people(text, AUTHOR_ROLES) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("责任编辑: 金晨", [byline("金晨", "责任编辑")]),
        ("编辑：姚昊", [byline("姚昊", "编辑")]),
        ("责编：张三 值班主任：李四五", [byline("张三", "责编"), byline("李四五", "值班主任")]),
        ("责任编辑：", []),
    ],
)
def test_editors(text: str, expected: list[Byline]) -> None:
    assert people(text, EDITOR_ROLES) == expected


def test_one_entry_a_person() -> None:
    seen = [
        byline("江帆", "记者"),
        byline("江帆", "记者", "浙江在线"),
        byline("王红", "作者"),
        byline("王红", "记者"),
    ]
    assert merge(seen) == [byline("江帆", "记者", "浙江在线"), byline("王红", "记者")]


@pytest.mark.parametrize(
    ("pieces", "tags"),
    [
        (
            ["督察;生态文明;整改;浙江;环境保护;清单"],
            ["督察", "生态文明", "整改", "浙江", "环境保护", "清单"],
        ),
        (["督察；生态文明，整改、浙江,清单"], ["督察", "生态文明", "整改", "浙江", "清单"]),
        (["督察 生态文明　整改"], ["督察", "生态文明", "整改"]),
        (["G20 峰会;杭州;杭州"], ["G20 峰会", "杭州"]),
        (["G20 峰会", "杭州"], ["G20 峰会", "杭州"]),
        (["督察;生态文明 整改"], ["督察", "生态文明", "整改"]),
        (["杭州 西湖 断桥", "G20 峰会"], ["杭州", "西湖", "断桥", "G20 峰会"]),
        (["上市;浙江 A股 新规"], ["上市", "浙江 A股", "新规"]),
        (["山水、Z 世代 5G 基站"], ["山水", "Z 世代 5G 基站"]),
        ([], []),
    ],
)
def test_tags(pieces: list[str], tags: list[str]) -> None:
    assert split_tags(pieces) == tags


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("　　浙江在线8月12日讯", "浙江在线8月12日讯"),
        ("\u200b正\ufeff文\u00a0 x", "正文 x"),
        ("前半\n\t\t后半", "前半后半"),
        ("one\n two", "one two"),
        ("e\u0301", "é"),
        ("标题一　标题二", "标题一　标题二"),
    ],
)
def test_text(raw: str, stored: str) -> None:
    assert clean(raw) == stored


def test_info_line_of_the_reference_article() -> None:
    info = read_info("2017年08月12日 07:34:27 来源: 浙江在线 记者 江帆")
    assert (info.published, info.source, info.bylines, info.editors) == (
        "2017年08月12日 07:34:27", "浙江在线", ["记者 江帆"], [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "utf-8"), ("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
def test_charset_is_read_from_the_bytes(encoding: str, expected: str) -> None:
    text = "<meta charset=gb2312>全力保障中央环保督察开展"
    assert decode(text.encode(encoding)) == (text, expected, 0)


def test_cut_utf8_stays_utf8() -> None:
    body = ("浙江在线" * 100).encode()[:-1]
    text, encoding, broken = decode(body)
    assert (encoding, broken) == ("utf-8", 1)
    assert text.startswith("浙江在线" * 99)


TRS = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"


@pytest.mark.parametrize(
    "variant",
    [
        "https://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml",
        "http://ZJNEWS.zjol.com.cn//zjnews/zjxw/201708/t20170812_4774532.shtml?from=x#top",
        "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532_ext.shtml",
        "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532_1.shtml",
        "http://zjnews.zjol.com.cn:80/zjnews/zjxw/201708/t20170812_4774532.shtml",
    ],
)
def test_canonical(variant: str) -> None:
    assert canonical(variant) == TRS


def test_what_a_paper_url_tells() -> None:
    url = "http://zjrb.zjol.com.cn/html/2017-08/12/content_3075681.htm"
    assert canonical(f"{url}?div=-1") == url
    assert (doc_id(url), url_day(url), page_number(url)) == ("3075681", date(2017, 8, 12), 0)
    assert is_paper_page("https://zjrb.zjol.com.cn/html/2017-08/12/zjrbindex.htm")
    assert is_paper_page("http://hnrb.zjol.com.cn/hnrb/html/2018-05/08/node_1.htm")
    assert not is_paper_page(url)


def test_what_an_older_paper_url_tells() -> None:
    old = "http://fzb.zjol.com.cn/gb/node2/node802/userobject15ai5288824.html"
    assert canonical(f"{old}?x=1") == old
    assert (doc_id(old), url_day(old), page_number(old)) == ("5288824", None, 0)
    placed = "http://zjfzb.zjol.com.cn/zjfz/html/2008-12/24/content_12_2.htm"
    assert (doc_id(placed), url_day(placed), page_number(placed)) == (
        "12_2",
        date(2008, 12, 24),
        0,
    )
    assert canonical("http:////zjrb.zjol.com.cn/a.htm") == "http://zjrb.zjol.com.cn/a.htm"


def test_what_an_article_url_tells() -> None:
    assert (doc_id(TRS), url_day(TRS)) == ("4774532", date(2017, 8, 12))
    legacy = "http://jx.zjol.com.cn/system/2015/06/30/020717765_01.shtml"
    assert (doc_id(legacy), url_day(legacy)) == ("020717765", date(2015, 6, 30))
    assert canonical(legacy) == "http://jx.zjol.com.cn/system/2015/06/30/020717765.shtml"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (TRS, "article"),
        ("http://dqnews.zjol.com.cn/dqnews/system/2021/04/16/032987957.shtml", "article"),
        ("http://zjrb.zjol.com.cn/html/2017-08/12/content_3075681.htm?div=-1", "paper"),
        ("http://hnrb.zjol.com.cn/hnrb/html/2018-05/08/content_12.htm", "paper"),
        ("http://zjrb.zjol.com.cn/html/2017-08/12/node_18.htm", "topic"),
        ("http://fzb.zjol.com.cn/gb/node2/node802/node240379/userobject15ai5288824.html", "paper"),
        ("http://fzb.zjol.com.cn/gb/node2/userobject1ai12.html", "paper"),
        ("http://fzb.zjol.com.cn/gb/node2/node802/index.html", "topic"),
        ("http://zjfzb.zjol.com.cn/zjfz/html/2008-12/24/content_12_2.htm", "paper"),
        ("http://zjfzb.zjol.com.cn/zjfz/html/2008-12/24/content_12_2_3.htm", "topic"),
        ("http://paper.people.com.cn/html/2017-08/12/content_3.htm", "offsite"),
        ("http://zj.zjol.com.cn/news.html?id=123", "app"),
        ("http://zj.zjol.com.cn/video.html?id=123", "video"),
        ("https://tidenews.com.cn/news.html?id=9", "app"),
        ("http://v-cdn.zjol.com.cn/185979.mp4", "video"),
        ("http://zjnews.zjol.com.cn/ztjj/zt/", "topic"),
        ("http://www.xinhuanet.com/a.htm", "offsite"),
        ("http://zjol.com.cn.evil.com/201708/t20170812_4774532.shtml", "offsite"),
    ],
)
def test_kind(url: str, expected: str) -> None:
    assert kind(url) == expected


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("//china.zjol.com.cn//gnxw/a.shtml", "http://china.zjol.com.cn/gnxw/a.shtml"),
        ("./201803/a.shtml", "http://china.zjol.com.cn/gnxw/201803/a.shtml"),
        ("http:////zjnews.zjol.com.cn/a.shtml", "http://zjnews.zjol.com.cn/a.shtml"),
        ("https:///zjnews.zjol.com.cn/a.shtml", "https://zjnews.zjol.com.cn/a.shtml"),
        ("////zjnews.zjol.com.cn///a.shtml", "http://zjnews.zjol.com.cn/a.shtml"),
        ("http://zjnews.zjol.com.cn////a.shtml", "http://zjnews.zjol.com.cn/a.shtml"),
        ("/b///a.shtml", "http://china.zjol.com.cn/b/a.shtml"),
        ("javascript:void(0)", None),
        ("#top", None),
        ("", None),
        ("http://[bad", None),
    ],
)
def test_absolute(href: str, expected: str | None) -> None:
    assert absolute("http://china.zjol.com.cn/gnxw/", href) == expected


@pytest.mark.parametrize("role", re.sub(r"\(\?=[^)]*\)", "", EDITOR_ROLES).split("|"))
def test_each_role_of_an_editor_has_a_sign(role: str) -> None:
    assert set(role) & set(EDITOR_SIGNS)


@pytest.mark.parametrize(
    "text",
    [
        "1989-12-31 07:00", "1912年1月1日", "1989-12-31T15:59:59+00:00", "2017-08-12T10:00:00+99:99",
        "2017-08-12T10:00:00-2400", "0001-01-01", "9999-12-31 23:59:59", "2101-01-01",
    ],
)  # fmt: skip
def test_time_that_is_not_plausible_is_none(text: str) -> None:
    assert find_time(text) is None


@pytest.mark.parametrize(
    "url",
    [
        "/zjxw/999912/t99991231_4774532.shtml", "/zjxw/000101/t00010101_4774532.shtml",
        "/zjxw/201702/t20170230_4774532.shtml", "/system/9999/12/31/012345678.shtml",
        "/system/0000/00/00/012345678.shtml", "/html/9999-12/31/content_1.htm",
        "/html/1989-12/31/content_1.htm", "/zjxw/210101/t21010101_4774532.shtml",
        "/zjxw/201708/t２０170812_4774532.shtml",
    ],
)  # fmt: skip
def test_day_of_a_url_that_is_not_plausible_is_none(url: str) -> None:
    found = url_day(f"http://zjnews.zjol.com.cn{url}")
    assert found is None or found == date(2017, 8, 12)
    assert link_day_of(f"http://zjnews.zjol.com.cn{url}", None) is None or found


@pytest.mark.parametrize(
    ("moment", "plausible"),
    [
        (datetime.min, False), (datetime.max, False), (date(1989, 12, 31), False), (date(1990, 1, 1), True),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23))), False),
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-23))), False),
        (china_midnight(date(1990, 1, 1)), True), (china_midnight(date(2100, 12, 31)), True),
        (datetime(2100, 12, 31, 16, tzinfo=timezone.utc), False), (date(2101, 1, 1), False),
    ],
)  # fmt: skip
def test_plausible_days_are_those_of_china(moment: date, plausible: bool) -> None:
    assert is_plausible(moment) is plausible
