"""Tells a message of the site or the server from an article: not found, removed, loading, log in."""

from __future__ import annotations

import re

_MISSING_PAGE = re.compile(
    r"(?<![\d.])404(?=\W|$|页|错)|页面不存在|(?:找不到|没有找到|未找到|无法找到)(?:该|您|此)?.{0,6}(?:页面|网页|该页)|"
    r"(?:页面|网页)(?:未找到|没有?找到|找不到|无法找到|已删除|不见了)|not found|已被删除",
    re.IGNORECASE,
)
# Text in place of an article: a placeholder that a script has not filled, or a server's message.
_NO_TEXT = re.compile(
    r"加载|载入|请稍[候后等]|loading|暂无|无内容|抱歉|对不起|[您你](?:访问|请求|查看|浏览|要找|所)|返回(?:首页|上一页)|"
    r"无法(?:访问|显示|打开)|维护|服务器|网络异常|系统(?:升级|繁忙|错误)|请(?:先|重新)?登录|请刷新|跳转",
    re.IGNORECASE,
)
# Messages in place of a removed article. Only searched on pages without an article.
_TAKEN_DOWN = re.compile(
    r"(?:文章|稿件|内容|新闻|页面|网页|信息|帖子|该文|资源|链接)\S{0,6}(?:不存在|已?被?(?:删除|撤[销稿回下]|移除|下[线架]|屏蔽)|已?失效|已?过期)|"
    r"(?:不存在|已被?(?:删除|撤[销稿回下]|移除|下[线架]))(?:的)?(?:文章|稿件|内容|新闻|页面)|410 Gone|Page Not Found",
    re.IGNORECASE,
)


def says_missing(text: str) -> bool:
    """Whether a text, such as a headline, says that there is no page."""
    return bool(_MISSING_PAGE.search(text))


def says_gone(text: str) -> bool:
    """Whether a text says that there is no page, or that its article was removed."""
    return says_missing(text) or bool(_TAKEN_DOWN.search(text))


def is_notice(text: str) -> bool:
    """Whether a few words are any message in place of an article."""
    return says_gone(text) or bool(_NO_TEXT.search(text))
