"""Unusual lists: several links in an item, dates in summaries, links that only a script makes."""

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


LINK, OTHER = f"<a href={ONE}>小码头重开</a>", f"<a href={TWO}>乙事</a>"


@pytest.mark.parametrize(
    "markup",
    [
        f"<table><tr><td>{LINK}</td><td>2017-08-12</td></tr><tr><td>{OTHER}</td><td>2017-08-11</td></tr></table>",
        f"<table><tr><td>2017-08-12</td><td>{LINK}</td></tr><tr><td>2017-08-11</td><td>{OTHER}</td></tr></table>",
        f"<table><tr><td>·</td><td><b>{LINK}</b></td><td align=right><font>[2017-08-12]</font></td></tr></table>",
        f"<div class=item><h3>{LINK}</h3><span class=time>2017-08-12</span></div><div class=item><h3>{OTHER}</h3></div>",
        f"<div><h4>{LINK}</h4><p>2016年3月1日开工，2018年完工</p><em>2017年8月12日</em></div>",
        f"<dl><dt>{LINK}</dt><dd>2017-08-12 07:34</dd><dt>{OTHER}</dt><dd>2017-08-11</dd></dl>",
        f"<dl><dt>{LINK}</dt><dd>将于2018年1月1日启用</dd><dd>2017-08-12</dd></dl>",
        f"<div>{LINK} 2017-08-12<br>{OTHER} 2017-08-11<br></div>",
        f"<div><h3>{LINK}</h3><i>08-12</i><h3>{OTHER}</h3><i>08-11</i></div>",
        f"<div class=card><a href={ONE}><img src=1.jpg></a><div><a href=/zjnews/>[要闻]</a>{LINK}</div><p>08/12</p></div>",
    ],
)  # fmt: skip
def test_date_beside_a_link_that_no_list_holds(markup: str) -> None:
    found = {link.url.partition(".cn")[2]: link.listed_at for link in links(markup)}
    one = found[ONE]
    assert one
    assert china_day(one).isoformat() == "2017-08-12"
    assert found.get(TWO) is None or china_day(found[TWO]).isoformat() == "2017-08-11"


@pytest.mark.parametrize(
    "said, day",
    [
        ("08-12", "2017-08-12"),
        ("[08-12]", "2017-08-12"),
        ("8月12日", "2017-08-12"),
        ("（08/13）", "2017-08-13"),
        ("8.12", "2017-08-12"),
        ("08-12 07:34", "2017-08-12"),
        ("3-12", None),
        ("13-12", None),
        ("08-12版", None),
    ],
)
@pytest.mark.parametrize("form", ["<span>{}</span>", " {}", "<td>{}</td>"])
def test_day_without_its_year(said: str, day: str | None, form: str) -> None:
    (link,) = links(item(LINK + form.replace("{}", said)))
    assert (link.listed_at and china_day(link.listed_at).isoformat()) == day


def test_day_without_its_year_is_next_to_that_of_the_address() -> None:
    anchor = "<a href=/zjnews/zjxw/201801/t20180102_4774532.shtml>甲</a>"
    (link,) = links(item(f"{anchor}<span>12-31</span>"))
    assert link.listed_at
    assert china_day(link.listed_at).isoformat() == "2017-12-31"


@pytest.mark.parametrize(
    "href",
    [
        f"javascript:window.open('{ONE}')",
        f"javascript:void(window.open('{ONE}','_blank'))",
        f"JavaScript:location.href='{ONE}';",
        f"javascript:goTo(&quot;{ONE}&quot;, 3)",
        f" javascript: openNews('a', '{ONE}')",
        f"vbscript:go('{ONE}')",
    ],
)
@pytest.mark.parametrize("form", [item("{}"), "<div>{}</div>", "<table><tr><td>{}</td></tr></table>"])  # fmt: skip
def test_address_in_the_script_of_a_link(href: str, form: str) -> None:
    assert told(form.replace("{}", f'<a href="{href}">甲事</a>')) == [(ONE, "甲事")]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("\\u5c71\\u57ce\\u65e9\\u5e02", "山城早市"),
        ("山城\\/早市", "山城/早市"),
        ("山城的\\t早市", "山城的 早市"),
        ("100\\%的早市", "100\\%的早市"),  # no escape of JSON: left as it is written
        ("山城\\u5c7", "山城\\u5c7"),
    ],
)
def test_title_in_a_script_is_unescaped(written: str, title: str) -> None:
    script = f'<script>var list = [{{"title": "{written}", "url": "{ONE}"}}]</script>'
    assert told(script) == [(ONE, title)]


@pytest.mark.parametrize(
    "href", ["javascript:void(0)", "javascript:open('/zjnews/zjxw/')", "javascript:;"]
)
def test_script_of_a_link_that_names_no_article(href: str) -> None:
    assert told(item(f'<a href="{href}">甲事</a>')) == []


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
