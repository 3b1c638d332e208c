"""Reads the credit bar below a text (`来源: 浙江日报 作者: 记者 江帆 编辑: 王小明`), on one or several lines."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zjolcrawl.parsing.fields.names import is_nobody, leading_names
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES
from zjolcrawl.parsing.furniture import RELATED
from zjolcrawl.parsing.info_line import InfoLine, read_info
from zjolcrawl.parsing.labelled_lines import TAG_LINE

_SOURCE_LABEL = r"(?:(?:文章|新闻|稿件|信息|本文)?来\s{0,9}源|稿源)"
_LABELS = rf"(?:{_SOURCE_LABEL}|作\s{{0,9}}者|{EDITOR_ROLES})"
_SOURCE = re.compile(_SOURCE_LABEL)
# 来源: 浙江日报 作者: …, and labels that may be in a line of their own with the value below.
_BAR = re.compile(rf"[【\[（(]?\s{{0,9}}{_LABELS}\s{{0,9}}[:：]")
_LABEL_ENDS = re.compile(rf"(?:^|\s|[【\[（(])(?P<label>{_LABELS})(?:\s*[:：]|(?<=编辑))\s*$")
_LONGEST = 160  # characters
# Lines below the text in which the bar must begin: a pager, tags or a share bar may precede it.
_BAR_BEGINS = 12
# 来源:浙江日报作者:江帆/编辑:王小明: at most a slash between a value and the next label
_GLUED = re.compile(
    rf"[/／|｜，,；;\s]{{0,3}}(?<!图片)(?<!视频)(?<!数据)(?<!资料)(?P<label>(?:{_SOURCE_LABEL}|原?作者|标签|{EDITOR_ROLES})\s{{0,9}}[:：])"
)
_SPREAD = re.compile(
    r"(?P<a>责任\s{0,9}编|来|稿|作|编|标)[\s\u3000]{1,9}(?P<b>源|者|辑|签)(?=\s{0,9}[:：])"
)
# 来源 浙江日报 作者 江帆 编辑 王小明: at least two labels, or it is ordinary text
_NO_COLON = re.compile(
    r"(?:来源|稿源)\s+\S{2,16}(?:\s+\S{2,6})?\s+(?:作者|责任编辑|责编|编辑|记者)\s+\S"
)
_SOURCE_OR_AUTHOR = re.compile(rf"(?:{_SOURCE_LABEL}|作者)\s{{0,9}}[:：]")
_SHORT_NAME = re.compile(
    r"(?!图片|专题|论坛|打印|评论|视频|新闻|收藏|推荐|首页|国内|国际|热点|频道|即时)[\u3400-\u9fff]{2,3}(?:[、\s][\u3400-\u9fff·]{2,12}){0,5}"
    r"|[\u3400-\u9fff]{2,10}(?:局|委|厅|办|院|会|部|中心|大学|公司)"
)
_NO_VALUE = re.compile(r"[。！？]|^(?:看|更多|返回|打印|分享|关注|点击|扫|下载|标签)")


def begins_with_source(text: str) -> bool:
    """Whether a line begins a bar that names the source first, as the site's own bars do."""
    return is_credit_bar(text) and bool(_SOURCE.match(text.lstrip("（(【[ ")))


def is_credit_bar(text: str) -> bool:
    """Whether a line begins with the label of a source, an author or an editor."""
    if len(text) > _LONGEST or "。" in text:
        return False
    return bool(_BAR.match(text) or (text[:1] in "来稿" and _NO_COLON.match(text)))


def with_labels_apart(text: str) -> str:
    """The bar with a space before each label and no space inside a label.

    Enclosing brackets, and tags before the first author or source, are removed. A text of more than
    160 characters is returned unchanged.
    """
    if len(text) > _LONGEST:
        return text
    text = _SPREAD.sub(r"\g<a>\g<b>", text)
    text = _GLUED.sub(_after_value, text).strip()
    if text[:1] in "（(【[" and text[-1:] in "）)】]" and _BAR.match(text):
        text = text[1:-1].strip()
    if TAG_LINE.match(text) and (named := _SOURCE_OR_AUTHOR.search(text)):
        text = text[named.start() :]
    return text


def _after_value(glued: re.Match[str]) -> str:
    """The label with a space before it, unless it is the end of a longer word (数字编辑:)."""
    before = glued.string[: glued.start()].split()[-1:]
    is_word = before and glued.start() == glued.start("label") and not re.search("[:：]", before[0])
    return glued[0] if is_word else f" {glued['label']}"


def read_credit_bar(texts: Iterable[str]) -> InfoLine:
    """Parse the bar `来源: … 作者: … 编辑: …` in the lines below a text.

    It may be one line, or have each label and value in its own line. Pages of 2003-2013 name source and
    author only there.
    """
    bar: list[str] = []
    for index, line in enumerate(texts):
        text = with_labels_apart(line) if ":" in line or "：" in line else line
        if is_credit_bar(text) or (bar and is_value(bar[-1], text)):
            bar.append(text)
        elif bar or index >= _BAR_BEGINS or RELATED.match(text):
            break
    return read_info(" ".join(bar))


def is_value(label: str, text: str) -> bool:
    """Whether `text` is the value of the label at the end of the line above (`label`)."""
    mark = _LABEL_ENDS.search(label)
    if not mark or len(text) > 60 or _NO_VALUE.search(text) or _BAR.match(text):
        return False
    if mark["label"].endswith("源"):
        return len(text) <= 20 and not RELATED.match(text)
    if RELATED.match(text) or is_nobody(text.strip(" :：>")):
        return False  # the heading below an empty label
    names, rest = leading_names(text)
    if names and not rest:
        return True
    if mark["label"].endswith("者") and re.search(AUTHOR_ROLES, text):
        return True
    # A pen name or a rare family name, but not page furniture below an empty label.
    return label[-1] in ":：" and bool(_SHORT_NAME.fullmatch(text))
