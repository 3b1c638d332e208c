"""The store against a real mongod: what is written when, and what never is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.database import Database
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)
from pymongo.uri_parser import parse_uri

from zjolcrawl.items import Article, Byline, ColumnVisit, Image, Link, Outcome
from zjolcrawl.storage.documents import content_sha256
from zjolcrawl.storage.store import Store

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
    return Article(**(values | changes))


@pytest.fixture
def db(mongodb_uri: str, database: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield client[database]


Run = Callable[[Callable[[Store], Awaitable[None]]], Store]


@pytest.fixture
def run(mongodb_uri: str, database: str) -> Run:
    """One run of the store around some work."""

    def once(work: Callable[[Store], Awaitable[None]]) -> Store:
        async def main() -> Store:
            store = await Store.open(mongodb_uri, database, run_arguments={}, version="0")
            await work(store)
            await store.close()
            return store

        return asyncio.run(main())

    return once


def put(*articles: Article) -> Callable[[Store], Awaitable[None]]:
    async def work(store: Store) -> None:
        for each in articles:
            await store.put(each)

    return work


def test_same_page_again_changes_last_seen_at_only(db: Database[Any], run: Run) -> None:
    run(put(article()))
    before = db.articles.find_one()
    assert before is not None
    store = run(put(article()))
    after = db.articles.find_one()
    assert after is not None
    assert after.pop("last_seen_at") > before.pop("last_seen_at")
    assert after == before
    assert (store.counts["same"], store.counts["new"], store.counts["changed"]) == (1, 0, 0)


def test_changed_page_keeps_the_former_version(db: Database[Any], run: Run) -> None:
    run(put(article()))
    former = db.articles.find_one()
    run(put(article(title="改过的标题", columns=["other"])))
    newest = db.articles.find_one()
    assert former is not None
    assert newest is not None
    assert (newest["revision"], newest["title"]) == (2, "改过的标题")
    assert newest["first_seen_at"] == former["first_seen_at"]
    assert newest["columns"] == ["zjxw", "other"]
    kept = db.revisions.find_one()
    assert kept == {**former, "_id": {"url": URL, "revision": 1}}


def test_two_writers_of_one_change_make_one_revision(
    db: Database[Any], run: Run, mongodb_uri: str, database: str
) -> None:
    run(put(article()))

    async def both() -> None:
        stores = [
            await Store.open(mongodb_uri, database, run_arguments={}, version="0") for _ in range(4)
        ]
        for store in stores:
            await store.put(article(body="改过的正文"))
        await asyncio.gather(*(store.flush() for store in stores))
        assert sum(store.counts["changed"] for store in stores) == 1
        for store in stores:
            await store.close()

    asyncio.run(both())
    newest = db.articles.find_one()
    assert newest is not None
    assert newest["revision"] == 2
    assert db.revisions.count_documents({}) == 1


def test_article_is_in_no_other_state_than_its_frontier_row(db: Database[Any], run: Run) -> None:
    async def work(store: Store) -> None:
        assert await store.discover([Link(URL, columns=["zjxw"], listed_title="题")]) == {URL}
        row = db.frontier.find_one({"_id": URL})
        assert row is not None
        assert (row["state"], row["attempts"]) == ("pending", 0)
        await store.put(article())
        await store.flush()

    run(work)
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert (row["state"], row["attempts"], row["columns"]) == ("stored", 1, ["zjxw"])


def test_frontier_never_goes_back(db: Database[Any], run: Run) -> None:
    async def work(store: Store) -> None:
        await store.put(article())
        await store.outcome(Outcome(URL, "failed", "HTTP 500"))
        await store.outcome(Outcome(URL, "pending", "outside the days asked for"))
        await store.flush()
        assert await store.discover([Link(URL, columns=["other"])]) == set()

    run(work)
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert row["state"] == "stored"
    stored = db.articles.find_one({"_id": URL})
    assert stored is not None
    assert stored["columns"] == ["zjxw", "other"]


def test_failed_link_waits_longer_each_time(db: Database[Any], run: Run) -> None:
    waits = []
    for _ in range(3):

        async def work(store: Store) -> None:
            await store.outcome(Outcome(URL, "failed", "HTTP 500"))

        run(work)
        row = db.frontier.find_one({"_id": URL})
        assert row is not None
        waits.append(round((row["next_visit_at"] - row["last_attempt_at"]).total_seconds() / 3600))
    assert waits == [1, 2, 4]


def test_gone_keeps_the_text_and_a_return_is_live_again(db: Database[Any], run: Run) -> None:
    async def gone(store: Store) -> None:
        await store.outcome(Outcome(URL, "gone", "HTTP 404"))

    run(put(article()))
    run(gone)
    stored = db.articles.find_one()
    assert stored is not None
    assert (stored["status"], stored["title"]) == ("gone", "全力保障中央环保督察开展")
    assert stored["gone_at"]
    run(put(article()))
    again = db.articles.find_one()
    assert again is not None
    assert (again["status"], again["revision"], again["gone_at"]) == ("live", 1, stored["gone_at"])


def test_refused_document_is_a_reject_and_others_are_stored(db: Database[Any], run: Run) -> None:
    other = URL.replace("4774532", "4774533")
    run(put(article(published_precision="century"), article(url=other)))
    assert [a["_id"] for a in db.articles.find()] == [other]
    reject = db.rejects.find_one()
    assert reject is not None
    assert reject["url"] == URL
    assert "published_precision" in reject["reason"]
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert row["state"] == "rejected"


def test_a_thousand_in_several_writes(db: Database[Any], run: Run) -> None:
    many = [article(url=URL.replace("4774532", str(5000000 + n))) for n in range(1000)]
    store = run(put(*many))
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
        deadline = time.monotonic() + 10
        while not db.articles.count_documents({}) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert db.articles.count_documents({}) == 1
        await store.close()

    asyncio.run(main())


def test_column_and_run_documents(db: Database[Any], run: Run) -> None:
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
                "etag1",
                "yesterday",
                {"id": "zjxw", "name": "浙江新闻"},
            )
        )
        await store.column_visit(ColumnVisit("zjxw", "http://x/index_1.shtml", 1, 3, etag="etag2"))
        await store.end_run(1, "finished", {"new": 3}, ["x"], 1.5)

    store = run(work)
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


def test_schema_is_made_once_and_never_dropped(db: Database[Any], run: Run) -> None:
    run(put(article()))
    first = {name: db[name].index_information() for name in db.list_collection_names()}
    run(put())
    assert {name: db[name].index_information() for name in db.list_collection_names()} == first
    assert set(first) == {"articles", "revisions", "frontier", "columns", "runs", "rejects"}
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
        {"images": []},
        {"source": "s"},
    ):
        assert content_sha256(article(**change)) != content_sha256(article())


@pytest.mark.parametrize(
    "uri",
    [
        "secret",
        "http://user:secret@127.0.0.1/",
        "mongodb://user:secret",
        "mongodb://user:secret@127.0.0.1:port/",
        "mongodb://user:a@secret@127.0.0.1/",
        "mongodb://user:a/secret@127.0.0.1/",
        "mongodb://user:a?secret@127.0.0.1/",
        "mongodb://user:a%secret@127.0.0.1/",
        "mongodb://user:secret@127.0.0.1/?authSource",
        "mongodb://user:secret@/",
    ],
)
def test_malformed_uri_is_one_line_without_the_password(uri: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"^MONGODB_URI .*is unusable: \S") as raised:
        asyncio.run(Store.open(uri, "zjol", run_arguments={}, version="0"))
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_wrong_password_is_said_so(mongodb_uri: str) -> None:
    uri = mongodb_uri.replace("://", "://user:secret@")
    with pytest.raises(StoreUnavailable, match="refuses this user") as raised:
        asyncio.run(Store.open(uri, "zjol", run_arguments={}, version="0"))
    assert "secret" not in str(raised.value)


def test_silent_server_cannot_be_reached() -> None:
    async def main() -> None:
        async def say_nothing(reader: Any, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            begun = time.monotonic()
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                await Store.open(f"mongodb://127.0.0.1:{port}", "x", run_arguments={}, version="0")
            assert time.monotonic() - begun < 8

    asyncio.run(main())


def test_database_name_is_checked(mongodb_uri: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"^MONGODB_DATABASE 'a b' is no database name"):
        asyncio.run(Store.open(mongodb_uri, "a b", run_arguments={}, version="0"))


class _Commands(CommandListener):
    """The names of the commands that were sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


def test_schema_that_is_there_costs_one_command(mongodb_uri: str, database: str) -> None:
    async def main() -> list[str]:
        commands = _Commands()
        async with AsyncMongoClient[dict[str, Any]](
            mongodb_uri, event_listeners=[commands]
        ) as client:
            # Two processes that begin at once.
            await asyncio.gather(*(ensure_schema(client[database]) for _ in range(2)))
            commands.names.clear()
            await ensure_schema(client[database])
        return commands.names

    assert asyncio.run(main()) == ["listCollections"]


def test_existing_collection_gets_the_validator_and_keeps_its_documents(
    db: Database[Any], run: Run
) -> None:
    db.articles.insert_one({"_id": "older than the schema"})
    run(put(article(), article(url=URL + "x", published_precision="century")))
    assert {a["_id"] for a in db.articles.find()} == {URL, "older than the schema"}
    assert "columns_1_published_at_-1" in db.articles.index_information()


def test_same_article_twice_in_one_write(db: Database[Any], run: Run) -> None:
    store = run(put(article(columns=["a"]), article(columns=["b"], title="后来的标题")))
    stored = db.articles.find_one()
    assert stored is not None
    assert (stored["title"], stored["columns"], stored["revision"]) == ("后来的标题", ["a", "b"], 1)
    assert store.counts["new"] == 1


def test_article_settles_the_link_that_led_to_it(db: Database[Any], run: Run) -> None:
    link = URL.replace("zjnews.", "www.")

    async def work(store: Store) -> None:
        await store.discover([Link(link, columns=["zjxw"])])
        await store.put(article(columns=[], aliases=[link]), link)

    run(work)
    assert [(row["_id"], row["state"]) for row in db.frontier.find()] == [(link, "stored")]
    stored = db.articles.find_one()
    assert stored is not None
    assert (stored["columns"], stored["aliases"]) == (["zjxw"], [link])


def test_links_that_are_no_articles_are_rejected_at_once(db: Database[Any], run: Run) -> None:
    video = Link("http://v.zjol.com.cn/1.shtml", "video", ["zjxw"], reason="video page")

    async def work(store: Store) -> None:
        assert await store.discover([]) == set()
        found = [Link(URL, columns=["a"]), video, Link(URL, columns=["b"])]
        assert await store.discover(found) == {URL, video.url}
        assert await store.discover(found) == set()
        assert (store.counts["links"], store.counts["links_new"]) == (4, 2)
        assert found[0].columns == ["a"]

    run(work)
    rows = {row["_id"]: row for row in db.frontier.find()}
    assert (rows[URL]["state"], rows[URL]["columns"]) == ("pending", ["a", "b"])
    assert (rows[video.url]["state"], rows[video.url]["last_error"]) == ("rejected", "video page")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"body": "半个字\ud83d"}, "not storable as BSON"),
        ({"body": "x" * 17_000_000}, "too large"),
        ({"title": ""}, "title"),
    ],
)
def test_unstorable_article_is_a_reject(
    db: Database[Any], run: Run, fault: dict[str, str], reason: str
) -> None:
    other = URL.replace("4774532", "4774533")
    store = run(put(article(**fault), article(url=other)))
    assert [a["_id"] for a in db.articles.find()] == [other]
    row = db.rejects.find_one()
    assert row is not None
    assert reason in row["reason"]
    assert (row["url"], row["template"], row["run_id"]) == (URL, "T1", store.run_id)
    assert len(row["excerpt"]) <= 2000
    assert (store.counts["new"], store.counts["rejected"]) == (1, 1)


def test_bad_text_in_an_outcome_hurts_nobody(db: Database[Any], run: Run) -> None:
    async def work(store: Store) -> None:
        await store.outcome(Outcome(URL, "rejected", "", excerpt="半\ud83d" * 2000))
        await store.put(article(url=URL + "x"))

    run(work)
    assert {row["_id"]: row["state"] for row in db.frontier.find()} == {
        URL: "rejected",
        URL + "x": "stored",
    }
    row = db.rejects.find_one()
    assert row is not None
    assert row["excerpt"] == "半?" * 1000


class _Wire:
    """The way to the server, which may be down or lose the reply to one command."""

    def __init__(self, uri: str) -> None:
        ((self.host, self.port),) = parse_uri(uri)["nodelist"]
        self.down = False
        self.lose_reply_to: bytes | None = None
        self.lost = 0
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        self.down = True
        for end in self._ends:
            end.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        back, forth = await asyncio.open_connection(self.host, self.port)
        self._ends |= {writer, forth}
        lossy = [False]

        async def pump(source: asyncio.StreamReader, to: asyncio.StreamWriter, up: bool) -> None:
            while data := await source.read(1 << 20):
                if up and self.lose_reply_to and self.lose_reply_to in data:
                    self.lose_reply_to, lossy[0] = None, True
                elif not up and lossy[0]:
                    self.lost += 1
                    break
                to.write(data)
            writer.transport.abort()
            forth.transport.abort()

        await asyncio.gather(
            pump(reader, forth, True), pump(back, writer, False), return_exceptions=True
        )


async def _over_wire(
    wire: _Wire, database: str, work: Callable[[Store], Awaitable[None]], seconds: float
) -> Store:
    async with await asyncio.start_server(wire.carry, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        store = await Store.open(
            f"mongodb://127.0.0.1:{port}/?directConnection=true",
            database,
            run_arguments={},
            version="0",
            batch_seconds=60,
            retry_seconds=seconds,
        )
        await work(store)
        await store.close()
        return store


@pytest.mark.parametrize(
    "command",
    [
        b"insert\0\x09\0\0\0articles\0",
        b"update\0\x09\0\0\0articles\0",
        b"insert\0\x0a\0\0\0revisions\0",
        b"update\0\x09\0\0\0frontier\0",
        b"insert\0\x08\0\0\0rejects\0",
        b"update\0\x08\0\0\0columns\0",
    ],
)
def test_lost_reply_changes_and_counts_nothing_twice(
    db: Database[Any], run: Run, mongodb_uri: str, database: str, command: bytes
) -> None:
    same, failing, bad = URL + "same", URL + "failing", URL + "bad"
    run(put(article(), article(url=same)))
    wire = _Wire(mongodb_uri)

    async def work(store: Store) -> None:
        await store.put(article(title="改过的标题"))
        await store.put(article(url=same))
        await store.put(article(url=URL + "new"))
        await store.put(article(url=bad, published_precision="century"))
        await store.outcome(Outcome(failing, "failed", "HTTP 500"))
        await store.outcome(Outcome(failing, "failed", "HTTP 502"))
        await store.column_visit(ColumnVisit("zjxw", "http://x/", 0, 4))
        wire.lose_reply_to = command
        await store.flush()

    store = asyncio.run(_over_wire(wire, database, work, 10))
    assert wire.lost == 1
    assert store.counts == {
        "new": 1, "changed": 1, "same": 1, "rejected": 1, "failed": 2, "pages": 1,
    }  # fmt: skip
    assert {a["_id"]: a["revision"] for a in db.articles.find()} == {
        URL: 2,
        same: 1,
        URL + "new": 1,
    }
    assert [a["_id"] for a in db.revisions.find()] == [{"url": URL, "revision": 1}]
    assert {r["_id"]: (r["state"], r["attempts"]) for r in db.frontier.find()} == {
        URL: ("stored", 2),
        same: ("stored", 2),
        URL + "new": ("stored", 1),
        bad: ("rejected", 1),
        failing: ("failed", 2),
    }
    assert db.rejects.count_documents({}) == 1


def test_server_that_comes_back_in_time_is_waited_for(
    db: Database[Any], mongodb_uri: str, database: str
) -> None:
    wire = _Wire(mongodb_uri)

    async def work(store: Store) -> None:
        await store.put(article())
        wire.cut()
        flush = asyncio.ensure_future(store.flush())
        await asyncio.sleep(0.5)
        assert not flush.done()
        wire.down = False
        await flush

    store = asyncio.run(_over_wire(wire, database, work, 20))
    assert store.counts["new"] == 1
    assert db.articles.count_documents({}) == 1


def test_lost_server_is_an_error_and_the_buffer_is_kept(
    db: Database[Any], mongodb_uri: str, database: str
) -> None:
    wire = _Wire(mongodb_uri)

    async def work(store: Store) -> None:
        await store.discover([Link(URL)])
        await store.put(article())
        wire.cut()
        with pytest.raises(StoreError, match="MongoDB was lost"):
            await store.flush()
        with pytest.raises(StoreError):
            await store.put(article(url=URL + "2"))
        row = db.frontier.find_one()
        assert row is not None
        assert row["state"] == "pending"
        wire.down = False  # the last write, on closing, finds the server again

    asyncio.run(_over_wire(wire, database, work, 0.5))
    assert [(row["_id"], row["state"]) for row in db.frontier.find()] == [(URL, "stored")]
    assert [a["_id"] for a in db.articles.find()] == [URL]


def test_closing_in_the_middle_of_an_aged_write_loses_nothing(
    db: Database[Any], mongodb_uri: str, database: str
) -> None:
    async def main(moment: float) -> None:
        store = await Store.open(
            mongodb_uri, database, run_arguments={}, version="0", batch_seconds=0.02
        )
        for n in range(50):
            await store.put(article(url=f"{URL}{moment}{n}"))
        await asyncio.sleep(moment)
        await store.close()
        assert store.counts["new"] == 50

    moments = [0.02, 0.025, 0.03, 0.035, 0.04, 0.05]
    for moment in moments:
        asyncio.run(main(moment))
    assert db.articles.count_documents({}) == 50 * len(moments)
    assert db.frontier.count_documents({"state": "stored", "attempts": 1}) == 50 * len(moments)
