"""Finds the publisher of an article without a source label (来源): an outlet's name below the headline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from zjolcrawl.parsing.elements import names_of, text_of
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.info_line import read_info
from zjolcrawl.parsing.text_lines import Line

_NAMED = re.compile(
    r"(?:^|[\s_-])(?:source|laiyuan|media-?name|author-?name|nickname)(?:$|[\s_-])", re.IGNORECASE
)
_OUTLET = re.compile(
    r"[\u3400-\u9fffA-Za-z·—-]{1,14}(?:报|网|在线|社|客户端|台|新闻|宣传|频道|发布|杂志|周刊)"
)
# At least four characters: two or three are as likely a person as an outlet.
_WORD = re.compile(r"[\u3400-\u9fffA-Za-z·]{4,16}")


def outlet_below(lines: list[Line], rest: list[str]) -> str | None:
    """The outlet in the lines between headline and body, or None: by class or id, then by its name.

    `rest` is the unlabelled text of the info line; a single word there counts as an outlet too.
    """
    for name in _in_named_boxes(lines[:6]):
        return name
    texts = rest + [line.text for line in lines[:4] if len(line.text) <= 16]
    words = [word for text in texts for word in re.split(r"[\s/|｜]+", text)]
    outlets = list(dict.fromkeys(word for word in words if _OUTLET.fullmatch(word)))
    if len(outlets) == 1:
        return outlets[0]
    alone = [word for text in rest for word in text.split()]
    return alone[0] if not outlets and len(alone) == 1 and _WORD.fullmatch(alone[0]) else None


def _in_named_boxes(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        # A line's element may be a large wrapper, so only check its beginning.
        for element in islice(line.element.iter(), 40):
            names = names_of(element)
            if len(names) > 1 and _NAMED.search(names):
                text = clean(text_of(element))
                if 2 <= len(text) <= 20 and text in line.text:
                    said = read_info(text)
                    if not said.published:
                        yield said.source or text
