"""Parses bylines: `浙江在线记者 江帆 通讯员 王小明 张三` becomes people with roles and outlets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from zjolcrawl.items import Byline
from zjolcrawl.parsing.fields.names import (
    HAN,
    MEDIUM,
    NO_NAME,
    ORGANISATION_END,
    QUALIFIER,
    SITE_FOOTER,
    closed_up,
    is_name,
    is_nobody,
    is_organisation,
)
from zjolcrawl.parsing.fields.roles import (
    AUTHOR_ROLES,
    BETWEEN,
    OUTLET_END,
    has_other_role,
    role_patterns,
)
from zjolcrawl.parsing.fields.text import clean, squeeze

_DIVIDERS = re.compile(r"[\s、,，;；/／|｜丨&＆()（）\[\]【】<>。.:：]+")
_NAME = re.compile(
    rf"{HAN}{{2,4}}|{HAN}{{1,8}}(?:[·•・.]{HAN}{{1,8}})+|[A-Za-z][A-Za-z.·-]+(?: [A-Z][A-Za-z.·-]*)*"
)
_DOTS = re.compile("[•・‧∙]")
_LONGEST = 2000  # characters; anything longer is not a byline and would be slow to search
_GLUE = "\x01"
_ORGANISATION = re.compile(rf"{HAN}[{HAN[1:-1]}A-Za-z0-9]{{1,19}}")
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
# a cheap test before the slow search for the whole
_OUTLET_APART = re.compile(f"{OUTLET_END.pattern[:-1]} ")
_TRAILING_CREDIT = re.compile(
    rf"({HAN}{{2,4}}(?:·{HAN}{{1,8}})?(?:[、 ]{HAN}{{2,4}}(?:·{HAN}{{1,8}})?){{0,19}})\s{{0,3}}[/／ ]\s{{0,3}}((?:文|图|摄)(?:\s{{0,3}}[/／]\s{{0,3}}(?:文|图|摄影|摄))?|摄影报道|摄影|整理|供图|综合|编译|制图|绘图|漫画|图表|设计|剪辑|航拍|插画|插图|手绘|撰文|供稿|拍摄|摄像|配音)(?![\u4e00-\u9fff])"
)
# 李欣 文 / 张帆 摄
_ALL_TRAIL = re.compile(rf"(?>{_TRAILING_CREDIT.pattern}[\s/／、]*)++")
# 郑琳/文 董旭明/摄 after 记者: the second is a photographer.
_OWN_ROLE = re.compile(
    rf"({HAN}{{2,4}}|(?<!{HAN}){HAN}[ \u3000]{HAN})\s*[/／]\s*(文|图|摄影|摄|视频)(?!{HAN})"
)


def people(text: str, roles: str) -> list[Byline]:
    """The people that a passage names, in order; `roles` is AUTHOR_ROLES or EDITOR_ROLES.

    `text` must be a byline passage (an info line, a bracket, a credit line), not prose. A name is
    two to four Han characters, a name with ·, or a Latin name; 江 帆 becomes 江帆. An organisation
    counts as a name after 作者 and 通讯员.
    """
    text = clean(_DOTS.sub("·", text))[:_LONGEST]
    if (":" in text or "：" in text) and (footer := SITE_FOOTER.search(text)):
        text = text[: footer.start()]
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


def is_credit(text: str) -> bool:
    """Whether a line is only names, each followed by a role: `李欣 文 / 张帆 摄`."""
    if len(text) > 60 or not _ALL_TRAIL.fullmatch(text.strip()):
        return False
    found = people(text, AUTHOR_ROLES)
    return bool(found) and all(
        len(each.name) <= 3 or "·" in each.name or is_name(each.name) for each in found
    )


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
    role, far = role_patterns(roles, has_other_role(text, roles))
    at = 0
    may_be_far = "记者" in text and _OUTLET_APART.search(text)
    distant = far.search(text) if may_be_far else None
    while found := role.search(text, at):
        start = found.start()
        while start > at and not ((before := text[start - 1]) in BETWEEN or before.isspace()):
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


def _outlet(before: str) -> str | None:
    if not before or _BOOK.fullmatch(before.strip()):
        return before.strip() or None
    word = _FROM.sub("", before.strip(" -—·:：>》《“”\"'"))
    if len(word) >= 4 and ORGANISATION_END.search(word):
        return word
    is_own = word in {"本报", "本网", "本台", "本刊", "本站", "本端"}
    return word if is_own or OUTLET_END.search(word) else None


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


def _with_own_roles(stretch: str) -> tuple[str, list[Byline]]:
    """The stretch without people who have a role of their own, and those people."""
    own = [m for m in _OWN_ROLE.finditer(stretch) if m[2] != "文"]
    for match in own:
        stretch = stretch.replace(match[0], " ")
    return stretch, [Byline(re.sub(r"\s", "", m[1]), m[2], None) for m in own]


def _trailing_credits(text: str) -> list[Byline]:
    """People with the role after the name: `张三 文 李四 摄`."""
    text = closed_up(text)
    return [
        Byline(name, re.sub(r"\s+", "", match[2]), None)
        for match in _TRAILING_CREDIT.finditer(text)
        for name, _ in _placed(_names(match[1], organisations=False))
    ]
