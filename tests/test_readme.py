"""The queries of docs/questions.md run as printed and find what they should."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from pymongo import MongoClient
from pymongo.database import Database

from tests.support import readme
from tests.support.crawling import LONG, scrapy
from tests.support.goldens import FOLDERS, file_of
from tests.support.questions import CHINA, IN_TEXTS, QUESTIONS, REFERENCE, Question, formatted
from tests.support.site import SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

# Queries that find the reference article, which was neither edited nor taken down.
FINDING_IT = [
    each for each in QUESTIONS
    if each.collection == "articles" and isinstance(each.query, dict) and not each.query.keys() & {"revision", "status"}
]  # fmt: skip


def title(question: Question) -> str:
    return question.title


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with the bundled column crawled into it, and its embedded server running."""
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


def one(words: str) -> Question:
    (question,) = [each for each in QUESTIONS if words in each.python()]
    return question


@pytest.mark.parametrize("question", FINDING_IT, ids=title)
def test_pymongo_query_finds_the_reference_article(question: Question, db: Database[Any]) -> None:
    assert REFERENCE in {document["_id"] for document in question.ask(db)}


def test_text_within_days_of_a_column(db: Database[Any], archive: Path) -> None:
    assert [document["_id"] for document in IN_TEXTS.ask(db)] == [REFERENCE]
    done = scrapy(
        "search", "环境保护督察", "--column", "zjxw", "--since", "2017-08-12", "--until", "2017-08-12",
        data=archive,
    )  # fmt: skip
    assert REFERENCE in done.stdout


def test_states_of_a_column(db: Database[Any]) -> None:
    rows = {row["_id"]: row["links"] for row in one('"$state"').ask(db)}
    assert rows["stored"] >= 1
    assert sum(rows.values()) == db.frontier.count_documents({"columns": "zjxw"})


def test_days_of_a_column(db: Database[Any]) -> None:
    days = {row["_id"]: row["articles"] for row in one("$dateToString").ask(db)}
    assert days["2017-08-12"] >= 1  # 07:34 in China, the day before in UTC


def test_tags_beside_those_of_the_reference_article(db: Database[Any]) -> None:
    tags = {row["_id"] for row in one("$unwind").ask(db)}
    assert {"督察", "整改", "浙江", "环境保护", "清单"} <= tags
    assert "生态文明" not in tags


def test_former_versions(db: Database[Any]) -> None:
    former = {"_id": {"url": REFERENCE, "revision": 1}, "title": "全力保障环保督察开展"}
    db.revisions.insert_one(former, bypass_document_validation=True)
    assert one("revisions.find(").ask(db) == [former]
    db.revisions.delete_one({"_id": former["_id"]})


def test_what_is_visited_next(db: Database[Any]) -> None:
    moment = datetime(2030, 1, 1, tzinfo=timezone.utc)
    db.frontier.insert_one(
        {"_id": "http://x.zjol.com.cn/", "state": "failed", "kind": "article", "attempts": 1,
         "discovered_at": moment, "next_visit_at": moment}
    )  # fmt: skip
    assert [row["_id"] for row in one("frontier.find(").ask(db)][-1] == "http://x.zjol.com.cn/"
    db.frontier.delete_one({"_id": "http://x.zjol.com.cn/"})


def test_each_question_is_printed_in_both_languages() -> None:
    """`python -m tests.support.questions` updates the pages."""
    asked = [*QUESTIONS, IN_TEXTS]
    for question, python in zip(asked, formatted(asked), strict=True):
        assert readme.region(question.title) == question.printed(python)
    printed = [
        each for each in readme.blocks() if each.language == "js" and "db.articles" in each.text
    ]
    assert len({each.text for each in printed} & {each.shell() for each in asked}) > 10
    # README.md repeats one of them.
    (repeated,) = [each.text for each in printed if each.page == "README.md"]
    assert repeated == QUESTIONS[1].shell()


def test_values_in_both_languages() -> None:
    query = {
        "a": datetime(2017, 8, 12, tzinfo=CHINA), "b.c": [1, "杭州\"'\n"], "$and": [{"d": {"$ne": -1}}],
    }  # fmt: skip
    question = Question("t", "i", "articles", query, ("e", "f.g"), ("h", -1), 20)
    assert question.shell() == (
        'db.articles.find({a: ISODate("2017-08-11T16:00:00Z"), "b.c": [1, "杭州\\"\'\\n"], '
        '$and: [{d: {$ne: -1}}]}, {e: 1, "f.g": 1}).sort({h: -1}).limit(20)'
    )
    assert question.python() == (
        'db.articles.find({"a": datetime(2017, 8, 12, tzinfo=china), "b.c": [1, "杭州\\"\'\\n"], '
        '"$and": [{"d": {"$ne": -1}}]}, {"e": 1, "f.g": 1}).sort("h", -1).limit(20)'
    )


@pytest.mark.skipif(not shutil.which("mongosh"), reason="mongosh is not on this machine")
@pytest.mark.parametrize("question", [*QUESTIONS, IN_TEXTS], ids=title)
def test_mongosh_query_answers_as_the_pymongo_query(
    question: Question, archive: Path, db: Database[Any]
) -> None:
    with EmbeddedServer.acquire(archive) as server:
        uri = server.uri.replace("/?", "/zjol?")
        script = f"EJSON.stringify(({question.shell()}).toArray().map(each => each._id))"
        done = subprocess.run(
            ["mongosh", "--quiet", uri, "--eval", script],
            capture_output=True, text=True, timeout=LONG, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json_util.loads(done.stdout) == [document["_id"] for document in question.ask(db)]


def test_the_connection_is_said() -> None:
    (block,) = readme.code("connect", "python")
    compile(block, "questions.md", "exec")
    assert '["scrapy", "mongo"]' in block


def test_scrapy_mongo_gives_the_address(archive: Path) -> None:
    done = scrapy("mongo", data=archive)
    assert done.returncode == 0, done.stderr
    with MongoClient[dict[str, Any]](done.stdout.strip()) as client:
        assert client.get_default_database().articles.find_one({"_id": REFERENCE}) is not None
    assert scrapy("mongo", "--stop", data=archive).returncode == 0


def test_reference_article_as_the_contract_has_it(db: Database[Any]) -> None:
    """Each field is compared with the text of the page."""
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
