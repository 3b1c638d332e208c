"""Makes an archive with everything that the pages show: crawled, edited, taken down, restored, and hostile articles."""

from __future__ import annotations

import random
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from tests.support.crawling import scrapy, wait_until
from tests.support.goldens import file_of
from tests.support.pages import DAY, HOST, saying, url_of
from tests.support.site import Answer, SiteProxy

REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
PICTURE = REFERENCE.rpartition("/")[0] + "/W020170812341787363590.jpg"
EDITED, GONE, FOE, REVERTED = (url_of(4774000 + n) for n in range(1, 5))
COLUMNS = "zjxw,zjxc,china-gnxw,opinion-bwgd,zzhz-bb"
SOWN, SOWN_YEAR = "zjxc", 2016
GAP = (date(2016, 9, 13), date(2016, 9, 15))
"""Days of SOWN's year without an article, although the days around them have some."""
EDITS = (
    ("全力保障中央环保督察开展", "全力保障中央环境保护督察开展"),
    ("扛起生态文明建设的主体责任", "切实扛起生态文明建设和环境保护的主体责任"),
    ("市政府组织成立了7组由副市长为组长的督导组", "市政府成立了9个由副市长任组长的督导组"),
    ("金晨", "金辰"),
)
SCRIPT = "document.title='owned'"
HOSTILE = (
    f"<p>干净的第一段。<script>{SCRIPT}</script></p>"
    f'<p onclick="{SCRIPT}">点一下<a href="javascript:{SCRIPT}">坏链接</a>，'
    '<a href="http://example.org/x?a=1&amp;b=2" target="_blank" onmouseover="x()">好链接</a></p>'
    f'<img src="x" onerror="{SCRIPT}"><svg onload="{SCRIPT}"><script>{SCRIPT}</script></svg>'
    f'<iframe src="javascript:{SCRIPT}"></iframe><style>body{{display:none}}</style>'
    f'<math><mi xlink:href="javascript:{SCRIPT}">m</mi></math><form action="/x"><input name=q></form>'
    f'<noscript><p title="</noscript><img src=x onerror={SCRIPT}>"></p></noscript>'
    '<table><tr><td colspan="999999999">甲</td><td style="position:fixed">乙</td></tr></table>'
)


def crawl(site: SiteProxy, data: Path, uri: str, database: str) -> None:
    """Crawls columns of the fixtures, then an article in three versions, one taken down, one restored."""

    def again(*urls: str) -> None:
        second = int(time.time())
        wait_until(lambda: int(time.time()) > second)  # versions have names by the second
        done = scrapy(
            "crawl", "article", "-a", f"url={','.join(urls)}",
            "-s", "CONFIRM_VISITS=1",  # a takedown needs no confirmation
            site=site, data=data, uri=uri, database=database,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    site.set(f"{HOST}/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
    done = scrapy("crawl", "column", "-a", f"column={COLUMNS}",
                  site=site, data=data, uri=uri, database=database)  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    page = file_of(REFERENCE).read_text(encoding="utf-8")
    for number in range(1, 3):  # the headline first, then the rest
        for before, after in EDITS[: 1 if number == 1 else None]:
            page = page.replace(before, after)
        site.set(REFERENCE, Answer(body=page.encode()))
        again(REFERENCE)
    site.set(EDITED, saying(4774001, "来了五人。会议开始。他们都说好"))
    site.set(GONE, saying(4774002, "这一篇后来不见了", "一则撤下的消息"))
    again(EDITED, GONE)
    site.set(EDITED, Answer(status=404))
    site.set(GONE, Answer(status=404))
    again(EDITED, GONE)
    site.set(EDITED, saying(4774001, "来了七人。会议开始。他们都说好", "改过的标题"))
    again(EDITED)
    for words in ("第一种说法", "第二种说法", "第一种说法"):
        site.set(REVERTED, saying(4774004, words))
        again(REVERTED)


def sow(db: Database[Any]) -> None:
    """Articles on the days of a year, fewer on Sundays, none in GAP; not written by the product."""
    chance = random.Random(8)
    day = date(SOWN_YEAR, 2, 3)
    rows: list[dict[str, Any]] = []
    while day <= date(SOWN_YEAR, 12, 24):
        most = {5: 5, 6: 2}.get(day.weekday(), 9)
        count = 0 if GAP[0] <= day <= GAP[1] else chance.randint(3 if most > 2 else 0, most)
        if day.month == 3 and day.weekday() < 5:
            count += chance.randint(3, 14)
        rows += [_sown(day, len(rows) + n) for n in range(count)]
        day += timedelta(days=1)
    db.articles.insert_many(rows)


def plant(db: Database[Any]) -> None:
    """A hostile article with script in each field."""
    tag = f"<script>{SCRIPT}</script>"
    broken = f'"><img src=x onerror={SCRIPT}>'
    image = {"url": "http://zjnews.zjol.com.cn/x.jpg", "ref": "x.jpg", "position": 1,
             "status": "stored", "sha256": "../../../etc/passwd", "caption": f"图{tag}",
             "alt": broken}  # fmt: skip
    db.articles.insert_one(
        _sown(date(2017, 8, 13), 0)
        | {
            "_id": FOE, "title": f"恶意标题{tag}", "kicker": broken, "subtitle": tag, "source": tag,
            "body": f"正文{tag}", "body_html": HOSTILE, "tags": [broken], "editor_note": tag, "abstract": tag,
            "authors": [{"name": broken, "role": "记者"}], "images": [image],
            "videos": [{"url": f"javascript:{SCRIPT}", "ref": "x", "name": tag}],
            "attachments": [{"url": f"data:text/html,{tag}", "ref": "x"}],
            "pdf": f"javascript:{SCRIPT}", "aliases": [f"javascript:{SCRIPT}"], "revision": 1,
            "breadcrumb": [tag], "warnings": [tag],
        }
    )  # fmt: skip


def _sown(day: date, number: int) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 2, number % 60, tzinfo=timezone.utc)
    return {
        "_id": f"http://zjnews.zjol.com.cn/zjnews/zjxc/{day:%Y%m}/t{day:%Y%m%d}_{9_000_000 + number}.shtml",
        "site": "zjnews.zjol.com.cn", "site_name": "浙江新闻", "columns": [SOWN],
        "title": f"{day.month}月{day.day}日的一则消息", "body": "一段正文。", "body_html": "<p>一段正文。</p>",
        "published_at": at, "published_precision": "minute", "content_sha256": "0" * 64,
        "revision": 1, "status": "live", "first_seen_at": at, "last_seen_at": at, "changed_at": at,
        "parser": {"template": "T1", "version": 1}, "run_id": ObjectId(),
    }  # fmt: skip


assert DAY == "2017-08-12"  # the date of pages made by `saying`
