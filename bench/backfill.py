"""Crash test: 500 captures of 200 articles in a local pywb, brought in by a backfill that is killed five times.

python -m bench.backfill [ARTICLES [KILLS]]

The captures are edits, repeats, redirects and errors. Each kill comes after another part of the captures is in the
archive. Exits with status 1 unless each article has exactly its edits as versions, in order, with the times of
their captures, and the killed runs leave the same as one that was not. pywb is installed at the first run.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.support import pywb
from tests.support.crawling import ROOT
from tests.support.other_archives import Held
from tests.support.pages import article
from zjolcrawl.storage.embedded import EmbeddedServer

LIST = "http://zjnews.zjol.com.cn/zjnews/zjxw/"
_CACHE = Path.home() / ".cache" / "zjolcrawl-tests" / "pywb"
_SETTINGS = ("BACKFILL_DELAY=0", "BACKFILL_CDX_DELAY=0", "MONGODB_BATCH_SECONDS=0.2")
Versions = dict[str, list[str]]


def captures(articles: int, seed: int = 7) -> tuple[list[Held], Versions]:
    """The captures of pywb, and the times of the versions that they make, by URL."""
    chance = random.Random(seed)
    held: list[Held] = []
    versions: Versions = {}
    for number in range(articles):
        url, body = f"{LIST}200909/t20090901_{5000 + number}.shtml", b""
        for nth in range(2 + number % 2):
            at = f"20{10 + nth}{chance.randint(1, 12):02}{chance.randint(1, 28):02}000000"
            kind = chance.choices(("edit", "same", "404", "302"), (5, 3, 1, 1))[0]
            if nth == 0 or kind == "edit":
                body = article("2009-09-01", 5000 + number, f"第{nth + 1}版的标题")
                versions.setdefault(url, []).append(at)
            if nth and kind == "404":
                held.append(Held(url, at, b"gone", 404))
            elif nth and kind == "302":
                held.append(Held(url, at, b"", 302, (("Location", LIST),)))
            else:
                held.append(Held(url, at, body))
    return held, versions


def begin(port: int, uri: str, folder: Path, database: str) -> subprocess.Popen[str]:
    """Start a backfill from the pywb at this port."""
    given = [f"-acdx=http://127.0.0.1:{port}/coll/cdx", *(f"-s{each}" for each in _SETTINGS)]
    names = {"DATA_DIR": str(folder / database), "MONGODB_URI": uri, "MONGODB_DATABASE": database}
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", "crawl", "backfill", *given],
        cwd=ROOT, env={**os.environ, **names, "CONTACT": "archive@example.org"},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def archived(folder: Path) -> int:
    """The bytes of the WARC files in a data folder."""
    return sum(path.stat().st_size for path in (folder / "warc").glob("*.warc.gz*"))


def stored(db: Any) -> dict[Any, Any]:
    """All documents without what differs from run to run."""
    found = {}
    for name in ("articles", "revisions", "frontier", "columns", "rejects"):
        for document in db[name].find():
            key = f"{name} {document['_id']}"
            ours = {"run_id", "warc", "written_at"}
            found[key] = {field: v for field, v in document.items() if field not in ours}
    return found


def versions_of(db: Any) -> Versions:
    """The times of all versions, by URL."""
    found: Versions = {}
    for document in db.revisions.find().sort("_id", 1):
        found.setdefault(document["_id"]["url"], []).append(
            f"{document['changed_at']:%Y%m%d%H%M%S}"
        )
    for document in db.articles.find():
        found.setdefault(document["_id"], []).append(f"{document['changed_at']:%Y%m%d%H%M%S}")
    return found


def main(articles: int = 200, kills: int = 5) -> int:
    """Print each round and the verdict; returns the exit status."""
    held, versions = captures(articles)
    programs = pywb.installed(_CACHE)
    warc = b"".join(each.record for each in held)
    with tempfile.TemporaryDirectory() as name:
        folder, served = Path(name), Path(name) / "pywb"
        served.mkdir()
        with (
            pywb.serving(programs, served, warc) as port,
            EmbeddedServer.acquire(folder) as server,
            MongoClient[dict[str, Any]](server.uri, tz_aware=True) as client,
        ):
            print(begin(port, server.uri, folder, "whole").communicate()[1].strip(), flush=True)
            part = archived(folder / "whole") // (kills + 1)
            for number in range(kills):
                running = begin(port, server.uri, folder, "killed")
                while archived(folder / "killed") < part * (number + 1) and running.poll() is None:
                    time.sleep(0.01)
                running.kill()
                running.communicate()
                count = client["killed"].articles.count_documents({})
                print(f"kill {number + 1}: {count} articles", flush=True)
            last = begin(port, server.uri, folder, "killed")
            print(last.communicate()[1].strip())
            whole, killed = client["whole"], client["killed"]
            same = stored(whole) == stored(killed)
            right = versions_of(killed) == versions
    print(
        f"{len(held)} captures, {sum(map(len, versions.values()))} versions of {articles} articles"
    )
    print(
        f"each version once, in order, with its time: {right}; the same after {kills} kills: {same}"
    )
    return 0 if same and right and last.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
