"""The columns that a page links to."""

from __future__ import annotations

import pytest

from tests.support.goldens import file_of
from zjolcrawl.parsing.navigation import ColumnLink, column_url, read_navigation

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/"


def read(html: str) -> list[tuple[str, str | None, str]]:
    """URL, name and place of each link to the site's hosts."""
    links = read_navigation(f"<html><meta charset='utf-8'><body>{html}</body></html>".encode(), URL)
    return [(link.url.removeprefix("http://"), link.name, link.place) for link in links]


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<div class="topnav"><a href="//china.zjol.com.cn/gnxw/">国内</a></div>',
         ("china.zjol.com.cn/gnxw/", "国内", "navigation")),
        ('<nav><a href="../hznews/index.shtml">杭州新闻</a></nav>',
         ("zjnews.zjol.com.cn/zjnews/hznews/", "杭州新闻", "navigation")),
        ('<div>您的当前位置：<a href="/">首页</a></div>', ("zjnews.zjol.com.cn/", "首页", "breadcrumb")),
        ('<p><a class="CurrChnlCls" href="https://pol.zjol.com.cn">政情</a></p>',
         ("pol.zjol.com.cn/", "政情", "breadcrumb")),
        ('<div class="box"><h3>援疆</h3><a href="/zjyj/">更多&gt;&gt;</a></div>',
         ("zjnews.zjol.com.cn/zjyj/", "援疆", "more")),
        ('<div><div class="boxTit"><span>图片</span><a href="//photo.zjol.com.cn/">more</a></div></div>',
         ("photo.zjol.com.cn/", "图片", "more")),
        ('<h2><a href="/yc">原创</a></h2>', ("zjnews.zjol.com.cn/yc/", "原创", "heading")),
        ('<a href="/zjyj/"><img alt="浙江援疆" src="a.png"></a>', ("zjnews.zjol.com.cn/zjyj/", "浙江援疆", "page")),
        ('<a href="/zjyj/">这里是一句很长的话，显然不是一个栏目的名称</a>', ("zjnews.zjol.com.cn/zjyj/", None, "page")),
        ('<a href="/zjyj/">&gt;&gt;</a>', ("zjnews.zjol.com.cn/zjyj/", None, "more")),
        ('<base href="//cs.zjol.com.cn/x/"><a href="msbt/">民生</a>', ("cs.zjol.com.cn/x/msbt/", "民生", "page")),
    ],
)  # fmt: skip
def test_a_link_its_name_and_its_place(html: str, found: tuple[str, str | None, str]) -> None:
    assert read(html) == [found]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="./">本页</a><a href="index.shtml">本页</a><a href="index_1.shtml">2</a>',
        '<a href="201708/t20170812_4774532.shtml">文章</a><a href="201708/">月</a>',
        '<a href="http://www.example.com/">外站</a><a href="//zj.zjol.com.cn/">客户端</a>',
        '<a href="/s/?q=1">搜索</a><a href="/x.html">页</a><a href="mailto:a@zjol.com.cn">信</a>',
        '<a href="#">顶</a><a href="javascript:void(0)">收藏</a><a href="//v.zjol.com.cn/">视频</a>',
        '<ul class="listUl"><li><a href="/ztjj/2018qglh/">专题：两会</a></li></ul>',
        "",
    ],
)
def test_what_is_no_column(html: str) -> None:
    assert read(html) == []


def test_the_first_link_with_a_name_counts() -> None:
    html = '<a href="/yc/"><img src="a.png"></a><nav><a href="/yc/">原创</a></nav><a href="/yc/">别名</a>'
    assert read(html) == [("zjnews.zjol.com.cn/yc/", "原创", "navigation")]


def test_a_page_of_the_fixtures() -> None:
    url = "http://china.zjol.com.cn/gnxw/index.shtml"
    found = read_navigation(file_of(url).read_bytes(), url)
    assert found[:3] == [
        ColumnLink("http://www.zjol.com.cn/", "首页", "navigation"),
        ColumnLink("http://zjnews.zjol.com.cn/", "浙江新闻", "navigation"),
        ColumnLink("http://china.zjol.com.cn/", "时政", "navigation"),
    ]


def test_broken_pages_have_none() -> None:
    for body in (b"", b"\x00\xff", b"<a href='http://[/'>x</a>", b"<a href=>x"):
        assert read_navigation(body, URL) == []


@pytest.mark.parametrize(
    ("url", "front"),
    [
        ("https://china.zjol.com.cn/gnxw/index.html", "http://china.zjol.com.cn/gnxw/"),
        ("http://china.zjol.com.cn", "http://china.zjol.com.cn/"),
        ("http://china.zjol.com.cn/gnxw", "http://china.zjol.com.cn/gnxw/"),
        ("http://china.zjol.com.cn/gnxw/index_1.shtml", None),
        ("http://example.com/", None),
    ],
)
def test_address_of_a_front(url: str, front: str | None) -> None:
    assert column_url(url) == front
