"""Measures the cost of storing: the store next to insert_one, and its share of a crawl.

python -m bench.storage [ARTICLES [ROUNDS]]     1500 5

Writing: articles of the synthetic site, as a crawl hands them over. The store records each link
before its request, looks up what is stored, upserts in bulk with a journalled write, and settles
the links. The comparison is one `insert_one` per article with the server's default write concern.
900 articles, too few for the pause of a flush to matter. bench.search times full-text indexing.

Share: the crawl with and without its last pipeline, in turns; the difference is the cost of
storing.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pymongo import MongoClient

from bench.pages import Writer
from bench.rig import rigged
from bench.site import COLUMN, ident
from bench.timed import Figures, cpu_time
from bench.turns import in_turns, spread, table, versions
from zjolcrawl import settings
from zjolcrawl.clock import utc_now
from zjolcrawl.items import Article, Link, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.embedded import EmbeddedServer
from zjolcrawl.storage.store import Store

NUMBER = 900
_SERVING = "gzip+charset"
_LAST = "zjolcrawl.pipelines.mongodb.MongoDBPipeline"


class Cost(NamedTuple):
    """Milliseconds per article: elapsed, and CPU time of this process and its children."""

    ms: float
    cpu: float


def report(articles: int = 1500, rounds: int = 5) -> str:
    """Both tables, and the share of a crawl's CPU time spent on writing."""
    costs = writing(rounds)
    figures, pages = crawls(articles, rounds)
    whole = statistics.median(f.cpu for f in figures["with"]) / pages * 1000
    share = _median(costs["the store"], "cpu") / whole
    return (
        f"{versions('pymongo')}, medians of {rounds} rounds (least–greatest)\n\n"
        f"{_writing_table(costs)}\n\n{_share_table(articles, figures, pages)}\n\n"
        f"Of the CPU time of the crawl's process the store takes {share:.1%}, by the first table."
    )


def writing(rounds: int) -> dict[str, list[Cost]]:
    """Time the store and insert_one in turns."""
    made = list(_articles(NUMBER))
    with tempfile.TemporaryDirectory() as name, EmbeddedServer.acquire(Path(name)) as server:
        contenders: dict[str, Callable[[], Cost]] = {
            "the store": lambda: asyncio.run(store(server.uri, made)),
            "insert_one": partial(insert, server.uri, made),
        }
        return in_turns(contenders, rounds)


def crawls(articles: int, rounds: int) -> tuple[dict[str, list[Figures]], int]:
    """Time crawls with and without the last pipeline in turns; also returns their pages."""
    without = {k: v for k, v in settings.ITEM_PIPELINES.items() if k != _LAST}
    with rigged(articles, _SERVING) as rig:
        contenders = {
            "with": partial(rig.crawl, _SERVING),
            "without": partial(rig.crawl, _SERVING, ITEM_PIPELINES=json.dumps(without)),
        }
        return in_turns(contenders, rounds), rig.pages


def _writing_table(costs: dict[str, list[Cost]]) -> str:
    one = [each.ms for each in costs["insert_one"]]
    rows = [
        [
            who, f"{_median(each, 'ms'):.2f}", f"{_median(each, 'cpu'):.2f}",
            spread([c.ms for c in each], one),
        ]
        for who, each in costs.items()
    ]  # fmt: skip
    return table([f"{NUMBER} articles", "ms each", "CPU ms each", "÷ insert_one"], rows)


def _share_table(articles: int, figures: dict[str, list[Figures]], pages: int) -> str:
    rows = []
    for name, what in (("time", "seconds"), ("CPU time of the crawl's process", "cpu")):
        with_it, without = ([getattr(f, what) for f in figures[who]] for who in ("with", "without"))
        shares = sorted(1 - b / a for a, b in zip(with_it, without, strict=True))
        medians = (f"{statistics.median(e) / pages * 1000:.2f}" for e in (with_it, without))
        middle = statistics.median(shares)
        rows.append([name, *medians, f"{middle:.1%} ({shares[0]:.1%}–{shares[-1]:.1%})"])
    heads = [f"a crawl of {articles:,} articles", "ms a page", "without the last pipeline", "share"]
    return table(heads, rows)


def _median(costs: list[Cost], what: str) -> float:
    return statistics.median(getattr(each, what) for each in costs)


async def store(uri: str, made: list[Article]) -> Cost:
    """Time the store."""
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database("bench")
    opened = await Store.open(uri, "bench", run_arguments={}, version="0")
    now = utc_now()
    articles = [replace(each, visit=replace(each.visit, seen_at=now)) for each in made]

    async def write() -> None:
        for start in range(0, len(articles), 100):
            some = articles[start : start + 100]
            links = [Link(each.url, "article", ["bench"], seen_at=now) for each in some]
            await opened.discover(links)
            for each in some:
                await opened.put(each)
        await opened.finish()

    cost = await _timed(write, len(articles))
    await opened.close()
    return cost


async def _timed(work: Callable[[], Awaitable[None]], number: int) -> Cost:
    began, cpu = time.perf_counter(), cpu_time()
    await work()
    took = time.perf_counter() - began, cpu_time() - cpu
    return Cost(*(each / number * 1000 for each in took))


def insert(uri: str, made: list[Article]) -> Cost:
    """Time one insert_one per article."""
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database("bench")
        now = utc_now()
        articles = [replace(each, visit=replace(each.visit, seen_at=now)) for each in made]
        began, cpu = time.perf_counter(), cpu_time()
        for each in articles:
            client["bench"]["articles"].insert_one(article_document(each))
        took = time.perf_counter() - began, cpu_time() - cpu
    return Cost(*(each / len(made) * 1000 for each in took))


def _articles(number: int) -> list[Article]:
    """Articles of the synthetic site, as a crawl hands them over."""
    writer = Writer(1)
    found = []
    for each in range(number):
        name = ident(each, number)
        raw = read_article(
            writer.article(name)[1].encode(), f"{COLUMN}201708/t20170812_{name}.shtml"
        )
        assert isinstance(raw, RawArticle)
        found.append(normalize(raw))
    return found


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
