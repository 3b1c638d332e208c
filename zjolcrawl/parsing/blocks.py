"""A block of an article's body: one paragraph, subhead, picture, table, list or video."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape, unescape

from zjolcrawl.parsing.fields.text import squeeze

BLOCK_TAGS = {
    "p", "div", "section", "article", "main", "center", "h1", "h2", "h3", "h4", "h5", "h6", "li",
    "ul", "ol", "dl", "dt", "dd", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption",
    "blockquote", "pre", "figure", "figcaption", "header", "footer", "hr", "address", "fieldset",
    "body", "nav", "aside", "form",
}  # fmt: skip
ATTACHMENT = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|zip|rar|7z|txt|csv|ofd)$", re.IGNORECASE
)
_TAG = re.compile(r"(<[^<>]*>)")
_EMPTY = re.compile(r"<(\w++)(?: [^<>]*+)?></\1>")


@dataclass(slots=True)
class Block:
    """One block of a body: `lines` of plain text, and the same content as clean `html`.

    `kind` is p, h2, figure, caption, table, list, quote or video.
    """

    kind: str
    lines: list[str] = field(default_factory=list)
    html: str = ""
    centred: bool = False
    captionish: bool = False  # shares a paragraph or a layout table with a picture
    small: bool = False  # in a small font
    links: float = 0.0  # share of the text that is link text
    url: str = ""
    ref: str = ""
    alt: str | None = None

    @property
    def text(self) -> str:
        """The block's lines as one string."""
        return "\n".join(self.lines)


def keep_lines(block: Block, lines: list[str]) -> Block:
    """The block, modified in place to hold only these lines; it loses its inline markup."""
    block.lines = lines
    block.html = f"<p>{'<br>'.join(escape(line, quote=False) for line in lines)}</p>"
    return block


def without_end(html: str, text: str) -> str:
    """A block's HTML without this text at its end, whatever inline markup the text has."""
    left = len(squeeze(text))
    parts = _TAG.split(html)  # texts, and the tags between them
    index = len(parts) - 1
    while True:
        kept = unescape(parts[index]).rstrip()
        while left and kept:
            left, kept = left - 1, kept[:-1].rstrip()
        parts[index] = escape(kept, quote=False)
        if kept or not index:
            break
        index -= 2
    rest = "".join(part for part in parts[index:] if part != "<br>")
    while (less := _EMPTY.sub("", rest)) != rest:
        rest = less
    return "".join(parts[:index]) + rest
