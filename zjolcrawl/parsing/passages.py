"""Lines that are more than text: how 编者按, 原标题, 标签, editor credits, bylines and datelines begin."""

from __future__ import annotations

import re

from zjolcrawl.parsing.fields.bylines import AUTHOR_ROLES, EDITOR_ROLES, SURNAMES

NOTE = re.compile(
    r"^[【\[（(〔]?\s*(?:本报|本网)?(?:编者按语|编者按|编者的话|编前语|编前话|编前|编者注|编后语|编后|编辑按|按语)\s*+"
    r"(?:[】\]）)〕]\s*+[:：]?|[:：]|(?<=\s)|$)\s*+"
)
EDITOR_LINE = re.compile(
    rf"^[【\[（(〔]?\s*(?:[\u4e00-\u9fff]{{0,6}}?)?(?:{EDITOR_ROLES})\s*[:：/／丨|·]\s*\S.{{0,60}}$|"
    # 编辑 商洛洛, without a sign between
    rf"^[【\[（(〔]?(?:(?:{EDITOR_ROLES})[\s\u3000]+[\u3400-\u9fff·]{{2,4}}[\s\u3000]*+){{1,6}}[】\]）)〕]?$"
)
ORIGINAL_TITLE = re.compile(
    r"^(?P<open>[（(【\[])?\s*原(?:文)?标?题(?:为\s*+(?:[:：]\s*+)?(?=[《“\"])|为?\s*+[:：]\s*+)"
    r"(?P<title>\S.{1,80}?)(?(open)\s*+[)）】\]])$"
)
TAG_LINE = re.compile(
    r"^[【\[]?(?:本文|文章|新闻)?(?:标\s*签|关键[词字]|[Tt][Aa][Gg][Ss]?)[】\]]?\s*[:：]"
)
DATELINE = re.compile(
    r"^(?:据|(?=[\u4e00-\u9fff]))(?P<line>(?:[\u4e00-\u9fffA-Za-z·\-—]{0,18}?[ \u3000]?\d{1,2}月\d{1,2}日|[\u4e00-\u9fff]{2,12}?\d{1,2}日|"
    r"本报|本网|浙江在线|浙江日报|新华社|中新网|中新社|人民网|钱江晚报|[\u4e00-\u9fff]{1,6}(?:报|网|在线|客户端))"
    r"(?:专?电|综合消息|消息|快讯|专讯|讯|电)|本报[\u4e00-\u9fff]{2,6}?[讯电](?=[\s\u3000（(]))(?=$|[\s\u3000（(，,：:“《—]|[\u4e00-\u9fff\d])"
)
CREDIT = re.compile(
    rf"^[（(\[【□■●◎〔]?[\s\u3000]*(?:[\u4e00-\u9fffA-Za-z·《》]{{0,14}}[\s\u3000]?)?(?:{AUTHOR_ROLES})(?:[\s\u3000:：/／|｜丨]+|(?:(?<=记者)|(?<=通讯员)|(?=(?:{SURNAMES})[\u4e00-\u9fff]{{1,2}}(?:$|[\s）)、])))(?=[\u4e00-\u9fff]{{2,4}}(?:$|[\s）)、])))[^。！？；]{{2,70}}[）)\]】〕]?$"
)


def unquoted(title: str) -> str:
    """A title without the marks that enclose the whole of it."""
    whole = re.fullmatch(r"《([^《》]+)》|“([^“”]+)”|\"([^\"]+)\"", title)
    return next(filter(None, whole.groups())) if whole else title
