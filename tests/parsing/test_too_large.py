"""A page far larger than any real one is not parsed, because its tree could take all memory."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.archive.test_import import write
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, list_page, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.navigation import read_navigation
from zjolcrawl.parsing.paper_page import read_paper_page
from zjolcrawl.spiders.pages import PageReader

HTML = {"Content-Type": "text/html"}
FIRST = 4774001
PAPER = "http://zjrb.zjol.com.cn/html/2017-08/12/content_3076000.htm"
TOO_LARGE = {
    "tags": "<p>" * 210_000,
    "end tags": "</p>" * 210_000,
    "signs that are no tags": "< " * 210_000,
    "comments": "<!---->" * 210_000,
    "text": "好" * 1_700_000,
    "one attribute": f"<b title='{'x' * 5_000_000}'>",
    "one script": f"<script>{'x' * 5_000_000}</script>",
    "spaces": "\n" * 5_000_000,
}


@pytest.mark.parametrize("more", TOO_LARGE.values(), ids=TOO_LARGE)
def test_an_article_is_refused_with_the_reason(more: str) -> None:
    page = article(DAY, FIRST, more=more)
    for url in (url_of(FIRST), PAPER):
        found = PageReader().read(page, url)
        assert isinstance(found, NotArticle)
        assert found.reason.startswith("is too large: ")
        assert "Its bytes are in the archive" in found.reason


@pytest.mark.parametrize("more", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_list_has_a_fault(more: str) -> None:
    page = list_page([(DAY, FIRST)]) + more.encode()
    for read in (read_column, read_paper_page):
        found = PageReader().read_list(read, page, COLUMN)
        assert (found.fault or "").startswith("is too large: ")
    assert PageReader().read_other(read_navigation, page, COLUMN) is None


def read_article(body: bytes) -> object:
    return PageReader().read(body, url_of(FIRST))


def read_list(body: bytes) -> object:
    return PageReader().read_list(read_column, body, COLUMN)


def read_other(body: bytes) -> object:
    return PageReader().read_other(read_navigation, body, COLUMN)


def read_long(body: bytes) -> object:
    return PageReader(seconds=0.001).read(body, url_of(FIRST))


@pytest.mark.parametrize("read", [read_article, read_list, read_other, read_long])
def test_a_refused_page_is_not_kept(read: Callable[[bytes], object]) -> None:
    """Not even until the next garbage collection: an import of 24 pages of 20 MB took 600 MB."""
    more = "<br>好" * 60_000 if read is read_long else "x" * 5_000_000
    body = article(DAY, FIRST, more=more)
    gc.disable()
    try:
        before = sys.getrefcount(body)
        found = read(body)
        assert found is None or "NotArticle" in repr(found) or "fault=" in repr(found)
        assert sys.getrefcount(body) == before
    finally:
        gc.enable()


@pytest.mark.parametrize("more", ["<br>好" * 60_000, f"<!-- {'x' * 4_000_000} -->"])
def test_a_page_ten_times_as_large_as_real_ones_is_parsed(more: str) -> None:
    found = PageReader().read(article(DAY, FIRST, more=more), url_of(FIRST))
    assert isinstance(found, RawArticle)


def test_a_crawl_goes_on_and_keeps_the_bytes(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    idents = [FIRST + n for n in range(6)]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    large = url_of(idents[2])
    site.set(large, Answer(body=article(DAY, idents[2], more="<p>" * 300_000), headers=HTML))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1, done.stderr
    row = db.frontier.find_one({"_id": large})
    assert row
    assert row["state"] == "rejected"
    assert row["last_error"].startswith("is too large: 300,")
    reject = db.rejects.find_one({"url": large})
    assert reject
    assert reject["warc"]["file"]
    assert db.articles.count_documents({}) == 5


def test_an_import_names_it(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    """A page that others captured has no entry in `rejects`."""
    large, good = url_of(FIRST), url_of(FIRST + 1)
    column = "http://zjnews.zjol.com.cn/zjnews/zjxw/"
    pages = {
        large: article(DAY, FIRST, more="<p>" * 300_000),
        good: article(DAY, FIRST + 1),
        column: list_page([(DAY, FIRST + 1)]) + b"<p>" * 300_000,
    }
    records = [
        made.warc_record(url, made.http(pages[url], Content_Type="text/html")) for url in pages
    ]
    file = write(tmp_path / "a.warc.gz", *records)
    for line in (("archive", "import", str(file)), ("crawl", "reparse")):
        done = command(*line)
        assert done.returncode == 0, done.stderr
        for url in (large, column):
            assert f"{url}: is too large: 300," in done.stderr
        assert [each["_id"] for each in db.articles.find()] == [good]
