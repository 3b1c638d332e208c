"""Parallel runs: they join, leave, die and freeze, and nothing is lost."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo.database import Database

from tests.support.crawling import Running, ended, start_scrapy, wait_until
from tests.support.crowd import (
    Begin,
    Seen,
    Troubled,
    beginner,
    columns,
    end,
    faults_of,
    ids_of,
    serve_hosts,
    stored,
)
from tests.support.goldens import FOLDERS
from tests.support.mongod import Mongod
from tests.support.replica import ReplicaSet
from tests.support.site import Answer, SiteProxy
from zjolcrawl.clock import utc_now

LATE = 0.5  # seconds that a request may be late on a busy machine
IMAGES = "images.zjol.com.cn"


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def site(seen: Seen) -> Iterator[SiteProxy]:
    with SiteProxy(FOLDERS, listener=seen.note) as proxy:
        yield proxy


def asked(site: SiteProxy) -> Counter[str]:
    return Counter(url for url in site.urls() if not url.endswith("/robots.txt"))


def reached(db: Database[Any], articles: int) -> bool:
    return db.articles.count_documents({}) >= articles


def until(db: Database[Any], articles: int, *runs: Running) -> None:
    wait_until(lambda: reached(db, articles), *runs)


def together(site: SiteProxy, db: Database[Any], *begin: Callable[[], Running]) -> list[Running]:
    """Runs that the site answers only when all of them are alive."""
    site.held = True
    runs = [each() for each in begin]
    live = {"alive_until": {"$exists": True}}
    wait_until(lambda: db.runs.count_documents(live) == len(runs), *runs)
    site.held = False
    return runs


def assert_whole(db: Database[Any], urls: Sequence[str], folder: Path) -> None:
    """Checks that there are no faults at the end and no lease is left."""
    assert faults_of(db, urls, folder) == []
    assert db.hosts.count_documents({"holder": {"$exists": True}}) == 0
    assert db.runs.count_documents({"alive_until": {"$exists": True}}) == 0


def until_held(db: Database[Any], run: Running) -> None:
    wait_until(lambda: db.hosts.count_documents({"holder": {"$exists": True}}), run)


@pytest.fixture
def listed() -> list[Any]:
    """Six columns on six hosts."""
    return columns(6)


@pytest.fixture
def run(
    site: SiteProxy, listed: list[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> Iterator[Begin]:
    with beginner(site, listed, mongodb_uri, database, tmp_path) as (begin, _):
        yield begin


def test_two_runs_ask_for_nothing_twice_and_no_host_together(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=1, on_page=20)
    site.delay = 0.3
    # Leases that do not end when a busy machine stops a process for three seconds.
    runs = together(site, db, *(partial(run, n, LEASE_SECONDS=9) for n in range(2)))
    said = end(*runs)
    assert_whole(db, urls, tmp_path)
    assert set(asked(site).values()) == {1}
    assert len(asked(site)) == len(urls) + len(listed)
    assert seen.shared() == []
    assert min(map(stored, said)) > 0
    assert sum(map(stored, said)) == len(urls)
    assert {each["finish_reason"] for each in db.runs.find()} == {"finished"}


def test_one_that_comes_late_is_left_its_share(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=2, on_page=40)
    site.delay = 0.2
    first = run(0, LEASE_SECONDS=9)
    until(db, 20, first)
    assert db.hosts.count_documents({"holder": {"$exists": True}}) == len(listed)
    site.held = True  # until the second one lives
    second = run(1, LEASE_SECONDS=9)
    wait_until(lambda: db.runs.count_documents({"alive_until": {"$exists": True}}) == 2, second)
    site.held, site.delay = False, 2.0  # until it has its share, however slow this machine is
    share = {"holder": {"$in": ids_of(db, 1)}}
    wait_until(lambda: db.hosts.count_documents(share) == len(listed) / 2, first, second)
    site.delay = 0.05
    said = end(first, second)
    assert_whole(db, urls, tmp_path)
    assert set(asked(site).values()) == {1}
    assert seen.shared() == []
    assert stored(said[1]) > 0


@pytest.mark.parametrize("less", ["pages=1", "since=2020-01-01", "until=2009-12-31"])
def test_walk_of_a_run_with_other_arguments_is_none_of_ones_own(
    less: str, site: SiteProxy, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    """The other run may have read and stored less of the list."""
    urls = serve_hosts(site, listed, pages=3, on_page=1)
    site.delay = 0.3
    first = run(0, "-a", less)
    until_held(db, first)
    end(first, run(1))
    assert db.articles.count_documents({}) == len(urls)
    assert {each["state"] for each in db.frontier.find()} == {"stored"}


def test_recheck_beside_a_plain_run_asks_for_all(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=1, on_page=2)
    end(run(2))
    seen.spans.clear()
    site.delay = 0.3
    first = run(0)
    until_held(db, first)
    end(first, run(1, "-a", "recheck=on"))
    again = {span[3] for span in seen.spans if span[2] == "run1"}
    assert set(urls) <= again


def test_one_that_is_told_to_leave_leaves_its_hosts(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=1, on_page=20)
    site.delay = 0.2
    first, second = run(0), run(1)
    until(db, 20, first, second)
    first.send_signal(signal.SIGTERM)
    first.communicate()
    end(second)
    assert_whole(db, urls, tmp_path)
    assert seen.shared() == []


def test_hosts_of_a_killed_run_are_taken_up_by_others(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=3, on_page=6)
    site.delay = 0.2
    first, second = run(0), run(1)
    until(db, 10, first, second)
    seen.stopped["run0"] = time.time()
    first.kill()
    first.communicate()
    end(second)
    # Its heartbeat has stopped; only its lease shows that.
    db.runs.update_many({}, {"$unset": {"alive_until": ""}})
    assert_whole(db, urls, tmp_path)
    assert seen.shared() == []


def test_run_that_is_killed_and_begun_again_need_not_wait_for_its_own_leases(
    site: SiteProxy, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=1, on_page=10)
    site.delay = 0.2
    first = run(0, LEASE_SECONDS=3000)
    until(db, 5, first)
    first.kill()
    first.communicate()
    end(run(0, LEASE_SECONDS=3000))  # otherwise it would not end before the test times out
    assert_whole(db, urls, tmp_path)


def test_run_that_was_frozen_finds_its_hosts_taken(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=1, on_page=20)
    site.delay = 0.3
    runs = together(site, db, *(partial(run, n, LEASE_SECONDS=6) for n in range(2)))

    def held(number: int) -> set[str]:
        return {row["_id"] for row in db.hosts.find({"holder": {"$in": ids_of(db, number)}})}

    def ready() -> list[int]:
        """The runs that have two hosts or more and a connection to each.

        A request of a first connection is sent when the run wakes.
        """
        answered = {
            (agent, urlsplit(url).hostname)
            for *_, agent, url in list(seen.spans)
            if not url.endswith("robots.txt")
        }
        return [
            number
            for number in range(2)
            if len(hosts := held(number)) >= 2
            and all((f"run{number}", host) in answered for host in hosts)
        ]

    # Either may have most of the hosts, and be giving one of them back.
    wait_until(ready, *runs)
    frozen = (ready() or [0])[0]
    seen.stopped[f"run{frozen}"] = time.time()
    runs[frozen].send_signal(signal.SIGSTOP)
    wait_until(lambda: not held(frozen), runs[1 - frozen])
    seen.woken[f"run{frozen}"] = time.time()
    runs[frozen].send_signal(signal.SIGCONT)
    said = end(*runs)
    assert_whole(db, urls, tmp_path)
    assert "was lost: another run has it now" in said[frozen]
    assert seen.shared() == []


def test_four_runs_keep_the_manners_of_each_host_and_of_the_image_host(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    image = f'<p><img src="http://{IMAGES}/a/{{}}.jpg"></p>'
    urls = serve_hosts(site, listed, pages=1, on_page=8, more=image)
    site.set(f"http://{IMAGES}/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
    site.delay = 0.2
    delay = 0.25
    settings = {
        "DOWNLOAD_DELAY": delay, "DOWNLOAD_DELAY_JITTER": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
    }  # fmt: skip
    end(*together(site, db, *(partial(run, n, **settings) for n in range(4))))
    assert db.articles.count_documents({}) == len(urls)
    hosts = seen.by_host()
    assert len(hosts) == len(listed) + 1
    for host in hosts:
        assert seen.shortest(host, 6) > 6 * delay - LATE, host
        assert seen.most_at_once(host) <= 2
    assert len(set(seen.runs(IMAGES))) >= 2  # on a busy machine a run may get no host


def test_crawl_delay_of_the_image_host_is_that_of_all_runs_together(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    image = f'<p><img src="http://{IMAGES}/a/{{}}.jpg"></p>'
    serve_hosts(site, listed, pages=1, on_page=1, more=image)
    robots = Answer(body=b"User-agent: *\nCrawl-delay: 1\nAllow: /\n")
    site.set(f"http://{IMAGES}/robots.txt", robots)
    halves = (",".join(each.id for each in listed[n::2]) for n in range(2))
    end(*together(site, db, *(partial(run, n, "-a", f"column={h}") for n, h in enumerate(halves))))
    pictures = [span for span in seen.by_host()[IMAGES] if span[3].endswith(".jpg")]
    assert len(pictures) == len(listed)
    assert {span[2] for span in pictures} == {"run0", "run1"}
    gaps = [after[0] - before[0] for before, after in pairwise(pictures)]
    assert min(gaps) > 1 - LATE, [(round(a, 2), name) for a, _, name, _ in seen.by_host()[IMAGES]]


def test_articles_by_hand_beside_each_other_take_turns(
    site: SiteProxy, seen: Seen, listed: list[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed[:1], pages=1, on_page=40)
    site.delay = 0.2
    runs = [
        start_scrapy(
            "crawl", "article", "-a", f"url={','.join(urls[number::2])}",
            site=site, data=tmp_path / str(number), uri=mongodb_uri, database=database,
            settings=(
                "-sDOWNLOAD_DELAY=0", "-sAUTOTHROTTLE_ENABLED=False", f"-sUSER_AGENT=run{number}",
                "-sCONCURRENT_REQUESTS_PER_DOMAIN=1", "-sLEASE_SECONDS=3", "-sPAGE_SECONDS=1",
            ),
        )
        for number in range(2)
    ]  # fmt: skip
    end(*runs)
    (spans,) = seen.by_host().values()
    assert len([url for *_, url in spans if url in urls]) == 40
    # The first learns of the second with its next heartbeat.
    second = min(a for a, _, agent, _ in spans if agent == "run1")
    seen.spans = [span for span in seen.spans if span[0] > second + 1.5]
    assert seen.most_at_once(next(iter(seen.by_host()))) == 1


def test_without_mongodb_a_run_stops_asking_before_its_leases_end(
    site: SiteProxy, seen: Seen, listed: list[Any], tmp_path: Path
) -> None:
    urls = serve_hosts(site, listed, pages=1, on_page=30)
    site.delay = 0.3
    lease = 2
    with (
        Mongod(tmp_path / "mongod") as server,
        beginner(site, listed, server.uri, "zjol", tmp_path) as (run, _),
    ):
        only = run(0, LEASE_SECONDS=lease, MONGODB_PATIENCE=200)
        with server.client() as client:
            until(client.zjol, 10, only)
        server.stop()
        away = time.time()
        # After the requests in progress, nothing is answered.
        wait_until(lambda: time.time() - max(span[0] for span in seen.spans) > 2 * lease, only)
        last = max(span[0] for span in seen.spans)
        assert last < away + lease
        server.start()
        end(only)
        assert max(span[0] for span in seen.spans) > last
        with server.client() as client:
            assert client.zjol.articles.count_documents({"revision": 1}) == len(urls)


def test_link_of_an_archive_without_hosts_is_asked_for(
    site: SiteProxy, listed: list[Any], db: Database[Any], run: Begin, tmp_path: Path
) -> None:
    """An archive from a version without `host` in `frontier`; rows without a valid request are reported."""
    urls = serve_hosts(site, listed, pages=1, on_page=1)
    left = serve_hosts(site, listed[:1], pages=1, on_page=3)[-1]
    row = {
        "state": "pending", "kind": "article", "attempts": 0, "columns": [listed[0].id],
        "discovered_at": utc_now(), "next_visit_at": utc_now(),
    }  # fmt: skip
    broken = "zjnews.zjol.com.cn/no/scheme"
    undated = f"http://{listed[0].site}/undated.html"
    db.frontier.insert_many([{**row, "_id": left}, {**row, "_id": broken}])
    db.command(
        "insert", "frontier", documents=[{**row, "_id": undated, "listed_at": "yesterday"}],
        bypassDocumentValidation=True,
    )  # fmt: skip
    only = run(0)
    _, err = ended(only)
    assert only.returncode == 1, err  # for the rows
    assert {left, *urls[1:]} <= {each["_id"] for each in db.articles.find()}
    rows = {each["_id"]: each for each in db.frontier.find()}
    assert rows[left]["host"] == urlsplit(left).hostname
    for each in (broken, undated):
        assert rows[each]["state"] == "rejected"
        assert "makes no request" in rows[each]["last_error"]


def test_delay_that_a_run_came_to_is_the_next_ones_too(
    site: SiteProxy, seen: Seen, listed: list[Any], db: Database[Any],
    mongodb_uri: str, database: str, tmp_path: Path,
) -> None:  # fmt: skip
    serve_hosts(site, listed[:1], pages=1, on_page=3)
    with beginner(site, listed[:1], mongodb_uri, database, tmp_path) as (run, _):
        settings = {
            "AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_START_DELAY": 0.5, "DOWNLOAD_DELAY": 0.4,
            "DOWNLOAD_DELAY_JITTER": 0,
        }  # fmt: skip
        end(run(0, **settings))
        (row,) = (each for each in db.hosts.find() if each["_id"] == listed[0].site)
        assert 0.4 <= row["delay"] < 0.5
        db.hosts.update_one({"_id": row["_id"]}, {"$set": {"delay": 1.5}})
        seen.spans.clear()
        end(run(0, name="again", **settings))
        robots, first, *_ = seen.by_host()[listed[0].site]
        assert (
            first[0] - robots[0] > 0.5
        )  # half the delay, because the response came at once; otherwise 0.4


@pytest.mark.slow
def test_kills_a_step_down_and_a_freeze_in_one_crawl(
    site: SiteProxy, seen: Seen, database: str, tmp_path: Path
) -> None:
    listed = columns(12)
    urls = serve_hosts(site, listed, pages=3, on_page=6)
    site.delay = 0.4
    chance = random.Random(time.time_ns())
    with ReplicaSet(tmp_path / "rs") as mongodb, mongodb.client() as client:
        db = client[database]
        with beginner(site, listed, mongodb.uri, database, tmp_path) as (begin, running):
            crowd = Troubled(seen, db, begin, running, 4, LEASE_SECONDS=5)

            def trouble(does: Callable[[int], None]) -> None:
                does(chance.choice(sorted(crowd.running)))

            troubles = [
                lambda: trouble(crowd.kill), lambda: trouble(crowd.kill),
                lambda: trouble(crowd.freeze), mongodb.step_down,
            ]  # fmt: skip
            chance.shuffle(troubles)
            marks = sorted(chance.sample(range(5, len(urls) * 3 // 4), len(troubles)))
            for mark, happens in zip(marks, troubles, strict=True):
                crowd.wait_until(partial(reached, db, mark))
                happens()
            end(*crowd.running.values())
            assert_whole(db, urls, tmp_path)
    assert seen.shared() == []
