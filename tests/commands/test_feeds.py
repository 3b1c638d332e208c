"""`scrapy feeds FOLDER`: valid feeds as files, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pymongo.database import Database

from tests.export.made import article, edited
from tests.support.crawling import Crawl
from tests.support.feed_rules import ATOM, checked_atom, checked_json


@pytest.fixture
def stored(db: Database[Any]) -> None:
    former, newest = edited(article(0), "另一段正文。", 3)
    db.revisions.insert_one(former)
    db.articles.insert_many([newest, *(article(n) for n in range(1, 6))])


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("stored")
def test_files_of_all_feeds(command: Crawl, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "feeds"
    told = command(
        "feeds",
        str(folder),
        "--search",
        "督察组 浙江",
        "--search",
        "正文",
        "--base-url",
        "https://example.org/f/",
    )
    assert told.returncode == 0, told.stderr
    found = {"search", "changes", "edited", "gone", "column/zjxw", "column/zjxc", "search/正文"}
    (other,) = {
        each.removesuffix(".atom")
        for each in names(folder)
        if each.startswith("search/督察组-浙江-")
    } - {each for each in names(folder) if each.endswith(".json")}
    found.add(other)
    assert names(folder) == {f"{each}.{form}" for each in found for form in ("atom", "json")}
    assert f"{folder}: 8 feeds, 16 files changed" in told.stderr
    for each in found:
        content = (folder / f"{each}.atom").read_bytes()
        read = checked_atom(content)
        feed = checked_json((folder / f"{each}.json").read_bytes())
        assert [entry.id for entry in read.entries] == [item["id"] for item in feed["items"]]
        own = {
            link.get("rel"): link.get("href")
            for link in etree.fromstring(content).findall(f"{ATOM}link")
        }
        assert own.keys() == {"self", "first"}
        assert own["self"].startswith("https://example.org/f/")
    count = {
        each: len(checked_atom((folder / f"{each}.atom").read_bytes()).entries) for each in found
    }
    assert count == {"search": 7, "changes": 1, "edited": 1, "gone": 0, "column/zjxw": 7, "column/zjxc": 3, "search/正文": 2, other: 7} | {
        "search/正文": count["search/正文"], other: count[other],
    }  # fmt: skip
    assert (
        count["search/正文"] == 2
    )  # the former version of the article that has the words is an entry too


@pytest.mark.usefixtures("stored")
def test_files_without_changes_are_left(command: Crawl, tmp_path: Path, db: Database[Any]) -> None:
    folder = tmp_path / "feeds"
    assert command("feeds", str(folder)).returncode == 0
    before = {name: (folder / name).stat().st_mtime_ns for name in names(folder)}
    for name in before:
        os.utime(folder / name, ns=(10**18, 10**18))
    told = command("feeds", str(folder))
    assert "0 files changed" in told.stderr
    assert {(folder / name).stat().st_mtime_ns for name in before} == {10**18}
    at = article(9)["changed_at"]
    db.articles.update_one({"_id": article(5)["_id"]}, {"$set": {"status": "gone", "gone_at": at}})
    assert command("feeds", str(folder)).returncode == 0
    changed = {name for name in before if (folder / name).stat().st_mtime_ns != 10**18}
    assert changed == {
        f"{each}.{form}"
        for each in ("search", "changes", "gone", "column/zjxw", "column/zjxc")
        for form in ("atom", "json")
    }


@pytest.mark.usefixtures("stored")
def test_chosen_columns_and_number_of_entries(command: Crawl, tmp_path: Path) -> None:
    told = command("feeds", str(tmp_path / "f"), "--column", "浙江宣传", "--entries", "2")
    assert told.returncode == 0, told.stderr
    assert {each for each in names(tmp_path / "f") if "/" in each} == {
        "column/zjxc.atom",
        "column/zjxc.json",
    }
    assert len(checked_atom((tmp_path / "f" / "search.atom").read_bytes()).entries) == 2


@pytest.mark.usefixtures("stored")
def test_hostile_names_stay_in_the_folder(
    command: Crawl, tmp_path: Path, db: Database[Any]
) -> None:
    for n, name in enumerate(("../../x", "/etc/x", "..", "a" * 300, "字" * 300, "a\x01b", "."), 20):
        db.articles.insert_one(article(n, columns=[name]))
    folder = tmp_path / "a" / "feeds"
    told = command("feeds", str(folder), "--search", "../x")
    assert told.returncode == 0, told.stderr
    assert names(tmp_path / "a") == {f"feeds/{each}" for each in names(folder)}
    assert all(each.count("/") <= 1 and not each.startswith(".") for each in names(folder))
    assert len([each for each in names(folder) if each.startswith("column/")]) == 2 * 9


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one FOLDER"),
        (["a", "b"], "give one FOLDER"),
        (["a", "--base-url", "example.org"], "is not an http or https URL"),
        (["a", "--base-url", "http://[x"], "is not an http or https URL"),
        (["a", "--column", "zjxv"], "did you mean zjxw"),
        (["a", "--search=-x"], "give a word that is not excluded"),
        (["a", "--entries", "0"], "is not a whole number"),
    ],
)  # fmt: skip
def test_unusable_arguments(
    arguments: list[str], told: str, command: Crawl, tmp_path: Path
) -> None:
    done = command("feeds", *(str(tmp_path / each) if each in "ab" else each for each in arguments))
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr


@pytest.mark.usefixtures("stored")
def test_folder_that_cannot_be_written(command: Crawl, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = command("feeds", str(tmp_path / "file"))
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True), done.stderr
    (tmp_path / "f" / "changes.atom").mkdir(parents=True)
    done = command("feeds", str(tmp_path / "f"))
    assert (done.returncode, "is not a regular file" in done.stderr) == (2, True), done.stderr
    assert not [each for each in names(tmp_path) if each.endswith(".part")]
