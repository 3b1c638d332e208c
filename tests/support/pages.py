"""Small article pages of template T1, and lists of them."""

from __future__ import annotations

from tests.support.site import Answer, SiteProxy

HOST = "http://zjnews.zjol.com.cn"
COLUMN = f"{HOST}/test/lm/"
DAY = "2017-08-12"
RELATED = '<div class="relate"><a href="/x.shtml">相关阅读</a></div>'


def article(day: str, ident: int, title: str = "标题一则新闻", more: str = "") -> bytes:
    """An article page; `more` is HTML at the end of its body."""
    return (
        f'<html><head><meta charset="utf-8"><title>{title}-浙江在线</title></head><body>'
        f'<div class="contTit">{title}</div><div class="info"><span id="pubtime_baidu">{day} 10:00:00</span>'
        f'<span id="source_baidu">来源：浙江在线</span></div><div class="contTxt">'
        f"<p>　　这是第{ident}篇文章的正文，讲述了浙江各地的新鲜事情。</p>{more}</div></body></html>"
    ).encode()


def saying(ident: int, words: str, title: str = "标题一则新闻", furniture: str = "") -> Answer:
    """The article with another body, and with `furniture` at the end of the page."""
    html = article(DAY, ident, title).decode().replace("讲述了浙江各地的新鲜事情", words)
    return Answer(body=html.replace("</body>", f"{furniture}</body>").encode())


def list_page(items: list[tuple[str, int]], pager: str = "") -> bytes:
    rows = "".join(
        f'<li class="listLi"><span class="listSpan">{day}</span>'
        f'<a href="./{day[:4]}{day[5:7]}/t{day.replace("-", "")}_{ident}.shtml">文章{ident}</a></li>'
        for day, ident in items
    )
    return f'<html><meta charset="utf-8"><ul class="listUl">{rows}</ul>{pager}</html>'.encode()


def url_of(ident: int, day: str = DAY) -> str:
    """The URL of an article of `serve_column`."""
    return f"{COLUMN}{day[:4]}{day[5:7]}/t{day.replace('-', '')}_{ident}.shtml"


def following(number: int) -> str:
    return f'<span class="fenye"><a href="index_{number}.shtml">下一页</a></span>'


def serve_column(site: SiteProxy, pages: list[list[tuple[str, int]]]) -> None:
    for number, items in enumerate(pages):
        name = f"index_{number}.shtml" if number else ""
        pager = following(number + 1) if number + 1 < len(pages) else ""
        site.set(
            COLUMN + name,
            Answer(headers={"Content-Type": "text/html"}, body=list_page(items, pager)),
        )
        for day, ident in items:
            page = Answer(headers={"Content-Type": "text/html"}, body=article(day, ident))
            site.set(url_of(ident, day), page)
