"""`scrapy runs`: the last runs, newest first."""

from __future__ import annotations

import fcntl
import json
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from tests.support.crawling import Crawl, scrapy
from zjolcrawl.clock import utc_now
from zjolcrawl.display.runs import render

START = datetime(2017, 8, 11, 23, 34, 27, tzinfo=timezone.utc)
IDS = [ObjectId(f"{n:024x}") for n in range(1, 20)]
ENDED = {
    "_id": IDS[0], "arguments": {"spider": "column", "column": "zjxw", "pages": "3"},
    "version": "0.1", "started_at": START, "ended_at": START + timedelta(seconds=52.31),
    "exit_status": 0, "finish_reason": "finished", "seconds": 52.31,
    "counts": {"pages": 3, "links": 41, "links_new": 41, "new": 37, "rejected": 2, "skipped": 2,
               "gone": 1, "images_stored": 12},
}  # fmt: skip
TROUBLED = {
    "_id": IDS[1], "arguments": {"spider": "column"}, "started_at": START + timedelta(days=1),
    "ended_at": START + timedelta(days=1, hours=3, minutes=10), "exit_status": 1,
    "finish_reason": "shutdown", "warnings": ["one", "two"], "alarms": ["a template"],
    "counts": {"links_new": 1, "changed": 2, "same": 3, "rejected": 5, "skipped": 1, "failed": 6,
               "images_failed": 1},
}  # fmt: skip
OPEN = {"_id": IDS[2], "arguments": {"spider": "article"}, "started_at": START + timedelta(days=2)}
SHOWN = [
    f"2017-08-14 07:34:27  cut off  article  {IDS[2]}",
    "    counts unknown; the articles with this run_id are what it stored",
    f"2017-08-13 07:34:27  3 h 10 min  exit 1, shutdown  column  {IDS[1]}",
    "    2 changed, 3 same, 4 rejected, 1 skipped, 6 failed, 1 link new, 1 image failed, "
    "2 warnings, 1 alarm",
    f"2017-08-12 07:34:27  52.3 s  exit 0, finished  column column=zjxw pages=3  {IDS[0]}",
    "    37 new, 2 skipped, 1 gone, 41 links new",
]


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_runs_newest_first(db: Database[Any], command: Crawl) -> None:
    assert lines(command("runs")) == ["no runs"]
    db.runs.insert_many([ENDED, TROUBLED, OPEN])
    assert lines(command("runs")) == SHOWN
    assert lines(command("runs", "--last", "1")) == SHOWN[:2]
    told = json.loads("\n".join(lines(command("runs", "--json"))))
    assert [run["_id"]["$oid"] for run in told] == [str(key) for key in reversed(IDS[:3])]
    assert told[2]["started_at"] == {"$date": "2017-08-11T23:34:27Z"}
    assert told[1]["warnings"] == ["one", "two"]


def test_ten_runs_unless_asked_for_more(db: Database[Any], command: Crawl) -> None:
    db.runs.insert_many([{**ENDED, "_id": key} for key in IDS])
    assert len(lines(command("runs"))) == 20
    assert len(lines(command("runs", "--last", "999"))) == 38


def test_run_that_holds_the_lock_is_running(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    db.runs.insert_many([{**OPEN, "_id": IDS[0]}, OPEN])
    with (tmp_path / "run.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        held = lines(command("runs"))
    assert [" running " in line for line in held] == [True, False, False, False]
    assert [" cut off " in line for line in held] == [False, False, True, False]
    assert " running " not in command("runs").stdout


def test_runs_that_renew_their_leases_are_running_wherever_they_are(
    db: Database[Any], command: Crawl
) -> None:
    now = utc_now()
    rows = [
        {
            **OPEN,
            "_id": IDS[0],
            "alive_until": now + timedelta(minutes=5),
            "place": "a:/data/#one#fe.1.2",
            "counts": {"new": 7, "links_new": 41},
            "warnings": ["one"],
        },
        {**OPEN, "_id": IDS[1], "alive_until": now + timedelta(minutes=5)},
        {**OPEN, "_id": IDS[2], "alive_until": now - timedelta(seconds=1), "counts": {"same": 5}},
    ]
    for number, row in enumerate(rows):
        row["started_at"] = now - timedelta(minutes=number)
    db.runs.insert_many(rows)
    db.hosts.insert_many(
        [{"_id": "b.zjol.com.cn", "holder": IDS[0]}, {"_id": "a.zjol.com.cn", "holder": IDS[0]}]
    )
    told = lines(command("runs"))
    assert [" running " in line for line in told[::2]] == [True, True, False]
    assert told[1] == (
        "    7 new, 41 links new, 1 warning; on a:/data/#one; leases a.zjol.com.cn, b.zjol.com.cn"
    )
    assert told[3] == "    no result yet"
    assert told[5].startswith("    at least 5 same; the articles with this run_id are ")
    assert " cut off " in told[4]


def test_warnings_of_one_run_and_of_all(db: Database[Any], command: Crawl) -> None:
    db.runs.insert_many([ENDED, TROUBLED])
    shown = [*SHOWN[2:4], "    alarm: a template", "    warning: one", "    warning: two"]
    assert lines(command("runs", str(IDS[1]))) == shown
    assert lines(command("runs", "--warnings")) == [*shown, *SHOWN[4:]]
    (one,) = json.loads("\n".join(lines(command("runs", str(IDS[1]), "--json"))))
    assert one["alarms"] == ["a template"]
    unknown = command("runs", str(IDS[9]))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert str(IDS[9]) in unknown.stderr


def test_ended_run_is_not_running_under_anothers_lock() -> None:
    """The lock is held by another run that has no document yet."""
    assert "exit 0, finished" in str(next(render([ENDED], {ENDED["_id"]: []})))


def test_run_of_which_little_is_known() -> None:
    told = [str(line) for line in render([{"_id": IDS[0]}], {})]
    assert told == [f"unknown start  cut off  unknown spider  {IDS[0]}", SHOWN[1]]
    ended = {"_id": IDS[0], "ended_at": START}
    assert next(map(str, render([ended], {}))).startswith("unknown start  exit ?")


def test_unusable_arguments(command: Crawl, tmp_path: Path) -> None:
    for arguments in (
        ("--last", "0"),
        ("--last", "9999999"),
        ("zjxw",),
        (str(IDS[0]), str(IDS[1])),
    ):
        done = command("runs", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
    done = scrapy("runs", data=tmp_path, uri="mongodb://")
    assert done.returncode == 2
    assert done.stderr.startswith("zjolcrawl: MONGODB_URI mongodb:// is unusable")
