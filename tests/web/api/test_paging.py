"""Cursors stay right while articles are added, also among articles of the same time; pages have a limit in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo.database import Database

from tests.export.made import article, edited
from tests.support.crawling import wait_until
from tests.web.api.asking import articles, ask, get, ids, pages, problem
from tests.web.serving import Web, browsing

# Its documents need not fit the validators.
pytestmark = pytest.mark.new_database
NOON = datetime(2017, 8, 12, 4, tzinfo=timezone.utc)


@pytest.fixture
def web(mongodb_uri: str, database: str, tmp_path: Path) -> Iterator[Web]:
    with browsing(tmp_path, mongodb_uri, database) as (web, _):
        yield web


def put(db: Database[Any], *documents: dict[str, Any]) -> None:
    """Stores articles as a run does, so that the full-text index sees them."""
    db.articles.insert_many([{**each, "written_at": bson.Timestamp(0, 0)} for each in documents])


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("articles", {}),
        ("articles", {"tag": "生态文明"}),
        ("articles", {"person": "江帆,金晨", "since": "2017-01-01"}),
        ("search", {"words": "督察"}),
        ("search", {"words": "标题"}),
        ("search", {"tag": "生态文明"}),
    ],
)
def test_each_article_once_among_many_of_the_same_time(
    path: str, asked: dict[str, str], web: Web, db: Database[Any]
) -> None:
    """In groups of 1 to 9 with one publish time; some without any; headline hits and others."""
    made: list[dict[str, Any]] = []
    for number, size in enumerate((1, 4, 9, 2, 1, 1)):
        at = NOON + timedelta(hours=5 * number)
        made += [article(len(made) + n, published_at=at) for n in range(size)]
    made += [article(len(made) + n, published_at=None, title=f"别的 {n}") for n in range(4)]
    put(db, *reversed(made))
    if "since" in asked:
        made = [each for each in made if "published_at" in each]
    made.sort(key=lambda each: each["_id"])
    made.sort(key=lambda each: each.get("published_at", NOON - timedelta(days=9999)), reverse=True)
    if path == "search":
        wait_for_index(web, len(made), **asked)
    for limit in (1, 2, 3, 7, 100):
        found = ids(articles(web, path, **asked, limit=limit))
        assert sorted(found) == sorted(ids(made)), limit
        assert path == "search" or found == ids(made), limit


@pytest.mark.parametrize("path", ["articles", "search"])
def test_articles_that_are_added_meanwhile_move_no_other(
    path: str, web: Web, db: Database[Any]
) -> None:
    """Newer, older and simultaneous ones, between any two pages; none that was there is missed or repeats."""
    known = [article(n, published_at=NOON + timedelta(hours=n // 3)) for n in range(20)]
    put(db, *known)
    if path == "search":
        wait_for_index(web, len(known), tag="生态文明")
    seen: list[str] = []
    for number, page in enumerate(pages(web, path, tag="生态文明", limit=3)):
        seen += ids(page["articles"])
        more = [
            article(1000 + 10 * number + n, published_at=NOON + timedelta(hours=hours))
            for n, hours in enumerate((number - 1, 6 - number, 100, -100))
        ]
        if number < 9:
            put(db, *more)
            if path == "search":
                wait_for_index(web, len(known) + 4 * (number + 1), tag="生态文明")
    assert len(seen) == len(set(seen))
    assert set(ids(known)) <= set(seen)


def wait_for_index(web: Web, total: int, **asked: str) -> None:
    """Waits until a search knows this many articles: pages may be asked for before the index knows the newest."""
    wait_until(lambda: ask(web, "search", **asked, limit=1)["total"] >= total)


def test_changes_while_others_change(web: Web, db: Database[Any]) -> None:
    known = []
    for n in range(12):
        former, newest = edited(article(n), f"第{n}次改动", 1 + n // 5)
        known.append({**newest, "changed_at": NOON + timedelta(hours=n // 5)})
        db.revisions.insert_one(former)
    put(db, *known)
    seen: list[str] = []
    for number, page in enumerate(pages(web, "articles", changed_since="2017-08-01", limit=4)):
        seen += ids(page["articles"])
        _, newest = edited(article(100 + number), "又一次改动", 1)
        put(db, {**newest, "changed_at": NOON + timedelta(days=number + 1)})
    assert seen[: len(known)] == ids(
        sorted(known, key=lambda each: (-each["changed_at"].timestamp(), each["_id"]))
    )


def test_versions_whose_numbers_change_meanwhile(web: Web, db: Database[Any]) -> None:
    """An import puts a version before those that were read already: the later ones get the next numbers."""
    url = article(0)["_id"]
    times = [NOON + timedelta(days=n) for n in range(6)]

    def store(days: list[int]) -> None:
        db.revisions.delete_many({})
        db.articles.delete_many({})
        versions = [
            article(0, body=f"第{day}天", revision=n, changed_at=times[day])
            for n, day in enumerate(days, 1)
        ]
        put(db, versions.pop())
        db.revisions.insert_many(
            [{**each, "_id": {"url": url, "revision": each["revision"]}} for each in versions]
        )

    store([1, 2, 3, 4, 5])
    first = ask(web, "revisions", url=url, limit=2)
    assert [each["article"]["body"] for each in first["revisions"]] == ["第1天", "第2天"]
    store([0, 1, 2, 3, 4, 5])
    rest = ask(web, "revisions", url=url, limit=100, cursor=first["next"])
    assert [each["article"]["body"] for each in rest["revisions"]] == ["第3天", "第4天", "第5天"]
    assert rest["revisions"][0]["changes"][0]["before"] == "第2天"
    assert "next" not in rest


def test_a_page_ends_before_it_is_too_large(web: Web, db: Database[Any]) -> None:
    large = "浙江在线讯，全省各地贯彻落实督察。\n" * 30_000  # 1.5 MB
    put(db, *(article(n, body=f"第{n}条 {large}", body_html="") for n in range(7)))
    for path, asked in (("articles", {}), ("search", {"words": "督察"})):
        if path == "search":
            wait_for_index(web, 7, words="督察")
        sizes = [len(page["articles"]) for page in pages(web, path, **asked)]
        assert sizes == [2, 2, 2, 1]
    url = article(99)["_id"]
    versions = [
        article(99, body=f"第{n}版 {large}", revision=n, changed_at=NOON + timedelta(days=n))
        for n in range(1, 6)
    ]
    put(db, versions.pop())
    db.revisions.insert_many(
        [{**each, "_id": {"url": url, "revision": each["revision"]}} for each in versions]
    )
    found = list(pages(web, "revisions", url=url))
    assert [each["article"]["revision"] for page in found for each in page["revisions"]] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert len(found) >= 2


def test_by_relevance_to_the_last_of_the_best(web: Web, db: Database[Any]) -> None:
    put(db, *(article(n, title="督察" * (1 + n % 3) + f"第{n}") for n in range(30)))
    wait_for_index(web, 30, words="督察")
    whole = articles(web, "search", words="督察", order="relevance", limit=100)
    assert ids(articles(web, "search", words="督察", order="relevance", limit=7)) == ids(whole)
    assert len(whole) == 30
    first = ask(web, "search", words="督察", order="relevance", limit=7)
    db.articles.delete_one({"_id": first["articles"][-1]["_id"]})
    wait_until(lambda: ask(web, "search", words="督察")["total"] == 29)
    found = problem(web, "search", words="督察", order="relevance", limit=7, cursor=first["next"])
    assert "begin again" in found["detail"]


def test_what_no_other_client_should_have_stored(web: Web, db: Database[Any]) -> None:
    late = bson.DatetimeMS(2**50)
    odd: list[dict[str, Any]] = [
        article(0, gone_at=late, status="gone"), article(1, published_at=late), article(2, published_at=late),
        article(3, changed_at=late, first_seen_at=late, last_seen_at=late), article(4, published_at="gestern"),
        article(5, published_at=bson.DatetimeMS(-(2**50))), article(6, published_at=7),
        article(7, more=bson.Decimal128("1.5"), code=bson.Code("x", {"y": 1}), regex=bson.Regex("a", "i")),
        article(8, title=None), article(9, images="x", authors=[7], body=7),
    ]  # fmt: skip
    put(db, *odd)
    for limit in (1, 3, 100):
        assert len(articles(web, "articles", limit=limit)) == 10
    for each in odd:
        assert ask(web, "article", url=each["_id"])["_id"] == each["_id"]
        assert len(ask(web, "revisions", url=each["_id"])["revisions"]) == 1
    assert len(articles(web, "articles", changed_since="2017-01-01")) == 0
    assert get(web, "columns").status == get(web, "health").status == 200
