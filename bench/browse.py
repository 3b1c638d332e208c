"""Measures how fast `scrapy browse` answers, next to the plain queries behind its pages.

python -m bench.browse [ARTICLES]     default 100,000

For each page it prints the median and the slowest of 50 requests over one connection, and the ratio
of the median to that of the page's own query on the same database in the same run.
"""

from __future__ import annotations

import asyncio
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from pymongo import MongoClient

from tests.support.archives import fill
from tests.web.serving import browsing
from zjolcrawl.search import SearchIndex, catch_up, search
from zjolcrawl.storage.connection import Database, connect
from zjolcrawl.storage.embedded import EmbeddedServer
from zjolcrawl.storage.queries.articles import find_article
from zjolcrawl.storage.queries.browsing import column_counts, daily_counts, listed_articles
from zjolcrawl.storage.queries.selection import Selection

TIMES = 50
_WORDS = ("浙江", "环境保护 督察", "杭州 发展", "鹿城区", "西湖")
_COLUMN = "zjxw"

Query = Callable[[int], Awaitable[Any]]


def pages(
    db: Database, index: SearchIndex, url: str
) -> dict[str, tuple[Callable[[int], str], Query]]:
    """Maps a name to a page's address and its own query for the n-th request."""
    column = Selection(columns=(_COLUMN,))
    return {
        "newest": (
            lambda n: f"/?page={n % 20 + 1}",
            lambda n: listed_articles(db, Selection(), limit=21, skip=n % 20 * 20),
        ),
        "column": (
            lambda n: f"/?column={_COLUMN}&page={n % 20 + 1}",
            lambda n: listed_articles(db, column, limit=21, skip=n % 20 * 20),
        ),
        "words": (
            lambda n: "/?" + urlencode({"q": _WORDS[n % len(_WORDS)]}),
            lambda n: search(db, index, _WORDS[n % len(_WORDS)], Selection()),
        ),
        "words, column": (
            lambda n: "/?" + urlencode({"q": _WORDS[n % len(_WORDS)], "column": _COLUMN}),
            lambda n: search(db, index, _WORDS[n % len(_WORDS)], column),
        ),
        "article": (
            lambda n: "/article?" + urlencode({"url": url}),
            lambda n: find_article(db, url),
        ),
        "calendar": (
            lambda n: f"/calendar?column={_COLUMN}&year=2016",
            lambda n: daily_counts(db, _COLUMN, date(2016, 1, 1), date(2016, 12, 31)),
        ),
        "columns": (lambda n: "/columns", lambda n: column_counts(db)),
    }


async def bare(query: Query) -> list[float]:
    """Seconds of each run of a query."""
    taken = []
    for n in range(TIMES):
        begun = time.perf_counter()
        await query(n)
        taken.append(time.perf_counter() - begun)
    return taken


def asked(connection: http.client.HTTPConnection, address: Callable[[int], str]) -> list[float]:
    """Seconds of each request for a page."""
    taken = []
    for n in range(TIMES):
        begun = time.perf_counter()
        connection.request("GET", address(n))
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        taken.append(time.perf_counter() - begun)
    return taken


async def measure(uri: str, data: Path) -> None:
    """Build the index, then time each page and its query."""
    client = await connect(uri)
    db = client["zjol"]
    index = SearchIndex.open(data, db.name)
    await catch_up(db, index)
    any_one = await db["articles"].find_one({"columns": _COLUMN}, {"_id": 1})
    assert any_one
    with browsing(data, uri, "zjol") as (web, _):
        print(f"{'page':<14} {'median':>9} {'slowest':>9} {'query':>9} {'ratio':>6}")
        for name, (address, query) in pages(db, index, any_one["_id"]).items():
            await bare(query)
            alone = await bare(query)
            connection = http.client.HTTPConnection(urlsplit(web.url).netloc, timeout=60)
            served = await asyncio.to_thread(asked, connection, address)
            connection.close()
            middle, page = statistics.median(alone), statistics.median(served)
            print(f"{name:<14} {page * 1e3:7.1f}ms {max(served) * 1e3:7.1f}ms {middle * 1e3:7.1f}ms "
                  f"{page / middle:6.1f}")  # fmt: skip
    await client.close()


def main(count: int) -> None:
    """Run the benchmark on a synthetic archive in a temporary folder."""
    with tempfile.TemporaryDirectory() as scratch, EmbeddedServer.acquire(Path(scratch)) as server:
        with MongoClient[dict[str, Any]](server.uri, tz_aware=True) as client:
            fill(client["zjol"], count)
        asyncio.run(measure(server.uri, Path(scratch)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
