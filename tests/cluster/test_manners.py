"""What a host sees of several workers: no more than it would see of one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cluster.conftest import Worker, end
from tests.cluster.servers import RedisServer, needs_redis
from tests.support.crawling import QUICK, Running, start_scrapy
from tests.support.goldens import FOLDERS
from tests.support.pages import COLUMN, DAY, HOST, serve_column, url_of
from tests.support.site import Answer, Request, SiteProxy

pytestmark = needs_redis
IDENTS = range(4774001, 4774049)
# A request is sent when its turn is given, and arrives when the machine comes to it.
LATE = 0.15


@pytest.fixture
def answered() -> list[tuple[float, float, str]]:
    """When each request came and was answered, and its URL; filled by `site`."""
    return []


@pytest.fixture
def site(answered: list[tuple[float, float, str]]) -> Iterator[SiteProxy]:
    def note(request: Request) -> None:
        answered.append((request.time, time.time(), request.url))

    with SiteProxy(FOLDERS, listener=note) as proxy:
        proxy.set(f"{HOST}/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
        idents = list(IDENTS)
        serve_column(
            proxy, [[(DAY, each) for each in idents[n : n + 12]] for n in range(0, len(idents), 12)]
        )
        yield proxy


def most_at_once(answered: list[tuple[float, float, str]]) -> int:
    changes = sorted(each for a, b, _ in answered for each in ((a, 1), (b, -1)))
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def assert_all_asked_for_once(answered: list[tuple[float, float, str]]) -> None:
    urls = [url for _, _, url in answered if not url.endswith("/robots.txt")]
    assert sorted(urls) == sorted(
        [COLUMN, *(f"{COLUMN}index_{n}.shtml" for n in (1, 2, 3)), *map(url_of, IDENTS)]
    )


def test_four_workers_keep_the_concurrency_of_a_host(
    site: SiteProxy, worker: Worker, answered: list[tuple[float, float, str]]
) -> None:
    site.delay = 0.3
    workers = [worker(n, CONCURRENT_REQUESTS_PER_DOMAIN=3) for n in range(4)]
    told = end(*workers)
    assert most_at_once(answered) == 3  # all of it is used, and no more
    assert_all_asked_for_once(answered)
    stored = [int(err.partition("stored ")[2].split()[0]) for err in told]
    assert sum(stored) == len(IDENTS)
    assert sum(count > 0 for count in stored) >= 3  # it was a crowd


def test_four_workers_keep_the_rate_of_a_host(
    site: SiteProxy, worker: Worker, answered: list[tuple[float, float, str]]
) -> None:
    delay = 0.25
    workers = [worker(n, DOWNLOAD_DELAY=delay, CONCURRENT_REQUESTS_PER_DOMAIN=4) for n in range(4)]
    end(*workers)
    came = sorted(a for a, _, _ in answered)
    assert min(b - a for a, b in pairwise(came)) > delay - LATE
    for n in range(len(came) - 20):  # over a while it is exact
        assert came[n + 20] - came[n] > 20 * delay - LATE
    assert_all_asked_for_once(answered)


def test_delay_of_all_follows_the_latency(
    site: SiteProxy, worker: Worker, answered: list[tuple[float, float, str]]
) -> None:
    """AutoThrottle with a target of one: a host that takes 0.5 s is asked twice a second."""
    site.delay = 0.5
    workers = [
        worker(
            n, "-a", "pages=1", AUTOTHROTTLE_ENABLED="True", AUTOTHROTTLE_START_DELAY=0.1,
            CONCURRENT_REQUESTS_PER_DOMAIN=4,
        )
        for n in range(2)
    ]  # fmt: skip
    end(*workers)
    came = sorted(a for a, _, _ in answered)
    assert len(came) >= 14
    assert came[-1] - came[-9] > 8 * 0.5 - LATE


def test_other_crawls_wait_for_their_turns_too(
    redis: RedisServer, site: SiteProxy, answered: list[tuple[float, float, str]],
    mongodb_uri: str, database: str, tmp_path: Path,
) -> None:  # fmt: skip
    """`crawl article` shares no work, and keeps the same manners."""
    site.delay = 0.2

    def begin(number: int) -> Running:
        urls = ",".join(url_of(each) for each in list(IDENTS)[number::2][:8])
        return start_scrapy(
            "crawl", "article", "-a", f"url={urls}",
            site=site, data=tmp_path / f"data{number}", uri=mongodb_uri, database=database,
            settings=(
                *QUICK, f"-sREDIS_URL={redis.url}", "-sCONCURRENT_REQUESTS_PER_DOMAIN=1",
            ),
        )  # fmt: skip

    workers = [begin(0), begin(1)]
    end(*workers)
    assert len([url for _, _, url in answered if url.endswith(".shtml")]) == 16
    assert most_at_once(answered) == 1
