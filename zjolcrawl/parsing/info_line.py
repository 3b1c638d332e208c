"""Parses the info line (`2017年08月12日 07:34:27 来源: 浙江在线 记者 江帆`), in any order and with any labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import zip_longest

from zjolcrawl.parsing.fields.bylines import is_credit
from zjolcrawl.parsing.fields.dates import (
    CHINA,
    china_day,
    find_time,
    find_yearless,
    time_span,
    time_spans,
    yearless_span,
)
from zjolcrawl.parsing.fields.names import is_name, is_nobody, leading_names
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES
from zjolcrawl.parsing.fields.text import clean

# 图片来源 and similar labels give the source of a picture, not of the article.
_SOURCE = r"(?:文章|新闻|消息|信息|稿件|内容)?(?:(?<!图片)(?<!视频)(?<!数据)(?<!资料)来\s*源|稿源|出处)(?:于)?"
# The end of a label's value: the next label, or page furniture in the same line.
_STOP = re.compile(
    rf"(?P<source>{_SOURCE}\s*[:：]|(?<![^\s|｜])(?:来源|稿源)(?=[\sA-Za-z\u4e00-\u9fff]))"
    rf"|(?P<editor>(?<!总)(?:{EDITOR_ROLES})\s*[:：/／]|(?<!\S)(?:{EDITOR_ROLES})(?=\s+[\u3400-\u9fff]{{2,4}}(?:$|[\s（(、])))"
    rf"|(?P<author>(?<![^\s:：|｜丨】\]）)(（])(?P<before>[^\s、,，;；:：()（）|｜]{{0,12}}?)(?:{AUTHOR_ROLES})(?=[\s:：/／(（]|[\u4e00-\u9fff]{{2,4}}(?:$|[\s、])))"
    r"|(?P<time>(?:发布|发表|更新|发稿|时|日)\s*(?:时间|日期|间|期)\s*[:：]?)"
    r"|(?P<noise>字体|字号|调整|举报|最后更新|【|分享|打印|关闭|我要评论|评论(?!员)|阅读|点击|浏览|访问|大\s+小|收藏|纠错|大\s+中\s+小|"
    r"手机(?:看|版)|(?<![^\s|｜])(?:听新闻|听文章|听全文|语音播报|语音朗读|朗读)|扫一扫|T\s*\|\s*T|背景|查看|原标题|标签|关键[词字]|点赞|幻灯播放|[(（]\s*\d+\s*/\s*\d+\s*[)）]|A\s*[-+]|(?<!\d)\d++人(?:参与|阅读))"
)
# Words before a time that make it the time of a change or of the visit.
_CHANGED = re.compile(
    r"(?:更新|修改|编辑|修订|截至|截止|截稿|今[天日]|现在|当前|活动|[Uu]pdated?|[Mm]odified)(?:[^\s:：]{0,4}\s?[:：]\s?|(?:于|是|时间|日期|on|at)\s?|)$"
)
_ROLE_ALONE = re.compile(rf"(?:{AUTHOR_ROLES})\s*+[:：]?\s*+$")
# The end of the name of an outlet or of a public office that publishes.
_OUTLET_END = re.compile(
    r"(?:报|网|在线|社|客户端|台|新闻|频道|发布|杂志|周刊|集团|中心|传媒|公安|政府|[局委厅办院馆部会版]|大学|[A-Za-z]|[》”])$"
)
# A complete outlet name. 海外版 is not: it continues 人民日报.
_WHOLE_OUTLET = re.compile(
    r"[\u3400-\u9fff]{2}(?:报|网|在线|新华社|中新社|客户端|新闻|频道|发布)$|^新华社$|^本[报网台]$"
)
_TAIL = re.compile(r"\d|[(（]|热度|人气|今天|昨天|刚刚|本[报网台刊社站](?:$|\S{0,8}员$)")
_OWN = re.compile("本[报网台刊社站端]")
# 拜喆喆 after an outlet: a name with an unlisted family name, not a section, place or office.
_UNKNOWN_NAME = re.compile(
    r"(?![本责编综原今昨时国省市县各全第更大小热最新有无未不来据转摘见图视文字数分共已正在关于从对进])[\u3400-\u9fff]{2}[\u3400-\u9fff](?<![报网社台版省市县区镇乡村局委院部厅办站号刊讯电稿论道播端者员载合理])"
)
_CHANGED_AFTER = re.compile(r"\s?(?:更新|修改)(?!\S{0,4}[:：]|[于时日])")
_CHANGES = re.compile(
    "更新|修改|编辑|修订|截[至止稿]|今[天日]|现在|当前|活动|[Uu]pdate|[Mm]odified"
)
_NO_SOURCE = r"[\s:：|｜丨/／·•\-—_>》,，、]"
_LEADING = re.compile(rf"^{_NO_SOURCE}+")
_TRAILING = re.compile(rf"(?:(?<!{_NO_SOURCE}){_NO_SOURCE}++|[(（\[【])$")


@dataclass(slots=True)
class InfoLine:
    """The parts of an info line, as strings from the page."""

    published: str | None = None
    source: str | None = None
    bylines: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


def read_info(text: str) -> InfoLine:
    """Split an info line into its labelled parts; `rest` is the text without a label."""
    info = InfoLine()
    if span := _published(text):
        info.published = _with_clock(text[slice(*span)].strip(), text)
        text = f"{text[: span[0]]} \n {text[span[1] :]}"
    if not text.strip():
        return info
    marks = list(_STOP.finditer(text))
    if lead := clean(text[: marks[0].start()] if marks else text).strip(" |｜丨:：/"):
        info.rest.append(lead)
    if text[-1:] in "文图摄" and marks and marks[0]["source"]:
        # 来源:钱江晚报 应建勇 文 刘刚 摄
        outlet, _, names = _strip(text[marks[0].end() :]).partition(" ")
        if _OUTLET_END.search(outlet) and is_credit(names):
            info.source = outlet
            info.bylines.append(names)
            return info
    carried = ""
    for mark, following in zip_longest(marks, marks[1:]):
        value = text[mark.end() : following.start() if following else len(text)]
        if mark["source"] and following and following["author"]:
            value, carried = _before_reporter(value, following["before"])
        elif mark["author"]:
            _take(info, mark, value, carried)
            carried = ""
            continue
        _take(info, mark, value)
    return info


def _before_reporter(value: str, before: str) -> tuple[str, str]:
    """The article's source, and the reporter's own outlet: 来源:浙江在线 潮新闻客户端 记者 陈雷.

    `before` is the text directly before the role. If there is nothing else (来源:浙江在线记者 陈雷), it
    is the source.
    """
    words = value.split()
    if not words and _OUTLET_END.search(before) and not _OWN.fullmatch(before):
        return before, ""
    is_own = len(words) > 1 and not before and all(map(_WHOLE_OUTLET.search, (words[0], words[-1])))
    return (" ".join(words[:-1]), words[-1]) if is_own else (value, "")


def _published(text: str) -> tuple[int, int] | None:
    """The span of the publication time; the time of a change counts only if there is no other."""
    first = time_span(text)
    if first is None:
        return yearless_span(text)
    for span in time_spans(text) if _CHANGES.search(text) else ():
        before, after = text[max(0, span[0] - 16) : span[0]], text[span[1] : span[1] + 12]
        if not _CHANGED.search(before) and not _CHANGED_AFTER.match(after):
            return span
    return first


def _with_clock(day: str, text: str) -> str:
    """The date, with the time added if the text repeats the day without a year: 08-20 08:05."""
    found = find_time(day) if yearless_span(text) else None
    if found and found[1] == "day":
        exact = find_yearless(text, china_day(found[0]))
        if exact and china_day(exact[0]) == china_day(found[0]):
            clock = "%H:%M:%S" if exact[1] == "second" else "%H:%M"
            return f"{day} {exact[0].astimezone(CHINA).strftime(clock)}"
    return day


def _take(info: InfoLine, mark: re.Match[str], value: str, outlet: str = "") -> None:
    # Cutting the date out of the line leaves a line break; the text after it has no label.
    value, _, stray = value.partition("\n")
    if mark["source"]:
        source = _outlet(info, _strip(re.split(r"(?<=\S)\s*[|｜]", value)[0]))
        if source and info.source is None:
            info.source = source
        stray = stray if source else stray or ""
        if not source and stray.strip():
            info.source = _outlet(info, _strip(stray)) or None
            stray = ""
    elif mark["author"]:
        passage = clean(f"{outlet} {mark[0]} {value} {stray}")
        if info.bylines and _ROLE_ALONE.search(info.bylines[-1]):
            info.bylines[-1] += f" {passage}"  # 通讯员 嵊州市委报道组 徐霞鸿
        else:
            info.bylines.append(passage)
        stray = ""
    elif mark["editor"]:
        info.editors.append(clean(mark[0] + value))
    if stray := _strip(stray):
        info.rest.append(stray)


def _outlet(info: InfoLine, value: str) -> str:
    """The outlet at the start of a value; the rest goes to `info.bylines` or `info.rest`.

    Names after the outlet are the author: every era writes 来源 before 作者 and sometimes omits the
    second label. Other text, such as a counter, goes to `rest`.
    """
    outlet, *words = value.split() or [""]
    while words and _goes_on(outlet, words[0]):
        outlet += f" {words.pop(0)}"
    if not words:
        return outlet
    rest = " ".join(words)
    if info.source is None and is_credit(rest):
        info.bylines.append(rest)  # 应建勇/文 刘刚/摄
        return outlet
    names, rest = leading_names(rest) if info.source is None else ("", rest)
    if info.source is None and rest and _OUTLET_END.search(outlet):
        unknown, rest = _unknown_names(rest)
        names = f"{names} {unknown}".strip()
    info.bylines += [f"作者 {names}"] * bool(names)
    info.rest += [rest] * bool(rest)
    return outlet


def _unknown_names(rest: str) -> tuple[str, str]:
    """(names, rest): all of the text if it is only names, including unlisted ones of three characters."""
    words = rest.split()
    are_names = len(words) <= 4 and all(
        is_name(word) or (_UNKNOWN_NAME.fullmatch(word) and not is_nobody(word)) for word in words
    )
    return (rest, "") if are_names else ("", rest)


def _goes_on(outlet: str, word: str) -> bool:
    """Whether a word continues the outlet's name: 人民日报 海外版, 法制 日报, The Paper."""
    if _TAIL.match(word):
        return False
    is_begun = (len(outlet) <= 2 or outlet.isascii()) and not _OUTLET_END.search(outlet)
    return bool(_OUTLET_END.search(word)) or (is_begun and not is_name(word))


def _strip(value: str) -> str:
    value = _LEADING.sub("", clean(value))
    if value.endswith("》") and "《" in value:
        return value  # 《今日桐乡》
    return _TRAILING.sub("", value)
