"""The index's upkeep: few articles by the run itself, many by a process of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database

from tests.support.archives import fill
from zjolcrawl.storage.connection import connect
from zjolcrawl.storage.operations import utc_now
from zjolcrawl.storage.search import upkeep as upkeep_module
from zjolcrawl.storage.search.index import QUEUE, SEGMENTS
from zjolcrawl.storage.search.upkeep import Upkeep

Use = Callable[[Upkeep], Coroutine[Any, Any, None]]


@pytest.fixture
def run(
    mongodb_uri: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[ObjectId, Use], None]:
    """A run, by its id, whose limits are a hundredth of the real ones: 10 articles are many, 50 due."""
    monkeypatch.setattr(upkeep_module, "BATCH", 10)
    monkeypatch.setattr(upkeep_module, "_DUE", 50)

    def begin(by: ObjectId, use: Use, uri: str = mongodb_uri) -> None:
        async def main() -> None:
            client = await connect(mongodb_uri)
            try:
                await use(Upkeep(client[database], uri, by))
            finally:
                await client.close()

        asyncio.run(main())

    return begin


def announced(db: Database[Any], by: ObjectId, count: int, *, seconds_ago: float = 60) -> None:
    """Articles that are written and in the queue, as a run leaves them."""
    fill(db, count)
    at = utc_now() - timedelta(seconds=seconds_ago)
    stamp = ObjectId.from_datetime(at).binary[:4]
    db[QUEUE].insert_many(
        {"_id": ObjectId(stamp + ObjectId().binary[4:]), "url": each["_id"], "by": by}
        for each in db.articles.find({}, {"_id": 1})
    )


def indexed(db: Database[Any]) -> int:
    return sum(row["articles"] for row in db[SEGMENTS].find({"state": "live"}))


def test_many_by_a_process_of_their_own(db: Database[Any], run: Any) -> None:
    by = ObjectId()
    announced(db, by, 60)

    async def use(upkeep: Upkeep) -> None:
        upkeep.written(60)
        assert upkeep._running
        await upkeep._running
        assert db[QUEUE].count_documents({}) == 0
        await upkeep.finish()

    run(by, use)
    assert indexed(db) == 60


def test_what_is_announced_later_is_left_alone(db: Database[Any], run: Any) -> None:
    """Its article may not be written: taken out of the queue it would never be found."""
    by = ObjectId()
    announced(db, by, 60)
    later = "http://zjnews.zjol.com.cn/201708/t20170812_1.shtml"
    stamp = ObjectId.from_datetime(utc_now() + timedelta(seconds=5))
    db[QUEUE].insert_one({"_id": stamp, "url": later, "by": by})

    async def use(upkeep: Upkeep) -> None:
        upkeep.written(60)
        assert upkeep._running
        await upkeep._running
        assert [row["url"] for row in db[QUEUE].find()] == [later]
        await upkeep.finish()  # all is written now

    run(by, use)
    assert db[QUEUE].count_documents({}) == 0


def test_not_wanted(db: Database[Any], run: Any) -> None:
    """What waits is there for the next who wants it."""
    by = ObjectId()
    announced(db, by, 60)

    async def use(upkeep: Upkeep) -> None:
        upkeep.wanted = False
        upkeep.written(60)
        await upkeep.finish()

    run(by, use)
    assert indexed(db) == 0
    assert db[QUEUE].count_documents({}) == 60


def test_few_need_no_process(db: Database[Any], run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    by = ObjectId()
    announced(db, by, 9)
    monkeypatch.setattr(upkeep_module.sys, "executable", "/nonexistent")

    async def use(upkeep: Upkeep) -> None:
        upkeep.written(9)
        await upkeep.finish()

    run(by, use)
    assert indexed(db) == 9


@pytest.mark.parametrize("lost", ["program", "database"])
def test_failure_leaves_it_to_the_next_run(
    db: Database[Any],
    run: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lost: str,
) -> None:
    by = ObjectId()
    announced(db, by, 60)

    async def use(upkeep: Upkeep) -> None:
        upkeep.written(60)
        await upkeep.finish()

    caplog.set_level(logging.INFO)
    if lost == "program":
        monkeypatch.setattr(upkeep_module.sys, "executable", "/nonexistent")
        run(by, use)
        assert "the index is behind: [Errno 2] No such file or directory" in caplog.text
    else:
        run(by, use, "mongodb://someone:secret@127.0.0.1:1/")
        assert (
            "the index is behind: MONGODB_URI mongodb://127.0.0.1:1/ cannot be reached"
            in caplog.text
        )
    assert "secret" not in caplog.text
    assert db[QUEUE].count_documents({}) == 60


def test_end_of_a_run_that_failed(db: Database[Any], run: Any) -> None:
    """What is under way is left to the next run, and nothing of it outlives the run."""
    by = ObjectId()
    announced(db, by, 60)

    async def use(upkeep: Upkeep) -> None:
        upkeep.written(60)
        await asyncio.sleep(0.1)
        await upkeep.stop()
        assert upkeep._running
        assert upkeep._running.cancelled()

    run(by, use)
