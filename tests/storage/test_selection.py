"""The filters that all commands share, on 8,000 articles: results and query plans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.archives import Document
from tests.support.plans import explained, parts
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.storage.queries.selection import Selection

SINCE, UNTIL = date(2017, 7, 1), date(2017, 8, 31)
PAGE = 20


def named(each: Document) -> set[str]:
    return {person["name"] for field in ("authors", "editors") for person in each.get(field, [])}


# A single filter, and a predicate that its articles satisfy.
FILTERS: dict[str, tuple[Selection, Callable[[Document], bool]]] = {
    "none": (Selection(), lambda _: True),
    "since": (
        Selection(since=date(2017, 12, 1)),
        lambda each: china_day(each["published_at"]) >= date(2017, 12, 1),
    ),
    "until": (
        Selection(until=date(2017, 6, 20)),
        lambda each: china_day(each["published_at"]) <= date(2017, 6, 20),
    ),
    "span": (
        Selection(SINCE, UNTIL),
        lambda each: SINCE <= china_day(each["published_at"]) <= UNTIL,
    ),
    "column": (Selection(columns=("zjxw",)), lambda each: "zjxw" in each["columns"]),
    "columns": (
        Selection(columns=("zjxw", "green")),
        lambda each: bool({"zjxw", "green"} & set(each["columns"])),
    ),
    "host": (
        Selection(sites=("fin.zjol.com.cn",)),
        lambda each: each["site"] == "fin.zjol.com.cn",
    ),
    "hosts": (
        Selection(sites=("fin.zjol.com.cn", "society.zjol.com.cn")),
        lambda each: each["site"] in {"fin.zjol.com.cn", "society.zjol.com.cn"},
    ),
    "person": (Selection(people=("江帆",)), lambda each: "江帆" in named(each)),
    "people": (
        Selection(people=("江帆", "金晨")),
        lambda each: bool({"江帆", "金晨"} & named(each)),
    ),
    "tag": (Selection(tags=("河长制",)), lambda each: "河长制" in each.get("tags", [])),
    "tags": (
        Selection(tags=("河长制", "生态文明")),
        lambda each: bool({"河长制", "生态文明"} & set(each.get("tags", []))),
    ),
    "edited": (Selection(edited=True), lambda each: each["revision"] > 1),
    "gone": (Selection(gone=True), lambda each: each["status"] == "gone"),
    "images": (Selection(images=True), lambda each: bool(each.get("images"))),
}


def newest(large: Database[Any], selection: Selection) -> tuple[Document, Document]:
    """The plan of a query for the first page of these articles, newest first."""
    command = {
        "find": "articles", "filter": selection.query(), "sort": {"published_at": -1},
        "projection": {"title": 1}, "limit": PAGE,
    }  # fmt: skip
    return explained(large, command)


def test_filters_on_changes_do_not_replace_others() -> None:
    query = Selection(people=("江帆",), edited=True, gone_since=SINCE, changed_since=UNTIL).query()
    assert len(query["$or"]) == len(query["$and"][0]["$or"]) == 2
    assert query["revision"] == {"$gt": 1}


@pytest.fixture(scope="module")
def articles(large: Database[Any]) -> list[Document]:
    """All articles without their texts."""
    fields = ("published_at", "columns", "site", "authors.name", "editors.name", "tags", "revision")
    wanted = dict.fromkeys((*fields, "status", "images.position"), 1)
    return list(large.articles.find({}, wanted))


@pytest.mark.parametrize("name", FILTERS)
def test_it_chooses_what_a_look_at_each_article_chooses(
    name: str, large: Database[Any], articles: list[Document]
) -> None:
    selection, fits = FILTERS[name]
    plain = {each["_id"] for each in articles if fits(each)}
    found = [each["_id"] for each in large.articles.find(selection.query(), {"_id": 1})]
    assert set(found) == plain
    assert len(found) == len(plain) > PAGE


@pytest.mark.parametrize("name", FILTERS)
def test_the_newest_are_read_from_an_index_in_order(name: str, large: Database[Any]) -> None:
    plan, examined = newest(large, FILTERS[name][0])
    stages = [each["stage"] for each in parts(plan)]
    assert not {"COLLSCAN", "SORT"} & set(stages)
    assert examined["nReturned"] == PAGE
    # Several names are several index ranges that are merged, with one entry read ahead in each.
    places = max(1, stages.count("IXSCAN"))
    assert examined["totalDocsExamined"] <= PAGE + places
    assert examined["totalKeysExamined"] <= 2 * (PAGE + places)


@pytest.mark.parametrize(
    "name", [n for n in FILTERS if n not in {"none", "since", "until", "span"}]
)
def test_a_filter_in_a_span_of_days(name: str, large: Database[Any]) -> None:
    """One index serves both."""
    selection, _ = FILTERS[name]
    within = Selection(
        SINCE, UNTIL, selection.columns, selection.sites, selection.people, selection.tags,
        edited=selection.edited, gone=selection.gone, images=selection.images,
    )  # fmt: skip
    plan, examined = newest(large, within)
    stages = [each["stage"] for each in parts(plan)]
    assert not {"COLLSCAN", "SORT"} & set(stages)
    places = max(1, stages.count("IXSCAN"))
    assert 0 < examined["nReturned"] <= PAGE
    assert examined["totalDocsExamined"] <= examined["nReturned"] + places
    assert examined["totalKeysExamined"] <= 2 * (examined["nReturned"] + places)
