"""Turns the frontier into requests, host by host, and shares hosts with parallel runs.

    for each leased host             walk its lists, request its due links in batches
    nothing left on the host         give it back and lease a free host that has work
    more than a fair share leased    give some back, so that all parallel runs have equally many
    no host with work left           the run ends

Parallel runs are the live runs with the same arguments. Links found on a list go only into the
frontier; the run that leases the link's host finds them there. A requested URL stays in `asked`
until its outcome is in MongoDB, so nothing is requested twice, and anything cut off is still
pending.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scrapy import Request

from zjolcrawl.clock import utc_now
from zjolcrawl.items import ColumnVisit, Link, Outcome, WalkEnd
from zjolcrawl.parsing.urls import host_of
from zjolcrawl.request_meta import FED, HOST
from zjolcrawl.run.leases import Leases
from zjolcrawl.spiders.host_queue import PORTION, HostQueue, Listing

if TYPE_CHECKING:
    from zjolcrawl.spiders.lists import ListReader

_MOST = 256  # links of a host per batch at most
_FAST = 1.0  # seconds; a host that finishes a batch sooner is fast
_LOOK = 2.0  # seconds between two checks of which hosts have work and who leases them
_REST_FACTOR = 20  # wait this many times as long as a check took, so slow checks are rare
_LONGEST_REST = 30.0  # seconds
_TICK = 0.02  # seconds between two checks of whether all is done
_GIVEN_UP = 0.2  # seconds of an idle engine after which unfinished links and walks are given up


class Feed:
    """Yields a spider's requests; see the module docstring."""

    def __init__(self, spider: ListReader, walks: Iterable[Listing]) -> None:
        self.spider = spider
        self.walks = {walk.id: walk for walk in walks}
        self._queues: dict[str, HostQueue] = {}
        self._of: dict[str, HostQueue] = {}  # by URL in its `asked`
        self._settled: set[str] = set()  # links stored while frontier rows were being read
        self._ended: set[str] = set()  # ids of walks
        self._void: set[str] = set()  # links without an outcome, left to the next run
        self._since: datetime = utc_now()
        self._arguments: dict[Any, Any] = {}  # by run
        self._wake = asyncio.Event()
        self._looked, self._look_for = 0.0, _LOOK
        self._idle_since: float | None = None

    @property
    def _leases(self) -> Leases:
        leases = self.spider.run.leases
        assert leases is not None
        return leases

    async def requests(self) -> AsyncIterator[Request]:
        """Yield the run's requests until no work is left. Raises StoreError."""
        store = self._store = await self.spider.run.open()
        store.after_write = self._written
        # A run that joins parallel runs late must not repeat what they have done.
        self._since = min([utc_now(), *(each.began for each in self._leases.peers())])
        while True:
            self._wake.clear()
            for host in self._queues.keys() - self._leases.held:
                for url in self._queues.pop(host).asked:
                    self._of.pop(url, None)
            for host, queue in list(self._queues.items()):
                async for request in self._next(host, queue):
                    yield request
            await self._give_back()
            if time.monotonic() - self._looked > self._look_for:
                if not await self._look() and not self._queues:
                    return
                if any(not queue.busy for queue in self._queues.values()):
                    continue
            await self._rest()

    # --- notifications --------------------------------------------------------------------------

    def found(self, links: Iterable[Link]) -> None:
        """Note that these links are now in the frontier."""
        for host in {host_of(link.fetch_url or link.url) for link in links}:
            if queue := self._queues.get(host):
                queue.found = True
        self._wake.set()

    def answered(self, link: Link, *, dropped: bool = False) -> None:
        """Note that a link's first page was answered or failed.

        `dropped`: it was not requested, because another run now leases its host.
        """
        if not (queue := self._of.get(link.url)):
            return
        queue.open.discard(link.url)
        if dropped:
            queue.asked.discard(link.url)
            queue.found = True
            del self._of[link.url]
        if len(queue.open) <= queue.portion // 2:
            self._wake.set()

    def rechecked(self, walk: str, link: Link) -> None:
        """Note that a walk requests a link itself, whether due or not."""
        for queue in self._queues.values():
            if walk in queue.walking:
                self._ask(queue, link.url)

    def dropped_walk(self, walk: str) -> None:
        """Note that a walk was cut off; it restarts if its host is leased again."""
        for queue in self._queues.values():
            if walk in queue.walking:
                queue.walking.remove(walk)
                queue.walks.append(self.walks[walk])

    def _ask(self, queue: HostQueue, url: str) -> None:
        queue.open.add(url)
        queue.asked.add(url)
        self._of[url] = queue

    def _written(self, links: list[str], visits: Iterable[ColumnVisit | WalkEnd]) -> None:
        """Mark as done what the store has written to MongoDB."""
        for url in links:
            if queue := self._of.pop(url, None):
                queue.asked.discard(url)
                self._settled.add(url)
        walks = set(self.spider.ends_of(visits))
        self._ended |= walks
        for queue in self._queues.values():
            queue.walking -= walks
        self._wake.set()

    # --- requests ---------------------------------------------------------------------------------

    async def _next(self, host: str, queue: HostQueue) -> AsyncIterator[Request]:
        """Yield requests that begin a host's walks; schedule its next batch of links."""
        if host in self._leases.leaving:
            return
        if queue.walks:
            known = await self._known()  # fresh: another run may have ended a walk
            walks, queue.walks = queue.walks, []
            for walk in walks:
                row = known.get(walk.id, {})
                if self._is_ended(walk, row):
                    continue
                queue.walking.add(walk.id)
                for request in self.spider.begin(walk.id, row):
                    request.meta[HOST] = host
                    yield request
        if queue.read and queue.found and (not queue.busy or time.monotonic() >= queue.rested):
            queue.read, queue.found, queue.after, queue.cost = False, False, None, 0.0
        if queue.read or len(queue.open) > queue.portion // 2:
            return
        now = time.monotonic()
        fast = now - queue.since < _FAST
        queue.portion = min(2 * queue.portion, _MOST) if fast else PORTION
        queue.since = now
        engine = self.spider.crawler.engine
        assert engine is not None
        async for row in self._due(host, queue, queue.portion):
            if article := await self._request(row):
                self._ask(queue, row["_id"])
                # Straight to the scheduler, in its queue for start requests, first in, first out: a request
                # yielded from Spider.start takes a turn of the engine each.
                article.meta.update({HOST: host, FED: True, "is_start_request": True})
                engine.crawl(article)

    async def _request(self, row: dict[str, Any]) -> Request | None:
        """The request for a frontier row; a malformed row is rejected with the reason."""
        try:
            link = Link(
                row["_id"], columns=row["columns"], listed_at=row.get("listed_at"),
                fetch_url=row.get("fetch_url"),
            )  # fmt: skip
            request = self.spider.article_request(link, link.fetch_url or link.url, row=row)
        except (ValueError, TypeError, AttributeError) as error:
            reason = f"its row in frontier makes no request: {error}"
            await self._store.outcome(Outcome(row["_id"], "rejected", reason, attempted=False))
            self._void.add(row["_id"])
            return None
        if self.spider.rechecked is not None:
            self.spider.rechecked.add(link.url)
        return request

    async def _due(self, host: str, queue: HostQueue, most: int) -> AsyncIterator[dict[str, Any]]:
        """Yield the next wanted frontier rows of a host, `most` at most."""
        count = 0
        while not queue.read:
            began = time.monotonic()
            self._settled.clear()
            rows = await self._store.due(
                host, self.walks, self._since, queue.after, max(most - count, PORTION)
            )
            queue.cost += time.monotonic() - began
            for row in rows:
                queue.after = (row["next_visit_at"], row["_id"])
                if row["_id"] not in queue.asked and self._is_wanted(row):
                    yield row
                    count += 1
                    if count == most:
                        return
            queue.read = not rows
            queue.rested = time.monotonic() + min(_REST_FACTOR * queue.cost, _LONGEST_REST)

    def _is_wanted(self, row: dict[str, Any]) -> bool:
        if (
            row["_id"] in self._void
            or row["_id"] in self._settled
            or row["_id"] in (self.spider.rechecked or ())
        ):
            return False
        try:
            return self.spider.wanted_day(row["_id"], row.get("listed_at"))
        except (TypeError, AttributeError):  # no date: `_request` rejects the row
            return True

    async def _known(self) -> dict[str, dict[str, Any]]:
        """The rows of `columns` by id, with the arguments of the runs that ended the last walks at hand."""
        rows = await self._store.columns()
        wanted = {row["ended_by"] for row in rows.values() if "ended_by" in row}
        if unknown := (wanted | {self._store.run_id}) - self._arguments.keys():
            self._arguments |= await self._store.arguments_of(unknown)
        return rows

    def _is_ended(self, walk: Listing, row: dict[str, Any]) -> bool:
        """Whether a run with the same arguments has walked this list; `row` is its row in `columns`.

        A run with other arguments may have read less of it.
        """
        if walk.id in self._ended:
            return True
        mine = self._arguments.get(self._store.run_id)
        if mine is None or self._arguments.get(row.get("ended_by")) != mine:
            return False
        times = [row.get(name) for name in self.spider.ends]
        return any(
            isinstance(each, datetime) and self._since <= each <= utc_now() for each in times
        )

    # --- leased hosts -----------------------------------------------------------------------------

    async def _look(self) -> bool:
        """Lease free hosts up to this run's share, or mark surplus hosts to be given back.

        Returns whether there was work on hosts that this run had not leased: another run does it,
        or this run may lease them.
        """
        began = time.monotonic()
        known = await self._known()
        walks: dict[str, list[Listing]] = {}
        for walk in self.walks.values():
            if not self._is_ended(walk, known.get(walk.id, {})):
                walks.setdefault(host_of(walk.url), []).append(walk)
        due = await self._store.hosts_due(self.walks, self._since)
        others = {
            host
            for host in walks.keys() | due
            if host not in self._queues and (host in walks or await self._has_due(host))
        }
        peers = max(1, len(self._leases.peers()))
        share = -(-(len(others) + len(self._queues)) // peers)
        for host in sorted(others, key=lambda each: (each not in walks, each)):
            if len(self._queues) >= share:
                break
            if await self._leases.take(host):
                self._queues[host] = HostQueue(walks.get(host, []))
        self._leave(len(self._queues) - share)
        if peers > 1:
            for queue in self._queues.values():  # other runs may have found links
                queue.found = queue.found or not queue.open
        self._looked = time.monotonic()
        spent = self._looked - began
        self._look_for = min(max(_LOOK, _REST_FACTOR * spent), _LONGEST_REST)
        return bool(others)

    def _leave(self, count: int) -> None:
        """Mark hosts without a running walk to be given back, until `count` are marked."""
        leaving = self._leases.leaving
        for host, queue in self._queues.items():
            if len(leaving) >= count:
                return
            if not queue.walking and host not in leaving:
                leaving.add(host)

    async def _has_due(self, host: str) -> bool:
        queue = HostQueue([])
        async for _ in self._due(host, queue, 1):
            return True
        return False

    async def _give_back(self) -> None:
        """Give back hosts with no work left, and hosts marked for other runs once idle."""
        for host, queue in list(self._queues.items()):
            if queue.done or (host in self._leases.leaving and not queue.busy):
                await self._leases.give_back(host)
                del self._queues[host]
                self._looked = 0.0

    async def _rest(self) -> None:
        """Wait for a change; if the engine is idle, flush the store, then give up the rest."""
        queues = self._queues.values()
        waits = not any(queue.open for queue in queues)
        last = waits and all(queue.read and not queue.found for queue in queues)
        if last and self._is_idle():
            await self._store.flush()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), _TICK if waits else _LOOK / 4)
        if not self._is_idle() or self._store.waiting() or self._store.away:
            self._idle_since = None
            return
        self._idle_since = self._idle_since or time.monotonic()
        if time.monotonic() - self._idle_since > _GIVEN_UP:
            for queue in queues:
                self._void |= queue.asked
                for url in queue.asked:
                    self._of.pop(url, None)
                self._ended |= queue.walking
                queue.asked, queue.walking, queue.open = set(), set(), set()

    def _is_idle(self) -> bool:
        engine = self.spider.crawler.engine
        assert engine is not None
        slot, scheduler = engine.scraper.slot, engine.scheduler
        waits = scheduler is not None and scheduler.has_pending_requests()
        return not (engine.downloader.active or waits or not (slot and slot.is_idle()))
