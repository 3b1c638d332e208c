"""Checks that export uses constant memory, and compares its speed with a bare cursor loop.

python -m bench.export [FEW MANY]    articles (10000 100000) in a temporary MongoDB

For each format: the peak memory of `scrapy export` at FEW and at MANY articles, and its rows per
second as a share of those of a loop that reads the same cursor and does nothing. Exits with status
1 if a process used more than a quarter more memory for many than for few.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.support.archives import fill
from tests.support.crawling import peak_memory, start_scrapy
from zjolcrawl.export.output import open_output
from zjolcrawl.storage.connection import open_database
from zjolcrawl.storage.embedded import EmbeddedServer
from zjolcrawl.storage.queries.articles import for_file, with_revisions
from zjolcrawl.storage.queries.selection import Selection

FORMS = ("jsonl", "jsonl.gz", "csv", "parquet")
GROWTH = 1.25


def filled(uri: str, count: int) -> str:
    """Create a database with this many articles; returns its name."""
    name = f"bench_{count}"
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        fill(client[name], count)
    return name


def size(uri: str, database: str) -> int:
    """The size of all articles in bytes, as BSON."""
    with MongoClient[dict[str, Any]](uri) as client:
        return int(client[database].command("collstats", "articles")["size"])


def memory(uri: str, database: str, path: Path) -> int:
    """The peak memory of `scrapy export` in bytes."""
    running = start_scrapy(
        "export", str(path), "--force", site=None, data=path.parent, uri=uri, database=database
    )
    most = peak_memory(running)
    _, told = running.communicate()
    assert running.returncode == 0, told
    return most


async def rate(uri: str, database: str, path: Path | None) -> float:
    """Articles per second without the process start; without a path the rows are discarded."""
    count, begun = 0, time.perf_counter()
    async with open_database(uri, database, Path()) as db:
        if path is None:
            async for _ in db["articles"].find().sort("_id", 1).batch_size(200):
                count += 1
        else:
            with open_output(
                str(path), path.name.partition(".")[2].removesuffix(".gz"), force=True
            ) as write:
                async for document in with_revisions(db, for_file(db, Selection())):
                    write(document)
                    count += 1
    return count / (time.perf_counter() - begun)


def main(few: int, many: int) -> int:
    """Measure and print; returns the exit status."""
    growing = False
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer.acquire(Path(folder)) as server:
        paths = [Path(folder) / f"a.{form}" for form in FORMS]
        small, large = (filled(server.uri, count) for count in (few, many))
        held = {path: memory(server.uri, small, path) for path in paths}
        print(f"{many:,} articles, {size(server.uri, large) / 1e6:.0f} MB as BSON")
        bare = asyncio.run(rate(server.uri, large, None))
        for path in paths:
            most = memory(server.uri, large, path)
            growth = most / held[path]
            growing = growing or growth > GROWTH
            share = asyncio.run(rate(server.uri, large, path)) / bare
            print(
                f"{path.name:<10} peak {held[path] / 1e6:.0f} MB at {few:,}, {most / 1e6:.0f} MB at "
                f"{many:,} (x {growth:.2f}); {share:.2f} of a bare loop's rows a second; "
                f"file {path.stat().st_size / 1e6:.0f} MB"
            )
    return int(growing)


if __name__ == "__main__":
    sys.exit(main(*(map(int, sys.argv[1:] or ("10000", "100000")))))
