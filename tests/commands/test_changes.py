"""What was edited or taken down since a day: `search`, `export`, the Python API; last change first."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.export.made import article
from tests.support.crawling import Crawl
from zjolcrawl import open_archive
from zjolcrawl.argument_values import ArgumentError, change_day
from zjolcrawl.days import days_ago
from zjolcrawl.parsing.fields.dates import CHINA


def china(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 8, day, hour, minute, second, tzinfo=CHINA).astimezone(timezone.utc)


MADE = [
    article(0, title="新稿", changed_at=china(25)),
    article(1, title="十日改", revision=2, changed_at=china(10)),
    article(2, title="九日改", revision=2, changed_at=china(9, 23, 59, 59)),
    article(3, title="十二日撤", status="gone", gone_at=china(12)),
    article(4, title="改后撤", status="gone", gone_at=china(1), revision=3, changed_at=china(11)),
    article(5, title="恢复", revision=2, changed_at=china(20), gone_at=china(15), returned_at=china(16)),
    article(6, title="旧撤", status="gone", gone_at=None, body="西湖"),
]  # fmt: skip
CASES: list[tuple[dict[str, str], list[str]]] = [
    ({"changed_since": "2026-08-10"}, ["恢复", "改后撤", "十日改"]),
    ({"changed_since": "2026-08-09"}, ["恢复", "改后撤", "十日改", "九日改"]),
    ({"gone_since": "2026-08-10"}, ["十二日撤"]),
    ({"gone_since": "2026-07-31"}, ["十二日撤", "改后撤"]),
    ({"changed_since": "2026-08-10", "gone_since": "2026-08-10"},
     ["恢复", "十二日撤", "改后撤", "十日改"]),
    ({"changed_since": "2026-08-10", "column": "zjxc"}, ["恢复", "十日改"]),
    ({"changed_since": "2026-08-09", "gone_since": "2026-08-01", "person": "王五"},
     ["恢复", "十二日撤", "十日改"]),
]  # fmt: skip


@pytest.fixture
def changed(db: Database[Any]) -> None:
    db.articles.insert_many(MADE)


def options(chosen: dict[str, str]) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]


@pytest.mark.usefixtures("changed")
def test_search_with_and_without_words(command: Crawl) -> None:
    for chosen, wanted in CASES:
        for words in ([], ["浙江在线"]):
            done = command("search", *words, "--json", *options(chosen))
            assert [each["title"] for each in json.loads(done.stdout)] == wanted, (chosen, words)
    page = command("search", "--changed-since", "2026-08-10", "--skip", "1", "--limit", "1")
    assert page.stdout.startswith("2. 改后撤\n")
    assert "version 3 on 2026-08-11" in page.stdout
    assert page.stdout.endswith("\n2 to 2 of 3 articles\n")
    assert "taken down on 2026-08-12" in command("search", "--gone-since", "2026-08-10").stdout


@pytest.mark.usefixtures("changed")
def test_filters_need_no_words(command: Crawl) -> None:
    def titles(*arguments: str) -> list[str]:
        return [
            each["title"] for each in json.loads(command("search", "--json", *arguments).stdout)
        ]

    assert titles("--edited") == ["恢复", "改后撤", "九日改", "十日改"]  # newest first
    assert titles("--gone", "--edited") == ["改后撤"]
    assert titles("--tag", "生态文明", "--limit", "1") == ["旧撤"]
    counts = command("search", "--edited", "--histogram", "year").stdout
    assert counts.startswith("2017  4  ")
    nothing = command("search", "--edited", "--until", "2016-01-01")
    assert (nothing.returncode, nothing.stderr) == (1, "zjolcrawl: no article matches\n")
    for arguments in ((), ("--limit", "3"), ("  ",)):
        done = command("search", *arguments)
        assert done.returncode == 2
        assert "give words to search for, a filter such as --edited, or --rebuild" in done.stderr


@pytest.mark.usefixtures("changed")
def test_export_in_the_order_of_the_changes(command: Crawl, tmp_path: Path) -> None:
    for chosen, wanted in CASES:
        for search in ([], ["--search", "浙江在线"]):
            file = tmp_path / "a.jsonl"
            done = command("export", str(file), "--force", *search, *options(chosen))
            assert done.returncode == 0, done.stderr
            lines = [json.loads(line) for line in file.read_text().splitlines()]
            assert [each["title"] for each in lines] == wanted, (chosen, search)
            assert all(each.keys() <= MADE[0].keys() | {"gone_at", "returned_at"} for each in lines)


@pytest.mark.usefixtures("changed")
def test_library(mongodb_uri: str, database: str, tmp_path: Path) -> None:
    with open_archive(tmp_path, mongodb_uri, database) as archive:
        for chosen, wanted in CASES:
            assert [each.title for each in archive.articles(**chosen)] == wanted
            assert [each.title for each in archive.search("浙江在线", **chosen)] == wanted
            assert [each.title for each in archive.search("", **chosen)] == wanted
            assert archive.count(**chosen) == len(wanted)
        given = {"changed_since": date(2026, 8, 10)}
        assert [each.title for each in archive.articles(**given)] == CASES[0][1]
        with pytest.raises(ValueError, match="changed_since=soon is not a date"):
            next(archive.articles(changed_since="soon"))


def test_days_that_are_not_days(command: Crawl) -> None:
    for option in ("--changed-since", "--gone-since"):
        for text in (
            "soon",
            "2026-8-1",
            "7",
            "d",
            "-7d",
            "7 d",
            "7days",
            "2026-02-30",
            "0001-01-01",
        ):
            for arguments in (["search", "x"], ["export", "-"]):
                done = command(*arguments, f"{option}={text}")
                assert done.returncode == 2, text
                assert f"{option[2:]}={text} is not a da" in done.stderr


def test_days_ago_are_days_in_china(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 8, 9, 17, tzinfo=timezone.utc)  # the 10th in China
    monkeypatch.setattr("zjolcrawl.days.utc_now", lambda: now)
    assert days_ago("7d") == date(2026, 8, 3)
    assert days_ago("0d") == date(2026, 8, 10)
    assert days_ago("7") is None
    assert change_day("gone-since", "30d") == date(2026, 7, 11)
    with pytest.raises(ArgumentError, match="or 7d"):
        change_day("gone-since", "x")
