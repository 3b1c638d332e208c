"""Parses bylines: `浙江在线记者 江帆 通讯员 王小明 张三` becomes people with roles and outlets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, takewhile

from zjolcrawl.items import Byline
from zjolcrawl.parsing.fields.names import (
    DEEDS,
    FULL_NAME,
    HAN,
    MEDIUM,
    NO_NAME,
    NOBODY,
    ORGANISATION_END,
    QUALIFIER,
    SHARED_NAME,
    SITE_FOOT,
    SURNAMES,
    WORDS,
)
from zjolcrawl.parsing.fields.text import clean, squeeze

_KIND = "(?:见习|实习|特约|首席|高级|资深|全媒体|融媒体|摄影|文字|视频|特派|体育|评论|主任){0,4}"
# 驻 appears once: inside the repeated group it would cause combinatorial backtracking.
_REPORTER = rf"{_KIND}(?:驻{HAN}{{1,4}}?{_KIND})?记者"
_FIRST = "".join(sorted({word[0] for word in DEEDS.split("|")}))  # a cheap test before the words
# Not at the end of a name: in 李文/摄, 记者李文/摄 and 王兴文/摄 文 ends a name, in 王小明文/摄 it does not.
_NAME_END = rf"(?<!(?<!{HAN}){HAN})(?<![者员友生]{HAN})(?<!(?<!{HAN}){HAN}{{2}})"
# Longest first where one ends with another. The short words 文 图 摄 need a sign after them.
# （作者系某大学教授） describes the author and names nobody.
AUTHOR_ROLES = (
    rf"{_REPORTER}|特约通讯员|通讯员|特约撰稿人?|特约评论员|本报评论员|评论员|撰稿人?|实习生|见习生|"
    # 拍友, 共享联盟·德清 and 市委报道组: contributors on real pages of 2011-2025.
    rf"拍友|拍客|影友|共享联盟(?:·{HAN}{{1,6}}|{HAN}{{2,5}}(?<![者员组影])(?=[\s:：/／])|(?=[\s:：/／]))|报道组(?=[\s:：/／])|"
    r"(?:原作者|作者)(?!\s*[系为是]|单位|简介)|撰文|编译|校译|翻译|供图|制图|绘图|漫画|摄影师|摄影(?!报道)|采写|视频拍摄|视频制作|整理|执笔|口述|"
    rf"(?=[图文摄]){_NAME_END}(?:(?:图|文|摄)(?:\s*[/／]\s*|[、&＆+＋])(?:图|文|摄影|摄)|(?:图|文|摄)(?=\s*[/／|｜:：]))|"
    rf"(?=[{_FIRST}])(?:{DEEDS})(?=\s*[/／|｜:：])|"
    # 摄影 里尔　文 魏志阳: a short word before one more name and the end
    r"(?<!\S)(?:图|文|摄)(?=[\s\u3000]+[\u4e00-\u9fff]{2,4}(?:$|[\s\u3000]))|"
    # 航拍 李明: a whole word before a name of a common family
    rf"(?=[{_FIRST}])(?<!\S)(?:{DEEDS})(?=\s+(?:{SURNAMES}){HAN}{{1,2}}(?:$|[\s、,，/／）)]))"
)
# 手绘 拜喆喆: before any name, in a passage known to name people
_AMONG_PEOPLE = rf"(?<!\S)(?:{DEEDS})(?=\s+{HAN}{{2,4}}(?:$|[\s、,，/／）)]))"
EDITOR_ROLES = (
    r"责任编辑|本期编辑|值班编辑|执行编辑|网络编辑|本文编辑|新媒体编辑|视频编辑|图片编辑|首席编辑|见习编辑|实习编辑|"
    r"主任编辑|高级编辑|资深编辑|助理编辑|编辑|责任编审|"
    r"值班主任|值班总编辑?|值班总监|值班编委|责编|美编|编审|审核|终审|复审|初审|三审|二审|一审|校对|监制|主编|总监制|"
    r"签发|审校|责任校对|统筹|策划(?=\s*[:：/／|｜丨]|\s+[\u3400-\u9fff]{2,4}$|\s+[\u3400-\u9fff]{2,4}[\s、])|审读|审稿|录入|编校"
)
# Each editor role contains at least one of these characters.
EDITOR_SIGNS = "编审校主监签统策录"
# In an author's line, 主编 and 统筹 are as often a job title as a role in this article.
_EDITORS_BESIDE = EDITOR_ROLES.replace("|主编|", "|").replace("|统筹|", "|")
# By kind of role, a cheap test that finds every passage that may also have a role of the other kind.
_OTHERS = {
    AUTHOR_ROLES: re.compile(EDITOR_ROLES),
    EDITOR_ROLES: re.compile(f"[者员人生友盟组文图摄影]|{DEEDS}"),
}
_DIVIDERS = re.compile(r"[\s、,，;；/／|｜丨&＆()（）\[\]【】<>。.:：]+")
_NAME = re.compile(
    rf"{HAN}{{2,4}}|{HAN}{{1,8}}(?:[·•・.]{HAN}{{1,8}})+|[A-Za-z][A-Za-z.·-]+(?: [A-Z][A-Za-z.·-]*)*"
)
_DOTS = re.compile("[•・‧∙]")
_LONGEST = 2000  # characters; anything longer is not a byline and would be slow to search
_GLUE = "\x01"
_ORGANISATION = re.compile(rf"{HAN}[{HAN[1:-1]}A-Za-z0-9]{{1,19}}")
_OUTLET_END = re.compile(
    r"(?:报|网|台|社|在线|新闻|客户端|频道|电视|广播|中心|刊|通讯社|融媒体?|传媒|集团|号|本刊|发布|视界|版|站)$"
)
_BOOK = re.compile(r"《[^《》]{2,10}》")
_FROM = re.compile(r"^(?:据|来源|稿源)[:：]?")
_LABEL_END = re.compile(r"^\s*[:：/／|｜丨·]")
_LATIN_SPACE = re.compile(r"(?<=[A-Za-z.]) (?=[A-Z])")
_NAME_TAIL = re.compile(
    rf"(?<={HAN}{{2}})(?:摄影报道|综合报道|报道|摄|发自{HAN}{{0,8}}|_[A-Z]*\d+)$"
)
_IS = re.compile(r"[系为是]..")
_ONE_HAN, _TWO_HAN = re.compile(HAN), re.compile(rf"{HAN}{{2}}")
_AUTHOR_LABEL = re.compile(r"^\s*原?作者(?:\s*[:：]\s*|\s+)")
_EXACT_ROLE = re.compile(r"记者|通讯员|评论员|撰稿|实习生|见习生|[拍影]友|拍客|共享联盟|报道组")
_BETWEEN = "、,，;；:：()（）[]【】|｜/／"
_WORD = rf"[^\s{re.escape(_BETWEEN)}]"
# 潮新闻客户端 记者: a space between the outlet and its reporter.
_FAR_OUTLET = rf"{_WORD}{{1,12}}{_OUTLET_END.pattern[:-1]} (?=\S{{0,60}}?记者)"
# a cheap test before the slow search for the whole
_OUTLET_APART = re.compile(f"{_OUTLET_END.pattern[:-1]} ")
_TRAILING_CREDIT = re.compile(
    rf"({HAN}{{2,4}}(?:·{HAN}{{1,8}})?(?:[、 ]{HAN}{{2,4}}(?:·{HAN}{{1,8}})?){{0,19}})\s{{0,3}}[/／ ]\s{{0,3}}((?:文|图|摄)(?:\s{{0,3}}[/／]\s{{0,3}}(?:文|图|摄影|摄))?|摄影报道|摄影|整理|供图|综合|编译|制图|绘图|漫画|图表|设计|剪辑|航拍|插画|插图|手绘|撰文|供稿|拍摄|摄像|配音)(?![\u4e00-\u9fff])"
)
# 李欣 文 / 张帆 摄
_ALL_TRAIL = re.compile(rf"(?>{_TRAILING_CREDIT.pattern}[\s/／、]*)++")
# 郑琳/文 董旭明/摄 after 记者: the second is a photographer.
_OWN_ROLE = re.compile(
    rf"({HAN}{{2,4}}|(?<!{HAN}){HAN}[ \u3000]{HAN})\s*[/／]\s*(文|图|摄影|摄|视频)(?!{HAN})"
)
_BARE_NAME = re.compile(
    rf"(?:{HAN}{{2,4}}|{HAN}{{1,8}}(?:·{HAN}{{1,8}})+)(?:[/／](?:文|图|摄|摄影|图文|文图|视频|制图))?"
)
_APART = re.compile(rf"(?<!{HAN})({HAN})[ \u3000]+({HAN})(?!{HAN})")


def people(text: str, roles: str) -> list[Byline]:
    """The people that a passage names, in order; `roles` is AUTHOR_ROLES or EDITOR_ROLES.

    `text` must be a byline passage (an info line, a bracket, a credit line), not prose. A name is
    two to four Han characters, a name with ·, or a Latin name; 江 帆 becomes 江帆. An organisation
    counts as a name after 作者 and 通讯员.
    """
    text = clean(_DOTS.sub("·", text))[:_LONGEST]
    if (":" in text or "：" in text) and (foot := SITE_FOOT.search(text)):
        text = text[: foot.start()]
    marks = list(_marks(text, roles))
    of_authors = roles == AUTHOR_ROLES
    unlabelled = _AUTHOR_LABEL.sub("", text)  # 作者: 应建勇/文 刘刚/摄
    if not any(mark.wanted for mark in marks) or (
        _ALL_TRAIL.fullmatch(unlabelled) and not _EXACT_ROLE.search(text)
    ):
        return _trailing_credits(unlabelled) if of_authors else []
    found: list[Byline] = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        if not mark.wanted:
            continue
        outlet = _outlet(mark.before)
        role = squeeze(mark.role)
        if role == "报道组" and not outlet and (of_whom := QUALIFIER.search(mark.before)):
            role = of_whom[0] + role  # 市委报道组
        stretch = text[mark.end : following.start if following else len(text)]
        if following and role != "采写":  # 采写：南都见习记者 林子沛
            stretch += " " + _glued_name(mark, following)
        organisations = role in {"作者", "原作者"} or role.endswith("通讯员")
        stretch, others = _with_own_roles(stretch)
        for name, place in _placed(_names(stretch, organisations)):
            found.append(Byline(name, role, outlet or place))
        found += others
    return found or (_trailing_credits(text) if of_authors else [])


def _glued_name(mark: _Mark, following: _Mark) -> str:
    """The name directly before a role without a space: 江帆 in 记者江帆通讯员王小明."""
    word = following.before
    if _outlet(word) or QUALIFIER.fullmatch(word):
        return ""
    if not is_name(word):
        word = QUALIFIER.sub("", word)
    return word if mark.end == following.start or is_name(word) else ""


def is_nobody(word: str) -> bool:
    """Whether a word in the place of a name is not a person: 网络, 每日关注, null."""
    return bool(NO_NAME.fullmatch(word) or NOBODY.fullmatch(word))


def names_editor(text: str) -> bool:
    """Whether a passage contains an editor's role: `记者 江帆 编辑 王小明`."""
    return bool(_OTHERS[AUTHOR_ROLES].search(text))


def is_name(text: str) -> bool:
    """Whether the text is exactly one Chinese name: a common family name and one or two characters."""
    if sum(map(len, text.split(None, 4))) > 4:
        return False
    joined = _APART.sub(r"\1\2", text.strip())
    if WORDS.fullmatch(joined):
        return False
    nobody = NO_NAME.match(joined)
    # 文慧 begins with a role
    is_word = nobody and (nobody.end() > 1 or nobody.end() == len(joined))
    return bool(FULL_NAME.fullmatch(joined)) and not is_word


def is_credit(text: str) -> bool:
    """Whether a line is only names, each followed by a role: `李欣 文 / 张帆 摄`."""
    if len(text) > 60 or not _ALL_TRAIL.fullmatch(text.strip()):
        return False
    found = people(text, AUTHOR_ROLES)
    return bool(found) and all(
        len(each.name) <= 3 or "·" in each.name or is_name(each.name) for each in found
    )


def leading_names(text: str) -> tuple[str, str]:
    """The names at the start of a text without roles, and the rest: `庄小蕾/文 王平/摄`, `阮 帅`."""
    words = re.split(r"[\s、,，]+", _APART.sub(r"\1\2", text.strip()))
    names = list(takewhile(_is_bare_name, words))
    return " ".join(names), " ".join(words[len(names) :])


def _is_bare_name(word: str) -> bool:
    name = re.split("[/／]", word)[0]
    is_one = is_name(name) or "·" in name or bool(SHARED_NAME.fullmatch(name))
    return is_one and bool(_BARE_NAME.fullmatch(word))


def merge(people_seen: list[Byline]) -> list[Byline]:
    """One entry per person, in order of first appearance; later entries only fill in a missing outlet.

    A general role (作者, 文) is replaced by a more exact one, such as 记者 or 通讯员 in the dateline.
    """
    merged: dict[str, Byline] = {}
    for person in people_seen:
        known = merged.setdefault(person.name, Byline(person.name, person.role, person.outlet))
        if known.role in {"作者", "文"} and _EXACT_ROLE.search(person.role):
            known.role = person.role
        if known.outlet is None and person.role == known.role:
            known.outlet = person.outlet
    return list(merged.values())


@dataclass(frozen=True, slots=True)
class _Mark:
    """A role in a passage, the word directly before it, and the span of both.

    A role of the other kind (an author in an editor's passage, or the reverse) only ends the names
    before it: `wanted` is False.
    """

    before: str
    role: str
    start: int
    end: int
    wanted: bool


def _marks(text: str, roles: str) -> Iterator[_Mark]:
    """Each role once, from left to right.

    Finds the role first and then the word before it. The reverse order would be quadratic in a long
    word without a role.
    """
    role, far = _patterns(roles, bool(_OTHERS[roles].search(text)))
    at = 0
    may_be_far = "记者" in text and _OUTLET_APART.search(text)
    distant = far.search(text) if may_be_far else None
    while found := role.search(text, at):
        start = found.start()
        while start > at and not ((before := text[start - 1]) in _BETWEEN or before.isspace()):
            start -= 1
        if found[0] == "报道组" and at and not text[at:start].strip():
            at = found.end()  # 通讯员 嵊州市委报道组 徐霞鸿: here 报道组 is a workplace
            continue
        if distant and distant.start() < at:
            distant = far.search(text, at)
        if distant and distant.start() <= start:
            yield _Mark(distant[1], distant[2], distant.start(), distant.end(), True)
            at = distant.end()
        else:
            wanted = found.lastgroup == "wanted"
            yield _Mark(text[start : found.start()], found[0], start, found.end(), wanted)
            at = found.end()


@cache
def _patterns(roles: str, either: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for a role (with `either`, of both kinds) and for a role with a space after its outlet."""
    of_authors = roles == AUTHOR_ROLES
    role = f"(?P<wanted>{roles}|{_AMONG_PEOPLE})" if of_authors else f"(?P<wanted>{roles})"
    if either:
        others = _EDITORS_BESIDE if of_authors else f"{AUTHOR_ROLES}|{_AMONG_PEOPLE}"
        role += rf"|(?:{others})(?=[\s:：/／|｜丨·]|{HAN}{{2,4}}(?:$|[\s、）)]))"
    return re.compile(role), re.compile(f"({_FAR_OUTLET})({roles})")


def _outlet(before: str) -> str | None:
    if not before or _BOOK.fullmatch(before.strip()):
        return before.strip() or None
    word = _FROM.sub("", before.strip(" -—·:：>》《“”\"'"))
    if len(word) >= 4 and ORGANISATION_END.search(word):
        return word
    is_own = word in {"本报", "本网", "本台", "本刊", "本站", "本端"}
    return word if is_own or _OUTLET_END.search(word) else None


def _names(stretch: str, organisations: bool) -> list[str]:
    stretch = _LABEL_END.sub(" ", stretch)
    stretch = _LATIN_SPACE.sub(_GLUE, stretch)  # Amy Chen is one name
    words = [word for word in _DIVIDERS.split(stretch) if word]
    names = []
    for joined in _join_single_characters(words):
        word = _NAME_TAIL.sub("", joined)
        is_outlet = MEDIUM.fullmatch(word) and not NO_NAME.fullmatch(word)
        if (is_nobody(word) and not is_outlet) or _IS.match(word):
            continue  # an outlet is kept: it can belong to the names after it
        word = word.replace(_GLUE, " ")
        if _NAME.fullmatch(word) or (organisations and _ORGANISATION.fullmatch(word)):
            names.append(word)
    return names


def _join_single_characters(words: list[str]) -> list[str]:
    """江 帆 -> 江帆: no Chinese name has one character, so adjacent single characters are joined."""
    joined: list[str] = []
    run: list[str] = []
    for word in [*words, ""]:
        # 张三 文: a role. 陈 宁 郑 文: the second half of a name.
        role = word in "文图摄等电讯" and len(run) % 2 == 0
        if len(word) == 1 and _ONE_HAN.match(word) and not role:
            run.append(word)
            continue
        if len(run) == 1 and _TWO_HAN.fullmatch(word):
            joined.append(run.pop() + word)  # 汤 佳宁
            continue
        size = 3 if len(run) == 3 else 2
        joined += ["".join(run[i : i + size]) for i in range(0, len(run), size)]
        run = []
        if word:
            joined.append(word)
    return joined


def _placed(names: list[str]) -> list[tuple[str, str | None]]:
    """Pair each name with the organisation before it (浙江大学 沈知行 费扬).

    An organisation without a name after it counts as a name itself.
    """
    placed: list[tuple[str, str | None]] = []
    place: str | None = None
    for name, following in pairwise([*names, ""]):
        is_medium = len(name) >= 3 and bool(MEDIUM.fullmatch(name)) and not is_name(name)
        if is_medium or is_organisation(name):
            ends = not _NAME.fullmatch(following) or is_organisation(following)
            is_one = ends or (MEDIUM.fullmatch(following) and not is_name(following))
            place = None if is_one else name
            placed += [] if place or is_medium else [(name, None)]
        else:
            placed.append((name, place))
    return placed


def is_organisation(name: str) -> bool:
    """Whether a word ends like an organisation where contributors work: 县委宣传部."""
    return len(name) >= 4 and bool(ORGANISATION_END.search(name))


def _with_own_roles(stretch: str) -> tuple[str, list[Byline]]:
    """The stretch without people who have a role of their own, and those people."""
    own = [m for m in _OWN_ROLE.finditer(stretch) if m[2] != "文"]
    for match in own:
        stretch = stretch.replace(match[0], " ")
    return stretch, [Byline(re.sub(r"\s", "", m[1]), m[2], None) for m in own]


def _trailing_credits(text: str) -> list[Byline]:
    """People with the role after the name: `张三 文 李四 摄`."""
    text = _APART.sub(r"\1\2", text)
    return [
        Byline(name, re.sub(r"\s+", "", match[2]), None)
        for match in _TRAILING_CREDIT.finditer(text)
        for name, _ in _placed(_names(match[1], organisations=False))
    ]
