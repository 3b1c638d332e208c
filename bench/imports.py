"""Compares `archive import` of a WARC file that others made with `reparse` of the same captures.

python -m bench.imports [MEGABYTES [ROUNDS]]     1000 3

The file has generated articles with 60 kB of markup, which compresses as that of the live site, in gzip
members and without contexts of ours. Both end with the same articles in an empty database. A rate is captures divided
by the seconds of the whole command; the peak of memory is that of the command's process.
"""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient

from tests.archive import foreign_made as made
from tests.support.crawling import peak_memory, start_scrapy
from tests.support.pages import article
from zjolcrawl.storage.embedded import EmbeddedServer

_NEWS = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708"
_PAGE = 60_000  # bytes of a page, most of them a script as on the live site
_FIRST = 4_000_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds of a command and its peak memory in bytes."""

    seconds: float
    memory: int


def report(megabytes: int = 1000, rounds: int = 3) -> str:
    """A table with a row per command."""
    with tempfile.TemporaryDirectory() as text, EmbeddedServer.acquire(Path(text)) as server:
        file = Path(text) / "others.warc.gz"
        captures = _write(file, megabytes * 1_000_000)
        turns: dict[str, list[Turn]] = {"import": [], "reparse": []}
        for _ in range(rounds):
            data = Path(tempfile.mkdtemp(dir=text))
            turns["import"].append(_run(("archive", "import", str(file)), data, server.uri))
            turns["reparse"].append(_run(("crawl", "reparse"), data, server.uri))
            subprocess.run(["rm", "-r", data], check=True)
        size = file.stat().st_size
    rates = {n: statistics.median(captures / t.seconds for t in each) for n, each in turns.items()}
    peaks = {name: max(turn.memory for turn in each) / 2**20 for name, each in turns.items()}
    rows = [
        f"| {n} | {rates[n]:.0f} | {rates[n] / rates['reparse']:.2f} | {peaks[n]:.0f} |"
        for n in turns
    ]
    return "\n".join(
        [
            f"{captures:,} captures in {size / 1e6:.0f} MB, medians of {rounds} rounds\n",
            "| | captures/s | ÷ reparse | peak MiB |", "|---|---|---|---|", *rows,
        ]
    )  # fmt: skip


def _write(file: Path, size: int) -> int:
    """Write a file of about this size; returns the number of captures."""
    made_of = random.Random(1)
    words = [made_of.randbytes(4).hex() for _ in range(3000)]
    count = 0
    with file.open("wb") as out:
        while out.tell() < size:
            ident = _FIRST + count
            names = made_of.choices(words, k=_PAGE // 50)
            menu = "".join(f'<li class="item"><a href="/{each}/">{each}</a></li>' for each in names)
            script = f"<script>/* {menu} */</script>"
            page = article("2017-08-12", ident, more=script)
            block = made.http(page, Content_Type="text/html; charset=utf-8")
            sha1 = hashlib.sha1(block, usedforsecurity=False).hexdigest()
            record = made.warc_record(
                f"{_NEWS}/t20170812_{ident}.shtml", block, WARC_Block_Digest=f"sha1:{sha1}"
            )
            out.write(made.members([record]))
            count += 1
    return count


def _run(arguments: tuple[str, ...], data: Path, uri: str) -> Turn:
    """Run a command into an empty database. Raises RuntimeError unless it ends well."""
    with MongoClient[dict[str, object]](uri) as client:
        client.drop_database("zjol")
    began = time.monotonic()
    running = start_scrapy(*arguments, site=None, data=data, uri=uri, database="zjol", anew=True)
    peak = peak_memory(running)
    seconds = time.monotonic() - began
    _, err = running.communicate()
    if running.returncode:
        raise RuntimeError(json.dumps(err[-500:]))
    return Turn(seconds, peak)


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
