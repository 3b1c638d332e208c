"""Crawls that a script runs in one process, sequentially and concurrently."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from pymongo.database import Database

from tests.support.crawling import LONG, ROOT, environment
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import SiteProxy

SCRIPT = """
import asyncio, sys
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.utils.project import get_project_settings
from scrapy.utils.reactor import install_reactor

install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
from twisted.internet import reactor


def crawl(folder, column):
    settings = get_project_settings()
    settings.set("DATA_DIR", folder)
    settings.set("DOWNLOAD_DELAY", 0)
    settings.set("AUTOTHROTTLE_ENABLED", False)
    runner = AsyncCrawlerRunner(settings)
    crawler = runner.create_crawler("column")
    return crawler, runner.crawl(crawler, url=column, recheck="on")


async def main():
    one, other, *_ = folders = sys.argv[2:]
    done = []
    for folder in (one, one):
        crawler, running = crawl(folder, sys.argv[1])
        await running
        done.append(crawler)
    both = [crawl(folder, sys.argv[1]) for folder in folders]
    await asyncio.gather(*(running for _, running in both))
    done += [crawler for crawler, _ in both]
    print(*(crawler.spider.run.exit_status for crawler in done))
    reactor.stop()


reactor.callWhenRunning(lambda: asyncio.ensure_future(main()))
reactor.run()
"""


def test_two_after_another_and_two_side_by_side(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    idents = [4774001, 4774002, 4774003]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, COLUMN, str(tmp_path / "one"), str(tmp_path / "other")],
        cwd=ROOT, env=environment(site, tmp_path, mongodb_uri, database),
        capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.stdout == "0 0 0 0\n", done.stderr
    assert done.returncode == 0
    assert db.articles.count_documents({"revision": 1}) == len(idents)
    runs = list(db.runs.find().sort("started_at", 1))
    assert [run["exit_status"] for run in runs] == [0, 0, 0, 0]
    new, same = ([run.get("counts", {}).get(what, 0) for run in runs] for what in ("new", "same"))
    assert new == [3, 0, 0, 0]
    assert (same[1], sum(same[2:])) == (3, 3)  # concurrent ones share the crawl
    assert list((tmp_path / "one" / "warc").glob("*.warc.gz"))
    for name in ("one", "other"):
        assert not list((tmp_path / name / "warc").glob("*.open"))
