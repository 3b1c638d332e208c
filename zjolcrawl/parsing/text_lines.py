"""Reads the visible text of a page as lines in document order, each with its block element."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

from zjolcrawl.parsing.blocks import BLOCK_TAGS
from zjolcrawl.parsing.elements import text_of
from zjolcrawl.parsing.fields.text import clean

_SILENT = {"script", "style", "noscript", "template", "head", "select", "textarea", "svg", "title"}
_BOXES = {"span", "a", "em", "i", "label"}
_MAX_DEPTH = 220
_MOST_AFTER = 120  # lines
# How many lines after an element are read at first, and each time more are needed.
_STEPS = (12, 40, _MOST_AFTER)


@dataclass(slots=True, eq=False)
class Line:
    """A line of text, the block element around it, and the share of link text (0 to 1)."""

    text: str
    element: HtmlElement
    links: float


def page_lines(root: HtmlElement, stop: HtmlElement | None = None) -> list[Line]:
    """The lines of the page down to the element `stop` (excluded), or of the whole page."""
    reader = _LineReader(stop)
    reader.read(root, root, False, 0)
    reader.flush(root)
    return reader.lines


def last_lines(element: HtmlElement, count: int) -> list[Line]:
    """The last `count` lines in an element; earlier paragraphs are skipped if possible."""
    children = list(element)
    blocks = [i for i, child in enumerate(children) if child.tag in BLOCK_TAGS]
    if len(blocks) > count and element.tag in BLOCK_TAGS:
        reader = _LineReader(None)
        reader.read_children(
            children[blocks[-count] :], element, False, 1
        )  # a block begins a new line
        reader.flush(element)
        if len(reader.lines) >= count:
            return reader.lines[-count:]
    return page_lines(element)[-count:]


def lines_from(
    root: HtmlElement,
    first: HtmlElement,
    is_wanted: Callable[[str], bool],
    stop: HtmlElement | None = None,
) -> list[Line]:
    """Like `page_lines`, but skips boxes before `first` that have no wanted text.

    All lines are read from the first one with a wanted text, or from `first`. This is faster because
    the menus above an article have more elements than the article, and testing the text of a whole box
    is cheaper than reading its lines.
    """
    path = {first, *first.iterancestors()}
    if stop is not None:
        path |= {stop, *stop.iterancestors()}
    reader = _LineReader(stop)
    reader.pass_over(path, first, is_wanted)
    reader.read(root, root, False, 0)
    reader.flush(root)
    return reader.lines


class LinesAfter:
    """At most 120 lines after an element in document order, nearest first.

    Lines are read on demand, because callers mostly need only the first few.
    """

    def __init__(self, element: HtmlElement) -> None:
        self._element = element
        self._lines: list[Line] = []
        self._read = 0  # how many lines have been requested from the page

    def __iter__(self) -> Iterator[Line]:
        given = 0
        for step in _STEPS:
            yield from self.first(step)[given:]
            given = step

    def first(self, count: int) -> list[Line]:
        """The first `count` lines, or fewer if there are not so many; `count` is at most 120."""
        if self._read < count and len(self._lines) == self._read:
            self._read = next(step for step in _STEPS if step >= count)
            self._lines = lines_after(self._element, self._read)
        return self._lines[:count]


def lines_after(element: HtmlElement, limit: int) -> list[Line]:
    """At most `limit` lines after an element in document order, nearest first."""
    reader = _LineReader(None, limit)
    for following in _followers(element):
        reader.read(following, following, False, 0)
        reader.flush(following)
        if len(reader.lines) >= limit:
            break
    return reader.lines[:limit]


def _followers(element: HtmlElement) -> Iterator[HtmlElement]:
    here: HtmlElement | None = element
    while here is not None:
        yield from (s for s in here.itersiblings() if isinstance(s.tag, str))
        here = here.getparent()


def _is_apart(element: HtmlElement) -> bool:
    """Whether another inline box follows directly: pieces of an info line are separated only by style."""
    if element.tag not in _BOXES:
        return False
    following = element.getnext()
    return following is not None and following.tag in _BOXES


class _LineReader:
    """Reads elements; stops before `stop`, or soon after `limit` lines."""

    def __init__(self, stop: HtmlElement | None, limit: int | None = None) -> None:
        self.lines: list[Line] = []
        self._stop = stop
        self._limit = limit
        self._stopped = False
        self._pieces: list[str] = []
        self._linked: list[str] = []  # the pieces that are link text
        self._passing = False
        self._path: set[HtmlElement] = set()
        self._first: HtmlElement | None = None
        self._is_wanted: Callable[[str], bool] = bool

    def pass_over(
        self, path: set[HtmlElement], first: HtmlElement, is_wanted: Callable[[str], bool]
    ) -> None:
        """Skip boxes until `first` or a box with a wanted text; elements of `path` are never skipped."""
        self._passing, self._path, self._first, self._is_wanted = True, path, first, is_wanted

    def read(self, element: HtmlElement, block: HtmlElement, link: bool, depth: int) -> None:
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
            self._say(text, link)
        if depth > _MAX_DEPTH:
            self._say(text_of(element)[:2000], link)
        elif len(element):
            self.read_children(element, block, link, depth + 1)
        if is_block:
            self.flush(block)

    def read_children(
        self, children: Iterable[HtmlElement], block: HtmlElement, link: bool, depth: int
    ) -> None:
        for child in children:
            if isinstance(child.tag, str):
                if self._passing and child.tag in BLOCK_TAGS:
                    self.flush(block)  # loose text before the box may be the wanted text
                if not (self._passing and self._is_passed(child)):
                    self.read(child, block, link, depth)
                if self._stopped:
                    break
            if (tail := child.tail) and not tail.isspace():
                self._say(tail, link)
            elif self._pieces and (tail or _is_apart(child)):
                self._say(" ", link)

    def _is_passed(self, box: HtmlElement) -> bool:
        if box in self._path:
            self._passing = box is not self._first
            return False
        if box.tag not in BLOCK_TAGS:
            return False
        self._passing = not self._is_wanted(text_of(box))
        return self._passing

    def _say(self, text: str, link: bool) -> None:
        self._pieces.append(text)
        if link:
            self._linked.append(text)

    def flush(self, block: HtmlElement) -> None:
        pieces = self._pieces
        if not pieces:
            return
        linked, self._pieces, self._linked = self._linked, [], []
        if text := clean("".join(pieces)):
            share = 0.0
            if len(linked) == len(pieces):
                share = float(any(map(str.strip, pieces)))
            elif linked and (total := sum([len(piece.strip()) for piece in pieces])):
                share = sum([len(piece.strip()) for piece in linked]) / total
            self.lines.append(Line(text, block, share))
            self._passing = self._passing and not self._is_wanted(text)
            self._stopped = self._stopped or len(self.lines) == self._limit
