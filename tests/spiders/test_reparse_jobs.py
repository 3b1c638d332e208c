"""`scrapy crawl reparse -a jobs=N`: the parts are reported as one run."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support import forked_parts
from tests.support.crawling import (
    QUICK,
    Begin,
    Crawl,
    Running,
    ended,
    environment,
    scrapy,
    wait_until,
)
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.rebuilding import Saved, snapshot
from tests.support.site import Answer, SiteProxy
from tests.support.warm import Warm
from zjolcrawl.run.lock import RunLock, holder

IDENTS = range(4774001, 4774013)


@pytest.fixture(scope="module")
def saved() -> list[Saved]:
    """What was crawled for the first test that needs it."""
    return []


@pytest.fixture
def wrong(
    saved: list[Saved], site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Twelve stored articles, two with a former version, all misread by an older parser."""
    if saved:
        saved[0].restore(db, tmp_path)
    else:
        crawl_versions(site, crawl)
        saved.append(Saved(db, tmp_path, tmp_path_factory.mktemp("saved") / "wrong"))
    assert db.revisions.count_documents({}) == 2
    misread(db)
    return snapshot(db)


def crawl_versions(site: SiteProxy, crawl: Crawl) -> None:
    serve_column(site, [[(DAY, ident) for ident in IDENTS]])
    # One after the other: captures in the same millisecond would be re-parsed too.
    crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1, recheck="on")
    for ident in IDENTS[:2]:
        site.set(url_of(ident), Answer(body=article(DAY, ident, "改过的标题")))
    crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1, recheck="on")


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
def forked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """When called: from now on the parts are forked, which takes a tenth of the time of new interpreters."""

    def fork() -> None:
        monkeypatch.setattr("tests.support.warm._be_scrapy", forked_parts.be_scrapy)

    return fork


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Path]:
    """While this file exists, each part of `held` waits before its first capture. Its id is in a file `held-K` then."""
    path = tmp_path / "hold"
    path.touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        f"""
import asyncio, os, pathlib
from zjolcrawl.spiders.reparse import ReparseSpider
folder, turn = pathlib.Path({str(tmp_path)!r}), ReparseSpider._wait_for_earlier
async def held(self, request):
    mine = folder / f"held-{{self.part[0]}}"
    if not mine.exists():
        written = mine.with_suffix(".new")
        written.write_text(str(os.getpid()))
        written.rename(mine)
    while (folder / "hold").exists():
        await asyncio.sleep(0.01)
    await turn(self, request)
ReparseSpider._wait_for_earlier = held
"""
    )
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def held(
    wrong: object, hold: Path, site: SiteProxy, tmp_path: Path, mongodb_uri: str, database: str
) -> Callable[[], Running]:
    """Starts a re-parsing of two parts and waits until both are held. Only the parts import anything anew."""

    def start() -> Running:
        given = environment(site, tmp_path, mongodb_uri, database)
        given["PYTHONPATH"] = str(tmp_path / "site")
        running = Warm(["crawl", "reparse", *QUICK, "-a", "jobs=2"], given)
        wait_until(lambda: all(hold.with_name(f"held-{n}").exists() for n in (1, 2)), running)
        return running

    return start


def test_jobs_are_one_run(
    wrong: dict[str, dict[str, Any]], site: SiteProxy, db: Database[Any], crawl: Crawl,
    forked: Callable[[], None],
) -> None:  # fmt: skip
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
    forked()
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
    held: Callable[[], Running], forked: Callable[[], None], hold: Path, db: Database[Any], crawl: Crawl
) -> None:  # fmt: skip
    forked()
    running = held()
    os.kill(int(hold.with_name("held-1").read_text()), signal.SIGKILL)
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
    number: int, held: Callable[[], Running], forked: Callable[[], None], db: Database[Any], tmp_path: Path
) -> None:  # fmt: skip
    if number == signal.SIGINT:  # the parent sends its parts the same signal for both
        forked()
    running = held()
    running.send_signal(number)
    _, err = ended(running)
    assert running.returncode == 3
    assert "(ended early: shutdown)" in err
    assert err.count("\n") == 1
    assert holder(tmp_path) is None
    runs = list(db.runs.find({"arguments.spider": "reparse"}))
    assert [run["finish_reason"] for run in runs] == ["shutdown"] * 2


def test_signal_before_the_parts_can_handle_it(
    wrong: object, site: SiteProxy, tmp_path: Path, mongodb_uri: str, database: str
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
    given = environment(site, tmp_path, mongodb_uri, database)
    given["PYTHONPATH"] = str(tmp_path / "site")
    running = Warm(["crawl", "reparse", *QUICK, "-a", "jobs=2"], given)
    wait_until(lambda: len(list(tmp_path.glob("began-*"))) == 2, running)
    running.send_signal(signal.SIGINT)
    _, err = ended(running)
    assert running.returncode == 1
    assert "(ended early: shutdown)" in err
    assert err.count("\n") == 1


def test_parts_of_a_killed_parent_end(
    held: Callable[[], Running], forked: Callable[[], None], db: Database[Any], tmp_path: Path
) -> None:
    forked()
    running = held()
    running.kill()
    ended(running)  # when the parts have closed stderr
    assert holder(tmp_path) is None
    runs = list(db.runs.find({"arguments.spider": "reparse"}))
    assert [run["finish_reason"] for run in runs] == ["shutdown"] * 2


def test_damage_is_told_once(
    wrong: object, crawl: Crawl, forked: Callable[[], None], tmp_path: Path
) -> None:
    forked()
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
def test_what_cannot_be_is_one_line(
    choice: dict[str, str], line: str, crawl: Crawl, forked: Callable[[], None]
) -> None:
    if "no archive" in line:  # the only one with parts
        forked()
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
    given = environment(None, tmp_path, "", "zjol") | {"TERM": "xterm", "COLUMNS": "100"}
    running = Warm(["crawl", "reparse", *QUICK, "-a", "jobs=2"], given, terminal=outside)
    os.close(outside)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while more := os.read(inside, 65536):
            shown += more
    os.close(inside)
    assert running.wait() == 0, shown.decode()
    text = shown.decode()
    assert text.count("\x1b[?25l") == 1  # a bar hides the cursor
    assert f"{len(IDENTS)} articles stored (0 new)" in text
    assert f"zjolcrawl: {len(IDENTS) + 1} captures re-parsed" in text.splitlines()[-1]
    assert not (tmp_path / "mongodb" / "server.json").exists()
