"""A block of an article's body: one paragraph, subhead, picture, table, list or video."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

BLOCK_TAGS = {
    "p", "div", "section", "article", "main", "center", "h1", "h2", "h3", "h4", "h5", "h6", "li",
    "ul", "ol", "dl", "dt", "dd", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption",
    "blockquote", "pre", "figure", "figcaption", "header", "footer", "hr", "address", "fieldset",
    "body", "nav", "aside", "form",
}  # fmt: skip
ATTACHMENT = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|zip|rar|7z|txt|csv|ofd)$", re.IGNORECASE
)


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
