"""Measures the bytes per article in WARC files, their indexes and MongoDB.

python -m bench.sizes [PAGES [ARTICLES]]    synthetic pages crawled twice, synthetic articles stored
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.crawls import begin
from bench.nginx import serve
from bench.site import HOST, build
from tests.support.archives import fill
from zjolcrawl.storage.embedded import EmbeddedServer


def main(pages: int = 400, articles: int = 20_000) -> None:
    """Print the sizes, one per line."""
    with tempfile.TemporaryDirectory() as name, EmbeddedServer.acquire(Path(name)) as server:
        folder = Path(name)
        build(folder / "site", pages)
        made = list((folder / "site" / HOST / "bench" / "201708").glob("*.shtml"))
        print(f"page: {_bytes(made) / pages:,.0f} bytes,", end=" ")
        print(f"gzipped {_bytes(each.with_name(each.name + '.gz') for each in made) / pages:,.0f}")
        for gzip in (False, True):
            with serve(folder / "site", folder / f"nginx-{gzip}", gzip=gzip) as proxy:
                _crawl_twice(proxy, server.uri, folder / f"data-{gzip}", f"served {gzip=}", pages)
        with MongoClient[dict[str, Any]](server.uri) as client:
            fill(client["made"], articles)
            client.admin.command("fsync")
            for collection in ("articles", "frontier"):
                told = client["made"].command("collStats", collection)
                print(
                    f"{collection}: {told['count']:,} documents, each {told['size'] / articles:,.0f} bytes as BSON, "
                    f"{told['storageSize'] / articles:,.0f} stored, {told['totalIndexSize'] / articles:,.0f} in indexes"
                )


def _crawl_twice(proxy: str, mongodb: str, data: Path, how: str, pages: int) -> None:
    with MongoClient[dict[str, Any]](mongodb) as client:
        client.drop_database("zjol")
    before = 0
    for name in ("first crawl", "every page again"):
        running = begin(proxy, mongodb, data, recheck="on")
        err = running.communicate()[1]
        if running.returncode:
            raise RuntimeError(err)
        now = _bytes((data / "warc").glob("*.warc.gz"))
        print(f"{how}, {name}: WARC {(now - before) / pages:,.0f} bytes an article")
        before = now
    beside = (*(data / "warc").glob("*.cdxj"), *(data / "warc").glob("index.sqlite"))
    print(f"{how}: index.sqlite and CDXJ {_bytes(beside) / pages / 2:,.0f} bytes a capture")


def _bytes(files: Any) -> int:
    return sum(each.stat().st_size for each in files)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
