"""The lock of a data folder: one run at a time."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Begin, Crawl, ended, wait_until
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.run.lock import LockHeld, RunLock, holder

pytestmark = pytest.mark.new_database
FIRST = 4774001


def test_second_run_ends_with_75_and_says_who_runs(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    lock = RunLock(tmp_path)
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 75
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(
        rf"zjolcrawl: another run holds {tmp_path}/run.lock: pid {os.getpid()}, for \d+ s, since .+",
        line,
    )
    assert site.urls() == []
    assert db.list_collection_names() == []
    lock.release()
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0


def test_parts_share_the_folder_with_each_other_alone(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path, (1, 2)), RunLock(tmp_path, (2, 2))
    with pytest.raises(LockHeld, match=rf"run-2-of-2\.lock: pid {os.getpid()}"):
        RunLock(tmp_path, (2, 2))
    with pytest.raises(LockHeld, match=r"run-1-of-2\.lock"):
        RunLock(tmp_path)
    first.release()
    assert f"pid {os.getpid()}" in (holder(tmp_path) or "")
    second.release()
    assert holder(tmp_path) is None
    whole = RunLock(tmp_path)
    with pytest.raises(LockHeld, match=r"run\.lock"):
        RunLock(tmp_path, (1, 2))
    whole.release()


def test_lock_of_a_killed_run_is_none(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path, begin: Begin
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    site.delay = 5
    running = begin(
        "column",
        "-a",
        f"url={COLUMN}",
    )
    wait_until(lambda: f"pid {running.pid}," in (holder(tmp_path) or ""), running)
    running.kill()
    running.communicate()
    assert holder(tmp_path) is None
    site.delay = 0
    assert crawl("column", url=COLUMN).returncode == 0


def test_sigterm_ends_with_all_written(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path, begin: Begin
) -> None:
    idents = range(FIRST, FIRST + 60)
    serve_column(site, [[(DAY, ident) for ident in idents]])
    site.delay = 0.2
    running = begin(
        "column",
        "-a",
        f"url={COLUMN}",
        "-s",
        "MONGODB_BATCH_SECONDS=60",
    )
    wait_until(lambda: len(site.urls()) >= 12, running)
    running.send_signal(signal.SIGTERM)
    _, err = ended(running)
    assert running.returncode == 3, err
    assert "ended early: shutdown" in err
    stored = db.articles.count_documents({})
    assert stored >= 5
    assert db.frontier.count_documents({"state": "stored"}) == stored
    run = db.runs.find_one()
    assert run is not None
    assert run["counts"]["new"] == stored
    assert not list((tmp_path / "warc").glob("*.open"))
    site.delay = 0
    assert crawl("column", url=COLUMN).returncode == 0
    assert db.articles.count_documents({}) == len(idents)


def test_sigterm_while_a_run_closes_lets_it_close(
    site: SiteProxy, db: Database[Any], tmp_path: Path, begin: Begin
) -> None:
    idents = range(FIRST, FIRST + 5)
    serve_column(site, [[(DAY, ident) for ident in idents]])
    site.set(url_of(FIRST), Answer(body=article(DAY, FIRST), delay=1))
    running = begin(
        "column",
        "-a",
        f"url={COLUMN}",
        "-s",
        "MONGODB_BATCH_SECONDS=60",
        "-s",
        "CLOSESPIDER_ITEMCOUNT=6",
    )
    wait_until(lambda: url_of(FIRST) in site.urls(), running)
    # A server that blocks all writes keeps the run in its closing phase.
    db.client.admin.command("fsync", lock=True)
    try:
        log = tmp_path / "logs" / "zjolcrawl.log"
        wait_until(lambda: "Closing spider (closespider_itemcount)" in log.read_text(), running)
        running.send_signal(signal.SIGTERM)
        wait_until(lambda: "Received SIGTERM" in log.read_text(), running)
    finally:
        db.client.admin.command("fsyncUnlock")
    _, err = running.communicate()
    assert "5 links found (5 new); stored 5 new" in err, err
    assert running.returncode == 0, err
    assert not list((tmp_path / "warc").glob("*.open"))
    run = db.runs.find_one() or {}
    assert (run["exit_status"], run["finish_reason"]) == (0, "closespider_itemcount")
