"""The store: what is written, in which order, and what is never written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.database import Database

from tests.support.articles import made_article
from tests.support.crawling import LONG
from tests.support.rebuilding import drop
from zjolcrawl.items import Article, Byline, ColumnVisit, Image, Link, Outcome, WalkEnd
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.errors import StoreError
from zjolcrawl.storage.frontier import store_link, unchanged_link
from zjolcrawl.storage.schema import VALIDATORS, ensure_schema
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.version_writer import VersionWriter
from zjolcrawl.storage.visit_policy import VisitPolicy

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"


def article(**changes: Any) -> Article:
    values: dict[str, Any] = {
        "url": URL,
        "site": "zjnews.zjol.com.cn",
        "title": "全力保障中央环保督察开展",
        "body": "浙江在线8月12日讯",
        "body_html": "<p>浙江在线8月12日讯</p>",
        "template": "T1",
        "parser_version": 1,
        "columns": ["zjxw"],
        "published_at": datetime(2017, 8, 11, 23, 34, 27, tzinfo=timezone.utc),
        "published_precision": "second",
        "authors": [Byline("江帆", "记者", "浙江在线")],
        "images": [Image("http://x.zjol.com.cn/a.jpg", "./a.jpg", 1)],
    }
    return made_article(**(values | changes))


def content_sha256(article: Article) -> str:
    return str(article_document(article)["content_sha256"])


Run = Callable[[Callable[[Store], Awaitable[None]]], Store]


@pytest.fixture
def in_a_run(mongodb_uri: str, database: str) -> Run:
    """Runs some work in one run of the store."""

    def once(work: Callable[[Store], Awaitable[None]]) -> Store:
        async def main() -> Store:
            store = await Store.open(mongodb_uri, database, run_arguments={}, version="0")
            try:
                await work(store)
                await store.finish()
            finally:
                await store.close()
            return store

        return asyncio.run(main())

    return once


def put(*articles: Article) -> Callable[[Store], Awaitable[None]]:
    async def work(store: Store) -> None:
        for each in articles:
            await store.put(each)

    return work


def test_same_page_again_changes_last_seen_at_only(db: Database[Any], in_a_run: Run) -> None:
    in_a_run(put(article()))
    before = db.articles.find_one()
    assert before is not None
    store = in_a_run(put(article()))
    after = db.articles.find_one()
    assert after is not None
    assert after.pop("last_seen_at") > before.pop("last_seen_at")
    assert after == before
    assert (store.counts["same"], store.counts["new"], store.counts["changed"]) == (1, 0, 0)


def test_changed_page_keeps_the_former_version(db: Database[Any], in_a_run: Run) -> None:
    in_a_run(put(article()))
    former = db.articles.find_one()
    in_a_run(put(article(title="改过的标题", columns=["other"])))
    newest = db.articles.find_one()
    assert former is not None
    assert newest is not None
    assert (newest["revision"], newest["title"]) == (2, "改过的标题")
    assert newest["first_seen_at"] == former["first_seen_at"]
    assert newest["columns"] == ["zjxw", "other"]
    kept = db.revisions.find_one()
    assert kept == {**former, "_id": {"url": URL, "revision": 1}}


def test_copy_that_a_killed_run_left_is_replaced(db: Database[Any], in_a_run: Run) -> None:
    """The run was killed between the copy and the new version, and the page was changed back meanwhile."""
    in_a_run(put(article()))
    left = db.articles.find_one() or {}
    db.revisions.insert_one({**left, "_id": {"url": URL, "revision": 1}})
    in_a_run(put(article()))
    former = db.articles.find_one() or {}
    assert former["last_seen_at"] > left["last_seen_at"]
    in_a_run(put(article(title="改过的标题")))
    assert list(db.revisions.find()) == [{**former, "_id": {"url": URL, "revision": 1}}]


def test_two_writers_of_one_change_make_one_revision(
    db: Database[Any], in_a_run: Run, mongodb_uri: str, database: str
) -> None:
    in_a_run(put(article()))

    async def both() -> None:
        stores = [
            await Store.open(mongodb_uri, database, run_arguments={}, version="0") for _ in range(4)
        ]
        for store in stores:
            await store.put(article(body="改过的正文"))
        await asyncio.gather(*(store.flush() for store in stores))
        assert sum(store.counts["changed"] for store in stores) == 1
        for store in stores:
            await store.finish()
            await store.close()

    asyncio.run(both())
    newest = db.articles.find_one()
    assert newest is not None
    assert newest["revision"] == 2
    assert db.revisions.count_documents({}) == 1


def test_edit_that_was_seen_before_another_process_wrote_it(
    db: Database[Any], in_a_run: Run
) -> None:
    first = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
    sooner, later = first + timedelta(minutes=1), first + timedelta(minutes=2)
    in_a_run(put(article(seen_at=first)))
    in_a_run(
        put(
            article(
                title="改后",
                seen_at=later,
                warc={"file": "b", "offset": 0, "length": 9, "record_id": "2"},
            )
        )
    )
    mine = {"file": "a", "offset": 0, "length": 9, "record_id": "1"}
    store = in_a_run(put(article(title="改后", seen_at=sooner, warc=mine)))
    assert (store.counts["same"], store.counts["inserted"]) == (1, 0)
    stored = db.articles.find_one() or {}
    assert (stored["revision"], stored["changed_at"], stored["last_seen_at"]) == (2, sooner, later)
    assert stored["warc"] == mine
    assert db.revisions.count_documents({}) == 1
    store = in_a_run(put(article(title="又一个", seen_at=sooner - timedelta(seconds=1))))
    assert store.counts["inserted"] == 1
    assert [each["title"] for each in db.revisions.find().sort("_id")] == [
        article().title,
        "又一个",
    ]


def test_article_is_in_no_other_state_than_its_frontier_row(
    db: Database[Any], in_a_run: Run
) -> None:
    async def work(store: Store) -> None:
        found = await store.discover([Link(URL, columns=["zjxw"], listed_title="题")])
        assert found.new == 1
        row = db.frontier.find_one({"_id": URL})
        assert row is not None
        assert (row["state"], row["attempts"]) == ("pending", 0)
        await store.put(article())
        await store.flush()

    in_a_run(work)
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert (row["state"], row["attempts"], row["columns"]) == ("stored", 1, ["zjxw"])


def test_frontier_never_goes_back(db: Database[Any], in_a_run: Run) -> None:
    async def work(store: Store) -> None:
        await store.put(article())
        await store.outcome(Outcome(URL, "failed", "HTTP 500"))
        await store.outcome(Outcome(URL, "pending", "outside the days asked for"))
        await store.flush()
        assert (await store.discover([Link(URL, columns=["other"])])).new == 0

    in_a_run(work)
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert row["state"] == "stored"
    stored = db.articles.find_one({"_id": URL})
    assert stored is not None
    assert stored["columns"] == ["zjxw", "other"]


@pytest.mark.parametrize("what", ["gone", "stored", "failed", "rejected"])
@pytest.mark.parametrize("days_before", [2, 60])
def test_row_is_the_same_whether_its_list_or_its_attempt_is_written_first(
    what: str, days_before: int, db: Database[Any], in_a_run: Run
) -> None:
    """If an article has no date, rechecks count from its date in the list."""
    at = datetime(2026, 1, 10, tzinfo=timezone.utc)
    listed = at - timedelta(days=days_before)

    async def find(store: Store) -> None:
        await store.discover(
            [Link(URL, "paper", ["zjxw"], "题", listed, seen_at=at - timedelta(hours=1))]
        )

    async def attempt(store: Store) -> None:
        if what == "stored":
            await store.put(article(published_at=None, published_precision=None, seen_at=at))
        else:
            await store.outcome(Outcome(URL, what, "HTTP 404", seen_at=at))
        await store.flush()

    rows = []
    for first, then in [(find, attempt), (attempt, find)]:
        drop(db)
        in_a_run(first)
        in_a_run(then)
        rows.append(db.frontier.find_one())
    assert rows[0] == rows[1]
    assert rows[0] is not None
    assert rows[0]["kind"] == "paper"
    if what in {"gone", "rejected"}:
        assert rows[0]["next_visit_at"] == at + timedelta(days=1)
    if what == "stored":
        due = listed + timedelta(days=3) if days_before == 2 else None
        assert rows[0].get("next_visit_at") == due


@pytest.mark.new_database  # its articles need not fit the validators
@pytest.mark.parametrize("days_before", [0.5, 1, 2, 5, 30, 60])
def test_recheck_is_counted_alike_from_what_a_page_says_and_from_what_its_row_holds(
    days_before: float, db: Database[Any]
) -> None:
    at = datetime(2026, 1, 10, 3, 4, 5, 678000, tzinfo=timezone.utc)
    published, policy = at - timedelta(days=days_before), VisitPolicy()
    db.frontier.insert_one({"_id": "known", "published_at": published})
    db.frontier.bulk_write(
        [
            store_link("said", at, policy, published_at=published),
            unchanged_link("known", at, policy),
        ]
    )
    said, known = (db.frontier.find_one({"_id": name}) or {} for name in ("said", "known"))
    due = {0.5: 1, 1: 3, 2: 3, 5: 7}.get(days_before)
    assert known.get("next_visit_at") == (published + timedelta(days=due) if due else None)
    assert said.get("next_visit_at") == known.get("next_visit_at")
    assert ("next_visit_at" in said) == bool(due)


def test_column_that_another_run_finds_while_the_article_is_written_is_the_articles_too(
    mongodb_uri: str, database: str, db: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run looks for the article before it exists, this run for columns before they exist."""
    write = VersionWriter.write

    async def both() -> None:
        one, other = [
            await Store.open(mongodb_uri, database, run_arguments={}, version="0") for _ in range(2)
        ]

        async def write_after_the_other(writer: VersionWriter, documents: Any) -> Any:
            await other.discover([Link(URL, columns=["jrsw"])])
            return await write(writer, documents)

        monkeypatch.setattr(VersionWriter, "write", write_after_the_other)
        await one.discover([Link(URL, columns=["zjxw"])])
        await one.put(article())
        for store in (one, other):
            await store.finish()
            await store.close()

    asyncio.run(both())
    stored = db.articles.find_one()
    assert stored is not None
    assert sorted(stored["columns"]) == ["jrsw", "zjxw"]


def test_failed_link_waits_longer_each_time(db: Database[Any], in_a_run: Run) -> None:
    waits = []
    for _ in range(3):

        async def work(store: Store) -> None:
            await store.outcome(Outcome(URL, "failed", "HTTP 500"))

        in_a_run(work)
        row = db.frontier.find_one({"_id": URL})
        assert row is not None
        waits.append(round((row["next_visit_at"] - row["last_attempt_at"]).total_seconds() / 3600))
    assert waits == [1, 2, 4]


def test_gone_keeps_the_text_and_a_return_is_live_again(db: Database[Any], in_a_run: Run) -> None:
    first = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=1)

    def gone(days: float) -> Callable[[Store], Any]:
        at = first + timedelta(days=days)
        return lambda store: store.outcome(Outcome(URL, "gone", "HTTP 404", seen_at=at))

    in_a_run(put(article()))
    for days in (0, 1, 3):
        in_a_run(gone(days))
    stored = db.articles.find_one()
    assert stored is not None
    assert (stored["status"], stored["title"]) == ("gone", "全力保障中央环保督察开展")
    assert stored["gone_at"] == first
    in_a_run(put(article(seen_at=first + timedelta(days=4))))
    again = db.articles.find_one()
    assert again is not None
    assert (again["status"], again["revision"], again["gone_at"]) == ("live", 1, stored["gone_at"])


def test_refused_document_is_a_reject_and_others_are_stored(
    db: Database[Any], in_a_run: Run
) -> None:
    other = URL.replace("4774532", "4774533")
    in_a_run(put(article(published_precision="century"), article(url=other)))
    assert [a["_id"] for a in db.articles.find()] == [other]
    reject = db.rejects.find_one()
    assert reject is not None
    assert reject["url"] == URL
    assert "published_precision" in reject["reason"]
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert row["state"] == "rejected"


def test_a_thousand_in_several_writes(db: Database[Any], in_a_run: Run) -> None:
    many = [article(url=URL.replace("4774532", str(5000000 + n))) for n in range(1000)]
    store = in_a_run(put(*many))
    assert store.counts["new"] == 1000
    assert db.articles.count_documents({}) == 1000
    assert db.frontier.count_documents({"state": "stored"}) == 1000


def test_buffer_is_written_when_it_is_old(
    db: Database[Any], mongodb_uri: str, database: str
) -> None:
    async def main() -> None:
        store = await Store.open(
            mongodb_uri, database, run_arguments={}, version="0", batch_seconds=0.2
        )
        await store.put(article())
        async with asyncio.timeout(LONG):
            while db.articles.count_documents({}) != 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await store.finish()
        await store.close()

    asyncio.run(main())


def test_column_and_run_documents(db: Database[Any], in_a_run: Run) -> None:
    moment = datetime(2017, 8, 12, tzinfo=timezone.utc)

    async def work(store: Store) -> None:
        await store.column_visit(
            ColumnVisit(
                "zjxw",
                "http://x/",
                0,
                3,
                moment,
                15,
                entry={"id": "zjxw", "name": "浙江新闻"},
            )
        )
        await store.column_visit(ColumnVisit("zjxw", "http://x/index_1.shtml", 1, 3))
        await store.column_visit(WalkEnd("zjxw", complete=True, swept=True, etag="etag1"))
        await store.end_run({"exit_status": 1, "counts": {"new": 3}, "warnings": ["x"]})

    store = in_a_run(work)
    column = db.columns.find_one({"_id": "zjxw"})
    assert column is not None
    assert (column["name"], column["etag"], column["pages_total"], column["newest_listed_at"]) == (
        "浙江新闻",
        "etag1",
        15,
        moment,
    )
    row = db.runs.find_one({"_id": store.run_id})
    assert row is not None
    assert (row["exit_status"], row["counts"], row["warnings"]) == (1, {"new": 3}, ["x"])


@pytest.mark.new_database
def test_schema_is_made_once_and_never_dropped(db: Database[Any], in_a_run: Run) -> None:
    in_a_run(put(article()))
    first = {name: db[name].index_information() for name in db.list_collection_names()}
    in_a_run(put())
    assert {name: db[name].index_information() for name in db.list_collection_names()} == first
    assert set(first) == {
        "articles",
        "revisions",
        "frontier",
        "columns",
        "hosts",
        "outbox",
        "runs",
        "rejects",
    }
    assert db.articles.count_documents({}) == 1


def test_hash_is_of_the_editorial_fields_only() -> None:
    same = article(
        columns=["x"], breadcrumb=["y"], warnings=["z"], dateline="d", body_html="<p></p>"
    )
    assert content_sha256(same) == content_sha256(article())
    for change in (
        {"title": "t"},
        {"tags": ["x"]},
        {"editor_note": "n"},
        {"abstract": "a"},
        {"images": []},
        {"source": "s"},
    ):
        assert content_sha256(article(**change)) != content_sha256(article())


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("http://x.zjol.com.cn/a.jpg", "https://x.zjol.com.cn/a.jpg", True),
        ("http://x.zjol.com.cn/a.jpg", "http://x.zjol.com.cn/a.jpg?t=1502494467", True),
        ("http://x.zjol.com.cn/a.jpg?token=ab", "http://x.zjol.com.cn/a.jpg?token=cd&v=2", True),
        ("http://x.zjol.com.cn/img?id=1&_=5", "https://x.zjol.com.cn/img?id=1&_=6", True),
        # The editor's file name of an image stays when the site moves it to its CDN.
        (
            "http://x.zjol.com.cn/201708/W020170812341787363590.jpg",
            "https://img.zjol.com.cn/mlf/dzw/zjxw/201708/W020170812341787363590.jpg",
            True,
        ),
        ("http://x.zjol.com.cn/a.jpg", "http://x.zjol.com.cn/b.jpg", False),
        ("http://x.zjol.com.cn/a.jpg", "http://y.zjol.com.cn/a.jpg", False),
        ("http://x.zjol.com.cn/img?id=1", "http://x.zjol.com.cn/img?id=2", False),
    ],
)
def test_address_of_a_picture_is_no_edit(
    one: str, other: str, same: bool, db: Database[Any], in_a_run: Run
) -> None:
    in_a_run(put(article(images=[Image(one, "./a.jpg", 1)])))
    in_a_run(put(article(images=[Image(other, other, 1)])))
    stored = db.articles.find_one()
    assert stored is not None
    assert stored["revision"] == (1 if same else 2)
    assert db.revisions.count_documents({}) == (0 if same else 1)


def test_hash_of_a_former_rule_makes_no_version(db: Database[Any], in_a_run: Run) -> None:
    """It is replaced when the article is seen again; real edits are still edits."""
    in_a_run(put(article()))
    db.articles.update_one({}, {"$set": {"content_sha256": "0" * 64}})
    in_a_run(put(article()))
    stored = db.articles.find_one()
    assert stored is not None
    assert (stored["revision"], stored["content_sha256"]) == (1, content_sha256(article()))
    db.articles.update_one({}, {"$set": {"content_sha256": "0" * 64}})
    in_a_run(put(article(title="改过的标题")))
    stored = db.articles.find_one()
    assert stored is not None
    assert (stored["revision"], stored["title"]) == (2, "改过的标题")


@pytest.mark.new_database
def test_runs_that_begin_at_once_make_the_schema_together(
    mongodb_uri: str, database: str, db: Database[Any]
) -> None:
    async def main() -> None:
        async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
            await asyncio.gather(*(ensure_schema(client[database]) for _ in range(4)))

    asyncio.run(main())
    assert set(db.list_collection_names()) >= set(VALIDATORS)
    assert db["articles"].options().get("validator") == {"$jsonSchema": VALIDATORS["articles"]}


def test_counts_are_stored_while_the_run_goes_on(
    in_a_run: Run, db: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write of the counts that fails neither ends the run nor the task that ends outages."""
    monkeypatch.setattr("zjolcrawl.storage.store._NOTE_SECONDS", 0)

    async def until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(LONG):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def counted(wanted: int) -> None:
        await until(lambda: (db.runs.find_one() or {}).get("counts") == {"new": wanted})

    async def work(store: Store) -> None:
        store.counts["new"] = 1
        await counted(1)
        db.command("collMod", "runs", validator={"counts.new": 1})
        store.counts["new"] = 2
        await until(lambda: store._noted["new"] == 2)
        db.command("collMod", "runs", validator={})
        store.counts["new"] = 3
        await counted(3)

    in_a_run(work)


def test_it_ends_although_a_cancellation_is_lost(
    mongodb_uri: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by asyncio.wait_for of Python 3.11, if the driver's work ends at the same moment."""
    noting = asyncio.Event()

    async def note(_: Store) -> None:
        lost = (
            contextlib.nullcontext()
            if noting.is_set()
            else contextlib.suppress(asyncio.CancelledError)
        )
        noting.set()
        with lost:
            await asyncio.sleep(LONG)

    async def main() -> None:
        store = await Store.open(
            mongodb_uri, database, run_arguments={}, version="0", batch_seconds=0
        )
        await put(article())(store)
        await noting.wait()
        done, _ = await asyncio.wait([asyncio.create_task(store.finish())], timeout=LONG)
        assert done
        await store.close()

    monkeypatch.setattr(Store, "_note_counts", note)
    asyncio.run(main())


@pytest.mark.slow
def test_archive_is_durable_before_the_end_puts_items_into_the_spool(
    mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    """They point into it, and a later run writes them."""
    spooled: list[int] = []

    async def main() -> None:
        store = await Store.open(
            mongodb_uri, database, run_arguments={}, version="0", batch_seconds=60, spool=tmp_path
        )

        async def before_write() -> None:
            spooled.append(len(list(tmp_path.iterdir())))

        store.before_write = before_write
        await put(article())(store)
        store._outage.lost = StoreError("MongoDB is away")
        with pytest.raises(StoreError, match="MongoDB is away"):
            await store.finish()
        await store.close()

    asyncio.run(main())
    assert spooled == [0]
    assert len(list(tmp_path.iterdir())) == 1
