"""Measures the cost of archiving: the same crawl with WARC=on and WARC=off, in turns.

python -m bench.warc_cost [ARTICLES [ROUNDS]]     1500 5
"""

from __future__ import annotations

import statistics
import sys
from functools import partial

from bench.rig import rigged
from bench.turns import in_turns, spread, table, versions


def report(articles: int = 1500, rounds: int = 5) -> str:
    """A table with a row for plain and one for gzipped pages."""
    rows = []
    with rigged(articles, "plain", "gzip") as rig:
        for serving in rig.proxies:
            switches = {s: partial(rig.crawl, serving, WARC=s) for s in ("off", "on")}
            figures = in_turns(switches, rounds)
            off, on = ([rig.pages / f.seconds for f in figures[switch]] for switch in switches)
            rates = (f"{statistics.median(each):.0f}" for each in (off, on))
            rows.append([serving, *rates, spread(on, off)])
    heads = ["pages served", "off, pages/s", "on, pages/s", "on ÷ off"]
    return (
        f"{articles:,} articles, medians of {rounds} rounds (least–greatest), "
        f"{versions('scrapy')}\n\n{table(heads, rows)}"
    )


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
