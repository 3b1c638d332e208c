"""Generates pages of each template from their content: `story()` and `page()` for hypothesis.

A `Story` is an article as an editor knows it; `page` writes it as the site's templates do (site document,
section 3), with random furniture and formatting. What is in neither the document nor a
fixture is not generated: a failure must be the parser's fault, not that of an absurd page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import Any

from hypothesis import strategies as st

from tests.parsing import vocabulary as words
from zjolcrawl.items import Byline

LAYOUTS = ("conttit", "legacy", "arttitle", "wechat", "containers", "table", "paper")
_TEMPLATES = {
    "conttit": "T1", "legacy": "T1", "arttitle": "T2", "wechat": "T2", "containers": "T3",
    "table": "generic", "paper": "T5",
}  # fmt: skip

# Formats of a time, with their precision; the first two and `%H时` are the site's own.
CLOCKS = {
    "%Y年%m月%d日 %H:%M:%S": "second",
    "%Y-%m-%d %H:%M:%S": "second",
    "%Y年%m月%d日%H时%M分%S秒": "second",
    "%Y-%m-%dT%H:%M:%S+08:00": "second",
    "%Y年%m月%d日%H:%M": "minute",
    "%Y-%m-%d %H:%M": "minute",
    "%Y/%m/%d %H:%M": "minute",
    "%Y年%m月%d日 %H时": "hour",
    "%Y年%m月%d日%H时": "hour",
    "%Y年%m月%d日": "day",
    "%Y-%m-%d": "day",
}
_FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in "0123456789:"} | {ord(" "): 0x3000}
_STEPS = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Group:
    """People of one role: `浙江在线记者 江帆 王小明`."""

    role: str
    names: list[str]
    outlet: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One block of a body: text, head, figure, table, list or video; `form` is how it is marked up."""

    kind: str
    lines: list[str] = field(default_factory=list)
    form: str = ""
    ref: str = ""
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """Formatting of a page's source that does not change its content."""

    quote: str = '"'
    upper: bool = False
    crlf: bool = False
    indent: str = ""
    entities: bool = False
    wrap: bool = False
    charset: str = "utf-8"
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A page as text, shown when a test fails."""

    html: str
    charset: str

    def __bytes__(self) -> bytes:
        return self.html.encode(self.charset)


@dataclass(frozen=True, slots=True)
class Story:
    layout: str
    url: str
    title: str
    moment: datetime
    clock: str
    source: str
    groups: list[Group]
    editors: list[Group]
    tags: list[str]
    breadcrumb: list[str]
    parts: list[Part]
    kicker: str | None = None
    subtitle: str | None = None
    note: str | None = None
    dateline: str | None = None
    byline_in: str = "info"


def story_document(story: Story) -> dict[str, Any]:
    """The document of a story, as a reader sees it on the page."""
    authors = [Byline(n, g.role, g.outlet) for g in story.groups for n in g.names]
    editors = [Byline(n, g.role, g.outlet) for g in story.editors for n in g.names]
    figures = [part for part in story.parts if part.kind == "figure"]
    return {
        "template": _TEMPLATES[story.layout],
        "url": story.url,
        "title": story.title,
        "kicker": story.kicker,
        "subtitle": story.subtitle,
        "published": (story.moment - timedelta(hours=8), CLOCKS[story.clock]),
        "source": story.source,
        "authors": authors,
        "editors": editors,
        "tags": story.tags,
        "breadcrumb": story.breadcrumb,
        "note": story.note,
        "dateline": story.dateline,
        "body": [line for part in story.parts if part.kind != "figure" for line in part.lines],
        "heads": [part.lines[0] for part in story.parts if part.kind == "head"],
        "images": [(part.ref, n, part.caption) for n, part in enumerate(figures, 1)],
        "videos": [part.ref for part in story.parts if part.kind == "video"],
    }


# --- content -----------------------------------------------------------------------------------


@st.composite
def moments(draw: st.DrawFn, precision: str = "second") -> datetime:
    """A local time in China with the given precision."""
    moment = datetime(2013, 1, 1) + timedelta(seconds=draw(st.integers(0, 13 * 365 * 86400)))
    parts = {"minute": {"second": 0}, "hour": {"second": 0, "minute": 0}}
    parts["day"] = {"second": 0, "minute": 0, "hour": 0}
    return moment.replace(**parts.get(precision, {}))


@st.composite
def clock_texts(draw: st.DrawFn, moment: datetime, clock: str) -> str:
    """The time as a page writes it: plain digits, without leading zeros, or full-width."""
    text = moment.strftime(clock)
    if "年" in clock and draw(st.booleans()):
        text = re.sub(r"(?<=[年月])0(?=\d)", "", text)
    # Full-width digits [fixture of 2012]; the letters of an ISO time are a machine's and never are.
    if "年" in clock and draw(st.integers(0, 9)) == 0:
        text = text.translate(_FULL_WIDTH)
    return text


def clocks() -> st.SearchStrategy[str]:
    return st.sampled_from(list(CLOCKS))


@st.composite
def groups(draw: st.DrawFn, roles: tuple[str, ...], most: int = 3) -> list[Group]:
    """Groups of people with different roles; only reporters have an outlet."""
    some = draw(st.lists(st.sampled_from(roles), min_size=1, max_size=most, unique=True))
    names = draw(st.lists(words.names(), min_size=len(some), max_size=len(some) + 2, unique=True))
    outlets = st.sampled_from([None, *words.OUTLETS])
    found = []
    for n, role in enumerate(some):
        # The last group has all remaining people: 通讯员 王小明 张三
        own = names[n:] if n == len(some) - 1 else names[n : n + 1]
        found.append(Group(role, own, draw(outlets) if role.endswith("记者") else None))
    return found


@st.composite
def bylines(draw: st.DrawFn, people: list[Group]) -> str:
    """The groups as a byline writes them."""
    between = draw(st.sampled_from([" ", "　", "、"]))
    after = draw(st.sampled_from([" ", "　", "："]))
    gap = draw(st.sampled_from(["", " ", "　"]))
    said = []
    for group in people:
        # 江 帆: a name of two characters with a space, to be as wide as three, where no 、 separates names
        apart = [gap.join(n) if len(n) == 2 and between != "　" else n for n in group.names]
        said.append(f"{group.outlet or ''}{group.role}{after}{between.join(apart)}")
    return draw(st.sampled_from([" ", "　"])).join(said)


@st.composite
def figures(draw: st.DrawFn, layout: str, number: int, day: datetime) -> Part:
    name = f"W0{day:%Y%m%d}{draw(st.integers(10**11, 10**12 - 1 - 100)) + number}.jpg"
    caption = draw(st.none() | words.captions())
    form = "none"
    if caption:
        forms = ["next", "marked", "figcaption", "row", "break"]
        # A paper puts captions into tables beside the text, WeChat into a small line below.
        forms = {"wechat": ["next", "marked", "figcaption"], "paper": ["row"]}.get(layout, forms)
        form = draw(st.sampled_from(forms))
    if form == "marked":
        caption = f"▲{caption}"
    local = draw(st.booleans())
    ref = f"./{name}" if local else f"//img.zjol.com.cn/mlf/dzw/zjxw/zjxw/{day:%Y%m}/{name}"
    return Part("figure", form=form, ref=ref, caption=caption)


@st.composite
def bodies(
    draw: st.DrawFn, layout: str, opening: str, day: datetime, heads: list[str], start: int = 0
) -> list[Part]:
    """Two to six paragraphs and single other blocks between them.

    Sub-heads are of `heads`, each once; pictures are numbered from `start`.
    """
    heads = list(heads)
    parts = [Part("text", [opening + draw(words.paragraphs())])]
    kinds = ["head", "figure", "table", "list", "video", "none", "none"]
    if layout == "table":
        kinds = ["figure", "none"]  # these have only text and images
    if layout == "paper":
        kinds = ["none"]
    for number in range(start, start + draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(kinds))
        if kind == "head":
            head = heads.pop()
            # A bold question is an interviewer's, not a subheading [fixtures].
            parts.append(
                Part("head", [head], "h" if head[-1] == "？" else draw(st.sampled_from("sbhc")))
            )
        elif kind == "figure":
            parts.append(draw(figures(layout, number, day)))
        elif kind == "table":
            parts.append(Part("table", draw(words.tables())))
        elif kind == "list":
            items = st.lists(words.sentences(), min_size=2, max_size=4, unique=True)
            parts.append(Part("list", draw(items), draw(st.sampled_from(["ul", "ol"]))))
        elif kind == "video":
            ident = draw(st.integers(10000, 999999))
            parts.append(Part("video", ref=f"https://v-cdn.zjol.com.cn/{ident}.mp4"))
        # A paragraph of two lines is divided by a break.
        lines = [draw(words.paragraphs()) for _ in range(draw(st.sampled_from([1, 1, 1, 2])))]
        form = draw(st.sampled_from(["", "", "span", "bold", "link"]))
        parts.append(Part("text", lines, form))
    return parts


@st.composite
def stories(draw: st.DrawFn, layout: str) -> Story:
    clock = "%Y-%m-%d" if layout == "paper" else draw(clocks())
    moment = draw(moments(CLOCKS[clock]))
    heads = draw(st.lists(words.headlines(), min_size=8, max_size=8, unique=True))
    byline_in = draw(st.sampled_from(["info", "dateline", "both", "end"]))
    people = draw(groups(words.REPORTERS))
    if byline_in == "info" and draw(st.booleans()):
        people = draw(groups(("作者",)))  # SEL
    opening, dateline = "", None
    if byline_in in {"dateline", "both"} or draw(st.booleans()):
        outlet = draw(st.sampled_from(["浙江在线", "浙江日报", "新华社杭州", "本报宁波"]))
        dateline = f"{outlet}{moment.month}月{moment.day}日{draw(st.sampled_from('讯电'))}"
        bracket = f"（{draw(bylines(people))}）" if byline_in in {"dateline", "both"} else "　"
        opening = f"{dateline}{bracket}"
    parts = draw(bodies(layout, opening, moment, heads[3:]))
    if byline_in == "end":
        parts.append(Part("text", [f"（{draw(bylines(people))}）"]))
    ident = draw(st.integers(600000, 32000000))
    paths = {
        "legacy": f"zjnews.zjol.com.cn/system/{moment:%Y/%m/%d}/{ident % 10**9:09d}.shtml",
        "paper": f"zjrb.zjol.com.cn/html/{moment:%Y-%m/%d}/content_{ident}.htm",
    }
    path = f"zjnews.zjol.com.cn/zjnews/zjxw/{moment:%Y%m}/t{moment:%Y%m%d}_{ident}.shtml"
    paper = layout == "paper"
    return Story(
        layout=layout,
        url="http://" + paths.get(layout, path),
        title=heads[0],
        moment=moment,
        clock=clock,
        source="浙江日报" if paper else draw(st.sampled_from(words.SOURCES)),
        groups=people,
        editors=[] if paper else draw(groups(words.EDITORS, 2)),
        tags=[] if paper else draw(words.tags()),
        breadcrumb=[] if paper else draw(words.breadcrumbs()),
        parts=parts,
        kicker=heads[1] if draw(st.booleans()) else None,
        subtitle=f"——{heads[2]}" if draw(st.booleans()) else None,
        note=None if paper else draw(st.none() | words.paragraphs()),
        dateline=dateline,
        byline_in=byline_in,
    )


# --- how a template writes it ------------------------------------------------------------------


def styles(layout: str) -> st.SearchStrategy[Style]:
    utf = st.sampled_from(
        [("utf-8", True), ("utf-8", False), ("gb18030", True), ("gb18030", False)]
    )
    if layout == "legacy":  # GBK [SEL], declared or not
        utf = st.sampled_from([("gb18030", True), ("gb18030", False)])
    return st.builds(
        lambda encoding, **rest: Style(charset=encoding[0], declared=encoding[1], **rest),
        encoding=utf,
        quote=st.sampled_from("\"'"),
        upper=st.booleans(),
        crlf=st.booleans(),
        indent=st.sampled_from(["", "  ", "\t\t"]),
        entities=st.booleans(),
        wrap=st.booleans(),
    )


@st.composite
def pages(draw: st.DrawFn, story: Story, pager: str = "") -> Source:
    """The story as a page in its layout; the `pager` is last in the text, as TRS writes it."""
    style = draw(styles(story.layout))
    write = _Writer(draw, story, style, pager)
    html = getattr(write, story.layout)()
    return Source(dress(html, style), style.charset)


def dress(html: str, style: Style) -> str:
    """The source with the style's formatting."""
    if style.entities:
        names = {"“": "&ldquo;", "”": "&rdquo;", "—": "&mdash;", "·": "&middot;", "…": "&#8230;"}
        html = "".join(names.get(c, c) for c in html)
    if style.upper:
        html = re.sub(r"<(/?)([a-z][a-z0-9]*)(?=[\s>])", lambda m: f"<{m[1]}{m[2].upper()}", html)
    if style.quote == "'":
        html = re.sub(r'="([^"\']*)"', r"='\1'", html)
    html = html.replace("\n", "\n" + style.indent)
    if style.crlf:
        html = html.replace("\n", "\r\n")
    return html


class _Writer:
    """Writes the markup of one page; draws what the templates leave open."""

    def __init__(self, draw: st.DrawFn, story: Story, style: Style, pager: str) -> None:
        self.draw, self.story, self.style, self.pager = draw, story, style, pager
        inside = story.layout in {"conttit", "legacy", "arttitle", "containers"}
        self.editors_inside = inside and draw(st.booleans())

    def one(self, *choices: str) -> str:
        return self.draw(st.sampled_from(choices))

    def text(self, text: str) -> str:
        """Escaped text; long text may have a line break between two Han characters, which means nothing."""
        if self.style.wrap and len(text) > 40:
            text = re.sub(r"^(.{30,}?[\u4e00-\u9fff])(?=[\u4e00-\u9fff])", r"\1\n", text)
        return escape(text, quote=False)

    # furniture

    def frame(self, inner: str) -> str:
        meta = f'<meta charset="{self.style.charset}">' if self.style.declared else ""
        if self.style.charset == "gb18030" and self.style.declared:
            meta = '<meta http-equiv="Content-Type" content="text/html; charset=gb2312">'
        divider = "_" if self.story.layout in {"arttitle", "wechat"} else "-"
        column = self.story.breadcrumb[-1:] or ["浙江日报"]
        title = divider.join([self.text(self.story.title), *column, "浙江在线"])
        script = '<script type="text/javascript">var _trs_uv = _trs_uv || {};\nif(1<2){document.write("<p>请开启脚本。</p>");}</script>'
        return (
            f"{self.one('<!DOCTYPE html>', '')}\n<html><head>{meta}<title>{title}</title>\n"
            f"{self.one('', script)}\n</head><body>\n{self.top()}\n{inner}\n{self.foot()}\n</body></html>"
        )

    def top(self) -> str:
        links = "\n".join(
            f'<a href="//{host}.zjol.com.cn/">{name}</a>' for name, host in words.CHANNELS
        )
        listed = re.sub(r"(<a.*?</a>)", r"<li>\1</li>", links)
        menu = self.one(
            "",
            f'<div class="topnav">{links}</div>',
            f'<div class="mainNav"><ul class="cf">{listed}</ul></div>',
        )
        logo = '<div class="logoBar"><a href="//www.zjol.com.cn/"><img src="//img.zjol.com.cn/pub/images/logo.png" alt="浙江在线"></a></div>'
        return menu + self.one("", logo)

    def foot(self) -> str:
        hot = "\n".join(
            f'<li><a href="//zjnews.zjol.com.cn/zjnews/zjxw/201707/t2017070{n}_46000{n}1.shtml">{title}</a></li>'
            for n, title in enumerate(words.OTHERS)
        )
        hot = f'<div class="sidebar fr"><div class="boxTit">热点新闻</div><ul class="hotList">{hot}</ul></div>'
        return self.one("", hot) + self.one(
            "",
            '<div class="footer"><p><a href="/about.html">网站简介</a> | <a href="#">广告服务</a> | <a href="#">联系方式</a></p>'
            "<p>Copyright &copy; 1999-2018 Zjol. All Rights Reserved 浙江在线版权所有</p></div>",
        )

    def below(self) -> str:
        """The part below a text: copyright, QR code, share bar, tags and editors, related links."""
        related = "".join(
            f'<li><a href="./t20170801_45000{n}.shtml">{title}</a></li>'
            for n, title in enumerate(words.OTHERS)
        )
        furniture = [
            '<div class="cprtip">版权所有，未经许可不得转载。</div>',
            '<div id="bdshare" class="bdsharebuttonbox">分享到：<a href="#">微信</a> <a href="#">QQ空间</a></div>',
            '<div class="ewm"><img src="//img.zjol.com.cn/pub/images/qrcode.png"><p>扫一扫，手机看新闻</p></div>',
            f'<div class="relate"><div class="boxTit">相关阅读</div><ul>{related}</ul></div>',
        ]
        some = self.draw(st.lists(st.sampled_from(furniture), max_size=3, unique=True))
        bars = [self.tag_bar(), self.editor_bar()]
        at = self.draw(st.integers(0, len(some)))
        return "\n".join([*some[:at], *filter(None, bars), *some[at:]])

    def tag_bar(self) -> str:
        if not self.story.tags:
            return ""
        label = self.one("标签：", "标签: ", "关键词：", "文章标签：")
        linked = [
            f'<a href="/tag/{n}/">{self.text(tag)}</a>' for n, tag in enumerate(self.story.tags)
        ]
        plain = self.one(";", "；", "，", "、").join(map(self.text, self.story.tags))
        # A single tag without link or separator has no space: `G20 峰会` would be two.
        value = self.one(
            " ".join(linked),
            "\n".join(linked),
            plain if len(linked) > 1 or " " not in plain else linked[0],
        )
        return f'<div class="{self.one("tags", "tagsBar", "wzbq", "bot")}">{label}{value}</div>'

    def editor_bar(self) -> str:
        if self.editors_inside:
            return ""
        said = self.editors()
        return self.one(
            f'<div class="edit">{said}</div>', f"<p>{said}</p>", f"<div>【{said}】</div>"
        )

    def editors(self) -> str:
        sign = self.one("：", ": ", ":")
        return self.one(" ", "　", "&nbsp;").join(
            f"{g.role}{sign}{self.one(' ', '、').join(g.names)}" for g in self.story.editors
        )

    # heads

    def crumbs(self) -> str:
        names = self.story.breadcrumb
        linked = [
            f'<a href="//zjnews.zjol.com.cn/{"c/" * n}">{name}</a>' for n, name in enumerate(names)
        ]
        marked = [a.replace("<a ", '<a class="CurrChnlCls" ') for a in linked]
        label = self.one("您当前的位置：", "您当前的位置 ：", "当前位置：", "您的当前位置：")
        sign = self.one(" &gt; ", "&gt;", " &gt;&gt; ")
        kind = self.one(*"plm")
        value = sign.join({"p": names, "l": linked, "m": marked}[kind])
        name = self.one("path", "crumbs", "location")
        end = self.one("", f"{sign}正文")
        return f'<div class="{name}">{label}{value}{end}</div>'

    def when(self) -> str:
        return self.draw(clock_texts(self.story.moment, self.story.clock))

    def byline(self) -> str:
        in_head = self.story.byline_in in {"info", "both"}
        return self.draw(bylines(self.story.groups)) if in_head else ""

    def beside(self, text: str | None, *names: str) -> str:
        """引题 or 副题 in a box of its own; its classes are unknown [INF]."""
        return f'<div class="{self.one(*names)}">{self.text(text)}</div>\n' if text else ""

    def headed(self, title: str, info: str) -> str:
        kicker = self.beside(self.story.kicker, "contYt", "yinti", "ytit")
        subtitle = self.beside(self.story.subtitle, "contFt", "futi", "subTit")
        return f"{self.crumbs()}\n{kicker}{title}\n{subtitle}{info}\n"

    # bodies

    def body(self, indent: str = "　　") -> str:
        note = ""
        if self.story.note:
            label = self.one("编者按：", "【编者按】", "编者按&nbsp;", "编者按：　")
            said = self.text(self.story.note)
            note = self.one(
                f"<p>{indent}{label}{said}</p>\n",
                f"<p>{indent}<strong>{label}</strong>{said}</p>\n",
            )
        blocks = [self.block(part, indent) for part in self.story.parts]
        # 【编辑：姚昊】 at the end of a text [SIS], for the bar below it
        if self.editors_inside:
            said = self.editors()
            blocks.append(
                self.one(f'<p style="text-align: right;">{said}</p>', f"<p>{indent}【{said}】</p>")
            )
        return note + "\n".join(blocks)

    def block(self, part: Part, indent: str) -> str:
        if part.kind == "text":
            return f"<p>{indent}{self.inline(part)}</p>"
        if part.kind == "figure":
            return self.figure(part)
        lines = list(map(self.text, part.lines))
        if part.kind == "head":
            return {
                "s": f'<p style="text-align: left;"><strong>{indent}{lines[0]}</strong></p>',  # REAL
                "b": f"<p><b>{lines[0]}</b></p>",
                "h": f"<h3>{lines[0]}</h3>",
                "c": f'<p align="center"><strong>{lines[0]}</strong></p>',
            }[part.form]
        if part.kind == "list":
            return f"<{part.form}>{''.join(f'<li>{line}</li>' for line in lines)}</{part.form}>"
        if part.kind == "video":
            return f'<p style="text-align:center"><video class="video-js" controls><source src="{part.ref}" type="video/mp4"></video></p>'
        rows = ("</td><td>".join(line.split("\t")) for line in lines)
        return "<table>" + "\n".join(f"<tr><td>{row}</td></tr>" for row in rows) + "</table>"

    def inline(self, part: Part) -> str:
        text = "<br>\n　　".join(map(self.text, part.lines))
        cut = text.find("，") + 1
        # Not all of it: a bold line of its own is a subheading.
        if part.form == "span" or not cut:
            return f'<span style="font-size:16px">{text}</span>'
        if part.form == "link":
            return f'<a href="//www.zjol.com.cn/" target="_blank">{text[:cut]}</a>{text[cut:]}'
        return f"<strong>{text[:cut]}</strong>{text[cut:]}" if part.form == "bold" else text

    def figure(self, part: Part) -> str:
        alt = self.one("", ' alt=""', ' alt="图片"', ' title="点击查看大图"')
        img = f'<img src="{part.ref}"{alt}>'
        if part.ref.startswith("./"):
            img = f'<img src="{part.ref}" oldsrc="{part.ref[2:]}"{alt}>'  # REAL
        caption = self.text(part.caption or "")
        centred = '<p style="text-align: center;">'  # REAL
        return {
            "none": f"{centred}{img}</p>",
            "next": f"{centred}{img}</p>\n{centred}　　{caption}</p>",  # REAL
            "marked": f"{centred}{img}</p>\n<p>{caption}</p>",
            "figcaption": f"<figure>{img}<figcaption>{caption}</figcaption></figure>",
            "row": f'<table align="center"><tr><td>{img}</td></tr><tr><td>{caption}</td></tr></table>',
            "break": f"{centred}{img}<br>{caption}</p>",
        }[part.form]

    # the layouts

    def conttit(self) -> str:
        s = self.story
        title = self.text(s.title)
        title = f'<div class="contTit">{self.one(title, f"<font>{title}</font>")}</div>'
        space = self.one("", "\n\t\t")
        byline = f' <span id="author_baidu">{self.byline()}</span>'
        info = (
            f'<div class="{self.one("time", "info")}"><span id="pubtime_baidu">{space}{self.when()}{space}</span>'
            f' <span id="source_baidu">来源：{s.source}</span>{byline}</div>'
        )
        more = f'<div class="news_more_page" style="text-align: center;">{self.pager}</div>'
        return self.frame(
            f'{self.headed(title, info)}<div class="contTxt">{self.body()}\n{more}</div>\n{self.below()}'
        )

    def legacy(self) -> str:
        s = self.story
        title = f'<div class="contTit">{self.text(s.title)}</div>'
        byline = f" <span>{self.byline()}</span>" if self.byline() else ""
        info = f'<div class="time"><span>{self.when()}</span> <span>来源：{s.source}</span>{byline}</div>'
        return self.frame(
            f'{self.headed(title, info)}<div class="contTxt">\n{self.body()}\n</div>\n{self.below()}'
        )

    def arttitle(self) -> str:
        return self._arttitle(self.body(self.one("", "　　")))

    def wechat(self) -> str:
        """Text pasted from WeChat, as in 2026: nested sections, a span leaf in each paragraph."""
        body = re.sub(
            r"<p([^>]*)>(.*?)</p>",
            r'<p\1><span leaf="">\2</span></p>',
            self.body(""),
            flags=re.DOTALL,
        )
        body = "\n".join(f"<section>{line}</section>" for line in body.split("</p>\n"))
        body = re.sub(r"(?<!</p>)</section>\n", "</p></section>\n", body)
        return self._arttitle(
            f'<section style="font-size:16px;line-height:2"><section>{body}</section></section>'
        )

    def _arttitle(self, body: str) -> str:
        s = self.story
        title = f'<h1 class="artTitle">{self.text(s.title)}</h1>'
        byline = f"<span>{self.byline()}</span>" if self.byline() else ""
        info = f'<div class="info"><span>{self.when()}</span><span>来源：{s.source}</span>{byline}</div>'
        name = self.one("artCon", "artCon mb55")
        return self.frame(
            f'<div class="w1200 content cf">{self.headed(title, info)}<div class="{name}">{body}</div>\n{self.below()}</div>'
        )

    def containers(self) -> str:
        s = self.story
        title = f"<h1>{self.text(s.title)}</h1>"
        info = f'<div class="from">{self.when()} 来源：{s.source} {self.byline()}</div>'
        name = self.one("artical_real", "content cf", "content", "atricle_inner", "art-con mt-20")
        return self.frame(
            f'{self.headed(title, info)}<div class="{name}">{self.body()}</div>\n{self.below()}'
        )

    def table(self) -> str:
        """Before 2010: layout tables, text divided by br."""
        s = self.story
        blocks = [self.broken(part) for part in s.parts]
        note = f"　　编者按：{self.text(s.note)}<br><br>\n" if s.note else ""
        rows = [
            self.crumbs(),
            self.beside(s.kicker, "kicker", "bt1").strip(),
            f'<div class="bt">{self.text(s.title)}</div>',
            self.beside(s.subtitle, "bt3", "futi").strip(),
            f"{self.when()} 来源：{s.source} {self.byline()}",
            note + "\n".join(blocks),
        ]
        rows = [
            f'<tr><td align="{self.one("left", "center")}">{row}</td></tr>'
            for row in rows[:5]
            if row
        ] + [f'<tr><td class="f14">{rows[5]}</td></tr>']
        return self.frame(f'<table width="760">{"".join(rows)}</table>\n{self.below()}')

    def broken(self, part: Part) -> str:
        if part.kind == "figure":
            return self.figure(part)
        return "\n".join(f"　　{self.text(line)}<br><br>" for line in part.lines)

    def paper(self) -> str:
        """A paper's article page by Founder's software [SEL]: title block and text."""
        s = self.story
        heads = "".join(
            f'<div class="main-article-{name}">{self.text(text or "")}</div>\n'
            for name, text in (("pretitle", s.kicker), ("title", s.title), ("subtitle", s.subtitle))
        )
        byline = self.byline()
        byline = f'<div class="main-article-author">{byline}</div>' if byline else ""
        return self.frame(
            '<div class="main-ed-pageifm"><span>第00002版：要闻</span></div>\n<div class="main-article-content">'
            f'<div class="main-article-alltitle">{heads}</div>{byline}<div class="main_ar_pic_text"></div>\n'
            f'<div id="ozoom" class="main-article-con"><founder-content>{self.body()}</founder-content></div></div>'
            '<div class="main-foot">浙江日报报业集团 版权所有 未经许可不得转载</div>'
        )
