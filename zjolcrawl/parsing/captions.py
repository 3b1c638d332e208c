"""Captions: which lines say what a picture shows, and which picture."""

from __future__ import annotations

import re

from zjolcrawl.parsing.blocks import Block
from zjolcrawl.parsing.passages import CREDIT, DATELINE, NOTE

_CAPTION = re.compile(
    r"^(?:[▲△↑↓▼◆]|图\s*[为:：/]|[上下左右]图|图片说明|图注|图源|图片来源|(?:摄影|供图|制图|绘图|漫画|制表)\s*[:：/])|"
    r"(?:图源|图片来源|资料图片?|供图|摄影)\s*[:：/]\s*\S{1,120}$|(?:[\s/]|[\u4e00-\u9fff]{2})摄[)）]?$|(?:资料图|供图)[)）]?$|"
    r"图片?(?:均)?(?:由|来自|源自).{2,20}[)）]$"
)


def with_captions(blocks: list[Block]) -> list[tuple[Block, str | None]]:
    """Each block with its caption; a caption follows its picture and is no block of its own."""
    if all(block.kind != "figure" for block in blocks):
        return [(block, None) for block in blocks]
    paired: list[tuple[Block, str | None]] = []
    in_rows = _captions_in_rows(blocks)
    for index, block in enumerate(blocks):
        if index in in_rows:
            at = in_rows[index]
            if at is not None:
                paired.append((block, " ".join(blocks[at].lines)))
            continue
        previous = paired[-1] if paired else None
        if block.kind == "figure" and _is_above(previous, blocks[index + 1 : index + 2]):
            paired[-1] = (block, " ".join(paired[-1][0].lines))
            continue
        if previous and previous[0].kind == "figure" and previous[1] is None and _is_caption(block):
            paired[-1] = (previous[0], " ".join(block.lines))
        else:
            # Also a figcaption above its picture, or without one: still the page's words.
            paired.append((block, None))
    return paired


def _captions_in_rows(blocks: list[Block]) -> dict[int, int | None]:
    """Pictures in a row and as many captions below them: each picture's caption by index, None at
    the captions themselves.
    """
    rows: dict[int, int | None] = {}
    index = 0
    while index < len(blocks):
        end = index
        while end < len(blocks) and blocks[end].kind == "figure":
            end += 1
        size = end - index
        below = blocks[end : end + size]
        if size > 1 and len(below) == size and all(b.captionish and _is_caption(b) for b in below):
            rows |= {index + n: end + n for n in range(size)}
            rows |= dict.fromkeys(range(end, end + size))
        index = max(end, index + 1)
    return rows


def _is_above(previous: tuple[Block, str | None] | None, following: list[Block]) -> bool:
    """Whether a picture's caption stands above it: centred, worded as captions are, none below."""
    if previous is None or previous[0].kind != "p" or not previous[0].centred:
        return False
    worded = len(previous[0].text) <= 80 and _CAPTION.search(previous[0].text)
    return bool(worded) and not any(_is_caption(block) for block in following)


def _is_caption(block: Block) -> bool:
    if block.kind == "caption":
        return True
    text = block.text
    if block.kind not in {"p", "h2"} or len(text) > 120 or not text:
        return False
    if _CAPTION.search(text) and len(text) <= 100:
        return True
    if block.kind == "h2" or DATELINE.match(text) or CREDIT.match(text) or NOTE.match(text):
        return False
    return (block.centred or block.captionish) and len(text) <= 80
