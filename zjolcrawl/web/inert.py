"""Makes an archived page inert: its text, tables, links and images, without anything that runs or loads.

The page is parsed as the crawl parses it, and written anew from the elements and attributes named here. The
browser's sandbox (web.views.replay) is the second wall.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement
from markupsafe import Markup, escape

from zjolcrawl.parsing.page import read_page
from zjolcrawl.parsing.urls import absolute
from zjolcrawl.web.texts import _

_KEPT = {
    "a", "abbr", "address", "article", "aside", "b", "big", "blockquote", "br", "caption", "center", "cite", "code",
    "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font",
    "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "ins", "kbd", "li", "main", "mark", "nav",
    "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub",
    "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
# With their content. Of other elements, such as form and noscript, only the content is kept.
_DROPPED = {
    "applet", "audio", "base", "canvas", "datalist", "embed", "frame", "frameset", "iframe", "link", "map", "math",
    "meta", "noembed", "noframes", "object", "param", "script", "source", "style", "svg", "template",
    "title", "track", "video",
}  # fmt: skip
_VOID = {"br", "col", "hr", "wbr"}
_ATTRIBUTES = {
    "align", "bgcolor", "border", "cellpadding", "cellspacing", "color", "colspan", "datetime", "dir", "face",
    "height", "lang", "noshade", "nowrap", "open", "rowspan", "size", "start", "title", "valign", "width",
}  # fmt: skip
_STYLE = re.compile(
    r"(?:^|;)\s*(display|text-align|text-indent|text-decoration|font-weight|font-style|color)\s*:\s*([\w#.%-]{1,30})\s*(?=;|$)",
    re.ASCII | re.IGNORECASE,
)
_LONGEST = 2000  # characters of an attribute
_MOST = 20_000_000  # characters of a page that is written, images included
_NO_IMAGE = "图片未存"

Link = Callable[[str], str]
Image = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class InertPage:
    """The title and the body of a page as safe HTML; `cut`: only its start, because it is too long."""

    title: str
    body: Markup
    cut: bool = False


def inert_page(source: bytes, url: str, link: Link, image: Image) -> InertPage:
    """A page without its scripts, styles, frames, forms and media.

    `link` gives the address for an absolute URL that the page links to, `image` that of an image's bytes, or
    None if there are none: then its description is shown. Raises LimitExceeded for a page with too many tags.
    """
    page = read_page(source, url)
    writer = _Writer(page.base, link, image)
    title = page.root.findtext(".//title") or ""
    body = writer.write(page.root)
    return InertPage(" ".join(title.split())[:200], body, writer.size > _MOST)


class _Writer:
    def __init__(self, base: str, link: Link, image: Image) -> None:
        self._base, self._link, self._image = base, link, image
        self._parts: list[str] = []
        self.size = 0

    def write(self, root: HtmlElement) -> Markup:
        events = etree.iterwalk(root, events=("start", "end"))
        for event, element in events:
            if self.size > _MOST:
                break  # a browser closes what is open
            tag = element.tag
            if event == "end":
                if tag in _KEPT and tag not in _VOID:
                    self._put(f"</{tag}>")
                if element is not root:
                    self._text(element.tail)
            elif not isinstance(tag, str) or tag in _DROPPED:
                events.skip_subtree()
            elif tag == "img":
                self._img(element)
            else:
                if tag in _KEPT:
                    self._start(tag, element)
                self._text(element.text)
        return Markup("".join(self._parts))  # noqa: S704 (escaped piece by piece)

    def _put(self, part: str) -> None:
        self._parts.append(part)
        self.size += len(part)

    def _text(self, text: str | None) -> None:
        if text:
            self._put(str(escape(text)))

    def _start(self, tag: str, element: HtmlElement) -> None:
        kept = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES}
        if style := ";".join(
            f"{name}:{value}" for name, value in _STYLE.findall(element.get("style", ""))
        ):
            kept["style"] = style
        if (
            tag == "a"
            and (target := self._absolute(element.get("href")))
            and len(target) < _LONGEST
        ):
            kept["href"] = self._link(target)
        self._put(f"<{tag}{_attributes(kept)}>")

    def _img(self, element: HtmlElement) -> None:
        url = self._absolute(element.get("src"))
        source = self._image(url) if url else None
        alt = element.get("alt") or ""
        if source is None:
            self._put(
                f'<span class="absent">[{escape(_(_NO_IMAGE))}] {escape(alt[:_LONGEST])}</span>'
            )
            return
        sizes = {
            k: v for k, v in element.attrib.items() if k in {"width", "height", "align", "border"}
        }
        self._put(f'<img src="{escape(source)}"{_attributes({"alt": alt, **sizes})}>')

    def _absolute(self, reference: str | None) -> str | None:
        try:
            return absolute(self._base, reference) if reference else None
        except ValueError:
            return None


def _attributes(values: dict[str, str]) -> str:
    return "".join(f' {name}="{escape(value[: 2 * _LONGEST])}"' for name, value in values.items())
