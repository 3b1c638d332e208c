"""Which blocks of a body container are the article: captions bound, notes and credits taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from itertools import dropwhile

from zjolcrawl.items import Image, Media
from zjolcrawl.parsing.blocks import PAGE_FOOT, Block
from zjolcrawl.parsing.fields.bylines import AUTHOR_ROLES, EDITOR_ROLES, is_name
from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.info_line import read_info

NOTE = re.compile(
    r"^[【\[（(〔]?\s*(?:本报|本网)?(?:编者按语|编者按|编者的话|编前语|编前话|编前|编者注|编后语|编后|编辑按|按语)\s*"
    r"(?:[】\]）)〕]\s*[:：]?|[:：]|(?=[\s\u3000])|$)[\s\u3000]*"
)
EDITOR_LINE = re.compile(
    rf"^[【\[（(〔]?\s*(?:[\u4e00-\u9fff]{{0,6}}?)?(?:{EDITOR_ROLES})\s*[:：/／丨|·]\s*\S.{{0,60}}$"
)
# 本文来源：新京报 责任编辑：王小明, as a last line
_FROM_LINE = re.compile(r"^[（(【]?(?:本文|文章|稿件|新闻)?来源\s*[:：]\s*[^。！？；]{2,50}$")
_EDITOR_TAIL = re.compile(
    rf"\s*[【\[（(〔]\s*((?:{EDITOR_ROLES})\s*[:：/／]?\s*[^】\]）)〕。]{{2,30}})[】\]）)〕]\s*$"
)
ORIGINAL_TITLE = re.compile(
    r"^[（(【\[]?\s*原(?:文)?标?题(?:为\s*[:：]?(?=\s*[《“\"])|为?\s*[:：])\s*(?P<title>\S.{1,80}?)\s*[)）】\]]?$"
)
TAG_LINE = re.compile(
    r"^[【\[]?(?:本文|文章|新闻)?(?:标\s*签|关键[词字]|[Tt][Aa][Gg][Ss]?)[】\]]?\s*[:：]"
)
# From here on a container holds no more of the article.
_END = re.compile(
    r"^(?:[【\[]?\s*(?:版权和免责|版权声明|版权及免责|版权与免责|版权说明|免责声明|免责申明|特别声明)|凡注有|凡本网注明|"
    r"(?:Copyright|COPYRIGHT|©)|浙江在线版权所有|版权所有)"
)
_RELATED = re.compile(
    r"^[【\[\s]*(?:相关(?:新闻|阅读|链接|报道|文章|稿件|专题|推荐)|延伸阅读|推荐阅读|阅读推荐|热点推荐|热门推荐|精彩推荐|为您推荐|"
    r"更多新闻|猜你喜欢|猜您喜欢|往期(?:回顾|推荐|精彩|文章|阅读)|推荐新闻|新闻推荐|大家都在看|今日热点|热门新闻|热点新闻|新闻排行|点击排行|图片推荐|网友还关注)[】\]]?\s*[:：>]*\s*(?:更多)?[>]*$"
)
_FURNITURE = re.compile(
    r"^(?:分享(?:到|至|给)?\s*[:：]?.{0,30}|(?:打印|关闭|收藏|返回顶部|返回首页|我要纠错|纠错|举报|字体|字号|评论|点赞|转发|"
    r"大\s*中\s*小|QQ空间|新浪微博|微信|微博|朋友圈|腾讯微博|人人网|更多)"
    r"(?:打印|关闭|收藏|返回顶部|返回首页|我要纠错|纠错|举报|字体|字号|评论|点赞|转发|"
    r"大\s*中\s*小|QQ空间|新浪微博|微信|微博|朋友圈|腾讯微博|人人网|更多|[|｜\s\[\]【】()（）:：\d])*|"
    r"(?=.*页)(?:首页|上一页|下一页|尾页|末页|上页|下页|\d+|\.{2,}|…|[|｜\[\]\s<>«»])+|(?:上一篇|下一篇)\s*[:：].{0,80}|"
    r"[\W_]{1,4}|\d+\s*人(?:参与|评论)|(?:阅读|浏览|点击)(?:量|数|次数)?\s*[:：]?\s*\d+.{0,10}|网友评论.{0,20}|广告|\(?完\)?|展开全文|"
    r"责任编辑\s*[:：]?|查看评论.*|我要评论.*|手机看新闻.*|欢迎(?:关注|下载|扫码).{0,50})$"
)
# Lines that lead away or say who owns the text. Each is short and has no sentence beside it.
_AWAY = re.compile(
    r"^\W*(?:(?:点击|点此|戳(?:此|这里)?)(?:此处|这里)?(?:查看|阅读|进入|下载|观看|了解)?(?:更多|原文|全文|详情|专题)?.{0,24}(?:>+|＞+|»|链接|专题|新闻|报道|路况|详情|原文|更多|[→↓])\W*|"
    r"(?:点击|查看)(?:更多|原文|全文|详情).{0,20}|"
    r"更多(?:精彩|新闻|内容|资讯|\S{0,6}新闻)\S{0,6}\s*[,，:：]?\s*(?:请|尽在|点击|点此|敬请|下载|关注|扫码).{0,40}|阅读原文|点(?:个|击)?[“\"]?(?:在看|赞).{0,30}|"
    r"-+\s*(?:END|The End|完)\s*-+|END|(?:分享|转发)给更多人.{0,6}|点击下载.{2,20}客户端.{0,24}|(?:往期|精彩|更多)(?:推荐|回顾|精彩|阅读)\W*|"
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
    r"(?:扫一扫|扫描|扫码|长按|识别|二维码).{0,20}(?:关注|下载|公众号|客户端)"
)
_CAPTION = re.compile(
    r"^(?:[▲△↑↓▼◆]|图\s*[为:：/]|[上下左右]图|图片说明|图注|图源|图片来源|摄影\s*[:：/]|供图\s*[:：/])|"
    r"(?:图源|图片来源|资料图片?|供图|摄影)\s*[:：/]\s*\S+$|(?:\s|[　/]|[\u4e00-\u9fff]{2,4})\s*摄[)）]?$|(?:资料图|供图)[)）]?$|"
    r"图片?(?:均)?(?:由|来自|源自).{2,20}[)）]$"
)
DATELINE = re.compile(
    r"^(?:据|(?=[\u4e00-\u9fff]))(?P<line>(?:[\u4e00-\u9fffA-Za-z·\-—]{0,18}?[ \u3000]?\d{1,2}月\d{1,2}日|[\u4e00-\u9fff]{2,12}?\d{1,2}日|"
    r"本报|本网|浙江在线|浙江日报|新华社|中新网|中新社|人民网|钱江晚报|[\u4e00-\u9fff]{1,6}(?:报|网|在线|客户端))"
    r"(?:专?电|综合消息|消息|快讯|专讯|讯|电)|本报[\u4e00-\u9fff]{2,6}?[讯电](?=[\s\u3000（(]))(?=$|[\s\u3000（(，,：:“《—]|[\u4e00-\u9fff\d])"
)
_BRACKET = re.compile(r"^[\s\u3000]*[（(〔\[]([^）)〕\]]{2,120})[）)〕\]]")
_NAME = r"(?:[\u3400-\u9fff·]{2,12}|[\u3400-\u9fff][ \u3000][\u3400-\u9fff])"
# …举行。（张巨峰）: who wrote it, after the last sentence.
_SIGNED = re.compile(rf"[。！？”][（(]({_NAME}(?:[、\s]+{_NAME}){{0,3}})[）)]$")
_OPEN_BYLINE = re.compile(
    rf"^(?:[\s\u3000]*【[^】]{{2,6}}】)?[\s\u3000]*((?:[\u4e00-\u9fff]{{0,8}}?(?:{AUTHOR_ROLES})[\s\u3000:：]+{_NAME}(?:[\s\u3000、]+{_NAME})*[\s\u3000]*)+)(?=$|[\s\u3000])"
)
# （郑 黎 综合）: the role after the name
_NAMED_LAST = re.compile(
    rf"^[（(]{_NAME}(?:[、 \u3000]+{_NAME})*[\s\u3000/／]+(?:综合|整理|编译)[)）]$"
)
_CREDIT = re.compile(
    rf"^[（(\[【□■●◎〔]?[\s\u3000]*(?:[\u4e00-\u9fffA-Za-z·]{{0,14}}[\s\u3000]?)?(?:{AUTHOR_ROLES})(?:[\s\u3000:：/／|｜丨]+|(?=[\u4e00-\u9fff]{{2,4}}(?:$|[\s）)、])))[^。！？；]{{2,70}}[）)\]】〕]?$"
)


@dataclass(slots=True)
class Body:
    """The article's own blocks and what was taken out of them."""

    lines: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    videos: list[Media] = field(default_factory=list)
    bylines: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    source: str | None = None
    editor_note: str | None = None
    dateline: str | None = None
    original_title: str | None = None
    links: float = 0.0


def read_body(blocks: list[Block], head_lines: list[str]) -> Body:
    """Sort a container's blocks into the article's parts; `head_lines` are kept out."""
    blocks = _trim(_without_head(blocks, head_lines))
    body = Body()
    blocks = _take_source(_take_original_title(blocks, body), body)
    blocks = _take_note(_take_editors(blocks, body), body)
    parts = _with_captions(blocks)
    # Who took a picture is its caption's to say, wherever in the text it stands.
    _take_bylines([block for block, _ in parts], body)
    _render(parts, body)
    text = sum(len(block.text) for block in blocks)
    linked = sum(block.links * len(block.text) for block in blocks)
    body.links = linked / text if text else 0.0
    return body


def _without_head(blocks: list[Block], head_lines: list[str]) -> list[Block]:
    """Drop the headline and what stands above it, where a container holds the head too."""
    known = {squeeze(line) for line in head_lines}
    if not known:
        return blocks
    last = -1
    for index, block in enumerate(blocks[:14]):
        text = squeeze(block.text)
        if text and (text in known or all(squeeze(line) in known for line in block.lines)):
            last = index
    kept = [
        block for i, block in enumerate(blocks) if i > last or block.kind in {"figure", "video"}
    ]
    for block in kept[:1]:  # headline and text in one paragraph
        rest = list(dropwhile(lambda line: squeeze(line) in known, block.lines))
        if block.kind == "p" and len(rest) < len(block.lines):
            _keep_lines(block, rest)
    return kept


def _trim(blocks: list[Block]) -> list[Block]:
    kept: list[Block] = []
    related = False
    for index, block in enumerate(blocks):
        text = block.text
        if block.kind in {"p", "h2", "list", "quote"}:
            if _END.match(text):
                break
            if _RELATED.match(text):
                if _is_text(blocks[index + 1 : index + 2]):
                    kept.append(block)  # 延伸阅读 over a paragraph: the article's own words
                    continue
                related = True
                continue
            if related and block.links > 0.6:
                continue
            related = False
            if _is_furniture(block):
                if kept and kept[-1].kind == "figure" and asks_to_scan(text):
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


def unquoted(title: str) -> str:
    """A title without the marks that enclose the whole of it."""
    whole = re.fullmatch(r"《([^《》]+)》|“([^“”]+)”|\"([^\"]+)\"", title)
    return next(filter(None, whole.groups())) if whole else title


def asks_to_scan(text: str) -> bool:
    """Whether a short line asks the reader to scan, follow or like: no line of the article."""
    return len(text) <= 60 and bool(_QR.search(text))


def _is_furniture(block: Block) -> bool:
    text = block.text
    if _FURNITURE.match(text) or TAG_LINE.match(text) or asks_to_scan(text):
        return True
    if text.isdigit() and block.links > 0.5:
        return True  # a pager; 01 alone heads a section
    return len(text) <= 100 and bool(
        PAGE_FOOT.search(text)
        or _AWAY.match(text)
        or _RIGHTS.match(text)
        or _SOURCE_LINE.match(text)
    )


def _take_original_title(blocks: list[Block], body: Body) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        if block.kind in {"p", "h2", "quote"} and body.original_title is None:
            named = [m for line in block.lines if (m := ORIGINAL_TITLE.match(line))]
            if named:
                body.original_title = unquoted(named[0]["title"])
                rest = [line for line in block.lines if line != named[0].string]
                kept += [_keep_lines(block, rest)] if rest else []
                continue
        kept.append(block)
    return kept


def _take_source(blocks: list[Block], body: Body) -> list[Block]:
    """Take out the line at an end of the text that says where it is from, often with its editor."""
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        at_end = index == 0 or index >= len(blocks) - 3
        is_line = block.kind in {"p", "h2"} and len(block.lines) == 1
        if at_end and is_line and _FROM_LINE.match(block.text):
            said = read_info(block.text.strip("（()）【】"))
            body.source = body.source or said.source
            body.editors += said.editors
            body.bylines += said.bylines
        else:
            kept.append(block)
    return kept


def _take_editors(blocks: list[Block], body: Body) -> list[Block]:
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        if block.kind not in {"p", "h2", "quote"}:
            kept.append(block)
            continue
        lines = [line for line in block.lines if EDITOR_LINE.match(line) and "。" not in line]
        if lines:
            body.editors += lines
            if len(lines) == len(block.lines):
                continue
            kept.append(_keep_lines(block, [line for line in block.lines if line not in lines]))
            continue
        if index >= len(blocks) - 6 and (tail := _EDITOR_TAIL.search(block.lines[-1])):
            body.editors.append(tail[1])
            block.lines[-1] = block.lines[-1][: tail.start()]
            block.html = block.html.replace(escape(tail[0].strip(), quote=False), "").replace(
                " </p>", "</p>"
            )
            if not block.text.strip():
                continue
        kept.append(block)
    return kept


def _keep_lines(block: Block, lines: list[str]) -> Block:
    """The block with only some of its lines (its inline markup is lost where lines were taken)."""
    block.lines = lines
    block.html = f"<p>{'<br>'.join(escape(line, quote=False) for line in lines)}</p>"
    return block


def _take_note(blocks: list[Block], body: Body) -> list[Block]:
    for index, block in enumerate(blocks):
        if block.kind not in {"p", "h2", "quote"}:
            continue
        for at, line in enumerate(block.lines):
            mark = NOTE.match(line)
            if not mark:
                continue
            note = line[mark.end() :].strip()
            rest = block.lines[:at] + block.lines[at + 1 :]
            if not note and at + 1 < len(block.lines):
                note, rest = block.lines[at + 1], block.lines[:at] + block.lines[at + 2 :]
            following = index + 1
            if not note and following < len(blocks) and blocks[following].kind in {"p", "quote"}:
                note, following = blocks[following].text, following + 1
            if len(note) < 4:
                continue
            body.editor_note = note
            kept = [_keep_lines(block, rest)] if rest else []
            return blocks[:index] + kept + blocks[following:]
    return blocks


def _take_bylines(blocks: list[Block], body: Body) -> None:
    texts = [line for block in blocks if block.kind in {"p", "h2", "quote"} for line in block.lines]
    for line in texts[:5]:
        if mark := DATELINE.match(line):
            body.dateline = mark["line"]
            rest = line[mark.end() :]
            named = _BRACKET.match(rest) or _OPEN_BYLINE.match(rest)
            if named and re.search(AUTHOR_ROLES, named[1]):
                body.bylines.append(named[1])
            break
    for line in texts[:3]:
        _take_credit(line, body)
        if (mark := _OPEN_BYLINE.match(line)) and line.startswith("【"):
            body.bylines.append(mark[1])
        # （浙江在线记者 江帆）8月11日起… : a byline in brackets without a dateline
        if (
            (mark := _BRACKET.match(line))
            and re.search(AUTHOR_ROLES, mark[1])
            and len(mark[1]) < 60
        ):
            body.bylines.append(mark[1])
    if not body.bylines and texts and is_name(texts[0]):
        body.bylines.append(f"作者 {texts[0]}")  # a column's writer above the first paragraph
    for line in texts[3:][-4:]:
        _take_credit(line, body)
        if _NAMED_LAST.match(line):
            body.bylines.append(line.strip("（()）"))
        if mark := re.search(
            r"[（(]((?:[\u4e00-\u9fff]{0,10}?)(?:记者|通讯员|作者|文/)[^（()）。]{2,50})[）)]$",
            line,
        ):
            body.bylines.append(mark[1])
    if not body.bylines and texts and (mark := _SIGNED.search(texts[-1])):
        names = re.split(r"[、\s]+", mark[1])
        if all(map(is_name, names)):
            body.bylines.append(f"作者 {' '.join(names)}")


def _take_credit(line: str, body: Body) -> None:
    if len(line) > 80 or not _CREDIT.match(line) or re.search(r"[，,].{12,}", line):
        return
    if len(re.findall(AUTHOR_ROLES, line)) > 1 or not re.search(r"[：:].{12,}", line):
        body.bylines.append(line.strip("（()）[]【】□■●◎〔〕 \u3000"))


def _with_captions(blocks: list[Block]) -> list[tuple[Block, str | None]]:
    """Each block with its caption; a caption follows its picture and is no block of its own."""
    paired: list[tuple[Block, str | None]] = []
    in_rows = _captions_in_rows(blocks)
    for index, block in enumerate(blocks):
        if index in in_rows:
            at = in_rows[index]
            if at is not None:
                paired.append((block, " ".join(blocks[at].lines)))
            continue
        previous = paired[-1] if paired else None
        if block.kind == "figure" and _is_above(previous, blocks[index + 1 : index + 2]):
            paired[-1] = (block, " ".join(paired[-1][0].lines))
            continue
        if previous and previous[0].kind == "figure" and previous[1] is None and _is_caption(block):
            paired[-1] = (previous[0], " ".join(block.lines))
        elif block.kind == "caption":
            # A figcaption above its picture, or one without a picture: still the page's words.
            paired.append((block, None))
        else:
            paired.append((block, None))
    return paired


def _captions_in_rows(blocks: list[Block]) -> dict[int, int | None]:
    """Pictures in a row and as many captions below them: each picture's caption by index, None at
    the captions themselves.
    """
    rows: dict[int, int | None] = {}
    index = 0
    while index < len(blocks):
        end = index
        while end < len(blocks) and blocks[end].kind == "figure":
            end += 1
        size = end - index
        below = blocks[end : end + size]
        if size > 1 and len(below) == size and all(b.captionish and _is_caption(b) for b in below):
            rows |= {index + n: end + n for n in range(size)}
            rows |= dict.fromkeys(range(end, end + size))
        index = max(end, index + 1)
    return rows


def _is_above(previous: tuple[Block, str | None] | None, following: list[Block]) -> bool:
    """Whether a picture's caption stands above it: centred, worded as captions are, none below."""
    if previous is None or previous[0].kind != "p" or not previous[0].centred:
        return False
    worded = len(previous[0].text) <= 80 and _CAPTION.search(previous[0].text)
    return bool(worded) and not any(_is_caption(block) for block in following)


def _is_caption(block: Block) -> bool:
    if block.kind == "caption":
        return True
    text = block.text
    if block.kind not in {"p", "h2"} or len(text) > 120 or not text:
        return False
    if _CAPTION.search(text) and len(text) <= 100:
        return True
    if block.kind == "h2" or DATELINE.match(text) or _CREDIT.match(text) or NOTE.match(text):
        return False
    return (block.centred or block.captionish) and len(text) <= 80


def _render(blocks: list[tuple[Block, str | None]], body: Body) -> None:
    for block, caption in blocks:
        if block.kind == "figure":
            position = len(body.images) + 1
            body.images.append(Image(block.url, block.ref, position, caption, block.alt))
            body.html.append(_figure(block, caption))
        elif block.kind == "video":
            body.videos.append(Media(block.url, block.ref))
            body.html.append(block.html)
        elif block.kind == "caption":
            body.html.append(f"<p>{escape(block.text, quote=False)}</p>")
            body.lines += block.lines
        else:
            body.lines += block.lines
            body.html.append(block.html)
    body.lines = [line for line in body.lines if clean(line)]


def _figure(block: Block, caption: str | None) -> str:
    alt = f' alt="{escape(block.alt)}"' if block.alt else ""
    text = f"<figcaption>{escape(caption, quote=False)}</figcaption>" if caption else ""
    return f'<figure><img src="{escape(block.url)}"{alt}>{text}</figure>'
