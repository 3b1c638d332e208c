"""Finds who wrote an article in its text: datelines, bylines in brackets, credits at start and end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import takewhile

from zjolcrawl.parsing.fields.bylines import is_credit
from zjolcrawl.parsing.fields.names import is_name, is_organisation, leading_names
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES
from zjolcrawl.parsing.labelled_lines import CREDIT, DATED, DATELINE

_BRACKET = re.compile(r"^[\s\u3000]*[（(〔\[]([^）)〕\]]{2,120})[）)〕\]]")
_NAME = r"(?:[\u3400-\u9fff·]{2,12}|[\u3400-\u9fff][ \u3000][\u3400-\u9fff])"
# …举行。（张巨峰）, （王金龙）: the author, after the last sentence or as the last paragraph.
_SIGNED = re.compile(
    rf"(?:^|[。！？”…][\s\u3000]{{0,4}})[（(]({_NAME}(?:[、\s]+{_NAME}){{0,3}})[）)]$"
)
# …6分钟。本报记者 胡元勇 摄; … 本报记者 王兴: a credit after the last sentence, searched at the line's end
_SENTENCE_ENDS = "。！？”」…"
_APART = re.compile(
    r"[\s\u3000](?=[\u4e00-\u9fff]{0,8}(?:记者|通讯员|拍友|实习生)[\s\u3000]+[\u4e00-\u9fff、\s\u3000]{2,40}+\Z)"
)
_LONGEST_CREDIT = 60
# 本报记者嵇哲、方海10日22时30分在…报道：, 记者张三丰发自杭州
_OPEN_REPORT = re.compile(
    r"[（(【\s]{0,9}((?:[\u4e00-\u9fff]{0,8}?)记者[\s:：]*+)([\u4e00-\u9fff、，\s\u3000]{2,40}?)"
    r"\s{0,9}(?:发自|(?:\d{1,2}月)?\d{1,2}日[^。]{0,40}?报道|在[^。，]{2,30}报道)"
)
_IN_LENTICULAR = re.compile(r"【([^】]{4,60})】")
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
# （王兴 摄）, 新华社发（摄影：王兴）: the photographer, used if no writer is named
_SHOT = re.compile(r"[（(]([^（()）。]{2,40}+)[）)]$")
_AT_END = re.compile(
    r"[（(]((?:[\u4e00-\u9fff]{0,10}?)(?:记者|通讯员|作者|文/)[^（()）。]{2,50})[）)]$"
)
# A role directly followed by Han characters: a name, or the rest of a longer word.
_GLUED = re.compile(rf"(?P<role>{AUTHOR_ROLES})(?P<name>[\u4e00-\u9fff]{{2,4}})(?=$|[\s）)、])")


@dataclass(slots=True)
class Credits:
    """The dateline of a text and the passages that name its authors, in order.

    `entries` are names after single paragraphs and photographers after a sentence; they are the
    authors only if nothing else names any.
    """

    dateline: str | None = None
    bylines: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)


def read_credits(texts: list[str]) -> Credits:
    """The dateline and the passages that name people, in the lines of a text."""
    dateline, bylines = _opening(texts)
    found = Credits(dateline, bylines)
    for line in texts[:3]:
        bylines += _credit(line) or _opening_byline(line)
    if not bylines and texts and len(texts[0]) <= _LONGEST_CREDIT:
        bylines += _only_names(texts[0])  # the writers of a column
    # A report from several places has names after each paragraph.
    signed = [line for line in texts if line.endswith(("）", ")"))]
    found.entries += [mark[1] for line in signed if (mark := _SIGNED_ENTRY.search(line))]
    several = len(found.entries) > 1
    for line in texts[3:][-4:]:
        bylines += _credit(line)
        if _NAMED_LAST.match(line):
            bylines.append(line.strip("（()）"))
    for line in texts[-4:]:
        if mark := _AT_END.search(line):
            (found.entries if several else bylines).append(mark[1])
        else:
            found.entries += _photographers(line)
        for credit in _behind(line):
            is_entry = several or credit.endswith("摄")
            (found.entries if is_entry else bylines).append(credit)
    found.entries += _signature(texts)
    return found


def _opening_byline(line: str) -> list[str]:
    """The byline at the start of a line without a dateline."""
    if line.startswith("【"):
        if mark := _OPEN_BYLINE.match(line):
            return [mark[1]]
        mark = _IN_LENTICULAR.match(line)
        glued = _GLUED.search(mark[1]) if mark else None  # 【记者手记】 names nobody
        return _credit(mark[1]) if mark and not (glued and not is_name(glued["name"])) else []
    # （浙江在线记者 江帆）8月11日起…
    mark = _BRACKET.match(line)
    if mark and re.search(AUTHOR_ROLES, mark[1]) and len(mark[1]) < 60:
        return [mark[1]]
    if "记者" in line[:24] and (mark := _OPEN_REPORT.match(line)):
        return [f"{mark[1].strip(' :：')} {name}" for name in _names(mark[2])]
    return []


def _photographers(line: str) -> list[str]:
    """The photographer or artist in the bracket at the end of a line."""
    end = line[-_LONGEST_CREDIT:]
    is_one = end[-1:] in "）)" and ("摄" in end or "图" in end)
    mark = _SHOT.search(end) if is_one else None
    if not mark:
        return []
    name = mark[1].removesuffix("摄")
    glued = [f"{name} 摄"] if name != mark[1] and is_name(name) else []
    return _credit(mark[1]) or glued


def _names(text: str) -> list[str]:
    """The names in a text that is only names; otherwise an empty list."""
    names, rest = leading_names(text)
    return names.split() if not rest and all(map(is_name, names.split())) else []


def _bracketed(text: str) -> list[str]:
    """A byline from the names in a bracket, with a workplace before them if any; [] if it has other text."""
    place, _, people = text.strip().partition(" ")
    if people and is_organisation(place):  # 县委宣传部 龚献明
        text = people
    names, rest = leading_names(text)
    if not names or rest:
        return []
    return [f"作者 {place} {names}" if text == people else f"作者 {names}"]


def _only_names(text: str) -> list[str]:
    return [f"作者 {' '.join(names)}"] if (names := _names(text)) else []


def _behind(line: str) -> list[str]:
    """The credit after the last sentence of a line."""
    end = line[-_LONGEST_CREDIT:]
    if end[-1:] in _SENTENCE_ENDS:
        return []
    last = max(map(end.rfind, _SENTENCE_ENDS))
    credit = _credit(end[last + 1 :].strip()) if last >= 0 else []
    if not credit and (mark := _APART.search(end)):
        credit = _credit(end[mark.end() :].strip())
    words = end.split()[:-1] if end.endswith((" 摄", "\u3000摄")) and not credit else []
    names = list(takewhile(is_name, reversed(words)))[::-1]  # 老街新貌 王建明 摄
    return credit or [f"{' '.join(names)} 摄"] * bool(names)


def _opening(texts: list[str]) -> tuple[str | None, list[str]]:
    for line in texts[:5]:
        if mark := DATELINE.match(line) or DATED.match(line):
            rest = line[mark.end() :]
            named = _BRACKET.match(rest) or _OPEN_BYLINE.match(rest)
            if named and re.search(AUTHOR_ROLES, named[1]):
                return mark["line"], [named[1]]
            return mark["line"], _bracketed(named[1]) if named else []
    return None, []


def _credit(line: str) -> list[str]:
    if len(line) > 80:
        return []
    if line[-1:] in "文图摄影理合译计辑拍画像表绘稿音道" and is_credit(line):
        return [line]
    if not CREDIT.match(line) or re.search(r"[，,].{12,}", line):
        return []
    glued = _GLUED.search(line)
    if glued and not re.search("记者|通讯员", glued["role"]) and not is_name(glued["name"]):
        return []  # 杭州启动摄影大赛
    several = len(re.findall(AUTHOR_ROLES, line)) > 1
    prose = re.search(r"[：:].{12,}", line) and not several
    return [] if prose else [line.strip("（()）[]【】□■●◎〔〕 \u3000")]


def _signature(texts: list[str]) -> list[str]:
    for line in texts[-2:]:
        if line[-1:] in "）)" and (mark := _SIGNED.search(line)) and (found := _bracketed(mark[1])):
            return found
    return []
