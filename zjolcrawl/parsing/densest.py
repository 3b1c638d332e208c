"""Finds the article when no template matches: the element whose paragraphs hold the most non-link text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.furniture import is_named_furniture, page_footer
from zjolcrawl.parsing.hidden import is_hidden
from zjolcrawl.parsing.image_refs import IMAGE_TAGS, IS_PICTURE, picture
from zjolcrawl.parsing.page import Page

_CONTAINERS = {
    "div", "section", "article", "td", "main", "body", "center", "font", "span", "blockquote", "form",
    "pre",
}  # fmt: skip
_HOLDERS = _CONTAINERS - {"font", "span", "center"} | {"table", "tbody", "ul", "ol", "dl"}
_ROWS = {"table", "tbody", "tr", "ul", "ol", "li", "dl", "dd"}  # each cell may hold a paragraph
_INLINE = {"span", "font", "strong", "b", "br", "em", "i", "u", "o:p", "a", "sup", "sub", "img"}
_NEVER_TEXT = {"script", "style", "noscript", "select", "textarea", "template", "head"}
_SILENT = _NEVER_TEXT | {"form", "nav", "footer", "header", "aside"}
_SENTENCE = re.compile("[。！？]")
_DIGITS = re.compile(r"\d+")
# Punctuation that labels, menus and contact boxes lack. Dots between letters (addresses) do not count.
_PROSE = re.compile("[，。！？；、]|[,.!?;](?![a-zA-Z\\d])")
_LEAST = 60  # characters; less is a caption or a notice, not an article
SHORT = 20  # characters; enough for an article if a head confirms it
_LONGEST_MAKE = 1000  # characters of tags and classes, for pages with pointlessly deep nesting
_MOST_LINKS = 10  # below a headline; more links are a menu
# The beginning of the bar below a text.
_FOOTER = re.compile(
    r"[【（(\[]?(?:(?:本文)?来源|稿源|作者|记者|文字|摄影|(?:责任|值班|实习)?编辑|责编|标签|关键词|分享|打印|上一[篇页]|"
    r"下一[篇页]|相关\S{2}|版权|免责|Copyright|©)",
    re.IGNORECASE,
)
_PARAGRAPH = 12  # characters; a shorter text says nothing about where the article is


@dataclass(slots=True, eq=False)
class _Box:
    """An element of the page; `text` is its own text, without links and inner boxes."""

    element: HtmlElement
    parent: _Box | None
    block: _Box | None  # the block that its text belongs to; None for a block itself
    silent: bool = False
    linked: bool = False
    text: list[str] = field(default_factory=list)
    boxes: int = 0  # blocks directly inside it
    prose: int = 0  # characters of paragraphs in the whole subtree
    links: int = 0  # characters of links in the whole subtree

    def is_leaf(self) -> bool:
        """Whether it is a single paragraph, whatever its tag."""
        return not self.boxes and self.element.find(".//br") is None


class Densest:
    """Finds the container whose paragraphs hold the most text; the result is cached for repeated calls."""

    def __init__(self, root: HtmlElement) -> None:
        self._root = root
        self._found: dict[bool, tuple[float, HtmlElement] | None] = {}

    def __call__(self, least: int = _LEAST) -> HtmlElement | None:
        """The densest container, or None if its score is below `least` characters of prose.

        Boxes with names such as `share` are skipped as page furniture. Some sites give such names to
        wrappers of the whole page, so if nothing is found, a second pass includes these boxes.
        Linear in the page's size.
        """
        for named in (True, False):
            if named not in self._found:
                self._found[named] = _densest(self._root, named)
            if (found := self._found[named]) and found[0] >= least:
                return found[1]
        return None


def below_headline(page: Page, headline: HtmlElement) -> HtmlElement | None:
    """The element with the pictures and sentences directly below a headline, down to the footer.

    For pages with too little text for `Densest`. None if links or a footer come first.
    """
    own = set(headline.iter())
    boxes = _boxes_of(page.root, _SILENT, True)
    begin = max((i for i, box in enumerate(boxes) if box.element in own), default=len(boxes)) + 1
    found: list[HtmlElement] = []
    links = 0
    for box in boxes[begin:]:
        links += box.element.tag == "a"
        text = "".join(box.text)
        if links > _MOST_LINKS or _FOOTER.match(text) or page_footer().search(text):
            break
        is_picture = box.element.tag in IMAGE_TAGS and not box.silent and not _leads_on(box)
        if (is_picture and picture(box.element, page.base)) or _SENTENCE.search(text[-2:]):
            found.append(box.element)
        elif found and found[-1].tag in IMAGE_TAGS and text and not box.silent:
            found.append(box.element)  # a caption
    return _around(found) if found else None


def _leads_on(box: _Box) -> bool:
    """Whether a picture links to anything other than an image file (its larger copy)."""
    link = next((a for a in islice(box.element.iterancestors("a"), 1)), None)
    return link is not None and not IS_PICTURE.search(link.get("href") or "")


def _around(elements: list[HtmlElement]) -> HtmlElement:
    """The innermost container that holds all the elements."""
    path = [elements[0], *elements[0].iterancestors()]
    for element in elements[1:]:
        above = {element, *element.iterancestors()}
        path = [each for each in path if each in above]
    return next((each for each in path if each.tag in _HOLDERS), path[-1])


def _densest(root: HtmlElement, named: bool) -> tuple[float, HtmlElement] | None:
    boxes = _boxes_of(root, _SILENT if named else _NEVER_TEXT, named)
    scores = _scores(boxes)
    best = max(scores, key=lambda box: scores[box], default=None)
    return (scores[best], _whole(best, boxes).element) if best else None


def _boxes_of(root: HtmlElement, silent: set[str], named: bool) -> list[_Box]:
    """Every element of the page as a box with its own text."""
    boxes: dict[HtmlElement, _Box] = {}
    for element in root.iter():
        above = element.getparent()
        parent = boxes.get(above) if above is not None else None
        tag = element.tag if isinstance(element.tag, str) else "script"
        box = boxes[element] = _Box(element, parent, None)
        if tag in _INLINE and parent is not None:
            box.block = parent.block or parent
        box.silent = (
            (parent is not None and parent.silent)
            or tag in silent
            or is_hidden(element)
            or (named and tag != "body" and is_named_furniture(element))
        )
        box.linked = tag == "a" or (parent is not None and parent.linked)
        _say(box, element.text)
        if parent is not None:
            if box.block is None:
                parent.boxes += 1
            _say(parent, element.tail)
    return list(boxes.values())


def _say(box: _Box, text: str | None) -> None:
    text = text.strip() if text else ""
    if not text or box.silent:
        return
    block = box.block or box
    if box.linked:
        block.links += len(text)
    else:
        block.text.append(text)


def _scores(boxes: list[_Box]) -> dict[_Box, float]:
    """The score of each container: the text of its own paragraphs, half of its children's, a quarter below.

    This way sections of one body add up in it. Adjacent leaves count as paragraphs of their parent.
    The score is reduced by the share of link text, so that a list of stories with summaries loses.
    """
    paragraphs = list(_paragraphs(boxes))
    leaves: dict[_Box | None, int] = defaultdict(int)
    for box, _ in paragraphs:
        leaves[box.parent] += box.element.tag != "p" and box.is_leaf()
    for box, size in paragraphs:
        box.prose += size
    for box in reversed(boxes):
        if box.parent is not None:
            box.parent.prose += box.prose
            box.parent.links += box.links
    scores: dict[_Box, float] = defaultdict(float)
    wrapped = _wrapped(paragraphs)
    for box, size in paragraphs:
        is_one = box.element.tag == "p" or (box.is_leaf() and leaves[box.parent] >= 2)
        container, share = (box.parent, 1.0) if is_one else (box, 1.0)
        container = wrapped.get(box, container)
        for _ in range(3):
            if container is None or not _is_container(container, rows=box in wrapped):
                break
            scores[container] += size * share
            container, share = container.parent, share / 2
    return {b: s * b.prose / (b.prose + b.links) for b, s in scores.items() if b.prose}


def _wrapped(paragraphs: list[tuple[_Box, int]]) -> dict[_Box, _Box]:
    """For paragraphs that are each wrapped in boxes of the same kind, at any depth: their common parent.

    Two or more wrappers with the same tags and classes are a row. A single wrapper is a container.
    """
    rows: dict[tuple[_Box, str], list[_Box]] = defaultdict(list)
    for box, size in paragraphs:
        if not any(map(_SENTENCE.search, box.text)):
            continue
        here, make = box, _make(box)
        # Climb while the wrapper holds nothing but this paragraph.
        while here.parent is not None and here.parent.prose == size and len(make) < _LONGEST_MAKE:
            here = here.parent
            make += _make(here)
        if (here is not box or _is_cell(box)) and here.parent is not None and size > 3 * here.links:
            rows[here.parent, make].append(box)
    return {box: where for (where, _), row in rows.items() if len(row) > 1 for box in row}


def _make(box: _Box) -> str:
    """The tag and class of an element, without digits: these number the elements of a row."""
    return f">{box.element.tag}.{_DIGITS.sub('', box.element.get('class') or '')}"


def _is_cell(box: _Box) -> bool:
    return box.parent is not None and box.parent.element.tag in _ROWS


def _is_container(box: _Box, rows: bool = False) -> bool:
    tag = str(box.element.tag)
    return tag in _CONTAINERS or "-" in tag or (rows and tag in _ROWS)


def _paragraphs(boxes: list[_Box]) -> Iterator[tuple[_Box, int]]:
    is_footer = page_footer().search
    for box in boxes:
        size = sum(map(len, box.text)) if box.text else 0
        if (
            size >= _PARAGRAPH
            and any(map(_PROSE.search, box.text))
            and not any(map(is_footer, box.text))
        ):
            yield box, size


def _whole(best: _Box, boxes: list[_Box]) -> _Box:
    """The container of the whole article, if `best` is only one of its sections; else `best`."""
    children: dict[_Box | None, list[_Box]] = defaultdict(list)
    for box in boxes:
        children[box.parent].append(box)
    here = best
    while (
        here.parent is not None and here.parent.element.tag != "body" and _is_container(here.parent)
    ):
        alike = [box for box in children[here.parent] if box is not here and _alike(box, here)]
        if sum(box.prose for box in alike) >= 0.2 * here.prose:
            best = here.parent
        elif here.parent.prose != here.prose:
            break  # an only child with prose may have a wrapper that is one of several sections
        here = here.parent
    return best


def _alike(one: _Box, other: _Box) -> bool:
    """Whether two neighbours are sections of one text: the same tag and class, and few links."""
    same = _make(one) == _make(other)
    return (same or one.element.tag == "p") and one.prose > 3 * one.links
