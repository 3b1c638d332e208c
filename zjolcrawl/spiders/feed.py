"""Turns the frontier into requests, host by host, and shares hosts with parallel runs.

    for each leased host             walk its lists, request its due links in batches
    nothing left on the host         give it back and lease a free host that has work
    more than a fair share leased    give some back, so that all parallel runs have equally many
    no host with work left           the run ends

Parallel runs are the live runs with the same arguments. Links found on a list go only into the
frontier; the run that leases the link's host finds them there. A requested URL stays in `unstored_links`
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
from zjolcrawl.spiders.host_queue import BATCH_SIZE, HostQueue, Listing

if TYPE_CHECKING:
    from zjolcrawl.spiders.lists import ListReader

_LARGEST_BATCH = 256  # links of a host per batch at most
_FAST_BATCH = 1.0  # seconds; a host that finishes a batch sooner is fast
_CHECK_INTERVAL = 2.0  # seconds between two checks of which hosts have work and who leases them
_INTERVAL_FACTOR = 20  # wait this many times as long as a check took, so slow checks are rare
_LONGEST_INTERVAL = 30.0  # seconds
_TICK = 0.02  # seconds between two checks of whether all is done
_GIVE_UP_AFTER = 0.2  # seconds of an idle engine until unfinished links and walks are given up


class Feed:
    """Yields a spider's requests; see the module docstring."""

    def __init__(self, spider: ListReader, listings: Iterable[Listing]) -> None:
        self.spider = spider
        self.listings = {each.id: each for each in listings}
        self._queues: dict[str, HostQueue] = {}
        self._queue_of: dict[str, HostQueue] = {}  # by URL in its `unstored_links`
        self._stored_meanwhile: set[str] = set()  # links stored while frontier rows were being read
        self._ended_lists: set[str] = set()  # ids of lists whose walk has ended
        self._abandoned_links: set[str] = set()  # without an outcome, left to the next run
        self._peers_began_at: datetime = utc_now()
        self._arguments: dict[Any, Any] = {}  # by run
        self._wake = asyncio.Event()
        self._last_lease_check, self._lease_check_interval = 0.0, _CHECK_INTERVAL
        self._idle_since: float | None = None

    @property
    def _leases(self) -> Leases:
        leases = self.spider.run.leases
        assert leases is not None
        return leases

    async def requests(self) -> AsyncIterator[Request]:
        """Yield the run's requests until no work is left. Raises StoreError."""
        store = self._store = await self.spider.run.open()
        store.after_write = self._note_written
        # A run that joins parallel runs late must not repeat what they have done.
        self._peers_began_at = min([utc_now(), *(each.began for each in self._leases.peers())])
        while True:
            self._wake.clear()
            for host in self._queues.keys() - self._leases.held:
                for url in self._queues.pop(host).unstored_links:
                    self._queue_of.pop(url, None)
            for host, queue in list(self._queues.items()):
                async for request in self._next(host, queue):
                    yield request
            await self._give_back()
            if time.monotonic() - self._last_lease_check > self._lease_check_interval:
                if not await self._check_leases() and not self._queues:
                    return
                if any(not queue.is_busy for queue in self._queues.values()):
                    continue
            await self._wait()

    # --- notifications --------------------------------------------------------------------------

    def note_links(self, links: Iterable[Link]) -> None:
        """Note that these links are now in the frontier."""
        for host in {host_of(link.fetch_url or link.url) for link in links}:
            if queue := self._queues.get(host):
                queue.may_have_new_rows = True
        self._wake.set()

    def note_answer(self, link: Link, *, dropped: bool = False) -> None:
        """Note that a link's first page was answered or failed.

        `dropped`: it was not requested, because another run now leases its host.
        """
        if not (queue := self._queue_of.get(link.url)):
            return
        queue.unanswered_links.discard(link.url)
        if dropped:
            queue.unstored_links.discard(link.url)
            queue.may_have_new_rows = True
            del self._queue_of[link.url]
        if len(queue.unanswered_links) <= queue.batch_size // 2:
            self._wake.set()

    def note_recheck(self, list_id: str, link: Link) -> None:
        """Note that the walk of a list requests a link itself, whether due or not."""
        for queue in self._queues.values():
            if list_id in queue.open_walks:
                self._track(queue, link.url)

    def note_dropped_walk(self, list_id: str) -> None:
        """Note that the walk of a list was cut off; it restarts if its host is leased again."""
        for queue in self._queues.values():
            if list_id in queue.open_walks:
                queue.open_walks.remove(list_id)
                queue.lists_to_walk.append(self.listings[list_id])

    def _track(self, queue: HostQueue, url: str) -> None:
        queue.unanswered_links.add(url)
        queue.unstored_links.add(url)
        self._queue_of[url] = queue

    def _note_written(self, links: list[str], visits: Iterable[ColumnVisit | WalkEnd]) -> None:
        """Mark as done what the store has written to MongoDB."""
        for url in links:
            if queue := self._queue_of.pop(url, None):
                queue.unstored_links.discard(url)
                self._stored_meanwhile.add(url)
        ended = set(self.spider.ends_of(visits))
        self._ended_lists |= ended
        for queue in self._queues.values():
            queue.open_walks -= ended
        self._wake.set()

    # --- requests ---------------------------------------------------------------------------------

    async def _next(self, host: str, queue: HostQueue) -> AsyncIterator[Request]:
        """Yield requests that begin a host's walks; schedule its next batch of links."""
        if host in self._leases.to_give_back:
            return
        if queue.lists_to_walk:
            rows = await self._column_rows()  # fresh: another run may have ended a walk
            listings, queue.lists_to_walk = queue.lists_to_walk, []
            for listing in listings:
                row = rows.get(listing.id, {})
                if self._is_ended(listing, row):
                    continue
                queue.open_walks.add(listing.id)
                for request in self.spider.begin(listing.id, row):
                    request.meta[HOST] = host
                    yield request
        if queue.may_start_over():
            queue.start_over()
        if queue.is_read_to_end or len(queue.unanswered_links) > queue.batch_size // 2:
            return
        now = time.monotonic()
        fast = now - queue.batch_started_at < _FAST_BATCH
        queue.batch_size = min(2 * queue.batch_size, _LARGEST_BATCH) if fast else BATCH_SIZE
        queue.batch_started_at = now
        engine = self.spider.crawler.engine
        assert engine is not None
        async for row in self._due(host, queue, queue.batch_size):
            if article := await self._request(row):
                self._track(queue, row["_id"])
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
            self._abandoned_links.add(row["_id"])
            return None
        if self.spider.requested_urls is not None:
            self.spider.requested_urls.add(link.url)
        return request

    async def _due(self, host: str, queue: HostQueue, most: int) -> AsyncIterator[dict[str, Any]]:
        """Yield the next wanted frontier rows of a host, `most` at most."""
        count = 0
        while not queue.is_read_to_end:
            began = time.monotonic()
            self._stored_meanwhile.clear()
            rows = await self._store.due(
                host,
                self.listings,
                self._peers_began_at,
                queue.cursor,
                max(most - count, BATCH_SIZE),
            )
            queue.read_seconds += time.monotonic() - began
            for row in rows:
                queue.cursor = (row["next_visit_at"], row["_id"])
                if row["_id"] not in queue.unstored_links and self._is_wanted(row):
                    yield row
                    count += 1
                    if count == most:
                        return
            queue.is_read_to_end = not rows
            queue.next_read_at = time.monotonic() + min(
                _INTERVAL_FACTOR * queue.read_seconds, _LONGEST_INTERVAL
            )

    def _is_wanted(self, row: dict[str, Any]) -> bool:
        if (
            row["_id"] in self._abandoned_links
            or row["_id"] in self._stored_meanwhile
            or row["_id"] in (self.spider.requested_urls or ())
        ):
            return False
        try:
            return self.spider.wanted_day(row["_id"], row.get("listed_at"))
        except (TypeError, AttributeError):  # no date: `_request` rejects the row
            return True

    async def _column_rows(self) -> dict[str, dict[str, Any]]:
        """The rows of `columns` by id, with the arguments of the runs that ended the last walks at hand."""
        rows = await self._store.columns()
        wanted = {row["ended_by"] for row in rows.values() if "ended_by" in row}
        if unknown := (wanted | {self._store.run_id}) - self._arguments.keys():
            self._arguments |= await self._store.arguments_of(unknown)
        return rows

    def _is_ended(self, listing: Listing, row: dict[str, Any]) -> bool:
        """Whether a run with the same arguments has walked this list; `row` is its row in `columns`.

        A run with other arguments may have read less of it.
        """
        if listing.id in self._ended_lists:
            return True
        mine = self._arguments.get(self._store.run_id)
        if mine is None or self._arguments.get(row.get("ended_by")) != mine:
            return False
        times = [row.get(name) for name in self.spider.ends]
        return any(
            isinstance(each, datetime) and self._peers_began_at <= each <= utc_now()
            for each in times
        )

    # --- leased hosts -----------------------------------------------------------------------------

    async def _check_leases(self) -> bool:
        """Lease free hosts up to this run's share, or mark surplus hosts to be given back.

        Returns whether there was work on hosts that this run had not leased: another run does it,
        or this run may lease them.
        """
        began = time.monotonic()
        rows = await self._column_rows()
        lists_to_walk: dict[str, list[Listing]] = {}
        for listing in self.listings.values():
            if not self._is_ended(listing, rows.get(listing.id, {})):
                lists_to_walk.setdefault(host_of(listing.url), []).append(listing)
        due = await self._store.hosts_due(self.listings, self._peers_began_at)
        others = {
            host
            for host in lists_to_walk.keys() | due
            if host not in self._queues and (host in lists_to_walk or await self._has_due(host))
        }
        peers = max(1, len(self._leases.peers()))
        share = -(-(len(others) + len(self._queues)) // peers)
        for host in sorted(others, key=lambda each: (each not in lists_to_walk, each)):
            if len(self._queues) >= share:
                break
            if await self._leases.take(host):
                self._queues[host] = HostQueue(lists_to_walk.get(host, []))
        self._mark_surplus(len(self._queues) - share)
        if peers > 1:
            for queue in self._queues.values():  # other runs may have found links
                queue.may_have_new_rows = queue.may_have_new_rows or not queue.unanswered_links
        self._last_lease_check = time.monotonic()
        spent = self._last_lease_check - began
        self._lease_check_interval = min(
            max(_CHECK_INTERVAL, _INTERVAL_FACTOR * spent), _LONGEST_INTERVAL
        )
        return bool(others)

    def _mark_surplus(self, count: int) -> None:
        """Mark hosts without a running walk to be given back, until `count` are marked."""
        marked = self._leases.to_give_back
        for host, queue in self._queues.items():
            if len(marked) >= count:
                return
            if not queue.open_walks and host not in marked:
                marked.add(host)

    async def _has_due(self, host: str) -> bool:
        queue = HostQueue([])
        async for _ in self._due(host, queue, 1):
            return True
        return False

    async def _give_back(self) -> None:
        """Give back hosts with no work left, and hosts marked for other runs once idle."""
        for host, queue in list(self._queues.items()):
            if queue.is_done or (host in self._leases.to_give_back and not queue.is_busy):
                await self._leases.give_back(host)
                del self._queues[host]
                self._last_lease_check = 0.0

    async def _wait(self) -> None:
        """Wait for a change; if the engine is idle, flush the store, then give up the rest."""
        queues = self._queues.values()
        all_answered = not any(queue.unanswered_links for queue in queues)
        no_rows_left = all(queue.is_read_to_end and not queue.may_have_new_rows for queue in queues)
        if all_answered and no_rows_left and self._is_idle():
            await self._store.flush()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                self._wake.wait(), _TICK if all_answered else _CHECK_INTERVAL / 4
            )
        if not self._is_idle() or self._store.waiting() or self._store.away:
            self._idle_since = None
            return
        self._idle_since = self._idle_since or time.monotonic()
        if time.monotonic() - self._idle_since > _GIVE_UP_AFTER:
            for queue in queues:
                self._abandoned_links |= queue.unstored_links
                for url in queue.unstored_links:
                    self._queue_of.pop(url, None)
                self._ended_lists |= queue.open_walks
                queue.unstored_links, queue.open_walks, queue.unanswered_links = set(), set(), set()

    def _is_idle(self) -> bool:
        engine = self.spider.crawler.engine
        assert engine is not None
        slot, scheduler = engine.scraper.slot, engine.scheduler
        scheduled = scheduler is not None and scheduler.has_pending_requests()
        return not (engine.downloader.active or scheduled or not (slot and slot.is_idle()))
