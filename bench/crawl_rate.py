"""The crawl as shipped beside a bare stock Scrapy spider, and beside that with CONCURRENT_ITEMS=4.

python -m bench.crawl_rate [ARTICLES [ROUNDS [SERVING …]]]     3000 5 plain plain+charset gzip gzip+charset

All crawl the same made site from nginx with the same concurrency and no delay, each in a process of its
own. Ours stores all fields, keeps its frontier, checks for revisions, upserts in bulk (journalled) and
writes WARC; the bare one (bench.bare) yields links and one field. A rate is pages (lists and articles) by
the time from the first request that is scheduled until the engine has stopped, flush and end of the run
included; `cpu` is what the crawl's own process spent in that time.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.crawls import bare, ours
from bench.nginx import serve
from bench.site import build
from bench.timed import Figures
from bench.turns import in_turns, spread, table, versions
from zjolcrawl.storage.embedded import EmbeddedServer

SERVINGS = ("plain", "plain+charset", "gzip", "gzip+charset")
OURS, STOCK, FOUR = "as shipped", "bare stock", "bare, CONCURRENT_ITEMS=4"


def crawl(proxy: str, mongodb: str, data: Path, articles: int, **settings: str) -> Figures:
    """One crawl as shipped, into an empty database and folder. Raises RuntimeError."""
    with MongoClient[dict[str, Any]](mongodb) as client:
        client.drop_database("zjol")
        figures = ours(proxy, mongodb, data, **settings)
        stored = client["zjol"]["articles"].count_documents({})
    shutil.rmtree(data)
    if stored != articles:
        raise RuntimeError(f"{stored} of {articles} articles stored")
    return figures


def crawl_bare(proxy: str, articles: int, **settings: str) -> Figures:
    """One bare crawl. Raises RuntimeError."""
    figures = bare(proxy, **settings)
    if figures.items != articles:
        raise RuntimeError(f"{figures.items} of {articles} items of the bare spider")
    return figures


def main(articles: int = 3000, rounds: int = 5, *servings: str) -> None:
    """Print a table, a row for each serving, and what the charset header does."""
    print(
        f"{articles:,} articles, medians of {rounds} rounds (least–greatest), "
        f"{versions('scrapy', 'twisted', 'lxml', 'pymongo')}\n"
    )
    chosen = servings or SERVINGS
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(EmbeddedServer.acquire(folder))
        pages = build(folder / "site", articles)
        contenders: dict[tuple[str, str], Callable[[], Figures]] = {}
        for serving in chosen:
            proxy = stack.enter_context(
                serve(
                    folder / "site", folder / f"nginx-{serving}",
                    gzip="gzip" in serving, charset="charset" in serving,
                )
            )  # fmt: skip
            data = folder / "data"
            contenders |= {
                (serving, OURS): partial(crawl, proxy, server.uri, data, articles),
                (serving, STOCK): partial(crawl_bare, proxy, articles),
                (serving, FOUR): partial(crawl_bare, proxy, articles, CONCURRENT_ITEMS="4"),
            }
        figures = in_turns(contenders, rounds)
    print(_table(chosen, figures, pages))
    for form in ("plain", "gzip"):
        if {form, f"{form}+charset"} <= set(chosen):
            named, unnamed = (figures[form + end, OURS] for end in ("+charset", ""))
            print(
                f"\n{form}, as shipped: without charset ÷ with {spread(_rates(unnamed), _rates(named))}"
            )


def _table(
    servings: tuple[str, ...], figures: Mapping[tuple[str, str], list[Figures]], pages: int
) -> str:
    heads = ["pages served", *(f"{who}, pages/s" for who in (OURS, STOCK, FOUR))]
    heads += ["÷ stock", "÷ four", "CPU ms a page", "stock", "four", "peak MB", "stock", "four"]
    rows = []
    for serving in servings:
        each = [figures[serving, who] for who in (OURS, STOCK, FOUR)]
        rates = [_rates(some) for some in each]
        rows.append(
            [
                serving,
                *(f"{pages * statistics.median(rate):.0f}" for rate in rates),
                spread(rates[0], rates[1]),
                spread(rates[0], rates[2]),
                *(f"{statistics.median(f.cpu for f in some) / pages * 1000:.2f}" for some in each),
                *(f"{statistics.median(f.peak for f in some) / 1e6:.0f}" for some in each),
            ]
        )
    return table(heads, rows)


def _rates(figures: list[Figures]) -> list[float]:
    """Of the same pages, so one a second is as good as another."""
    return [1 / each.seconds for each in figures]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
