"""Reads galleries: pages whose body is a list of pictures, each with a caption.

Any other text is a line or two below the list.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from html import escape
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.block_reader import BlockReader
from zjolcrawl.parsing.blocks import Block
from zjolcrawl.parsing.text_lines import lines_after

_LIST_TAGS = ("ul", "ol", "dl", "div")
_COUNTER = re.compile(r"[(（]?(?<!\d)\d++\s*+[/／]\s*+\d++[)）]?\s*+")
_LEAST = 3  # pictures; two side by side are only layout
_MOST_LISTS = 60
_SENTENCE = re.compile("[。！？]$")


def read_gallery(
    root: HtmlElement, base: str
) -> tuple[HtmlElement, list[Block], list[Block]] | None:
    """The list of slides, its pictures and captions, and the sentences directly below; None without one.

    A slide has one picture and text without links; slides after the first are often hidden. A list of
    stories differs by its links, a strip of thumbnails by having no text.
    """
    best: tuple[HtmlElement, list[Block]] | None = None
    for box in islice(_lists(root), _MOST_LISTS):
        slides = [_slide(child, base) for child in box]
        blocks = [block for slide in slides for block in slide]
        captioned = sum(len(slide) == 2 for slide in slides)
        is_one = captioned >= _LEAST - 1 and len(slides) >= _LEAST and all(slides)
        if is_one and (best is None or len(blocks) > len(best[1])):
            best = box, blocks
    return (*best, _text_below(best[0])) if best else None


def _lists(root: HtmlElement) -> Iterator[HtmlElement]:
    """The boxes with at least three children that contain a picture. Linear in the page's size."""
    pictured: set[HtmlElement] = set()
    children: dict[HtmlElement, int] = defaultdict(int)
    for image in root.iter("img"):
        box = image.getparent()
        while box is not None and box not in pictured:
            pictured.add(box)
            box = box.getparent()
            if box is not None:
                children[box] += 1
    return (box for box in root.iter(*_LIST_TAGS) if children.get(box, 0) >= _LEAST)


def _slide(item: HtmlElement, base: str) -> list[Block]:
    """The picture and its caption, if any; an empty list if the item is not a slide."""
    blocks = BlockReader(base).read(item)
    figures = [block for block in blocks if block.kind == "figure"]
    words = [block for block in blocks if block.kind != "figure"]
    if len(figures) != 1 or any(block.links > 0.3 for block in words):
        return []
    lines = [
        _COUNTER.sub("", line) if _COUNTER.match(line) else line for b in words for line in b.lines
    ]
    lines = [line for line in lines if line]
    return figures + ([Block("caption", lines)] if lines else [])


def _text_below(box: HtmlElement) -> list[Block]:
    """The first run of sentences below the list, within 12 lines."""
    blocks: list[Block] = []
    for line in lines_after(box, 12):
        if _SENTENCE.search(line.text) and line.links < 0.3:
            blocks.append(Block("p", [line.text], f"<p>{escape(line.text, quote=False)}</p>"))
        elif blocks:
            break
    return blocks
