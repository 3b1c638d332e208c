"""Patterns for the beginnings of special lines in an article's text.

They are: editor's note (编者按), abstract (摘要), original title (原标题), tags (标签), editor credits,
bylines and datelines.
"""

from __future__ import annotations

import re

from zjolcrawl.parsing.fields.names import SURNAMES
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES

NOTE = re.compile(
    r"^[【\[（(〔]?\s*(?:本报|本网)?(?:编者按语|编者按|编者的话|编前语|编前话|编前|编者注|编后语|编后|编辑按|按语)\s*+"
    r"(?:[】\]）)〕]\s*+[:：]?|[:：]|(?<=\s)|$)\s*+"
)
# 【摘要】 …, above the text on pages of 2014-2021. 【最新消息】 and 【人物】 belong to the text.
ABSTRACT = re.compile(
    r"^(?:[【\[（(〔]\s*(?:(?:内容|文章|新闻|本文)?摘\s*+要|(?:内容|新闻)?提要|(?:核心|新闻|阅读|内容)提示|(?:核心|内容|本文|新闻|阅读)?导\s?读)\s*+[】\]）)〕]\s*+[:：]?"
    r"|(?:(?:内容|文章|新闻|本文)?摘要|(?:内容|新闻)提要|(?:核心|新闻|阅读|内容)提示|(?:核心|内容|本文|新闻|阅读)?导读)\s*+[:：])\s*+"
)
EDITOR_LINE = re.compile(
    rf"^[【\[（(〔]?\s*(?:[\u4e00-\u9fff]{{0,6}}?)?(?:{EDITOR_ROLES})\s*[:：/／丨|·]\s*\S.{{0,60}}$|"
    # 编辑 商洛洛: no colon between role and name
    rf"^[【\[（(〔]?(?:(?:{EDITOR_ROLES})[\s\u3000]+[\u3400-\u9fff·]{{2,4}}[\s\u3000]*+){{1,6}}[】\]）)〕]?$"
)
ORIGINAL_TITLE = re.compile(
    r"^(?P<open>[（(【\[])?\s?(?:本文|文章|此文|该文|本稿|稿件)?的?原(?:文|文章|稿)?(?:标题|题目|题|文题)"
    r"(?:(?:为|是|作|叫)?\s?[:：|｜丨]|(?:为|是|作|叫)?(?=\s?[《“\"])|(?P<label>[】\]])[:：]?)\s*+"
    r"(?P<title>\S.{1,80}?)(?(label)|(?(open)\s?[)）】\]]))$"
)
# 【纠错】, 打印 …: the buttons in a bar before the editor's name.
BUTTONS = re.compile(
    r"(?:[【\[（(]\s?(?:我要纠错|纠错|打印|收藏|关闭|举报|分享|返回顶部)\s?[】\]）)]\s?|(?:我要纠错|纠错|打印|收藏|关闭|举报)[\s|｜]{1,3}){1,6}"
)
TAG_LINE = re.compile(
    r"^[【\[]?(?:本文|文章|新闻|相关|所属)?(?:标\s{0,9}签|关键[词字]|[Tt][Aa][Gg][Ss]?)(?:[】\]]?\s{0,9}[:：]|\s?[|｜丨](?=\s?[\u4e00-\u9fff#])|[】\]](?=\s?[\u4e00-\u9fff#]))"
)
DATELINE = re.compile(
    r"^(?:据|(?=[\u4e00-\u9fff]))(?P<line>(?:[\u4e00-\u9fffA-Za-z·\-—]{0,18}?[ \u3000]?(?:\d{4}年)?\d{1,2}月\d{1,2}日|[\u4e00-\u9fff]{2,12}?\d{1,2}日|"
    r"本报|本网|本站|本台|新华社|中新社|(?:[\u4e00-\u9fff]{1,6}·)?[\u4e00-\u9fff]{1,6}(?:报|网|在线|客户端|之声|互动|新闻(?=讯(?!息))))"
    r"(?:专?电(?![视影商话力动脑子器])|综合(?:消息|报道|[讯电])|消息|快讯|专讯|讯(?!息))|本报[\u4e00-\u9fff]{2,6}?[讯电](?=[\s\u3000（(])|"
    # 浙江在线杭州讯（记者 王丽）
    r"(?:本网|[\u4e00-\u9fff]{1,4}(?:日报|晚报|早报|快报|商报|晨报|在线|新闻|客户端))·?[\u4e00-\u9fff]{2,5}?(?:(?<![通资短电])讯(?=[\s\u3000（(])|电(?=[（(][^（()）]{0,20}(?:记者|通讯员))))(?=$|[\s\u3000（(，,：:“《—\"'‘「『【\[…-]|[\u4e00-\u9fff\d])"
)
# 浙江在线杭州11月3日 （浙江在线记者 李鹏 编辑 沈正玺）: a dateline without 讯, recognised by the bracket
DATED = re.compile(
    r"^(?P<line>(?:本报|本网|[\u4e00-\u9fff]{1,6}(?:报|网|在线|社))[\u4e00-\u9fff·\-—]{0,10}(?:\d{4}年)?\d{1,2}月\d{1,2}日)"
    r"(?=[\s\u3000]*[（(][^（()）]{0,40}?(?:记者|通讯员|编辑))"
)
CREDIT = re.compile(
    rf"^[（(\[【□■●◎〔]?[\s\u3000]*(?:[\u4e00-\u9fffA-Za-z·《》]{{0,14}}[\s\u3000]?)?(?:{AUTHOR_ROLES})(?:[\s\u3000:：/／|｜丨]+|(?:(?<=记者)|(?<=通讯员)|(?=(?:{SURNAMES})[\u4e00-\u9fff]{{1,2}}(?:$|[\s）)、])))(?=[\u4e00-\u9fff]{{2,4}}(?:·[\u4e00-\u9fff]{{1,8}})?(?:$|[\s）)、])))[^。！？；]{{2,70}}[）)\]】〕]?$"
)


def unquoted(title: str) -> str:
    """The title without the quotation marks or 《》 around the whole of it."""
    whole = re.fullmatch(r"《([^《》]+)》|“([^“”]+)”|\"([^\"]+)\"", title)
    return next(filter(None, whole.groups())) if whole else title
