"""Without REDIS_URL there is no crowd, and with a useless one there is one clear line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pymongo.database import Database

from tests.support.crawling import LONG, ROOT, Crawl, ended, start_scrapy
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import SiteProxy

# As `scrapy` does, and then tells which modules are there and what the engine is made of.
_CRAWL = """
import sys
from scrapy import cmdline
from scrapy.core.engine import ExecutionEngine
made = []
begin = ExecutionEngine.open_spider_async
async def open_spider(engine, **given):
    await begin(engine, **given)
    made.append(type(engine.scheduler).__module__)
    made.extend(type(each).__module__ for each in engine.downloader.middleware.middlewares)
ExecutionEngine.open_spider_async = open_spider
try:
    cmdline.execute()
except SystemExit as end:
    print(made, sys.modules.keys() & {"redis", "aiohttp"})
    sys.exit(end.code)
"""


def test_a_process_by_itself_imports_nothing_idle_and_has_scrapys_own_scheduler(
    site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, 4774001)]])
    environment = {k: v for k, v in os.environ.items() if k != "REDIS_URL"}
    environment |= site.environ | {
        "DATA_DIR": str(tmp_path), "MONGODB_URI": mongodb_uri, "MONGODB_DATABASE": database,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _CRAWL, "crawl", "column", "-a", f"url={COLUMN}", "-sDOWNLOAD_DELAY=0"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == 1
    assert "scrapy.core.scheduler" in done.stdout
    assert "zjolcrawl.middlewares.archive" in done.stdout
    assert "cluster" not in done.stdout
    assert done.stdout.endswith(" set()\n")


def test_unusable_settings(
    site: SiteProxy, crawl: Crawl, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    done = crawl("column", url=COLUMN, REDIS_URL="redis://127.0.0.1:1", recheck="on")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("zjolcrawl: REDIS_URL redis://127.0.0.1:1: ")
    done = crawl("column", url=COLUMN, REDIS_URL="elsewhere", REDIS_LEASE="soon", recheck="on")
    assert done.returncode == 2
    assert "REDIS_LEASE=soon" in done.stderr
    done = crawl("column", url=COLUMN, REDIS_URL="elsewhere", recheck="on")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("zjolcrawl: REDIS_URL elsewhere is unusable: ")
    alone = start_scrapy(
        "crawl", "column", "-sREDIS_URL=redis://127.0.0.1:1",
        site=site, data=tmp_path, uri="", database=database,
    )  # fmt: skip
    assert ended(alone)[1] == ("zjolcrawl: setting REDIS_URL: workers need one MONGODB_URI\n")
    assert alone.returncode == 2
    assert site.urls() == []
