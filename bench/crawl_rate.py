"""Compares the crawl rate with that of a minimal stock Scrapy spider.

python -m bench.crawl_rate [ARTICLES [ROUNDS [SERVING …]]]     3000 5 plain plain+charset gzip gzip+charset

All crawl the same synthetic site from nginx with the same concurrency and no delay, each in its own
process. zjolcrawl runs as shipped: it stores all fields, keeps its frontier, checks for revisions,
upserts in bulk (journalled), writes WARC, and at its end updates the full-text index for up to a
fiftieth of its time. It also runs once without the index. The stock spider (bench.bare) yields
links and one field; it runs with Scrapy's defaults and with CONCURRENT_ITEMS=4. A rate is pages
(lists and articles) divided by the time from the first scheduled request until the engine has
stopped, including flush and end of the run. CPU is that of the crawl's own process in that time,
without nginx and mongod. Peak memory is that of the crawl's process alone.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping
from functools import partial

from bench.rig import SERVINGS, rigged
from bench.timed import Figures
from bench.turns import in_turns, spread, table, versions

OURS, STOCK, FOUR = "as shipped", "bare stock", "bare, CONCURRENT_ITEMS=4"
WITHOUT = "without full text"
_WHO = (OURS, STOCK, FOUR)


def report(articles: int = 3000, rounds: int = 5, *servings: str) -> str:
    """A table with a row per serving, and the effect of the charset header."""
    chosen = servings or SERVINGS
    with rigged(articles, *chosen) as rig:
        contenders: dict[tuple[str, str], Callable[[], Figures]] = {}
        for serving in chosen:
            contenders |= {
                (serving, OURS): partial(rig.crawl, serving),
                (serving, STOCK): partial(rig.crawl_bare, serving),
                (serving, FOUR): partial(rig.crawl_bare, serving, CONCURRENT_ITEMS="4"),
            }
        contenders[chosen[-1], WITHOUT] = partial(rig.crawl, chosen[-1], without_search=True)
        figures = in_turns(contenders, rounds)
        told = [
            f"{articles:,} articles, medians of {rounds} rounds (least–greatest), "
            f"{versions('scrapy', 'twisted', 'lxml', 'pymongo')}. Pages a second:\n",
            _rates_table(chosen, figures, rig.pages),
            "\nOf the crawl's own process:\n",
            _cost_table(chosen, figures, rig.pages),
        ]
    mine, without = (_rates(figures[chosen[-1], who]) for who in (OURS, WITHOUT))
    told.append(f"\nAs shipped, {chosen[-1]}: ÷ full text never touched {spread(mine, without)}.")
    for form in ("plain", "gzip"):
        if {form, f"{form}+charset"} <= set(chosen):
            unnamed, named = (_rates(figures[form + end, OURS]) for end in ("", "+charset"))
            told.append(
                f"\nAs shipped, {form}: without the charset header ÷ with it {spread(unnamed, named)}."
            )
    return "\n".join(told)


def _rates_table(
    servings: tuple[str, ...], figures: Mapping[tuple[str, str], list[Figures]], pages: int
) -> str:
    rows = []
    for serving in servings:
        mine, stock, four = (_rates(figures[serving, who]) for who in _WHO)
        medians = (f"{pages * statistics.median(each):.0f}" for each in (mine, stock, four))
        rows.append([serving, *medians, spread(mine, stock), spread(mine, four)])
    return table(["pages served", *_WHO, "÷ bare stock", "÷ bare, 4 items"], rows)


def _cost_table(
    servings: tuple[str, ...], figures: Mapping[tuple[str, str], list[Figures]], pages: int
) -> str:
    heads = [f"{what} {who}" for what in ("CPU ms a page,", "peak MB,") for who in _WHO]
    rows = []
    for serving in servings:
        each = [figures[serving, who] for who in _WHO]
        cpu = [statistics.median(f.cpu for f in some) / pages * 1000 for some in each]
        peak = [statistics.median(f.peak for f in some) / 1e6 for some in each]
        rows.append([serving, *(f"{ms:.2f}" for ms in cpu), *(f"{mb:.0f}" for mb in peak)])
    return table(["pages served", *heads], rows)


def _rates(figures: list[Figures]) -> list[float]:
    """Crawls per second; all read the same pages, so their ratios are those of the page rates."""
    return [1 / each.seconds for each in figures]


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:3]]
    print(report(*numbers, *sys.argv[3:]) if len(numbers) == 2 else report(*numbers))
