"""Tells which lines can be a heading: kicker (引题), headline or subtitle (副题).

Also finds the most emphasised line, for a page whose `<title>` does not contain the headline. Other
lines in real heads of 2003-2026 are: contact boxes and advertisers' names (county hosts, 2007-2012),
the weather, the site's address, a date in pieces (2023-) and tools.
"""

from __future__ import annotations

import re
from itertools import islice

from zjolcrawl.parsing.elements import names_of, text_of
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.text_lines import Line
from zjolcrawl.site.current import for_site

menu_line = for_site(
    lambda site: re.compile(
        rf"^(?:首页|登录|注册|搜索|广告|正文|大\s*中\s*小|(?:【\s{{0,3}}(?:打印|关闭|收藏|评论|推荐|纠错|转发|复制|返回|论坛|我要|我来|发表|进入|网友|手机|字[体号]|[大中小]\s|[大中小]】|\d)[^【】]{{0,12}}】?\s{{0,3}}){{1,9}}|\d+|[\W_]+|{re.escape(site.name)}|今日热点|打印|关闭|收藏|评论|返回(?:顶部|首页)?|分享)$"
        r"|^(?:字体|字号|文字\s*[:：]|扫一扫|手机看|设为首页|加入收藏|更多|热点推荐|我要|当前位置)"
        r"|(?:客户端下载(?:$|\W)|热线(?:$|\s|[:：]|电话|传真|\d)|许可证(?:$|[:：\s编号\d])|ICP备|新闻网站(?:$|\s)|排行榜?(?:$|\s)|分享到|我要评论|微信扫)|(?:^|\s)A[+-]|字体[:：]|大\s+中\s+小"
        r"|(?:阅读|点击|浏览)(?:量|次数)?[:：]?\s*\d"
        # —2024—, 03/30, 15:49:01; a web or mail address
        r"|^[\W\d_年月日时分秒]+$|^(?:https?://)?(?:[\w-]{1,30}\.){1,4}(?:com|cn|net|org)[\w./]*$|@\w"
        r"|^(?:邮政编码|邮编|QQ|电话|传真|邮箱|E-?mail|(?:联系|通讯|投稿)\S{0,4}|地址|微信号?|微博)\s*[:：\s]\s*\S"
        r"|^第?\s*[A-Za-z]{0,3}\d{1,5}\s*版\s*[:：]|^[·•]|(?:\|.*){2}|更多\s*[>＞»]*$"
        # 网站地图 | 关于我们, 登录 注册, 今天是2012年3月12日 星期一, 农历二月十九, 天气：晴: the site's menu and today's date
        r"|^(?:(?:网站地图|关于我们|联系我们|广告服务|网站简介|网站声明|加盟合作|招聘信息|免费注册|忘记密码|用户登录|会员登录|登录|登陆|注册|退出|首页|帮助|投稿|设为首页|收藏本站|加入收藏|手机版|客户端|微博|微信|English|RSS)(?:$|[\s|｜·/,，-]{1,5})){1,12}$"
        r"|^(?:(?:今天|今日|现在)是\s?(?:$|[\d:：农公星周二])|欢迎光临|欢迎您|您好[，,!！]|公历|农历|(?:今日)?天气\s*[:：]|(?:星期|周)[一二三四五六日天](?:$|\s)|QQ群|微信群|交流群|\S{0,4}[群号]\s*[:：]\s*\d)"
    )
)
# An advertiser: a line that is only the name of a company.
_COMPANY = re.compile(
    r"(?!\S{0,20}(?:[一二三四五六七八九十两几多百\d]家|成立|组建|收购|约谈|起诉|走进|推出|入驻|打造|建设|建成|联手|携手|牵手|挂牌|落户|破产|重组|[，：！？]))"
    r"(?:\S{2,20}(?:公司|集团|银行|支行|分行|信用社|酒店|宾馆|置业|房产|地产|商城)|中国(?:移动|电信|联通)(?:\S{0,6}(?:营业厅|支局|公众号))?)"
)
_SKY = r"(?:晴|阴|多云|少云|[大中小暴阵雷]{1,3}雨|[大中小暴]?雪|雨夹雪|雾|霾|浮尘)"
_DEGREES = r"-?\d{1,2}(?:\s{0,3}[~～\-—/至到]\s{0,3}-?\d{1,2})?\s{0,3}(?:℃|°\s{0,3}C?|度)(?:\s{0,3}[~～\-—/至到]\s{0,3}-?\d{1,2}\s{0,3}(?:℃|°\s{0,3}C?|度))?"
_WEATHER = re.compile(
    rf"(?:[\u4e00-\u9fff]{{2,4}}(?:天气|市|县)?[:：]?\s*)?(?:{_SKY}(?:[到转间或]{{1,2}}{_SKY}){{0,3}}|{_DEGREES}|\s|[,，]|"
    r"[东南西北]{1,2}风\d?|[\d-]{1,4}级|(?:AQI|PM2\.5|空气质量|湿度|空气)[:：]?\s*\d{0,3}%?|[优良]|轻度污染|全省|今[天日]|明[天日]|(?:星期|周)[一二三四五六日天]){1,12}"
)
_WEATHER_SIGN = re.compile(rf"{_DEGREES}|AQI|PM2|空气质量|(?:^|[\s到转]){_SKY}(?:$|\s)")
# Class names and ids of boxes for the account or person that published the page.
ACCOUNT_BOX = re.compile(
    r"(?:^|[\s_-])(?:author|zuozhe|writer|account|nick-?name|user|user-?name|media|publisher|profile|gzh|gongzhonghao|weixin|wechat|source|laiyuan|"
    r"by-?line|js_name|column-?name|channel(?:-?name)?|from)"
    r"(?:$|[\s_-]|(?=name|box|info))",
    re.IGNORECASE,
)
_TOOLS = re.compile(
    r"(?:收藏|打印|推荐|朗读|关闭)\s.{0,20}(?:收藏|打印|推荐|朗读|评论|关闭)|改变文字大小|版\s*[:：]\S"
)
HEADING_TAGS = {f"h{n}": n for n in range(1, 7)}
_HINT = re.compile(
    r"(?:^|[\s_-])(?:\w{0,6}tit(?:le)?|biaoti|bt|headline|subject)(?:$|[\s_-])", re.IGNORECASE
)
_BIG = re.compile(r"font-size\s*:\s*(?:[2-9]\d(?:px|pt)|1[6-9]pt)", re.IGNORECASE)
# A <title> that names only the site or a column, not an article.
_SITE_ONLY = re.compile(
    r"(?:[^\s_—|｜·>-]{0,12}(?:新闻|频道|在线|网|网站|报|数字报纸?|电子版|门户|首页|正文|动态|官网|中心|平台)(?:\s*[-_—|｜·>]+\s*|\s+|$)){1,4}"
)


def is_named_only_by_site(title_tag: str) -> bool:
    """Whether a `<title>` is empty or names only the site or a column, so that it has no headline."""
    return not title_tag or (len(title_tag) <= 40 and bool(_SITE_ONLY.fullmatch(title_tag)))


def is_furniture(text: str) -> bool:
    """Whether a short line in a head is page furniture (boilerplate), an advertiser or the weather."""
    return bool(
        menu_line().search(text)
        or _COMPANY.fullmatch(text)
        or (len(text) <= 40 and _WEATHER_SIGN.search(text) and _WEATHER.fullmatch(text))
    )


def names_account(line: Line) -> bool:
    """Whether a line's element has a class or id of an author or account box.

    Also checks its parent, if that holds little else, and an inline child with the line's whole text.
    """
    element = line.element
    boxes = [box for box in (element, element.getparent()) if box is not None and len(box) <= 3]
    boxes += [
        each
        for each in islice(element, 12)
        if each.tag in {"span", "a", "em", "i", "b", "strong", "label"}
        and clean(text_of(each)) == line.text
    ]
    return any(ACCOUNT_BOX.search(names_of(box)) for box in boxes)


def after_tools(lines: list[Line]) -> int:
    """The index after the last line of tools or of the page's label, on a digital paper's article page."""
    return max((i + 1 for i, line in enumerate(lines) if _TOOLS.search(line.text)), default=0)


def most_emphasised(lines: list[Line]) -> Line | None:
    """The line with the strongest emphasis in markup (heading tag, class, bold, size); the first of equals."""
    return min(lines, key=_rank, default=None)


def _rank(line: Line) -> int:
    element = line.element
    names = names_of(element)
    if element.tag in HEADING_TAGS:
        return HEADING_TAGS[element.tag]
    inner = [each for each in list(element.iter())[1:6] if isinstance(each.tag, str)]
    ranks = [HEADING_TAGS[each.tag] for each in inner if each.tag in HEADING_TAGS]
    ranks += [7] * bool(_HINT.search(names))
    styles = " ".join(each.get("style") or "" for each in (element, *inner))
    ranks += [8] * any(each.tag in {"b", "strong"} for each in inner)
    ranks += [8] * bool(
        _BIG.search(styles)
        or any((each.get("size") or "")[-1:] in "4567" and each.get("size") for each in inner)
    )
    return min(ranks, default=9)
