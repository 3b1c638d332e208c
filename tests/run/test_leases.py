"""Leases and turns of a run whose heartbeat or process is late."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler

from tests.support.crawling import LONG
from zjolcrawl.run.leases import Leases
from zjolcrawl.storage.host_leases import HostLeases, HostState
from zjolcrawl.storage.store import Store

HOST = "zjnews.zjol.com.cn"
SECONDS = 1.0


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
        store = await Store.open(mongodb_uri, database, run_arguments={}, version="0")
        crawler = get_crawler(
            settings_dict={"DATA_DIR": str(tmp_path), "LEASE_SECONDS": SECONDS, "DOWNLOAD_DELAY": 0}
        )
        leases = Leases(crawler, store)
        await leases.begin()
        assert await leases.take("china.zjol.com.cn")
        monkeypatch.setattr(HostLeases, "take", late)
        assert not await leases.take(HOST)
        assert set(leases.held) == {"china.zjol.com.cn"}
        await store.close()

    asyncio.run(main())


def test_late_heartbeat_does_not_end_turns(
    mongodb_uri: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run is there still: it was there when this one last looked."""
    settings = {"LEASE_SECONDS": SECONDS, "DOWNLOAD_DELAY": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}

    async def main() -> None:
        stores, runs = [], []
        for name in ("first", "second"):
            stores.append(await Store.open(mongodb_uri, database, run_arguments={}, version="0"))
            (tmp_path / name).mkdir()
            crawler = get_crawler(settings_dict={"DATA_DIR": str(tmp_path / name), **settings})
            runs.append(Leases(crawler, stores[-1]))
            await runs[-1].begin()
        _, second = runs
        assert len(second.live) == 2

        async def stuck(_: HostLeases, hosts: object) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr(HostLeases, "renew", stuck)
        monkeypatch.setattr(Leases, "_slot", lambda *_: None)  # there is no engine
        await asyncio.sleep(SECONDS)
        request = Request(f"http://{HOST}/a.shtml")
        async with second.permission(request):
            row = await stores[0].db["hosts"].find_one({"_id": HOST})
            assert row is not None
            assert len(row["turns"]) == 1
        for store in stores:
            await store.close()

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
