"""Tells which lines of a head are bylines: a role followed by names, or only names."""

from __future__ import annotations

import re

from zjolcrawl.parsing.fields.bylines import people
from zjolcrawl.parsing.fields.names import is_name, leading_names
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES
from zjolcrawl.site.current import for_site

_ROLE = re.compile(AUTHOR_ROLES)
_LONGEST_OUTLET = 12  # characters before a role
# Each role contains at least one of these.
_ROLE_SIGN = re.compile("[者员人生友盟组文图摄影理笔写译漫述频]")
_PERSON = re.compile("[者员人生]$")
_nobody = for_site(
    lambda site: re.compile(
        rf"(?:本[报网刊台]|{re.escape(site.name)}|\S{{2,4}}报)(?:首席|特约|见习)?(?:记者|评论员)"
    )
)
_MARKS = "□■●◎◆▲○△\u3000 "
# 记者 探访: what a reporter does, in the headings of reports; not a name.
_DEED = re.compile(
    r"[探暗明夜走回寻专采亲直连追实现蹲亲]\S|手记|札记|调查|观察|体验|来信|日记|视角|说法|眼中|笔下|节"
)
_PLACE_END = re.compile(
    r"(?:院|局|委|厅|办|部|会|社|所|站|校|中心|大学|公司|大队|支队|街道|报道组|[县市区镇乡])$"
)


def is_byline(text: str) -> bool:
    """Whether a line begins with an author's role and a name. 记者探访地铁工地 names nobody.

    A role alone counts if it names staff, such as 本报记者.
    """
    if not _ROLE_SIGN.search(text):
        return False
    text = text.strip(_MARKS)
    mark = _ROLE.search(text)
    if not mark or mark.start() > _LONGEST_OUTLET or len(text[: mark.start()].split()) > 1:
        return False
    after = text[mark.end() :]
    rest = after.lstrip(" \u3000:：/／")
    if not rest:
        return bool(_nobody().fullmatch(text))
    sign = after[: len(after) - len(rest)]
    is_labelled = bool(sign.strip())
    if is_labelled and _PERSON.search(mark[0]):
        return len(rest) >= 2
    found = people(text, AUTHOR_ROLES)
    if found and (is_name(found[0].name) or "·" in found[0].name):
        return True
    if is_labelled or not sign or not found:
        return False  # 组图：老街的一天, 视频：…
    # A rare family name, or a correspondent's workplace before the name.
    first = rest.split()[0]
    is_short = len(first) <= 3 and not _DEED.match(first)
    return is_short or any(is_name(person.name) for person in found)


def byline_of(text: str, one: bool = True) -> str | None:
    """The byline in a line that is only names, or None.

    A workplace, a mark or a mark with a role may precede the names: 王平 徐燕飞, 某县检察院 王兴, □王 兴,
    □ 本报记者 王平. A single bare name counts only if `one` is true, because some services are named
    like a person.
    """
    if len(text) > 40:
        return None
    bare = text.strip(_MARKS)
    if not bare:
        return None
    if len(bare) < len(text) and is_byline(bare):
        return bare
    first, *others = bare.split(None, 1)
    place = bool(others) and 3 <= len(first) <= 16 and bool(_PLACE_END.search(first))
    names, rest = leading_names(others[0] if place else bare)
    is_clear = one or place or len(bare) < len(text) or len(bare.split()) > 1
    if names and not rest and is_clear and all(is_name(name) for name in names.split()):
        return f"作者: {bare}"
    return None
