"""`scrapy search`: hits, pages of hits, counts by time, and errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.search.conftest import DAY, Put, ask, put
from tests.search.conftest import article as made
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, serve_column
from tests.support.site import SiteProxy

__all__ = ["ask", "put"]


@pytest.fixture
def three(put: Put) -> None:
    put(
        made(1, "西湖荷花", "开了"), made(2, "无题", "西湖荷花谢了"),
        made(3, "西湖", "荷花", published_at=DAY.replace(year=2019)),
    )  # fmt: skip


@pytest.mark.usefixtures("three")
def test_hits_and_how_many(command: Crawl) -> None:
    done = command("search", "西湖", "--limit", "2")
    assert re.findall(r"^(\d+)\. (.+)$", done.stdout, re.MULTILINE) == [
        ("1", "西湖"),
        ("2", "西湖荷花"),
    ]
    assert done.stdout.endswith("\n1 to 2 of 3 articles\n")
    rest = command("search", "西湖", "--limit", "2", "--skip", "2")
    assert rest.stdout.endswith("\n3 to 3 of 3 articles\n")
    assert command("search", "谢了").stdout.endswith("\n1 article\n")


@pytest.mark.usefixtures("three")
def test_as_json_and_by_relevance(command: Crawl) -> None:
    found = json.loads(command("search", "荷花", "--json", "--sort", "relevance").stdout)
    assert found[0]["title"] == "西湖荷花"
    assert len(found) == 3


@pytest.mark.usefixtures("three")
def test_histogram(command: Crawl) -> None:
    done = command("search", "西湖", "--histogram", "year")
    assert done.stdout.splitlines() == ["2017  2  " + "█" * 40, "2019  1  " + "█" * 20]
    found = json.loads(command("search", "西湖", "--histogram", "month", "--json").stdout)
    assert found == {"2017-08": 2, "2019-08": 1}


@pytest.mark.usefixtures("three")
def test_nothing_found_is_status_1_and_no_query_status_2(command: Crawl) -> None:
    done = command("search", "菊花")
    assert (done.returncode, done.stderr) == (1, "zjolcrawl: no article matches\n")
    done = command("search", "--", "-西湖")
    assert (done.returncode, done.stderr) == (2, "zjolcrawl: give a word that is not excluded\n")
    assert command("search").returncode == 2
    done = command("search", "菊花", "--histogram", "year")
    assert (done.returncode, done.stderr) == (1, "zjolcrawl: no article matches\n")
    done = command("search", "西湖", "--limit", "0")
    assert (done.returncode, done.stdout) == (0, "3 articles\n")
    assert command("search", "\udcff西湖").returncode == 1


@pytest.mark.usefixtures("three")
def test_rebuild(command: Crawl, db: Database[Any]) -> None:
    assert command("search", "--rebuild").returncode == 0
    db.articles.update_one({"title": "无题"}, {"$set": {"body": "另写"}})  # by another program
    assert command("search", "另写").returncode == 1
    assert command("search", "另写", "--rebuild").returncode == 0


@pytest.mark.usefixtures("three")
def test_folder_that_cannot_be_used(command: Crawl, tmp_path: Path) -> None:
    (tmp_path / "search").write_text("in the way")
    done = command("search", "西湖")
    assert done.returncode == 2
    assert done.stderr.startswith(f"zjolcrawl: the full-text index in {tmp_path}/search/")
    assert done.stderr.count("\n") == 1


def test_collections_of_earlier_versions_are_dropped_once(
    site: SiteProxy, crawl: Crawl, db: Database[Any], tmp_path: Path
) -> None:
    serve_column(site, [[("20170812", 4774001)]])
    for name in ("search_queue", "search_segments", "search_parts"):
        db[name].insert_one({"x": 1})
    told = "dropped search_queue, search_segments, search_parts: the full-text index is in "
    first, second = crawl("column", url=COLUMN), crawl("column", url=COLUMN)
    assert f"zjolcrawl: {told}{tmp_path / 'search'} now" in first.stderr
    assert told not in second.stderr
    assert not [name for name in db.list_collection_names() if name.startswith("search_")]
