"""Finds page furniture (boilerplate): share bars, related links, notices, QR prompts.

An element is recognised by its class or id, a line by its words.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lxml.html import HtmlElement

from zjolcrawl.parsing.blocks import Block
from zjolcrawl.parsing.elements import names_of
from zjolcrawl.parsing.hidden import is_hidden
from zjolcrawl.parsing.labelled_lines import TAG_LINE
from zjolcrawl.site.current import for_site

_NEVER_FURNITURE = {"p", "span", "strong", "font", "a", "img", "br", "em", "b"}
# Classes and ids of page furniture (boilerplate). The first group also matches part of a name
# (share-bar), the second only a whole name: its words occur in wrappers' names (detail-page-print).
_FURNITURE_NAME = re.compile(
    r"(?:^|[\s_-])(?:(?:bd|js|jia)?share\w*|fenxiang|copyright|cprtip|banquan|related?|relat(?:ed|ion)\w*|xgxw|xgyd|"
    r"xiangguan|recommend\w*|tuijian|hotnews|hot-?list|sidebar|advert\w*|guanggao|qrcode|ewm|erweima|pinglun|"
    r"ads?|toolbar|news_more_page|fenye|pagination|pager|breadcrumbs?|font-?size|jiucuo|disclaimer|mianze|"
    r"editor_baidu)(?:$|[\s_-]|(?=[A-Z\d]))"
    r"|(?:^|\s)(?:pages?|print|tools|gg|qr|comments?|prevnext|pre-?next|weixin-?code|footer|"
    r"(?:dian)?zan|praise|digg|likes?|(?:read|view|hit|click|comment|like|zan|share)s?[-_]?(?:num(?:ber)?s?|counts?|times))(?:$|\s|\d)",
    re.IGNORECASE,
)
# The page footer: the site's operator and licences. No article has such a line.
page_footer = for_site(
    lambda site: re.compile(
        r"ICP[备证]|网安备|(?:互联网新闻信息服务|网络传播视听节目|增值电信业务|经营)许可证|(?:不良信息|纠错|违法)举报|All Rights? Reserved|"
        rf"^(?:关于(?:我们|{re.escape(site.name)})|网站简介)\s*[|｜丨]|(?:广告服务|联系我们|联系方式|网站地图)\s*[|｜丨]",
        re.IGNORECASE,
    )
)
_LONGEST_KNOWN = 80  # characters of a name; results for longer names are not cached
# Nothing from this line on belongs to the article.
_article_end = for_site(
    lambda site: re.compile(
        # … but 版权所有者是谁？ and 免责声明不能免责 belong to a text.
        r"^(?![^。]{0,60}[？?]$)(?:[【\[]?\s*(?:版权[和及与]免责(?:[声申]明|条款)?|版权声明|版权说明|免责声明|免责申明|特别声明)(?![^\s:：】\]。，,；;本及与和]{2,24}$)|凡注有|凡本网注明|"
        rf"(?:Copyright|COPYRIGHT|©)|{re.escape(site.name)}版权所有|版权所有(?![者人])|"
        # ① 本网（桐乡新闻网）稿件下“稿件来源”项标注为…: county hosts
        r"[①②③1-3][、.．\s]{0,3}本[网站](?=.{0,40}(?:稿件|注明|转载|版权)))"
    )
)
RELATED = re.compile(
    r"^[【\[\s]*(?:相\s*关\s*稿\s*件|相关(?:新闻|阅读|链接|报道|文章|稿件|专题|推荐)|延伸阅读|推荐阅读|阅读推荐|热点推荐|热门推荐|精彩推荐|为您推荐|"
    r"更多新闻|猜你喜欢|猜您喜欢|往期(?:回顾|推荐|精彩|文章|阅读)|推荐新闻|新闻推荐|大家都在看|今日热点|热门新闻|热点新闻|新闻排行|点击排行|图片推荐|网友还关注)[】\]]?\s*+[:：>]*+\s*+(?:更多)?>*+$"
)
# Headings of the lists and boxes below a text, on pages of 2003-2026.
_BOX = re.compile(
    r"[【\[\s·•]{0,3}(?:返回[^。，]{2,8}|即时报|(?:\d{1,2}|二十四)小时\S{0,8}|图片新闻|(?:我来|我要)(?:说两句|评论)|发表评论|网友评论|高层动态|政策动向|"
    r"每日关注|今日关注|生活资讯|精品专题|所属专题|精彩(?:图片|图集|视频|专题)|真诚与社会各界合作|欢迎您提供新闻线索|(?:今日|频道|焦点)(?:要闻|推荐|头条|图片)|"
    r"(?:滚动|最新|热点|本网|热门)(?:新闻|播报|资讯|报道|专题)|视频新闻|新闻(?:排行榜?|专题|推荐|图片)|(?:点击|阅读|热点)排行榜?)"
    r"[】\]\s]{0,3}(?:[:：>＞»]{0,3}\s{0,3}(?:更多[^。]{0,4})?)[>＞»]{0,3}"
)
# The site's contact box (2003-2007). Its heading 联系方式 can also be a line of an article.
_CONTACT = re.compile(r"(?:联系方式|更多|相关稿件[:：]?|\S{2,4}资讯)(?:\s{0,3}更多)?")
# Buttons in the bars above and below a text.
_BAR = (
    r"打印本[页文]|关闭窗口|收藏本文|(?:请?先?登录后?)?(?:发表|写|热门|最新|全部|查看全部)?评论|(?:暂|还没)[无有]评论|举报[/／]反馈|意见反馈|投诉建议|"
    r"打赏(?:作者|支持)?|赞赏(?:作者|支持)?|加载更多|收起全文|"
    r"打印|关闭本页|关闭|收藏本页|收藏|返回(?:顶部|首页|列表|目录)?|回到顶部|我要纠错|纠错|举报|投诉|字体(?:大小)?|字号|评论|点赞|转发|放大|缩小|默认|"
    r"大\s{0,9}中\s{0,9}小|A\s?[+-]|QQ空间|QQ好友|新浪微博|微信好友|微信|微博|朋友圈|腾讯微博|人人网|豆瓣|复制链接|生成海报|海报|"
    r"【推荐】|\[推荐\]|打印本页|打印本稿|发表评论|我来说两句|我要评论|推荐给朋友|语音播报|朗读|听新闻|手机阅读|加入收藏|我有话说|在看|赞|更多"
)
# 阅读 1234, 12人已阅读, 已有3人参与, 赞(5), 1.2万次浏览, +1, 评论 3条: counters of what readers did.
_NUMBER = r"\+?\d[\d,.]{0,9}\s?[万亿千kKwW]?\+?"
_DEED = (
    r"(?:阅读|浏览|点击|访问|查看|评论|跟贴|跟帖|回复|点赞|赞|顶|踩|喜欢|转发|分享|收藏|推荐|围观|参与|关注|观看|播放|"
    r"人气|热度|在看|不喜欢|打赏|点评|支持|反对)"
)
_WHO = r"(?:次|人次|人|条|个|位|名|篇)?\s?(?:网友|读者|用户|朋友)?"
_COUNTER = (
    rf"(?:(?:本文|文章|此文)?(?:已被|已经|已|共|总|累计)?{_DEED}(?:量|数|次数|人数|过|率)?\s?[:：]?\s?[(（\[【]?\s?{_NUMBER}\s?{_WHO}[)）\]】]?"
    rf"|(?:本文|文章)?(?:已经|已有|已被|已|共有|共|总共|累计|目前)?\s?{_NUMBER}\s?{_WHO}\s?(?:已经|已|觉得很|觉得|表示)?\s?(?:{_DEED}|留言|说)(?:过|了|量|数)?(?:本文|此文|该文)?"
    rf"|[👍❤♥☆★♡]\s?{_NUMBER}|(?:已有|共有)\s?{_NUMBER}\s?人)"
)
# The first characters of all of these. Most lines of a text begin otherwise.
_FIRST = "写发暂还请登意【所新热投网分打关收返回举投字评点赞转放缩默大QA新微朋腾人豆复生海语朗听手加我在更阅浏访查跟顶踩喜推围参观播热不支反本文此已共总累目首上下尾末前后余第广完展责欢网"
_FURNITURE = re.compile(
    rf"^(?=[{_FIRST}\d\W_])(?:分享(?:到|至|给)?(?:\s*+[:：][^。！？]{{0,30}}|\s*+(?:微信|微博|朋友圈|QQ|新浪|腾讯|人人|好友)[^。！？]{{0,30}})?|"
    rf"(?:{_BAR}|分享)(?:{_BAR}|分享|[|｜\s\[\]【】()（）:：\d])*+|"
    rf"(?:(?:{_COUNTER}|{_BAR}|分享|[\s|｜·•/,，;；\-\[\]【】()（）])++)|\+\s?1|"
    r"(?=.*页)(?:首页|上一页|下一页|尾页|末页|上页|下页|前一页|后一页|余下全文|\d{1,4}|\.{2,}|…|[|｜\[\]【】()（）第共页/\s<>«»‹›:：])++|"
    r"(?:[【\[(（]\s?\d{1,3}\s?[】\])）]\s?){2,}+|(?:上一篇|下一篇)\s?[:：].{0,80}|"
    r"[\W_]{1,4}|网友评论[^。！？，…]{0,20}|广告|[(（]?完[)）]?|展开全文|"
    r"(?:还没有|暂无|目前没有)(?:人|任何)?评论(?:[，,！!][^。]{0,20})?|责任编辑\s?[:：]?|查看评论[^。！？，]{0,30}|我要评论[^。！？，]{0,30}|手机看新闻[^。！？，]{0,30}|欢迎(?:关注|下载|扫码).{0,50}|"
    r"所属专题\s?[:：].{0,30}|(?:新闻热线|热线传真|投稿邮箱|网站电话)\s?[:：]?\s?[\w@.+-]{6,40}+(?:\s.{0,60})?|"
    r"【(?:详细|详情|更多|专题|全文|链接|图集|视频)】[\W_]*+)$"
)
# 2014年浙江省两会全媒体报道>>, 桐乡新闻网官方微信: recognised by their end.
_TOPIC = re.compile(r"[^。！？]{2,40}(?:>>|＞＞|»)|\S{2,10}官方微[信博]")
_BARE_NUMBER = re.compile(rf"(?:{_NUMBER}\s?){{1,4}}")
# A pager's links, including the current page: 1 2 3, [1][2], « 1 2 ».
_PAGER = re.compile(r"[\d\s【】\[\]()（）|｜<>«»‹›…·.]+")
# Lines that link elsewhere or state who owns the text. Each is short and without another sentence.
_AWAY = re.compile(
    r"^\W*+(?:(?:点击|点此|戳(?:此|这里)?)(?:此处|这里)?(?:查看|阅读|进入|下载|观看|了解)?(?:更多|原文|全文|详情|专题)?.{0,24}(?:>++|＞++|»|链接|专题|新闻|报道|路况|详情|原文|更多|[→↓])\W*+|"
    r"(?:点击|点击查看|查看)(?:更多|原文|全文|详情).{0,20}|"
    r"更多(?:精彩|新闻|内容|资讯|\S{0,6}新闻)\S{0,6}\s*+(?:[,，:：]\s*+)?(?:请|尽在|点击|点此|敬请|下载|关注|扫码).{0,40}|阅读原文|"
    r"(?<![“\"])点(?:个|击)?[“\"]?(?:在看|赞)[”\"]?(?:$|[\W分转收在和并支吧一哦啊]).{0,30}|"
    r"(?<=[-\s])(?:END|The End|完)\s?-++|END|(?:分享|转发)给更多人.{0,6}|点击下载.{2,20}客户端.{0,24}|(?:往期|精彩|更多)(?:推荐|回顾|精彩|阅读)\W*|"
    r"关注[“\"].{2,20}[”\"](?:微信)?(?:公众号|视频号|客户端).{0,30})$",
    re.IGNORECASE,
)
_KEPT_LINK = re.compile(
    r"^附|附件|原文|全文|\.(?:pdf|docx?|xlsx?|pptx?|zip|rar|txt)\b|https?://|www\.", re.IGNORECASE
)
_RIGHTS = re.compile(
    r"^[（(【]?\s*(?:声明[:：]\s*)?(?:本文|本稿|本作品|此文|以上内容|文章|图文|本网)[^。！？]{0,12}?(?:原创|独家|版权|登载|转载|刊载|文章及图片)"
    r"[^！？]{0,60}(?:转载|授权|版权|侵权|注明出处|原作者|联系)[^！？]{0,40}$|^(?:未经(?:授权|许可)|转载请注明|如需转载|投稿邮箱)[^！？]{0,60}$"
)
_SOURCE_LINE = re.compile(r"^[（(【]\s*(?:来源|稿源|信息来源)\s*[:：][^。）)】]{2,40}[)）】]$")
# A sentence of the article may mention a QR code; page furniture asks the reader to scan one.
_QR = re.compile(
    r"^\W*(?:微信|手机|请)?(?:扫一扫|扫描|扫码|长按|识别|扫下方|扫上方).{0,20}(?:二维码|关注|下载|客户端|手机|阅读|分享)[^，。]{0,20}[。！~～]?$|"
    r"(?:扫一扫|扫描|扫码|长按|识别|二维码)[^。！？；…]{0,20}(?:关注|下载|公众号|客户端)"
)
# Every page_footer match contains one of these: a cheap test, as every short line is searched.
FOOTER_SIGN = re.compile("[备证报Rr|｜丨]")
# Maximum characters of a furniture line. A longer text with a full stop is tested only as a tag line or
# as the line that ends the article.
_LONGEST = 100


def is_skipped(element: HtmlElement) -> bool:
    """Whether the element is page furniture (share bar, ads, QR code) by class or id, or is hidden."""
    return is_named_furniture(element) or is_hidden(element)


def is_named_furniture(element: HtmlElement) -> bool:
    """Whether the element is page furniture by class or id."""
    if element.tag in _NEVER_FURNITURE:
        return False
    name = names_of(element)
    if len(name) > _LONGEST_KNOWN:
        return bool(_FURNITURE_NAME.search(name))
    return len(name) > 1 and _names_furniture(name)


@lru_cache(maxsize=1024)  # pages of one site share their names
def _names_furniture(name: str) -> bool:
    return bool(_FURNITURE_NAME.search(name))


def begins_box(text: str) -> bool:
    """Whether a line is the heading of a list or box below the text of an article."""
    return len(text) <= 24 and bool(_BOX.fullmatch(text) or RELATED.match(text))


def is_no_tag(text: str) -> bool:
    """Whether a line below the label 标签 (tags) is page furniture, so that the label has no value."""
    return bool(
        begins_box(text)
        or _CONTACT.fullmatch(text)
        or _article_end().match(text)
        or _FURNITURE.match(text)
        or (FOOTER_SIGN.search(text) and page_footer().search(text))
        or re.search("[:：。！？©]|^[·•①-⑳]", text)
    )


def is_contact(text: str) -> bool:
    """Whether a line may be the heading of the contact box; the line below it decides."""
    return bool(_CONTACT.fullmatch(text))


def until_end(blocks: list[Block]) -> list[Block]:
    """The blocks before the line that ends the article, such as a disclaimer (版权和免责申明).

    Links to topics and other stories after the last paragraph are dropped too.
    """
    for index, block in enumerate(blocks):
        if block.kind in {"p", "h2", "list", "quote"} and _article_end().match(block.text):
            blocks = blocks[:index]
            break
    end = len(blocks)
    while end > 1 and _leads_away(blocks[end - 1]):
        end -= 1
    return blocks[:end]


def _leads_away(block: Block) -> bool:
    """Whether a block is only a link, and neither a sentence nor an attachment."""
    text = block.text
    is_link = block.kind in {"p", "h2", "list"} and block.links > 0.9 and len(text) <= _LONGEST
    return is_link and not text.endswith(("。", "！", "？")) and not _KEPT_LINK.search(text)


def trim(blocks: list[Block]) -> list[Block]:
    """The blocks without page furniture."""
    kept: list[Block] = []
    related = False
    for index, block in enumerate(blocks):
        text = block.text
        if block.kind in {"p", "h2", "list", "quote"}:
            is_prose = len(text) > _LONGEST and "。" in text
            if not is_prose and RELATED.match(text):
                if _is_text(blocks[index + 1 : index + 2]):
                    kept.append(block)  # 延伸阅读 above a paragraph: part of the article
                    continue
                related = True
                continue
            if related and block.links > 0.6:
                continue
            related = False
            if TAG_LINE.match(text) if is_prose else _is_furniture(block):
                if kept and kept[-1].kind == "figure" and _asks_to_scan(text):
                    kept.pop()  # the QR code itself
                continue
            if block.kind == "list" and block.links > 0.9 and len(block.lines) > 2:
                continue
        elif related and block.kind == "figure":
            continue
        kept.append(block)
    while kept and kept[-1].kind in {"p", "h2", "list"} and _BARE_NUMBER.fullmatch(kept[-1].text):
        kept.pop()  # a bare counter; an article does not end with a number alone
    return kept


def _is_text(following: list[Block]) -> bool:
    return any(
        block.kind in {"p", "quote"} and block.links < 0.3 and "。" in block.text
        for block in following
    )


def _asks_to_scan(text: str) -> bool:
    """Whether a short line asks the reader to scan a QR code or follow an account."""
    return len(text) <= 60 and bool(_QR.search(text))


def _is_furniture(block: Block) -> bool:
    text = block.text
    if (
        _FURNITURE.match(text)
        or _TOPIC.fullmatch(text)
        or TAG_LINE.match(text)
        or _asks_to_scan(text)
    ):
        return True
    if block.links > 0.4 and _PAGER.fullmatch(text):
        return True  # links only: an unlinked 01 is the heading of a section
    return len(text) <= _LONGEST and bool(
        (FOOTER_SIGN.search(text) and page_footer().search(text))
        or _AWAY.match(text)
        or _RIGHTS.match(text)
        or _SOURCE_LINE.match(text)
    )
