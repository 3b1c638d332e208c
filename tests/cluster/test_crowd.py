"""Workers that share a crawl: they join, end, leave and die at will, and nothing is lost."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.cluster.conftest import Worker, end
from tests.cluster.servers import RedisServer, needs_redis
from tests.support.crawling import Running, ended, wait_until
from tests.support.pages import COLUMN, DAY, serve_column, url_of
from tests.support.site import SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.warc import Pointer

pytestmark = needs_redis
IDENTS = range(4774001, 4774121)
QUICK = {"REDIS_LEASE": 3, "MONGODB_BATCH_SECONDS": 0.5, "CONCURRENT_REQUESTS_PER_DOMAIN": 8}


@pytest.fixture
def site(site: SiteProxy) -> SiteProxy:
    """120 articles on six pages, slow enough for something to happen in between."""
    idents = list(IDENTS)
    serve_column(
        site, [[(DAY, each) for each in idents[n : n + 20]] for n in range(0, len(idents), 20)]
    )
    site.delay = 0.2
    return site


def asked(site: SiteProxy) -> Counter[str]:
    return Counter(url for url in site.urls() if not url.endswith("/robots.txt"))


def until(db: Database[Any], stored: int, *workers: Running) -> None:
    """Waits until so many articles are stored."""
    wait_until(lambda: db.articles.count_documents({}) >= stored, *workers, seconds=60)


def assert_whole(db: Database[Any], idents: Sequence[int], *folders: Path) -> None:
    """Every article once, each link stored, each record in one of the archives."""
    documents = list(db.articles.find())
    assert {d["_id"] for d in documents} == set(map(url_of, idents))
    assert {d["revision"] for d in documents} == {1}
    assert db.revisions.count_documents({}) == 0
    assert Counter(row["state"] for row in db.frontier.find()) == {"stored": len(idents)}
    (column,) = db.columns.find()
    assert "walk_open_since" not in column
    assert column["pages_seen"] == len(idents) / 20
    archives = [Archive(each / "warc") for each in folders if (each / "warc").is_dir()]
    for document in documents:
        (home,) = (a for a in archives if (a.folder / document["warc"]["file"]).exists())
        record = home.read(Pointer(**document["warc"]))
        assert f"第{document['doc_id']}篇".encode() in record.block
    for each in archives:
        each.close()


def test_two_workers_ask_for_nothing_twice(
    site: SiteProxy, db: Database[Any], worker: Worker, tmp_path: Path
) -> None:
    """On one machine they may have one archive, each from a folder of its own."""
    (tmp_path / "warc").mkdir()
    for n in range(2):
        (tmp_path / f"worker{n}").mkdir()
        (tmp_path / f"worker{n}" / "warc").symlink_to(tmp_path / "warc")
    told = end(*(worker(n, **QUICK) for n in range(2)))
    assert set(asked(site).values()) == {1}
    assert len(asked(site)) == 126
    assert_whole(db, IDENTS, tmp_path)
    stored = [int(err.partition("stored ")[2].split()[0]) for err in told]
    assert min(stored) > 5  # on a busy machine one of them may be up late
    assert sum("1 columns, 6 pages" in err for err in told) == 1
    runs = list(db.runs.find())
    assert [run["exit_status"] for run in runs] == [0, 0]
    assert {run["finish_reason"] for run in runs} == {"finished"}


def test_one_that_comes_late_works_and_one_that_is_told_to_leave_leaves_its_work(
    site: SiteProxy, db: Database[Any], worker: Worker, tmp_path: Path
) -> None:
    first = worker(0, **QUICK)
    until(db, 10, first)
    second = worker(1, **QUICK)
    until(db, 40, first, second)
    first.send_signal(signal.SIGTERM)
    (told,) = end(second)
    ended(first)
    assert first.returncode == 1  # it was cut off
    assert int(told.partition("stored ")[2].split()[0]) > 20
    assert_whole(db, IDENTS, tmp_path / "worker0", tmp_path / "worker1")
    assert {n for url, n in asked(site).items() if "/t2017" in url} == {1}


def test_what_a_killed_worker_held_is_done_by_others(
    site: SiteProxy, db: Database[Any], worker: Worker, tmp_path: Path
) -> None:
    """The first is the leader and walks the column: both are taken over."""
    first = worker(0, **QUICK)
    until(db, 10, first)
    second = worker(1, **QUICK)
    until(db, 30, first, second)
    first.kill()
    first.communicate()
    end(second)
    assert_whole(db, IDENTS, tmp_path / "worker0", tmp_path / "worker1")


def test_a_worker_that_was_taken_for_dead_and_is_not(
    site: SiteProxy, db: Database[Any], worker: Worker, tmp_path: Path
) -> None:
    workers = [worker(n, **QUICK) for n in range(2)]
    until(db, 30, *workers)
    workers[0].send_signal(signal.SIGSTOP)
    time.sleep(5)
    workers[0].send_signal(signal.SIGCONT)
    end(*workers)
    assert_whole(db, IDENTS, tmp_path / "worker0", tmp_path / "worker1")


def test_a_redis_that_comes_back_empty_gets_its_work_from_the_frontier(
    site: SiteProxy, db: Database[Any], worker: Worker, tmp_path: Path, redis: RedisServer
) -> None:
    workers = [worker(n, **QUICK) for n in range(2)]
    until(db, 20, *workers)
    redis.kill()
    time.sleep(1)
    redis.start()
    told = end(*workers)
    assert all("Redis is back and had forgotten us" in err for err in told)
    assert_whole(db, IDENTS, tmp_path / "worker0", tmp_path / "worker1")


def test_a_redis_that_stays_away_ends_the_run_with_1(
    site: SiteProxy, db: Database[Any], worker: Worker, redis: RedisServer
) -> None:
    only = worker(0, **QUICK, MONGODB_PATIENCE=2)
    until(db, 10, only)
    redis.kill()
    (told,) = end(only, status=1)
    assert "zjolcrawl: Redis was lost: " in told
    states = {row["state"] for row in db.frontier.find()}
    assert states == {"stored", "pending"}
    redis.start()
    end(worker(1, **QUICK))
    assert db.articles.count_documents({}) == len(IDENTS)


def test_a_crowd_that_is_gone_is_forgotten(
    site: SiteProxy, db: Database[Any], worker: Worker, tmp_path: Path
) -> None:
    first = worker(0, **QUICK)
    until(db, 10, first)
    first.kill()
    first.communicate()
    time.sleep(4)
    end(worker(1, **QUICK))
    assert_whole(db, IDENTS, tmp_path / "worker0", tmp_path / "worker1")
    site.reset_log()
    end(worker(2, **QUICK))  # nothing new
    assert asked(site) == {COLUMN: 1}
