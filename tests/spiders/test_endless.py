"""Endless lists, and lists that declare more pages than they have: limited, reported, not a complete walk."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, following, list_page, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.parsing.column_page import read_column

FIRST = 4774001
HTML = {"Content-Type": "text/html"}
ID = COLUMN.removeprefix("http://")


def walk_of(db: Database[Any]) -> dict[str, Any]:
    row: dict[str, Any] | None = db.columns.find_one({"_id": ID})
    assert row is not None
    return row


def lists_asked(site: SiteProxy) -> list[str]:
    return [url for url in site.urls() if url.startswith(COLUMN) and "/t2017" not in url]


def serve(site: SiteProxy, pages: list[bytes]) -> None:
    for number, body in enumerate(pages):
        name = f"index_{number}.shtml" if number else ""
        site.set(COLUMN + name, Answer(body=body, headers=HTML))


def articles(site: SiteProxy, idents: list[int]) -> None:
    for ident in idents:
        site.set(url_of(ident), Answer(body=article(DAY, ident), headers=HTML))


PAGERS = {
    "next": following,
    "script": lambda n: f'<script>createPageHTML(1000000000, {n - 1}, "index", "shtml");</script>',
    "long script": lambda n: f'<script>createPageHTML({"9" * 30}, {n - 1}, "index", "shtml");</script>',
    "variable": lambda n: f'<script>var count = 1234567890; createPageHTML(count, {n - 1}, "index", "shtml");</script>',
    "day by day": lambda n: f'<span class="fenye"><a href="/test/lm/index_{n}.shtml?#x">下一页</a></span>',
    "longer and longer": lambda n: f'<span class="fenye"><a href="./././x/../index_{n}.shtml">下一页</a></span>',
}  # fmt: skip


@pytest.mark.parametrize("pager", PAGERS)
def test_list_without_end_is_left_and_said(
    pager: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    idents = [FIRST + n for n in range(12)]
    articles(site, idents)
    serve(site, [list_page([(DAY, i)], PAGERS[pager](n + 1)) for n, i in enumerate(idents)])
    done = crawl("column", url=COLUMN, COLUMN_MAX_PAGES=5)
    assert len(lists_asked(site)) == 5
    assert db.articles.count_documents({}) == 5
    line = f"column {ID}: the walk stopped after 5 pages, but the list continues"
    assert f"zjolcrawl: {line}" in done.stderr
    run = db.runs.find_one()
    assert run is not None
    assert any(each.startswith(line) for each in run["warnings"])
    assert "swept_at" not in walk_of(db)
    assert "walk_open_since" in walk_of(db)


def test_list_that_ends_at_the_bound_is_whole(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST + n)] for n in range(5)])
    done = crawl("column", url=COLUMN, COLUMN_MAX_PAGES=5)
    assert done.returncode == 0, done.stderr
    assert "the walk stopped" not in done.stderr
    assert "swept_at" in walk_of(db)


def test_fifty_pages_are_walked_by_default(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST + n)] for n in range(55)])
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == 55
    assert "swept_at" in walk_of(db)


@pytest.mark.parametrize("repeated", [0, 1])
def test_page_that_repeats_another_before_the_last_is_no_end(
    repeated: int, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """The list declares nine pages; the third repeats the first (or the second)."""
    articles(site, [FIRST, FIRST + 1])
    lists = [FIRST, FIRST + 1, FIRST + repeated]
    pager = '<script>createPageHTML(9, {}, "index", "shtml");</script>'
    serve(site, [list_page([(DAY, i)], pager.format(n)) for n, i in enumerate(lists)])
    done = crawl("column", url=COLUMN)
    assert f"column {ID}: page 3 of 9 repeats an earlier page" in done.stderr
    assert "swept_at" not in walk_of(db)
    assert "walk_open_since" in walk_of(db)
    assert db.articles.count_documents({}) == 2


def test_last_page_that_comes_again_is_the_end(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    articles(site, [FIRST, FIRST + 1])
    lists = [FIRST, FIRST + 1, FIRST + 1, FIRST + 1]
    serve(site, [list_page([(DAY, i)], following(n + 1)) for n, i in enumerate(lists)])
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    assert len(lists_asked(site)) == 3
    assert "swept_at" in walk_of(db)


@pytest.mark.parametrize(
    "href",
    [
        "./index.shtml", "index.shtml?", "../lm/", "/test/%6Cm/", "/test/./lm/index.shtml", "//ZJNEWS.zjol.com.cn:80/test/lm/",
        "http://zjnews.zjol.com.cn./test/lm/#a", "https://zjnews.zjol.com.cn/test/x/%2e%2e/lm/",
    ],
)  # fmt: skip
def test_next_page_that_is_the_first_in_another_spelling_is_the_end(
    href: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    articles(site, [FIRST])
    serve(site, [list_page([(DAY, FIRST)], f'<a href="{href}">下一页</a>')])
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    assert lists_asked(site) == [COLUMN]


@pytest.mark.parametrize("said", ["1", "7", "999999", "1000000", "1" + "0" * 39, "٣"])
def test_count_of_pages_is_a_number_that_can_be_stored(said: str) -> None:
    html = f'<script>createPageHTML({said}, 0, "index", "shtml");</script>'
    page = read_column(html.encode(), COLUMN)
    assert page.pages_total == min(int(said), 999_999)
    assert bool(page.next_url) == (int(said) > 1)


def test_issue_with_too_many_pages_is_cut_and_said(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    issue = "http://zjrb.zjol.com.cn/html/2017-08/12/"
    links = "".join(f'<a id="pageLink" href="node_{n}.htm">第{n}版：要闻</a>' for n in range(2, 40))
    for n in range(2, 40):
        site.set(
            f"{issue}node_{n}.htm", Answer(body=f"<html>{links}</html>".encode(), headers=HTML)
        )
    site.set("http://zjrb.zjol.com.cn/robots.txt", Answer(status=404))
    done = crawl("paper", paper="zjrb", date="2017-08-12", COLUMN_MAX_PAGES=4)
    assert len([url for url in site.urls() if url.startswith(f"{issue}node_")]) <= 5
    assert "of which 4 were fetched (COLUMN_MAX_PAGES)" in done.stderr
