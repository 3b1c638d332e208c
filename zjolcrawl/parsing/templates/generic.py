"""The reader of last resort: the element with the most text of its own that is no link."""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml.html import HtmlElement

from zjolcrawl.parsing.ancestry import Under
from zjolcrawl.parsing.blocks import is_furniture
from zjolcrawl.parsing.templates.table import Template, paths

GENERIC = Template(
    name="generic",
    bodies=(),
    times=paths("//*[@id='pubtime_baidu']"),  # SIS: shared by many news sites
    sources=paths("//*[@id='source_baidu']"),
    authors=paths("//*[@id='author_baidu']"),
    editors=paths("//*[@id='editor_baidu']"),
)
_CONTAINERS = {"div", "section", "article", "td", "main", "body", "center", "font", "span"}
_INLINE = {"span", "font", "strong", "b", "br", "em", "i", "u", "center", "o:p"}
_SILENT = {"script", "style", "noscript", "select", "form", "nav", "footer", "header", "aside"}
_PROSE = re.compile("[，。！？；、,.!?;]")  # what labels and menus do without
_LEAST = 60  # characters: less is a caption or a notice, not an article


def densest(root: HtmlElement) -> HtmlElement | None:
    """The container whose own paragraphs hold most text, or None where a page has no prose.

    A paragraph counts in full for its parent and by half for its grandparent, so that sections
    nested inside one body meet in it.
    """
    scores: dict[HtmlElement, float] = {}
    in_silent, unlinked = Under(_is_silent), _unlinked(root)
    for element in root.iter("p", "div", "td", "section", "article", "font", "center"):
        if (element.tag != "p" and is_furniture(element)) or in_silent(element):
            continue
        own = _own_text(element, unlinked)
        if own.size < 12 or not own.prose:
            continue
        parent, share = (element.getparent(), 1.0) if element.tag == "p" else (element, 1.0)
        for _ in range(3):
            if parent is None or parent.tag not in _CONTAINERS:
                break
            scores[parent] = scores.get(parent, 0.0) + own.size * share
            parent, share = parent.getparent(), share / 2
    best = max(scores, key=lambda e: scores[e], default=None)
    return best if best is not None and scores[best] >= _LEAST else None


def _is_silent(element: HtmlElement) -> bool:
    return element.tag in _SILENT or (element.tag != "body" and is_furniture(element))


class _Text(NamedTuple):
    """How many characters, without white space around the pieces, and whether they are prose."""

    size: int = 0
    prose: bool = False

    def plus(self, text: str | None) -> _Text:
        if not text:
            return self
        return _Text(self.size + len(text.strip()), self.prose or bool(_PROSE.search(text)))

    def with_all(self, other: _Text) -> _Text:
        return _Text(self.size + other.size, self.prose or other.prose)


def _unlinked(root: HtmlElement) -> dict[HtmlElement, _Text]:
    """The text in each element that is no link's; from the leaves up, each is visited once."""
    in_link = Under(lambda element: element.tag == "a")
    found: dict[HtmlElement, _Text] = {}
    for element in reversed(list(root.iter("*"))):
        if element.tag != "a" and not in_link(element):
            text = _Text().plus(element.text)
            for child in element:
                text = text.with_all(found.get(child, _Text())).plus(child.tail)
            found[element] = text
    return found


def _own_text(element: HtmlElement, unlinked: dict[HtmlElement, _Text]) -> _Text:
    """The prose directly in an element: not in links, not in blocks below it."""
    text = _Text().plus(element.text)
    for child in element:
        if child.tag in _INLINE:
            text = text.with_all(unlinked.get(child, _Text()))
        text = text.plus(child.tail)
    return text
