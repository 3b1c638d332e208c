"""Fuzz test of the parser: corrupted pages must not crash, slow or bloat it, and must be storable.

python -m bench.fuzz [PAGES [FOLDER …]]     pages of fixtures/ and of the folders, on all cores
python -m bench.fuzz --seed SEED [FOLDER …]  one page again, with the corruption and the traceback

Each page is parsed as an article (up to its normalized and validated document, encoded as BSON), as
an article of a digital paper, as a column page, as a page of an issue and for its navigation. The
articles go to a Store, a hundred at a time, on a temporary server. Exits with status 1 on an
exception, an article that was not stored, a page of more than two seconds of CPU time, or a process
that grew by more than a twentieth.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import bson

from tests.parsing.mutilations import spoil
from tests.support.goldens import FIXTURES
from zjolcrawl.clock import utc_now
from zjolcrawl.items import Article, Link, RawArticle, Visit
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.navigation import read_navigation
from zjolcrawl.parsing.paper_page import newest_issue, read_calendar, read_paper_page
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.pipelines.validate import fault
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.embedded import EmbeddedServer
from zjolcrawl.storage.store import Store

URLS = [
    "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml",
    "http://jx.zjol.com.cn/system/2015/06/30/020717765_01.shtml",
    "http://china.zjol.com.cn/gnxw/index_1.shtml",
]
PAPER = "http://zjrb.zjol.com.cn/html/2017-08/12/content_3076000.htm"
ISSUE = "http://zjrb.zjol.com.cn/html/2017-08/12/node_18.htm"
BATCH = 100  # articles
SLOW = 2.0  # seconds of CPU time a page
GROWTH = 1.05
MARKS = (0.1, 0.5, 1.0)  # of the run: where resident memory is noted


@dataclass
class Report:
    """The results of one process: `memory` in MiB at each of MARKS, `seconds` of CPU per page."""

    seconds: list[float] = field(default_factory=list)
    slowest: list[tuple[float, int, str, int]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    articles: int = 0
    memory: list[float] = field(default_factory=list)


def read(page: bytes, url: str) -> list[Article]:
    """Parse a page in every way that a crawl does; returns the articles fit for storage."""
    read_column(page, url)
    read_paper_page(page, ISSUE)
    read_navigation(page, url)
    read_calendar(page)
    newest_issue(page, ISSUE)
    found = [read_article(page, each) for each in (url, PAPER)]
    articles = [normalize(each) for each in found if isinstance(each, RawArticle)]
    fit = [each for each in articles if fault(each) is None]
    for each in fit:
        bson.encode(article_document(each))
    return fit


class Sink:
    """Stores articles, each under its own URL."""

    def __init__(self, uri: str, database: str) -> None:
        self._runner = asyncio.Runner()
        opening = Store.open(uri, database, run_arguments={}, version="0", batch_size=10 * BATCH)
        self._store = self._runner.run(opening)
        self._waiting: list[Article] = []

    def put(self, articles: list[Article], seed: int) -> None:
        """Add articles; a full batch is written. Raises the store's errors, or if one is missing."""
        for place, each in enumerate(articles):
            url = f"http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_{seed}{place}.shtml"
            self._waiting.append(replace(each, url=url, visit=Visit(url, seen_at=utc_now())))
        if len(self._waiting) >= BATCH:
            self.write()

    def write(self) -> None:
        """Write the waiting articles."""
        some, self._waiting = self._waiting, []
        self._runner.run(self._write(some))

    async def _write(self, some: list[Article]) -> None:
        await self._store.discover([Link(each.url, seen_at=each.visit.seen_at) for each in some])
        for each in some:
            await self._store.put(each)
        await self._store.flush()
        urls, db = {"$in": [each.url for each in some]}, self._store.db
        number = await db["frontier"].count_documents({"_id": urls, "state": "stored"})
        named_ones = {
            "url": urls,
            "reason": {"$regex": r"^cannot be stored: (\d+ bytes|\w+ has \d+ entries)"},
        }
        number += await db["rejects"].count_documents(named_ones)  # that is as good
        if number < len(some):
            raise AssertionError(f"{len(some) - number} of {len(some)} articles were not stored")

    def close(self) -> None:
        """Write the rest and close the store."""
        try:
            self.write()
        finally:
            self._runner.run(self._store.finish())
            self._runner.run(self._store.close())
            self._runner.close()


@contextlib.contextmanager
def told(report: Report, seed: int, done: str) -> Iterator[None]:
    """Record any exception as a fault of the seed."""
    try:
        yield
    except Exception as error:
        report.faults.append((seed, done, f"{type(error).__name__}: {error}"[:200]))


def pages_of(folders: list[Path]) -> list[bytes]:
    """The pages in the folders, in the same order for every process."""
    files = [f for folder in folders for f in sorted(folder.rglob("*html")) if f.is_file()]
    return [page for f in files if (page := f.read_bytes())]


def spoiled(pages: list[bytes], seed: int) -> tuple[bytes, str, str]:
    """A corrupted page, what was done to it, and the URL to parse it as."""
    chance = random.Random(seed)
    page, done = spoil(pages, chance)
    return page, done, chance.choice(URLS)


def work(seeds: range, folders: list[Path], uri: str) -> Report:
    """Parse the pages of these seeds one by one and store their articles."""
    pages, report, sink = pages_of(folders), Report(), Sink(uri, f"fuzz{seeds.start}")
    marks = [max(1, round(len(seeds) * share)) for share in MARKS]
    for count, seed in enumerate(seeds, 1):
        page, done, url = spoiled(pages, seed)
        begun, articles = time.process_time(), list[Article]()
        with told(report, seed, done):
            articles = read(page, url)
        taken = time.process_time() - begun
        report.articles += len(articles)
        with told(report, seed, "a batch for the store that ends here"):
            sink.put(articles, seed)
        report.seconds.append(taken)
        report.slowest = sorted([*report.slowest, (taken, seed, done, len(page))])[-50:]
        report.memory += [_resident()] * marks.count(count)
    with told(report, seeds[-1], "the last batch for the store"):
        sink.close()
    return report


def _resident() -> float:
    """The process's resident memory in MiB (Linux), after freeing the allocator's reserves."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(count: int, folders: list[Path]) -> int:
    """Parse `count` pages in total and print the findings; returns the exit status."""
    cores = os.cpu_count() or 1
    # Python's own allocator keeps a whole MiB for one small object that stays in it, and rises for
    # hours towards its plateau where nothing is held; malloc gives back what is free.
    os.environ["PYTHONMALLOC"] = "malloc"  # of the processes that are started now
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as data,
        EmbeddedServer.acquire(Path(data)) as server,
        multiprocessing.get_context("spawn").Pool(cores) as pool,
    ):
        shares = [(range(core, count, cores), folders, server.uri) for core in range(cores)]
        reports = pool.starmap(work, shares)
    seconds = [taken for report in reports for taken in report.seconds]
    faults = [fault for report in reports for fault in report.faults]
    slowest = sorted(page for report in reports for page in report.slowest)[::-1]
    print(
        f"{len(seconds)} pages in {time.monotonic() - begun:.0f} s on {cores} cores, "
        f"{sum(report.articles for report in reports)} articles stored, {len(faults)} exceptions"
    )
    for seed, done, error in sorted(faults)[:20]:
        print(f"  --seed {seed}  {done}: {error}")
    print(f"CPU time a page: median {statistics.median(seconds) * 1000:.0f} ms; slowest:")
    for taken, seed, done, size in slowest[:5]:
        print(f"  {taken:6.2f} s  --seed {seed}  {done}  ({size:,} bytes)")
    slow = slowest[0][0] > SLOW
    growing = False
    for report in reports:
        growing = growing or report.memory[-1] > GROWTH * report.memory[0]
        at = [round(len(report.seconds) * share * cores) for share in MARKS]
        noted = ", ".join(f"{m:.0f} at {c:,}" for m, c in zip(report.memory, at, strict=True))
        print(f"resident MiB: {noted}  ratio {report.memory[-1] / report.memory[0]:.3f}")
    return int(bool(faults) or slow or growing)


def again(seed: int, folders: list[Path]) -> int:
    """Parse one page of a run again and keep it in the temporary folder."""
    page, done, url = spoiled(pages_of(folders), seed)
    kept = Path(tempfile.gettempdir(), f"spoiled-{seed}.html")
    kept.write_bytes(page)
    print(f"{done}: {len(page):,} bytes, now in {kept}, read as {url}")
    begun = time.process_time()
    try:
        read(page, url)
    except Exception:  # any at all is a finding
        traceback.print_exc()
        return 1
    print(f"{time.process_time() - begun:.2f} s")
    return 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if one := arguments[:1] == ["--seed"]:
        del arguments[0]
    number, *others = arguments or ["20000"]
    every = [FIXTURES, *map(Path, others)]
    sys.exit(again(int(number), every) if one else main(int(number), every))
