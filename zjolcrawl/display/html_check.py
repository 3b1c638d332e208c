"""Checks that stored HTML is simple enough for any HTML parser to read quickly.

HTML parsers take quadratic time for deep nesting, for tags that are not closed or closed in the wrong
order, and for thousands of attributes on one tag. 200,000 nested blockquotes take hours. HTML that
zjolcrawl.parsing writes passes the check.
"""

from __future__ import annotations

import re
from html import unescape

_MOST_CHARACTERS = 3_000_000
_MOST_TAGS = 100_000
_MOST_REFERENCES = 50_000  # character references are slow in html5ever
_DEEPEST = 60
_VOID = {"br", "img", "hr", "wbr"}
# Elements whose content has its own parsing rules.
_RAW = {
    "script", "style", "title", "textarea", "iframe", "noscript", "noembed", "noframes", "xmp",
    "plaintext", "template", "svg", "math", "select", "frameset",
}  # fmt: skip
# A parser moves other content out in front of the table, past all that it moved before: quadratic time.
_TABLE = {"table", "tbody", "thead", "tfoot", "tr"}
_IN_TABLE = _TABLE - {"table"} | {"td", "th"}
# The subset of HTML syntax in which the end of a tag is unambiguous. Every repetition is possessive, so
# that no text is scanned twice.
_SPACE = r"[ \t\n\f\r]"
_ATTRIBUTE = rf"""{_SPACE}++[^\s"'<>/=]++(?:=(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+"""
_TAG = re.compile(rf"<(/?)([A-Za-z][A-Za-z0-9]*+)(?:{_ATTRIBUTE}){{0,20}}+{_SPACE}*+/?>")


def is_well_formed(markup: str) -> bool:
    """Whether all tags are closed in order, allowed where they are, few, and nested at most 60 deep."""
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
    """The text of any HTML, one paragraph per line; tags are removed without parsing."""
    broken = re.sub(r"(?i)<(?:/p|br|/li|/tr|/h2|/figure)\b[^<>]*>", "\n", markup[:_MOST_CHARACTERS])
    return unescape(re.sub(r"<[^<>]*>", "", broken))
