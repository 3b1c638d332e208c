"""A page with changed surroundings is the same article: each fixture, visited a second time."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from bson import ObjectId

from tests.support.goldens import FIXTURES, load, sidecars
from zjolcrawl.clock import utc_now
from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.page import decode
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.revision_policy import RevisionPolicy

# Surroundings of an article that differ at each visit; the number is the visit.
ABOVE = (
    "<div class=weather>今天是2026年1{0}月2{0}日 星期三 杭州 2{0}℃ 多云转晴 东北风{0}级</div>"
    "<div class=ad><a href=http://ads.example.cn/?z={0}><img src=http://ads.example.cn/{0}.jpg width=950></a></div>"
    "<ul class=menu><li><a href=/a{0}/>频道{0}</a></li><li><a href=/b{0}/>专题{0}</a></li></ul>"
)
BELOW = (
    "<div class=hotnews><h3>热门新闻</h3><ul><li><a href=/201708/t2017081{0}_477000{0}.shtml>热门新闻的标题第{0}条</a></li>"
    "<li><a href=/201708/t2017080{0}_476000{0}.shtml>另一条热门新闻的标题</a></li></ul></div>"
    "<div class=tj>推荐阅读：<a href=/t{0}.shtml>今天大家都在看第{0}条</a></div>"
    "<div class=comment>网友评论（{0}）<p>已有{0}2人参与</p></div>"
    "<div class=bottom>浙ICP备0500000{0}号 网站总访问量：{0}234567 <script>var v={0};</script></div>"
)
AT_THE_END = (
    "<p>阅读 {0}024</p><div class=zan><span>{0}2</span></div><p>分享 {0}</p><p>{0}条评论</p>"
    "<p><a>【纠错】</a></p><div style='display:none'>广告语第{0}条。</div><script>count({0})</script>"
)
_INFO = re.compile(r"来源[:：]\s?[\u4e00-\u9fff]+(?:</a>)?(?:</span>)?(?=<|\s|$)")
_IMAGE = re.compile(r"(<img\b[^>]*?\bsrc\s*=\s*)([\"']?)([^\"'\s>]+)(\2)", re.IGNORECASE)


def changed(html: str, visit: int, url: str, last_line: str) -> str:
    """The page with other surroundings and other spellings of its URLs."""

    def address(mark: re.Match[str]) -> str:
        absolute = urljoin(url, mark[3])
        if absolute.startswith("data:") or "?" in absolute:
            return mark[0]
        scheme = ("http:", "https:")[visit % 2]
        return f'{mark[1]}"{re.sub("^https?:", scheme, absolute)}?t=15024944{visit}"'

    html = _IMAGE.sub(address, html)
    html = _INFO.sub(
        lambda m: f"{m[0]} <span>浏览 {visit}024</span> <span>评论({visit})</span> ", html, count=1
    )
    body = re.search(r"<body\b[^>]*>", html, re.IGNORECASE)
    if body:
        html = html[: body.end()] + ABOVE.format(visit) + html[body.end() :]
    end = html.rfind("</p>", 0, html.find("</p>", html.rfind(last_line)) + 4) if last_line else -1
    if last_line and html.count(last_line) == 1 and end > 0:
        html = html[: end + 4] + AT_THE_END.format(visit) + html[end + 4 :]
    close = re.search(r"</body>", html, re.IGNORECASE)
    at = close.start() if close else len(html)
    return html[:at] + BELOW.format(visit) + html[at:]


def read(body: bytes, url: str) -> Article:
    found = read_article(body, url)
    assert isinstance(found, RawArticle), found
    return normalize(found)


def made(path: Path) -> bool:
    """The articles of a page; a paper's page has its own list beside the text."""
    golden, _ = load(path)
    return "pages" not in golden["document"]


@pytest.mark.parametrize(
    "path",
    list(filter(made, sidecars("document"))),
    ids=lambda path: str(path.relative_to(FIXTURES)),
)
def test_second_visit_with_all_furniture_changed_is_no_edit(path: Path) -> None:
    golden, body = load(path)
    text, encoding, _ = decode(body)
    lines = golden["document"].get("body") or [""]
    pages = [
        changed(text, visit, golden["url"], lines[-1][-12:]).encode(encoding, "xmlcharrefreplace")
        for visit in (1, 2)
    ]
    assert pages[0] != pages[1]
    first, second = (article_document(read(page, golden["url"])) for page in pages)
    policy = RevisionPolicy(ObjectId())
    stored = policy.decide(article_document(read(body, golden["url"])), None, []).version
    for sight in (first, second):
        sight["last_seen_at"] = utc_now() + timedelta(hours=1)
        assert stored
        found = policy.decide(sight, stored, [])
        differing = {
            name: (stored.get(name), sight.get(name))
            for name in ("title", "kicker", "subtitle", "published_at", "source", "authors", "editors", "tags", "body")
            if stored.get(name) != sight.get(name)
        }  # fmt: skip
        assert found.what == "same", differing
