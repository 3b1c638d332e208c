"""Page boilerplate of the synthetic site: styles, scripts, menus, lists and footer.

Same kinds and density as on the reference article's page (fixtures/T1), grown to the size of the
site's pages: eleven elements per KB.
"""

from __future__ import annotations

import random
from functools import cache

from tests.support.prose import PLACES

_COLORS = ("#333", "#666", "#999", "#0a5ea8", "#ba2636", "#f5f5f5", "#fff", "#e5e5e5", "#004276")
_PARTS = (
    "wrap", "topBar", "logoBar", "mainNav", "subNav", "cityNav", "path", "artBox", "contTit", "introTit", "time",
    "contTxt", "artFoot", "tagBar", "editor", "share", "sidebar", "box", "boxTit", "hotList", "rank", "picList",
    "ewm", "copyTxt", "copyRight", "footer", "links", "friend", "comment", "page", "fenye", "ad960", "ad300",
)  # fmt: skip
_CHANNELS = (
    ("zjnews", "要闻"), ("china", "时政"), ("world", "国际"), ("opinion", "评论"), ("fin", "财经"), ("ms", "民生"),
    ("edu", "教育"), ("health", "健康"), ("gotrip", "旅游"), ("zjtyol", "体育"), ("ent", "文娱"), ("st", "科技"),
    ("epmap", "环保"), ("photo", "图片"), ("v", "视频"), ("zt", "专题"), ("society", "网闻"), ("yq", "舆情"),
    ("py", "辟谣"), ("gy", "公益"), ("fc", "房产"), ("auto", "汽车"), ("315", "消费"), ("read", "读书"),
    ("art", "美术"), ("dj", "党建"), ("guoqi", "国企"), ("town", "城镇"),
)  # fmt: skip


@cache
def style() -> str:
    """Inline styles, about 5 KB, identical on every page."""
    chance = random.Random(11)
    rules = []
    for part in _PARTS:
        for rest in ("", " li", " a", " a:hover", " img"):
            color, back = chance.choice(_COLORS), chance.choice(_COLORS)
            rules.append(
                f".{part}{rest}{{color:{color};background:{back};"
                f"margin:{chance.randrange(20)}px auto;line-height:{chance.randrange(20, 48)}px}}"
            )
    return "\n".join(rules[:70])


@cache
def script() -> str:
    """Inline scripts, about 5 KB, identical on every page: settings, small functions, loaders."""
    chance = random.Random(12)
    lines = [
        'var _trs_uv=_trs_uv||{};(function(){var d=document,s=d.createElement("script");'
        's.src="//ta.zjol.com.cn/stat/ta.js?mpid=16";s.async=true;'
        'd.getElementsByTagName("head")[0].appendChild(s);})();',
        'function setSize(n){var o=document.getElementById("zoom");if(o){o.style.fontSize=n+"px";}}',
    ]
    lines += [
        f"function slot{number}(o){{var t=[{','.join(str(chance.randrange(9999)) for _ in range(8))}],"
        f'h="<a href=\\"//www.zjol.com.cn/ad/{chance.randrange(9999)}.html\\"><b>"+o+"</b></a>";'
        f'if(t.length<{chance.randrange(9)}&&location.href.indexOf("{chance.choice(_PARTS)}")>0)'
        f"{{document.write(h);}}return t[{chance.randrange(8)}];}}"
        for number in range(16)
    ]
    return "\n".join(lines)


@cache
def top() -> str:
    """The page from <body> to the end of the menus: search form, logo, channels, counties."""
    channels = "\n".join(
        f'<li><a href="//{host}.zjol.com.cn/" target="_blank">{name}</a></li>'
        for host, name in _CHANNELS
    )
    columns = "\n".join(
        f'<span><a href="//{host}.zjol.com.cn/c{number}/">{name}{number}</a></span>'
        for host, name in _CHANNELS
        for number in range(1, 4)
    )
    places = "\n".join(
        f'<a href="//c{number}.zjol.com.cn/" target="_blank" title="{name}">{name}</a>'
        for number, name in enumerate(PLACES)
    )
    return f"""<body>
<div class="topBar"><div class="wrap cf"><div class="fl"><a href="//www.zjol.com.cn/">浙江在线首页</a>
<a href="//www.zjol.com.cn/05gsb/index.html">关于我们</a><script>document.write(new Date().getFullYear());</script></div>
<div class="fr"><form action="//s.zjol.com.cn/cse/search" method="get"><input type="hidden" name="s" value="604">
<input type="text" name="q" value="请输入关键词"><input type="submit" value="搜索"></form></div></div></div>
<div class="wrap logoBar cf"><a class="fl" href="//www.zjol.com.cn/"><img src="//img.zjol.com.cn/pub/images/logo.png"
 alt="浙江在线"></a><div class="fr ad960"><script>slot1("top");</script></div></div>
<div class="mainNav"><div class="wrap"><ul class="cf">
{channels}
</ul></div></div>
<div class="subNav wrap">
{columns}
</div>
<div class="wrap cityNav"><dl><dt>地方频道</dt><dd>
{places}
</dd></dl></div>
"""


def box(name: str, rows: list[tuple[str, str]]) -> str:
    """A list in the sidebar or below the article: its name and linked titles."""
    items = "\n".join(
        f'<li><a href="{url}" target="_blank" title="{title}">{title}</a></li>'
        for title, url in rows
    )
    return (
        f'<div class="box"><div class="boxTit">{name}</div>\n<ul class="hotList">\n{items}\n'
        f"</ul></div>\n"
    )


@cache
def foot() -> str:
    """The page from the copyright notice to the end of the document."""
    friends = "\n".join(
        f'<a href="http://www.link{number}.com.cn/" target="_blank">友情链接{number}</a>'
        for number in range(40)
    )
    return f"""<div class="links"><div class="friend">
{friends}
</div></div>
<div class="footer"><p><a href="//www.zjol.com.cn/05gsb/about.html">网站简介</a> | <a href="#">广告服务</a> |
<a href="#">联系方式</a></p><p>Copyright &copy; 1999-2017 Zjol. All Rights Reserved 浙江在线版权所有</p>
<p>互联网新闻信息服务许可证 &nbsp; 浙ICP备案</p></div>
<script>slot2("foot");slot3("couplet");</script>
</body></html>
"""
