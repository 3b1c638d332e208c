"""`scrapy export`: content of the files, and no partial files."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.database import Database

from tests.export.made import SENTENCE, article, edited
from tests.support.crawling import (
    Crawl,
    Running,
    ended,
    peak_memory,
    scrapy,
    start_scrapy,
    wait_until,
)
from tests.support.databases import Databases
from tests.support.mongod import Mongod
from zjolcrawl.fields import FIELDS
from zjolcrawl.storage.connection import open_database
from zjolcrawl.storage.queries.selection import Selection
from zjolcrawl.storage.schema import ensure_schema


@pytest.fixture
def three(db: Database[Any]) -> list[dict[str, Any]]:
    """Three articles, not inserted in the order of their URLs."""
    made = [article(number) for number in (2, 0, 1)]
    db.articles.insert_many(made)
    return sorted(made, key=lambda each: each["_id"])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_json_lines(three: list[dict[str, Any]], command: Crawl, tmp_path: Path) -> None:
    done = command("export", str(tmp_path / "a.jsonl"))
    size = (tmp_path / "a.jsonl").stat().st_size
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"zjolcrawl: {tmp_path}/a.jsonl: 3 articles, {size / 1e3:.1f} kB\n"
    found = lines(tmp_path / "a.jsonl")
    assert [each["_id"] for each in found] == [each["_id"] for each in three]
    assert found[0]["published_at"] == "2017-01-01T01:02:03.045Z"
    assert found[0]["run_id"] == "59900000000000000000abcd"
    assert list(found[0]) == list(three[0])
    same = {k: v for k, v in three[0].items() if not isinstance(v, (datetime, ObjectId))}
    assert {k: found[0][k] for k in same} == same
    text = (tmp_path / "a.jsonl").read_text()
    assert "引题" in text
    assert not (tmp_path / "a.jsonl.part").exists()


def test_stdout_has_the_lines_and_nothing_else(three: list[dict[str, Any]], command: Crawl) -> None:
    done = command("export", "-")
    assert [json.loads(each)["_id"] for each in done.stdout.splitlines()] == [
        each["_id"] for each in three
    ]
    assert done.stderr == "zjolcrawl: -: 3 articles\n"


def test_packed_file_is_the_same_each_time(
    three: list[dict[str, Any]], command: Crawl, tmp_path: Path
) -> None:
    packed = []
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        assert command("export", str(tmp_path / name)).returncode == 0
        packed.append((tmp_path / name).read_bytes())
    assert packed[0] == packed[1]
    assert packed[0][4:8] == bytes(4)  # MTIME of RFC 1952: no time available
    assert len(gzip.decompress(packed[0]).splitlines()) == 3


def test_csv_is_flat(three: list[dict[str, Any]], command: Crawl, tmp_path: Path) -> None:
    assert command("export", str(tmp_path / "a.csv")).returncode == 0
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf_id,doc_id,")
    assert data.endswith(b"\r\n")
    second = rows(tmp_path / "a.csv")[1]
    assert second["title"] == "标题 1"
    assert second["columns"] == "zjxw|zjxc"
    assert second["tags"] == r"生态文明|督察\|整改"
    assert (second["authors.name"], second["authors.role"]) == ("江帆|王五", "记者|通讯员")
    assert second["authors.outlet"] == "浙江在线|"
    assert (second["images.position"], second["images.width"]) == ("1|2", "600|")
    assert (second["attachments.ref"], second["attachments.name"]) == ("1.pdf", "")
    assert (second["warc.offset"], second["parser.version"]) == ("1000", "2")
    assert second["published_at"] == "2017-01-01T02:02:03.045Z"
    assert second["gone_at"] == ""
    assert second["body"] == three[1]["body"]


def test_parquet_keeps_lists_and_times(
    three: list[dict[str, Any]], command: Crawl, tmp_path: Path
) -> None:
    assert command("export", str(tmp_path / "a.parquet")).returncode == 0
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == [field.name for field in FIELDS]
    assert table.schema.field("published_at").type == pa.timestamp("ms", tz="UTC")
    assert (
        pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    )
    second = table.to_pylist()[1]
    expected = {**three[1], "run_id": str(three[1]["run_id"]), "gone_at": None, "returned_at": None}
    for people in ("authors", "editors"):
        expected[people] = [{"outlet": None, **each} for each in expected[people]]
    expected["attachments"] = [{"name": None, **each} for each in expected["attachments"]]
    nothing = dict.fromkeys(expected["images"][0])
    expected["images"] = [{**nothing, **each} for each in expected["images"]]
    assert second == expected


def test_row_groups_are_bounded(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    db.articles.insert_many([article(number, body="短", body_html=None) for number in range(2001)])
    db.articles.insert_many([article(9000 + number, body="长" * 3_000_000) for number in range(3)])
    assert command("export", str(tmp_path / "a.parquet")).returncode == 0
    data = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [data.row_group(n).num_rows for n in range(data.num_row_groups)] == [2000, 3, 1]


def test_selection_and_format(three: list[dict[str, Any]], command: Crawl, tmp_path: Path) -> None:
    done = command("export", str(tmp_path / "a.txt"), "--format", "jsonl", "--column", "zjxc")
    assert done.returncode == 0
    assert [each["title"] for each in lines(tmp_path / "a.txt")] == ["标题 1"]
    assert command("export", str(tmp_path / "b.csv"), "--since", "2018-01-01").returncode == 0
    assert rows(tmp_path / "b.csv") == []


def test_former_versions_come_before_the_newer_ones(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    first = article(0)
    former, second = edited(first, "改过", 2)
    former_too, third = edited(second, "又改过", 3)
    db.articles.insert_many([article(1), third])
    db.revisions.insert_many([former_too, former])
    # Left by an interrupted run: the newest version is not a former one yet.
    db.revisions.insert_one({**third, "_id": {"url": third["_id"], "revision": 3}})
    done = command("export", str(tmp_path / "a.jsonl"), "--revisions")
    assert "2 articles, 2 former versions" in done.stderr
    assert [(each["_id"], each["revision"]) for each in lines(tmp_path / "a.jsonl")] == [
        ({"url": first["_id"], "revision": 1}, 1),
        ({"url": first["_id"], "revision": 2}, 2),
        (first["_id"], 3),
        (article(1)["_id"], 1),
    ]
    assert command("export", str(tmp_path / "a.parquet"), "--revisions").returncode == 0
    table = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [(each["_id"], each["revision"]) for each in table[:3]] == [
        (first["_id"], number) for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one FILE"),
        (["a.jsonl", "b.jsonl"], "give one FILE"),
        (["a.txt"], "give --format"),
        (["-", "--format", "parquet"], "needs a file name"),
        (["a.jsonl", "--since", "tomorrow"], "tomorrow"),
        (["a.jsonl", "--format", "xlsx"], "xlsx"),
        (["nowhere/a.jsonl"], "cannot be written: No such file"),
        (["there.jsonl"], "exists: use --force to replace it"),
        (["/dev/null", "--format", "csv", "--force"], "is not a regular file"),
    ],
)
def test_unusable_arguments(
    arguments: list[str], told: str, command: Crawl, tmp_path: Path
) -> None:
    (tmp_path / "there.jsonl").write_text("kept")
    given = [
        str(tmp_path / each) if each[0].isalpha() and "." in each else each for each in arguments
    ]
    done = command("export", *given)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "there.jsonl").read_text() == "kept"
    assert [each.name for each in tmp_path.iterdir()] == ["there.jsonl"]


def test_force_overwrites(three: list[dict[str, Any]], command: Crawl, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("old")
    (tmp_path / "a.jsonl.part").write_text("left by one that was killed" * 10_000)
    assert command("export", str(tmp_path / "a.jsonl"), "--force").returncode == 0
    assert len(lines(tmp_path / "a.jsonl")) == 3
    assert not (tmp_path / "a.jsonl.part").exists()


def test_without_pyarrow_one_line(
    command: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without").mkdir()
    hidden = "import sys; sys.modules['pyarrow'] = None\n"
    (tmp_path / "without" / "sitecustomize.py").write_text(hidden)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "without"))
    done = command("export", str(tmp_path / "a.parquet"))
    assert done.returncode == 2
    assert done.stderr == "zjolcrawl: parquet needs pyarrow: pip install 'zjolcrawl[export]'\n"
    assert command("export", str(tmp_path / "a.csv")).returncode == 0


Begin = Callable[..., Running]


def stalled(folder: Path, uri: str, database: str, name: str) -> Running:
    """An export that is stopped in the middle of its file."""
    running = start_scrapy(
        "export", str(folder / name), site=None, data=folder, uri=uri, database=database
    )
    part = folder / f"{name}.part"
    wait_until(lambda: part.exists() and part.stat().st_size, running)
    return running


def many(db: Database[Any], count: int = 3000) -> None:
    db.articles.insert_many(article(n) for n in range(count))


@pytest.fixture(scope="module")
def thousands(mongo: MongoClient[dict[str, Any]], databases: Databases) -> Iterator[str]:
    """The name of a database of 3,000 articles, more than a row group. Tests must not write to it."""
    name = databases.take()
    many(mongo[name])
    yield name
    databases.drop(name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.jsonl.gz"])
def test_interrupted_nothing_is_left(
    name: str, thousands: str, mongodb_uri: str, tmp_path: Path
) -> None:
    running = stalled(tmp_path, mongodb_uri, thousands, name)
    running.send_signal(signal.SIGINT)
    _, err = ended(running)
    assert running.returncode == 130, err
    assert err == "zjolcrawl: interrupted: nothing was written\n"
    assert list(tmp_path.iterdir()) == []


def test_killed_no_half_file_has_the_name(thousands: str, mongodb_uri: str, tmp_path: Path) -> None:
    running = stalled(tmp_path, mongodb_uri, thousands, "a.csv")
    running.kill()
    running.communicate()
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv.part"]


def test_database_lost_nothing_is_left(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with Mongod(tmp_path / "mongodb") as server:
        with server.client() as client:
            many(client["zjol"])
        running = stalled(out, server.uri, "zjol", "a.jsonl")
        running.send_signal(signal.SIGSTOP)
        server.stop()
        running.send_signal(signal.SIGCONT)
        _, err = ended(running)
    assert running.returncode == 2, err
    assert err.startswith("zjolcrawl: MongoDB did not answer a query: ")
    assert err.count("\n") == 1
    assert list(out.iterdir()) == []


def test_two_exports_into_one_file(thousands: str, mongodb_uri: str, tmp_path: Path) -> None:
    running = stalled(tmp_path, mongodb_uri, thousands, "a.jsonl")
    running.send_signal(signal.SIGSTOP)
    name = str(tmp_path / "a.jsonl")
    done = scrapy("export", name, data=tmp_path, uri=mongodb_uri, database=thousands)
    running.send_signal(signal.SIGCONT)
    ended(running)
    assert (done.returncode, running.returncode) == (2, 0)
    assert done.stderr.endswith("a.jsonl.part is being written by another export\n")
    assert len(lines(tmp_path / "a.jsonl")) == 3000


def test_full_disk_and_closed_pipe(thousands: str, mongodb_uri: str, tmp_path: Path) -> None:
    environment = {**os.environ, "MONGODB_URI": mongodb_uri, "MONGODB_DATABASE": thousands}
    environment["DATA_DIR"] = str(tmp_path)
    for line, told in (
        ("scrapy export - > /dev/full", "- cannot be written: No space left on device"),
        ("scrapy export - | head -1 > /dev/null", "stdout was closed before all was written"),
    ):
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line.replace('scrapy', '$SCRAPY -m scrapy')}"],
            env={**environment, "SCRAPY": sys.executable}, capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (2, f"zjolcrawl: {told}\n")


@pytest.fixture(scope="module")
def small_and_large(
    mongo: MongoClient[dict[str, Any]], databases: Databases
) -> Iterator[tuple[str, str]]:
    """The names of two databases of long articles, of 32 and 80 MB: both more than an export holds at once."""
    small, large = databases.take(), databases.take()
    for name, count in ((small, 500), (large, 1250)):
        bodies = (f"第{n}条。{SENTENCE * 320}" for n in range(count))
        made = (article(n, body=body, body_html=body) for n, body in enumerate(bodies))
        mongo[name].articles.insert_many(made)
    assert mongo[large].command("collstats", "articles")["size"] > 80e6
    yield small, large
    for each in (small, large):
        databases.drop(each)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_memory_does_not_grow_with_the_archive(
    name: str, small_and_large: tuple[str, str], mongodb_uri: str, tmp_path: Path
) -> None:
    def needed(database: str) -> int:
        running = start_scrapy(
            "export", str(tmp_path / name), "--force",
            site=None, data=tmp_path, uri=mongodb_uri, database=database,
        )  # fmt: skip
        most = peak_memory(running)
        _, err = running.communicate()
        assert running.returncode == 0, err
        return most

    few, more = map(needed, small_and_large)
    assert more - few < 40e6  # the texts alone take more


def test_words_choose(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    former, newest = edited(article(11), "鹿城区又有一条", 2)
    mine = [article(1, body="鹿城区的一条"), article(3, title="鹿城区"), article(5, body="别的")]
    db.articles.insert_many([*mine, article(2, body="鹿城区"), newest])
    db.revisions.insert_one(former)
    done = command(
        "export", str(tmp_path / "a.jsonl"), "--search", "鹿城区", "--column", "zjxc", "--revisions"
    )
    assert done.returncode == 0, done.stderr
    assert [each["_id"] for each in lines(tmp_path / "a.jsonl")] == [
        article(3)["_id"], former["_id"], newest["_id"], article(1)["_id"]
    ]  # fmt: skip
    done = command("export", str(tmp_path / "b.jsonl"), "--search=-城")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "b.jsonl").exists()


def test_order_is_served_by_an_index(db: Database[Any], mongodb_uri: str, database: str) -> None:
    async def ensure() -> None:
        async with open_database(mongodb_uri, database, Path()) as db:
            await ensure_schema(db)

    asyncio.run(ensure())
    many(db, 200)
    plan = db.articles.find(Selection().query()).sort("_id", 1).explain()
    assert "COLLSCAN" not in str(plan)
    assert "SORT" not in str(plan["queryPlanner"]["winningPlan"])


def test_bar_in_a_terminal(thousands: str, mongodb_uri: str, tmp_path: Path) -> None:
    inside, outside = pty.openpty()
    environment = {**os.environ, "MONGODB_URI": mongodb_uri, "MONGODB_DATABASE": thousands}
    environment |= {"DATA_DIR": str(tmp_path), "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-m", "scrapy", "export", "-"],
        env=environment, stdout=subprocess.PIPE, stderr=outside,
    ) as running:  # fmt: skip
        os.close(outside)
        assert running.stdout
        out = running.stdout.read()
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while more := os.read(inside, 65536):
            shown += more
    os.close(inside)
    assert running.returncode == 0
    assert out.count(b"\n") == 3000
    assert b"\x1b" not in out
    assert "articles" in shown.decode()
    assert "%" in shown.decode()
