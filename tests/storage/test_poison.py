"""Documents that MongoDB refuses, and errors that are not an outage: each affects only itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from bson import Int64
from pymongo.database import Database

from tests.storage.test_store import URL, article
from tests.support.crawling import LONG
from tests.support.mongod import Mongod
from zjolcrawl.items import Article, Byline, ColumnVisit, Image, Link, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.buffer import ArticleVisit
from zjolcrawl.storage.buffer_writer import BufferWriter
from zjolcrawl.storage.documents import LONGEST_KEY, LONGEST_TEXT, MOST_BYTES, MOST_ENTRIES
from zjolcrawl.storage.errors import StoreError
from zjolcrawl.storage.store import Store

Work = Callable[[Store], Awaitable[None]]
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def url(number: int) -> str:
    return URL.replace("4774532", str(4800000 + number))


def nested(levels: int) -> Any:
    value: Any = "底"
    for _ in range(levels):
        value = {"x": value}
    return value


def run(uri: str, database: str, work: Work, folder: Path | None = None, **options: Any) -> Store:
    async def main() -> Store:
        spool = folder / "spool" if folder else None
        store = await Store.open(
            uri, database, run_arguments={}, version="0", spool=spool, **options
        )
        try:
            await work(store)
        finally:
            try:
                await store.finish()
            finally:
                await store.close()
        return store

    return asyncio.run(main())


def many(*articles: Article) -> Work:
    async def work(store: Store) -> None:
        for each in articles:
            await store.put(each)

    return work


ARTICLES: dict[str, tuple[dict[str, Any], str]] = {
    "surrogate in the title": ({"title": "题\ud800"}, "title"),
    "surrogate in the body": ({"body": "一\n\udfff二"}, "body"),
    "surrogate in a tag": ({"tags": ["环保", "\udabc"]}, "tags"),
    "surrogate in a caption": (
        {"images": [Image("http://x/a.jpg", "./a.jpg", 1, caption="\ud83d")]},
        "images",
    ),
    "surrogate in a name": ({"authors": [Byline("江\udc12", "记者")]}, "authors"),
    "NUL in a key": ({"warc": {"file\0": "a"}}, "warc"),
    "tags without end": (
        {"tags": [f"词{n}" for n in range(MOST_ENTRIES + 1)]},
        "tags has 10001 entries",
    ),
    "authors without end": (
        {"authors": [Byline(f"江{n}", "记者") for n in range(50_000)]},
        "authors has 50000 entries",
    ),
    "images without end": (
        {"images": [Image(f"http://x/{n}.jpg", f"./{n}.jpg", n) for n in range(20_000)]},
        "images has 20000 entries",
    ),
    "number of 65 bits": (
        {"images": [Image("http://x/a.jpg", "./a.jpg", 1, bytes=2**64)]},
        "images",
    ),
    "number as large below zero": ({"warc": {"offset": -(2**63) - 1}}, "warc"),
    "year 9999": ({"published_at": datetime(9999, 12, 31, tzinfo=timezone.utc)}, "year 9999"),
    "year 1": ({"published_at": datetime(1, 1, 1, tzinfo=timezone.utc)}, "year 1"),
    "year 2101 in another zone": (
        {"published_at": datetime(2101, 1, 2, tzinfo=timezone(timedelta(hours=14)))},
        "year 2101",
    ),
    "sight in the year 1970": ({"seen_at": datetime(1970, 1, 1, tzinfo=timezone.utc)}, "year 1970"),
    "body over 16 MB": ({"body": "x" * 17 * 2**20}, "bytes"),
    "a byte too much": ({"body_html": "x" * MOST_BYTES}, "bytes"),
    "many authors over 16 MB": (
        {"authors": [Byline(f"记者{n}" * 600, "记者") for n in range(5_000)]},
        "bytes",
    ),
    "nested 190 levels": ({"warc": nested(190)}, ""),
    "nested 5000 levels": ({"warc": nested(5000)}, "warc"),
    "a type that is none": ({"source": object()}, ""),
    "a set": ({"tags": {"a"}}, "set"),
    "an empty text": ({"title": ""}, "title"),
    "a list for a text": ({"dateline": ["浙江在线"]}, "dateline"),
    "an image without a number": ({"images": [Image("http://x/a.jpg", "", 0)]}, "images"),
    "an address too long": ({"url": URL + "x" * LONGEST_KEY}, "URL"),
    "a row's address too long": ({"link": URL + "x" * 17 * 2**20}, "URL"),
    "pictures that are none": ({"images": [None]}, ""),
}


@pytest.mark.parametrize("name", ARTICLES)
def test_article_costs_itself(
    name: str, mongodb_uri: str, database: str, db: Database[Any], tmp_path: Path
) -> None:
    changes, why = ARTICLES[name]
    poison = article(**{"url": url(99), **changes})
    row = poison.link
    good = [article(url=url(n)) for n in range(4)]

    async def work(store: Store) -> None:
        await many(*good[:2])(store)
        await store.put(poison)
        await many(*good[2:])(store)

    store = run(mongodb_uri, database, work, tmp_path)
    assert store.counts["new"] == 4
    assert store.counts["rejected"] == 1
    assert [each["_id"] for each in db.articles.find().sort("_id")] == [url(n) for n in range(4)]
    (reject,) = db.rejects.find()
    assert reject["url"] == row[:LONGEST_TEXT]
    assert why in reject["reason"]
    rejected = {each["_id"]: each["last_error"] for each in db.frontier.find({"state": "rejected"})}
    assert rejected == ({row: reject["reason"]} if len(row) <= LONGEST_KEY else {})
    assert (store.waiting(), store.faults) == (0, [])


LINKS: dict[str, dict[str, Any]] = {
    "a title of 17 MB": {"listed_title": "题" * 6_000_000},
    "a surrogate in the title": {"listed_title": "题\ud800"},
    "the year 9999": {"listed_at": datetime(9999, 12, 31, 23, tzinfo=timezone.utc)},
    "the year 1": {"listed_at": datetime(1, 1, 1, tzinfo=timezone.utc)},
    "a long reason": {"reason": "x" * 2**24, "kind": "offsite"},
    "a long address to fetch": {"fetch_url": "http://x/" + "x" * 2**24},
    "a surrogate in a column": {"columns": ["zjxw\udc00"]},
    "a NUL": {"listed_title": "a\0b"},
}


@pytest.mark.parametrize("name", LINKS)
def test_link_is_recorded_without_what_cannot_be(
    name: str, mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    async def work(store: Store) -> None:
        for _ in range(2):
            links = [Link(url(n), columns=["zjxw"]) for n in range(3)]
            links.append(Link(url(99), **{"columns": ["zjxw"], **LINKS[name]}))
            found = await store.discover(links)
            assert not found.refused
        assert found.new == 0

    run(mongodb_uri, database, work)
    assert db.frontier.count_documents({}) == 4
    row = db.frontier.find_one({"_id": url(99)})
    assert row is not None
    assert "listed_at" not in row
    assert all(len(row.get(key, "")) <= LONGEST_TEXT for key in ("listed_title", "last_error"))


@pytest.mark.parametrize("address", ["", "http://x/\ud800", "http://x/" + "x" * LONGEST_KEY])
def test_link_that_no_row_can_have_is_named(
    address: str, mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    async def work(store: Store) -> None:
        found = await store.discover([Link(url(1), columns=["zjxw"]), Link(address)])
        assert (found.new, list(found.refused)) == (1, [address])

    run(mongodb_uri, database, work)
    assert [row["_id"] for row in db.frontier.find()] == [url(1)]
    (reject,) = db.rejects.find()
    assert "URL" in reject["reason"]


def test_list_of_more_addresses_than_one_query_takes(
    mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    links = [Link(f"{url(n)}?{'x' * 7000}", columns=["zjxw"]) for n in range(3000)]

    async def work(store: Store) -> None:
        found = await store.discover(links)
        assert found.new == 3000

    run(mongodb_uri, database, work)
    assert db.frontier.count_documents({"columns": "zjxw"}) == 3000


OTHERS: dict[str, Any] = {
    "reason": Outcome(url(99), "failed", "x" * 2**24 + "\ud800"),
    "no reason": Outcome(url(99), "failed", ""),
    "excerpt": Outcome(url(99), "rejected", "x", excerpt="题\udfff" * 2**23),
    "status": Outcome(url(99), "rejected", "x", status=10**30),
    "final_url": Outcome(url(99), "gone", "x", final_url="http://x/" + "\udead" * 2**23),
    "retry": Outcome(
        url(99), "failed", "x",
        retry_after=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    ),
    "seen": Outcome(url(99), "rejected", "x", seen_at=datetime(9999, 12, 31, tzinfo=timezone.utc)),
    "warc": Outcome(url(99), "rejected", "x", warc={"a\0\ud800": [2**70, nested(300)]}),
    "visit": ColumnVisit("zjxw", "http://x/", 0, 3, pages_total=10**40, error="\ud800" * 2**24),
    "entry": ColumnVisit("zjxw", "http://x/", 0, 3, entry={"id": "zjxw", "n\0me": "\udddd"}),
    "listed": ColumnVisit("zjxw", "http://x/", 0, 3, datetime(9999, 1, 1, tzinfo=timezone.utc)),
    "walk": WalkEnd("zjxw", complete=True, swept=True, pages=2**80, etag="x" * 2**24),
    "column": ColumnVisit("zjxw\ud800", "http://x/", 0, 3),
    "unchanged": Unchanged(url(99), datetime(1, 1, 1, tzinfo=timezone.utc)),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_item_beside_an_article_is_bounded(
    name: str, mongodb_uri: str, database: str, db: Database[Any], tmp_path: Path
) -> None:
    item = OTHERS[name]

    async def work(store: Store) -> None:
        await store.put(article())
        take = {Outcome: store.outcome, Unchanged: store.unchanged}
        await take.get(type(item), store.column_visit)(item)
        await store.put(article(url=url(1)))

    store = run(mongodb_uri, database, work, tmp_path)
    assert db.articles.count_documents({}) == 2
    assert (store.waiting(), store.faults) == (0, [])
    row = db.frontier.find_one({"_id": url(99)})
    if isinstance(item, Outcome):
        assert row is not None
        assert row["state"] == item.state
        assert 0 < len(row["last_error"]) <= LONGEST_TEXT


def test_end_of_a_run_is_bounded(mongodb_uri: str, database: str, db: Database[Any]) -> None:
    async def work(store: Store) -> None:
        await store.end_run(
            {"warnings": ["\ud800" * 2**24], "counts": {"a\0": 2**70}, "exit_status": 1}
        )

    run(mongodb_uri, database, work)
    ended = db.runs.find_one()
    assert ended is not None
    assert ended["exit_status"] == 1
    assert ended["ended_at"]


STORED: dict[str, dict[str, Any]] = {
    "an empty title": {"title": ""},
    "a text for a list": {"tags": "环保"},
    "a revision of 64 bits": {"revision": Int64(1)},
    "no publish time that can be": {"published_at": "2017-08-12"},
    "columns that are numbers": {"columns": [5]},
    "no template": {"parser": {}},
    "too large for its place among the revisions": {"body": "x" * (16 * 2**20 - 1500)},
}
MAIMED = {"content_sha256", "revision", "status", "last_seen_at", "changed_at", "first_seen_at"}


def maim(db: Database[Any], update: dict[str, Any]) -> None:
    changed = db.command(
        "update", "articles", updates=[{"q": {"_id": url(1)}, "u": update}],
        bypassDocumentValidation=True,
    )  # fmt: skip
    assert changed["nModified"] == 1


@pytest.mark.parametrize("name", STORED)
def test_stored_version_that_is_invalid_does_not_stop_its_edit_or_others(
    name: str, mongodb_uri: str, database: str, db: Database[Any], tmp_path: Path
) -> None:
    run(mongodb_uri, database, many(*(article(url=url(n)) for n in range(3))), tmp_path)
    maim(db, {"$set": STORED[name]})
    known = db.articles.find_one({"_id": url(1)})
    assert known is not None
    edits = [article(url=url(n), body="改过") for n in range(3)]
    store = run(mongodb_uri, database, many(*edits), tmp_path)
    former = {each["_id"]["url"]: each for each in db.revisions.find()}
    assert {url(0), url(2)} <= former.keys()
    if store.counts["changed"] == 3:  # the version is kept, valid or not
        assert former[url(1)] == {**known, "_id": {"url": url(1), "revision": 1}}
    else:
        row = db.frontier.find_one({"_id": url(1)})
        assert row is not None
        assert row["last_error"]
        assert db.rejects.count_documents({"url": url(1)}) == 1
    assert (store.waiting(), store.faults) == (0, [])


@pytest.mark.parametrize("field", sorted(MAIMED))
@pytest.mark.parametrize("body", ["浙江在线8月12日讯", "改过"])
def test_stored_article_without_a_field_costs_itself(
    field: str, body: str, mongodb_uri: str, database: str, db: Database[Any], tmp_path: Path
) -> None:
    run(mongodb_uri, database, many(*(article(url=url(n)) for n in range(3))), tmp_path)
    maim(db, {"$unset": {field: ""}})
    again = [article(url=url(n), body=body) for n in range(4)]
    store = run(mongodb_uri, database, many(*again), tmp_path)
    seen = {each["_id"]: each for each in db.articles.find()}
    assert seen[url(2)]["last_seen_at"] > NOW
    assert seen[url(3)]["body"] == body
    row = db.frontier.find_one({"_id": url(1)})
    assert row is not None
    assert row["state"] == "stored"
    assert (store.waiting(), store.faults) == (0, [])


@pytest.mark.parametrize(
    "broken",
    [
        {"attempts": "viele"}, {"listed_at": datetime(9999, 12, 31, tzinfo=timezone.utc)},
        {"columns": "zjxw"}, {"discovered_at": "gestern"}, {"failures": -1}, {"kind": ""},
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["stored", "failed", "unchanged", "found"])
def test_row_that_is_invalid_costs_itself(
    how: str, broken: dict[str, Any], mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    run(mongodb_uri, database, many(article(url=url(0))))
    db.command(
        "update", "frontier",
        updates=[{"q": {"_id": url(1)}, "u": {"$set": {"state": "pending", **broken}}, "upsert": True}],
        bypassDocumentValidation=True,
    )  # fmt: skip

    async def work(store: Store) -> None:
        await store.discover([Link(url(1), columns=["a"]), Link(url(2), columns=["a"])])
        if how == "stored":
            await store.put(article(url=url(1), published_at=None, published_precision=None))
        elif how == "failed":
            await store.outcome(Outcome(url(1), "failed", "HTTP 500"))
        elif how == "unchanged":
            await store.unchanged(Unchanged(url(1)))
        await store.put(article(url=url(2)))

    run(mongodb_uri, database, work)
    assert db.frontier.find_one({"_id": url(2)})["state"] == "stored"
    row = db.frontier.find_one({"_id": url(1)})
    assert row is not None
    if how != "found":
        assert row["state"] != "pending"


@pytest.mark.parametrize("year", [1990, 2026, 2040, 2100])
@pytest.mark.parametrize("how", ["put", "unchanged", "gone"])
def test_recheck_is_within_days_whatever_date_a_page_or_a_list_gives(
    how: str, year: int, mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    moment = datetime(year, 7, 1, tzinfo=timezone.utc)

    async def work(store: Store) -> None:
        await store.discover([Link(url(1), columns=["a"], listed_at=moment)])
        await store.put(article(url=url(1), published_at=moment, seen_at=NOW))
        later = NOW + timedelta(minutes=1)
        if how == "unchanged":
            await store.flush()
            await store.unchanged(Unchanged(url(1), later))
        elif how == "gone":
            await store.flush()
            await store.outcome(Outcome(url(1), "gone", "HTTP 404", seen_at=later))

    run(mongodb_uri, database, work)
    row = db.frontier.find_one({"_id": url(1)})
    assert row is not None
    visit = row.get("next_visit_at", NOW)
    assert NOW <= visit <= NOW + timedelta(days=31)
    is_due = moment > NOW - timedelta(days=30) or how == "gone"  # to be confirmed
    assert ("next_visit_at" in row) == is_due


@pytest.mark.parametrize("folder", [True, False])
def test_what_our_own_code_breaks_on_costs_itself(
    folder: bool,
    mongodb_uri: str,
    database: str,
    db: Database[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = BufferWriter._write_articles

    async def breaks(writer: BufferWriter, sights: dict[str, ArticleVisit]) -> dict[str, str]:
        if url(3) in sights:
            raise ZeroDivisionError("nobody thought of it")
        return await write(writer, sights)

    monkeypatch.setattr(BufferWriter, "_write_articles", breaks)
    store = run(
        mongodb_uri, database, many(*(article(url=url(n)) for n in range(6))),
        tmp_path if folder else None,
    )  # fmt: skip
    assert db.articles.count_documents({}) == 5
    row = db.frontier.find_one({"_id": url(3)})
    assert row is not None
    assert row["state"] == "rejected"
    assert "nobody thought of it" in row["last_error"]
    assert store.waiting() == 0


# --- errors of the server ------------------------------------------------------------------


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A mongod with failpoints set by the test."""
    folder = tmp_path_factory.mktemp("failing") / "mongod"
    with Mongod(folder, "--setParameter", "enableTestCommands=1") as server:
        yield server


@pytest.fixture
def fail(failing: Mongod) -> Iterator[Callable[..., None]]:
    with failing.client() as client:

        def fail(mode: Any, *commands: str, **data: Any) -> None:
            client.admin.command(
                "configureFailPoint", "failCommand", mode=mode,
                data={"failCommands": list(commands), **data},
            )  # fmt: skip

        client.drop_database("zjol")
        yield fail
        client.admin.command("configureFailPoint", "failCommand", mode="off")


@pytest.mark.parametrize("code", [2, 9, 15, 17419, 51, 10334, 66])
@pytest.mark.parametrize("command", ["insert", "update"])
def test_batch_that_the_server_refuses_is_halved(
    command: str, code: int, failing: Mongod, fail: Callable[..., None], tmp_path: Path
) -> None:
    async def work(store: Store) -> None:
        fail({"times": 2}, command, errorCode=code)
        await many(*(article(url=url(n)) for n in range(20)))(store)

    store = run(failing.uri, "zjol", work, tmp_path)
    with failing.client() as client:
        stored = client.zjol.articles.count_documents({})
        rows = client.zjol.frontier.count_documents({"state": "stored"})
    assert (stored, rows) == (20, 20)
    assert (store.counts["new"], store.counts["same"], store.counts["spooled"]) == (20, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        {"closeConnection": True}, {"errorCode": 10107}, {"errorCode": 91}, {"errorCode": 189},
        {"errorCode": 13436}, {"errorCode": 112}, {"errorCode": 11601}, {"errorCode": 262},
        {"errorCode": 2, "errorLabels": ["RetryableWriteError"]}, {"errorCode": 13},
        {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
        {"writeConcernError": {"code": 91, "errmsg": "shutting down"}},
    ],
    ids=str,
)  # fmt: skip
def test_outage_is_waited_for(
    data: dict[str, Any], failing: Mongod, fail: Callable[..., None], tmp_path: Path
) -> None:
    async def work(store: Store) -> None:
        fail({"times": 4}, "insert", "update", **data)
        await many(*(article(url=url(n)) for n in range(20)))(store)
        await store.flush()
        fail("off")
        # After "not primary" the driver waits for its next heartbeat.
        async with asyncio.timeout(LONG):
            while store.waiting():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    store = run(failing.watchful_uri, "zjol", work, tmp_path, patience=600)
    with failing.client() as client:
        assert client.zjol.articles.count_documents({}) == 20
        assert client.zjol.frontier.count_documents({"state": "stored"}) == 20
        assert client.zjol.rejects.count_documents({}) == 0
    assert store.waiting() == 0
    assert store.counts["spooled"] > 0


@pytest.mark.parametrize(
    "data", [{"errorCode": 10107}, {"errorCode": 13}, {"errorCode": 2}], ids=str
)
def test_server_that_answers_and_takes_nothing_ends_the_run(
    data: dict[str, Any], failing: Mongod, fail: Callable[..., None], tmp_path: Path
) -> None:
    """It answers every ping, so it seems to be back each time."""
    articles = [article(url=url(n)) for n in range(20)]

    async def work(store: Store) -> None:
        fail("alwaysOn", "insert", "update", **data)
        for each in articles:
            await store.put(each)
        try:
            while True:
                await store.discover([Link(url(50), columns=["zjxw"])])
                await store.outcome(Outcome(url(50), "failed", "HTTP 500"))
        finally:
            fail("off")

    with pytest.raises(StoreError):
        run(failing.watchful_uri, "zjol", work, tmp_path, patience=0.5, batch_seconds=0.1)
    assert list((tmp_path / "spool").glob("*.bson"))
    run(failing.watchful_uri, "zjol", many(), tmp_path)
    with failing.client() as client:
        assert client.zjol.articles.count_documents({}) == 20
    assert not list((tmp_path / "spool").glob("**/*.bson"))
