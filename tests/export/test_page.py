"""docs/how-to/export.md: commands and code run as printed."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.export.made import article
from tests.export.test_hostile import BODIES
from tests.support import readme
from tests.support.crawling import Crawl

(COMMANDS,) = readme.code("export", "sh")
LIBRARIES = ("pandas", "polars", "duckdb")
COUNT = 2100  # a row group of Parquet has 2,000 at most


def fill(db: Database[Any], count: int) -> None:
    """Articles, those with hostile bodies first; some lack fields that others have."""
    odd = [article(n, body=body, images=None, authors=None) for n, body in enumerate(BODIES)]
    db.articles.insert_many([*odd, *(article(n, kicker=None) for n in range(len(odd), count))])


def digest(bodies: Iterable[str]) -> str:
    """One SHA-256 over those of all bodies."""
    whole = hashlib.sha256()
    for body in bodies:
        whole.update(hashlib.sha256(body.encode()).digest())
    return whole.hexdigest()


def bodies_of(found: Any) -> list[str]:
    """The bodies of a pandas or polars frame, or of a DuckDB relation."""
    if hasattr(found, "fetchall"):
        return [body for (body,) in found.order("_id").project("body").fetchall()]
    return list(found["body"])


def test_round_trips_as_printed(
    db: Database[Any], command: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, COUNT)
    bodies = [each["body"] for each in db.articles.find({}, {"body": 1}).sort("_id", 1)]
    assert len(bodies) == COUNT
    for form in ("jsonl", "csv", "parquet"):
        done = command("export", str(tmp_path / f"articles.{form}"))
        assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    for name in LIBRARIES:
        (block,) = readme.code(name, "python")
        names: dict[str, Any] = {}
        exec(block, names)  # code from the page
        for form in ("parquet", "lines", "table"):
            found = bodies_of(names[form])
            assert (len(found), digest(found)) == (COUNT, digest(bodies)), f"{name}: {form}"


def test_commands_as_printed(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    fill(db, 250)  # an import writes 200 at once
    lines = [shlex.split(line, comments=True) for line in COMMANDS.splitlines()]
    assert [words[1] for words in lines] == ["export"] * 4 + ["import"]
    for _, what, file, *options in lines:
        done = command(what, str(tmp_path / file), *options)
        assert done.returncode == 0, done.stderr
