"""What full text costs and how fast it answers, on a made archive.

python -m bench.search [ARTICLES]     100,000 unless told

Prints the time to index an article and the index's size, then for kinds of queries the median and the
slowest of 200, beside a bare find of twenty articles by an index (`columns`, newest first) in the same
run; and that 200 substrings of two to eight characters give what a plain scan gives.
"""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.support.archives import fill
from zjolcrawl.storage.connection import Database, connect
from zjolcrawl.storage.embedded import EmbeddedServer
from zjolcrawl.storage.search import matching, rebuild, search
from zjolcrawl.storage.search.words import FIELDS, folded, full_text
from zjolcrawl.storage.selection import Selection

QUERIES = 200
_COMMON = ("浙江", "我们", "工作", "中国 人民", "杭州 发展")


async def measure(db: Database) -> None:
    """Index, ask, compare."""
    begun, cpu = time.monotonic(), time.process_time()
    count = await rebuild(db)
    print(
        f"indexed {count:,} articles: {(time.monotonic() - begun) / count * 1000:.2f} ms each, "
        f"{(time.process_time() - cpu) / count * 1000:.2f} ms of this process's CPU time"
    )
    texts = {each["_id"]: folded(full_text(each)) async for each in db["articles"].find({}, FIELDS)}
    characters = sum(map(len, texts.values()))
    size = (await db.command("collstats", "search_parts"))["storageSize"]
    print(
        f"{characters / count:.0f} characters an article; index {size / count:.0f} bytes an article,"
    )
    print("  segments that were merged a moment ago included")
    substrings = _substrings(list(texts.values()))
    kinds: dict[str, Callable[[int], Awaitable[Any]]] = {
        "bare find": lambda n: _bare(db),
        "substring": lambda n: search(db, f'"{substrings[n]}"', Selection()),
        "common word": lambda n: search(db, _COMMON[n % len(_COMMON)], Selection()),
        "with filters": lambda n: search(
            db, _COMMON[n % len(_COMMON)], Selection(columns=("zjxw",), images=True)
        ),
        "nothing found": lambda n: search(
            db, substrings[n][::-1] + substrings[-n - 1], Selection()
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for n in range(QUERIES):
        for name, ask in kinds.items():
            begun = time.perf_counter()
            await ask(n)
            taken[name].append(time.perf_counter() - begun)
    bare = statistics.median(taken["bare find"])
    print(f"{'':15}{'median ms':>10}{'95 %':>8}{'slowest':>8}{'x bare':>8}")
    for name, times in taken.items():
        times.sort()
        median = statistics.median(times)
        print(
            f"{name:15}{median * 1000:10.1f}{times[int(len(times) * 0.95)] * 1000:8.1f}"
            f"{times[-1] * 1000:8.1f}{median / bare:8.1f}"
        )
    missed = 0
    for part in substrings:
        found = {each["_id"] async for each in matching(db, f'"{part}"', Selection())}
        missed += found != {url for url, text in texts.items() if part in text}
    print(f"{len(substrings) - missed} of {len(substrings)} substrings give what a scan gives")


async def _bare(db: Database) -> list[dict[str, Any]]:
    found = db["articles"].find({"columns": "zjxw"}).sort("published_at", -1).limit(20)
    return await found.to_list()


def _substrings(texts: list[str]) -> list[str]:
    chance = random.Random(7)
    found: dict[str, None] = {}
    while len(found) < QUERIES:
        text, length = chance.choice(texts), chance.randint(2, 8)
        start = chance.randrange(len(text) - length)
        part = text[start : start + length]
        if not re.search(r'[\s"“”]', part):
            found[part] = None
    return list(found)


async def _main(uri: str) -> None:
    client = await connect(uri)
    try:
        await measure(client["bench"])
    finally:
        await client.close()


if __name__ == "__main__":
    number = int(sys.argv[1]) if sys.argv[1:] else 100_000
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer.acquire(Path(folder)) as server,
    ):
        with MongoClient[dict[str, Any]](server.uri) as filler:
            fill(filler["bench"], number)
        asyncio.run(_main(server.uri))
