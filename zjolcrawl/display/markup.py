"""Whether stored HTML is as plain as the parser writes it, so that any HTML parser is quick with it.

HTML parsers take quadratic time for deep nesting, for tags that are not closed or closed in another
order, and for thousands of attributes on one tag (200,000 nested blockquotes: hours).
"""

from __future__ import annotations

import re
from html import unescape

_MOST_CHARACTERS = 3_000_000
_MOST_TAGS = 100_000
_MOST_REFERENCES = 50_000  # a character reference takes html5ever 4 to 8 µs
_DEEPEST = 60
_VOID = {"br", "img", "hr", "wbr"}
# Their content is read by rules of its own.
_RAW = {
    "script", "style", "title", "textarea", "iframe", "noscript", "noembed", "noframes", "xmp",
    "plaintext", "template", "svg", "math", "select", "frameset",
}  # fmt: skip
# What stands elsewhere in a table is moved before it, each time past all that was moved before.
_TABLE = {"table", "tbody", "thead", "tfoot", "tr"}
_IN_TABLE = _TABLE - {"table"} | {"td", "th"}
# The part of the HTML standard's syntax that leaves no doubt where a tag ends; each repetition is
# possessive, so that no text is read twice.
_SPACE = r"[ \t\n\f\r]"
_ATTRIBUTE = rf"""{_SPACE}++[^\s"'<>/=]++(?:=(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+"""
_TAG = re.compile(rf"<(/?)([A-Za-z][A-Za-z0-9]*+)(?:{_ATTRIBUTE}){{0,20}}+{_SPACE}*+/?>")


def is_well_formed(markup: str) -> bool:
    """Whether every tag is closed in its order and stands where it may, none deeper than 60."""
    if (
        len(markup) > _MOST_CHARACTERS
        or markup.count("<") > _MOST_TAGS
        or markup.count("&") > _MOST_REFERENCES
    ):
        return False
    opened: list[str] = []
    end = 0
    for tag in _TAG.finditer(markup):
        if markup.find("<", end, tag.start()) >= 0:
            return False
        end, name = tag.end(), tag[2].lower()
        if name in _RAW:
            return False
        if tag[1]:
            if not opened or opened.pop() != name:
                return False
            continue
        if opened and opened[-1] in _TABLE and name not in _IN_TABLE:
            return False
        if name not in _VOID:
            opened.append(name)
            if len(opened) > _DEEPEST:
                return False
    return not opened and markup.find("<", end) < 0


def text_of(markup: str) -> str:
    """The text of any HTML, a paragraph a line, without a parser: tags are left out wherever they are."""
    broken = re.sub(r"(?i)<(?:/p|br|/li|/tr|/h2|/figure)\b[^<>]*>", "\n", markup[:_MOST_CHARACTERS])
    return unescape(re.sub(r"<[^<>]*>", "", broken))
