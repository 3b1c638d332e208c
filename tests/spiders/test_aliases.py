"""Other URLs of an article lead to it; pages whose ids are re-used are only recorded."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, SiteProxy

LEGACY = "http://zjnews.zjol.com.cn/system/2018/02/27/021652298.shtml"
MOBILE = "http://m.zjol.com.cn/mzjol/details.html?newsid=021652298"
SHELL = "http://m2.zjol.com.cn/msite/details.html?newsid=021652298"
ALONE = "http://m.zjol.com.cn/mzjol/details.html?newsid=021652299"
APP = "https://zj.zjol.com.cn/news.html?id=877123"


def column_of(site: SiteProxy, *urls: str) -> None:
    rows = "".join(f'<li class="listLi"><a href="{url}">文章一则</a></li>' for url in urls)
    site.set(COLUMN, Answer(body=f'<ul class="listUl">{rows}</ul>'.encode()))


def mobile_page(head: str = "") -> Answer:
    html = article(DAY, 1).decode().replace("</head>", f"{head}</head>")
    return Answer(body=html.encode())


def test_mobile_pages_are_aliases_of_their_article(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    column_of(site, MOBILE + "&ref=list", SHELL)
    site.set(MOBILE + "&ref=list", mobile_page(f'<link rel="canonical" href="{LEGACY}">'))
    site.set(SHELL, Answer(body=f'<script>location.href="{LEGACY}"</script>'.encode()))
    site.set(LEGACY, Answer(body=article(DAY, 1)))
    assert crawl("column", url=COLUMN).returncode == 0
    (found,) = db.articles.find()
    assert (found["_id"], found["doc_id"]) == (LEGACY, "021652298")
    assert {MOBILE, SHELL} <= set(found["aliases"])
    assert {row["state"] for row in db.frontier.find()} == {"stored"}
    assert_rebuilt(db, site, crawl)


def test_a_mobile_page_that_names_no_other_keeps_its_address(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    other = LEGACY.replace("021652298", "021650000")
    site.set(ALONE, mobile_page(f'<link rel="canonical" href="{other}">'))
    assert crawl("article", url=ALONE).returncode == 0
    (found,) = db.articles.find()
    assert (found["_id"], found["doc_id"]) == (ALONE, "021652299")


def test_app_pages_are_recorded_as_they_are(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    column_of(site, APP)
    assert crawl("column", url=COLUMN).returncode == 0
    (row,) = db.frontier.find()
    assert (row["_id"], row["kind"], row["state"]) == (
        APP,
        "app",
        "rejected",
    )
    assert not any("zj.zjol.com.cn" in url for url in site.urls())
