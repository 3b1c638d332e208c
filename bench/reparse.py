"""Compares `reparse` in one process, in two processes, and the crawl that made the archive.

python -m bench.reparse [ARTICLES [ROUNDS]]     3000 5

The site is crawled once. Then these take turns on that archive and database: `reparse` in one
process, in two (`part=1/2` and `part=2/2`), and a crawl of the site into another database and
folder. The processor time that one process and MongoDB use together limits what a second process
can gain. Before each `reparse` every article's `parser.version` is set to 0, so that each version
counts as parsed differently and is rewritten, as after a change of the parser. None updates the
full-text index, which only one process does however many write. A rate is pages divided by the time
from the first process's first capture until the last process's engine has stopped.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

from bench.crawls import ours
from bench.rig import Rig, rigged
from bench.timed import Figures
from bench.turns import in_turns, spread, table, versions

_SERVING = "gzip+charset"


def report(articles: int = 3000, rounds: int = 5) -> str:
    """A table with a row per contender."""
    with rigged(articles, _SERVING) as rig:
        rig.crawl(_SERVING)
        contenders = {
            "one process": lambda: reread(rig, 1),
            "two processes": lambda: reread(rig, 2),
            "the crawl": lambda: crawl_again(rig),
        }
        turns = in_turns(contenders, rounds)
    rates = {name: [turn.rate for turn in each] for name, each in turns.items()}
    rows = [
        [
            name, f"{statistics.median(each):.0f}", spread(each, rates["one process"]),
            spread(each, rates["the crawl"]),
        ]
        for name, each in rates.items()
    ]  # fmt: skip
    alone = [turn.cpu for turn in turns["one process"]]
    both = [turn.cpu + turn.mongodb for turn in turns["one process"]]
    cores = len(os.sched_getaffinity(0))
    bound = statistics.median(
        cores / (each * rate) for each, rate in zip(both, rates["one process"], strict=True)
    )
    return (
        f"{articles:,} articles, medians of {rounds} rounds (least–greatest), {versions('scrapy', 'pymongo')}\n\n"
        + table(["", "pages/s", "÷ one process", "÷ the crawl"], rows)
        + f"\n\nOne process takes {1000 * statistics.median(alone):.2f} ms of processor time a page, with"
        f" MongoDB {1000 * statistics.median(both):.2f} ms: {cores} processors allow {bound:.2f} times its rate"
        " at the most."
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """One contender's turn: `rate` in pages per second, processor seconds per page.

    `cpu` is that of the processes, `mongodb` that of the server.
    """

    rate: float
    cpu: float = 0.0
    mongodb: float = 0.0


def reread(rig: Rig, parts: int) -> Turn:
    """Re-parse with this many processes. Raises RuntimeError."""
    with rig.client() as client:
        db = client["zjol"]
        db["articles"].update_many({}, {"$set": {"parser.version": 0}})
        before = _server_cpu(client)
        with ThreadPoolExecutor(parts) as pool:
            figures = list(pool.map(lambda number: _part(rig, number, parts), range(1, parts + 1)))
        mongodb = _server_cpu(client) - before
        if left := db["articles"].count_documents({"parser.version": 0}):
            raise RuntimeError(f"{left} articles were not read anew")
    seconds = max(f.began + f.seconds for f in figures) - min(f.began for f in figures)
    cpu = sum(f.cpu for f in figures)
    return Turn(rig.pages / seconds, cpu / rig.pages, mongodb / rig.pages)


def _server_cpu(client: MongoClient[dict[str, Any]]) -> float:
    """Seconds of processor time used by the server so far."""
    told = client.admin.command("serverStatus")["extra_info"]
    return float(told["user_time_us"] + told["system_time_us"]) / 1e6


def _part(rig: Rig, number: int, parts: int) -> Figures:
    command = ["crawl", "reparse", *(["-a", f"part={number}/{parts}"] if parts > 1 else [])]
    return ours("", rig.mongodb, rig.data, command)


def crawl_again(rig: Rig, **settings: str) -> Turn:
    """Crawl into another database and folder."""
    data = rig.folder / "again"
    with rig.client() as client:
        figures = ours(
            rig.proxies[_SERVING], rig.mongodb, data, MONGODB_DATABASE="again", **settings
        )
        client.drop_database("again")
    shutil.rmtree(data)
    return Turn(rig.pages / figures.seconds)


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
