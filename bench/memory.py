"""Checks that a crawl's peak memory does not grow with the number of pages.

python -m bench.memory [ARTICLES …]     3000 30000 100000

One crawl each. At most 3,000 articles are files. Beyond that nginx serves copies with the article's
id replaced in title list, text and image names, so no two payloads are equal and every record is
written in full. 100,000 take a quarter of an hour and 3 GB of disk.
"""

from __future__ import annotations

import sys

from bench.rig import rigged
from bench.turns import progress, table, versions

_BODIES = 3000


def report(*articles: int) -> str:
    """A table with a row per number of articles."""
    rows = []
    least = 0
    for number in articles or (3_000, 30_000, 100_000):
        with rigged(number, "plain", bodies=min(number, _BODIES)) as rig:
            figures = rig.crawl("plain")
        least = least or figures.peak
        row = [
            f"{number:,}", f"{figures.peak / 1e6:.0f}", f"{figures.peak / least:.3f}",
            f"{rig.pages / figures.seconds:.0f}", f"{figures.cpu / rig.pages * 1000:.2f}",
        ]  # fmt: skip
        progress(str(row))
        rows.append(row)
    heads = ["articles", "peak MB", "÷ the first", "pages/s", "CPU ms a page"]
    return f"{versions('scrapy', 'pymongo')}; pages served plain\n\n{table(heads, rows)}"


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
