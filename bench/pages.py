"""Generates the pages of the synthetic site: T1 articles of 45 to 60 KB and lists, as in 2017.

A third of an article's page is text, 900 to 6,500 characters; the rest is menus, styles, scripts
and lists of other articles. Names, words and tags are those of the synthetic archives
(tests.support.archives).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bench.furniture import box, foot, script, style, top
from tests.support.archives import Newsroom
from tests.support.prose import clause
from zjolcrawl.parsing.fields.dates import CHINA

_LEAST, _MOST = 45_000, 60_000  # bytes
_MORNING = datetime(2017, 8, 12, 7, tzinfo=CHINA)
_TRAIL = (("浙江在线", "www", ""), ("浙江新闻", "zjnews", ""), ("浙江纵横", "zjnews", "zjnews/"))


class Writer:
    """Writes articles one by one; the same seed gives the same articles."""

    def __init__(self, seed: int) -> None:
        self._newsroom = Newsroom(seed)
        self._chance = self._newsroom.rng
        # What other pages are called, for the lists beside an article.
        self._others = [
            (
                self._newsroom.title(),
                f"//zjnews.zjol.com.cn/zjnews/zjxw/201707/t20170701_46{n}.shtml",
            )
            for n in range(10_000, 12_000)
        ]

    def article(self, ident: str) -> tuple[str, str]:
        """Title and page of the article with this id; the id is also in its text."""
        chance, room = self._chance, self._newsroom
        title = room.title()
        at = _MORNING + timedelta(seconds=chance.randrange(14 * 3600))
        reporter = room.some("reporters", 1)[0]
        tags = ";".join(room.some("tags", chance.randint(2, 6)))
        kicker = (
            f'<div class="introTit">{clause(room.words, 14)}</div>' if chance.random() < 0.3 else ""
        )
        head = f"""<div class="wrap cf" id="main">
<div class="path"><span>您当前的位置 :</span>{_trail()}&nbsp;正文</div>
<div class="artBox fl">
{kicker}
<div class="contTit"><font color="#000000">{title}</font></div>
<div class="time"><span id="pubtime_baidu">{at:%Y年%m月%d日 %H:%M:%S}</span>
 <span id="source_baidu">来源: {room.some("sources", 1)[0]}</span> <span id="author_baidu">记者 {reporter}</span></div>
<div class="contTxt" id="zoom">
"""
        tail = f"""<div class="news_more_page" style="text-align: center;"></div>
</div>
<div class="artFoot cf"><span class="tagBar">标签: {tags}</span>
 <span class="editor">责任编辑: {room.some("editors", 1)[0]}</span></div>
<div class="share"><span>分享到:</span><a href="#" class="bds_weixin" data-cmd="weixin" title="分享到微信"></a>
<a href="#" class="bds_tsina" data-cmd="tsina" title="分享到新浪微博"></a></div>
<div class="copyTxt"><h4>版权和免责申明</h4><p>凡注有"浙江在线"的稿件,均为浙江在线独家版权所有,未经许可不得转载。</p></div>
"""
        page = _begin(title) + top() + head + self._body(ident, reporter) + tail
        return title, self._grown(page) + foot()

    def _body(self, ident: str, reporter: str) -> str:
        """Paragraphs of one to six sentences, one in six with a heading, and up to three images."""
        chance, room = self._chance, self._newsroom
        wanted = int(chance.triangular(900, 6500, 2200))
        lines = [f"　　浙江在线8月12日讯（浙江在线记者 {reporter} 编号{ident}）"]
        written = 0
        while written < wanted:
            some = chance.choices(room.sentences, k=chance.randint(1, 6))
            lines[-1] += "".join(each.text for each in some)
            written += sum(each.characters for each in some)
            if chance.random() < 1 / 6:
                lines.append(f"<strong>　　{clause(room.words, 8)}</strong>")
            lines.append("　　")
        paragraphs = [f'<p style="text-align: left;">{line}</p>' for line in lines[:-1]]
        for number in range(chance.randint(0, 3)):
            name = f"W02017081234{ident}{number}.jpg"
            image = f'<p style="text-align:center"><img src="./{name}" oldsrc="{name}" alt=""></p>'
            paragraphs.insert(chance.randrange(len(paragraphs)), image)
        return "\n".join(paragraphs) + "\n"

    def _grown(self, page: str) -> str:
        """The page with enough sidebar lists to reach its target size."""
        chance = self._chance
        wanted = chance.randrange(_LEAST, _MOST - 500) - len((page + foot()).encode())
        grown = '</div>\n<div class="sidebar fr">\n'
        size = 0
        while size < wanted:
            rows = chance.sample(self._others, min(14, 1 + (wanted - size) // 250))
            grown += (more := box(f"热点推荐{len(grown) % 97}", rows))
            size += len(more.encode())
        return page + grown + "</div></div>\n"


def list_page(rows: Sequence[tuple[str, str]], more: str | None) -> str:
    """A list page of (title, href), newest first, linked to the next page."""
    items = "\n".join(
        f'<li class="listLi"><span class="listSpan">2017-08-12</span><a href="{href}">{title}</a></li>'
        for title, href in rows
    )
    pager = f'<a href="{more}">下一页</a>' if more else ""
    return (
        f"{_begin('浙江新闻')}{top()}"
        f'<div class="wrap cf" id="main"><div class="path"><span>您当前的位置 :</span>{_trail()}</div>\n'
        f'<ul class="listUl">\n{items}\n</ul><div class="page"><span class="fenye">{pager}</span></div></div>\n'
        f"{foot()}"
    )


def _begin(title: str) -> str:
    return f"""<!DOCTYPE html>
<html>
<head>
<meta charset="UTF-8">
<meta http-equiv="X-UA-Compatible" content="IE=edge">
<title>{title}-浙江新闻-浙江在线</title>
<meta name="keywords" content="浙江新闻,浙江在线,新闻,浙江">
<meta name="description" content="浙江在线是浙江省重点新闻网站。">
<link rel="stylesheet" href="//img.zjol.com.cn/pub/css/article2016.css">
<style type="text/css">
{style()}
</style>
<script type="text/javascript">
{script()}
</script>
<!--[if lt IE 9]><script src="//img.zjol.com.cn/pub/js/html5shiv.js"></script><![endif]-->
</head>
"""


def _trail() -> str:
    return "&nbsp;&gt;&nbsp;".join(
        f'<a href="//{host}.zjol.com.cn/{path}" target="_blank" title="{name}" class="CurrChnlCls">{name}</a>'
        for name, host, path in _TRAIL
    )
