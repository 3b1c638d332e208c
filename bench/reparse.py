"""Reading the archive anew: one process, two side by side, and the crawl that made it.

python -m bench.reparse [ARTICLES [ROUNDS]]     3000 5

The site is crawled once. Then each takes its turn on that archive and database: `reparse` in one process,
in two (`part=1/2` and `part=2/2`), and crawls of the site into another database and folder: as shipped,
where a second process reads the pages, and with PARSER_PROCESSES=0. Before each re-read every article's
`parser.version` is set to 0, so that each version is found to be read otherwise and is written anew, as
after a change of the parser. None indexes the texts, which is one process's work however many write. A rate
is pages by the time from the first process's first capture until the last process's engine has stopped.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor

from bench.crawls import ours
from bench.rig import Rig, rigged
from bench.timed import Figures
from bench.turns import in_turns, spread, table, versions

_SERVING = "gzip+charset"
ALONE = "the crawl in one process"


def report(articles: int = 3000, rounds: int = 5) -> str:
    """A table with a row for each."""
    with rigged(articles, _SERVING) as rig:
        rig.crawl(_SERVING)
        contenders = {
            "one process": lambda: reread(rig, 1),
            "two processes": lambda: reread(rig, 2),
            "the crawl": lambda: crawl_again(rig),
            ALONE: lambda: crawl_again(rig, PARSER_PROCESSES="0"),
        }
        rates = in_turns(contenders, rounds)
    rows = [
        [
            name, f"{statistics.median(each):.0f}", spread(each, rates["one process"]),
            spread(each, rates["the crawl"]), spread(each, rates[ALONE]),
        ]
        for name, each in rates.items()
    ]  # fmt: skip
    return (
        f"{articles:,} articles, medians of {rounds} rounds (least–greatest), {versions('scrapy', 'pymongo')}\n\n"
        + table(["", "pages/s", "÷ one process", "÷ the crawl", f"÷ {ALONE}"], rows)
    )


def reread(rig: Rig, parts: int) -> float:
    """Pages a second of so many processes together. Raises RuntimeError."""
    with rig.client() as client:
        db = client["zjol"]
        db["articles"].update_many({}, {"$set": {"parser.version": 0}})
        db["search_queue"].delete_many({})
        with ThreadPoolExecutor(parts) as pool:
            figures = list(pool.map(lambda number: _part(rig, number, parts), range(1, parts + 1)))
        if left := db["articles"].count_documents({"parser.version": 0}):
            raise RuntimeError(f"{left} articles were not read anew")
    seconds = max(f.began + f.seconds for f in figures) - min(f.began for f in figures)
    return rig.pages / seconds


def _part(rig: Rig, number: int, parts: int) -> Figures:
    command = ["crawl", "reparse", *(["-a", f"part={number}/{parts}"] if parts > 1 else [])]
    return ours("", rig.mongodb, rig.data, command)


def crawl_again(rig: Rig, **settings: str) -> float:
    """Pages a second of a crawl that leaves the archive and the database alone."""
    data = rig.folder / "again"
    with rig.client() as client:
        figures = ours(
            rig.proxies[_SERVING], rig.mongodb, data, MONGODB_DATABASE="again", **settings
        )
        client.drop_database("again")
    shutil.rmtree(data)
    return rig.pages / figures.seconds


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
