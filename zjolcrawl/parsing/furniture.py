"""What of a container is page furniture: share bars, related links, notices, requests to scan a code."""

from __future__ import annotations

import re

from zjolcrawl.parsing.blocks import PAGE_FOOT, Block
from zjolcrawl.parsing.passages import TAG_LINE

# From here on a container holds no more of the article.
_END = re.compile(
    r"^(?:[【\[]?\s*(?:版权和免责|版权声明|版权及免责|版权与免责|版权说明|免责声明|免责申明|特别声明)|凡注有|凡本网注明|"
    r"(?:Copyright|COPYRIGHT|©)|浙江在线版权所有|版权所有)"
)
_RELATED = re.compile(
    r"^[【\[\s]*(?:相关(?:新闻|阅读|链接|报道|文章|稿件|专题|推荐)|延伸阅读|推荐阅读|阅读推荐|热点推荐|热门推荐|精彩推荐|为您推荐|"
    r"更多新闻|猜你喜欢|猜您喜欢|往期(?:回顾|推荐|精彩|文章|阅读)|推荐新闻|新闻推荐|大家都在看|今日热点|热门新闻|热点新闻|新闻排行|点击排行|图片推荐|网友还关注)[】\]]?\s*+[:：>]*+\s*+(?:更多)?>*+$"
)
# What the bar above and below a text offers.
_BAR = (
    r"打印|关闭|收藏|返回顶部|返回首页|我要纠错|纠错|举报|字体|字号|评论|点赞|转发|"
    r"大\s*中\s*小|QQ空间|新浪微博|微信|微博|朋友圈|腾讯微博|人人网|更多"
)
_FURNITURE = re.compile(
    rf"^(?:分享(?:到|至|给)?(?:\s*[:：][^。！？]{{0,30}}|\s*(?:微信|微博|朋友圈|QQ|新浪|腾讯|人人|好友)[^。！？]{{0,30}})?|(?:{_BAR})(?:{_BAR}|[|｜\s\[\]【】()（）:：\d])*|"
    r"(?=.*页)(?:首页|上一页|下一页|尾页|末页|上页|下页|\d|\.{2,}+|…|[|｜\[\]\s<>«»])+|(?:上一篇|下一篇)\s*[:：].{0,80}|"
    r"[\W_]{1,4}|\d+\s*人(?:参与|评论)|(?:阅读|浏览|点击)(?:量|数|次数)?\s*+(?:[:：]\s*+)?\d++.{0,10}|网友评论[^。！？，…]{0,20}|广告|\(?完\)?|展开全文|"
    r"责任编辑\s*[:：]?|查看评论[^。！？，]{0,30}|我要评论[^。！？，]{0,30}|手机看新闻[^。！？，]{0,30}|欢迎(?:关注|下载|扫码).{0,50})$"
)
# Lines that lead away or say who owns the text. Each is short and has no sentence beside it.
_AWAY = re.compile(
    r"^\W*+(?:(?:点击|点此|戳(?:此|这里)?)(?:此处|这里)?(?:查看|阅读|进入|下载|观看|了解)?(?:更多|原文|全文|详情|专题)?.{0,24}(?:>|＞|»|链接|专题|新闻|报道|路况|详情|原文|更多|[→↓])\W*|"
    r"(?:点击|点击查看|查看)(?:更多|原文|全文|详情).{0,20}|"
    r"更多(?:精彩|新闻|内容|资讯|\S{0,6}新闻)\S{0,6}\s*+(?:[,，:：]\s*+)?(?:请|尽在|点击|点此|敬请|下载|关注|扫码).{0,40}|阅读原文|"
    r"(?<![“\"])点(?:个|击)?[“\"]?(?:在看|赞)[”\"]?(?:$|[\W分转收在和并支吧一哦啊]).{0,30}|"
    r"(?<=[-\s])(?:END|The End|完)\s*+-++|END|(?:分享|转发)给更多人.{0,6}|点击下载.{2,20}客户端.{0,24}|(?:往期|精彩|更多)(?:推荐|回顾|精彩|阅读)\W*|"
    r"关注[“\"].{2,20}[”\"](?:微信)?(?:公众号|视频号|客户端).{0,30})$",
    re.IGNORECASE,
)
_RIGHTS = re.compile(
    r"^[（(【]?\s*(?:声明[:：]\s*)?(?:本文|本稿|本作品|此文|以上内容|文章|图文|本网)[^。！？]{0,12}?(?:原创|独家|版权|登载|转载|刊载|文章及图片)"
    r"[^！？]{0,60}(?:转载|授权|版权|侵权|注明出处|原作者|联系)[^！？]{0,40}$|^(?:未经(?:授权|许可)|转载请注明|如需转载|投稿邮箱)[^！？]{0,60}$"
)
_SOURCE_LINE = re.compile(r"^[（(【]\s*(?:来源|稿源|信息来源)\s*[:：][^。）)】]{2,40}[)）】]$")
# A sentence of the article may name a QR code; the furniture asks to scan one.
_QR = re.compile(
    r"^\W*(?:微信|手机|请)?(?:扫一扫|扫描|扫码|长按|识别|扫下方|扫上方).{0,20}(?:二维码|关注|下载|客户端|手机|阅读|分享)[^，。]{0,20}[。！~～]?$|"
    r"(?:扫一扫|扫描|扫码|长按|识别|二维码)[^。！？；…]{0,20}(?:关注|下载|公众号|客户端)"
)
# One of these is in all that PAGE_FOOT finds, and it is looked for in every short line.
FOOT_SIGN = re.compile("[备证报Rr|｜丨]")
# Characters of a line of furniture; what is longer and has a full stop is asked for two beginnings only.
_LONGEST = 100


def trim(blocks: list[Block]) -> list[Block]:
    """The blocks without furniture, and without all that follows the article's end."""
    kept: list[Block] = []
    related = False
    for index, block in enumerate(blocks):
        text = block.text
        if block.kind in {"p", "h2", "list", "quote"}:
            if _END.match(text):
                break
            is_prose = len(text) > _LONGEST and "。" in text
            if not is_prose and _RELATED.match(text):
                if _is_text(blocks[index + 1 : index + 2]):
                    kept.append(block)  # 延伸阅读 over a paragraph: the article's own words
                    continue
                related = True
                continue
            if related and block.links > 0.6:
                continue
            related = False
            if TAG_LINE.match(text) if is_prose else _is_furniture(block):
                if kept and kept[-1].kind == "figure" and _asks_to_scan(text):
                    kept.pop()  # the code itself
                continue
            if block.kind == "list" and block.links > 0.9 and len(block.lines) > 2:
                continue
        elif related and block.kind == "figure":
            continue
        kept.append(block)
    return kept


def _is_text(following: list[Block]) -> bool:
    return any(
        block.kind in {"p", "quote"} and block.links < 0.3 and "。" in block.text
        for block in following
    )


def _asks_to_scan(text: str) -> bool:
    """Whether a short line asks the reader to scan, follow or like: no line of the article."""
    return len(text) <= 60 and bool(_QR.search(text))


def _is_furniture(block: Block) -> bool:
    text = block.text
    if _FURNITURE.match(text) or TAG_LINE.match(text) or _asks_to_scan(text):
        return True
    if text.isdigit() and block.links > 0.5:
        return True  # a pager; 01 alone heads a section
    return len(text) <= _LONGEST and bool(
        (FOOT_SIGN.search(text) and PAGE_FOOT.search(text))
        or _AWAY.match(text)
        or _RIGHTS.match(text)
        or _SOURCE_LINE.match(text)
    )
