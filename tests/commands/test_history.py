"""`scrapy history`: edits by field and by sentence."""

from __future__ import annotations

import re

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, saying, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.display.article_diff import Change, changes, sentences

IDENT = 4774001


def test_versions_with_dates_and_edits(site: SiteProxy, crawl: Crawl, command: Crawl) -> None:
    serve_column(site, [[(DAY, IDENT)]])
    site.set(url_of(IDENT), saying(IDENT, "来了五人。会议开始。他们都说好"))
    crawl("column", url=COLUMN, recheck="on")
    site.set(url_of(IDENT), saying(IDENT, "来了七人。会议开始。他们都说好", "改过的标题"))
    crawl("column", url=COLUMN, recheck="on")
    site.set(url_of(IDENT), Answer(status=404))
    crawl("column", url=COLUMN, CONFIRM_VISITS=1, recheck="on")
    done = command("history", url_of(IDENT))
    assert done.returncode == 0, done.stderr
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    told = re.sub(r"--at \d{14}\b", "--at TIME", re.sub(r"urn:uuid:\S+", "RECORD", done.stdout))
    shown = re.sub(when, "WHEN", told).splitlines()
    assert shown == [
        "改过的标题",
        f"{url_of(IDENT)} (China time)",
        "",
        "version 1: seen from WHEN to WHEN, --at TIME, RECORD",
        "  标题一则新闻, 33 characters, 0 images",
        "",
        "version 2 (newest): seen from WHEN to WHEN, --at TIME, RECORD",
        "  标题",
        "    - 标题一则新闻",
        "    + 改过的标题",
        "  正文",
        "    - 这是第4774001篇文章的正文，来了五人。",
        "    + 这是第4774001篇文章的正文，来了七人。",
        "",
        "taken down: gone when visited WHEN",
    ]
    site.set(url_of(IDENT), saying(IDENT, "来了七人。会议开始。他们都说好", "改过的标题"))
    crawl("column", url=COLUMN, recheck="on")
    assert "restored: there again" in command("history", url_of(IDENT)).stdout
    assert command("history", url_of(4774002)).returncode == 1


def test_sentences_end_where_readers_end_them() -> None:
    assert sentences("他说：“好！”她笑了。\n第二段；没有句号") == [
        "他说：“好！”", "她笑了。", "第二段；", "没有句号",
    ]  # fmt: skip
    assert sentences("") == []


def test_changes_name_each_field_and_what_was_kept() -> None:
    old = {
        "title": "题", "body": "一。二。三。", "tags": ["甲", "乙"],
        "images": [{"ref": "./a.jpg"}, {"ref": "./b.jpg"}],
        "authors": [{"name": "江帆", "role": "记者", "outlet": "浙江在线"}],
    }  # fmt: skip
    new = {
        "title": "题", "kicker": "引", "body": "一。二。四。五。", "tags": ["乙"],
        "images": [{"ref": "./b.jpg"}],
        "authors": [{"name": "江帆", "role": "记者"}],
    }  # fmt: skip
    assert changes(old, new) == [
        Change("kicker", (), ("引",)),
        Change("authors", ("浙江在线记者 江帆",), ("记者 江帆",)),
        Change("tags", ("甲",), ()),
        Change("body", ("三。",), ("四。", "五。"), 2),
        Change("images", ("./a.jpg",), ()),
    ]
    assert changes(new, new) == []
