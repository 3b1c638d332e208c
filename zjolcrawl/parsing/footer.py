"""Reads the footer of an article: responsible editor (责任编辑), reporters, attachments.

No public scraper reads editors from a zjol page, so no selectors are known: they are found by their
label in the lines around the end of the article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from zjolcrawl.parsing.blocks import ATTACHMENT
from zjolcrawl.parsing.credit_bar import is_value, with_labels_apart
from zjolcrawl.parsing.elements import text_of
from zjolcrawl.parsing.fields.roles import EDITOR_ROLES, EDITOR_SIGNS
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.labelled_lines import EDITOR_LINE
from zjolcrawl.parsing.text_lines import Line
from zjolcrawl.parsing.urls import absolute

_EDITOR = re.compile(
    rf"(?<![^\s\u3000】\]）)（(【\[|｜;；])((?:{EDITOR_ROLES})\s*[:：/／·]\s*[\u3400-\u9fffA-Za-z·]"
    rf"(?:(?!(?:{EDITOR_ROLES})\s*[:：/／·])[^|｜】\]）)【\[]){{0,40}})"
)
_EDITOR_SIGN = re.compile(f"[{EDITOR_SIGNS}]")
_REPORTERS = re.compile(
    r"^[（(【]?(?:[\u4e00-\u9fff]{0,10}?(?:记者|通讯员)|作者|文)(?=[^\S ]*+[ :：/／|｜])\s*+(?:[:：/／|｜]\s*+)?[\u4e00-\u9fff]"
)
_ANOTHER = re.compile(r"(?:标签|来源|关键词|作者|记者|分享|打印|我要纠错|举报)\s*[:：]?|\s{2,}")
_FILE = re.compile(ATTACHMENT.pattern.removesuffix("$"), re.IGNORECASE)


def editors_in(lines: Iterable[Line]) -> list[str]:
    """Editor credits such as `责任编辑: 金晨` in lines short enough to be a bar."""
    found: list[str] = []
    last = 0
    for index, line in enumerate(_with_values(lines)):
        if found and index > last + 2:
            break  # credits of one bar (值班主任, 责任编辑) are in adjacent lines
        if len(line.text) > 160 or "。" in line.text or not _EDITOR_SIGN.search(line.text):
            continue
        text = with_labels_apart(line.text)
        here = [_ANOTHER.split(mark[1])[0] for mark in _EDITOR.finditer(text)]
        if not here and EDITOR_LINE.match(line.text) and not line.text.startswith("总"):
            here = [line.text]
        if here:
            found, last = found + here, index
    return found


def _with_values(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, with an editor's label that stands alone joined to the name below it."""
    label: Line | None = None
    for line in lines:
        if label and label.text[-1] in ":：辑" and is_value(label.text, line.text):
            label = Line(f"{label.text.rstrip(':： ')}: {line.text}", line.element, line.links)
            continue
        if label:
            yield label
        label = line
    if label:
        yield label


def bylines_in(lines: list[Line]) -> list[str]:
    """Reporters in the bar below the text; used if the text and the info line name none.

    `lines` are the first six after the text.
    """
    found = [line.text for line in lines if len(line.text) <= 80 and "。" not in line.text]
    named = [_EDITOR.split(text)[0] for text in found if _REPORTERS.match(text)]
    return [text.strip("（()）[]【】 ") for text in named]


def attachments_in(lines: list[Line], base: str) -> list[tuple[str, str, str]]:
    """Files linked directly below the text, as (absolute URL, href as written, link text)."""
    anchors = dict.fromkeys(a for line in lines for a in islice(line.element.iter("a"), 20))
    # Check for a file suffix first: few URLs have one, and resolving a URL is slow.
    files = [a for a in anchors if _FILE.search(a.get("href") or "")]
    linked = [(absolute(base, a.get("href") or ""), a) for a in files]
    return [
        (url, a.get("href") or "", clean(text_of(a)))
        for url, a in linked
        if url and ATTACHMENT.search(url.partition("?")[0])
    ]
