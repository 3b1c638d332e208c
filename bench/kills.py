"""Crash test: a crawl of 1,500 articles with images, killed (SIGKILL) and restarted 13 times.

python -m bench.kills [ARTICLES [KILLS]]

Kills come at random moments. Before each restart 5 % of the pages are edited, and every run visits
all articles again. Exits with status 1 unless at the end: every link of the frontier is `stored`;
every version of every article is a state of its page, in order, with a `warc` pointer that leads to
those bytes; the newest version is the current page; every image has the bytes that were served; and
everything that the database held after any kill is still there, unchanged.
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
from bench.edits import EditedSite, Remembered, check_edited
from bench.nginx import serve
from bench.site import build
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.decoding import decoded_body
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.storage.embedded import EmbeddedServer


def check(db: Any, warc: Path, site: Path, articles: int) -> list[str]:
    """The faults at the end, with the archive in the folder `warc`."""
    faults = []
    documents = {d["_id"]: d for d in db.articles.find()}
    if len(documents) != articles:
        faults.append(f"{len(documents)} articles of {articles}")
    if again := db.revisions.count_documents({}):
        faults.append(f"{again} revisions of articles that never changed")
    by_state = db.frontier.aggregate([{"$group": {"_id": "$state", "links": {"$sum": 1}}}])
    states = {row["_id"]: row["links"] for row in by_state}
    if states != {"stored": articles}:
        faults.append(f"frontier {states}")
    with Archive(warc) as archive:
        for url, document in documents.items():
            page = site / url.removeprefix("http://")
            message = archive.read(Pointer(**document["warc"])).message
            if decoded_body(message) != page.read_bytes():
                faults.append(f"{url}: the record is not the page")
    return faults


def main(articles: int = 1500, kills: int = 13) -> int:
    """Print each round and the verdict; returns the exit status."""
    seed = time.time_ns()
    chance = random.Random(seed)
    print(f"{articles} articles, {kills} kills, seed {seed}", flush=True)
    settings = {"IMAGES": "on", "recheck": "on"}
    with tempfile.TemporaryDirectory() as name, EmbeddedServer.acquire(Path(name)) as server:
        root, data = Path(name) / "site", Path(name) / "data"
        build(root, articles)
        site, remembered = EditedSite(root, chance), Remembered()
        with (
            serve(root, Path(name) / "nginx", gzip=True) as proxy,
            MongoClient[dict[str, Any]](server.uri) as client,
        ):
            db = client["zjol"]
            for number in range(kills):
                running = begin(proxy, server.uri, data, **settings)
                time.sleep(1.5 + chance.random() * articles / 100)
                alive = running.poll() is None
                running.kill()
                running.communicate()
                stored = remembered.look(db)
                edited = db.revisions.count_documents({})
                state = "running" if alive else "ended before"
                print(f"kill {number + 1}: {state}, {stored} stored, {edited} edits", flush=True)
                site.edit(articles // 20)
            last = begin(proxy, server.uri, data, **settings)
            err = last.communicate()[1]
            print(err.strip())
            faults = remembered.lost(db) + check_edited(db, data, site)
            versions = articles + db.revisions.count_documents({})
    print(
        "\n".join(faults[:20])
        or f"whole: {articles} articles in {versions} versions, {len(site.images)} images, nothing lost"
    )
    return 1 if faults or last.returncode else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
