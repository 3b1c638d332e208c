"""Generates column pages with each kind of list that the site document names (section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape

from hypothesis import strategies as st

from tests.parsing import vocabulary as words
from tests.parsing.pages import Source, Style, dress, moments

HOST = "zjnews.zjol.com.cn"
_PATH = f"//{HOST}/zjnews/zjxw/"


@dataclass(frozen=True, slots=True)
class Entry:
    title: str
    moment: datetime
    ident: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column page; `clock` is the date format of its list, None if it has no dates."""

    entries: list[Entry]
    clock: str | None
    number: int
    is_last: bool

    @property
    def url(self) -> str:
        return f"http:{_PATH}{f'index_{self.number}.shtml' if self.number else ''}"

    @property
    def next_url(self) -> str | None:
        return None if self.is_last else f"http:{_PATH}index_{self.number + 1}.shtml"

    def links(self) -> list[tuple[str, str, datetime | None]]:
        """The links of the list as a reader sees them: URL, title, time in UTC."""
        return [
            (f"http:{_PATH}{_name(e)}", e.title, self.clock and _seen(e.moment, self.clock))
            for e in self.entries
        ]


def _name(entry: Entry) -> str:
    return f"{entry.moment:%Y%m}/t{entry.moment:%Y%m%d}_{entry.ident}.shtml"


def _seen(moment: datetime, clock: str) -> datetime:
    seen = datetime.strptime(moment.strftime(clock), clock)
    return (seen - timedelta(hours=8)).replace(tzinfo=timezone.utc)


@st.composite
def columns(draw: st.DrawFn) -> Column:
    idents = draw(st.lists(st.integers(600000, 32000000), min_size=1, max_size=8, unique=True))
    entries = [Entry(draw(words.headlines()), draw(moments()), ident) for ident in idents]
    clock = draw(st.sampled_from(["%Y年%m月%d日%H时", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", None]))
    return Column(entries, clock, draw(st.integers(0, 12)), draw(st.booleans()))


@st.composite
def pages(draw: st.DrawFn, column: Column) -> Source:
    """The column page with its list in one of the known forms and other links around it."""
    form = draw(st.sampled_from(["listUl", "news_item", "newslist", "Ullist", "main"]))
    items = "\n".join(_item(draw, entry, column.clock, form) for entry in column.entries)
    opening = {
        "listUl": '<ul class="listUl">',
        "news_item": '<ul class="news_list">',
        "newslist": '<ul class="newslist">',
        "Ullist": '<ul id="Ullist">',
        "main": '<div id="main"><div><ul>',
    }[form]
    closing = "</ul></div></div>" if form == "main" else "</ul>"
    hot = "".join(
        f'<li><a href="{_PATH}201707/t20170701_46{n:05d}.shtml">{title}</a></li>'
        for n, title in enumerate(words.OTHERS)
    )
    aside = draw(
        st.sampled_from(["", f'<div class="sidebar fr"><ul class="hotList">{hot}</ul></div>'])
    )
    menu = "".join(f'<a href="//{host}.zjol.com.cn/">{name}</a>' for name, host in words.CHANNELS)
    following = f'<a href="index_{column.number + 1}.shtml">下一页</a>'
    pager = f'<span class="fenye"><div>首页 上一页 <a class="on">{column.number + 1}</a> {"" if column.is_last else following}</div></span>'
    style = draw(
        st.builds(
            Style,
            quote=st.sampled_from("\"'"),
            upper=st.booleans(),
            crlf=st.booleans(),
            charset=st.sampled_from(["utf-8", "gb18030"]),
        )
    )
    html = (
        f'<html><head><meta charset="{style.charset}"><title>浙江新闻-浙江在线</title></head><body>\n'
        f'<div class="topnav">{menu}</div>\n{opening}\n{items}\n{closing}\n{pager}\n{aside}</body></html>'
    )
    return Source(dress(html, style), style.charset)


def _item(draw: st.DrawFn, entry: Entry, clock: str | None, form: str) -> str:
    name = _name(entry)
    href = draw(
        st.sampled_from(
            [f"./{name}", f"{_PATH}{name}", f"http:{_PATH}{name}", f"//{HOST}//zjnews/zjxw/{name}"]
        )
    )
    title = escape(entry.title)
    date = entry.moment.strftime(clock) if clock else ""
    if form == "news_item":
        said = f'<span class="time">| {date}</span>' if date else ""
        return f'<li class="news_item"><a href="{href}"><img src="/i.jpg"><h2>{title}</h2><span class="resource">浙江在线</span>{said}</a></li>'
    said = f'<span class="listSpan">{date}</span>' if date else ""
    # A list may cut a long title and have the full one in an attribute.
    cut = len(entry.title) > 12 and draw(st.booleans())
    anchor = (
        f'<a href="{href}" title="{title}">{escape(entry.title[:10])}...</a>'
        if cut
        else f'<a href="{href}" target="_blank">{title}</a>'
    )
    return (
        f'<li class="listLi">{said}{anchor}</li>'
        if draw(st.booleans())
        else f'<li class="listLi">{anchor}{said}</li>'
    )
