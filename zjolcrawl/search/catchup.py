"""Brings the search index up to date with `articles` while other processes write.

Why it misses no write: each write of an article sets `written_at` to the server's cluster time t, which
only grows. A write becomes visible some time after its t is assigned: at once, or with a transaction up
to a minute later (transactionLifetimeLimitSeconds). A catch-up first reads the server's clock N, then
everything written after the `horizon`. All writes with t < N - OVERLAP are visible by then and so have
been read, and the horizon moves there. Later writes are read again next time, except those whose exact t
is known (`recent`): a write that was not yet visible may have an earlier t than a visible one.

Assumptions: a server's clock is not set back by more than OVERLAP, and the clocks of a replica set's
members differ by no more than that. If the clock is behind the horizon, everything is indexed again.
Changes by other programs carry no such time: if MongoDB has fewer articles than the index, the deleted
ones are removed; any other such change needs `scrapy search --rebuild`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from zjolcrawl.search.index import SearchIndex, State, Writer, usable
from zjolcrawl.search.tokens import FIELDS
from zjolcrawl.storage import change_feed
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.errors import DatabaseError, StoreUnavailable

logger = logging.getLogger(__name__)

OVERLAP = 120
"""Seconds after which a started write is visible or never will be."""
_AT_ONCE = 50  # articles held in memory
_SHARE_OF_RUN, _WORTHWHILE = 1 / 50, 0.5  # after a run: share of its time, minimum in seconds
_COMMIT = 20_000  # articles per commit, the most that a crash loses

Progress = Callable[[int], None]
"""Called with the number of articles indexed so far."""


async def catch_up(
    db: Database,
    index: SearchIndex,
    *,
    anew: bool = False,
    seconds: float = math.inf,
    progress: Progress | None = None,
) -> int | None:
    """Index what was written since; returns the number of articles, or None if another process is indexing.

    `anew`: index everything again. After `seconds` it stops and leaves the rest to the next catch-up.
    Raises DatabaseError, and StoreUnavailable if the index cannot be written.
    """
    db = change_feed.readable(db)
    with usable(index.folder):
        if not anew and not await _is_behind(db, index):
            return 0
        with index.writer() as writer:
            if writer is None:
                return None
            return await _Pass(db, index, writer, time.monotonic() + seconds, progress).run(
                anew=anew
            )


async def index_after_run(db: Database, data_dir: Path, run_seconds: float) -> None:
    """Update the index in at most a fiftieth of the seconds that a run took.

    A polite crawl waits far longer for a page than indexing it takes. The next search indexes the rest, and
    everything after a short run. If it fails, so does the next search, which says why.
    """
    seconds = run_seconds * _SHARE_OF_RUN
    if seconds < _WORTHWHILE:
        return
    try:
        await catch_up(db, SearchIndex.open(data_dir, db.name), seconds=seconds)
    except (DatabaseError, StoreUnavailable) as error:
        logger.info("The full-text index was not updated, the next search does it: %s", error)


async def _is_behind(db: Database, index: SearchIndex) -> bool:
    """Whether a catch-up would change anything; for most searches it would not."""
    state = index.state
    if state.horizon is None:
        return True
    collection, now, times, stored = await asyncio.gather(
        change_feed.collection_id(db),
        change_feed.server_seconds(db),
        change_feed.times_since(db, state.horizon),
        change_feed.estimated_count(db),
    )
    counted = [stored, index.searcher().num_docs]
    return (
        collection != state.collection
        or now < state.horizon >> 32
        or times != set(state.recent)
        or (counted[0] < counted[1] and counted != state.counted)
    )


class _Pass:
    """One catch-up."""

    def __init__(
        self,
        db: Database,
        index: SearchIndex,
        writer: Writer,
        end: float,
        progress: Progress | None,
    ) -> None:
        self._db, self._index, self._writer, self._end, self._progress = (
            db,
            index,
            writer,
            end,
            progress,
        )
        self._done = 0

    async def run(self, *, anew: bool) -> int:
        collection = await change_feed.collection_id(self._db)
        now = await change_feed.server_seconds(self._db)
        state = self._index.state
        is_early = state.horizon is not None and now < state.horizon >> 32
        if anew or is_early or state.collection != collection:
            self._writer.clear()
            state = State(collection)
        limit = now - OVERLAP << 32
        known, recent = set(state.recent), list[int]()
        batch: list[str] = []
        async for url, at in change_feed.written_since(self._db, state.horizon):
            if at > limit:
                recent.append(at)
            if at not in known:
                batch.append(url)
            if len(batch) == _AT_ONCE:
                await self._put(batch)
                batch = []
                # Articles arrive in time order, so everything up to `at` is indexed.
                here = State(collection, min(at, limit) or None, list(recent), state.counted)
                if time.monotonic() > self._end:
                    await self._commit(here)
                    return self._done
                if self._done % _COMMIT == 0:
                    await self._commit(here)
        await self._put(batch)
        reached = State(collection, max(limit, state.horizon or 0), recent, state.counted)
        await self._commit(reached)
        await self._forget_deleted(reached)
        return self._done

    async def _put(self, urls: list[str]) -> None:
        if not urls:
            return
        articles = await change_feed.articles_of(self._db, urls, dict.fromkeys(FIELDS, 1))
        await _aside(self._writer.put, articles)
        self._done += len(urls)
        if self._progress:
            self._progress(self._done)

    async def _commit(self, state: State) -> None:
        await _aside(self._writer.commit, state)

    async def _forget_deleted(self, state: State) -> None:
        """Remove deleted articles if the index has more articles than MongoDB."""
        stored, indexed = (
            await change_feed.estimated_count(self._db),
            self._index.searcher().num_docs,
        )
        if stored >= indexed or [stored, indexed] == state.counted:
            return
        urls = set(self._index.urls()) - await change_feed.all_urls(self._db)
        self._writer.remove(urls)
        await self._commit(replace(state, counted=[stored, indexed - len(urls)]))


async def _aside(work: Callable[[Any], None], given: Any) -> None:
    """Run `work` in a thread, and wait for its end even if cancelled.

    The writer may be used by only one thread at a time.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, given))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
