"""Measures the cost and speed of full-text search on a synthetic archive, next to other engines.

python -m bench.search [ARTICLES [QUERIES]]     default 100,000 and 1,000

Prints the time to index an article and the size of the index. For each kind of query it prints the
median, the 95th percentile and the slowest, in the engine alone and for the whole answer (engine
and twenty articles from MongoDB), next to a bare find of twenty articles by an index (`columns`,
newest first) in the same run. It also prints how many of random substrings of two to eight
characters give the same result as a scan of all texts.

The other engines, on the same texts and substrings: SQLite's FTS5 with its trigram tokenizer (three
characters and more; shorter ones by LIKE, which scans everything), and MongoDB's `$text` over pairs
of characters split beforehand, as a phrase.
"""

from __future__ import annotations

import asyncio
import random
import re
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.support.archives import fill
from zjolcrawl.search import Search, SearchIndex, catch_up, search
from zjolcrawl.search.tokens import FIELDS, folded, full_text, pairs
from zjolcrawl.storage.connection import Database, connect
from zjolcrawl.storage.embedded import EmbeddedServer
from zjolcrawl.storage.queries.selection import Selection

_COMMON = ("浙江", "我们", "工作", "中国 人民", "杭州 发展")
Ask = Callable[[str], set[str]]
_FILTERED = Selection(columns=("zjxw",), images=True)
_ASKED = 200  # of each kind


async def measure(db: Database, uri: str, folder: Path, queries: int) -> None:
    """Build the index, run the queries and compare."""
    index = SearchIndex.open(folder, db.name)
    before = time.process_time(), time.monotonic()
    count = await catch_up(db, index)
    cpu, wall = time.process_time() - before[0], time.monotonic() - before[1]
    texts = {each["_id"]: folded(full_text(each)) async for each in db["articles"].find({}, FIELDS)}
    size = _size(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:,} articles of {sum(map(len, texts.values())) / count:.0f} characters: indexed in "
        f"{wall:.0f} s, {cpu / count * 1000:.2f} ms of CPU and {size / count:,.0f} bytes each"
    )
    print(f"peak memory of this process with all texts in it: {peak:.0f} MB\n")
    substrings = _substrings(list(texts.values()), max(queries, 2 * _ASKED))
    kinds: dict[str, tuple[Callable[[int], str], Selection]] = {
        "substring": (lambda n: f'"{substrings[n]}"', Selection()),
        "common word": (lambda n: _COMMON[n % len(_COMMON)], Selection()),
        "with filters": (lambda n: _COMMON[n % len(_COMMON)], _FILTERED),
        "nothing found": (lambda n: substrings[n][::-1] + substrings[-n - 1], Selection()),
    }
    asked: dict[str, Callable[[int], Awaitable[Any]]] = {"bare find": lambda n: _bare(db)}
    for name, (text, selection) in kinds.items():
        asked[f"{name}, engine"] = _engine(index, text, selection)
        asked[f"{name}, whole"] = _whole(db, index, text, selection)
    _print(await _timed(asked))
    missed = 0
    for part in substrings[:queries]:
        sought = Search(index, f'"{part}"', Selection())
        found = set(sought.urls(max(1, sought.total())))
        missed += found != {url for url, text in texts.items() if part in text}
    print(f"\n{queries - missed} of {queries} substrings give what a scan gives")
    _peers(uri, texts, substrings, folder)


def _engine(
    index: SearchIndex, text: Callable[[int], str], selection: Selection
) -> Callable[[int], Awaitable[Any]]:
    async def ask(n: int) -> None:
        asked = Search(index, text(n), selection)
        asked.urls(20), asked.total()

    return ask


def _whole(
    db: Database, index: SearchIndex, text: Callable[[int], str], selection: Selection
) -> Callable[[int], Awaitable[Any]]:
    return lambda n: search(db, index, text(n), selection)


async def _bare(db: Database) -> list[dict[str, Any]]:
    found = db["articles"].find({"columns": "zjxw"}).sort("published_at", -1).limit(20)
    return await found.to_list()


async def _timed(asked: Mapping[str, Callable[[int], Awaitable[Any]]]) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for n in range(_ASKED):
        for name, ask in asked.items():
            begun = time.perf_counter()
            await ask(n)
            taken[name].append((time.perf_counter() - begun) * 1000)
    return taken


def _print(taken: Mapping[str, list[float]]) -> None:
    bare = statistics.median(taken["bare find"])
    print("| ms | median | 95 % | slowest | ÷ bare find |\n|---|---|---|---|---|")
    for name, times in taken.items():
        times.sort()
        median = statistics.median(times)
        print(
            f"| {name} | {median:.1f} | {times[int(len(times) * 0.95)]:.1f} | {times[-1]:.1f} "
            f"| {median / bare:.1f} |"
        )


def _peers(uri: str, texts: Mapping[str, str], substrings: list[str], folder: Path) -> None:
    print("\n| engine | ms of CPU an article | bytes an article | substring, median ms | right |")
    print("|---|---|---|---|---|")
    path = folder / "fts5.sqlite"
    with sqlite3.connect(path) as fts:
        before = time.process_time()
        fts.execute("CREATE VIRTUAL TABLE t USING fts5(url UNINDEXED, text, tokenize='trigram')")
        fts.executemany("INSERT INTO t VALUES (?, ?)", texts.items())
        fts.commit()
        cpu = time.process_time() - before

        def by_fts5(part: str) -> set[str]:
            if len(part) > 2:
                sought = f'"{part}"'
                return {url for (url,) in fts.execute("SELECT url FROM t(?)", (sought,))}
            return {
                u for (u,) in fts.execute("SELECT url FROM t WHERE text LIKE ?", (f"%{part}%",))
            }

        _row("SQLite FTS5, trigram", (cpu, path.stat().st_size), texts, substrings, by_fts5)
    with MongoClient[dict[str, Any]](uri) as client:
        cut = client["peers"]["cut"]
        before = time.process_time()
        rows = [{"_id": url, "t": " ".join(pairs(f"{text}\n"))} for url, text in texts.items()]
        for start in range(0, len(rows), 1000):
            cut.insert_many(rows[start : start + 1000])
        cut.create_index([("t", "text")], default_language="none")
        cpu = time.process_time() - before
        size = cut.database.command("collstats", "cut")

        def by_text(part: str) -> set[str]:
            phrase = " ".join(pairs(part))
            found = cut.find({"$text": {"$search": f'"{phrase}"'}}, {"_id": 1})
            return {each["_id"] for each in found}

        bytes_ = size["storageSize"] + size["totalIndexSize"]
        _row(
            "MongoDB $text over pairs (its own CPU left out)",
            (cpu, bytes_),
            texts,
            substrings,
            by_text,
        )


def _row(
    name: str, cpu_and_size: tuple[float, int], texts: Mapping[str, str], parts: list[str], ask: Ask
) -> None:
    cpu, size = cpu_and_size
    times, right = [], 0
    for part in parts[:50]:
        begun = time.perf_counter()
        found = ask(part)
        times.append((time.perf_counter() - begun) * 1000)
        right += found == {url for url, text in texts.items() if part in text}
    count = len(texts)
    print(
        f"| {name} | {cpu / count * 1000:.2f} | {size / count:,.0f} | {statistics.median(times):.1f} "
        f"| {right} of {len(times)} |",
        flush=True,
    )


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _substrings(texts: list[str], number: int) -> list[str]:
    chance = random.Random(7)
    found: dict[str, None] = {}
    while len(found) < number:
        text, length = chance.choice(texts), chance.randint(2, 8)
        start = chance.randrange(len(text) - length)
        part = text[start : start + length]
        if not re.search(r'[\s"“”]', part):
            found[part] = None
    return list(found)


async def _main(uri: str, folder: Path, queries: int) -> None:
    client = await connect(uri)
    try:
        await measure(client["bench"], uri, folder, queries)
    finally:
        await client.close()


if __name__ == "__main__":
    number, queries = (*map(int, sys.argv[1:]), *(100_000, 1_000)[len(sys.argv) - 1 :])
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer.acquire(Path(folder)) as server,
    ):
        with MongoClient[dict[str, Any]](server.uri) as filler:
            fill(filler["bench"], number)
        asyncio.run(_main(server.uri, Path(folder) / "index", queries))
