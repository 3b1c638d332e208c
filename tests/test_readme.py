"""The queries of README.md run as printed, find what they promise, and are served by an index."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.crawling import ROOT, scrapy
from tests.goldens import FOLDERS, file_of
from tests.site import SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
QUESTIONS = (ROOT / "README.md").read_text().split("## Questions")[1].split("## To add")[0]
PYMONGO = re.findall(r"```python\n(db\..*?)\n```", QUESTIONS, re.DOTALL)
MONGOSH = re.findall(r"```js\n(.*?)\n```", QUESTIONS, re.DOTALL)
SETUP = re.search(r"```python\n(import.*?)\n```", QUESTIONS, re.DOTALL)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with the bundled column crawled into it, its embedded server running."""
    data = tmp_path_factory.mktemp("data")
    with EmbeddedServer.acquire(data), SiteProxy(FOLDERS) as site:
        done = scrapy("crawl", "column", "-a", "column=zjxw", site=site, data=data)
        assert done.returncode in {0, 1}, done.stderr
        yield data


@pytest.fixture
def db(archive: Path) -> Iterator[Database[dict[str, Any]]]:
    with (
        EmbeddedServer.acquire(archive) as server,
        MongoClient[dict[str, Any]](server.uri, tz_aware=True) as client,
    ):
        yield client["zjol"]


def found(query: str, db: Database[Any]) -> list[dict[str, Any]]:
    china = timezone(timedelta(hours=8))
    cursor = eval(query, {"db": db, "datetime": datetime, "china": china})  # the README's own lines
    return list(cursor)


def test_each_question_is_asked_in_both_languages() -> None:
    assert len(PYMONGO) == len(MONGOSH) == 7
    assert SETUP is not None


@pytest.mark.parametrize("query", [q for q in PYMONGO if "articles.find(" in q])
def test_pymongo_query_finds_the_reference_article(query: str, db: Database[Any]) -> None:
    assert REFERENCE in {document["_id"] for document in found(query, db)}


def test_states_of_a_column(db: Database[Any]) -> None:
    (query,) = [q for q in PYMONGO if ".aggregate(" in q]
    rows = {row["_id"]: row["links"] for row in found(query, db)}
    assert rows["stored"] >= 1
    assert sum(rows.values()) == db.frontier.count_documents({"columns": "zjxw"})


def test_what_is_visited_next(db: Database[Any]) -> None:
    (query,) = [q for q in PYMONGO if "frontier.find(" in q]
    moment = datetime(2030, 1, 1, tzinfo=timezone.utc)
    db.frontier.insert_one(
        {"_id": "http://x.zjol.com.cn/", "state": "failed", "kind": "article", "attempts": 1,
         "discovered_at": moment, "next_visit_at": moment}
    )  # fmt: skip
    assert [row["_id"] for row in found(query, db)] == ["http://x.zjol.com.cn/"]
    db.frontier.delete_one({"_id": "http://x.zjol.com.cn/"})


@pytest.mark.parametrize("query", [q for q in PYMONGO if ".find(" in q])
def test_query_is_served_by_an_index(query: str, db: Database[Any]) -> None:
    china = timezone(timedelta(hours=8))
    plan = eval(query, {"db": db, "datetime": datetime, "china": china}).explain()
    assert "COLLSCAN" not in json.dumps(plan, default=str)
    assert "SORT_MERGE" not in json.dumps(plan, default=str)


@pytest.mark.parametrize(("shell", "python"), list(zip(MONGOSH, PYMONGO, strict=True)))
def test_mongosh_query_is_the_pymongo_query(shell: str, python: str) -> None:
    """Where there is no mongosh, its lines are at least the pymongo lines, key by key, that run."""
    as_shell = re.sub(r"ISODate\(\"([^\"]+)\"\)", r'"\1"', shell)
    as_shell = re.sub(r"(?<=[{,])\s*(\$?\w+):", r'"\1":', as_shell)
    as_shell = re.sub(r"\.sort\(\{\"(\w+)\": (-?1)\}\)", r'.sort("\1", \2)', as_shell)
    as_python = re.sub(
        r"datetime\((\d+), (\d+), (\d+), tzinfo=china\)",
        lambda m: (
            datetime(int(m[1]), int(m[2]), int(m[3]), tzinfo=timezone(timedelta(hours=8)))
            .astimezone(timezone.utc)
            .strftime('"%Y-%m-%dT%H:%M:%SZ"')
        ),
        python,
    )
    as_python = re.sub(r",(?=\s*[)\]}])", "", as_python)
    assert re.sub(r"\s", "", as_shell) == re.sub(r"\s", "", as_python)


@pytest.mark.skipif(not shutil.which("mongosh"), reason="mongosh is not on this machine")
@pytest.mark.parametrize("query", MONGOSH)
def test_mongosh_query_runs_as_printed(query: str, archive: Path) -> None:
    with EmbeddedServer.acquire(archive) as server:
        uri = server.uri.replace("/?", "/zjol?")
        done = subprocess.run(
            ["mongosh", "--quiet", uri, "--eval", query],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # No link of the bundled column is to be visited again: its pages are of 2017.
    assert REFERENCE in done.stdout or "'stored'" in done.stdout or "next_visit_at" in query


def test_scrapy_mongo_gives_the_address(archive: Path) -> None:
    done = scrapy("mongo", data=archive)
    assert done.returncode == 0, done.stderr
    with MongoClient[dict[str, Any]](done.stdout.strip()) as client:
        assert client.get_default_database().articles.find_one({"_id": REFERENCE}) is not None
    assert scrapy("mongo", "--stop", data=archive).returncode == 0


def test_reference_article_as_the_contract_has_it(db: Database[Any]) -> None:
    """Field by field, from the text that the page was made of."""
    document = db.articles.find_one({"_id": REFERENCE})
    assert document is not None
    golden = json.loads(file_of(f"{REFERENCE}.json").read_text())["document"]
    assert document["title"] == "全力保障中央环保督察开展"
    assert document["kicker"] == "全省各地贯彻落实中央第二环境保护督察组督察浙江省工作动员会精神"
    assert document["published_at"] == datetime(2017, 8, 11, 23, 34, 27, tzinfo=timezone.utc)
    assert document["authors"] == [{"name": "江帆", "role": "记者", "outlet": "浙江在线"}]
    assert document["editors"] == [{"name": "金晨", "role": "责任编辑"}]
    assert document["body"].split("\n") == golden["body"]
    for name in ("source", "tags", "breadcrumb", "editor_note", "dateline", "doc_id", "site_name"):
        assert document[name] == golden[name]
    assert [(i["ref"], i["url"]) for i in document["images"]] == [
        (
            "./W020170812341787363590.jpg",
            REFERENCE.rpartition("/")[0] + "/W020170812341787363590.jpg",
        )
    ]
