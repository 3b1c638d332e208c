"""Renders a line of text with its inline tags (links, bold, italics) as clean HTML.

While white space is folded, a character of the private use area (a mark) stands for each tag.
"""

from __future__ import annotations

import re
from html import escape

from zjolcrawl.parsing.fields.text import clean, squeeze

_MARK = 0xF0000  # private use: stand-ins for inline tags while white space is folded
FIRST_MARK, LAST_MARK = "\U000f0000", "\U000fffff"
MARKED = re.compile(f"[{FIRST_MARK}-{LAST_MARK}]")
_MARKS = "\U000f0000-\U000fffe0"  # marks for tags from the page
MOST_TAGS = 0xFFE0  # tags in one block; the marks run out, and further text has no markup
_MARK_AT = re.compile(f"[{_MARKS}]")
_SPACES_AND_MARKS = re.compile(f"[{_MARKS}\\s]+")
_LAST_MARKS = re.compile(f"(?<![{_MARKS}])[{_MARKS}]++(?=\n?\\Z)")
# A tag without an end tag is closed at the end of the line.
_CLOSED = re.compile("\U000ffff0(\\w+)\U000ffff1")
_EMPTY = re.compile(r"<(strong|em)>\s*</\1>|<a [^<>]*+>\s*+</a>")
_SEAM = re.compile(r"</(strong|em)><\1>")


def mark_of(number: int) -> str:
    """The mark of the tag with this number in its block."""
    return chr(_MARK + number)


def inline_html(line: str, tags: list[str]) -> str:
    """One line as HTML: inline tags balanced, text escaped, white space folded as in the plain text."""
    if not MARKED.search(line) and not (plain := clean(line))[0].isspace():
        return escape(plain, quote=False)
    opened: list[str] = []
    parts: list[str] = []
    begun = 0
    for found in MARKED.finditer(line):
        parts.append(line[begun : found.start()])
        begun = found.end()
        index = ord(found[0]) - _MARK
        if index < len(tags):
            _balance(tags[index], found[0], opened, parts)
    parts.append(line[begun:])
    parts.extend(reversed([f"\U000ffff0{_name(tag)}\U000ffff1" for tag in opened]))
    marked = "".join(parts)
    if first := _SPACES_AND_MARKS.match(marked):
        marked = squeeze(first[0]) + marked[first.end() :]
    if last := _LAST_MARKS.search(marked):
        marked = marked[: last.start()].rstrip() + marked[last.start() :]
    text = escape(clean(marked), quote=False)
    text = _MARK_AT.sub(lambda m: tags[ord(m[0]) - _MARK], text)
    text = _CLOSED.sub(r"</\1>", text)
    for _ in range(3):
        text = _EMPTY.sub("", text)
        text = _SEAM.sub("", text)
    return text


def _balance(tag: str, mark: str, opened: list[str], parts: list[str]) -> None:
    if not tag.startswith("</"):
        opened.append(tag)
        parts.append(mark)
    elif opened and _name(opened[-1]) == tag[2:-1]:
        opened.pop()
        parts.append(mark)


def _name(tag: str) -> str:
    return tag.strip("</>").partition(" ")[0]


def unwrapped(html: str) -> str:
    """The HTML without the tags of paragraphs and subheads."""
    return re.sub(r"</?(?:p|h2)>", "", html)
