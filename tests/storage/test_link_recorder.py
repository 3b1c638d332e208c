"""Storing links: a new row is the same by insert and by update."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from itertools import permutations
from random import Random
from typing import Any

import pytest
from pymongo import UpdateOne
from pymongo.database import Database

from zjolcrawl.items import Link, Outcome
from zjolcrawl.storage.connection import connect, durable
from zjolcrawl.storage.frontier import discover_link, new_row, settle_link, store_link
from zjolcrawl.storage.link_recorder import LinkRecorder, Recorded
from zjolcrawl.storage.outage import Outage
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.visit_policy import VisitPolicy

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
_AT = datetime(2026, 1, 10, 3, 4, 5, tzinfo=timezone.utc)
_LISTED = datetime(2026, 1, 9, 16, tzinfo=timezone.utc)
_LINKS = [
    Link(URL, seen_at=_AT),
    Link(URL, "article", ["zjxw", "jrsw"], "题", _LISTED, seen_at=_AT, fetch_url=URL),
    Link(URL, "paper", ["hzrb"], "$题", seen_at=_AT, fetch_url=URL.replace("http", "https")),
    Link(URL, "mobile", ["zjxw"], None, _LISTED, seen_at=_AT),
    Link(URL, "video", ["zjxw"], "题", _LISTED, "video pages are not read", _AT),
    Link(URL, "article", [], "", None, "$said by hand", _AT),
    Link(URL, "topic", ["zjxw"], seen_at=_AT),
]


@pytest.mark.parametrize("link", _LINKS, ids=range(len(_LINKS)))
def test_new_row_is_what_the_update_makes_of_nothing(link: Link, db: Database[Any]) -> None:
    db.frontier.bulk_write([discover_link(link, VisitPolicy())])
    assert db.frontier.find_one() == new_row(link)


_LATER, _LAST = _AT + timedelta(seconds=0.013), _AT + timedelta(days=40)
_NEXT_DAY = _LISTED + timedelta(days=1)
_HTTPS = URL.replace("http", "https")
_SHOWN = {
    "same title in two lists": [("题", None, _AT), ("题", None, _LATER)],
    "title that changed and changed back": [("题", None, _AT), ("改", None, _LATER), ("题", None, _LAST)],
    "changed, but an old capture comes last": [("题", None, _AT), ("题", None, _LAST), ("改", None, _LATER)],
    "one list has no dates": [("题", _LISTED, _AT), ("长的标题", None, _LATER)],
    "one list has no titles": [("题", None, _AT), (None, _LISTED, _LATER), (None, _NEXT_DAY, _LAST)],
    "two lists at once": [("题", _LISTED, _AT), ("$题", _NEXT_DAY, _AT), (None, None, _AT)],
    "two lists by turns": [("题", _LISTED, _AT), ("改", _NEXT_DAY, _LATER), ("题", _LISTED, _LAST),
                           ("改", _NEXT_DAY, _LAST + timedelta(seconds=1))],
    "date that is taken back": [("题", _NEXT_DAY, _AT), ("题", _LISTED, _LATER), ("题", _LISTED, _LAST)],
}  # fmt: skip


@pytest.mark.parametrize("shown", _SHOWN.values(), ids=_SHOWN)
def test_row_is_the_same_in_whatever_order_lists_are_recorded(
    shown: list[tuple[str | None, datetime | None, datetime]], db: Database[Any]
) -> None:
    """Lists of two columns are read at once, and archives of others are imported years later."""
    addresses = (URL, _HTTPS, f"{URL}?from=list", f"{_HTTPS}?from=list")
    links = [
        Link(URL, "article", ["zjxw"], title, date, seen_at=at, fetch_url=fetch_url)
        for (title, date, at), fetch_url in zip(shown, addresses, strict=False)
    ]
    expected = {"listed_title": max((a, t) for t, _, a in shown if t)[1]}
    if dates := [(a, d) for _, d, a in shown if d]:
        expected["listed_at"] = max(dates)[1]
    rows = []
    for order in permutations(links):
        db.frontier.delete_many({})
        db.frontier.insert_one(new_row(order[0]))
        again = [*order[1:], *order]  # a re-parse of the archive changes nothing
        db.frontier.bulk_write([discover_link(link, VisitPolicy()) for link in again])
        rows += db.frontier.find()
    for row in rows:
        assert {name: row[name] for name in expected} == expected
        assert row == rows[0]


def _random_link(random: Random, at: datetime) -> Link:
    title, column = random.choice([None, "题", "改"]), random.choice(["zjxw", "jrsw"])
    date = random.choice([None, _LISTED, _LISTED + timedelta(days=20)])
    fetch_url = random.choice([URL, _HTTPS, f"{URL}?from=list"])
    return Link(URL, "article", [column], title, date, seen_at=at, fetch_url=fetch_url)


def _random_visit(random: Random, at: datetime) -> UpdateOne:
    policy, kind = VisitPolicy(), random.choice(["stored", "gone", "rejected"])
    if kind != "stored":
        return settle_link(Outcome(URL, kind, kind, seen_at=at), policy)
    published, held = random.choice([None, _AT]), random.choice([{}, {"etag": "x"}])
    return store_link(URL, at, policy, published_at=published, validators=held)


@pytest.mark.parametrize("seed", range(40))
def test_lists_may_be_recorded_before_and_after_any_visit(seed: int, db: Database[Any]) -> None:
    """Visits are written one after another; lists of other columns at any time, those of imports years later."""
    random = Random(seed)
    updates, visits = [], []
    for number, day in enumerate(sorted(random.sample(range(60), 4))):
        at = _AT + timedelta(days=day)
        if number == 0 or random.random() < 0.5:
            updates.append(discover_link(_random_link(random, at), VisitPolicy()))
        else:
            visits.append(number)
            updates.append(_random_visit(random, at))
    rows = []
    for order in permutations(range(4)):
        if [n for n in order if n in visits] == visits:
            db.frontier.delete_many({})
            db.frontier.bulk_write([updates[number] for number in order])
            (row,) = db.frontier.find()
            rows.append({**row, "columns": sorted(row["columns"])})
    assert len(rows) > 1
    for row in rows:
        assert row == rows[0]


def test_what_a_list_showed_by_a_clock_that_was_ahead_is_replaced(db: Database[Any]) -> None:
    ahead = datetime(2100, 1, 1, tzinfo=timezone.utc)
    db.frontier.insert_one(new_row(Link(URL, "article", ["zjxw"], "题", _NEXT_DAY, seen_at=ahead)))
    link = Link(URL, "article", ["zjxw"], "改", _LISTED, seen_at=_AT)
    db.frontier.bulk_write([discover_link(link, VisitPolicy())])
    assert db.frontier.find_one() == new_row(link)


def test_links_new_and_known_are_told_apart(
    mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=1)
    known, settled, new, video = (URL.replace("4774532", f"477453{n}") for n in range(4))
    db.frontier.insert_many(
        [new_row(Link(known, seen_at=_AT)), {"_id": settled, "state": "stored", "attempts": 1,
         "kind": "article", "discovered_at": _AT, "next_visit_at": later}]
    )  # fmt: skip
    links = [Link(url, columns=["zjxw"], seen_at=_AT) for url in (known, settled, new)]
    links.append(Link(video, "video", ["zjxw"], reason="not read", seen_at=_AT))
    found = _record(mongodb_uri, database, links)
    assert found.new == 2
    rows = {row["_id"]: row["columns"] for row in db.frontier.find()}
    assert rows == {url: ["zjxw"] for url in (known, settled, new, video)}


def test_link_that_another_run_finds_meanwhile_is_known(
    mongodb_uri: str, database: str, db: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run inserts between the query for known links and the insert."""
    insert = LinkRecorder._insert

    async def after_the_other(recorder: LinkRecorder, links: list[Link]) -> Any:
        frontier = recorder._db["frontier"]
        await frontier.insert_one(new_row(Link(URL, columns=["jrsw"], seen_at=_AT)))
        return await insert(recorder, links)

    monkeypatch.setattr(LinkRecorder, "_insert", after_the_other)
    other = URL.replace("4774532", "4774533")
    links = [Link(url, columns=["zjxw"], seen_at=_AT) for url in (URL, other)]
    found = _record(mongodb_uri, database, links)
    assert found.new == 1
    assert [row["columns"] for row in db.frontier.find().sort("_id")] == [
        ["jrsw", "zjxw"],
        ["zjxw"],
    ]


def test_row_that_is_refused_is_named_and_others_are_recorded(
    mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    other = URL.replace("4774532", "4774533")
    link = Link(URL, 7, ["zjxw"], seen_at=_AT)  # type: ignore[arg-type]  # the validator wants a string
    found = _record(mongodb_uri, database, [link, Link(other, columns=["zjxw"], seen_at=_AT)])
    assert found.refused.keys() == {URL}
    assert "validator" in found.refused[URL]
    assert found.new == 1
    assert [row["_id"] for row in db.frontier.find()] == [other]


def _record(uri: str, database: str, links: list[Link]) -> Recorded:
    async def once() -> Recorded:
        client = await connect(uri)
        try:
            db = durable(client, database)
            await ensure_schema(db)
            recorder = LinkRecorder(db, VisitPolicy(), Outage(), asyncio.Lock())
            return await recorder.record(links)
        finally:
            await client.close()

    return asyncio.run(once())
