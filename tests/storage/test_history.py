"""Versions by the time of their visits: the order in which visits are stored does not matter."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import groupby, permutations
from random import Random
from typing import Any, TypeVar

import pytest
from pymongo.database import Database

from tests.support.articles import made_article
from zjolcrawl.clock import EPOCH
from zjolcrawl.items import Article, Image, Outcome
from zjolcrawl.storage.connection import connect
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.version_writer import VersionWriter
from zjolcrawl.storage.versions import Version
from zjolcrawl.storage.visit_policy import VisitPolicy

T = TypeVar("T")
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
    """What the store asks an archive: the visits of a version, and those that must be re-parsed."""

    def __init__(self, visits: Iterable[Seen]) -> None:
        self.visits = sorted(visits, key=lambda each: each.day)

    def of(self, version: Version) -> list[tuple[datetime, bool]]:
        return [
            (each.at, True) for each in self.between(version["changed_at"], version["last_seen_at"])
        ]

    def between(self, begin: datetime, end: datetime) -> list[Seen]:
        return [each for each in self.visits if begin <= each.at <= end]


async def put_all(
    store: Store, order: Sequence[Seen], gone: Sequence[int] = (), archive: Archive | None = None
) -> None:
    """Store visits in this order, then re-parse what they cut; takedowns come after the visit on their day."""
    archive = archive or Archive(order)
    store.writer.versions.visits = archive.of
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
    await put_cut([store], archive)


async def put_cut(stores: list[Store], archive: Archive) -> None:
    """Re-parse what the stores have cut, until there is nothing left."""
    for _ in range(20):
        found = [(store, each) for store in stores for each in await store.cut()]
        if not found:
            return
        for store, visits in found:
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


class Process:
    """Runs of the product in this process, each with its own store, one after another.

    They share a connection: opening one takes as long as storing three visits.
    """

    def __init__(self, runner: asyncio.Runner, uri: str, database: str) -> None:
        self._runner, self._database = runner, database
        self._client = runner.run(connect(uri, database))

    def run(self, work: Callable[[Store], Awaitable[T]]) -> T:
        async def main() -> T:
            store = Store(self._client, self._database, (200, 2.0), VisitPolicy())
            found = await work(store)
            await store.finish()
            return found

        return self._runner.run(main())

    def close(self) -> None:
        self._runner.run(self._client.close())


@pytest.fixture
def process(mongodb_uri: str, database: str) -> Iterator[Process]:
    with asyncio.Runner() as runner:
        opened = Process(runner, mongodb_uri, database)
        yield opened
        opened.close()


Into = Callable[..., list[Version]]
COLLECTIONS = ("articles", "revisions", "frontier", "history_locks")


@pytest.fixture
def stored(process: Process, db: Database[Any]) -> Into:
    """Empties the database, stores visits in an order, and returns the versions."""

    def run(order: Sequence[Seen], *, keep: bool = False, **more: Any) -> list[Version]:
        for name in () if keep else COLLECTIONS:
            db[name].delete_many({})
        process.run(lambda store: put_all(store, order, **more))
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


@pytest.mark.slow
@pytest.mark.parametrize("count", range(2, 9))
def test_any_order_of_many_visits(count: int, stored: Into) -> None:
    random = Random(count)
    for _ in range(4):
        visits = [
            Seen(
                day,
                random.choice("ABC"),
                random.choice(("", "x", "y")),
                random.choice(("failed", "missing", "stored")),
            )
            for day in range(1, count + 1)
        ]
        order = visits
        while order == visits:
            order = random.sample(visits, count)
        assert_same(stored(order), stored(visits), order)


class Killed(BaseException):
    """The process ends here."""


class Fault:
    """Lets a number of writes through to the server; the one after that never happens."""

    def __init__(self, collection: Any, left: list[int]) -> None:
        self._collection, self._left = collection, left

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._collection, name)
        if name not in {"bulk_write", "delete_one", "find_one_and_update"}:
            return found

        async def write(*args: Any, **more: Any) -> Any:
            if not self._left[0]:
                raise Killed
            self._left[0] -= 1
            return await found(*args, **more)

        return write


class FaultyDatabase:
    def __init__(self, db: Any, left: list[int]) -> None:
        self._db, self._left = db, left

    def __getitem__(self, name: str) -> Fault:
        return Fault(self._db[name], self._left)


Killing = Callable[[Seen, Archive, int], bool]


@pytest.fixture
def killing(process: Process, db: Database[Any]) -> Killing:
    """Stores one more visit in a run that is killed after a number of writes; whether it was killed."""

    def run(visit: Seen, archive: Archive, writes: int) -> bool:
        async def put(store: Store) -> bool:
            faulty: Any = FaultyDatabase(store.db, [writes])
            writer = VersionWriter(faulty, store.run_id, Counter())
            writer.visits = archive.of
            document = article_document(visit.article())
            try:
                await writer.write({URL: document})
            except Killed:
                return True
            return False

        try:
            return process.run(put)
        finally:  # its lock ends by itself
            db.history_locks.update_many({}, {"$set": {"until": EPOCH}})

    return run


CASES = {
    "first": (letters("A B A C"), Seen(1, "D")),
    "between two": (letters("A B A C"), Seen(2, "D")),
    "before the newest": (letters("A B C"), Seen(3, "D")),
    "within a former one": (letters("A B B C A"), Seen(3, "D")),
    "within the newest": (letters("A B C C"), Seen(4, "D")),
    "joins two": (letters("A B C B A"), Seen(3, "B")),
    "takes one over": (letters("A B A C"), Seen(2, "A")),
    "extends one": (letters("A B A C"), Seen(2, "B")),
}


def around(visits: list[Seen], added: Seen) -> tuple[list[Seen], Seen]:
    """The visits with days moved so that `added` is between two of them."""
    return [replace(each, day=each.day * 10) for each in visits], replace(
        added, day=added.day * 10 - 5
    )


def restore(db: Database[Any], held: dict[str, list[dict[str, Any]]]) -> None:
    for name, documents in held.items():
        db[name].delete_many({})
        if documents:
            db[name].insert_many(documents)


@pytest.mark.parametrize("name", CASES)
def test_killed_after_any_write_and_repeated(
    name: str, stored: Into, killing: Killing, db: Database[Any], raw_db: Database[Any]
) -> None:
    """Nothing is lost, and the next run on the same archive ends where an undisturbed one does."""
    visits, added = around(*CASES[name])
    expected = stored([*visits, added])
    before = stored(visits)
    undisturbed = {each: list(raw_db[each].find()) for each in COLLECTIONS}
    for writes in range(30):
        restore(raw_db, undisturbed)
        archive = Archive([*visits, added])
        was_killed = killing(added, archive, writes)
        contents = {each["content_sha256"] for each in versions(db)}
        assert {each["content_sha256"] for each in before} <= contents
        found = stored([*visits[:1], added], archive=archive, keep=True)
        assert_same(found, expected, f"killed after {writes} writes")
        if not was_killed:
            assert writes > 0
            return
    raise AssertionError("it is never done")


@pytest.mark.slow
def test_two_processes_at_once(mongodb_uri: str, database: str, db: Database[Any]) -> None:
    """Each takes half of the visits of an article, in any order: edits, insertions and cuts of the same versions."""
    rounds = 25
    random = Random(1)

    async def at_once(one: Store, other: Store, visits: list[Seen]) -> None:
        halves: list[list[Seen]] = [[], []]
        for each in random.sample(visits, len(visits)):
            random.choice(halves).append(each)

        async def put(store: Store, some: list[Seen]) -> None:
            for each in some:
                await store.put(each.article())
                await store.flush()

        await asyncio.gather(put(one, halves[0]), put(other, halves[1]))
        assert one.counts["refused"] == other.counts["refused"] == 0

    async def main() -> None:
        stores = [
            await Store.open(mongodb_uri, database, run_arguments={}, version="0") for _ in range(2)
        ]
        for _ in range(rounds):
            for name in ("articles", "revisions", "frontier", "history_locks"):
                db[name].delete_many({})
            visits = [Seen(day, random.choice("ABC")) for day in range(1, 9)]
            archive = Archive(visits)
            for store in stores:
                store.writer.versions.visits = archive.of
            await at_once(stores[0], stores[1], visits)
            await put_cut(stores, archive)
            assert_in_order(versions(db), visits)
        for store in stores:
            await store.finish()
            await store.close()

    asyncio.run(main())


def assert_in_order(found: list[Version], visits: list[Seen]) -> None:
    """The versions are those of the visits in time order."""
    contents = [each.content for each in visits]
    runs = [
        (content, [day for day, _ in some])
        for content, some in (
            (key, list(group)) for key, group in groupby(enumerate(contents, 1), key=lambda e: e[1])
        )
    ]
    assert [
        (each["title"][-1], (each["changed_at"] - START).days, (each["last_seen_at"] - START).days)
        for each in found
    ] == [(content, days[0], days[-1]) for content, days in runs]
    assert [each["revision"] for each in found] == list(range(1, len(runs) + 1))
    assert [each["_id"]["revision"] for each in found[:-1]] == list(range(1, len(runs)))
    assert all(
        each["breadcrumb"] == [f"day {days[0]}"]
        for each, (_, days) in zip(found, runs, strict=True)
    )
