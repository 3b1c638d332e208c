"""Leases of hosts and turns without a lease, by MongoDB's clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database

from zjolcrawl.clock import utc_now
from zjolcrawl.run.leases import folder_id
from zjolcrawl.storage.connection import connect, durable
from zjolcrawl.storage.host_leases import HostLeases, HostState

HOST = "zjnews.zjol.com.cn"
LONG = 3600.0
Case = Callable[[Callable[..., Awaitable[HostLeases]]], Awaitable[None]]


@pytest.fixture
def case(mongodb_uri: str, database: str) -> Callable[[Case], None]:
    """Runs a case with `begin(place, seconds)`, which starts a run."""

    @asynccontextmanager
    async def runs() -> AsyncIterator[Callable[..., Awaitable[HostLeases]]]:
        client = await connect(mongodb_uri)
        db = durable(client, database)

        async def begin(place: str, seconds: float = LONG, **arguments: str) -> HostLeases:
            run = ObjectId()
            row = {"_id": run, "arguments": arguments, "started_at": utc_now()}
            await db["runs"].insert_one(row)
            hosts = HostLeases(db, run, seconds)
            await hosts.begin(place)
            return hosts

        yield begin
        await client.close()

    async def both(use: Case) -> None:
        async with runs() as begin:
            await use(begin)

    return lambda use: asyncio.run(both(use))


def test_a_host_is_one_runs_until_it_is_given_back(
    case: Callable[[Case], None], db: Database[Any]
) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        one, other = await begin("a"), await begin("b")
        assert await one.take(HOST) == HostState(None)
        assert await other.take(HOST) is None
        assert await one.take(HOST) == HostState(None)  # it holds the lease
        assert await other.take("cs.zjol.com.cn")
        assert (await one.held(), await other.held()) == ({HOST}, {"cs.zjol.com.cn"})
        await other.give_back(HOST, HostState(0.0))  # the lease of another
        assert await one.held() == {HOST}
        await one.give_back(HOST, HostState(100.0, 2.5, 7.0))
        taken = await other.take(HOST)
        assert taken
        assert taken.idle
        assert 100 <= taken.idle < 160
        assert (taken.delay, taken.crawl_delay) == (2.5, 7.0)

    case(use)
    assert "holder" in (db.hosts.find_one({"_id": HOST}) or {})


def test_many_take_one_host_at_once(case: Callable[[Case], None]) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        runs = [await begin(str(n)) for n in range(8)]
        taken = await asyncio.gather(*(run.take(HOST) for run in runs))
        assert sum(each is not None for each in taken) == 1

    case(use)


def test_a_lease_that_is_not_renewed_runs_out(case: Callable[[Case], None]) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        dead, alive, third = await begin("a", 0.2), await begin("b", 0.2), await begin("c")
        assert await dead.take(HOST)
        assert await alive.take("cs.zjol.com.cn")
        while (taken := await third.take(HOST)) is None:
            await alive.renew(["cs.zjol.com.cn"])
        # It may have requested from the host until its lease expired.
        assert taken.idle is not None
        assert taken.idle < 60
        assert await third.take("cs.zjol.com.cn") is None
        assert await dead.held() == set()
        await dead.renew([HOST])  # after waking it gets nothing back
        assert await third.held() == {HOST}
        assert await dead.held() == set()

    case(use)


def test_what_is_not_named_is_not_renewed(case: Callable[[Case], None]) -> None:
    """A host that could not be released becomes free anyway."""

    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        one, other = await begin("a", 0.2), await begin("b")
        assert await one.take(HOST)
        while await other.take(HOST) is None:
            await one.renew([])

    case(use)


def test_a_run_on_the_same_folder_frees_what_a_dead_one_held(
    case: Callable[[Case], None], db: Database[Any]
) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        dead, other = await begin("a"), await begin("b")
        assert await dead.take(HOST)
        assert await dead.take_turn("images.zjol.com.cn", ObjectId(), 1, 0)
        assert await other.take("cs.zjol.com.cn")
        again = await begin("a")
        assert [each.run for each in await again.live()] == [other.run, again.run]
        assert await again.take("cs.zjol.com.cn") is None
        assert (await again.take(HOST) or HostState(None)).idle is not None
        assert await again.take_turn("images.zjol.com.cn", ObjectId(), 1, 0)

    case(use)


def test_who_lives_is_told_with_what_it_was_asked_for(case: Callable[[Case], None]) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        one, other = await begin("a", column="x"), await begin("b", 0.05, column="y")
        assert {each.run: each.arguments for each in await one.live()}[one.run] == {"column": "x"}
        while len(await one.live()) > 1:
            pass
        await other.renew()
        await one.end()
        assert one.run not in {each.run for each in await other.live()}

    case(use)


def test_turns_are_so_many_at_once_of_all_runs(case: Callable[[Case], None]) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        one, other = await begin("a"), await begin("b")
        turns = [ObjectId() for _ in range(4)]
        assert await one.take_turn(HOST, turns[0], 2, 0)
        assert await other.take_turn(HOST, turns[1], 2, 0)
        assert not await one.take_turn(HOST, turns[2], 2, 0)
        await other.end_turn(HOST, turns[1])
        assert await one.take_turn(HOST, turns[2], 2, 0)
        await one.end()
        assert await other.take_turn(HOST, turns[3], 2, 0)
        assert await other.take(HOST)  # a turn is not a lease

    case(use)


@pytest.mark.parametrize(
    "values",
    [
        {"until": "tomorrow"}, {"asked_at": "2017"}, {"crawl_delay": "3"}, {"delay": -1},
        {"turns": "x"}, {"turns": [{"id": 1}]}, {"holder": "somebody"},
    ],
    ids=str,
)  # fmt: skip
def test_row_that_no_run_can_read_goes(
    values: dict[str, Any], case: Callable[[Case], None], db: Database[Any]
) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        await begin("a")
        db.command(
            "insert", "hosts", documents=[{"_id": HOST, **values}, {"_id": "cs.zjol.com.cn"}],
            bypassDocumentValidation=True,
        )  # fmt: skip
        one = await begin("b")
        assert [row["_id"] for row in db.hosts.find()] == ["cs.zjol.com.cn"]
        assert await one.take(HOST) == HostState(None)
        await one.renew([HOST])
        assert await one.take_turn("zj.zjol.com.cn", ObjectId(), 1, 0)

    case(use)


def test_run_of_which_nothing_is_known_counts_for_none(
    case: Callable[[Case], None], db: Database[Any]
) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        one = await begin("a")
        soon = utc_now() + timedelta(hours=1)
        db.runs.insert_many([{"alive_until": soon}, {"alive_until": soon, "arguments": "x"}])
        assert [each.run for each in await one.live()] == [one.run]

    case(use)


def test_a_folder_is_a_folder_id_its_own(tmp_path: Path) -> None:
    folder, link = tmp_path / "data", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    before = folder_id(folder)
    assert before == folder_id(link)
    assert before.rpartition("#")[0].endswith(str(folder))
    folder.rename(tmp_path / "other")
    folder.mkdir()
    assert folder_id(folder) != before  # like a folder with the same path on another machine


def test_turns_come_so_many_seconds_after_another(case: Callable[[Case], None]) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        one, other = await begin("a"), await begin("b")
        assert await one.take_turn(HOST, ObjectId(), 9, LONG)
        assert not await other.take_turn(HOST, ObjectId(), 9, LONG)
        assert await other.take_turn("cs.zjol.com.cn", ObjectId(), 9, LONG)

    case(use)


def test_turn_of_a_dead_run_ends_by_itself(case: Callable[[Case], None]) -> None:
    async def use(begin: Callable[..., Awaitable[HostLeases]]) -> None:
        dead, other = await begin("a", 0.2), await begin("b")
        assert await dead.take_turn(HOST, ObjectId(), 1, 0)
        while not await other.take_turn(HOST, ObjectId(), 1, 0):
            pass

    case(use)
