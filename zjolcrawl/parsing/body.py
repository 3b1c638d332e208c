"""Turns a container's blocks into the article body: attaches captions, extracts notes and credits."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from html import escape
from itertools import dropwhile

from zjolcrawl.items import Image, Media
from zjolcrawl.parsing.blocks import Block, keep_lines, without_end
from zjolcrawl.parsing.captions import with_captions
from zjolcrawl.parsing.credit_bar import (
    begins_with_source,
    is_credit_bar,
    read_credit_bar,
    with_labels_apart,
)
from zjolcrawl.parsing.credits import read_credits
from zjolcrawl.parsing.fields.roles import EDITOR_ROLES
from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.furniture import begins_box, is_contact, trim, until_end
from zjolcrawl.parsing.info_line import read_info
from zjolcrawl.parsing.labelled_lines import (
    ABSTRACT,
    BUTTONS,
    EDITOR_LINE,
    NOTE,
    ORIGINAL_TITLE,
    TAG_LINE,
    unquoted,
)

# 本文来源：新京报 责任编辑：王小明, as a last line
_FROM_LINE = re.compile(r"^[（(【]?(?:本文|文章|稿件|新闻)?来源\s*[:：丨｜|]\s*[^。！？；]{2,50}$")
_DIVIDED = re.compile(r"^(\S{0,2}来源)\s*[丨｜|]\s*")
_LONGEST_HEAD = 40  # blocks; a head may include a menu or a column beside the article
_NOTE_SIGNS, _ABSTRACT_SIGNS = frozenset("编按"), frozenset("摘提导")
# Notes on the author below an essay, such as the author's workplace.
_OWN_WORDS = ("附", "（作者", "(作者", "【作者", "作者单位", "作者简介")
_OTHER_LABEL = re.compile(r"[\s|｜/／](?:标签|关键词|来源|稿源|作者|原标题)\s{0,9}[:：]")
_EDITOR_TAIL = re.compile(
    rf"[【\[（(〔]\s*((?:{EDITOR_ROLES})(?:\s*+[:：/／])?\s*[^】\]）)〕。]{{2,30}})[】\]）)〕]\s*$"
)


@dataclass(slots=True)
class Body:
    """The article's body and the fields that were extracted from its blocks."""

    lines: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    videos: list[Media] = field(default_factory=list)
    bylines: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)  # authors, if nothing else names any
    editors: list[str] = field(default_factory=list)
    source: str | None = None
    editor_note: str | None = None
    abstract: str | None = None
    dateline: str | None = None
    original_title: str | None = None
    links: float = 0.0

    @property
    def size(self) -> int:
        """The number of characters in the lines."""
        return sum(map(len, self.lines))


def read_body(
    blocks: list[Block],
    head: Collection[str],
    headline: str | None,
    *,
    headline_inside: bool = False,
) -> Body:
    """Sort a container's blocks into the parts of the article, without the lines in `head`.

    `headline_inside` means that the container holds the headline itself, not a copy of it.
    """
    blocks = _without_head(blocks, head, headline, headline_inside)
    body = Body()
    blocks = trim(_take_footer(until_end(blocks), body))
    blocks = _take_source(_take_original_title(blocks, body), body)
    blocks = _take_editors(blocks, body)
    body.editor_note, blocks = _take_note(blocks, NOTE, _NOTE_SIGNS)
    body.abstract, blocks = _take_note(blocks, ABSTRACT, _ABSTRACT_SIGNS, _LONGEST_HEAD // 4)
    captioned = with_captions(blocks)
    own = [block for block, _ in captioned if block.kind in {"p", "h2", "quote"}]
    texts = [line for block in own for line in block.lines]
    # If the article is only pictures with captions, the photographer is the author.
    said = read_credits(texts or [caption for _, caption in captioned if caption])
    body.dateline = said.dateline
    body.bylines += said.bylines
    body.entries = said.entries
    _render(captioned, body)
    sizes = [len(block.text) for block in blocks]
    linked = sum([block.links * size for block, size in zip(blocks, sizes, strict=True)])
    body.links = linked / text if (text := sum(sizes)) else 0.0
    return body


def _without_head(
    blocks: list[Block], head: Collection[str], headline: str | None, inside: bool
) -> list[Block]:
    """Drop the headline and everything above it, if the container holds the head too.

    The head ends at the first prose. A later repetition of the headline is a hidden copy at the end, a
    picture's caption, or the article's own words.
    """
    known = {squeeze(line) for line in (*head, headline or "")} - {""}
    last = -1
    for index, block in enumerate(blocks[:_LONGEST_HEAD]):
        if _is_known(block, known):
            last = index
        elif _is_prose(block) and (last >= 0 or not inside):
            break
    kept = [
        block for i, block in enumerate(blocks) if i > last or block.kind in {"figure", "video"}
    ]
    for block in kept[:1]:  # headline and text in one paragraph
        rest = list(dropwhile(lambda line: squeeze(line) in known, block.lines))
        if block.kind == "p" and len(rest) < len(block.lines):
            kept[:1] = [keep_lines(block, rest)] if rest else []
    return _without_copies(kept, squeeze(headline or ""))


def _without_copies(blocks: list[Block], headline: str) -> list[Block]:
    """The blocks without copies of the headline; a copy directly below a picture becomes its caption."""
    longest = len(headline) + 8
    copies = [
        i
        for i, block in enumerate(blocks)
        if block.lines and len(block.lines[0]) <= longest and squeeze(block.text) == headline
    ]
    if not copies:
        return blocks
    prose = [i for i, block in enumerate(blocks) if i not in copies and _is_prose(block)]
    for i in copies:
        if i and blocks[i - 1].kind == "figure":
            blocks[i].kind = "caption"
    return [
        block
        for i, block in enumerate(blocks)
        if i not in copies or block.kind == "caption" or i < max(prose, default=0)
    ]


def _is_known(block: Block, known: set[str]) -> bool:
    lines = [squeeze(line) for line in block.lines]
    text = "".join(lines)
    return bool(text) and (text in known or all(line in known for line in lines))


def _is_prose(block: Block) -> bool:
    """Whether a block is a paragraph of text, not a line of a menu, head or footer."""
    if block.kind not in {"p", "quote"} or block.links >= 0.5 or not block.lines:
        return False
    return (
        any(len(line) > 60 or "。" in line for line in block.lines) or block.lines[-1][-1] in "！？"
    )


def _take_footer(blocks: list[Block], body: Body) -> list[Block]:
    """Take out the bar with source, author and editor below the text, and everything after it."""
    end = len(blocks)
    while end and not _is_prose(blocks[end - 1]):
        end -= 1
    start = _footer_begins(blocks, end) if end else None
    if start is None:
        return blocks
    below = [line.replace("\t", " ") for block in blocks[start:] for line in block.lines]
    footer = read_credit_bar(
        dropwhile(lambda line: not is_credit_bar(with_labels_apart(line)), below)
    )
    body.source = body.source or footer.source
    body.bylines += footer.bylines
    body.editors += footer.editors
    return blocks[:start]


def _footer_begins(blocks: list[Block], end: int) -> int | None:
    """The index of the block where the footer begins, or None; the text ends before `end`.

    A bar that names the source, or the heading of a list, always begins the footer. Any other label does
    so only below the last picture or video (each picture may have an author) and below the last note
    of the article's own, such as one on its author.
    """
    labels: list[int] = []
    for index in range(end, len(blocks)):
        block = blocks[index]
        if block.kind in {"figure", "video"}:
            labels = []
        line = block.lines[0].replace("\t", " ") if block.lines else ""
        if not line or len(line) > 160:
            continue
        if line.startswith(_OWN_WORDS) and not _OTHER_LABEL.search(line):
            labels = []
            continue
        bar = with_labels_apart(line)
        if begins_box(line) or begins_with_source(bar):
            start = index
            while start > end and is_contact(blocks[start - 1].text):
                start -= 1
            return min([*labels, start])
        if is_credit_bar(bar) or TAG_LINE.match(line) or line in {"责任编辑", "编辑"}:
            labels.append(index)
    return labels[0] if labels else None


def _take_original_title(blocks: list[Block], body: Body) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        if block.kind in {"p", "h2", "quote"} and body.original_title is None:
            named = [
                m for line in block.lines if "原" in line and (m := ORIGINAL_TITLE.match(line))
            ]
            if named:
                body.original_title = unquoted(named[0]["title"])
                rest = [line for line in block.lines if line != named[0].string]
                kept += [keep_lines(block, rest)] if rest else []
                continue
        kept.append(block)
    return kept


def _take_source(blocks: list[Block], body: Body) -> list[Block]:
    """Take out lines that name the source (often with the editor): the first and last three blocks only."""
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        at_end = index == 0 or index >= len(blocks) - 3
        is_line = block.kind in {"p", "h2"} and len(block.lines) == 1
        if at_end and is_line and _FROM_LINE.match(block.text):
            text = _DIVIDED.sub(r"\1: ", block.text.strip("（()）【】"), count=1)
            said = read_info(text)
            body.source = body.source or said.source
            body.editors += said.editors
            body.bylines += said.bylines
        else:
            kept.append(block)
    return kept


def _take_editors(blocks: list[Block], body: Body) -> list[Block]:
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        if block.kind not in {"p", "h2", "quote"}:
            kept.append(block)
            continue
        lines = [line for line in block.lines if "。" not in line and _names_editors(line)]
        if lines:
            body.editors += [_without_others(BUTTONS.sub("", line)) for line in lines]
            if len(lines) == len(block.lines):
                continue
            named = set(lines)
            kept.append(keep_lines(block, [line for line in block.lines if line not in named]))
            continue
        last = block.lines[-1]
        ends_so = index >= len(blocks) - 6 and last.rstrip().endswith(("】", "]", ")", "）", "〕"))
        if ends_so and (tail := _EDITOR_TAIL.search(last)):
            body.editors.append(tail[1])
            block.lines[-1] = block.lines[-1][: tail.start()].rstrip()
            block.html = without_end(block.html, tail[0])
            if not block.lines[-1]:
                block.lines.pop()
            if not block.lines:
                continue
        kept.append(block)
    return kept


def _without_others(line: str) -> str:
    """An editors' line, cut at a label of another kind: 责任编辑: 王小明 标签: 杭州;文明."""
    return _OTHER_LABEL.split(line)[0]


def _names_editors(line: str) -> bool:
    bar = BUTTONS.match(line)
    return bool(EDITOR_LINE.match(line[bar.end() :] if bar else line))


def _take_note(
    blocks: list[Block], label: re.Pattern[str], signs: frozenset[str], most: int | None = None
) -> tuple[str | None, list[Block]]:
    """The first note with this label (or None), and the blocks without it.

    Each label contains one of `signs`: a cheap test. With `most`, only the first `most` blocks are
    searched.
    """
    for index, block in enumerate(blocks[:most]):
        if block.kind not in {"p", "h2", "quote"}:
            continue
        for at, line in enumerate(block.lines):
            mark = label.match(line) if not signs.isdisjoint(line[:8]) else None
            if not mark:
                continue
            note, end, following = line[mark.end() :].strip(), at + 1, index + 1
            if not note and end < len(block.lines):
                note, end = block.lines[end], end + 1
            if not note and following < len(blocks) and blocks[following].kind in {"p", "quote"}:
                note, following = blocks[following].text, following + 1
            if len(note) < 4:
                continue
            rest = block.lines[:at] + block.lines[end:]
            kept = [keep_lines(block, rest)] if rest else []
            return note, blocks[:index] + kept + blocks[following:]
    return None, blocks


def _render(blocks: list[tuple[Block, str | None]], body: Body) -> None:
    for block, caption in blocks:
        if block.kind == "figure":
            position = len(body.images) + 1
            body.images.append(Image(block.url, block.ref, position, caption, block.alt))
            body.html.append(_figure(block, caption))
        elif block.kind == "video":
            body.videos.append(Media(block.url, block.ref))
            body.html.append(block.html)
        elif block.kind == "caption":
            body.html.append(f"<p>{escape(block.text, quote=False)}</p>")
            body.lines += block.lines
        else:
            body.lines += block.lines
            body.html.append(block.html)
    body.lines = [line for line in body.lines if line.strip() or clean(line)]


def _figure(block: Block, caption: str | None) -> str:
    alt = f' alt="{escape(block.alt)}"' if block.alt else ""
    text = f"<figcaption>{escape(caption, quote=False)}</figcaption>" if caption else ""
    return f'<figure><img src="{escape(block.url)}"{alt}>{text}</figure>'
