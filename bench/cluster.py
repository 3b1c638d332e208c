"""How much faster two workers are than one, on a far site.

python -m bench.cluster [ARTICLES [SECONDS]]

The site answers each request after SECONDS (0.8), as one does that is far or slow, and allows 32
requests at once (CONCURRENT_REQUESTS_PER_DOMAIN, of all workers together). A worker keeps 8 requests
under way (CONCURRENT_REQUESTS), so one can get 10 pages a second and is bound by that, not by its CPU: on
a machine of two cores, which also serve the site and both databases, that is where a second one can
show what sharing costs. On a machine that has other work, make the site slower. What does not grow is told too: the CPU time a page, of a process by itself and of
a worker.

The rate is the web's: articles between its first and its last request for one, so start and end of
the processes do not count. Ends with status 1 unless two are at least 1.8 times one, every article is
stored once, and none was asked for twice.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.crawls import begin
from bench.site import build
from tests.cluster.servers import RedisServer
from tests.support.site import SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

LEAST = 1.8
_FAR = {"CONCURRENT_REQUESTS": "8", "CONCURRENT_REQUESTS_PER_DOMAIN": "32"}


def crawl(
    folder: Path, site: SiteProxy, mongodb: str, articles: int, *, workers: int, redis: str
) -> tuple[float, list[str]]:
    """Articles a second, and what was wrong; without `redis` a process by itself."""
    site.reset_log()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    name = f"w{workers}{'r' if redis else ''}"
    running = [
        begin(
            site.url, mongodb, folder / f"{name}-{number}",
            **_FAR, REDIS_URL=redis, MONGODB_DATABASE=name,
        )
        for number in range(workers)
    ]  # fmt: skip
    faults = []
    for each in running:
        _, err = each.communicate()
        faults += [err] if each.returncode else []
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    asked = [request for request in site.requests if "/t2017" in request.url]
    times = sorted(request.time for request in asked)
    rate = (len(times) - 1) / (times[-1] - times[0])
    faults += [f"{url}: {n} times" for url, n in Counter(r.url for r in asked).items() if n > 1]
    with MongoClient[dict[str, Any]](mongodb) as client:
        stored = client[name].articles.count_documents({})
        if stored != articles or client[name].revisions.count_documents({}):
            faults.append(f"{stored} articles of {articles}, or revisions")
    told = f"{workers} workers" if redis else "a process by itself"
    print(
        f"{told}: {rate:.1f} articles a second, {seconds:.0f} s in all, "
        f"{1000 * cpu / articles:.1f} ms of CPU an article with all start-ups, {len(asked)} asked for",
        flush=True,
    )
    return rate, faults


def main(articles: int = 3000, seconds: float = 0.8) -> int:
    """Print the rates and their ratio."""
    with (
        tempfile.TemporaryDirectory() as name,
        EmbeddedServer.acquire(Path(name)) as server,
        RedisServer(Path(name) / "redis") as redis,
    ):
        folder = Path(name)
        build(folder / "site", articles)
        with SiteProxy(folder / "site") as site:
            site.delay = seconds
            rates, faults = [], list[str]()
            for workers, url in ((1, ""), (1, redis.url), (2, redis.url)):
                rate, wrong = crawl(folder, site, server.uri, articles, workers=workers, redis=url)
                rates.append(rate)
                faults += wrong
    ratio = rates[2] / rates[1]
    print("\n".join(faults[:20]) or "each article asked for once, each stored once")
    print(f"two workers are {ratio:.2f} times one; a worker is {rates[1] / rates[0]:.2f} times a process by itself")  # fmt: skip
    return 1 if faults or ratio < LEAST else 0


if __name__ == "__main__":
    sys.exit(main(*(int(each) if each.isdigit() else float(each) for each in sys.argv[1:])))  # type: ignore[arg-type]
