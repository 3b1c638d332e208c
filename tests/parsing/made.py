"""Generates pages for tests of headings and credits: lines of real pages in several layouts, invented prose."""

from __future__ import annotations

from html import escape

from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.pipelines.normalize import normalize

TITLE = "山里的老茶厂修好了 明年春天开门迎客"
PROSE = [
    "　　村口的老茶厂停了二十多年，今年夏天终于修好了。木窗换了新的，屋顶的瓦片也一块一块重新铺过。",
    "　　看守厂房的老周说，最难的是找会修旧灶的师傅，前后跑了三个县，才请到一位七十多岁的老人。",
    "　　等到明年春天，第一批新茶会在这里炒制，村里还打算办一个小小的展览，讲讲茶厂从前的日子。",
]
TEXT = "".join(f"<p>{line}</p>" for line in PROSE)
LEGACY = "http://zjnews.zjol.com.cn/05zjnews/system/2006/07/04/006700001.shtml"
TRS = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774999.shtml"
PAPER = "http://zjrb.zjol.com.cn/html/2018-08/09/content_3157199.htm"
CRUMBS = '您当前的位置 :<a href="/">浙江在线</a> &gt; <a href="/zj/">浙江新闻</a> &gt; <a href="/zj/zh/">综合</a> 正文'


def article(html: str, url: str = TRS) -> Article:
    """The article of a page; fails if there is none."""
    raw = read_article(html.encode(), url)
    assert isinstance(raw, RawArticle), raw
    return normalize(raw)


def people(found: list) -> list[tuple[str | None, str, str]]:
    """Outlet, role and name of each person."""
    return [(each.outlet, each.role, each.name) for each in found]


def names(found: list) -> list[str]:
    """The names of people."""
    return [each.name for each in found]


def layouts(
    head: list[str],
    foot: list[str] | None = None,
    text: str = TEXT,
    above: list[str] | None = None,
    title: str = TITLE,
) -> dict[str, str]:
    """A page whose lines are the same in each markup: `above` the headline, `head` below it, `foot`
    below the text.
    """
    foot, above = foot or [], above or []
    tag = f"<html><head><title>{title}-浙江新闻-浙江在线</title></head><body>"
    e = escape

    def each(markup: str, lines: list[str]) -> str:
        return "".join(markup.format(e(line, quote=False)) for line in lines)

    rows, div, p, dd, font = (
        "<tr><td>{}</td></tr>", "<div>{}</div>", "<p>{}</p>", "<dd>{}</dd>", "<font size=2>{}</font><br>",
    )  # fmt: skip
    return {
        "T1": f"{tag}<div class='wrap'><div>{CRUMBS}</div>{each(div, above)}<div class='contTit'>{title}</div>"
        f"{each(div, head)}<div class='contTxt'>{text}</div>{each(div, foot)}</div></body></html>",
        "table": f"{tag}<table><tr><td><table><tr><td>{CRUMBS}</td></tr>{each(rows, above)}</table>"
        f"<table><tr><td align='center'><b>{title}</b></td></tr>{each(rows, head)}"
        f"<tr><td class='txt'>{text}</td></tr>{each(rows, foot)}</table></td></tr></table></body></html>",
        "generic": f"{tag}<div><div>{CRUMBS}</div>{each(div, above)}<div><h1>{title}</h1></div>{each(div, head)}"
        f"<div>{text}</div>{each(div, foot)}</div></body></html>",
        "lists": f"{tag}<div id='a'><p>{CRUMBS}</p>{each(p, above)}<h2>{title}</h2><dl>{each(dd, head)}</dl>"
        f"<div class='zw'>{text}</div><dl>{each(dd, foot)}</dl></div></body></html>",
        "font": f"{tag}<center>{CRUMBS}<br>{each(font, above)}</center><h1>{title}</h1><center>{each(font, head)}"
        f"</center><div class='zw'>{text}</div><center>{each(font, foot)}</center></body></html>",
        "one box": f"{tag}<div>{CRUMBS}</div><div class='content'>{each(p, above)}<h1>{title}</h1>{each(p, head)}"
        f"{text}{each(p, foot)}</div></body></html>",
    }
