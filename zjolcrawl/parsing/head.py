"""Reads the head of an article: breadcrumb, kicker (引题), headline, subtitle (副题), info line.

Only the headline and the info line have known selectors. The others are found by label or position:
the kicker is between breadcrumb and headline, the subtitle between headline and info line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.breadcrumb import labelled_breadcrumb, may_be_labelled, read_breadcrumb
from zjolcrawl.parsing.byline_lines import byline_of
from zjolcrawl.parsing.credit_bar import is_value
from zjolcrawl.parsing.elements import HasAncestor, names_of
from zjolcrawl.parsing.fields.bylines import is_credit
from zjolcrawl.parsing.fields.dates import time_span
from zjolcrawl.parsing.fields.names import leading_names
from zjolcrawl.parsing.fields.text import DIVIDER, clean, squeeze
from zjolcrawl.parsing.head_lines import (
    is_byline_line,
    is_info,
    is_only_names,
    may_be_heading,
    menu_line,
    names_account,
)
from zjolcrawl.parsing.headline import Headline, first_text, strip_site
from zjolcrawl.parsing.labelled_lines import ABSTRACT, NOTE, ORIGINAL_TITLE, unquoted
from zjolcrawl.parsing.text_lines import Line, lines_from, page_lines

_LABEL = re.compile(
    r"(?:来\s?源|稿源|作\s?者|记者|(?:发布|发表|发稿)?(?:时间|日期)|编辑|责任编辑)\s?[:：]"
)
_CLOCK = re.compile(r"\d{1,2}[:：]\d\d(?:[:：]\d\d)?")
# www.zjol.com.cn 2003年58月09日 浙江在线新闻网站; a label, a date or a time in a line of its own
_ROW = re.compile(
    rf"^www\.\S{{1,30}}\.(?:cn|com)(?:$|\s)|新闻网站$|^{_LABEL.pattern}$|^{_CLOCK.pattern}$|^\d{{4}}[-年/.]\d{{1,2}}[-月/.]\d{{1,2}}日?$|^字体\s?[:：]|^[—-]\d{{4}}[—-]$|^\d\d/\d\d$"
)
_SUBTITLE_HINT = re.compile(r"sub|fu-?t|fti|futi|副|vice|second", re.IGNORECASE)


@dataclass(slots=True)
class Head:
    """Everything above the body; `lines` are its texts, to be left out of the body."""

    breadcrumb: list[str] = field(default_factory=list)
    title: str | None = None
    title_from_tag: bool = False
    title_by_place: bool = False  # found by position and not confirmed by the `<title>`
    kicker: str | None = None
    subtitle: str | None = None
    info: list[str] = field(default_factory=list)
    note: str | None = None
    abstract: str | None = None
    original_title: str | None = None
    inside: bool = False  # whether the headline is inside the body container
    lines: list[str] = field(default_factory=list)
    below: list[Line] = field(default_factory=list)  # between headline and body

    @property
    def credits(self) -> list[str]:
        """The info lines that are only names, each followed by a role: 朱善军 摄."""
        return [text for text in self.info if is_credit(text)]


def read_head(root: HtmlElement, headline: Headline, body: HtmlElement) -> Head:
    """The head of a page, given its headline and its body container."""
    head = Head()
    title_tag, element = headline.title_tag, headline.element
    head.title_by_place = headline.by_place
    inside = element is not None and element is not body and _within(element, body)
    head.inside = inside
    lines, head.breadcrumb, crumb_end = _lines(root, element, None if inside else body)
    start, end = _title_range(lines, element, title_tag)
    if start is None or end is None:
        head.title, head.title_from_tag = _from_tag(title_tag, head.breadcrumb), True
        head.info = [line.text for line in lines[crumb_end:] if is_info(line.text)][:3]
        return head
    head.title = _join([line.text for line in lines[start:end]])
    if head.breadcrumb and squeeze(head.breadcrumb[-1]) == squeeze(head.title):
        head.breadcrumb.pop()
    head.kicker = _kicker(lines, crumb_end, start, element)
    head.below = _above_prose(lines[end:], inside)
    head.subtitle, head.info = _below(head.below, element)
    head.note, head.abstract = (_note(lines[end:], label) for label in (NOTE, ABSTRACT))
    head.original_title = next(
        (unquoted(m["title"]) for line in lines[end:] if (m := ORIGINAL_TITLE.match(line.text))),
        None,
    )
    if not head.info or (head.title_by_place and not any(map(time_span, head.info))):
        above = lines[max(crumb_end, start - 6) : start]
        head.info = [line.text for line in above if is_info(line.text)] + head.info
    head.lines = [line.text for line in lines[start:end]] + head.info
    head.lines += [line.text for line in head.below if inside]
    head.lines += [text for text in (head.kicker, head.subtitle) if text]
    return head


def _lines(
    root: HtmlElement, headline: HtmlElement | None, body: HtmlElement | None
) -> tuple[list[Line], list[str], int]:
    """The lines down to the body, the breadcrumb, and the index of the first line after it.

    If the breadcrumb has a label, the head is read only from the lines after it, so the menus above
    are skipped.
    """
    if headline is not None:
        lines = lines_from(root, headline, may_be_labelled, body)
        crumbs, end = labelled_breadcrumb(lines)
        if crumbs and _inside(headline, lines):
            return lines, crumbs, end
    lines = page_lines(root, body)
    return lines, *read_breadcrumb(root, lines)


def _from_tag(title_tag: str, breadcrumb: list[str]) -> str | None:
    title = strip_site(title_tag)
    while (parts := DIVIDER.split(title))[-1] in breadcrumb and len(parts) > 1:
        title = title[: title.rindex(parts[-1])].rstrip("-–—_|｜ ")
    return clean(title) or None


def _within(element: HtmlElement, container: HtmlElement) -> bool:
    return any(ancestor is container for ancestor in element.iterancestors())


def _title_range(
    lines: list[Line], element: HtmlElement | None, title_tag: str
) -> tuple[int | None, int | None]:
    """The range (start, end) of the headline's lines: those in its element that the `<title>` confirms."""
    if element is None:
        return None, None
    inside = _inside(element, lines)
    if not inside:  # an inline element: the line that holds its text
        text = squeeze(first_text([element]))
        inside = [i for i, line in enumerate(lines) if text and text in squeeze(line.text)][:1]
        inside = inside or _around(lines, element)
    if not inside:
        return None, None
    tag = squeeze(title_tag)
    first, last = inside[0], inside[-1] + 1
    # A headline has a few lines. A box with more is a wrapper, and the number of runs is quadratic.
    last = min(last, first + 12)
    said = [squeeze(line.text) for line in lines[first:last]]
    runs = [(i, j) for i in range(first, last) for j in range(last, i, -1)]
    for i, j in sorted(runs, key=lambda run: run[0] - run[1]):
        text = "".join(said[i - first : j - first])
        if len(text) >= 4 and tag.startswith(text):
            return i, j
    in_h1 = HasAncestor(lambda ancestor: ancestor.tag == "h1")
    for i in inside:
        if lines[i].element.tag == "h1" or in_h1(lines[i].element):
            return i, i + 1
    if len(inside) > 1:
        clear = [
            i
            for i in inside
            if not is_info(lines[i].text) and not menu_line().search(lines[i].text)
        ]
        main = max(clear or inside, key=lambda i: len(lines[i].text))
        return main, main + 1
    return first, last


def _inside(element: HtmlElement, lines: list[Line]) -> list[int]:
    """The indexes of the lines inside an element."""
    own = set(element.iter())
    return [i for i, line in enumerate(lines) if line.element in own]


def _around(lines: list[Line], element: HtmlElement) -> list[int]:
    """The indexes of the lines in the block around an inline element: `<br>` may divide its text."""
    for box in element.iterancestors():
        if found := [i for i, line in enumerate(lines) if line.element is box]:
            return found
    return []


def _join(texts: list[str]) -> str:
    return clean(" ".join(texts))


def _kicker(
    lines: list[Line], crumb_end: int, start: int, element: HtmlElement | None
) -> str | None:
    """The kicker: up to two lines directly above the headline and below the breadcrumb.

    Without a breadcrumb they must share the headline's box, or anything above would count.
    """
    found: list[str] = []
    for index in range(start - 1, max(crumb_end, start - 4) - 1, -1):
        line = lines[index]
        if not may_be_heading(line):
            if not found and is_info(line.text):
                continue
            break
        if crumb_end == 0 and not _near(line.element, element):
            break
        found.insert(0, line.text)
        if len(found) == 2:
            break
    return _join(found) or None


def _near(one: HtmlElement, other: HtmlElement | None) -> bool:
    if other is None:
        return False
    near = [other, *islice(other.iterancestors(), 2)]
    if one.tag in {"body", "html"}:
        return False
    near = [e for e in near if e.tag not in {"body", "html"}]
    return any(e is one for e in near) or any(e is one.getparent() for e in near)


def _above_prose(lines: list[Line], inside: bool) -> list[Line]:
    """The lines below the headline that may belong to the head, at most 14.

    If the container holds both head and body, only those down to the end of the info line: after it
    nothing separates the head from the first paragraph.
    """
    if not inside:
        return lines[:14]
    end = 0
    for index, line in enumerate(lines[:10]):
        if is_info(line.text) or (end == index and _goes_on(lines[:index], line)):
            end = index + 1
        elif end or "。" in line.text:
            break
    return lines[:end]


def _goes_on(above: list[Line], following: Line) -> bool:
    """Whether a line below the info line or directly below the headline belongs to the info line too.

    It does if it is the site's address or name, a date or time, a label, the value of the label
    above, or a byline in the same box.
    """
    text = following.text
    if _ROW.search(text):
        return True
    if not above:
        return False
    info = above[-1]
    if is_value(info.text, text):
        return True
    if not is_byline_line(text):
        return False
    same_box = info.element.getparent() is following.element.getparent()
    # A byline in a `<p>` belongs to the text, unless the info line's pieces are paragraphs too.
    in_pieces = any(_LABEL.fullmatch(line.text) for line in above)
    return same_box and (following.element.tag != "p" or in_pieces)


def _below(lines: list[Line], element: HtmlElement | None) -> tuple[str | None, list[str]]:
    """The subtitle (副题) and the info line, from the lines between headline and body."""
    subtitle: list[str] = []
    info: list[str] = []
    for line in lines:
        text = line.text
        if (
            len(text) > 2
            and text[0] in "（("
            and text[-1] in ")）"
            and _SUBTITLE_HINT.search(names_of(line.element))
        ):
            subtitle.append(text)  # （2018年2月5日） under the title of a speech
        elif line.links == 0 and not is_info(text) and (named := byline_of(text, not info)):
            info.append(named)
        elif (
            is_info(text)
            or is_byline_line(text)
            or (
                len(info) > 0
                and len(subtitle) == 0
                and is_only_names(text)
                and _near(line.element, element)
            )
        ):
            info.append(text)
        elif info and (is_value(info[-1], text) or _is_clock_of(info[-1], text)):
            info.append(text)  # 来源: in one block and its value in the next
        elif len(text) <= 40 and names_account(line):
            names = leading_names(text)[0]  # 王文 某大学教授
            info += [f"作者：{names}"] * bool(names)
        elif may_be_heading(line) and len(subtitle) < 2 and "。" not in text:
            hinted = text.startswith("—") or _SUBTITLE_HINT.search(names_of(line.element))
            if not info or hinted:
                subtitle.append(text)
        elif len(text) > 90:
            break
    if not info and subtitle and not all(t.startswith("—") for t in subtitle):
        near = [line.text for line in lines[:3] if _near(line.element, element)]
        subtitle = [text for text in subtitle if text in near]
    return _join(subtitle) or None, info


def _is_clock_of(day: str, text: str) -> bool:
    """Whether a line is the time for the date in the line above: 2021-03-18 / 16:29:50."""
    return bool(_CLOCK.fullmatch(text)) and bool(time_span(day)) and not _CLOCK.search(day)


def _note(lines: list[Line], label: re.Pattern[str]) -> str | None:
    """The text of a labelled note in a box of its own between headline and body, or None."""
    for index, line in enumerate(lines):
        if mark := label.match(line.text):
            note = line.text[mark.end() :] or "".join(
                other.text for other in lines[index + 1 : index + 2]
            )
            return note if len(note) >= 4 else None
    return None
