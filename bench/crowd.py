"""Measures how two parallel runs scale on twelve slow hosts; tests parallel runs under failures.

python -m bench.crowd [ARTICLES [SECONDS]]              3000 0.8
python -m bench.crowd kills [ARTICLES [KILLS [RUNS]]]   3000 5 4

Both use a replica set of three. The site has twelve hosts with a column each and answers each
request after SECONDS, like a distant or slow server. A run keeps 8 requests open
(CONCURRENT_REQUESTS), two per host, so that limit bounds one run and not its processor. On a
two-core machine that also serves the site and the database, only then can a second run show the
cost of sharing.

The first form exits with status 1 unless two runs are at least 1.9 times as fast as one, every
article is stored once, nothing was requested twice, and no host was requested by two runs at a
time. The rate is measured at the web server: articles between its first and last article request,
so start and end of the processes do not count.

The second form kills runs (SIGKILL; each is restarted on its folder, as a supervisor would),
freezes one past its lease (SIGSTOP) and resumes it, and makes the primary step down, all at random
moments of one crawl. It exits with status 1 unless every article is stored once, every link is
`stored`, every `warc` pointer leads to the served bytes, and no host was requested by two runs at a
time, except for the open requests of a killed or frozen run.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.crawling import Running, ended, wait_until
from tests.support.crowd import Begin, Seen, Troubled, beginner, columns, faults_of, serve_hosts
from tests.support.replica import ReplicaSet
from tests.support.site import SiteProxy

LEAST = 1.9
_HOSTS, _ON_PAGE = 12, 25
_SLOW = {
    "CONCURRENT_REQUESTS": 8,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
    "LEASE_SECONDS": 5,
    "PAGE_SECONDS": 2,
}


def crawl(seen: Seen, begin: Begin, db: Any, urls: list[str], runs: int) -> tuple[float, list[str]]:
    """Articles per second of `runs` parallel runs, and the faults found."""
    seen.spans.clear()
    faults = []
    for each in [begin(10 * runs + number, **_SLOW) for number in range(runs)]:
        _, err = ended(each, 3600)
        faults += [err] if each.returncode else []
    times = sorted(span[0] for span in seen.spans if "/t2017" in span[3])
    rate = (len(times) - 1) / (times[-1] - times[0])
    asked = Counter(span[3] for span in seen.spans)
    faults += [f"{url}: {n} times" for url, n in asked.items() if n > 1 and "/robots" not in url]
    faults += seen.shared()
    if (stored := db.articles.count_documents({"revision": 1})) != len(urls):
        faults.append(f"{stored} articles of {len(urls)}")
    print(f"{runs} runs: {rate:.1f} articles a second", flush=True)
    return rate, faults


def main(articles: int = 3000, seconds: float = 0.8) -> int:
    """Print the rates and their ratio; returns the exit status."""
    seen, listed, rates, faults = Seen(), columns(_HOSTS), [], list[str]()
    pages = articles // (_HOSTS * _ON_PAGE)
    with (
        tempfile.TemporaryDirectory() as name,
        ReplicaSet(Path(name) / "rs") as mongodb,
        mongodb.client() as client,
        SiteProxy(Path(name) / "site", listener=seen.note) as site,
    ):
        urls = serve_hosts(site, listed, pages, _ON_PAGE)
        site.delay = seconds
        for runs in (1, 2):
            with beginner(site, listed, mongodb.uri, f"zjol{runs}", Path(name)) as (begin, _):
                rate, wrong = crawl(seen, begin, client[f"zjol{runs}"], urls, runs)
            rates.append(rate)
            faults += wrong
    ratio = rates[1] / rates[0]
    print(
        "\n".join(faults[:20])
        or "each page asked for once, each article stored once, no host by two at a time"
    )
    print(f"two runs are {ratio:.2f} times one")
    return 1 if faults or ratio < LEAST else 0


def kills(articles: int = 3000, deaths: int = 5, runs: int = 4) -> int:
    """Print each failure and the verdict; returns the exit status."""
    seed = time.time_ns()
    chance = random.Random(seed)
    print(f"{articles} articles, {runs} runs, {deaths} kills, seed {seed}", flush=True)
    seen, listed = Seen(), columns(_HOSTS)
    with (
        tempfile.TemporaryDirectory() as name,
        ReplicaSet(Path(name) / "rs") as mongodb,
        mongodb.client() as client,
        SiteProxy(Path(name) / "site", listener=seen.note) as site,
        beginner(site, listed, mongodb.uri, "zjol", Path(name)) as (begin, begun),
    ):
        db = client["zjol"]
        urls = serve_hosts(site, listed, articles // (_HOSTS * _ON_PAGE), _ON_PAGE)
        site.delay = 0.3
        settings = {**_SLOW, "CONCURRENT_REQUESTS": 16}
        crowd = Troubled(seen, db, begin, begun, runs, **settings)

        def kill(number: int) -> str:
            crowd.kill(number)
            return f"run {number} killed"

        def freeze(number: int) -> str:
            crowd.freeze(number, seconds=120)
            return f"run {number} frozen until others had its hosts"

        def step_down(_: int) -> str:
            mongodb.step_down()
            return "primary stepped down"

        troubles = [*[kill] * deaths, freeze, step_down]
        chance.shuffle(troubles)
        # Not at the very end, where a crawl may be over before the trouble comes.
        marks = sorted(chance.sample(range(len(urls) // 50, len(urls) * 8 // 10), len(troubles)))
        for mark, trouble in zip(marks, troubles, strict=True):
            wait_until(lambda mark=mark: db.articles.count_documents({}) >= mark, seconds=600)  # type: ignore[misc]
            number = chance.choice([n for n, each in crowd.running.items() if each.poll() is None])
            print(f"{mark} articles stored: {trouble(number)}", flush=True)
        bad = sum(_said(each) for each in crowd.running.values())
        faults = faults_of(db, urls, Path(name)) + seen.shared()
    print(f"{sum('/t2017' in span[3] for span in seen.spans)} requests for {len(urls)} articles")
    print("\n".join(faults[:20]) or f"whole: {len(urls)} articles once each, all records right")
    return 1 if faults or bad else 0


def _said(run: Running) -> bool:
    _, err = ended(run, 600)
    print(f"exit status {run.returncode}: {err.strip().splitlines()[-1]}")
    return run.returncode != 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["kills"]:
        sys.exit(kills(*map(int, sys.argv[2:])))
    sys.exit(main(*(int(each) if each.isdigit() else float(each) for each in sys.argv[1:])))  # type: ignore[arg-type]
