"""Lists in odd forms: several links in an item, dates of summaries, links that only a script makes."""

import json

import pytest

from zjolcrawl.parsing.column_page import ListedLink, read_column
from zjolcrawl.parsing.fields.dates import china_day

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/"
ONE = "/zjnews/zjxw/201708/t20170812_4774532.shtml"
TWO = "/zjnews/zjxw/201708/t20170811_4774001.shtml"


def links(markup: str) -> list[ListedLink]:
    return read_column(f"<html><body>{markup}</body></html>".encode(), URL).links


def told(markup: str) -> list[tuple[str, str | None]]:
    return [(link.url.partition(".cn")[2], link.title) for link in links(markup)]


def item(inner: str) -> str:
    return f"<div id=main><ul class=listUl><li>{inner}</li></ul></div>"


@pytest.mark.parametrize(
    "markup",
    [
        item(f"<a href={ONE}>甲事</a> <a href={TWO}>乙事</a>"),
        item(f"<a href=/zjnews/zjxw/>[省内]</a><a href={ONE}>甲事</a>　<a href={TWO}>乙事</a>"),
        item(f"<p><a href={ONE}>甲事</a></p><p><a href={TWO}>乙事</a></p>"),
        item(
            f"<a href={ONE}><img src=1.jpg></a><a href={ONE}>甲事</a><a href={TWO} title=乙事></a>"
        ),
        f"<ul class=newslist><li><a href={ONE}>甲事</a><br><a href={TWO}>乙事</a></li></ul>",
        item(
            f"<a href={ONE}><img src=1.jpg alt=甲事></a><a href={TWO}>乙事</a><a href={TWO}>[详细]</a>"
        ),
    ],
)
def test_every_article_of_an_item(markup: str) -> None:
    assert told(markup) == [(ONE, "甲事"), (TWO, "乙事")]


@pytest.mark.parametrize(
    "inner, title",
    [
        (f"<a href={ONE}><img src=1.jpg><h3>茶厂开工</h3><p>头一批秋茶装了箱。</p><span>2017-08-12</span></a>", "茶厂开工"),
        (f"<a href={ONE}><div>茶厂开工</div><div>2017-08-12</div></a>", "茶厂开工"),
        (f"<a href={ONE}><div><img src=1.jpg></div><p>茶厂开工</p><p>茶厂开工</p></a>", "茶厂开工"),
        (f"<a href={ONE}><img src=1.jpg alt=茶厂开工></a>", "茶厂开工"),
        (f"<a href={ONE} title=茶厂开工头一批秋茶装箱>茶厂开工头一批…</a>", "茶厂开工头一批秋茶装箱"),
        (f"<a href={ONE}><img src=1.jpg></a><div><a href={ONE}>茶厂开工</a></div>", "茶厂开工"),
        (f"<a href={ONE}>茶厂<b>开工</b></a>", "茶厂开工"),
    ],
)  # fmt: skip
def test_title_of_a_link(inner: str, title: str) -> None:
    assert told(item(inner)) == [(ONE, title)]


@pytest.mark.parametrize(
    "inner, day",
    [
        ("<a href={}>茶厂</a><p>2016年3月1日开工</p><span>2017-08-12</span>", "2017-08-12"),
        ("<span>2017-08-12</span><a href={}>茶厂</a><p>2016年3月1日开工</p>", "2017-08-12"),
        ("<h3><a href={}>2016年3月1日的茶厂</a></h3><em>2017年08月12日</em>", "2017-08-12"),
        (
            "<p>1998年5月6日建厂，2016年3月1日开工</p><a href={}>茶厂</a> 2017-08-13 09:00",
            "2017-08-13",
        ),
        ("<a href={}>茶厂</a><div>2017年9月1日起涨价</div><i>[2017-08-12 07:34]</i>", "2017-08-12"),
        ("<a href={}>茶厂</a><p>2016年3月1日开工</p>", None),
        ("<a href={}>茶厂</a><span>2017-08-20</span>", "2017-08-20"),
    ],
)
def test_date_next_to_the_address(inner: str, day: str | None) -> None:
    (link,) = links(item(inner.replace("{}", ONE)))
    assert (link.listed_at and china_day(link.listed_at).isoformat()) == day


def test_date_of_a_link_without_a_day_in_its_address() -> None:
    inner = "<a href=//zj.zjol.com.cn/news.html?id=9>茶厂</a><p>2016年3月1日开工的茶厂</p><span>2017-08-12</span>"
    (link,) = links(item(inner))
    assert link.listed_at
    assert china_day(link.listed_at).isoformat() == "2017-08-12"


LIST = [{"title": "甲事", "url": ONE, "pubtime": "2017-08-12 07:34"}, {"title": "乙事", "url": TWO}]


SLASH = "\\/"


@pytest.mark.parametrize(
    "markup",
    [
        item(f"<a href=javascript:; data-url={ONE}>甲事</a>") + item(f"<b onclick=\"location.href='{TWO}'\">乙事</b>"),
        f"<ul class=listUl><li data-href={ONE}>甲事</li><li onclick=\"window.open('{TWO}','_blank')\">乙事</li></ul>",
        f"<div class=card data-link={ONE}><h3>甲事</h3></div><div class=card data-link={TWO}><h3>乙事</h3></div>",
        f"<script>var list = {json.dumps(LIST)};</script>",
        f"<script>var list = {json.dumps(LIST, ensure_ascii=False)};</script>",
        "<script>render([{title:'甲事',link:'" + ONE + "'},{title:'乙事',link:'" + TWO + "'}])</script>",
        f"<script type=application/json>{json.dumps({'data': {'rows': LIST}}).replace('/', SLASH)}</script>",
        f"<script>document.write('<li><a href=\"{ONE}\">甲事</a></li><li><a href=\"{TWO}\">乙事</a></li>');</script>",
        f'<script>html += "<a href=\\"{ONE}\\" target=\\"_blank\\">甲事<\\/a>"; html += "<a href=\'{TWO}\'>乙事<\\/a>";</script>',
        item(f"<a href=#><span data-src={ONE}>甲事</span></a><a href=/zjnews/zjxw/>更多</a>") + item(f"<i data-u={TWO}>乙事</i>"),
    ],
)  # fmt: skip
def test_links_that_a_script_makes(markup: str) -> None:
    assert told(markup) == [(ONE, "甲事"), (TWO, "乙事")]


def test_date_that_a_script_gives() -> None:
    found = links(f"<script>var list = {json.dumps(LIST)};</script>")
    assert [link.listed_at and str(link.listed_at)[:16] for link in found] == [
        "2017-08-11 23:34",
        None,
    ]


def test_links_of_the_page_come_before_those_of_scripts() -> None:
    script = f"<script>var hot = {json.dumps(LIST[1:])};</script>"
    assert told(item(f"<a href={ONE}>甲事</a>") + script) == [(ONE, "甲事")]


def test_references_of_a_list_start_from_its_base() -> None:
    page = "<html><head><base href=http://js.zjol.com.cn/ycxw/></head><body>" + item(
        "<a href=201708/t20170812_4774532.shtml>甲事</a>"
    )
    column = read_column(
        f"{page}<span class=fenye><a href=index_1.shtml>下一页</a></span></body></html>".encode(),
        URL,
    )
    assert [link.url for link in column.links] == [
        "http://js.zjol.com.cn/ycxw/201708/t20170812_4774532.shtml"
    ]
    assert column.next_url == "http://js.zjol.com.cn/ycxw/index_1.shtml"
