"""Splits a body container into clean blocks: paragraphs, subheads, pictures, tables, lists, videos.

This module decides structure; `body.py` decides which blocks are editorial.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape

from lxml.html import HtmlElement

from zjolcrawl.parsing.block_style import (
    BOLD,
    SMALL,
    Style,
    keeps_lines,
    reads_as_subhead,
    style_inside,
    with_breaks,
)
from zjolcrawl.parsing.blocks import ATTACHMENT, BLOCK_TAGS, Block
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.furniture import is_skipped
from zjolcrawl.parsing.hidden import is_hidden
from zjolcrawl.parsing.image_refs import IMAGE_TAGS, picture
from zjolcrawl.parsing.inline_html import (
    FIRST_MARK,
    LAST_MARK,
    MARKED,
    MOST_TAGS,
    inline_html,
    mark_of,
    unwrapped,
)
from zjolcrawl.parsing.tables import is_data_table, is_plain_list, items, read_table
from zjolcrawl.parsing.urls import absolute

_DROPPED = {
    "script", "style", "template", "form", "input", "button", "select", "textarea",
    "svg", "link", "meta", "head", "nav", "footer", "aside", "object", "title",
}  # fmt: skip
_INLINE = {"b": "strong", "strong": "strong", "i": "em", "em": "em"}
_BLANK = "\0 \t\r\n\f\u3000\u00a0\u200b\ufeff"  # a text of only these characters is empty
_BREAKS = " \t\r\n"
_MAX_DEPTH = 180


class BlockReader:
    """Reads one container into `blocks`; collects `attachments` as (url, ref, name). Use once."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.blocks: list[Block] = []
        self.attachments: list[tuple[str, str, str]] = []
        self._text: list[tuple[str, Style]] = []
        self._tags: list[str] = []
        # Styles by parent style and attributes: elements of one page are mostly styled alike.
        self._styles: dict[tuple[object, ...], Style] = {}
        self._after_picture = False

    def read(self, container: HtmlElement, depth: int = 0) -> list[Block]:
        """The container's blocks in page order; `depth` is its depth below the body container."""
        self._children(container, Style(pre=keeps_lines(container)), depth)
        self._flush(Style())
        self._mark_small()
        return self.blocks

    def _mark_small(self) -> None:
        """Mark blocks in a small font as possible captions, unless most of the text is small."""
        if not any(block.small for block in self.blocks):
            return
        small = sum(len(block.text) for block in self.blocks if block.small)
        if 2 * small < sum(len(block.text) for block in self.blocks):
            for block in self.blocks:
                block.captionish = block.captionish or block.small

    def _children(self, element: HtmlElement, style: Style, depth: int) -> None:
        if text := element.text:
            self._text.append((with_breaks(text) if style.pre else text, style))
        for child in element:
            tag = child.tag
            if tag == "p" and not len(child) and depth < _MAX_DEPTH:
                self._paragraph(child, style)
            elif isinstance(tag, str):
                self._element(child, style, depth + 1)
            # White space between paragraphs is not text.
            if (tail := child.tail) and (self._text or tail.strip(_BREAKS)):
                self._text.append((with_breaks(tail) if style.pre else tail, style))

    def _element(self, element: HtmlElement, style: Style, depth: int) -> None:
        tag = element.tag.lower()
        if tag in _DROPPED or is_skipped(element):
            return
        if depth > _MAX_DEPTH:
            self._text.append((str(element.text_content()), style))
        elif tag == "br":
            self._text.append(("\0", style))
        elif tag in IMAGE_TAGS or (tag == "picture" and element.find(".//img") is None):
            self._picture(element, style)
        elif tag == "noscript":
            self._unscripted(element, style)
        elif tag in {"video", "audio", "embed", "iframe"}:
            self._video(element, style)
        elif tag == "table" and is_data_table(element):
            self._flush(style)
            self.blocks.append(read_table(element))
        elif tag in {"ul", "ol"} and is_plain_list(element):
            self._flush(style)
            self._list(element, tag, depth)
        elif tag in BLOCK_TAGS:
            self._block(element, tag, style, depth)
        else:
            self._inline(element, tag, style, depth)

    def _paragraph(self, element: HtmlElement, style: Style) -> None:
        """Read a `<p>` without child elements: a fast path, since most paragraphs are like this."""
        key = (
            style, element.get("style"), element.get("class"), element.get("align"), element.get("hidden"),
            element.get("aria-hidden"),
        )  # fmt: skip
        inner = self._styles.get(key)
        if inner is None:
            inner = self._styles[key] = style_inside(element, "p", style)
        if inner.hidden:
            return
        if self._text:
            self._flush(style)
        self._after_picture = False
        if not (plain := clean(text := element.text or "")):
            return
        if inner.pre or not plain.isprintable():  # the text may contain one of the mark characters
            self._text.append((with_breaks(text) if inner.pre else text, inner))
            self._flush(inner)
            return
        block = Block("p", [plain], "", inner.centred, inner.picture_table, inner.small)
        block.links = float(inner.link)
        is_subhead = reads_as_subhead(plain, heading=inner.heading, bold=inner.bold)
        self._add(block, inner, is_subhead, lambda: [escape(plain, quote=False)])

    def _block(self, element: HtmlElement, tag: str, style: Style, depth: int) -> None:
        self._flush(style)
        self._after_picture = False
        inner = style_inside(element, tag, style)
        self._children(element, inner, depth)
        self._flush(inner)
        self._after_picture = False

    def _inline(self, element: HtmlElement, tag: str, style: Style, depth: int) -> None:
        markup = _INLINE.get(tag)
        opening = f"<{markup}>" if markup else ""
        css = element.get("style") or ""
        bold = style.bold or markup == "strong" or bool(css and BOLD.search(css))
        href = absolute(self.base, element.get("href") or "") if tag == "a" else None
        if href:
            opening, markup = f'<a href="{escape(href)}">', "a"
            if ATTACHMENT.search(href.partition("?")[0]):
                name = clean(str(element.text_content()))
                self.attachments.append((href, str(element.get("href")), name))
        link = style.link or tag == "a"
        small = style.small or tag == "small" or bool(css and SMALL.search(css))
        inner = style
        if (bold, link, small) != (style.bold, style.link, style.small):
            key = (style, bold, link, small)
            inner = self._styles.get(key) or replace(style, bold=bold, link=link, small=small)
            self._styles[key] = inner
        if opening:
            self._mark(opening, inner)
        self._children(element, inner, depth)
        if opening:
            self._mark(f"</{markup}>", inner)

    def _mark(self, tag: str, style: Style) -> None:
        if len(self._tags) > MOST_TAGS:
            return
        self._tags.append(tag)
        self._text.append((mark_of(len(self._tags) - 1), style))

    def _flush(self, style: Style) -> None:
        if not self._text:
            return
        pieces, tags = self._text, self._tags
        self._text, self._tags = [], []
        words = [
            (text, at)
            for text, at in pieces
            if text.strip(_BLANK) and not FIRST_MARK <= text[0] <= LAST_MARK
        ]
        if not words:
            return
        at = words[0][1]
        written = "".join([text for text, _ in pieces]).split("\0")
        plain = [clean(MARKED.sub("", line)) for line in written]
        if not (lines := [line for line in plain if line]):
            return
        size = sum([len(text.strip()) for text, _ in words])
        linked = sum([len(text.strip()) for text, c in words if c.link])
        block = Block("p", lines, "", at.centred, self._after_picture or at.picture_table)
        block.small = all(c.small for _, c in words)
        block.links = linked / size if size else 0.0
        is_subhead = len(lines) == 1 and reads_as_subhead(
            lines[0],
            heading=all(c.heading for _, c in words),
            bold=all(c.bold for _, c in words),
        )
        self._add(
            block,
            at,
            is_subhead,
            lambda: [
                inline_html(line, tags) for line, text in zip(written, plain, strict=True) if text
            ],
        )

    def _add(
        self, block: Block, at: Style, is_subhead: bool, html: Callable[[], list[str]]
    ) -> None:
        """Append a block with its final kind; `html` renders the lines and is called only if needed."""
        if at.caption:
            block.kind = "caption"
        elif at.quote:
            block.kind = "quote"
            block.html = f"<blockquote><p>{'<br>'.join(html())}</p></blockquote>"
        elif is_subhead:
            block.kind, block.html = "h2", f"<h2>{escape(block.lines[0], quote=False)}</h2>"
        elif at.paragraph:
            block.html = f"<p>{'<br>'.join(html())}</p>"
        else:
            block.html = "\n".join([f"<p>{line}</p>" for line in html()])
        self.blocks.append(block)

    def _picture(self, element: HtmlElement, style: Style) -> None:
        found = picture(element, self.base)
        if not found:
            return
        self._flush(style)
        url, ref = found
        self.blocks.append(
            Block("figure", url=url, ref=ref, alt=clean(element.get("alt") or "") or None)
        )
        self._after_picture = True

    def _unscripted(self, element: HtmlElement, style: Style) -> None:
        """Read the picture in a `<noscript>`, unless the lazy-loaded image before it already gave one."""
        before = element.getprevious()
        if before is not None and before.tag in IMAGE_TAGS and picture(before, self.base):
            return
        for image in element.iter(*IMAGE_TAGS):
            if not is_hidden(image):  # hidden: a tracking pixel
                self._picture(image, style)

    def _video(self, element: HtmlElement, style: Style) -> None:
        candidates = [element.get("src"), element.get("data-src")]
        candidates += [source.get("src") for source in element.iter("source")]
        ref = next((value for value in candidates if value and value.strip()), None)
        url = absolute(self.base, ref) if ref else None
        if not url or not ref:
            return
        if element.tag == "iframe" and not re.search(r"video|player|\bv\.|vod|mp4", url):
            return
        self._flush(style)
        self.blocks.append(
            Block("video", url=url, ref=ref, html=f'<video src="{escape(url)}"></video>')
        )

    def _list(self, element: HtmlElement, tag: str, depth: int) -> None:
        lines: list[str] = []
        html, linked, size = "", 0.0, 0
        for item in items(element):
            reader = BlockReader(self.base)
            inner = reader.read(item, depth + 1)
            self.attachments += reader.attachments
            if not inner:
                continue
            own = [block for block in inner if block.kind != "list"]
            nested = [block for block in inner if block.kind == "list"]
            lines += [text for text in (" ".join(line for b in own for line in b.lines),) if text]
            lines += [line for block in nested for line in block.lines]
            text = " ".join(unwrapped(block.html) for block in own if block.html)
            html += f"<li>{text}{''.join(block.html for block in nested)}</li>"
            size += sum(len(block.text) for block in inner)
            linked += sum(block.links * len(block.text) for block in inner)
        if lines:
            links = linked / size if size else 0.0
            self.blocks.append(Block("list", lines, f"<{tag}>{html}</{tag}>", links=links))
