"""Splits a body container into clean blocks: paragraphs, subheads, pictures, tables, lists, videos.

This module decides structure; `body.py` decides which blocks are editorial.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import escape
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.image_refs import IMAGE_TAGS, picture
from zjolcrawl.parsing.urls import absolute
from zjolcrawl.site.current import for_site

_DROPPED = {
    "script", "style", "template", "form", "input", "button", "select", "textarea",
    "svg", "link", "meta", "head", "nav", "footer", "aside", "object", "title",
}  # fmt: skip
BLOCK_TAGS = {
    "p", "div", "section", "article", "main", "center", "h1", "h2", "h3", "h4", "h5", "h6", "li",
    "ul", "ol", "dl", "dt", "dd", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption",
    "blockquote", "pre", "figure", "figcaption", "header", "footer", "hr", "address", "fieldset",
    "body", "nav", "aside", "form",
}  # fmt: skip
_INLINE = {"b": "strong", "strong": "strong", "i": "em", "em": "em"}
_NEVER_FURNITURE = {"p", "span", "strong", "font", "a", "img", "br", "em", "b"}
# Classes and ids of page furniture (boilerplate). The first group also matches part of a name
# (share-bar), the second only a whole name: its words occur in wrappers' names (detail-page-print).
_FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:(?:bd|js|jia)?share\w*|fenxiang|copyright|cprtip|banquan|related?|relat(?:ed|ion)\w*|xgxw|xgyd|"
    r"xiangguan|recommend\w*|tuijian|hotnews|hot-?list|sidebar|advert\w*|guanggao|qrcode|ewm|erweima|pinglun|"
    r"ads?|toolbar|news_more_page|fenye|pagination|pager|breadcrumbs?|font-?size|jiucuo|disclaimer|mianze|"
    r"editor_baidu)(?:$|[\s_-]|(?=[A-Z\d]))"
    r"|(?:^|\s)(?:pages?|print|tools|gg|qr|comments?|prevnext|pre-?next|weixin-?code|footer|"
    r"(?:dian)?zan|praise|digg|likes?|(?:read|view|hit|click|comment|like|zan|share)s?[-_]?(?:num(?:ber)?s?|counts?|times))(?:$|\s|\d)",
    re.IGNORECASE,
)
# The page footer: the site's operator and licences. No article has such a line.
page_footer = for_site(
    lambda site: re.compile(
        r"ICP[备证]|网安备|(?:互联网新闻信息服务|网络传播视听节目|增值电信业务|经营)许可证|(?:不良信息|纠错|违法)举报|All Rights? Reserved|"
        rf"^(?:关于(?:我们|{re.escape(site.name)})|网站简介)\s*[|｜丨]|(?:广告服务|联系我们|联系方式|网站地图)\s*[|｜丨]",
        re.IGNORECASE,
    )
)
# Class names of captions, and of boxes that hold a picture and its caption.
_CAPTION_NAME = re.compile(
    r"(?:^|[\s_-])(?:(?:fig)?cap(?:tion)?s?|(?:img|pic|photo|image|tu)[-_]?(?:t|note|te?xt|title|desc|info|intro|cap(?:tion)?|explain|word)|tushuo|tuzhu|tupianshuoming)(?:$|[\s_-])",
    re.IGNORECASE,
)
_PICTURE_BOX = re.compile(
    r"(?:^|[\s_-])(?:img|pic|photo|media|image|picture|figure|tupian)(?:$|[\s_-]|(?=box|wrap|block|area|con))",
    re.IGNORECASE,
)
_CENTRED = re.compile(r"text-align\s*:\s*center", re.IGNORECASE)
_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_SMALL = re.compile(
    r"font-size\s*:\s*(?:[6-9](?:\.\d+)?pt|(?:9|1[0-2])(?:\.\d+)?px)", re.IGNORECASE
)
_HIDDEN = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|mso-hide\s{0,9}:\s{0,9}all|"
    r"(?<![a-z-])(?:left|top|right|text-indent|margin-left)\s{0,9}:\s{0,9}-\d{4,6}(?![\d.])|"
    r"scale\(\s?0\s?[),]|clip\s{0,9}:\s{0,9}rect\(\s?0(?:px)?[,\s]{1,3}0(?:px)?[,\s]{1,3}0(?:px)?[,\s]{1,3}0(?:px)?\s?\)",
    re.IGNORECASE,
)
# A box of zero size that clips its content. One with padding reserves the space of a picture.
_NO_SIZE = re.compile(
    r"(?<![a-z-])(?:max-)?(?:height|width)\s{0,9}:\s{0,9}0(?:\.0{1,9})?(?:px|pt|r?em|%)?(?=[\s;!]|$)",
    re.IGNORECASE,
)
_CUTS_OFF = re.compile(r"overflow(?:-[xy])?\s{0,9}:\s{0,9}(?:hidden|clip)", re.IGNORECASE)
# Whole class names only: hidden-xs is visible on most screens, and a class such as md:block beside
# `hidden` makes it visible on some.
_HIDING_CLASS = re.compile(
    r"(?:^|\s)(?:hide|hidden|is-hidden|visually-?hidden|sr-only|screen-reader-text)(?:$|\s)",
    re.IGNORECASE,
)
_SHOWING_CLASS = re.compile(r":(?:block|flex|inline|grid|table)|(?:^|\s)(?:show|active|on)(?:$|\s)")
_MOST_UNSEEN = 200  # characters; more aria-hidden text is a page behind a dialog
# Text of zero size or without colour. Pictures inside stay visible.
_UNSEEN = re.compile(
    r"(?:font-size|opacity)\s{0,9}:\s{0,9}0(?:\.0{1,9})?(?:px|pt|r?em|%)?(?=[\s;!]|$)"
    r"|(?<![a-z-])color\s{0,9}:\s{0,9}(?:transparent|rgba\([\d\s.,]{5,30},\s{0,9}0(?:\.0{1,9})?\s{0,9}\))",
    re.IGNORECASE,
)
ATTACHMENT = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|zip|rar|7z|txt|csv|ofd)$", re.IGNORECASE
)
_KEEPS_LINES = re.compile(r"white-space\s{0,9}:\s{0,9}(?:pre|break-spaces)", re.IGNORECASE)
# Old texts are hard-wrapped at a fixed length. A line end counts unless it looks like such a wrap: a
# long line without sentence punctuation at its end, and no indent on the next line.
_LINE_END = re.compile(r"\n(?!(?<=[^\n]{28}\n)(?<![。！？…”：；）】]\n)(?=[^\s\u3000]))")
_MARK = 0xF0000  # private use: stand-ins for inline tags while white space is folded
_FIRST_MARK, _LAST_MARK = "\U000f0000", "\U000fffff"
_MARKED = re.compile(f"[{_FIRST_MARK}-{_LAST_MARK}]")
_BLANK = "\0 \t\r\n\f\u3000\u00a0\u200b\ufeff"  # a text of only these characters is empty
_BREAKS = " \t\r\n"
_MARKS = "\U000f0000-\U000fffe0"  # marks for tags from the page
_MOST_TAGS = 0xFFE0  # tags in one block; the marks run out, and further text has no markup
_MARK_AT = re.compile(f"[{_MARKS}]")
_SPACES_AND_MARKS = re.compile(f"[{_MARKS}\\s]+")
_LAST_MARKS = re.compile(f"(?<![{_MARKS}])[{_MARKS}]++(?=\n?\\Z)")
# A tag without an end tag is closed at the end of the line.
_CLOSED = re.compile("\U000ffff0(\\w+)\U000ffff1")
_EMPTY = re.compile(r"<(strong|em)>\s*</\1>|<a [^<>]*+>\s*+</a>")
_SEAM = re.compile(r"</(strong|em)><\1>")
_MAX_DEPTH = 180
_LONGEST_KNOWN = 200  # characters of a style; results for longer styles are not cached


@dataclass(slots=True)
class Block:
    """One block of a body: `lines` of plain text, and the same content as clean `html`.

    `kind` is p, h2, figure, caption, table, list, quote or video.
    """

    kind: str
    lines: list[str] = field(default_factory=list)
    html: str = ""
    centred: bool = False
    captionish: bool = False  # shares a paragraph or a layout table with a picture
    small: bool = False  # in a small font
    links: float = 0.0  # share of the text that is link text
    url: str = ""
    ref: str = ""
    alt: str | None = None

    @property
    def text(self) -> str:
        """The block's lines as one string."""
        return "\n".join(self.lines)


def keep_lines(block: Block, lines: list[str]) -> Block:
    """The block, modified in place to hold only these lines; it loses its inline markup."""
    block.lines = lines
    block.html = f"<p>{'<br>'.join(escape(line, quote=False) for line in lines)}</p>"
    return block


@dataclass(slots=True, eq=False)
class _Context:
    heading: bool = False
    bold: bool = False
    small: bool = False
    link: bool = False
    paragraph: bool = False
    centred: bool = False
    picture_table: bool = False
    caption: bool = False
    quote: bool = False
    pre: bool = False
    hidden: bool = False


class BlockReader:
    """Reads one container into `blocks`; collects `attachments` as (url, ref, name). Use once."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.blocks: list[Block] = []
        self.attachments: list[tuple[str, str, str]] = []
        self._text: list[tuple[str, _Context]] = []
        self._tags: list[str] = []
        # Contexts by parent context and attributes: elements of one page are mostly styled alike.
        self._contexts: dict[tuple[object, ...], _Context] = {}
        self._after_picture = False

    def read(self, container: HtmlElement, depth: int = 0) -> list[Block]:
        """The container's blocks in page order; `depth` is its depth below the body container."""
        self._children(container, _Context(pre=_keeps_lines(container)), depth)
        self._flush(_Context())
        self._mark_small()
        return self.blocks

    def _mark_small(self) -> None:
        """Mark blocks in a small font as possible captions, unless most of the text is small."""
        if not any(block.small for block in self.blocks):
            return
        small = sum(len(block.text) for block in self.blocks if block.small)
        if 2 * small < sum(len(block.text) for block in self.blocks):
            for block in self.blocks:
                block.captionish = block.captionish or block.small

    def _children(self, element: HtmlElement, context: _Context, depth: int) -> None:
        if text := element.text:
            self._text.append((_with_breaks(text) if context.pre else text, context))
        for child in element:
            tag = child.tag
            if tag == "p" and not len(child) and depth < _MAX_DEPTH:
                self._paragraph(child, context)
            elif isinstance(tag, str):
                self._element(child, context, depth + 1)
            # White space between paragraphs is not text.
            if (tail := child.tail) and (self._text or tail.strip(_BREAKS)):
                self._text.append((_with_breaks(tail) if context.pre else tail, context))

    def _element(self, element: HtmlElement, context: _Context, depth: int) -> None:
        tag = element.tag.lower()
        if tag in _DROPPED or is_furniture(element):
            return
        if depth > _MAX_DEPTH:
            self._text.append((str(element.text_content()), context))
        elif tag == "br":
            self._text.append(("\0", context))
        elif tag in IMAGE_TAGS or (tag == "picture" and element.find(".//img") is None):
            self._picture(element, context)
        elif tag == "noscript":
            self._unscripted(element, context)
        elif tag in {"video", "audio", "embed", "iframe"}:
            self._video(element, context)
        elif tag == "table" and _is_data(element):
            self._flush(context)
            self.blocks.append(_table(element))
        elif tag in {"ul", "ol"} and _is_plain_list(element):
            self._flush(context)
            self._list(element, tag, depth)
        elif tag in BLOCK_TAGS:
            self._block(element, tag, context, depth)
        else:
            self._inline(element, tag, context, depth)

    def _paragraph(self, element: HtmlElement, context: _Context) -> None:
        """Read a `<p>` without child elements: a fast path, since most paragraphs are like this."""
        key = (
            context, element.get("style"), element.get("class"), element.get("align"), element.get("hidden"),
            element.get("aria-hidden"),
        )  # fmt: skip
        inner = self._contexts.get(key)
        if inner is None:
            inner = self._contexts[key] = _inside(element, "p", context)
        if inner.hidden:
            return
        if self._text:
            self._flush(context)
        self._after_picture = False
        if not (plain := clean(text := element.text or "")):
            return
        if inner.pre or not plain.isprintable():  # the text may contain one of the mark characters
            self._text.append((_with_breaks(text) if inner.pre else text, inner))
            self._flush(inner)
            return
        block = Block("p", [plain], "", inner.centred, inner.picture_table, inner.small)
        block.links = float(inner.link)
        is_subhead = _is_subhead(plain, heading=inner.heading, bold=inner.bold)
        self._add(block, inner, is_subhead, lambda: [escape(plain, quote=False)])

    def _block(self, element: HtmlElement, tag: str, context: _Context, depth: int) -> None:
        self._flush(context)
        self._after_picture = False
        inner = _inside(element, tag, context)
        self._children(element, inner, depth)
        self._flush(inner)
        self._after_picture = False

    def _inline(self, element: HtmlElement, tag: str, context: _Context, depth: int) -> None:
        markup = _INLINE.get(tag)
        opening = f"<{markup}>" if markup else ""
        style = element.get("style") or ""
        bold = context.bold or markup == "strong" or bool(style and _BOLD.search(style))
        href = absolute(self.base, element.get("href") or "") if tag == "a" else None
        if href:
            opening, markup = f'<a href="{escape(href)}">', "a"
            if ATTACHMENT.search(href.partition("?")[0]):
                name = clean(str(element.text_content()))
                self.attachments.append((href, str(element.get("href")), name))
        link = context.link or tag == "a"
        small = context.small or tag == "small" or bool(style and _SMALL.search(style))
        inner = context
        if (bold, link, small) != (context.bold, context.link, context.small):
            key = (context, bold, link, small)
            inner = self._contexts.get(key) or replace(context, bold=bold, link=link, small=small)
            self._contexts[key] = inner
        if opening:
            self._mark(opening, inner)
        self._children(element, inner, depth)
        if opening:
            self._mark(f"</{markup}>", inner)

    def _mark(self, tag: str, context: _Context) -> None:
        if len(self._tags) > _MOST_TAGS:
            return
        self._tags.append(tag)
        self._text.append((chr(_MARK + len(self._tags) - 1), context))

    def _flush(self, context: _Context) -> None:
        if not self._text:
            return
        pieces, tags = self._text, self._tags
        self._text, self._tags = [], []
        words = [
            (text, at)
            for text, at in pieces
            if text.strip(_BLANK) and not _FIRST_MARK <= text[0] <= _LAST_MARK
        ]
        if not words:
            return
        at = words[0][1]
        written = "".join([text for text, _ in pieces]).split("\0")
        plain = [clean(_MARKED.sub("", line)) for line in written]
        if not (lines := [line for line in plain if line]):
            return
        size = sum([len(text.strip()) for text, _ in words])
        linked = sum([len(text.strip()) for text, c in words if c.link])
        block = Block("p", lines, "", at.centred, self._after_picture or at.picture_table)
        block.small = all(c.small for _, c in words)
        block.links = linked / size if size else 0.0
        is_subhead = len(lines) == 1 and _is_subhead(
            lines[0],
            heading=all(c.heading for _, c in words),
            bold=all(c.bold for _, c in words),
        )
        self._add(
            block,
            at,
            is_subhead,
            lambda: [
                _inline_html(line, tags) for line, text in zip(written, plain, strict=True) if text
            ],
        )

    def _add(
        self, block: Block, at: _Context, is_subhead: bool, html: Callable[[], list[str]]
    ) -> None:
        """Append a block with its final kind; `html` renders the lines and is called only if needed."""
        if at.caption:
            block.kind = "caption"
        elif at.quote:
            block.kind = "quote"
            block.html = f"<blockquote><p>{'<br>'.join(html())}</p></blockquote>"
        elif is_subhead:
            block.kind, block.html = "h2", f"<h2>{escape(block.lines[0], quote=False)}</h2>"
        elif at.paragraph:
            block.html = f"<p>{'<br>'.join(html())}</p>"
        else:
            block.html = "\n".join([f"<p>{line}</p>" for line in html()])
        self.blocks.append(block)

    def _picture(self, element: HtmlElement, context: _Context) -> None:
        found = picture(element, self.base)
        if not found:
            return
        self._flush(context)
        url, ref = found
        self.blocks.append(
            Block("figure", url=url, ref=ref, alt=clean(element.get("alt") or "") or None)
        )
        self._after_picture = True

    def _unscripted(self, element: HtmlElement, context: _Context) -> None:
        """Read the picture in a `<noscript>`, unless the lazy-loaded image before it already gave one."""
        before = element.getprevious()
        if before is not None and before.tag in IMAGE_TAGS and picture(before, self.base):
            return
        for image in element.iter(*IMAGE_TAGS):
            if not is_hidden(image):  # hidden: a tracking pixel
                self._picture(image, context)

    def _video(self, element: HtmlElement, context: _Context) -> None:
        candidates = [element.get("src"), element.get("data-src")]
        candidates += [source.get("src") for source in element.iter("source")]
        ref = next((value for value in candidates if value and value.strip()), None)
        url = absolute(self.base, ref) if ref else None
        if not url or not ref:
            return
        if element.tag == "iframe" and not re.search(r"video|player|\bv\.|vod|mp4", url):
            return
        self._flush(context)
        self.blocks.append(
            Block("video", url=url, ref=ref, html=f'<video src="{escape(url)}"></video>')
        )

    def _list(self, element: HtmlElement, tag: str, depth: int) -> None:
        lines: list[str] = []
        html, linked, size = "", 0.0, 0
        for item in _items(element):
            reader = BlockReader(self.base)
            inner = reader.read(item, depth + 1)
            self.attachments += reader.attachments
            if not inner:
                continue
            own = [block for block in inner if block.kind != "list"]
            nested = [block for block in inner if block.kind == "list"]
            lines += [text for text in (" ".join(line for b in own for line in b.lines),) if text]
            lines += [line for block in nested for line in block.lines]
            text = " ".join(_unwrapped(block.html) for block in own if block.html)
            html += f"<li>{text}{''.join(block.html for block in nested)}</li>"
            size += sum(len(block.text) for block in inner)
            linked += sum(block.links * len(block.text) for block in inner)
        if lines:
            links = linked / size if size else 0.0
            self.blocks.append(Block("list", lines, f"<{tag}>{html}</{tag}>", links=links))


def _inside(element: HtmlElement, tag: str, context: _Context) -> _Context:
    style, name = element.get("style") or "", element.get("class") or ""
    return _Context(
        heading=context.heading or (len(tag) == 2 and tag[0] == "h" and tag != "hr"),
        bold=context.bold or bool(style and _BOLD.search(style)) or tag == "th",
        small=context.small or bool(style and _SMALL.search(style)),
        link=context.link,
        paragraph=tag in {"p", "li"} or context.paragraph,
        centred=tag == "center"
        or (element.get("align") or "").lower() == "center"
        or bool(style and _CENTRED.search(style))
        or (context.centred and "text-align" not in style),
        picture_table=context.picture_table
        or (tag == "table" and element.find(".//img") is not None)
        or bool(name and _PICTURE_BOX.search(name) and element.find(".//img") is not None),
        caption=context.caption or tag == "figcaption" or bool(name and _CAPTION_NAME.search(name)),
        quote=context.quote or tag == "blockquote",
        pre=context.pre or tag == "pre" or bool(style and _KEEPS_LINES.search(style)),
        hidden=is_hidden(element),
    )


def _keeps_lines(element: HtmlElement) -> bool:
    return element.tag == "pre" or bool(_KEEPS_LINES.search(element.get("style") or ""))


def _with_breaks(text: str) -> str:
    """The text with its line ends as `<br>` marks, except those in the middle of a sentence."""
    return _LINE_END.sub("\0", text.replace("\r\n", "\n"))


def is_hidden(element: HtmlElement) -> bool:
    """Whether an element's own attributes (style, class, hidden, aria-hidden) hide its text."""
    style = element.get("style")
    if style:
        hides = _known_hides(style) if len(style) <= _LONGEST_KNOWN else _hides(style)
        if hides == "all" or (hides == "words" and _is_unseen(element)):
            return True
    if element.get("hidden") is not None:
        return True
    name = element.get("class")
    if name and ("hid" in name or "-reader" in name or "sr-" in name) and len(name) <= 400:
        return bool(_HIDING_CLASS.search(name)) and not _SHOWING_CLASS.search(name)
    return element.get("aria-hidden") == "true" and _is_few(element)


def _hides(style: str) -> str:
    if _HIDDEN.search(style):
        return "all"
    cut = _CUTS_OFF.search(style) and _NO_SIZE.search(style) and "padding" not in style
    return "all" if cut else "words" if _UNSEEN.search(style) else ""


def _is_few(element: HtmlElement) -> bool:
    """Whether an element has little text and no picture."""
    size = 0
    for text in islice(element.itertext(), 50):
        size += len(text)
    return size <= _MOST_UNSEEN and _is_unseen(element)


_known_hides = lru_cache(maxsize=1024)(_hides)


def _is_unseen(element: HtmlElement) -> bool:
    """Whether nothing in an element of zero size or colour is visible: no image, no own font size.

    Sites set a zero font size to close the gaps between pictures; such an element is visible.
    """
    return not any(
        each.tag in IMAGE_TAGS or (each is not element and "font-size" in (each.get("style") or ""))
        for each in islice(element.iter(), 200)
    )


def _items(element: HtmlElement) -> Iterator[HtmlElement]:
    """A list's own items; an item nested in another item is read with that item."""
    waiting = [element]
    while waiting:
        inner = waiting.pop()
        if inner.tag == "li":
            yield inner
        elif inner is element or inner.tag not in {"ul", "ol"}:
            waiting.extend(reversed(inner))


def is_furniture(element: HtmlElement) -> bool:
    """Whether the element is page furniture (share bar, ads, QR code) by class or id, or is hidden."""
    return is_named_furniture(element) or is_hidden(element)


def is_named_furniture(element: HtmlElement) -> bool:
    """Whether the element is page furniture by class or id."""
    if element.tag in _NEVER_FURNITURE:
        return False
    name = f"{element.get('class') or ''} {element.get('id') or ''}"
    return len(name) > 1 and bool(_FURNITURE.search(name))


def _is_subhead(line: str, *, heading: bool, bold: bool) -> bool:
    if len(line) > 40:
        return False
    return heading or (bold and line[-1] not in "。！？；，：….,;:!?")


def _inline_html(line: str, tags: list[str]) -> str:
    """One line as HTML: inline tags balanced, text escaped, white space folded as in the plain text."""
    if not _MARKED.search(line) and not (plain := clean(line))[0].isspace():
        return escape(plain, quote=False)
    opened: list[str] = []
    parts: list[str] = []
    begun = 0
    for found in _MARKED.finditer(line):
        parts.append(line[begun : found.start()])
        begun = found.end()
        index = ord(found[0]) - _MARK
        if index < len(tags):
            _balance(tags[index], found[0], opened, parts)
    parts.append(line[begun:])
    parts.extend(reversed([f"\U000ffff0{_name(tag)}\U000ffff1" for tag in opened]))
    marked = "".join(parts)
    if first := _SPACES_AND_MARKS.match(marked):
        marked = squeeze(first[0]) + marked[first.end() :]
    if last := _LAST_MARKS.search(marked):
        marked = marked[: last.start()].rstrip() + marked[last.start() :]
    text = escape(clean(marked), quote=False)
    text = _MARK_AT.sub(lambda m: tags[ord(m[0]) - _MARK], text)
    text = _CLOSED.sub(r"</\1>", text)
    for _ in range(3):
        text = _EMPTY.sub("", text)
        text = _SEAM.sub("", text)
    return text


def _balance(tag: str, mark: str, opened: list[str], parts: list[str]) -> None:
    if not tag.startswith("</"):
        opened.append(tag)
        parts.append(mark)
    elif opened and _name(opened[-1]) == tag[2:-1]:
        opened.pop()
        parts.append(mark)


def _name(tag: str) -> str:
    return tag.strip("</>").partition(" ")[0]


def _unwrapped(html: str) -> str:
    return re.sub(r"</?(?:p|h2)>", "", html)


def _rows(table: HtmlElement) -> list[list[HtmlElement]]:
    return [[cell for cell in row if cell.tag in {"td", "th"}] for row in table.iter("tr")]


def _is_data(table: HtmlElement) -> bool:
    """Whether a table holds data: rows of two or more filled cells, no picture; others are layout."""
    if table.find(".//img") is not None or table.find(".//table") is not None:
        return False
    rows = [[len(clean(str(cell.text_content()))) for cell in row] for row in _rows(table)]
    filled = sum(sum(map(bool, row)) >= 2 for row in rows)
    return filled >= 2 and all(size < 400 for row in rows for size in row)


def _table(table: HtmlElement) -> Block:
    lines, html = [], []
    for row in _rows(table):
        texts = [clean(" ".join(str(cell.text_content()).split())) for cell in row]
        if not any(texts):
            continue
        lines.append("\t".join(texts))
        cells = ""
        for cell, text in zip(row, texts, strict=True):
            spans = "".join(
                f' {name}="{cell.get(name)}"'
                for name in ("colspan", "rowspan")
                if re.fullmatch(r"[2-9]|[1-9]\d{1,2}", cell.get(name) or "")
            )
            cells += f"<{cell.tag}{spans}>{escape(text, quote=False)}</{cell.tag}>"
        html.append(f"<tr>{cells}</tr>")
    return Block("table", lines, f"<table>{''.join(html)}</table>")


def _is_plain_list(element: HtmlElement) -> bool:
    if element.find(".//img") is not None or element.find(".//table") is not None:
        return False
    return element.find("./li") is not None
