"""The visible text of a page as lines in document order, each with the element it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

from zjolcrawl.parsing.blocks import BLOCK_TAGS
from zjolcrawl.parsing.fields.text import clean

_SILENT = {"script", "style", "noscript", "template", "head", "select", "textarea", "svg", "title"}
_BOXES = {"span", "a", "em", "i", "label"}
_MAX_DEPTH = 220


@dataclass(slots=True, eq=False)
class Line:
    """A line of text: the block element it stands in and the share of it that is link text."""

    text: str
    element: HtmlElement
    links: float


def page_lines(root: HtmlElement, stop: HtmlElement | None = None) -> list[Line]:
    """Lines of the page down to (without) the element `stop`, or of all of it."""
    reader = _LineReader(stop)
    reader.walk(root, root, False, 0)
    reader.flush(root)
    return reader.lines


def lines_after(element: HtmlElement, limit: int = 120) -> list[Line]:
    """At most `limit` lines that come after an element in document order, nearest first."""
    lines: list[Line] = []
    for following in _followers(element):
        reader = _LineReader(None)
        reader.walk(following, following, False, 0)
        reader.flush(following)
        lines += reader.lines
        if len(lines) >= limit:
            break
    return lines[:limit]


def _followers(element: HtmlElement) -> Iterator[HtmlElement]:
    here: HtmlElement | None = element
    while here is not None:
        yield from (s for s in here.itersiblings() if isinstance(s.tag, str))
        here = here.getparent()


def _is_apart(element: HtmlElement) -> bool:
    """Whether a span ends where the next begins: boxes of an info line, set apart by style alone."""
    following = element.getnext()
    return element.tag in _BOXES and following is not None and following.tag in _BOXES


class _LineReader:
    def __init__(self, stop: HtmlElement | None) -> None:
        self.lines: list[Line] = []
        self._stop = stop
        self._stopped = False
        self._pieces: list[tuple[str, bool]] = []  # text, and whether it is a link's

    def walk(self, element: HtmlElement, block: HtmlElement, link: bool, depth: int) -> None:
        if element is self._stop:
            self._stopped = True
        tag = element.tag
        if self._stopped or tag in _SILENT:
            return
        is_block = tag in BLOCK_TAGS
        if is_block:
            self.flush(block)
            block = element
        elif tag == "br":
            self.flush(block)
        link = link or tag == "a"
        if text := element.text:
            self._pieces.append((text, link))
        if depth > _MAX_DEPTH:
            self._pieces.append((str(element.text_content())[:2000], link))
        else:
            for child in element:
                if isinstance(child.tag, str):
                    self.walk(child, block, link, depth + 1)
                    if self._stopped:
                        break
                if (tail := child.tail) and not tail.isspace():
                    self._pieces.append((tail, link))
                elif tail or _is_apart(child):
                    self._pieces.append((" ", link))
        if is_block:
            self.flush(block)

    def flush(self, block: HtmlElement) -> None:
        if not self._pieces:
            return
        pieces, self._pieces = self._pieces, []
        text = clean("".join([text for text, _ in pieces]))
        if text:
            sizes = [(len(text.strip()), link) for text, link in pieces]
            total = sum([size for size, _ in sizes])
            linked = sum([size for size, link in sizes if link])
            self.lines.append(Line(text, block, linked / total if total else 0.0))
