"""Measures the JSON API with one client and with many at once.

python -m bench.api [ARTICLES [REQUESTS [CLIENTS]]]     default 20,000 300 50

Each client asks mixed questions (searches, lists, articles, versions, counts), the same for any number of clients.
"one": one client, one question after the other. "at once": all clients send their next question when they have the
answer, so the server never idles; with N clients and one processor their times are N times one client's by
Little's law. "paced": each client waits a second between two questions, as people and polite programs do. The
figures are percentiles over all requests, the ratios to those of one client, and the server's peak memory.
"""

from __future__ import annotations

import http.client
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from pymongo import MongoClient

from tests.support.archives import fill
from tests.web.serving import browsing
from zjolcrawl.storage.embedded import EmbeddedServer

_WORDS = ("浙江", "环境保护 督察", "杭州 发展", "鹿城区", "西湖", "title:杭州", "by:江帆")
_COLUMNS = ("zjxw", "zjxc")
PAUSE = 1.0
"""Seconds between two questions of a paced client, on average."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds of each request, sorted, and how long all took together."""

    taken: list[float]
    whole: float

    def at(self, share: float) -> float:
        """A percentile in milliseconds."""
        return self.taken[min(len(self.taken) - 1, int(share * len(self.taken)))] * 1e3


def targets(urls: list[str], seed: int) -> Iterator[str]:
    """Endless questions."""
    chance = random.Random(seed)
    while True:
        word, column, url = chance.choice(_WORDS), chance.choice(_COLUMNS), chance.choice(urls)
        day = f"2016-{chance.randint(1, 12):02}-01"
        path, asked = chance.choice(
            (
                ("search", {"words": word}), ("search", {"words": word, "column": column, "since": day}),
                ("articles", {"column": column}), ("articles", {"since": day, "limit": 50}),
                ("article", {"url": url}), ("revisions", {"url": url}), ("counts", {"words": word}),
            )
        )  # fmt: skip
        yield f"/api/v1/{path}?{urlencode(asked)}"


def client(
    netloc: str, asked: Iterator[str], requests: int, pauses: random.Random | None
) -> list[float]:
    """Seconds of each request of one client; with `pauses` it waits before each."""
    connection = http.client.HTTPConnection(netloc, timeout=300)
    taken = []
    for _ in range(requests):
        if pauses:
            time.sleep(pauses.uniform(0.5, 1.5) * PAUSE)
        begun = time.perf_counter()
        connection.request("GET", next(asked))
        answer = connection.getresponse()
        body = answer.read()
        taken.append(time.perf_counter() - begun)
        assert answer.status == 200, body
    connection.close()
    return taken


def measured(
    netloc: str, urls: list[str], clients: int, requests: int, *, paced: bool = False
) -> Figures:
    """The figures of this many clients, who send `requests` together."""
    each = max(1, requests // clients)
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        futures = [
            pool.submit(
                client, netloc, targets(urls, seed), each, random.Random(seed) if paced else None
            )
            for seed in range(clients)
        ]
        taken = sorted(second for future in futures for second in future.result())
    return Figures(taken, time.perf_counter() - begun)


def peak(pid: int) -> int:
    """The peak memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1000


def main(articles: int = 20_000, requests: int = 300, clients: int = 50) -> None:
    """Print a row for one client, for all at once, and for all at a pace."""
    with tempfile.TemporaryDirectory() as scratch, EmbeddedServer.acquire(Path(scratch)) as server:
        with MongoClient[dict[str, Any]](server.uri, tz_aware=True) as db:
            fill(db["zjol"], articles)
            urls = [each["_id"] for each in db["zjol"].articles.find({}, {"_id": 1}).limit(2000)]
        with browsing(Path(scratch), server.uri, "zjol") as (web, running):
            while web.get(
                "/api/v1/search?words=by:江帆".replace("江帆", "%E6%B1%9F%E5%B8%86")
            ).text.startswith('{"articles":[]'):
                time.sleep(1)  # until the index is built
            netloc = urlsplit(web.url).netloc
            measured(netloc, urls, 1, 50)
            print(
                "| clients | requests/s | median, ms | p95, ms | ÷ one client's p95 | peak memory, MB |\n|---|---|---|---|---|---|"
            )
            one = measured(netloc, urls, 1, requests)
            _row("1", one, one, running.pid)
            _row(
                f"{clients} at once",
                measured(netloc, urls, clients, requests * 2),
                one,
                running.pid,
            )
            _row(
                f"{clients}, paced",
                measured(netloc, urls, clients, clients * 6, paced=True),
                one,
                running.pid,
            )


def _row(name: str, found: Figures, one: Figures, pid: int) -> None:
    print(
        f"| {name} | {len(found.taken) / found.whole:.0f} | {found.at(0.5):.1f} | {found.at(0.95):.1f} | "
        f"{found.at(0.95) / one.at(0.95):.1f} | {peak(pid)} |",
        flush=True,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
