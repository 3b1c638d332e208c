"""The reader of last resort: the element with the most text of its own that is no link."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from zjolcrawl.parsing.blocks import is_furniture
from zjolcrawl.parsing.templates.table import Template, Values, paths

GENERIC = Template(
    name="generic",
    bodies=(),
    times=paths("//*[@id='pubtime_baidu']"),  # SIS: shared by many news sites
    sources=paths("//*[@id='source_baidu']"),
    authors=paths("//*[@id='author_baidu']"),
    editors=paths("//*[@id='editor_baidu']"),
)
_CONTAINERS = {"div", "section", "article", "td", "main", "body", "center", "font", "span"}
_INLINE = {"p", "span", "font", "strong", "b", "br", "em", "i", "u", "center", "o:p"}
_SILENT = {"script", "style", "noscript", "select", "form", "nav", "footer", "header", "aside"}
_PROSE = re.compile("[，。！？；、,.!?;]")  # what labels and menus do without
_UNLINKED = Values(".//text()[not(ancestor::a)]")
_LEAST = 60  # characters: less is a caption or a notice, not an article


def densest(root: HtmlElement) -> HtmlElement | None:
    """The container whose own paragraphs hold most text, or None where a page has no prose.

    A paragraph counts in full for its parent and by half for its grandparent, so that sections
    nested inside one body meet in it.
    """
    scores: dict[HtmlElement, float] = {}
    for element in root.iter("p", "div", "td", "section", "article", "font", "center"):
        if _is_silent(element):
            continue
        text = _own_text(element)
        if len(text) < 12 or not _PROSE.search(text):
            continue
        parent, share = (element.getparent(), 1.0) if element.tag == "p" else (element, 1.0)
        for _ in range(3):
            if parent is None or parent.tag not in _CONTAINERS:
                break
            scores[parent] = scores.get(parent, 0.0) + len(text) * share
            parent, share = parent.getparent(), share / 2
    best = max(scores, key=lambda e: scores[e], default=None)
    return best if best is not None and scores[best] >= _LEAST else None


def _is_silent(element: HtmlElement) -> bool:
    if element.tag != "p" and is_furniture(element):
        return True
    return any(
        a.tag in _SILENT or (a.tag != "body" and is_furniture(a)) for a in element.iterancestors()
    )


def _own_text(element: HtmlElement) -> str:
    """The prose directly in an element: not in links, not in blocks below it."""
    pieces = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag in _INLINE - {"p"}:
            pieces += _UNLINKED(child)
        pieces.append(child.tail or "")
    return "".join(pieces).strip()
