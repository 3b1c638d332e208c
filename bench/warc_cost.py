"""What archiving costs a crawl: the same crawl with WARC=on and WARC=off, taking turns.

python -m bench.warc_cost [ARTICLES [ROUNDS]]
"""

from __future__ import annotations

import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from pymongo import MongoClient

from bench.crawls import begin
from bench.nginx import serve
from bench.site import build
from zjolcrawl.storage.embedded import EmbeddedServer


def crawl(proxy: str, mongodb: str, data: Path, articles: int, **settings: str) -> float:
    """Articles a second of one crawl into an empty database and folder. Raises RuntimeError."""
    with MongoClient[dict[str, object]](mongodb) as client:
        client.drop_database("zjol")
        running = begin(proxy, mongodb, data, **settings)
        err = running.communicate()[1]
        stored = client["zjol"]["articles"].count_documents({})
        run = client["zjol"]["runs"].find_one() or {}
    shutil.rmtree(data, ignore_errors=True)
    if running.returncode or stored != articles:
        raise RuntimeError(f"{stored} of {articles} stored, status {running.returncode}: {err}")
    return articles / float(str(run["seconds"]))


def main(articles: int = 1500, rounds: int = 5) -> None:
    """Print medians and their ratio, for pages served plain and gzipped."""
    with tempfile.TemporaryDirectory() as name, EmbeddedServer.acquire(Path(name)) as server:
        folder = Path(name)
        build(folder / "site", articles)
        print(f"{articles} articles, {rounds} rounds, Python {platform.python_version()}")
        for gzip in (False, True):
            rates: dict[str, list[float]] = {"off": [], "on": []}
            with serve(folder / "site", folder / f"nginx-{gzip}", gzip=gzip) as proxy:
                for turn in range(2 * rounds):
                    # off on, on off, off on …: neither always goes first
                    switch = "on" if turn % 4 in {1, 2} else "off"
                    rate = crawl(proxy, server.uri, folder / "data", articles, WARC=switch)
                    rates[switch].append(rate)
            medians = {switch: statistics.median(each) for switch, each in rates.items()}
            print(
                f"pages {'gzipped' if gzip else 'plain':<8}"
                + "".join(f"  WARC={s} {m:6.1f} articles/s" for s, m in medians.items())
                + f"  ratio {medians['on'] / medians['off']:.3f}"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
