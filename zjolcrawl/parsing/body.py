"""Which blocks of a body container are the article: captions bound, notes and credits taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from itertools import dropwhile

from zjolcrawl.items import Image, Media
from zjolcrawl.parsing.blocks import Block
from zjolcrawl.parsing.captions import with_captions
from zjolcrawl.parsing.credits import read_credits
from zjolcrawl.parsing.fields.bylines import EDITOR_ROLES
from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.furniture import trim
from zjolcrawl.parsing.info_line import read_info
from zjolcrawl.parsing.passages import EDITOR_LINE, NOTE, ORIGINAL_TITLE, unquoted

# 本文来源：新京报 责任编辑：王小明, as a last line
_FROM_LINE = re.compile(r"^[（(【]?(?:本文|文章|稿件|新闻)?来源\s*[:：]\s*[^。！？；]{2,50}$")
_EDITOR_TAIL = re.compile(
    rf"[【\[（(〔]\s*((?:{EDITOR_ROLES})(?:\s*+[:：/／])?\s*[^】\]）)〕。]{{2,30}})[】\]）)〕]\s*$"
)


@dataclass(slots=True)
class Body:
    """The article's own blocks and what was taken out of them."""

    lines: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    videos: list[Media] = field(default_factory=list)
    bylines: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    source: str | None = None
    editor_note: str | None = None
    dateline: str | None = None
    original_title: str | None = None
    links: float = 0.0

    @property
    def size(self) -> int:
        """Its characters."""
        return sum(map(len, self.lines))


def read_body(blocks: list[Block], head_lines: list[str]) -> Body:
    """Sort a container's blocks into the article's parts; `head_lines` are kept out."""
    blocks = trim(_without_head(blocks, head_lines))
    body = Body()
    blocks = _take_source(_take_original_title(blocks, body), body)
    blocks = _take_note(_take_editors(blocks, body), body)
    captioned = with_captions(blocks)
    own = [block for block, _ in captioned if block.kind in {"p", "h2", "quote"}]
    body.dateline, bylines = read_credits([line for block in own for line in block.lines])
    body.bylines += bylines
    _render(captioned, body)
    text = sum(len(block.text) for block in blocks)
    linked = sum(block.links * len(block.text) for block in blocks)
    body.links = linked / text if text else 0.0
    return body


def _without_head(blocks: list[Block], head_lines: list[str]) -> list[Block]:
    """Drop the headline and what stands above it, where a container holds the head too."""
    known = {squeeze(line) for line in head_lines}
    if not known:
        return blocks
    last = -1
    for index, block in enumerate(blocks[:14]):
        lines = [squeeze(line) for line in block.lines]
        text = "".join(lines)
        if text and (text in known or all(line in known for line in lines)):
            last = index
    kept = [
        block for i, block in enumerate(blocks) if i > last or block.kind in {"figure", "video"}
    ]
    for block in kept[:1]:  # headline and text in one paragraph
        rest = list(dropwhile(lambda line: squeeze(line) in known, block.lines))
        if block.kind == "p" and len(rest) < len(block.lines):
            kept[:1] = [_keep_lines(block, rest)] if rest else []
    return kept


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
                kept += [_keep_lines(block, rest)] if rest else []
                continue
        kept.append(block)
    return kept


def _take_source(blocks: list[Block], body: Body) -> list[Block]:
    """Take out the line at an end of the text that says where it is from, often with its editor."""
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        at_end = index == 0 or index >= len(blocks) - 3
        is_line = block.kind in {"p", "h2"} and len(block.lines) == 1
        if at_end and is_line and _FROM_LINE.match(block.text):
            said = read_info(block.text.strip("（()）【】"))
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
        lines = [line for line in block.lines if "。" not in line and EDITOR_LINE.match(line)]
        if lines:
            body.editors += lines
            if len(lines) == len(block.lines):
                continue
            named = set(lines)
            kept.append(_keep_lines(block, [line for line in block.lines if line not in named]))
            continue
        last = block.lines[-1]
        ends_so = index >= len(blocks) - 6 and last.rstrip().endswith(("】", "]", ")", "）", "〕"))
        if ends_so and (tail := _EDITOR_TAIL.search(last)):
            body.editors.append(tail[1])
            block.lines[-1] = block.lines[-1][: tail.start()].rstrip()
            block.html = block.html.replace(escape(tail[0].strip(), quote=False), "").replace(
                " </p>", "</p>"
            )
            if not block.text.strip():
                continue
        kept.append(block)
    return kept


def _keep_lines(block: Block, lines: list[str]) -> Block:
    """The block with only some of its lines (its inline markup is lost where lines were taken)."""
    block.lines = lines
    block.html = f"<p>{'<br>'.join(escape(line, quote=False) for line in lines)}</p>"
    return block


def _take_note(blocks: list[Block], body: Body) -> list[Block]:
    for index, block in enumerate(blocks):
        if block.kind not in {"p", "h2", "quote"}:
            continue
        for at, line in enumerate(block.lines):
            mark = NOTE.match(line) if "编" in line or "按" in line else None
            if not mark:
                continue
            note, end, following = line[mark.end() :].strip(), at + 1, index + 1
            if not note and end < len(block.lines):
                note, end = block.lines[end], end + 1
            if not note and following < len(blocks) and blocks[following].kind in {"p", "quote"}:
                note, following = blocks[following].text, following + 1
            if len(note) < 4:
                continue
            body.editor_note = note
            rest = block.lines[:at] + block.lines[end:]
            kept = [_keep_lines(block, rest)] if rest else []
            return blocks[:index] + kept + blocks[following:]
    return blocks


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
