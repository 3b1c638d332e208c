"""COLUMNS_FILE: columns of a user's own, and shipped ones switched off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl, scrapy
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import Answer, SiteProxy
from zjolcrawl.arguments import ArgumentError, column_arguments
from zjolcrawl.site.catalogue import catalogue_names, load_catalogue, switched_off
from zjolcrawl.site.current import use_columns
from zjolcrawl.site.description import SiteError

OFF = '[[columns]]\nid = "zjxw"\nenabled = false\n'
NEW = '[[columns]]\nid = "mine"\nname = "我的"\nurl = "http://zjnews.zjol.com.cn/mine/"\n'


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "zjolcrawl.toml"
    use_columns(str(path))
    yield path
    use_columns("")


def test_one_key_changes_and_the_rest_stays(own: Path) -> None:
    own.write_text(
        "[settings]\nRETRY_TIMES = 1\n" + OFF + '[[columns]]\nid = "www"\nenabled = true\n'
    )
    catalogue, shipped = load_catalogue(), shipped_catalogue()
    assert list(catalogue) == list(shipped)
    assert not catalogue["zjxw"].enabled
    assert catalogue["www"].enabled
    assert catalogue["zjxw"].url == shipped["zjxw"].url
    assert {k for k, c in catalogue.items() if c != shipped[k]} == {"zjxw", "www"}
    assert switched_off() == ["zjxw"]
    assert "zjxw" not in {column.id for column in column_arguments().columns}
    (chosen,) = column_arguments(column="zjxw").columns  # by name it is crawled all the same
    assert chosen.id == "zjxw"


def test_new_column_needs_three_keys(own: Path) -> None:
    own.write_text(NEW + OFF.replace("columns", "column"))
    made = load_catalogue()["mine"]
    assert (made.site, made.enabled, made.evidence) == ("zjnews.zjol.com.cn", True, "REAL")
    assert "我的" in catalogue_names()
    assert switched_off() == ["zjxw"]
    own.write_text(NEW + "enabled = false\n")
    assert switched_off() == []  # it was never on


@pytest.mark.parametrize(
    "text, message",
    [
        (OFF.replace("zjxw", "zjxv"), "column zjxv: .*did you mean zjxw"),
        (OFF.replace("zjxw", "?"), "column [?]: .*`scrapy columns` lists them"),
        (OFF.replace("false", '"no"'), "column zjxw: enabled has the wrong type"),
        (OFF.replace("enabled", "enable"), "column zjxw: unknown key enable"),
        (OFF + OFF, "column zjxw: duplicate id"),
        (NEW.replace("/mine/", "/zjnews/zjxw/"), "column mine: url is used by zjxw already"),
        ("[[columns]]\nenabled = false\n", "column number 1: id is missing"),
        ('[columns]\nzjxw = "off"\n', "write each column as an entry"),
        ('columns = ["zjxw"]\n', "write each column as an entry"),
        ("[[columns]\n", "zjolcrawl.toml: "),
    ],
)  # fmt: skip
def test_bad_entries_are_one_line(text: str, message: str, own: Path) -> None:
    own.write_text(text)
    with pytest.raises(SiteError, match=message) as raised:
        load_catalogue()
    assert "\n" not in str(raised.value)
    with pytest.raises(ArgumentError, match=message):
        column_arguments()


def test_dead_column_that_is_switched_off(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    """A run of one shipped column, which is dead, and one of the user's; the others are switched off."""
    catalogue = shipped_catalogue()
    enabled = [key for key, column in catalogue.items() if column.enabled]
    dead, living = enabled[0], "lm"
    serve_column(site, [[(DAY, 4774001)]])
    site.set(catalogue[dead].url, Answer(status=404))
    mine = f'[[columns]]\nid = "{living}"\nname = "测试"\nurl = "{COLUMN}"\n'
    file = tmp_path / "own.toml"

    def off(keys: list[str]) -> None:
        file.write_text(mine + "".join(OFF.replace("zjxw", key) for key in keys))

    off(enabled[1:])
    first = crawl("column", COLUMNS_FILE=file)
    assert first.returncode == 1
    assert dead in command("audit", "-s", f"COLUMNS_FILE={file}").stdout
    off(enabled)
    second = crawl("column", COLUMNS_FILE=file)
    assert second.returncode == 0, second.stderr
    assert f"1 column ({len(enabled)} switched off), 1 page" in second.stderr
    assert db.runs.find_one(sort=[("started_at", -1)])["counts"]["columns_off"] == len(enabled)  # type: ignore[index]
    assert "switched off" not in crawl("column", column=living, COLUMNS_FILE=file).stderr
    assert dead not in command("audit", "-s", f"COLUMNS_FILE={file}").stdout
    health = command("health", "-s", f"COLUMNS_FILE={file}")
    assert " of 1 are well" in health.stdout
    assert health.returncode == 0


def test_setting_and_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OFF + NEW)
    monkeypatch.setenv("COLUMNS_FILE", str(file))
    listed = json.loads(scrapy("columns", "--json", data=tmp_path).stdout)
    assert {each["id"]: each["enabled"] for each in listed}.items() >= {
        "zjxw": False,
        "mine": True,
    }.items()
    done = scrapy("columns", "-s", "COLUMNS_FILE=nowhere.toml", data=tmp_path)
    assert done.returncode == 2
    assert "COLUMNS_FILE: nowhere.toml cannot be read: No such file" in done.stderr
    assert "Errno" not in done.stderr


def shipped_catalogue() -> Any:
    from zjolcrawl.site.current import current_columns

    own = current_columns()
    use_columns("")
    try:
        return load_catalogue()
    finally:
        use_columns(str(own or ""))
