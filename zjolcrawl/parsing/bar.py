"""The bar below a text: `来源: 浙江日报 作者: 记者 江帆 编辑: 王小明`, in one line or one for each piece."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zjolcrawl.parsing.fields.bylines import AUTHOR_ROLES, EDITOR_ROLES, is_nobody, leading_names
from zjolcrawl.parsing.furniture import RELATED
from zjolcrawl.parsing.info_line import InfoLine, read_info

_SOURCE_LABEL = r"(?:(?:文章|新闻|稿件|信息|本文)?来\s{0,9}源|稿源)"
_LABELS = rf"(?:{_SOURCE_LABEL}|作\s{{0,9}}者|{EDITOR_ROLES})"
_SOURCE = re.compile(_SOURCE_LABEL)
# 来源: 浙江日报 作者: …, and what can stand in a line of its own with the value below it.
_BAR = re.compile(rf"[【\[（(]?\s{{0,9}}{_LABELS}\s{{0,9}}[:：]")
_LABEL_ENDS = re.compile(rf"(?:^|\s|[【\[（(])(?P<label>{_LABELS})(?:\s*[:：]|(?<=编辑))\s*$")
_BAR_BEGINS = (
    12  # lines below the text, among which a pager, tags or a share bar can stand before it
)
_SHORT_NAME = re.compile(
    r"(?!图片|专题|论坛|打印|评论|视频|新闻|收藏|推荐|首页|国内|国际|热点|频道|即时)[\u3400-\u9fff]{2,3}(?:[、\s][\u3400-\u9fff·]{2,12}){0,5}"
    r"|[\u3400-\u9fff]{2,10}(?:局|委|厅|办|院|会|部|中心|大学|公司)"
)
_NO_VALUE = re.compile(r"[。！？]|^(?:看|更多|返回|打印|分享|关注|点击|扫|下载|标签)")


def begins_with_source(text: str) -> bool:
    """Whether a line is the beginning of a bar that names the source first, as those of the site do."""
    return _is_bar(text) and bool(_SOURCE.match(text))


def _is_bar(text: str) -> bool:
    return len(text) <= 160 and "。" not in text and bool(_BAR.match(text))


def read_bar(texts: Iterable[str]) -> InfoLine:
    """The bar `来源: … 作者: … 编辑: …` below a text, in one line or with each label and value in a line
    of its own; the pages of 2003-2013 name source and author only there.
    """
    bar: list[str] = []
    for index, text in enumerate(texts):
        if _is_bar(text) or (bar and is_value(bar[-1], text)):
            bar.append(text)
        elif bar or index >= _BAR_BEGINS or RELATED.match(text):
            break
    return read_info(" ".join(bar))


def is_value(label: str, text: str) -> bool:
    """Whether a line is the value of the label that the line above it ends with."""
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
    # A pen name or a rare family, but no furniture below an empty label.
    return label[-1] in ":：" and bool(_SHORT_NAME.fullmatch(text))
