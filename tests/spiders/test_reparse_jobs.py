"""`scrapy crawl reparse -a jobs=N`: the parts are reported as one run."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import (
    QUICK,
    ROOT,
    Begin,
    Crawl,
    Running,
    ended,
    environment,
    scrapy,
    wait_until,
)
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.rebuilding import snapshot
from tests.support.site import Answer, SiteProxy
from zjolcrawl.run.lock import RunLock, holder

IDENTS = range(4774001, 4774013)


@pytest.fixture
def wrong(site: SiteProxy, db: Database[Any], crawl: Crawl) -> dict[str, dict[str, Any]]:
    """Twelve stored articles, two with a former version, all misread by an older parser."""
    serve_column(site, [[(DAY, ident) for ident in IDENTS]])
    # One after the other: captures in the same millisecond would be re-parsed too.
    crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1, recheck="on")
    for ident in IDENTS[:2]:
        site.set(url_of(ident), Answer(body=article(DAY, ident, "改过的标题")))
    crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1, recheck="on")
    assert db.revisions.count_documents({}) == 2
    misread(db)
    return snapshot(db)


def misread(db: Database[Any]) -> None:
    """Makes everything look misread by an older parser."""
    old = {"parser.version": 0, "title": "错", "content_sha256": "0" * 64}
    for name in ("articles", "revisions"):
        db[name].update_many({}, {"$set": old})


def counted(stderr: str) -> str:
    """The only line of output, without the seconds."""
    (line,) = stderr.splitlines()
    return re.sub(r"; [\d.]+ s", "", line)


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """While this file exists, each part waits before its first capture and creates a file `held-K`."""
    path = tmp_path / "hold"
    path.touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        f"""
import asyncio, pathlib
from zjolcrawl.spiders.reparse import ReparseSpider
folder, turn = pathlib.Path({str(tmp_path)!r}), ReparseSpider._wait_for_earlier
async def held(self, request):
    (folder / f"held-{{self.part[0]}}").touch()
    while (folder / "hold").exists():
        await asyncio.sleep(0.01)
    await turn(self, request)
ReparseSpider._wait_for_earlier = held
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    yield path
    path.unlink(missing_ok=True)


def wait_for_parts(hold: Path, running: Running) -> None:
    wait_until(lambda: all(hold.with_name(f"held-{n}").exists() for n in (1, 2)), running)


def part_of(parent: int, name: str) -> int:
    """The process of a part."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = (path / "cmdline").read_bytes().split(b"\0")
            if f"part={name}".encode() in told and f"\nPPid:\t{parent}\n" in (
                path / "status"
            ).read_text(encoding="utf-8"):
                return int(path.name)
    raise AssertionError(f"no part {name}")


def test_jobs_are_one_run(
    wrong: dict[str, dict[str, Any]], site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.reset_log()
    one = crawl("reparse", parser_before=1)
    assert one.returncode == 0, one.stderr
    assert "14 corrected" in one.stderr
    alone = snapshot(db)
    assert alone != wrong
    misread(db)
    done = crawl("reparse", parser_before=1, jobs=2)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert counted(done.stderr) == counted(one.stderr)
    assert snapshot(db) == alone
    assert site.requests == []
    parts = list(db.runs.find({"arguments.spider": "reparse", "arguments.part": {"$exists": True}}))
    assert sorted(run["arguments"]["part"] for run in parts) == ["1/2", "2/2"]
    assert all(run["counts"]["chosen"] > 1 for run in parts)
    # Nothing is re-parsed differently any more.
    for jobs in (1, 2):
        done = crawl("reparse", parser_before=1, jobs=jobs)
        assert done.returncode == 0
        assert done.stderr.startswith("zjolcrawl: 0 captures re-parsed; 0 new")
    done = crawl("reparse", run="59900000000000000000abcd", jobs=2)
    assert done.returncode == 2
    assert done.stderr == "zjolcrawl: no capture in the archive matches the arguments\n"
    # A single part does not say so: another may have corrected everything.
    part = crawl("reparse", parser_before=1, part="1/2", PART_REPORTS=1)
    assert (part.returncode, part.stderr) == (0, "")
    end = json.loads(part.stdout.splitlines()[-1])
    assert (end["reason"], end["lines"]) == ("finished", [])


def test_killed_part_is_named_and_can_be_run_alone(
    wrong: object, db: Database[Any], crawl: Crawl, begin: Begin, hold: Path
) -> None:
    running = begin("reparse", "-a", "jobs=2")
    wait_for_parts(hold, running)
    os.kill(part_of(running.pid, "1/2"), signal.SIGKILL)
    hold.unlink()
    _, err = ended(running)
    assert running.returncode == 1
    died, summary = err.splitlines()
    assert died == (
        "zjolcrawl: part 1/2 died (signal 9): not all of its captures were read. "
        "Run the same command with part=1/2 in place of jobs=2"
    )
    assert summary.endswith("(ended early: part 1/2 died)")
    left = db.articles.count_documents({"parser.version": 0})
    assert 0 < left < len(IDENTS)
    assert crawl("reparse", part="1/2").returncode == 0
    assert db.articles.count_documents({"parser.version": 0}) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_reaches_the_parts(
    number: int, wrong: object, db: Database[Any], begin: Begin, hold: Path, tmp_path: Path
) -> None:
    running = begin("reparse", "-a", "jobs=2")
    wait_for_parts(hold, running)
    running.send_signal(number)
    _, err = ended(running)
    assert running.returncode == 3
    assert "(ended early: shutdown)" in err
    assert err.count("\n") == 1
    assert holder(tmp_path) is None
    runs = list(db.runs.find({"arguments.spider": "reparse"}))
    assert [run["finish_reason"] for run in runs] == ["shutdown"] * 2


def test_signal_before_the_parts_can_handle_it(
    wrong: object, begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        f"""
import os, pathlib, signal, sys
if any(each.startswith("part=") for each in sys.orig_argv):
    pathlib.Path({str(tmp_path)!r}, f"began-{{os.getpid()}}").touch()
    signal.pause()
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    running = begin("reparse", "-a", "jobs=2")
    wait_until(lambda: len(list(tmp_path.glob("began-*"))) == 2, running)
    running.send_signal(signal.SIGINT)
    _, err = ended(running)
    assert running.returncode == 1
    assert "(ended early: shutdown)" in err
    assert err.count("\n") == 1


def test_parts_of_a_killed_parent_end(
    wrong: object, db: Database[Any], begin: Begin, hold: Path, tmp_path: Path
) -> None:
    running = begin("reparse", "-a", "jobs=2")
    wait_for_parts(hold, running)
    running.kill()
    ended(running)  # when the parts have closed stderr
    assert holder(tmp_path) is None
    runs = list(db.runs.find({"arguments.spider": "reparse"}))
    assert [run["finish_reason"] for run in runs] == ["shutdown"] * 2


def test_damage_is_told_once(wrong: object, crawl: Crawl, tmp_path: Path) -> None:
    newest = max((tmp_path / "warc").rglob("*.warc.gz"))
    newest.unlink()
    one, done = crawl("reparse"), crawl("reparse", jobs=3)
    assert one.returncode == done.returncode == 1
    assert sorted(done.stderr.splitlines()[:-1]) == sorted(one.stderr.splitlines()[:-1])
    assert newest.name in done.stderr


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ({"jobs": "0"}, "jobs=0 is not a number of processes, 1 to 99"),
        ({"jobs": "x"}, "jobs=x is not a number of processes, 1 to 99"),
        ({"jobs": "100"}, "jobs=100 is not a number of processes, 1 to 99"),
        ({"jobs": "2", "part": "1/2"}, "jobs= cannot be combined with part= or dry_run=on"),
        ({"jobs": "2", "dry_run": "on"}, "jobs= cannot be combined with part= or dry_run=on"),
        ({"jobs": "2"}, "no archive at "),
    ],
)
def test_what_cannot_be_is_one_line(choice: dict[str, str], line: str, crawl: Crawl) -> None:
    done = crawl("reparse", **choice)
    assert done.returncode == 2
    assert done.stderr.startswith(f"zjolcrawl: {line}")
    assert done.stderr.count("\n") == 1


def test_files_of_items_are_refused(begin: Begin, tmp_path: Path) -> None:
    running = begin("reparse", "-a", "jobs=2", "-o", str(tmp_path / "items.jsonl"))
    _, err = ended(running)
    assert running.returncode == 2
    assert err == (
        "zjolcrawl: jobs= cannot be combined with -o or -O: several processes would write one file\n"
    )


def test_other_run_holds_the_folder(wrong: object, crawl: Crawl, tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    done = crawl("reparse", jobs=2)
    assert done.returncode == 75
    assert done.stderr.startswith(f"zjolcrawl: another run holds {tmp_path}: pid {os.getpid()}, ")
    assert done.stderr.count("\n") == 1
    lock.release()


def test_one_job_is_the_run_itself(wrong: object, db: Database[Any], crawl: Crawl) -> None:
    done = crawl("reparse", jobs=1)
    assert "14 corrected" in done.stderr
    (run,) = db.runs.find({"arguments.spider": "reparse"})
    assert run["arguments"] == {"spider": "reparse"}


def test_embedded_server_is_shared_and_the_terminal_has_one_bar(
    site: SiteProxy, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, ident) for ident in IDENTS]])
    scrapy("crawl", "column", "-a", f"url={COLUMN}", site=site, data=tmp_path)
    inside, outside = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "scrapy", "crawl", "reparse", *QUICK, "-a", "jobs=2"],
        cwd=ROOT, env=environment(None, tmp_path, "", "zjol") | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.DEVNULL, stderr=outside,
    ) as running:  # fmt: skip
        os.close(outside)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while more := os.read(inside, 65536):
                shown += more
    os.close(inside)
    assert running.returncode == 0, shown.decode()
    text = shown.decode()
    assert text.count("\x1b[?25l") == 1  # a bar hides the cursor
    assert f"{len(IDENTS)} articles stored (0 new)" in text
    assert f"zjolcrawl: {len(IDENTS) + 1} captures re-parsed" in text.splitlines()[-1]
    assert not (tmp_path / "mongodb" / "server.json").exists()
