"""The roles that name people in a byline or an editor's credit: 记者, 通讯员, 摄影; 责任编辑, 编审."""

from __future__ import annotations

import re
from functools import cache

from zjolcrawl.parsing.fields.names import DEEDS, HAN, SURNAMES

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
OUTLET_END = re.compile(
    r"(?:报|网|台|社|在线|新闻|客户端|频道|电视|广播|中心|刊|通讯社|融媒体?|传媒|集团|号|本刊|发布|视界|版|站)$"
)
BETWEEN = "、,，;；:：()（）[]【】|｜/／"
_WORD = rf"[^\s{re.escape(BETWEEN)}]"
# 潮新闻客户端 记者: a space between the outlet and its reporter.
_FAR_OUTLET = rf"{_WORD}{{1,12}}{OUTLET_END.pattern[:-1]} (?=\S{{0,60}}?记者)"


def names_editor(text: str) -> bool:
    """Whether a passage contains an editor's role: `记者 江帆 编辑 王小明`."""
    return bool(_OTHERS[AUTHOR_ROLES].search(text))


@cache
def role_patterns(roles: str, either: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for a role (with `either`, of both kinds) and for a role with a space after its outlet."""
    of_authors = roles == AUTHOR_ROLES
    role = f"(?P<wanted>{roles}|{_AMONG_PEOPLE})" if of_authors else f"(?P<wanted>{roles})"
    if either:
        others = _EDITORS_BESIDE if of_authors else f"{AUTHOR_ROLES}|{_AMONG_PEOPLE}"
        role += rf"|(?:{others})(?=[\s:：/／|｜丨·]|{HAN}{{2,4}}(?:$|[\s、）)]))"
    return re.compile(role), re.compile(f"({_FAR_OUTLET})({roles})")


def has_other_role(text: str, roles: str) -> bool:
    """Whether a passage with `roles` may also have a role of the other kind: a cheap test."""
    return bool(_OTHERS[roles].search(text))
