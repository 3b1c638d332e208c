"""The crawl as shipped beside a bare stock Scrapy spider, and beside that with CONCURRENT_ITEMS=4.

python -m bench.crawl_rate [ARTICLES [ROUNDS [SERVING …]]]     3000 5 plain plain+charset gzip gzip+charset

All crawl the same made site from nginx with the same concurrency and no delay, each in a process of its
own. Ours stores all fields, keeps its frontier, checks for revisions, upserts in bulk (journalled) and
writes WARC, and at its end brings the full-text index up to date, as far as a fiftieth of its time reaches;
once more it does without that. The bare one (bench.bare) yields links and one field. A rate is pages
(lists and articles) by the time from the first request that is scheduled until the engine has stopped,
flush and end of the run included; CPU is what the crawl's own process spent
in that time, so neither nginx nor mongod; peak memory is that of the crawl's process alone.
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
    """A table, a row for each serving, and what the charset header does."""
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
    """Of the same pages, so one a second is as good as another."""
    return [1 / each.seconds for each in figures]


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:3]]
    print(report(*numbers, *sys.argv[3:]) if len(numbers) == 2 else report(*numbers))
