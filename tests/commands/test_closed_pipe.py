"""A reader that closes the pipe, such as `head`, ends a command without a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.archives import fill
from tests.support.crawling import LONG, start_scrapy

COMMANDS = [
    ("list",), ("columns",), ("columns", "--json"), ("columns", "--enabled"), ("search", "浙江", "--json"),
    ("search", "浙江", "--limit", "100"), ("runs",), ("runs", "--json"), ("health",), ("health", "--json"),
    ("audit",), ("coverage",), ("coverage", "--json"), ("mongo",), ("search", "-h"),
]  # fmt: skip


@pytest.fixture
def some(db: Database[Any]) -> str:
    fill(db, 200)
    return db.name


def test_stdout_closed_at_once(some: str, mongodb_uri: str, tmp_path: Path) -> None:
    for arguments in COMMANDS:
        running = start_scrapy(*arguments, site=None, data=tmp_path, uri=mongodb_uri, database=some)
        assert running.stdout
        running.stdout.close()
        assert running.stderr
        with running.stderr:
            assert running.stderr.read() == "", arguments
        status = running.wait(LONG)
        assert status == 141 or arguments[-1] == "-h", (arguments, status)


def test_stderr_closed_does_not_end_the_work(
    db: Database[Any], mongodb_uri: str, tmp_path: Path
) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_text("not json\n" * 50)
    running = start_scrapy(
        "import", str(file), site=None, data=tmp_path, uri=mongodb_uri, database=db.name
    )
    assert running.stderr
    assert running.stdout
    running.stderr.close()
    running.stdout.close()
    assert running.wait(LONG) == 1
    assert db.runs.find_one()["counts"]["unreadable"] == 50  # type: ignore[index]
