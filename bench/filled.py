"""Measures how the cost of a page grows with the number of articles already stored.

python -m bench.filled [ARTICLES [ROUNDS [STORED …]]]     1500 5 3000 100000 1000000

Crawls into databases of different sizes take turns. The databases are synthetic archives
(tests.support.archives); what a crawl adds is removed after it. Filling 100,000 takes a minute or
two and 0.7 GB of disk.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from functools import partial

from bench.crawls import ours
from bench.rig import Rig, rigged
from bench.site import COLUMN
from bench.timed import Figures
from bench.turns import in_turns, progress, spread, table, versions
from tests.support.archives import fill

_SERVING = "gzip+charset"
_OWN = {"$gte": COLUMN, "$lt": COLUMN[:-1] + "0"}  # the sign after /


def report(articles: int = 1500, rounds: int = 5, *stored: int) -> str:
    """A table with a row per number of stored articles."""
    numbers = stored or (3_000, 100_000, 1_000_000)
    with rigged(articles, _SERVING) as rig:
        for number in numbers:
            with rig.client() as client:
                fill(client[f"n{number}"], number)
            progress(f"{number:,} articles are stored")
        figures = in_turns({number: partial(crawl, rig, number) for number in numbers}, rounds)
        pages = rig.pages
    seconds = {number: [f.seconds for f in some] for number, some in figures.items()}
    cpu = {number: [f.cpu for f in some] for number, some in figures.items()}
    rows = [
        [
            f"{number:,}", f"{pages / statistics.median(seconds[number]):.0f}",
            spread(seconds[number], seconds[numbers[0]]), spread(cpu[number], cpu[numbers[0]]),
        ]
        for number in numbers
    ]  # fmt: skip
    heads = ["articles stored before", "pages/s", "time ÷ the first", "CPU time ÷ the first"]
    return (
        f"Crawls of {articles:,} articles, medians of {rounds} rounds (least–greatest), "
        f"{versions('scrapy', 'pymongo')}\n\n{table(heads, rows)}"
    )


def crawl(rig: Rig, number: int) -> Figures:
    """Crawl into the database with this many articles, then remove what it added."""
    figures = ours(rig.proxies[_SERVING], rig.mongodb, rig.data, MONGODB_DATABASE=f"n{number}")
    shutil.rmtree(rig.data)
    with rig.client() as client:
        db = client[f"n{number}"]
        taken = db["articles"].delete_many({"_id": _OWN}).deleted_count
        db["frontier"].delete_many({"_id": _OWN})
        db["columns"].delete_one({"url": COLUMN})
    if taken != rig.articles:
        raise RuntimeError(f"{taken} of {rig.articles} articles stored")
    return figures


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
