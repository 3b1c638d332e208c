"""What a second run requests: nothing twice, nothing forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Begin, Crawl, scrapy, wait_until
from tests.support.pages import COLUMN, DAY, article, list_page, saying, serve_column, url_of
from tests.support.site import Answer, Request, SiteProxy
from zjolcrawl.site.catalogue import load_catalogue

FIRST, SECOND, THIRD, FOURTH = 4774001, 4774002, 4774003, 4774004
# Columns of which only linked pages are requested.
COLUMNS = [c for c in load_catalogue().values() if c.enabled and not c.paging][:20]


def asked(site: SiteProxy) -> list[str]:
    """The requests since the last call, without robots.txt."""
    urls = [url for url in site.urls() if not url.endswith("/robots.txt")]
    site.reset_log()
    return urls


def due_now(db: Database[Any], ident: int) -> None:
    past = datetime.now(timezone.utc) - timedelta(minutes=1)
    db.frontier.update_one({"_id": url_of(ident)}, {"$set": {"next_visit_at": past}})


def row_of(db: Database[Any], url: str) -> dict[str, Any]:
    found = db.frontier.find_one({"_id": url})
    assert found is not None
    return found


def row(db: Database[Any], ident: int) -> dict[str, Any]:
    return row_of(db, url_of(ident))


def write(root: Path, url: str, page: bytes) -> None:
    path = root / url.removeprefix("http://")
    path = path / "index.shtml" if url.endswith("/") else path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page)


def write_column(root: Path, number: int, idents: list[int]) -> None:
    url = COLUMNS[number].url
    write(root, url, list_page([(DAY, ident) for ident in idents]))
    for ident in idents:
        write(root, f"{url}201708/t20170812_{ident}.shtml", article(DAY, ident))


@pytest.fixture
def many(tmp_path: Path) -> Iterator[tuple[SiteProxy, Path]]:
    """Twenty columns of five articles, with ETags like those of a file server."""
    root = tmp_path / "site"
    for number in range(20):
        write_column(root, number, [5_000_000 + number * 100 + n for n in range(5)])
    with SiteProxy(root) as proxy:
        yield proxy, root


def test_nothing_new_over_20_columns_is_20_conditional_requests(
    many: tuple[SiteProxy, Path], db: Database[Any], tmp_path: Path, mongodb_uri: str, database: str
) -> None:
    site, root = many

    def run() -> list[Request]:
        site.reset_log()
        ids = ",".join(column.id for column in COLUMNS)
        done = scrapy(
            "crawl", "column", "-a", f"column={ids}",
            site=site, data=tmp_path / "data", uri=mongodb_uri, database=database,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [r for r in site.requests if not r.url.endswith("/robots.txt")]

    assert len(run()) == 20 + 100
    assert db.articles.count_documents({}) == 100
    again = run()
    assert sorted(r.url for r in again) == sorted(column.url for column in COLUMNS)
    assert all("if-none-match" in r.headers for r in again)
    assert {r.status for r in again} == {304}
    for number in range(7):
        write_column(root, number, [5_000_000 + number * 100 + n for n in (9, 0, 1, 2, 3, 4)])
    third = run()
    assert len(third) == 20 + 7
    assert sum(r.url.endswith("9.shtml") for r in third) == 7
    assert db.articles.count_documents({}) == 107


def test_walk_ends_at_the_first_page_without_an_unknown_link(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    pages = [[(DAY, FIRST)], [(DAY, SECOND)], [(DAY, THIRD)]]
    serve_column(site, pages)
    crawl("column", url=COLUMN)
    assert len(asked(site)) == 6
    crawl("column", url=COLUMN)
    assert asked(site) == [COLUMN]
    serve_column(site, [[(DAY, FOURTH)], *pages])
    crawl("column", url=COLUMN)
    assert sorted(asked(site)) == sorted([COLUMN, f"{COLUMN}index_1.shtml", url_of(FOURTH)])
    crawl("column", url=COLUMN, FULL_SWEEP_DAYS=0)
    assert len(asked(site)) == 4  # every page, no article


def test_cut_off_walk_is_walked_to_its_end(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """A page that fails in the middle stands for a killed run."""
    pages = [[(DAY, FIRST)], [(DAY, SECOND)], [(DAY, THIRD)]]
    serve_column(site, pages)
    site.set(f"{COLUMN}index_1.shtml", Answer(status=500))
    assert crawl("column", url=COLUMN).returncode == 1
    assert db.frontier.count_documents({}) == 1
    serve_column(site, pages)
    crawl("column", url=COLUMN)
    assert db.articles.count_documents({}) == 3


def test_what_was_left_is_taken_up(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    """Also if no list shows them any more."""
    serve_column(site, [[(DAY, FIRST), ("2017-08-11", SECOND)]])
    site.set(url_of(FIRST), Answer(status=500))
    crawl("column", url=COLUMN, since=DAY)
    assert (row(db, FIRST)["state"], row_of(db, url_of(SECOND, "2017-08-11"))["state"]) == (
        "failed",
        "pending",
    )
    serve_column(site, [[(DAY, THIRD)]])
    site.set(url_of(FIRST), Answer(body=article(DAY, FIRST)))
    asked(site)
    crawl("column", url=COLUMN)
    assert sorted(asked(site)) == sorted([url_of(SECOND, "2017-08-11"), COLUMN, url_of(THIRD)])
    assert row(db, FIRST)["state"] == "failed"  # not due yet
    due_now(db, FIRST)
    crawl("column", url=COLUMN)
    assert url_of(FIRST) in asked(site)
    assert {r["state"] for r in db.frontier.find()} == {"stored"}


def test_other_columns_links_are_left_to_their_own_run(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    crawl("column", url=COLUMN, since="2020-01-01", recheck="on")
    other = "http://zjnews.zjol.com.cn/test/other/"
    site.set(other, Answer(body=list_page([])))
    asked(site)
    crawl("column", url=other)
    assert asked(site) == [other]


def test_failures_wait_longer_each_time_and_then_for_good(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    site.set(url_of(FIRST), Answer(status=500))
    waits = []
    for _ in range(3):
        crawl("column", url=COLUMN, GIVE_UP_AFTER=3)
        found = row(db, FIRST)
        if "next_visit_at" in found:
            wait = found["next_visit_at"] - found["last_attempt_at"]
            waits.append(round(wait.total_seconds() / 3600))
            due_now(db, FIRST)
    assert waits == [1, 2]
    assert (row(db, FIRST)["state"], row(db, FIRST)["failures"]) == ("failed", 3)
    asked(site)
    crawl("column", url=COLUMN, GIVE_UP_AFTER=3)
    assert asked(site) == [COLUMN]


def test_stored_article_is_visited_again_in_its_windows_by_conditional_get(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    today = datetime.now(timezone(timedelta(hours=8))).strftime("%Y-%m-%d")
    url = url_of(FIRST, today)
    site.set(COLUMN, Answer(body=list_page([(today, FIRST)])))
    tagged = {"ETag": '"one"', "Content-Type": "text/html"}
    site.set(url, Answer(body=article(today, FIRST), headers=tagged))
    crawl("column", url=COLUMN)
    first = db.articles.find_one()
    assert first is not None
    found = row_of(db, url)
    assert found["next_visit_at"] == first["published_at"] + timedelta(days=1)
    assert found["etag"] == '"one"'

    def visit(answer: Answer) -> dict[str, Any]:
        past = datetime.now(timezone.utc) - timedelta(minutes=1)
        db.frontier.update_one({"_id": url}, {"$set": {"next_visit_at": past}})
        site.set(url, answer)
        site.reset_log()
        crawl("column", url=COLUMN)
        (request,) = [r for r in site.requests if r.url == url]
        assert request.headers["if-none-match"] == '"one"'
        document = db.articles.find_one()
        assert document is not None
        return document

    same = visit(Answer(status=304))
    assert same.pop("last_seen_at") > first.pop("last_seen_at")
    assert same == first
    assert row_of(db, url)["next_visit_at"] == first["published_at"] + timedelta(days=1)
    assert [visit(Answer(status=404))["status"] for _ in range(3)] == ["live", "live", "gone"]
    back = visit(Answer(status=304))
    assert (back["status"], back["revision"]) == ("live", 1)
    assert back["returned_at"] == back["last_seen_at"]
    edited = visit(Answer(body=article(today, FIRST, "改过的标题")))
    assert edited["revision"] == 2
    assert "etag" not in row_of(db, url)


def test_old_article_is_not_visited_again(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    crawl("column", url=COLUMN)
    assert "next_visit_at" not in row(db, FIRST)
    site.set(url_of(FIRST), saying(FIRST, "改了"))
    asked(site)
    crawl("column", url=COLUMN)
    assert asked(site) == [COLUMN]
    crawl("article", url=url_of(FIRST))  # requested by URL
    assert asked(site) == [url_of(FIRST)]


def test_killed_runs_lose_no_link(
    site: SiteProxy, db: Database[Any], crawl: Crawl, begin: Begin
) -> None:
    """Killed when its links are known: the next run fetches them without reading a list."""
    idents = range(FIRST, FIRST + 40)
    serve_column(site, [[(DAY, ident) for ident in idents]])
    site.delay = 0.05
    running = begin(
        "column",
        "-a",
        f"url={COLUMN}",
    )
    wait_until(lambda: db.frontier.count_documents({}), running)
    running.kill()
    running.communicate()
    site.delay = 0
    pending = {r["_id"] for r in db.frontier.find({"state": "pending"})}
    assert pending
    site.set(COLUMN, Answer(body=list_page([(DAY, FIRST)])))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == len(idents)
    assert {r["state"] for r in db.frontier.find()} == {"stored"}
