"""The generated archive has what its docstring says and passes the product's validators."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.archives import COLUMNS, HOLIDAYS, NOW, fill, made
from tests.support.prose import words
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.storage.schema import INDEXES, VALIDATORS

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.new_database
def test_the_schema_takes_it(db: Database[Any]) -> None:
    fill(db, 500)
    assert set(db.list_collection_names()) == set(VALIDATORS)
    for name in INDEXES:
        assert len(db[name].index_information()) == len(INDEXES[name]) + 1
    for name, schema in VALIDATORS.items():
        if name in {"hosts", "outbox"}:  # no run is alive, and nothing watches
            continue
        fitting = {"$jsonSchema": schema} if schema else {}
        assert db[name].count_documents(fitting) == db[name].count_documents({}) > 0, name
    articles = {each["_id"]: each for each in db.articles.find()}
    assert len(articles) == 500
    links = {each["_id"]: each for each in db.frontier.find()}
    assert {u for u, row in links.items() if row["state"] in {"stored", "gone"}} == set(articles)
    assert Counter(row["state"] for row in links.values())["rejected"] == 10
    for former in db.revisions.find():
        newest = articles[former["_id"]["url"]]
        assert (former["revision"], newest["revision"]) == (1, 2)
        assert former["content_sha256"] != newest["content_sha256"]
    edited = sum(each["revision"] == 2 for each in articles.values())
    assert edited == db.revisions.count_documents({})
    gone = {u for u, each in articles.items() if each["status"] == "gone"}
    assert gone == {u for u, row in links.items() if row["state"] == "gone"}


def test_shares_are_as_told() -> None:
    archive = list(made(5000))
    newest = [each.versions[-1] for each in archive]
    assert len({each["_id"] for each in newest}) == len({each["title"] for each in newest}) == 5000
    for each in newest:
        assert 300 <= len(CHINESE.findall(each["body"])) <= 900
        assert 4 <= each["body"].count("\n") + 1 <= 11  # an edit adds a paragraph
        assert each["first_seen_at"] <= each["changed_at"] <= each["last_seen_at"] <= NOW
        assert china_day(each["published_at"]) not in HOLIDAYS
    pictures = [image for each in newest for image in each.get("images", [])]
    assert 0.57 < sum("images" in each for each in newest) / 5000 < 0.63
    assert 0.05 < sum(image["status"] == "missing" for image in pictures) / len(pictures) < 0.12
    assert 0.014 < sum(each["revision"] > 1 for each in newest) / 5000 < 0.026
    assert 0.006 < sum(each["status"] == "gone" for each in newest) / 5000 < 0.014
    rates = Counter(column for each in newest for column in each["columns"])
    assert set(rates) == {column.id for column in COLUMNS}
    assert rates.most_common()[0][1] > 10 * rates.most_common()[-1][1]
    assert Counter(len(each.get("tags", [])) for each in newest).keys() == {0, 1, 2, 3, 4}


def test_words_are_as_frequent_as_in_the_list() -> None:
    text = "".join(each.versions[-1]["body"] for each in made(500))
    counts = {word: n for word, n, _ in words()}
    assert text.count("了") > text.count("我们") > text.count("工作") > text.count("宪法") > 0
    assert counts["我们"] > counts["工作"] > counts["宪法"]


def test_a_seed_makes_one_archive() -> None:
    assert list(made(50)) == list(made(50))
    assert list(made(50)) != list(made(50, seed=2))
