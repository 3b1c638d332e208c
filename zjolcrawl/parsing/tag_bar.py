"""Reads the tag bar (标签) at the end of an article, by its label or by the class of its box."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from itertools import islice
from operator import is_

from lxml.html import HtmlElement

from zjolcrawl.parsing.elements import ElementIndex, HasAncestor, text_of
from zjolcrawl.parsing.fields.roles import EDITOR_ROLES
from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.furniture import is_no_tag
from zjolcrawl.parsing.labelled_lines import TAG_LINE
from zjolcrawl.parsing.text_lines import Line

_TAG_LABEL = re.compile(r"(?:^|\s)(?:标签|关键词)\s*[:：]")
_TAGS_END = re.compile(
    rf"(?<![\s\u3000|｜【\[（(])[\s\u3000|｜【\[（(]*+(?:(?:{EDITOR_ROLES})\s*[:：]|来源\s*[:：]|分享|作者\s*[:：]|记者\s*[:：]|更多|发布时间)"
)
_TAGS_BEFORE = re.compile(r"标\s*签(?!\s*[:：])")
_TAG_BOX = re.compile(
    r"(?:^|[\s_-])(?:tags?|biaoqian|key-?words?)(?:$|[\s_-]|(?=(?:list|box|line|wrap|bar)(?:$|\s)))",
    re.IGNORECASE,
)
# The words that both TAG_LINE and _TAG_LABEL need; invisible characters may stand between them.
_TAG_WORD = re.compile(r"标\W*签|关\W*键\W*[词字]|[Tt]\W*[Aa]\W*[Gg]")
_LONGEST_KNOWN = 80  # characters of a class name; results for longer names are not cached
# Other items in a tag bar.
_NOT_TAG = re.compile(
    r"[【\[（(]?\s?(?:更多|编辑|分享(?:到.{0,6})?|我要纠错|纠错|打印|收藏|关闭|举报|评论|点赞|转发|首页|上一篇|下一篇|返回.{0,4}|"
    r"标签|相关标签|关键词|字[体号].{0,8}|无|暂无)\s?[】\]）)]?[:：>》»\s]{0,6}",
)
_TAG_PIECES = ("li", "span", "em", "i", "b", "strong", "dt", "dd", "label", "font")
_WORD = re.compile(r"^(?!.*\d{4}[-年/]|.*\d:\d\d)[^\W\d]|^\d\S*[\u4e00-\u9fff]")
_BUTTON = re.compile(
    r"取消|确[认定]|提交|登录|注册|举报|关注|订阅|回复|发[表送]|展开|收起|上一[篇页]|下一[篇页]"
)
_BADGE = re.compile(
    r"原创|独家|转载|头条|置顶|推荐|热[点门]?|最新|图[片集文]|视频|专题|新闻|要闻|正文|[\u4e00-\u9fff]{2}频道"
)


def tag_boxes(elements: ElementIndex) -> set[HtmlElement]:
    """The elements of a page whose class or id is typical of a tag bar."""
    named = elements.classed + elements.numbered
    return {element for name, element in named if _names_tags(name)}


def may_have_tags(container: HtmlElement, boxes: set[HtmlElement]) -> bool:
    """Whether a container may hold a tag bar: a cheap test without false negatives."""
    text = text_of(container)
    if any(sign in text for sign in "签键gG") and _TAG_WORD.search(text):
        return True
    around = set(container.iterancestors()) if boxes else set()
    inside = HasAncestor(partial(is_, container))
    return any(box is container or box in around or inside(box) for box in boxes)


def tags_in(lines: Iterable[Line], boxes: set[HtmlElement]) -> list[str]:
    """The pieces of the tag bar: the text of each link, or the whole bar as one string."""
    waiting = iter(lines)
    for line in waiting:
        if boxed := _tag_box(line, boxes):
            return boxed
        if len(line.text) > 300 or "。" in line.text:
            continue
        mark = TAG_LINE.match(line.text) or _TAG_LABEL.search(line.text)
        if not mark:
            continue
        text = _TAGS_END.split(line.text[mark.end() :])[0].strip(" \u3000;；,，、|｜】]")
        if linked := _linked(line.element, text):
            return _as_tags(linked)
        if text:
            return [text]
        if mark.end() < len(line.text):
            continue  # 标签: 责任编辑: 王小明, and no tags
        return _following(line, islice(waiting, 15))
    return []


def _as_tags(linked: list[str]) -> list[str]:
    """The tags, with `;` added to a single one: a link with a space is one tag, not a whole bar."""
    return linked if len(linked) != 1 else [f"{linked[0]};"]


def _names_tags(name: str) -> bool:
    return _known_tag_name(name) if len(name) <= _LONGEST_KNOWN else bool(_TAG_BOX.search(name))


@lru_cache(maxsize=1024)
def _known_tag_name(name: str) -> bool:
    return bool(_TAG_BOX.search(name))


def _tag_box(line: Line, boxes: set[HtmlElement]) -> list[str]:
    """The tags in a box with a tag bar's class or id, or with 标签 before its links."""
    around = (line.element, *islice(line.element.iterancestors(), 2)) if boxes else ()
    named = [box for box in around if box in boxes]
    is_said = line.links > 0.4 and line.text[0] == "标" and _TAGS_BEFORE.match(line.text)
    if named or is_said:
        return _boxed(named[-1] if named else line.element, boxes)  # a tag may have its own box too
    if not boxes or not len(line.element):
        return []
    texts = [clean(text_of(each)) for each in islice(line.element, 21) if each in boxes]
    return _tags_of(texts) if 2 * sum(map(len, texts)) > len(line.text) else []


def _boxed(box: HtmlElement, boxes: set[HtmlElement]) -> list[str]:
    if tags := _tags_of(_anchor_texts(box)):
        return tags
    inner = [each for each in islice(box.iter(*_TAG_PIECES), 60) if each is not box]
    pieces = [text_of(each) for each in inner if each.tag == "li" or each in boxes]
    return _tags_of(pieces) or _alone(box, [text_of(each) for each in inner if not len(each)])


def _alone(box: HtmlElement, pieces: list[str]) -> list[str]:
    """The pieces as tags, if they make up nearly all of the box and are words, not badges or numbers."""
    texts = [text for piece in pieces if (text := clean(piece)) and not TAG_LINE.match(f"{text}:")]
    size = sum(len(clean(text)) for text in pieces)
    if not texts or size < 0.8 * len(squeeze(text_of(box))) or not all(map(_WORD.search, texts)):
        return []
    if any(map(_BUTTON.match, texts)):
        return []
    return [] if len(texts) == 1 and _BADGE.fullmatch(texts[0]) else _tags_of(texts)


def _tags_of(texts: Iterable[str]) -> list[str]:
    cleaned = (TAG_LINE.sub("", clean(text)).strip("#＃ ") for text in islice(texts, 21))
    tags = [tag for tag in cleaned if tag and not _NOT_TAG.fullmatch(tag)]
    is_bar = len(tags) <= 20 and all(
        len(tag) <= 16 and ":" not in tag and "：" not in tag for tag in tags
    )
    return _as_tags(tags) if is_bar else []


def _linked(element: HtmlElement, text: str) -> list[str]:
    tags = _anchor_texts(element)
    return [tag for tag in tags if tag and tag in text and not _NOT_TAG.fullmatch(tag)]


def _anchor_texts(element: HtmlElement) -> Iterator[str]:
    return (clean(text_of(anchor)) for anchor in element.iter("a"))


def _following(label: Line, lines: Iterable[Line]) -> list[str]:
    """The tags in separate elements after a label that stands alone."""
    box = label.element.getparent()
    if box is not None and box.tag == "tr":
        box = box.getparent()
    tags = []
    for line in lines:
        if box is None or box not in line.element.iterancestors() or _TAGS_END.match(line.text):
            break
        if len(line.text) > 60 or is_no_tag(line.text):
            break
        tags += list(filter(None, _anchor_texts(line.element))) or [_TAGS_END.split(line.text)[0]]
    return [tag for tag in tags if not _NOT_TAG.fullmatch(tag)]
