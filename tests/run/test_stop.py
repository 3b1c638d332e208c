"""SIGTERM and SIGINT: what waits is dropped at once and stays pending, and the next run goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl, Running, ended, start_scrapy, wait_until
from tests.support.pages import COLUMN, DAY, HOST, article, serve_column, url_of
from tests.support.site import Answer, SiteProxy

IDENTS = range(4774001, 4774041)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture
def slow(site: SiteProxy, mongodb_uri: str, database: str, tmp_path: Path) -> Iterator[Running]:
    """A crawl of 40 articles with 20 images each, one request every two seconds for each host."""
    serve_column(site, [[(DAY, each) for each in IDENTS]])
    for ident in IDENTS:
        images = "".join(
            f'<p><img src="http://images.zjol.com.cn/{ident}/{n}.jpg"></p>' for n in range(20)
        )
        site.set(
            url_of(ident),
            Answer(headers={"Content-Type": "text/html"}, body=article(DAY, ident, more=images)),
        )
    running = start_scrapy(
        "crawl", "column", "-a", f"url={COLUMN}", site=site, data=tmp_path, uri=mongodb_uri, database=database,
        settings=("-sDOWNLOAD_DELAY=2", "-sAUTOTHROTTLE_ENABLED=False", "-sDOWNLOAD_DELAY_JITTER=0"),
    )  # fmt: skip
    yield running
    if running.poll() is None:
        running.kill()
        running.communicate()


def answered(site: SiteProxy) -> list[str]:
    return [url for url in site.urls() if not url.endswith("/robots.txt")]


@pytest.mark.parametrize("number", SIGNALS)
def test_what_waits_stays_pending_and_the_next_run_fetches_it(
    number: int, slow: Running, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    wait_until(lambda: db.frontier.count_documents({"state": "pending"}) == len(IDENTS), slow)
    slow.send_signal(number)
    _, err = ended(slow)
    assert slow.returncode == 3, err
    assert "(ended early: shutdown)" in err
    assert err.count("\n") == 1
    assert len(answered(site)) <= 3  # the list, and what was under way
    run = db.runs.find_one() or {}
    assert (run["exit_status"], run["finish_reason"]) == (3, "shutdown")
    assert db.frontier.count_documents({"state": {"$ne": "pending"}}) == 0
    assert crawl("column", url=COLUMN, IMAGES="off").returncode == 0
    assert db.articles.count_documents({}) == len(IDENTS)
    assert set(answered(site)) == {COLUMN, *map(url_of, IDENTS)}


@pytest.mark.parametrize("fault", ["hang", "slow"])
def test_response_that_does_not_end_is_cut_off(
    fault: str, site: SiteProxy, db: Database[Any], begin: Any, crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, 4774001)]])
    hanging = url_of(4774001)
    page = article(DAY, 4774001)
    site.set(
        hanging, Answer(headers={"Content-Type": "text/html"}, body=page, fault=fault, delay=600)
    )
    running = begin("column", "-a", f"url={COLUMN}")
    wait_until(lambda: hanging in site.urls(), running)
    running.terminate()
    _, err = ended(running, 60)
    assert running.returncode == 3, err
    assert db.frontier.find_one({"_id": hanging})["state"] == "pending"
    site.set(hanging, Answer(headers={"Content-Type": "text/html"}, body=page))
    assert crawl("column", url=COLUMN).returncode == 0
    assert db.articles.count_documents({}) == 1


def test_images_that_wait_leave_their_article_due(
    site: SiteProxy,
    db: Database[Any],
    mongodb_uri: str,
    database: str,
    crawl: Crawl,
    tmp_path: Path,
) -> None:
    """Its page is archived; the next run stores it with all images."""
    serve_column(site, [[(DAY, 4774001)]])
    names = [f"http://images.zjol.com.cn/a/{n}.jpg" for n in range(5)]
    images = "".join(f'<p><img src="{each}"></p>' for each in names)
    page = Answer(headers={"Content-Type": "text/html"}, body=article(DAY, 4774001, more=images))
    site.set(url_of(4774001), page)
    site.set(names[0], Answer(404, delay=600))
    running = start_scrapy(
        "crawl", "column", "-a", f"url={COLUMN}", site=site, data=tmp_path, uri=mongodb_uri, database=database,
        settings=("-sDOWNLOAD_DELAY=0", "-sAUTOTHROTTLE_ENABLED=False", "-sCONCURRENT_REQUESTS_PER_DOMAIN=1"),
    )  # fmt: skip
    wait_until(lambda: names[0] in site.urls(), running)
    running.terminate()
    _, err = ended(running, 60)
    assert running.returncode == 3, err
    assert db.articles.count_documents({}) == 0
    assert not {*names[1:]} & {*site.urls()}
    site.set(names[0], Answer(404))
    crawl("column", url=COLUMN)
    stored = db.articles.find_one() or {}
    assert [image["status"] for image in stored["images"]] == ["missing"] * 5


def test_crawl_delay_is_not_waited_for(site: SiteProxy, db: Database[Any], begin: Any) -> None:
    robots = b"User-agent: *\nCrawl-delay: 60\nAllow: /\n"
    site.set(f"{HOST}/robots.txt", Answer(body=robots))
    serve_column(site, [[(DAY, each) for each in IDENTS[:5]]])
    running = begin("column", "-a", f"url={COLUMN}")
    wait_until(lambda: db.frontier.count_documents({"state": "pending"}) == 5, running)
    running.terminate()
    ended(running, 40)
    assert running.returncode == 3
