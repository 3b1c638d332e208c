"""A crawl of 3,000 articles, killed (SIGKILL) at ten random moments and begun again each time.

python -m bench.kills [ARTICLES [KILLS]]

Ends with status 1 unless in the end every article is stored once, every link of the ledger is `stored`
and every `warc` pointer leads to the bytes that were served.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.crawls import begin
from bench.nginx import serve
from bench.site import build
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.decoding import decoded_body
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.storage.embedded import EmbeddedServer


def check(db: Any, warc: Path, site: Path, articles: int) -> list[str]:
    """What is wrong in the end, with the archive in the folder `warc`."""
    faults = []
    documents = {d["_id"]: d for d in db.articles.find()}
    if len(documents) != articles:
        faults.append(f"{len(documents)} articles of {articles}")
    if again := db.revisions.count_documents({}):
        faults.append(f"{again} revisions of articles that never changed")
    by_state = db.frontier.aggregate([{"$group": {"_id": "$state", "links": {"$sum": 1}}}])
    states = {row["_id"]: row["links"] for row in by_state}
    if states != {"stored": articles}:
        faults.append(f"ledger {states}")
    with Archive(warc) as archive:
        for url, document in documents.items():
            page = site / url.removeprefix("http://")
            message = archive.read(Pointer(**document["warc"])).message
            if decoded_body(message) != page.read_bytes():
                faults.append(f"{url}: the record is not the page")
    return faults


def main(articles: int = 3000, kills: int = 10) -> int:
    """Print each round and the verdict."""
    seed = time.time_ns()
    chance = random.Random(seed)
    print(f"{articles} articles, {kills} kills, seed {seed}")
    with tempfile.TemporaryDirectory() as name, EmbeddedServer.acquire(Path(name)) as server:
        site, data = Path(name) / "site", Path(name) / "data"
        build(site, articles)
        with (
            serve(site, Path(name) / "nginx", gzip=True) as proxy,
            MongoClient[dict[str, Any]](server.uri) as client,
        ):
            db = client["zjol"]
            for number in range(kills):
                running = begin(proxy, server.uri, data)
                time.sleep(1.5 + chance.random() * articles / 800)
                alive = running.poll() is None
                running.kill()
                running.communicate()
                stored = db.articles.count_documents({})
                print(
                    f"kill {number + 1}: {'running' if alive else 'ended before'}, {stored} stored"
                )
            last = begin(proxy, server.uri, data)
            err = last.communicate()[1]
            print(err.strip())
            faults = check(db, data / "warc", site, articles)
    print(
        "\n".join(faults[:20])
        or f"whole: {articles} articles once each, all stored, all records right"
    )
    return 1 if faults or last.returncode else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
