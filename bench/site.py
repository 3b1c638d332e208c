"""A made-up site of one column: distinct T1 articles of 45 to 60 KB, with list pages of 100."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

HOST = "zjnews.zjol.com.cn"
COLUMN = f"http://{HOST}/bench/"
_DAY = "2017-08-12"
_PER_LIST = 100
_WORDS = "浙江全省各地贯彻落实环境保护督察工作杭州宁波温州嘉兴湖州绍兴金华衢州舟山台州丽水记者报道"


def build(root: Path, articles: int, *, seed: int = 1) -> int:
    """Write the site under `root/HOST/`, each page also gzipped beside itself; how many pages it has."""
    chance = random.Random(seed)
    folder = root / HOST / "bench" / "201708"
    folder.mkdir(parents=True)
    (root / HOST / "robots.txt").write_text("User-agent: *\nAllow: /\n")
    for number in range(articles):
        _write(folder / _name(number), _article(number, chance))
    for page, start in enumerate(range(0, articles, _PER_LIST)):
        name = f"index_{page}.shtml" if page else "index.shtml"
        more = f"index_{page + 1}.shtml" if start + _PER_LIST < articles else ""
        last = min(start + _PER_LIST, articles)
        _write(root / HOST / "bench" / name, _list(range(start, last), more))
    return articles + page + 1


def _name(number: int) -> str:
    return f"t20170812_{4000000 + number}.shtml"


def _write(path: Path, page: str) -> None:
    data = page.encode()
    path.write_bytes(data)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, 6, mtime=0))


def _article(number: int, chance: random.Random) -> str:
    """Menus and scripts as a news page has them, and a body of twenty paragraphs or so."""
    menu = "".join(
        f'<li class="nav{n}"><a href="http://{HOST}/c{n}/">栏目{chance.randrange(999)}</a></li>'
        for n in range(200)
    )
    script = "".join(f"var k{n}={{id:{chance.randrange(10**9)},on:true}};" for n in range(150))
    size = chance.randrange(45_000, 60_000)
    body = ""
    while len(body) * 3 + len(menu) + len(script) < size:
        words = "".join(chance.choices(_WORDS, k=chance.randrange(80, 300)))
        body += f"<p>　　{words}。</p>\n"
    return (
        f'<html><head><meta charset="utf-8"><title>第{number}条新闻-浙江在线</title>'
        f"<script>{script}</script></head><body><ul>{menu}</ul>"
        f'<div class="contTit">第{number}条新闻</div><div class="info">'
        f'<span id="pubtime_baidu">{_DAY} 10:00:00</span>'
        f'<span id="source_baidu">来源：浙江在线</span></div>'
        f'<div class="contTxt">{body}</div><div class="foot">责任编辑: 金晨</div></body></html>'
    )


def _list(numbers: range, more: str) -> str:
    rows = "".join(
        f'<li class="listLi"><span class="listSpan">{_DAY}</span>'
        f'<a href="./201708/{_name(number)}">第{number}条新闻</a></li>'
        for number in numbers
    )
    pager = f'<span class="fenye"><a href="{more}">下一页</a></span>' if more else ""
    return f'<html><meta charset="utf-8"><ul class="listUl">{rows}</ul>{pager}</html>'
