"""Different spellings of a URL have one canonical form (RFC 3986, 6.2.2)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.database import Database
from scrapy import Request

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, HOST, article, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.urls import absolute, canonical, kind, normalized

HTML = {"Content-Type": "text/html"}
IDENT = 4774532
URL = f"{HOST}/test/lm/201708/t20170812_{IDENT}.shtml"
OTHERS = [
    f"{HOST}/test/./lm/201708/t20170812_{IDENT}.shtml",
    f"{HOST}/test/lm/x/../201708/t20170812_{IDENT}.shtml",
    f"{HOST}/../../test/lm/201708/t20170812_{IDENT}.shtml",
    f"{HOST}/test/lm/x/%2e%2E/201708/t20170812_{IDENT}.shtml",
    f"{HOST}/test/lm/x/.%2e/201708/%74%3220170812_{IDENT}.shtml".replace("%3220", "20"),
    f"{HOST}/%74est/%6c%6D/201708/t20170812%5F{IDENT}%2Eshtml",
    f"{HOST}/test//lm///201708/t20170812_{IDENT}.shtml",
    f"{HOST}./test/lm/201708/t20170812_{IDENT}.shtml",
    f"{HOST}.:80/test/lm/201708/t20170812_{IDENT}.shtml?",
    f"HTTP://ZJNEWS.ZJOL.COM.CN:/test/lm/201708/t20170812_{IDENT}.shtml#",
    f"https://zjnews.zjol.com.cn:443/test/lm/201708/t20170812_{IDENT}.shtml?x=%41",
    f"http://name:word@zjnews.zjol.com.cn/test/lm/201708/t20170812_{IDENT}.shtml",
    f"http://zjnews.zjol.com.cn\\test\\lm\\201708\\t20170812_{IDENT}.shtml",
]


@pytest.mark.parametrize("url", OTHERS)
def test_article_has_one_address(url: str) -> None:
    assert canonical(url) == URL
    assert kind(absolute(url, url) or "") == "article"


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("http://h/%7Eabc", "http://h/~abc"),
        ("http://h/%e6%b5%99", "http://h/%E6%B5%99"),
        ("http://h/浙", "http://h/%E6%B5%99"),
        ("http://h/a b", "http://h/a%20b"),
        ('http://h/a"<>', "http://h/a%22%3C%3E"),
        ("http://h/?q=浙&a=%7e", "http://h/?q=%E6%B5%99&a=~"),
        ("http://h/%d0%c2", "http://h/%D0%C2"),  # GBK
        ("http://h/a%2Fb", "http://h/a%2Fb"),  # reserved: not the same as a/b
        ("http://h/a%2fb", "http://h/a%2Fb"),
        ("http://h/100%", "http://h/100%25"),
        ("http://h/100%zz%4", "http://h/100%25zz%254"),
        ("http://h/%%37e", "http://h/%257e"),
        ("http://h/%257e", "http://h/%257e"),
        ("http://中国.cn/a", "http://xn--fiqs8s.cn/a"),
        ("http://h/.hidden/..a/...", "http://h/.hidden/..a/..."),
        ("http://h/a/..", "http://h/"),
        ("http://h/a/b/.", "http://h/a/b/"),
        ("http://h/a/b/%2e%2e?x=/../", "http://h/a/?x=/../"),
        ("http://h?", "http://h/"),
    ],
)
def test_one_spelling(url: str, one: str) -> None:
    assert normalized(absolute(url, url) or "") == one
    assert canonical(url) == one
    assert canonical(one) == one


def test_another_port_is_another_address() -> None:
    assert canonical(f"https://zjnews.zjol.com.cn:8443{URL.removeprefix(HOST)}") != URL
    assert canonical("https://h:80/a") == "https://h:80/a"


_PARTS = ["/", ".", "..", "%", "%2", "%2e", "%2E", "%7E", "%41", "%25", "%e6", "浙", "a", "b", "?", "#", "&", "=", " ", "'",
          '"', "|", "[", "]", "\\", "~", "\x00", "t20170812_1234.shtml", "201708", "system/2015/06/30/020717765.shtml"]  # fmt: skip


@given(
    st.sampled_from(["http://h", "https://zjol.com.cn", "http://zjol.com.cn.", "http://浙江.cn", "http://zjol.com.cn:8080"]),
    st.lists(st.one_of(st.sampled_from(_PARTS), st.text(max_size=3)), max_size=14).map("".join),
)  # fmt: skip
def test_canonical_of_any_address_is_its_own_and_is_what_scrapy_asks_for(
    host: str, end: str
) -> None:
    one = canonical(f"{host}/{end}")
    assert canonical(one) == one
    try:
        asked = Request(one).url
    except ValueError:  # a lone surrogate
        return
    assert canonical(asked) == one


def test_long_addresses_are_linear() -> None:
    begun = time.process_time()
    for piece in ("../", "./", "%2e%2e/", "%7E", "%", "浙", "/", "a/../", "zjol.com.cn.", "%25"):
        url = f"{HOST}/" + piece * 100_000
        assert canonical(url).startswith(HOST)
        canonical(f"http://{piece * 20_000}/")
    assert time.process_time() - begun < 20


def test_list_that_spells_an_article_many_ways_has_it_once() -> None:
    items = "".join(f'<li class="listLi"><a href="{url}">文章</a></li>' for url in OTHERS)
    page = read_column(f'<ul class="listUl">{items}</ul>'.encode(), COLUMN)
    assert [(link.url, link.fetch_url) for link in page.links] == [(URL, URL)]


def test_topic_page_is_one_row_too() -> None:
    hrefs = ["/zt/%7ea/", "/zt/~a/", "/zt/x/../%7Ea/", "/zt/./~a/"]
    items = "".join(f'<li class="listLi"><a href="{href}">专题</a></li>' for href in hrefs)
    page = read_column(f'<ul class="listUl">{items}</ul>'.encode(), COLUMN)
    assert [link.url for link in page.links] == [f"{HOST}/zt/~a/"]


def test_crawl_fetches_an_article_of_many_spellings_once(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    ident = 4774001
    url = url_of(ident)
    path = url.removeprefix(HOST)
    spelled = [
        path,
        path.replace("/lm/", "/lm/./x/../"),
        path.replace("/lm", "/%6Cm"),
        f"{HOST}.{path}",
    ]
    items = "".join(
        f'<li class="listLi"><a href="{each}">文章</a></li>' for each in reversed(spelled)
    )
    site.set(COLUMN, Answer(body=f'<ul class="listUl">{items}</ul>'.encode(), headers=HTML))
    site.set(url, Answer(body=article(DAY, ident), headers=HTML))
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    assert [row["_id"] for row in db.frontier.find()] == [url]
    assert [each["_id"] for each in db.articles.find()] == [url]
    assert site.urls().count(url) == 1
    done = crawl("article", url=f"{HOST}{path.replace('/test', '/x/../%74est')}")
    assert done.returncode == 0
    assert [row["_id"] for row in db.frontier.find()] == [url]
