"""Leases and turns of runs beside each other, also if a heartbeat or a process is late."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from scrapy import Request
from scrapy.utils.test import get_crawler

from tests.support.crawling import LONG
from zjolcrawl.run.leases import Leases
from zjolcrawl.storage.host_leases import HostLeases, HostState
from zjolcrawl.storage.store import Store

HOST = "zjnews.zjol.com.cn"
REQUEST = Request(f"http://{HOST}/a.shtml")
SECONDS = 1.0


@asynccontextmanager
async def live_runs(
    uri: str, database: str, folder: Path, *names: str
) -> AsyncIterator[list[Leases]]:
    """The leases of runs that begin one after another, without an engine."""
    stores, runs = [], []
    for name in names:
        stores.append(await Store.open(uri, database, run_arguments={}, version="0"))
        own = folder / name
        own.mkdir()
        settings = {"DATA_DIR": str(own), "LEASE_SECONDS": SECONDS, "DOWNLOAD_DELAY": 0}
        runs.append(Leases(get_crawler(settings_dict=settings), stores[-1]))
        await runs[-1].begin()
    yield runs
    for store in stores:
        await store.close()


def test_lease_that_ended_before_its_answer_was_read_is_not_held(
    mongodb_uri: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run may have the host by then, and a heartbeat that began meanwhile does not know of it."""
    take = HostLeases.take

    async def late(self: HostLeases, host: str) -> HostState | None:
        state = await take(self, host)
        await asyncio.sleep(SECONDS)
        return state

    async def main() -> None:
        async with live_runs(mongodb_uri, database, tmp_path, "late") as (leases,):
            assert await leases.take("china.zjol.com.cn")
            monkeypatch.setattr(HostLeases, "take", late)
            assert not await leases.take(HOST)
            assert set(leases.held) == {"china.zjol.com.cn"}

    asyncio.run(main())


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leases, "_slot", lambda *_: None)


def turns(db: Database[dict[str, Any]]) -> int:
    """How many turns runs have at the host."""
    return len((db.hosts.find_one() or {}).get("turns", []))


async def stuck(_: HostLeases, hosts: object = ()) -> None:
    """A heartbeat that does not come."""
    await asyncio.sleep(LONG)


@pytest.mark.usefixtures("no_engine")
def test_late_heartbeat_does_not_end_turns(
    mongodb_uri: str,
    database: str,
    db: Database[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other run is there still: it was there when this one last looked."""

    async def main() -> None:
        async with live_runs(mongodb_uri, database, tmp_path, "first", "second") as (_, second):
            assert len(second.live) == 2
            monkeypatch.setattr(HostLeases, "renew", stuck)
            await asyncio.sleep(SECONDS)
            async with second.permission(REQUEST):
                assert turns(db) == 1

    asyncio.run(main())


@pytest.mark.usefixtures("no_engine")
def test_run_that_is_alone_takes_no_turns(
    mongodb_uri: str, database: str, db: Database[dict[str, Any]], tmp_path: Path
) -> None:
    async def main() -> None:
        async with live_runs(mongodb_uri, database, tmp_path, "alone") as (alone,):
            for _ in range(3):
                async with alone.permission(REQUEST):
                    assert turns(db) == 0
                await asyncio.sleep(SECONDS / 3)  # heartbeats

    asyncio.run(main())


@pytest.mark.usefixtures("no_engine")
def test_run_that_was_alone_and_does_not_hear_of_the_next_waits(
    mongodb_uri: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one takes turns soon after it has begun, in the belief that all others know of it."""

    async def main() -> None:
        async with live_runs(mongodb_uri, database, tmp_path, "first") as (first,):

            async def ask() -> None:
                async with first.permission(REQUEST):
                    pass

            monkeypatch.setattr(HostLeases, "renew", stuck)
            await asyncio.sleep(SECONDS)
            asked = asyncio.create_task(ask())
            done, _ = await asyncio.wait([asked], timeout=SECONDS)
            assert not done
            asked.cancel()

    asyncio.run(main())


@pytest.mark.usefixtures("no_engine")
def test_requests_that_wait_for_a_turn_are_not_overtaken_when_the_other_run_has_ended(
    mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    """The first request gets its turn late, because of the other run, and the others after it."""

    async def main() -> None:
        names = "first", "second"
        async with live_runs(mongodb_uri, database, tmp_path, *names) as (first, second):
            sent: list[float] = []

            async def send() -> None:
                async with second.permission(REQUEST):
                    sent.append(time.monotonic())

            for run in (first, second):
                run.slow_down(HOST, 1.0)
            async with first.permission(REQUEST):
                sent.append(time.monotonic())
            await first.end()
            await asyncio.gather(*(send() for _ in range(4)))
            gaps = [after - before for before, after in pairwise(sent)]
            assert min(gaps) > 0.5, gaps

    asyncio.run(main())


def test_they_end_although_a_cancellation_is_lost(
    mongodb_uri: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by asyncio.wait_for of Python 3.11, if the driver's work ends at the same moment."""
    beating = asyncio.Event()

    async def held(_: HostLeases) -> set[str]:
        lost = (
            contextlib.nullcontext()
            if beating.is_set()
            else contextlib.suppress(asyncio.CancelledError)
        )
        beating.set()
        with lost:
            await asyncio.sleep(LONG)
        return set()

    async def main() -> None:
        store = await Store.open(mongodb_uri, database, run_arguments={}, version="0")
        settings = {"DATA_DIR": str(tmp_path), "LEASE_SECONDS": SECONDS}
        leases = Leases(get_crawler(settings_dict=settings), store)
        await leases.begin()
        await beating.wait()
        done, _ = await asyncio.wait([asyncio.create_task(leases.end())], timeout=LONG)
        assert done
        await store.close()

    monkeypatch.setattr(HostLeases, "held", held)
    asyncio.run(main())
