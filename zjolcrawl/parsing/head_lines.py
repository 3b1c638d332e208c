"""Tells what a line in a head is: part of the info line, a byline, a possible heading, or page furniture.

Furniture in real heads of 2003-2026: contact boxes and advertisers' names (county hosts, 2007-2012),
the weather, the site's address, a date in pieces (2023-) and tools.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from zjolcrawl.parsing.breadcrumb import SIGNS, find_position
from zjolcrawl.parsing.byline_lines import is_byline
from zjolcrawl.parsing.elements import names_of, text_of
from zjolcrawl.parsing.exact_time import RELATIVE
from zjolcrawl.parsing.fields.bylines import is_credit
from zjolcrawl.parsing.fields.dates import time_span, yearless_span
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.labelled_lines import ABSTRACT, NOTE, ORIGINAL_TITLE
from zjolcrawl.parsing.text_lines import Line
from zjolcrawl.site.current import for_site

_INFO = re.compile(
    r"(?:(?<!图片)(?<!视频)(?<!数据)(?<!资料)来\s*源于?|稿源|发布时间|发布日期|发稿时间)\s*[:：]|(?:^|\s)(?:作者|编辑|责任编辑|责编|记者)\s*[:：]"
    r"|^(?:来源|稿源)\s+\S{2,16}$"
)
# （2007年6月29日全国人大常委会第二十八次会议通过）: the date of a law, not of its publication.
_ENACTED = re.compile(r"^[（(].*(?:通过|公布|施行|修订|修正|批准)[)）]$")
# 今天是2026年11月21日 星期六 杭州 21℃: the date of the visit.
_TODAY = re.compile(
    r"^(?:今天是?|今日是?|现在是?|当前|此刻)\s?(?:时间|日期)?\s?[:：]?\s?\d|\d\s?[℃°]|农历|您好"
)
_WORDS_AFTER_DAY = re.compile(r"[起前后至将的在与和是为，、]|[\u4e00-\u9fff]{4}")
# Text after the date in an info line: 2012年3月12日星期一, 2012年3月12日浙江在线新闻网站.
_outlet_row = for_site(
    lambda site: re.compile(
        rf"^[（(]?(?:星期|周)[一二三四五六日天]|[:：\d]|来源|编辑|作者|记者|字体|打印|{re.escape(site.name)}|农历|(?:报|网|网站|在线|社|客户端|台|频道|发布|杂志|周刊|版)$"
    )
)
_BOOK = re.compile("《[^《》]*+》")  # the title of a book or a law; its 》 is not a divider


def is_info(text: str) -> bool:
    return len(text) <= 160 and _says_info(text)


@lru_cache(maxsize=64)  # called up to four times for each line of a head
def _says_info(text: str) -> bool:
    span = time_span(text) or (yearless_span(text) if ":" in text else None)
    is_dated = span and span[1] - span[0] >= 0.2 * len(text) and not re.search("[。！？]", text)
    if is_dated and span and _is_dated_headline(text[slice(*span)], text[span[1] :]):
        return False
    is_said = is_dated or (_INFO.search(text) and "。" not in text) or RELATIVE.fullmatch(text)
    is_today = _TODAY.search(text) and not _INFO.search(text)
    return bool(is_said) and not _ENACTED.search(text) and not is_today


def _is_dated_headline(day: str, rest: str) -> bool:
    """Whether a line with a date, followed by `rest`, is a headline: 2015年8月1日起公交调价."""
    is_words = ":" not in day and len(rest) >= 4 and _WORDS_AFTER_DAY.match(rest)
    return bool(is_words) and not _outlet_row().search(rest)


def may_be_heading(line: Line) -> bool:
    text = line.text
    return (
        4 <= len(text) <= 90
        and line.links < 0.5
        and not is_info(text)
        and not is_head_furniture(text)
        and not NOTE.match(text)
        and not ABSTRACT.match(text)
        and not ORIGINAL_TITLE.match(text)
        and not find_position(text)
        and not SIGNS.search(_BOOK.sub("", text))
    )


def is_byline_line(text: str) -> bool:
    return len(text) < 60 and (is_byline(text) or is_credit(text))


def is_only_names(text: str) -> bool:
    return len(text) <= 20 and not re.search(r"[。！？，；]", text) and not menu_line().search(text)


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


def is_head_furniture(text: str) -> bool:
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
