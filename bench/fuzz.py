"""Spoiled pages by the ten thousand: no exception, no slow page, no growth.

python -m bench.fuzz [PAGES [FOLDER …]]     pages of fixtures/ and of the folders, on all cores
python -m bench.fuzz --seed SEED [FOLDER …]  one page again: what was done to it, and its traceback

Each page is read as an article (to its normalized and validated document) and as a column page.
Exit status 1: an exception, a page of more than two seconds of CPU time, or a process that grew by
more than a twentieth.
"""

from __future__ import annotations

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
from dataclasses import dataclass, field
from pathlib import Path

from tests.goldens import FIXTURES
from tests.parsing.mutilations import spoil
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.pipelines.validate import fault

URLS = [
    "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml",
    "http://jx.zjol.com.cn/system/2015/06/30/020717765_01.shtml",
    "http://china.zjol.com.cn/gnxw/index_1.shtml",
]
SLOW = 2.0  # seconds of CPU time a page
GROWTH = 1.05
MARKS = (0.1, 0.5, 1.0)  # of the run: where resident memory is noted


@dataclass
class Report:
    """What one process found: `memory` in MiB at each of MARKS, `seconds` (CPU) a page."""

    seconds: list[float] = field(default_factory=list)
    slowest: list[tuple[float, int, str, int]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    articles: int = 0
    memory: list[float] = field(default_factory=list)


def read(page: bytes, url: str) -> bool:
    """Read a page in every way that a crawl does; whether it is an article fit to be stored."""
    read_column(page, url)
    found = read_article(page, url)
    return isinstance(found, RawArticle) and fault(normalize(found)) is None


def pages_of(folders: list[Path]) -> list[bytes]:
    """The pages in the folders, in an order that every process shares."""
    files = [f for folder in folders for f in sorted(folder.rglob("*html")) if f.is_file()]
    return [page for f in files if (page := f.read_bytes())]


def spoiled(pages: list[bytes], seed: int) -> tuple[bytes, str, str]:
    """Page, what was done to it, and the URL it is read as."""
    chance = random.Random(seed)
    page, done = spoil(pages, chance)
    return page, done, chance.choice(URLS)


def work(seeds: range, folders: list[Path]) -> Report:
    """Read the pages of the seeds, one after the other."""
    pages, report = pages_of(folders), Report()
    marks = [max(1, round(len(seeds) * share)) for share in MARKS]
    for count, seed in enumerate(seeds, 1):
        page, done, url = spoiled(pages, seed)
        begun = time.process_time()
        try:
            report.articles += read(page, url)
        except Exception as error:  # any at all is a finding
            report.faults.append((seed, done, f"{type(error).__name__}: {error}"[:200]))
        taken = time.process_time() - begun
        report.seconds.append(taken)
        report.slowest = sorted([*report.slowest, (taken, seed, done, len(page))])[-50:]
        report.memory += [_resident()] * marks.count(count)
    return report


def _resident() -> float:
    """MiB that the process holds now (Linux), without what the allocator only keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(count: int, folders: list[Path]) -> int:
    """Read `count` pages in all and print what was found; the exit status."""
    cores = os.cpu_count() or 1
    # Python's own allocator keeps a whole MiB for one small object that stays in it, and rises for
    # hours towards its plateau where nothing is held; malloc gives back what is free.
    os.environ["PYTHONMALLOC"] = "malloc"  # of the processes that are started now
    begun = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        shares = [(range(core, count, cores), folders) for core in range(cores)]
        reports = pool.starmap(work, shares)
    seconds = [taken for report in reports for taken in report.seconds]
    faults = [fault for report in reports for fault in report.faults]
    slowest = sorted(page for report in reports for page in report.slowest)[::-1]
    print(
        f"{len(seconds)} pages in {time.monotonic() - begun:.0f} s on {cores} cores, "
        f"{sum(report.articles for report in reports)} of them articles, {len(faults)} exceptions"
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
    """One page of a run once more, kept in the temporary folder for a look."""
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
