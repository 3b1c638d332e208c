"""Leases of a run that is suspended at the worst moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from scrapy.utils.test import get_crawler

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
