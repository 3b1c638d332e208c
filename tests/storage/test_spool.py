"""MongoDB away in the middle of a crawl: nothing is lost, and memory stays flat."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from tests.crawling import scrapy, start_scrapy, wait_until
from tests.mongod import Mongod
from tests.pages import COLUMN, DAY, serve_column
from tests.site import SiteProxy
from zjolcrawl.items import Outcome, Unchanged
from zjolcrawl.storage.spool import Spool

IDENTS = range(4774001, 4774201)
SETTINGS = ("-s", "MONGODB_BATCH_SECONDS=0.2", "-s", "MONGODB_BATCH_SIZE=10")


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    with Mongod(tmp_path / "mongod") as server:
        yield server


@pytest.fixture
def column(site: SiteProxy) -> SiteProxy:
    """200 articles on ten pages, slow enough for something to happen in between."""
    idents = list(IDENTS)
    pages = [[(DAY, ident) for ident in idents[n : n + 20]] for n in range(0, len(idents), 20)]
    serve_column(site, pages)
    site.delay = 0.03
    return site


def begin(site: SiteProxy, data: Path, mongod: Mongod, *more: str) -> subprocess.Popen[str]:
    return start_scrapy(
        "crawl", "column", "-a", f"url={COLUMN}", *SETTINGS, *more,
        site=site, data=data, uri=mongod.uri, database="zjol",
    )  # fmt: skip


def stored(mongod: Mongod) -> int:
    with mongod.client() as client:
        return client.zjol.articles.count_documents({})


def assert_whole(mongod: Mongod) -> None:
    with mongod.client() as client:
        db: Any = client.zjol
        assert db.articles.count_documents({}) == len(IDENTS)
        assert {row["state"] for row in db.frontier.find()} == {"stored"}
        assert {d["revision"] for d in db.articles.find()} == {1}


def test_away_for_a_while_and_back(column: SiteProxy, mongod: Mongod, tmp_path: Path) -> None:
    running = begin(column, tmp_path / "data", mongod)
    wait_until(lambda: stored(mongod) >= 20, running)
    mongod.stop()
    time.sleep(8)
    spool = list((tmp_path / "data" / "spool").glob("*.bson"))
    assert spool
    mongod.start()
    _, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert not spool[0].exists()
    assert_whole(mongod)


def test_away_to_the_end_and_taken_in_by_the_next_run(
    column: SiteProxy, mongod: Mongod, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    running = begin(column, data, mongod, "-s", "MONGODB_PATIENCE=3")
    wait_until(lambda: stored(mongod) >= 20, running)
    mongod.stop()
    _, err = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "wait for MongoDB" in err
    mongod.start()
    before = stored(mongod)
    column.delay = 0
    done = scrapy("crawl", "column", "-a", f"url={COLUMN}", site=column, data=data, uri=mongod.uri)
    assert done.returncode == 0, done.stderr
    assert not list((data / "spool").glob("*.bson"))
    assert_whole(mongod)
    with mongod.client() as client:
        ends = [run.get("exit_status") for run in client.zjol.runs.find().sort("_id", 1)]
        assert ends == [1, 0]  # the first one's end was in the spool
        taken = client.zjol.runs.find().sort("_id", -1)[0]["counts"]["taken_in"]
    assert taken > 0
    assert before < len(IDENTS)


def test_away_while_links_that_are_due_are_taken_up(
    column: SiteProxy, mongod: Mongod, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    _, err = begin(column, data, mongod, "-a", "until=2000-01-01").communicate(timeout=60)
    assert "200 links found (200 new); stored 0 new" in err
    running = begin(column, data, mongod)
    wait_until(lambda: stored(mongod) >= 20, running)
    mongod.stop()
    time.sleep(3)
    mongod.start()
    _, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert_whole(mongod)


def test_spool_is_read_back_without_its_torn_end(tmp_path: Path) -> None:
    spool = Spool(tmp_path, str(ObjectId()), (Outcome, Unchanged))
    items = [Outcome("http://a/", "failed", "HTTP 500"), Unchanged("http://b/")]
    assert spool.add(items) == 2
    assert spool.add([Unchanged("http://c/")]) == 1
    (path,) = spool.files()
    assert list(spool.read(path)) == [*items, Unchanged("http://c/")]
    path.write_bytes(path.read_bytes()[:-5])
    assert list(spool.read(path)) == items
