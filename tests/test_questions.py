"""The queries of docs/questions.md on 8,000 articles: correct as printed, and answered by their indexes alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.archives import PICTURE, Document
from tests.support.plans import explained, listened, parts
from tests.support.questions import CHINA, QUESTIONS, REFERENCE, Question
from zjolcrawl.parsing.fields.dates import china_day

URL = REFERENCE
COLUMN, HOST, TAG, DAY = "zjxw", "zjnews.zjol.com.cn", "生态文明", date(2017, 8, 12)
Fits = Callable[[Document], bool]


def on_the_day(each: Document) -> bool:
    return china_day(each["published_at"]) == DAY


def named(field: str, name: str) -> Fits:
    return lambda each: name in [person["name"] for person in each.get(field, [])]


def in_august(each: Document) -> bool:
    day = china_day(each["published_at"])
    return COLUMN in each["columns"] and (day.year, day.month) == (2017, 8)


# The collection, a predicate for each document of the answer, and the sort key.
PLAIN: dict[str, tuple[str, Fits, str | None]] = {
    "Articles of a column in a span of days, newest first": (
        "articles", lambda each: COLUMN in each["columns"] and on_the_day(each), "-published_at",
    ),
    "All articles of a span of days, newest first": ("articles", on_the_day, "-published_at"),
    "Everything by a reporter": ("articles", named("authors", "江帆"), "-published_at"),
    "Everything an editor signed": ("articles", named("editors", "金晨"), "-published_at"),
    "Articles with a tag": ("articles", lambda each: TAG in each.get("tags", []), "-published_at"),
    "The tags that stand beside a tag, the most frequent first": (
        "articles", lambda each: TAG in each.get("tags", []), None,
    ),
    "How many articles a column has on each day in China": ("articles", in_august, None),
    "Articles on a host in a span of days, newest first": (
        "articles", lambda each: each["site"] == HOST and on_the_day(each), "-published_at",
    ),
    "Articles with images in a span of days, newest first": (
        "articles", lambda each: bool(each.get("images")) and on_the_day(each), "-published_at",
    ),
    "Edited after publication, newest first": (
        "articles", lambda each: each["revision"] != 1, "-published_at",
    ),
    "What an article was before, oldest version first": (
        "revisions", lambda each: each["_id"]["url"] == URL, "changed_at",
    ),
    "Taken down, newest first": ("articles", lambda each: "gone_at" in each, "-published_at"),
    "New or edited since a moment, in that order": (
        "articles", lambda each: each["changed_at"] >= datetime(2017, 12, 25, tzinfo=CHINA), "changed_at",
    ),
    "Articles that show a picture, by its bytes": (
        "articles",
        lambda each: PICTURE in [image.get("sha256") for image in each.get("images", [])],
        None,
    ),
    "An article by any address that ever led to it": (
        "articles", lambda each: URL in {each["_id"], *each.get("aliases", [])}, None,
    ),
    "What is visited next": (
        "frontier",
        lambda each: "next_visit_at" in each and each["next_visit_at"] >= datetime(2017, 8, 12, tzinfo=CHINA),
        "next_visit_at",
    ),
    "What became of the links of a column": ("frontier", lambda each: COLUMN in each["columns"], None),
    "The newest pages that gave no article": ("rejects", lambda _: True, "-at"),
}  # fmt: skip
SEARCHES = [question for question in QUESTIONS if isinstance(question.query, dict)]


Plan = Callable[[Question], tuple[Document, Document]]


@pytest.fixture(scope="module")
def stored(large: Database[Any]) -> dict[str, list[Document]]:
    """All documents of the collections, without texts."""
    fields = (
        "site", "columns", "published_at", "authors.name", "editors.name", "tags", "images.position",
        "images.sha256",
        "revision", "status", "changed_at", "gone_at", "aliases", "next_visit_at", "state", "at",
    )  # fmt: skip
    return {
        name: list(large[name].find({}, dict.fromkeys(fields, 1)))
        for name in ("articles", "revisions", "frontier", "rejects")
    }


@pytest.fixture
def plan(mongodb_uri: str, large: Database[Any]) -> Iterator[Plan]:
    """`plan(question)`: the winning plan of its query as sent, and what it examined."""
    with listened(mongodb_uri, large.name) as (db, sent):

        def explain(question: Question) -> tuple[Document, Document]:
            question.ask(db)
            return explained(db, sent.command)

        yield explain


def expected(question: Question, stored: dict[str, list[Document]]) -> list[Document]:
    """The documents of the answer, or behind its counts, by a scan of all documents."""
    collection, fits, order = PLAIN[question.title]
    found = [each for each in stored[collection] if fits(each)]
    if order:
        found.sort(key=lambda each: each[order.removeprefix("-")], reverse=order.startswith("-"))
    return found[: question.limit or None]


def test_each_question_has_a_plain_answer() -> None:
    assert [question.title for question in QUESTIONS] == list(PLAIN)


@pytest.mark.parametrize("question", SEARCHES, ids=lambda question: question.title)
def test_it_finds_what_a_look_at_each_document_finds(
    question: Question, large: Database[Any], stored: dict[str, list[Document]]
) -> None:
    plain = expected(question, stored)
    found = question.ask(large)
    key = lambda each: str(each["_id"])  # noqa: E731
    assert sorted(map(key, found)) == sorted(map(key, plain))
    assert found
    if order := PLAIN[question.title][2]:  # the order of documents with the same time is undefined
        values = {key(each): each[order.removeprefix("-")] for each in plain}
        assert [values[key(each)] for each in found] == [values[key(each)] for each in plain]


def test_tags_beside_a_tag(large: Database[Any], stored: dict[str, list[Document]]) -> None:
    (question,) = [each for each in QUESTIONS if "$unwind" in each.python()]
    beside = Counter(
        tag for each in expected(question, stored) for tag in each["tags"] if tag != TAG
    )
    plain = sorted(beside.items(), key=lambda pair: (-pair[1], pair[0].encode()))
    assert [(row["_id"], row["articles"]) for row in question.ask(large)] == plain[:20]


def test_articles_a_day(large: Database[Any], stored: dict[str, list[Document]]) -> None:
    (question,) = [each for each in QUESTIONS if "$dateToString" in each.python()]
    days = Counter(
        china_day(each["published_at"]).isoformat() for each in expected(question, stored)
    )
    found = [(row["_id"], row["articles"]) for row in question.ask(large)]
    assert found == sorted(days.items())
    assert len(found) > 20


def test_states_of_links(large: Database[Any], stored: dict[str, list[Document]]) -> None:
    (question,) = [each for each in QUESTIONS if '"$state"' in each.python()]
    states = Counter(each["state"] for each in expected(question, stored))
    assert {"stored", "gone", "rejected"} <= states.keys()
    assert [(row["_id"], row["links"]) for row in question.ask(large)] == sorted(states.items())


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_it_reads_its_index_and_no_more(
    question: Question, plan: Plan, stored: dict[str, list[Document]]
) -> None:
    """At most one key and one document per document of the answer, from the named index."""
    winner, examined = plan(question)
    answer = len(expected(question, stored))
    stages = {each["stage"] for each in parts(winner)}
    assert not stages & {"COLLSCAN", "SORT"}
    used = [each for each in parts(winner) if each["stage"] == "IXSCAN"]
    names = {name for each in used for name in (each["indexName"], ", ".join(each["keyPattern"]))}
    assert set(re.findall(r"`([^`]+)`", question.index)) <= names
    assert answer <= examined["totalKeysExamined"] <= answer + len(used)
    assert examined["totalDocsExamined"] <= answer


def test_counts_need_no_document(plan: Plan) -> None:
    for question in QUESTIONS:
        if "$dateToString" in question.python() or '"$state"' in question.python():
            assert plan(question)[1]["totalDocsExamined"] == 0, question.title


def test_the_answer_is_spread_over_the_archive(stored: dict[str, list[Document]]) -> None:
    """Queries on the whole archive return neither almost nothing nor almost everything."""
    for question in QUESTIONS:
        if question.title in {
            "Everything by a reporter",
            "Everything an editor signed",
            "Articles with a tag",
        }:
            assert 0.01 < len(expected(question, stored)) / len(stored["articles"]) < 0.1
