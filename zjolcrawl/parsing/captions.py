"""Attaches captions to pictures: decides which lines are captions, and of which picture."""

from __future__ import annotations

import re

from zjolcrawl.parsing.blocks import Block, keep_lines
from zjolcrawl.parsing.labelled_lines import CREDIT, DATELINE, NOTE

_CAPTION = re.compile(
    r"^(?:[▲△↑](?![▲△↑])|图\s{0,9}[为:：/]|[上下左右]图(?![书腾案片形像谱])|图片说明|图注|图源|图片来源|"
    r"(?:摄影|供图|制图|绘图|漫画|制表)\s{0,9}[:：/])|"
    r"(?:图源|图片来源|资料图片?|供图|摄影)\s{0,9}[:：/]\s{0,9}\S{1,100}$|(?:\s|[　/]|[\u4e00-\u9fff]{2,4})\s{0,9}摄[)）]?$|(?:资料图|供图)[)）]?$|"
    r"图片?(?:均)?(?:由|来自|源自).{2,20}[)）]$"
)
# ▼ marks a caption above its picture, except in a line that only announces more content.
_POINTS_DOWN = re.compile(
    r"^[▼▽↓](?![▼▽↓])\s?(?!下[面方列]|以下|一起|请|快|来|跟|点击|点|戳|查看|详情|更多|往下|滑动)"
)
_TAKEN_BY = re.compile(
    r"(?:[\u4e00-\u9fff ]|[　/])摄\s?[)）]?$|[(（][^()（）]{0,12}(?:资料|供)图[)）]$"
)
_SENTENCE = re.compile("[。！？][”’）)]?$")


def with_captions(blocks: list[Block]) -> list[tuple[Block, str | None]]:
    """Each block with its caption or None; a block that became a caption is left out of the list."""
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
        count = 0
        if previous and previous[0].kind == "figure" and previous[1] is None:
            is_next = any(each.kind == "figure" for each in blocks[index + 1 : index + 2])
            count = _caption_lines(block, is_next)
        if previous and count:
            paired[-1] = (previous[0], " ".join(block.lines[:count]))
            if count < len(block.lines):
                paired.append((keep_lines(block, block.lines[count:]), None))
        else:
            # A figcaption above its picture, or without one, stays: it is part of the page's text.
            paired.append((block, None))
    return paired


def _caption_lines(block: Block, is_above_another: bool) -> int:
    """How many lines at the start of a block are the caption of the picture above it."""
    if _POINTS_DOWN.match(block.text) and not is_above_another and len(block.text) <= 80:
        return len(block.lines)
    if not _is_caption(block):
        return 0
    if block.kind == "caption":
        return len(block.lines)
    is_worded = bool(_CAPTION.search(block.lines[0]))
    for count, line in enumerate(block.lines[1:], 1):
        is_text = _SENTENCE.search(line) and not _CAPTION.search(line)
        if is_text and (is_worded or not block.centred or len(line) > 40):
            return count
    return len(block.lines)


def _captions_in_rows(blocks: list[Block]) -> dict[int, int | None]:
    """For rows of pictures with as many captions below: picture index to caption index.

    The index of each caption maps to None.
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
    """Whether a picture's caption is above it: the text above is worded like one, and none is below."""
    if previous is None or previous[0].kind != "p" or len(previous[0].text) > 80:
        return False
    text = previous[0].text
    worded = _POINTS_DOWN.match(text) or (previous[0].centred and _CAPTION.search(text))
    return bool(worded) and not any(_is_caption(block) for block in following)


def _is_caption(block: Block) -> bool:
    if block.kind == "caption":
        return True
    text = block.lines[0] if block.lines else ""
    if block.kind not in {"p", "h2"} or not text:
        return False
    if block.centred and len(text) <= 300 and _TAKEN_BY.search(text):
        return True  # a news agency's caption: whole sentences and the photographer
    if _CAPTION.search(text) and len(text) <= 100:
        return True
    if len(block.lines) > 1 and len(block.text) <= 100 and _CAPTION.search(block.text):
        # 记者 江帆 摄 below one sentence; several sentences are the article's.
        return sum(map(bool, map(_SENTENCE.search, block.lines))) <= 1
    if (
        block.kind == "h2"
        or len(text) > 120
        or DATELINE.match(text)
        or CREDIT.match(text)
        or NOTE.match(text)
    ):
        return False
    if text[0] in "▼▽↓▲△↑":  # an arrow that did not match above is not a caption by position either
        return False
    return (block.centred or block.captionish) and len(block.text) <= 80
