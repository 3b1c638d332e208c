"""The text's own word of who wrote it: datelines, bylines in brackets, credits at its ends."""

from __future__ import annotations

import re

from zjolcrawl.parsing.fields.bylines import AUTHOR_ROLES, is_name
from zjolcrawl.parsing.passages import CREDIT, DATELINE

_BRACKET = re.compile(r"^[\s\u3000]*[（(〔\[]([^）)〕\]]{2,120})[）)〕\]]")
_NAME = r"(?:[\u3400-\u9fff·]{2,12}|[\u3400-\u9fff][ \u3000][\u3400-\u9fff])"
# …举行。（张巨峰）: who wrote it, after the last sentence.
_SIGNED = re.compile(rf"[。！？”][（(]({_NAME}(?:[、\s]+{_NAME}){{0,3}})[）)]$")
_OPEN_BYLINE = re.compile(
    rf"^(?:[\s\u3000]*+【[^】]{{2,6}}】)?[\s\u3000]*+((?:[\u4e00-\u9fff]{{0,8}}?(?:{AUTHOR_ROLES})[\s\u3000:：]++{_NAME}(?:[\s\u3000、]++{_NAME}(?=$|[\s\u3000、]))*+[\s\u3000]*){{1,5}})(?=$|[\s\u3000])"
)
# （郑 黎 综合）: the role after the name
_NAMED_LAST = re.compile(
    rf"^[（(]{_NAME}(?:[、 \u3000]+{_NAME})*[\s\u3000/／]+(?:综合|整理|编译)[)）]$"
)
_SIGNED_ENTRY = re.compile(
    rf"[。！？”][（(]((?:[\u4e00-\u9fff]{{0,8}}?)(?:记者|通讯员)[\s\u3000]+{_NAME}(?:[\s\u3000、]+{_NAME}){{0,3}})[）)]$"
)
_AT_END = re.compile(
    r"[（(]((?:[\u4e00-\u9fff]{0,10}?)(?:记者|通讯员|作者|文/)[^（()）。]{2,50})[）)]$"
)
# A role and what follows it without a sign: a name, or the word goes on.
_GLUED = re.compile(rf"(?P<role>{AUTHOR_ROLES})(?P<name>[\u4e00-\u9fff]{{2,4}})(?=$|[\s）)、])")


def read_credits(texts: list[str]) -> tuple[str | None, list[str]]:
    """The dateline of a text and the passages that name its people, in order, of its lines."""
    dateline, bylines = _opening(texts)
    for line in texts[:3]:
        bylines += _credit(line)
        if line.startswith("【") and (mark := _OPEN_BYLINE.match(line)):
            bylines.append(mark[1])
        # （浙江在线记者 江帆）8月11日起… : a byline in brackets without a dateline
        mark = _BRACKET.match(line)
        if mark and re.search(AUTHOR_ROLES, mark[1]) and len(mark[1]) < 60:
            bylines.append(mark[1])
    if not bylines and texts and is_name(texts[0]):
        bylines.append(f"作者 {texts[0]}")  # a column's writer above the first paragraph
    # A report from several places is signed after each paragraph.
    signed = [line for line in texts if line.endswith(("）", ")"))]
    bylines += [mark[1] for line in signed if (mark := _SIGNED_ENTRY.search(line))]
    for line in texts[3:][-4:]:
        bylines += _credit(line)
        if _NAMED_LAST.match(line):
            bylines.append(line.strip("（()）"))
        if mark := _AT_END.search(line):
            bylines.append(mark[1])
    return dateline, bylines or _signature(texts)


def _opening(texts: list[str]) -> tuple[str | None, list[str]]:
    for line in texts[:5]:
        if mark := DATELINE.match(line):
            rest = line[mark.end() :]
            named = _BRACKET.match(rest) or _OPEN_BYLINE.match(rest)
            is_byline = named and re.search(AUTHOR_ROLES, named[1])
            return mark["line"], [named[1]] if named and is_byline else []
    return None, []


def _credit(line: str) -> list[str]:
    if len(line) > 80 or not CREDIT.match(line) or re.search(r"[，,].{12,}", line):
        return []
    glued = _GLUED.search(line)
    if glued and not re.search("记者|通讯员", glued["role"]) and not is_name(glued["name"]):
        return []  # 杭州启动摄影大赛
    several = len(re.findall(AUTHOR_ROLES, line)) > 1
    prose = re.search(r"[：:].{12,}", line) and not several
    return [] if prose else [line.strip("（()）[]【】□■●◎〔〕 \u3000")]


def _signature(texts: list[str]) -> list[str]:
    mark = _SIGNED.search(texts[-1]) if texts else None
    names = re.split(r"[、\s]+", mark[1]) if mark else []
    return [f"作者 {' '.join(names)}"] if names and all(map(is_name, names)) else []
