"""Prepares an article's stored HTML for a page: sanitises it and links images to the archive.

The parser writes clean `body_html`, but an archive may be imported or written by other programs. nh3
(ammonia) parses HTML as browsers do (html5ever), so the sanitiser and the browser read the same thing.
lxml, an HTML 4 parser, only sees the sanitised result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

import nh3
from lxml import html
from lxml.html import HtmlElement
from markupsafe import Markup

from zjolcrawl.display.html_check import is_well_formed, text_of
from zjolcrawl.parsing.urls import is_web
from zjolcrawl.web.labels import image_state
from zjolcrawl.web.language import current
from zjolcrawl.web.query_string import key_of
from zjolcrawl.web.rendering import link, picture
from zjolcrawl.web.texts import _

TAGS = {
    "p", "h2", "strong", "em", "a", "img", "figure", "figcaption", "table", "tr", "td", "th", "ul",
    "ol", "li", "blockquote", "br", "video",
}  # fmt: skip
"""The tags that `body_html` may have (docs/reference/schema.md); not tbody, which browsers add themselves."""
_ATTRIBUTES = {
    "a": {"href"}, "img": {"src", "alt"}, "video": {"src"},
    "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"},
}  # fmt: skip
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOST_LINKS = 100
_MOST_ANCHORS = 1000  # anchors whose URLs are checked
_DEEPEST = 60
# Within these limits no HTML is slow to parse.
_FEW_CHARACTERS, _FEW_TAGS = 10_000, 500


@dataclass(frozen=True, slots=True)
class Reading:
    """A body as safe HTML, and the positions of the images shown in it."""

    html: Markup
    shown: set[int]


def links_in(body_html: str) -> set[str]:
    """The canonical URLs that a body links to, at most 100."""
    if not _is_quick(body_html):
        return set()
    anchors = islice(_tree(body_html).iter("a"), _MOST_ANCHORS)
    found = (key_of(each.get("href", "")) for each in anchors)
    return set(islice(filter(None, found), _MOST_LINKS))


def reading(article: dict[str, Any], own: set[str], *, images: bool = True) -> Reading:
    """The body of a version as safe HTML.

    Links to articles in `own` lead to their pages here. Images are shown if `images` is true and they are
    stored; videos and other images become a note with their URL. HTML that is too slow to parse is shown as
    plain text.
    """
    body_html = article.get("body_html", "")
    if not _is_quick(body_html):
        return Reading(_plain(article.get("body") or text_of(body_html)), set())
    anchors = 0
    entries = {each["url"]: each for each in article.get("images", [])}
    shown: set[int] = set()
    root = _tree(body_html)
    for element in list(root.iter()):
        if element.tag == "img":
            entry = entries.get(element.get("src") or "")
            if entry:
                shown.add(entry["position"])
            _place(element, entry or {"url": element.get("src")}, images=images)
        elif element.tag == "a" and anchors < _MOST_ANCHORS:
            anchors += 1
            _lead(element, own)
        elif element.tag == "video":
            _replace(element, _("视频"), element.get("src"))
        elif element.tag in {"td", "th"}:
            for name in ("colspan", "rowspan"):
                if not re.fullmatch(r"[1-9]\d{0,2}", element.get(name, "1"), re.ASCII):
                    del element.attrib[name]
        elif element.tag == "table":
            _wrap(element)
    return Reading(Markup(_inner(root)), shown)  # noqa: S704 (cleaned by _tree, then our own)


def _is_quick(body_html: str) -> bool:
    few = len(body_html) <= _FEW_CHARACTERS and body_html.count("<") <= _FEW_TAGS
    return few or is_well_formed(body_html)


def _plain(text: str) -> Markup:
    """Plain text as HTML, one paragraph per line."""
    escaped = str(Markup.escape(text.strip()))
    return Markup(f"<p>{escaped.replace(chr(10), '</p>' + chr(10) + '<p>')}</p>")  # noqa: S704


def _tree(body_html: str) -> HtmlElement:
    clean = nh3.clean(
        body_html, tags=TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https"},
        url_relative="deny", link_rel="noopener noreferrer",
        clean_content_tags={"script", "style", "svg", "math", "template", "iframe", "noscript"},
    )  # fmt: skip
    root: HtmlElement = html.fragment_fromstring(_sound(_shallow(clean)), create_parent="div")
    return root


def _shallow(clean: str) -> str:
    """The HTML unchanged, or as plain text if its tags are nested too deep."""
    depth = deepest = 0
    for tag in re.finditer(r"<(/?)(\w+)", clean):
        if tag[2] not in {"br", "img"}:
            depth += -1 if tag[1] else 1
            deepest = max(deepest, depth)
    return clean if deepest <= _DEEPEST else nh3.clean(clean, tags=set())


def _place(element: HtmlElement, entry: dict[str, Any], *, images: bool) -> None:
    source = picture(entry, readable=images)
    if source is None:
        state = image_state(entry.get("status", "referenced"))
        _replace(element, _("图片：{}", state), entry.get("url"))
        return
    alt = entry.get("alt") or entry.get("caption") or ""
    element.attrib.clear()
    element.attrib.update({"src": source, "alt": _sound(str(alt)), "loading": "lazy"})
    if entry.get("width") and entry.get("height"):
        element.attrib.update({"width": str(entry["width"]), "height": str(entry["height"])})


def _lead(element: HtmlElement, own: set[str]) -> None:
    key = key_of(element.get("href", ""))
    if key in own:
        element.set("href", link("/article", url=key))


def _sound(text: str) -> str:
    """The text with characters that XML forbids, and lxml rejects, replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def _replace(element: HtmlElement, what: str, url: str | None) -> None:
    """Replace an element that is not shown by a note with its URL."""
    note = html.Element("span", {"class": "absent", "lang": current().tag})
    note.text = what
    if is_web(url):
        note.text += " · "
        anchor = html.Element("a", {"href": _sound(str(url)), "rel": "noopener noreferrer"})
        anchor.text = _("原地址")
        note.append(anchor)
    _swap(element, note)


def _wrap(table: HtmlElement) -> None:
    """Wrap a table in a box that scrolls sideways, also by keyboard."""
    box = html.Element(
        "div", {"class": "wide table", "tabindex": "0", "role": "group", "aria-label": _("表格")}
    )
    _swap(table, box)
    box.append(table)


def _swap(old: HtmlElement, new: HtmlElement) -> None:
    new.tail, old.tail = old.tail, None
    parent = old.getparent()
    if parent is not None:
        parent.replace(old, new)


def _inner(root: HtmlElement) -> str:
    children = (html.tostring(child, encoding="unicode") for child in root)
    return "".join([str(Markup.escape(root.text or "")), *children])
