"""Versions by the time of their visits: the order in which visits are stored does not matter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from tests.support.articles import made_article
from zjolcrawl.items import Article, Image, Outcome
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.versions import Version

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
START = datetime(2019, 1, 1, tzinfo=timezone.utc)
_STORED = {"sha256": "0" * 64, "path": "full/0.jpg", "width": 1, "height": 1, "bytes": 9}


@dataclass(frozen=True)
class Seen:
    """A visit: on which day, with which content, what listed the article and how its image is."""

    day: int
    content: str
    column: str = ""
    image: str = "failed"

    @property
    def at(self) -> datetime:
        return START + timedelta(days=self.day)

    def article(self) -> Article:
        image = _STORED if self.image == "stored" else {}
        warnings = [] if image else ["image 1: failed"]
        return made_article(
            url=URL, site="zjnews.zjol.com.cn", title=f"标题 {self.content}", body="正文",
            body_html="<p>正文</p>", template="T1", parser_version=3, seen_at=self.at,
            breadcrumb=[f"day {self.day}"], columns=[self.column] if self.column else [],
            aliases=[f"{URL}?{self.column}"] if self.column else [], warnings=warnings,
            images=[Image("http://x.zjol.com.cn/a.jpg", "./a.jpg", 1, status=self.image, **image)],
            warc={"file": "a", "offset": self.day, "length": 9, "record_id": f"<{self.day}>"},
            provenance={"kind": "import", "from": "a"} if self.day % 2 else None,
        )  # fmt: skip


def letters(text: str) -> list[Seen]:
    """`A B A` on days 1, 2, 3; each visit comes from a column of its own, and the last one has the image."""
    contents = text.split()
    return [
        Seen(day, content, f"column {day}", "stored" if day == len(contents) else "failed")
        for day, content in enumerate(contents, 1)
    ]


class Archive:
    """What the store asks an archive: the visits around a moment, and those that must be re-parsed."""

    def __init__(self, visits: Iterable[Seen]) -> None:
        self.visits = sorted(visits, key=lambda each: each.day)

    def around(self, version: Version, moment: datetime) -> tuple[datetime | None, datetime | None]:
        within = [v.at for v in self.between(version["changed_at"], version["last_seen_at"])]
        before, after = [at for at in within if at < moment], [at for at in within if at > moment]
        return max(before, default=None), min(after, default=None)

    def between(self, begin: datetime, end: datetime) -> list[Seen]:
        return [each for each in self.visits if begin <= each.at <= end]


async def put_all(store: Store, order: Sequence[Seen], gone: Sequence[int] = ()) -> None:
    """Store visits in this order, then re-parse what they cut; takedowns come after the visit on their day."""
    archive = Archive(order)
    store.writer.versions.around = archive.around
    for each in order:
        await store.put(each.article())
        await store.flush()
        if each.day in gone:
            at = each.at + timedelta(hours=1)
            for days in (0, 1, 3):
                await store.outcome(
                    Outcome(URL, "gone", "HTTP 404", seen_at=at + timedelta(days=days))
                )
                await store.flush()
    for _ in range(20):
        cut = await store.cut()
        if not cut:
            return
        for visits in cut:
            for each in archive.between(visits.begin, visits.end):
                await store.put(each.article())
                await store.flush()
    raise AssertionError("the cuts do not end")


def versions(db: Database[Any]) -> list[Version]:
    """All versions, without what depends on the run; lists that are sets are sorted."""
    former = list(db.revisions.find().sort("_id", 1))
    found = [*former, *db.articles.find()]
    for each in found:
        for name in ("run_id", "written_at"):
            each.pop(name, None)
        for name in ("columns", "aliases"):
            if name in each:
                each[name].sort()
    return found


def assert_same(found: list[Version], expected: list[Version], order: object) -> None:
    """Compare field by field, because the whole documents are too long for a message."""
    assert [each["title"] for each in found] == [each["title"] for each in expected], order
    for one, other in zip(found, expected, strict=True):
        names = one.keys() | other.keys()
        differ = {n: (one.get(n), other.get(n)) for n in names if one.get(n) != other.get(n)}
        assert not differ, (one["_id"], order)


Into = Callable[..., list[Version]]


@pytest.fixture
def stored(mongodb_uri: str, database: str, db: Database[Any]) -> Into:
    """Empties the database, stores visits in an order, and returns the versions."""

    def run(order: Sequence[Seen], **more: Any) -> list[Version]:
        for name in ("articles", "revisions", "frontier", "rejects", "history_locks"):
            db[name].delete_many({})

        async def main() -> None:
            store = await Store.open(mongodb_uri, database, run_arguments={}, version="0")
            try:
                await put_all(store, order, **more)
                await store.finish()
            finally:
                await store.close()

        asyncio.run(main())
        return versions(db)

    return run


THREE = ("A B A", "A B C", "A A B", "A B B", "B A A", "A A A")


@pytest.mark.parametrize("text", THREE)
def test_every_order_of_three_visits(text: str, stored: Into) -> None:
    visits = letters(text)
    expected = stored(visits)
    runs = [
        content
        for n, content in enumerate(text.split())
        if n == 0 or content != text.split()[n - 1]
    ]
    assert [each["title"][-1] for each in expected] == runs
    assert [each["revision"] for each in expected] == list(range(1, len(runs) + 1))
    for order in permutations(visits):
        assert_same(stored(order), expected, order)


@pytest.mark.parametrize("text", THREE)
@pytest.mark.parametrize("gone", [1, 2, 3])
def test_takedown_between_visits(text: str, gone: int, stored: Into) -> None:
    """A crawl saw one visit and then the takedown; the others are put in later, before it and after it."""
    visits = letters(text)
    expected = stored(visits, gone=[gone])
    assert any("gone_at" in each for each in expected)
    for others in permutations(each for each in visits if each.day != gone):
        order = [visits[gone - 1], *others]
        assert_same(stored(order, gone=[gone]), expected, order)


def test_older_visit_does_not_bring_an_article_back(stored: Into) -> None:
    first, older = Seen(1, "A"), Seen(2, "B")
    found = stored([Seen(3, "C"), first, older], gone=[3])
    assert [each["status"] for each in found] == ["live", "live", "gone"]
    assert ["gone_at" in each for each in found] == [False, False, True]
    gone_later = stored([first, Seen(4, "C")], gone=[1])
    assert [each["status"] for each in gone_later] == ["gone", "live"]


CONTENTS = st.sampled_from("ABC")
SIGHTS = st.lists(
    st.tuples(
        CONTENTS, st.sampled_from(["", "x", "y"]), st.sampled_from(["failed", "missing", "stored"])
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SIGHTS, st.randoms(use_true_random=False))
def test_any_order_of_many_visits(
    stored: Into, sights: list[tuple[str, str, str]], random: Any
) -> None:
    visits = [Seen(day, *each) for day, each in enumerate(sights, 1)]
    order = list(visits)
    random.shuffle(order)
    assert_same(stored(order), stored(visits), order)
