"""Tells how the text of an element looks: bold, small, centred, a caption, with line breaks kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from zjolcrawl.parsing.hidden import is_hidden

# Class names of captions, and of boxes that hold a picture and its caption.
_CAPTION_NAME = re.compile(
    r"(?:^|[\s_-])(?:(?:fig)?cap(?:tion)?s?|(?:img|pic|photo|image|tu)[-_]?(?:t|note|te?xt|title|desc|info|intro|cap(?:tion)?|explain|word)|tushuo|tuzhu|tupianshuoming)(?:$|[\s_-])",
    re.IGNORECASE,
)
_PICTURE_BOX = re.compile(
    r"(?:^|[\s_-])(?:img|pic|photo|media|image|picture|figure|tupian)(?:$|[\s_-]|(?=box|wrap|block|area|con))",
    re.IGNORECASE,
)
_CENTRED = re.compile(r"text-align\s*:\s*center", re.IGNORECASE)
BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
SMALL = re.compile(r"font-size\s*:\s*(?:[6-9](?:\.\d+)?pt|(?:9|1[0-2])(?:\.\d+)?px)", re.IGNORECASE)
_KEEPS_LINES = re.compile(r"white-space\s{0,9}:\s{0,9}(?:pre|break-spaces)", re.IGNORECASE)
# Old texts are hard-wrapped at a fixed length. A line end counts unless it looks like such a wrap: a
# long line without sentence punctuation at its end, and no indent on the next line.
_LINE_END = re.compile(r"\n(?!(?<=[^\n]{28}\n)(?<![。！？…”：；）】]\n)(?=[^\s\u3000]))")


@dataclass(slots=True, eq=False)
class Style:
    """How a text looks and what it is in, inherited from all elements around it."""

    heading: bool = False
    bold: bool = False
    small: bool = False
    link: bool = False
    paragraph: bool = False
    centred: bool = False
    picture_table: bool = False
    caption: bool = False
    quote: bool = False
    pre: bool = False
    hidden: bool = False


def style_inside(element: HtmlElement, tag: str, style: Style) -> Style:
    """The style of text in an element, given the `style` around it."""
    css, name = element.get("style") or "", element.get("class") or ""
    return Style(
        heading=style.heading or (len(tag) == 2 and tag[0] == "h" and tag != "hr"),
        bold=style.bold or bool(css and BOLD.search(css)) or tag == "th",
        small=style.small or bool(css and SMALL.search(css)),
        link=style.link,
        paragraph=tag in {"p", "li"} or style.paragraph,
        centred=tag == "center"
        or (element.get("align") or "").lower() == "center"
        or bool(css and _CENTRED.search(css))
        or (style.centred and "text-align" not in css),
        picture_table=style.picture_table
        or (tag == "table" and element.find(".//img") is not None)
        or bool(name and _PICTURE_BOX.search(name) and element.find(".//img") is not None),
        caption=style.caption or tag == "figcaption" or bool(name and _CAPTION_NAME.search(name)),
        quote=style.quote or tag == "blockquote",
        pre=style.pre or tag == "pre" or bool(css and _KEEPS_LINES.search(css)),
        hidden=is_hidden(element),
    )


def keeps_lines(element: HtmlElement) -> bool:
    """Whether line ends in the source are line ends on the page."""
    return element.tag == "pre" or bool(_KEEPS_LINES.search(element.get("style") or ""))


def with_breaks(text: str) -> str:
    """The text with its line ends as `<br>` marks, except those in the middle of a sentence."""
    return _LINE_END.sub("\0", text.replace("\r\n", "\n"))


def reads_as_subhead(line: str, *, heading: bool, bold: bool) -> bool:
    """Whether a line that is in a heading or all bold is a subhead, not a sentence in bold."""
    if len(line) > 40:
        return False
    return heading or (bold and line[-1] not in "。！？；，：….,;:!?")
