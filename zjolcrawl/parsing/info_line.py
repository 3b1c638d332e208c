"""The info line: `2017年08月12日 07:34:27 来源: 浙江在线 记者 江帆`, in any order and with any labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from zjolcrawl.parsing.fields.bylines import AUTHOR_ROLES, EDITOR_ROLES
from zjolcrawl.parsing.fields.dates import CHINA, find_time, time_span
from zjolcrawl.parsing.fields.text import clean

# 图片来源 and its like say where a picture is from, not the article.
_SOURCE = r"(?:文章|新闻|消息|信息|稿件|内容)?(?:(?<!图片)(?<!视频)(?<!数据)(?<!资料)来\s*源|稿源|出处)(?:于)?"
# Where the value of a label ends: the next label, or furniture that shares the line.
_STOP = re.compile(
    rf"(?P<source>{_SOURCE}\s*[:：]|(?<![^\s|｜])(?:来源|稿源)(?=[\sA-Za-z\u4e00-\u9fff]))"
    rf"|(?P<editor>(?<!总)(?:{EDITOR_ROLES})\s*[:：/／])"
    rf"|(?P<author>(?<![^\s:：|｜丨】\]）)(（])[^\s、,，;；:：()（）|｜]{{0,12}}?(?:{AUTHOR_ROLES})(?=[\s:：/／(（]|[\u4e00-\u9fff]{{2,4}}(?:$|[\s、])))"
    r"|(?P<time>(?:发布|发表|更新|发稿|时|日)\s*(?:时间|日期|间|期)\s*[:：]?)"
    r"|(?P<noise>字体|字号|调整|举报|最后更新|【|分享|打印|关闭|我要评论|评论|阅读|点击|浏览|访问|大\s+小|收藏|纠错|大\s+中\s+小|"
    r"手机(?:看|版)|扫一扫|T\s*\|\s*T|背景|查看|原标题|标签|关键[词字]|点赞|幻灯播放|[(（]\s*\d+\s*/\s*\d+\s*[)）]|A\s*[-+]|(?<!\d)\d++人(?:参与|阅读))"
)
_YEARLESS = re.compile(
    r"(?<![\d年/.-])(?P<m>\d{1,2})[-/月.](?P<d>\d{1,2})日?\s+(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?!\d)"
)
_NO_SOURCE = r"[\s:：|｜丨/／·•\-—_>》,，、]"
_LEADING = re.compile(rf"^{_NO_SOURCE}+")
_TRAILING = re.compile(rf"(?:(?<!{_NO_SOURCE}){_NO_SOURCE}++|[(（\[【])$")


@dataclass(slots=True)
class InfoLine:
    """What an info line says: strings as the page has them."""

    published: str | None = None
    source: str | None = None
    bylines: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


def read_info(text: str) -> InfoLine:
    """Split an info line into its labelled parts; `rest` is what no label claims."""
    info = InfoLine()
    if span := time_span(text):
        info.published = _with_clock(text[slice(*span)].strip(), text)
        text = f"{text[: span[0]]} \n {text[span[1] :]}"
    if not text.strip():
        return info
    marks = list(_STOP.finditer(text))
    if lead := clean(text[: marks[0].start()] if marks else text).strip(" |｜丨:：/"):
        info.rest.append(lead)
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        _take(info, mark, text[mark.end() : end])
    return info


def _with_clock(day: str, text: str) -> str:
    """The date with the time that stands beside the same day without its year: 08-20 08:05."""
    marks = list(_YEARLESS.finditer(text))
    found = find_time(day) if marks else None
    if found and found[1] == "day":
        date = found[0].astimezone(CHINA)
        for mark in marks:
            if (int(mark["m"]), int(mark["d"])) == (date.month, date.day):
                return f"{day} {mark['time']}"
    return day


def _take(info: InfoLine, mark: re.Match[str], value: str) -> None:
    # A date cut out of the middle leaves a line break: what follows it has no label of its own.
    value, _, stray = value.partition("\n")
    if mark["source"]:
        source = _strip(re.split(r"(?<=\S)\s*[|｜]", value)[0])
        if source and info.source is None:
            info.source = source
        stray = stray if source else stray or ""
        if not source and stray.strip():
            info.source = _strip(stray) or None
            stray = ""
    elif mark["author"]:
        info.bylines.append(clean(mark[0] + " " + value + " " + stray))
        stray = ""
    elif mark["editor"]:
        info.editors.append(clean(mark[0] + value))
    if stray := _strip(stray):
        info.rest.append(stray)


def _strip(value: str) -> str:
    return _TRAILING.sub("", _LEADING.sub("", clean(value)))
