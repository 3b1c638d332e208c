"""Finds the breadcrumb by its label, by the class of its box, or by its position and dividers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from operator import is_

from lxml.html import HtmlElement

from zjolcrawl.parsing.blocks import BLOCK_TAGS
from zjolcrawl.parsing.elements import HasAncestor, text_of
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.text_lines import Line
from zjolcrawl.parsing.xpath import find, paths
from zjolcrawl.site.current import current_site

_PLACE = re.compile("位置|所在地")
_POSITION = re.compile(
    r"(?:您|你)?(?:当前|现在|目前|所在|首页)?的?(?:所在)?(?:位置|所在地)\s*+(?:[是在]\s*+)?[:：>]|当前位置|您当前的位置|您所在的位置|您现在的位置|所在位置"
)
SIGNS = re.compile(r"-?>+|＞+|»+|›+|→|≫|》")
_MARKED = paths("//a[contains(concat(' ', normalize-space(@class), ' '), ' CurrChnlCls ')]")  # SEL
# Class names and ids. The first group also matches part of a name (g-crumb), the second a whole word of
# it (artical_path).
_BOX = re.compile(
    r"crumb|breadnav|mianbao|weizhi|dqwz|lujing|daohang|currpos|curpos|position|location|route|(?:^|[\s_-])(?:path|pos|wz|trail|bread|loc|bc|where)(?:$|[\s_-])",
    re.IGNORECASE,
)
# Starts only at the first of several spaces and at a possible divider, to be fast on long texts.
_BETWEEN = re.compile(
    r"(?=[\s>＞»›→≫》/·|｜\\–—-])(?<!\s)\s*+"
    r"(?:(?:[-–—]?[>＞]++|[»›→≫》/·|｜\\]|(?<=\s)[-–—](?=\s)|^[-–—]|[-–—]$)\s*+)++"
)
_LABEL = re.compile(r"^\s*+(?:(?:首页|位置|路径|导航)\s*+)?[:：]\s*+")
_NO_CRUMB = re.compile(
    r"^(?:-?>|正文|(?:文章|详细|新闻|页面)?内容|详情|列表|浏览文章|阅读|查看|新闻正文|\W*)$"
)
_LINE_END = "\0"  # stands for a <br>
_MOST, _LONGEST = 6, 100  # crumbs; characters of a box


def find_position(text: str) -> re.Match[str] | None:
    """The first breadcrumb label in a text, such as 您当前的位置：, or None."""
    place = _PLACE.search(text)
    # At most six characters can precede the word: 您当前的所在位置.
    return _POSITION.search(text, max(0, place.start() - 6)) if place else None


def may_be_labelled(text: str) -> bool:
    """Whether a text may contain a breadcrumb label: a cheap test without false negatives."""
    return "置" in text or "所在" in text


def labelled_breadcrumb(lines: list[Line]) -> tuple[list[str], int]:
    """The crumbs after a label, and the index of the first of `lines` after them (0: no crumbs)."""
    for index, line in enumerate(lines):
        if (mark := find_position(line.text)) and mark.start() <= 12:
            crumbs, last = _labelled(lines, index, line.text[: mark.end()])
            if crumbs:
                return crumbs, last + 1
    return [], 0


def read_breadcrumb(root: HtmlElement, lines: list[Line]) -> tuple[list[str], int]:
    """The crumbs, and the index of the first of `lines` after them (0 if there are none).

    `lines` are all lines above the body.
    """
    crumbs, end = labelled_breadcrumb(lines)
    if crumbs:
        return crumbs, end
    order = {line.element: n for n, line in reversed(list(enumerate(lines)))}
    for box in _boxes(root, lines):
        crumbs = _crumbs(box, "")
        if 1 < len(crumbs) <= _MOST:
            under = HasAncestor(partial(is_, box))
            inside = [n for e, n in order.items() if e is box or under(e)]
            return crumbs, max(inside, default=0) + 1
    for index, line in enumerate(lines[:80]):
        if _is_trail(line):
            return _crumbs(line.element, ""), index + 1
    marked = [clean(text_of(a)) for a in find(_MARKED, root)]
    if marked := [text for text in marked if text][:_MOST]:
        ends = [
            n for n, line in enumerate(lines) if marked[-1] in line.text and len(line.text) < 80
        ]
        return marked, (ends[0] + 1 if ends else 0)
    return [], 0


def _labelled(lines: list[Line], index: int, label: str) -> tuple[list[str], int]:
    """The crumbs in a labelled line, or in its box if label and crumbs are separate elements.

    Also returns the index of the last line used.
    """
    crumbs = _crumbs(lines[index].element, label)
    last = index
    if not crumbs and (box := lines[index].element.getparent()) is not None:
        while (
            last + 1 < min(index + 10, len(lines))
            and box in lines[last + 1].element.iterancestors()
        ):
            last += 1
        for line in lines[index + 1 : last + 1]:
            crumbs += _crumbs(line.element, "")
    return crumbs, last


def _boxes(root: HtmlElement, lines: list[Line]) -> Iterator[HtmlElement]:
    """Boxes above the body with a breadcrumb's class, id or aria-label, or with marked links."""
    seen: set[HtmlElement] = set()
    for line in lines[:120]:
        for element in (line.element, *islice(line.element.iterancestors(), 2)):
            if element in seen:
                continue
            seen.add(element)
            name = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('aria-label') or ''}"
            if len(name) > 2 and _BOX.search(name) and _is_short(element):
                yield element
    for anchor in find(_MARKED, root)[:1]:
        box = next((e for e in anchor.iterancestors() if e.tag in BLOCK_TAGS), None)
        if box is not None and _is_short(box):
            yield box


def _is_short(element: HtmlElement) -> bool:
    if element.tag in {"body", "html", "main"} or len(element) > 4 * _MOST:
        return False
    return len(clean(text_of(element))) <= _LONGEST


def _is_trail(line: Line) -> bool:
    """Whether an unlabelled line is a breadcrumb: links to sections, with `>` or `/` between them."""
    if len(line.text) > 80 or "。" in line.text:
        return False
    signs = len(SIGNS.findall(line.text))
    if line.text.startswith(current_site().name) and signs >= 2:
        return True
    anchors = list(islice(line.element.iter("a"), _MOST))
    hrefs = [anchor.get("href") or "" for anchor in anchors]
    if not hrefs or not all(href.endswith("/") or href.count("/") <= 3 for href in hrefs):
        return False
    if 1 <= signs < _MOST and len(hrefs) >= max(1, signs - 1) and line.links >= 0.3:
        return True
    # 新昌新闻网 / 乡镇: only links with slashes between them
    names = [clean(text_of(anchor)) for anchor in anchors]
    return len(names) > 1 and re.sub(r"\s", "", line.text) == re.sub(r"\s", "", "/".join(names))


def _crumbs(element: HtmlElement, label: str) -> list[str]:
    pieces: list[str] = []
    loose = ""
    for text, linked in _texts(element):
        if text == _LINE_END:
            if pieces:
                break  # other text below the crumbs in the same box
        elif linked:
            pieces += [*_split(loose, label if not pieces else ""), text]
            loose = ""
        else:
            loose += text
    pieces += _split(loose, label if not pieces else "")
    crumbs = [clean(piece).strip(" :：") for piece in pieces]
    crumbs = [_without_text_mark(crumb) for crumb in crumbs]
    return [crumb for crumb in crumbs if crumb and not _NO_CRUMB.match(crumb)]


def _without_text_mark(crumb: str) -> str:
    """The crumb without a final 正文 ("text") after a space."""
    before = crumb.removesuffix("正文")
    return before.rstrip() if before != crumb and before[-1:].isspace() else crumb


def _split(text: str, label: str) -> list[str]:
    text = clean(text)
    if label and text.startswith(label):
        text = text[len(label) :]
    if position := find_position(text):
        text = text[: position.start()] + text[position.end() :]
    if own := _LABEL.match(text):
        text = text[own.end() :]
    return _BETWEEN.split(text)


def _texts(element: HtmlElement, depth: int = 0) -> Iterator[tuple[str, bool]]:
    """The texts in a box as (text, is link), with a divider before each list item or cell."""
    if element.tag == "a" and clean(text_of(element)):
        yield text_of(element), True
        return
    if element.tag in {"li", "dd", "td"}:
        yield " > ", False
    elif element.tag == "br":
        yield _LINE_END, False
    yield element.text or "", False
    for child in element:
        if isinstance(child.tag, str) and child.tag not in {"script", "style"} and depth < 12:
            yield from _texts(child, depth + 1)
        yield child.tail or "", False
