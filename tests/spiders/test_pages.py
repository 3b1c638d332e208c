"""Articles on several pages: one document, whichever page the link leads to and whatever fails."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from tests.pipelines.test_images import PNG
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, SiteProxy

FIRST, LAST = 4774001, 4774002
URL = url_of(FIRST)
PAGES = [URL, URL.replace(".shtml", "_1.shtml"), URL.replace(".shtml", "_2.shtml")]
SCRIPT = f'<script>createPageHTML(3, 0, "t20170812_{FIRST}", "shtml");</script>'


def pager(*numbers: int) -> str:
    links = "".join(f'<a href="t20170812_{FIRST}_{n}.shtml">{n + 1}</a>' for n in numbers)
    return f'<div class="news_more_page">{links}</div>'


def part(number: int, words: str, more: str = "") -> bytes:
    page = article(DAY, FIRST, more=f"<p>　　{words}，这是第{number}页的话。</p>{more}").decode()
    return page.replace(
        f"<p>　　这是第{FIRST}篇文章的正文，讲述了浙江各地的新鲜事情。</p>", ""
    ).encode()


@pytest.fixture
def three_pages(site: SiteProxy) -> None:
    """The first page links the second, the second the third; there is another article too."""
    serve_column(site, [[(DAY, FIRST), (DAY, LAST)]])
    folder = URL.rpartition("/")[0]
    site.set(PAGES[0], Answer(body=part(1, "督察组进驻", pager(1) + '<p><img src="a.png"></p>')))
    site.set(PAGES[1], Answer(body=part(2, "整改清单", pager(2) + '<p><img src="b.png"></p>')))
    site.set(PAGES[2], Answer(body=part(3, "回头再看", pager(1) + "<p>责任编辑：金晨</p>")))
    for name in ("a", "b"):
        site.set(f"{folder}/{name}.png", Answer(body=PNG))


def document(db: Database[Any]) -> dict[str, Any]:
    found = db.articles.find_one({"_id": URL})
    assert found is not None
    return found


def test_pages_are_one_article(
    three_pages: None, site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl
) -> None:
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    found = document(db)
    assert found["pages"] == PAGES
    assert found["body"].split("\n") == [
        "督察组进驻，这是第1页的话。", "整改清单，这是第2页的话。", "回头再看，这是第3页的话。",
    ]  # fmt: skip
    assert [(i["ref"], i["position"], i["status"]) for i in found["images"]] == [
        ("a.png", 1, "stored"), ("b.png", 2, "stored"),
    ]  # fmt: skip
    assert [editor["name"] for editor in found["editors"]] == ["金晨"]
    assert "aliases" not in found
    assert found["warc"] == found["pages_warc"][0]
    shown = command("article", URL).stdout
    assert all(text in shown for text in (*PAGES, "第3页", found["pages_warc"][2]["record_id"]))
    assert len({pointer["record_id"] for pointer in found["pages_warc"]}) == 3
    assert db.articles.count_documents({}) == db.frontier.count_documents({"state": "stored"}) == 2
    assert_rebuilt(db, site, crawl)


def test_an_edit_on_a_later_page_is_a_revision(
    three_pages: None, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    crawl("column", url=COLUMN, recheck="on")
    crawl("column", url=COLUMN, recheck="on")
    assert document(db)["revision"] == 1
    site.set(PAGES[2], Answer(body=part(3, "已经改过")))
    crawl("column", url=COLUMN, recheck="on")
    assert document(db)["revision"] == 2
    assert document(db)["body"].endswith("已经改过，这是第3页的话。")
    assert_rebuilt(db, site, crawl)


def test_a_link_to_a_later_page_gives_the_whole(
    three_pages: None, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed = f'<ul class="listUl"><li class="listLi"><a href="{PAGES[1]}">文章</a></li></ul>'
    site.set(COLUMN, Answer(body=listed.encode()))
    assert crawl("column", url=COLUMN).returncode == 0
    found = document(db)
    assert found["pages"] == PAGES
    assert found["body"].startswith("督察组进驻")
    assert found["warc"] == found["pages_warc"][0]
    assert_rebuilt(db, site, crawl)


def test_a_pager_written_by_script_is_read(
    three_pages: None, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(PAGES[0], Answer(body=part(1, "督察组进驻", SCRIPT)))
    crawl("article", url=URL)
    assert document(db)["pages"] == PAGES


@pytest.mark.parametrize("first", [0, 70])
def test_pages_that_link_the_next_without_end_are_bounded(
    first: int, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Whichever page the link leads to; unread pages are reported."""
    address = "{}_{}.shtml".format
    every = [URL, *(address(URL.removesuffix(".shtml"), n) for n in range(1, 75))]
    listed = f'<ul class="listUl"><li class="listLi"><a href="{every[first]}">文章</a></li></ul>'
    site.set(COLUMN, Answer(body=listed.encode()))
    for number, url in enumerate(every):
        site.set(url, Answer(body=part(number, f"第{number}段", pager(number + 1))))
    assert crawl("column", url=COLUMN).returncode == 0
    found = document(db)
    assert found["pages"] == every[:60]
    assert "pages: more than 60, the rest is not read" in found["warnings"]
    assert len(found["body"].split("\n")) == 60
    asked = [url for url in site.urls() if url in every]
    assert len(asked) <= 61
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize("answer", [Answer(status=404), Answer(body=b"<p>x</p>"), None])
def test_a_page_without_text_is_told(
    answer: Answer | None, three_pages: None, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Missing, empty, or the first page again."""
    again = Answer(body=part(1, "督察组进驻", pager(1)))
    site.set(PAGES[2], answer or again)
    crawl("column", url=COLUMN)
    assert f"pages: {PAGES[2]} has no text" in document(db)["warnings"]
    assert document(db)["body"].count("\n") == 1
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize("fault", [Answer(status=503), Answer(fault="reset"), Answer(body=b"")])
def test_a_page_that_does_not_come_fails_its_link_until_it_does(
    fault: Answer, three_pages: None, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(PAGES[1], fault)
    assert crawl("column", url=COLUMN, recheck="on").returncode == 1
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert (row["state"], db.articles.count_documents({})) == ("failed", 1)
    assert row["last_error"].startswith("page 2: ")
    site.set(PAGES[1], Answer(body=part(2, "整改清单", pager(2))))
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    assert document(db)["pages"] == PAGES
    assert document(db)["revision"] == 1
    assert_rebuilt(db, site, crawl)
