"""The archive's state in MongoDB: bulk writes in the order that a crash may interrupt.

While MongoDB is away, what was put goes to the spool and what is asked waits. An article is durable before its frontier row says `stored`; a former version is in `revisions` before
the newest replaces it. Whatever is cut off in between is found again by the next run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Self, TypeVar

from bson import ObjectId
from pymongo import UpdateMany, WriteConcern
from pymongo.errors import PyMongoError

from zjolcrawl.items import Article, ColumnVisit, Link, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.connection import Client, connect
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.errors import StoreError, lost, unavailable
from zjolcrawl.storage.frontier import (
    VisitPolicy,
    discover_link,
    due_links,
    settle_link,
    store_link,
    unchanged_link,
)
from zjolcrawl.storage.operations import (
    begin_walk,
    end_walk,
    reject_id,
    reject_row,
    still_there,
    take_down,
    utc_now,
    visit_column,
)
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.spool import Spool
from zjolcrawl.storage.versions import VersionWriter

logger = logging.getLogger(__name__)
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Sight:
    """An article that was put: its document, its frontier row, the validators of the answer."""

    document: dict[str, Any]
    row: str
    validators: dict[str, str]

    @property
    def at(self) -> datetime:
        """When it was seen."""
        moment: datetime = self.document["last_seen_at"]
        return moment


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What completes a `runs` document."""

    run_id: ObjectId
    values: dict[str, Any]


SPOOLED = (Sight, Unchanged, Outcome, ColumnVisit, WalkEnd, RunEnd)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """What `discover` found: how many links were `new`, and the rows that are `due`, by URL."""

    new: int = 0
    due: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Buffer:
    """What was put and is not written yet; `articles` by URL."""

    articles: dict[str, Sight] = field(default_factory=dict)
    unchanged: list[Unchanged] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    visits: list[ColumnVisit | WalkEnd] = field(default_factory=list)
    ends: list[RunEnd] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    since: float = 0.0

    def __len__(self) -> int:
        return sum(1 for _ in self.items())

    def items(self) -> Iterator[Any]:
        """All that is in it, in the order in which it is written."""
        parts = (self.articles.values(), self.unchanged, self.outcomes, self.visits, self.ends)
        return chain.from_iterable(parts)

    def add(self, item: Any) -> None:
        """Take an item as `items` gives it."""
        if isinstance(item, Sight):
            self.articles[str(item.document["_id"])] = item
            return
        lists: dict[type[Any], list[Any]] = {
            Unchanged: self.unchanged, Outcome: self.outcomes, RunEnd: self.ends,
        }  # fmt: skip
        lists.get(type(item), self.visits).append(item)


class Store:
    """One run's connection. `counts` is what the run did so far.

    `before_write`, if set, is awaited before anything is written that was put: what it points to is
    made durable first. It raises StoreError where that fails. `rereading`: pages come from the
    archive, so that what is stored may be of the very same sight. `spool`, if set, is a folder for
    what cannot be written while MongoDB is away; what is asked then waits `patience` seconds.
    """

    def __init__(
        self, client: Client, database: str, size: int, seconds: float, policy: VisitPolicy
    ) -> None:
        self.before_write: Callable[[], Awaitable[None]] | None = None
        self.rereading = False
        self.client = client
        self.db = client.get_database(database, write_concern=WriteConcern(w="majority", j=True))
        self.run_id = ObjectId()
        self.counts: Counter[str] = Counter()
        self._versions = VersionWriter(self.db, self.run_id, self.counts)
        self._size, self._seconds, self._policy = size, seconds, policy
        self._buffer = Buffer()
        self._flushing = asyncio.Lock()
        self._ageing: asyncio.Task[None] | None = None
        self._lost: StoreError | None = None
        self._away_since: float | None = None
        self._spool: Spool | None = None
        self._patience = 0.0

    @classmethod
    async def open(
        cls,
        uri: str,
        database: str,
        *,
        run_arguments: dict[str, Any],
        version: str,
        batch_size: int = 200,
        batch_seconds: float = 2.0,
        policy: VisitPolicy | None = None,
        spool: Path | None = None,
        patience: float = 0.0,
    ) -> Self:
        """Connect, create what is absent, begin the run, take in what other runs left in the spool.

        Raises StoreUnavailable within 8 s.
        """
        client = await connect(uri)
        try:
            store = cls(client, database, batch_size, batch_seconds, policy or VisitPolicy())
            await store._begin(run_arguments, version)
            if spool:
                store._spool = Spool(spool, str(store.run_id), SPOOLED)
                store._patience = patience
                await store._take_in()
        except (PyMongoError, ValueError, TypeError, OSError) as error:
            await client.close()
            raise unavailable(uri, error) from error
        store._ageing = asyncio.get_running_loop().create_task(store._age())
        return store

    async def discover(self, links: Sequence[Link]) -> Found:
        """Record links durably before they are requested."""
        merged: dict[str, Link] = {}
        for link in links:
            known = merged.setdefault(link.url, link)
            if known is not link:
                known.columns = list(dict.fromkeys([*known.columns, *link.columns]))
        operations = [discover_link(link) for link in merged.values()]
        listed = [link for link in merged.values() if link.columns]

        async def record() -> Found:
            # Not beside a write of articles, which takes their columns from the frontier.
            async with self._flushing:
                result = await self.db["frontier"].bulk_write(operations, ordered=False)
                if listed:
                    # An article that another column listed before belongs to this one too.
                    await self.db["articles"].bulk_write(
                        [
                            UpdateMany(
                                {"_id": {"$in": [x.url for x in listed if x.columns == columns]}},
                                {"$addToSet": {"columns": {"$each": columns}}},
                            )
                            for columns in {tuple(x.columns): x.columns for x in listed}.values()
                        ],
                        ordered=False,
                    )
                wanted = {"_id": {"$in": list(merged)}, "next_visit_at": {"$lte": utc_now()}}
                due = {row["_id"]: row async for row in self.db["frontier"].find(wanted)}
                return Found(len(result.upserted_ids or {}), due)

        found = await self._ask(record)
        self.counts["links"] += len(merged)
        self.counts["links_new"] += found.new
        return found

    async def due(self, columns: Iterable[str]) -> AsyncIterator[dict[str, Any]]:
        """The rows of columns' links that are pending or to be visited again, oldest first."""
        wanted = due_links(list(columns), utc_now())
        try:
            async for row in self.db["frontier"].find(wanted).sort("next_visit_at", 1):
                yield row
        except PyMongoError as error:
            raise lost(error) from error

    async def columns(self) -> dict[str, dict[str, Any]]:
        """What is known of each column, by its id."""

        async def find() -> dict[str, dict[str, Any]]:
            return {each["_id"]: each async for each in self.db["columns"].find()}

        return await self._ask(find)

    async def begin_walk(self, column: str) -> None:
        """Note durably that a column's list is being walked."""
        begun = [begin_walk(column, utc_now())]
        await self._ask(lambda: self.db["columns"].bulk_write(begun))

    async def put(self, article: Article, frontier_url: str | None = None) -> None:
        """Buffer an article; `frontier_url` is the link that led to it. Waits on a full buffer."""
        row = frontier_url or article.url
        while article.url in self._buffer.articles or row in self._buffer.settled:
            await self.flush()  # two sights of one page are written one after the other
        self._buffer.articles[article.url] = Sight(
            article_document(article), row, article.validators
        )
        await self._added()

    async def unchanged(self, sight: Unchanged) -> None:
        """Buffer that a link's page is as it was."""
        self._buffer.unchanged.append(sight)
        self._buffer.settled.add(sight.url)
        self.counts["same"] += 1
        self.counts["not_modified"] += 1
        await self._added()

    async def outcome(self, outcome: Outcome) -> None:
        """Buffer what became of a link that gave no article."""
        self._buffer.outcomes.append(outcome)
        self._buffer.settled.add(outcome.url)
        await self._added()

    async def column_visit(self, visit: ColumnVisit | WalkEnd) -> None:
        """Buffer a visit of a column page, or the end of a walk through them."""
        self._buffer.visits.append(visit)
        self.counts["pages"] += isinstance(visit, ColumnVisit)
        await self._added()

    async def flush(self) -> None:
        """Write the buffer: articles, then frontier, then the rest. Raises StoreError."""
        async with self._flushing:
            if self._lost:
                raise self._lost
            buffer, self._buffer = self._buffer, Buffer()
            if not buffer:
                return
            try:
                if self.before_write:
                    await self.before_write()
                if not self._away_since:
                    await self._write(buffer)
                    return
            except StoreError as error:
                self._lost = error
                raise
            except PyMongoError as error:
                self._went_away(error)
            await self._keep(buffer)

    async def finish(self) -> None:
        """Write what is left, to the spool if need be. Raises StoreError where that fails too."""
        if self._ageing:
            self._ageing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ageing
        if self._away_since and not self._lost:
            await self._come_back()
        if self._lost and self._spool and self._buffer:
            buffer, self._buffer = self._buffer, Buffer()
            await self._keep(buffer)
        await self.flush()

    async def end_run(self, values: dict[str, Any]) -> None:
        """Complete the `runs` document with these values. Raises StoreError."""
        end = RunEnd(self.run_id, {"ended_at": utc_now(), **values})
        if self._lost and self._spool:
            await self._keep(Buffer(ends=[end]))
            return
        self._buffer.ends.append(end)
        await self.flush()

    async def former_templates(self, runs: int) -> list[dict[str, Any]]:
        """`templates` of the newest runs that read articles, but for this one; none if unknown."""
        read = {"templates": {"$exists": True}, "_id": {"$lt": self.run_id}}
        newest = self.db["runs"].find(read, {"templates": 1}).sort("_id", -1).limit(runs)
        try:
            return [each["templates"] async for each in newest]
        except PyMongoError:
            return []

    def waiting(self) -> int:
        """How many files of the spool wait for MongoDB."""
        return len(self._spool.files()) if self._spool else 0

    async def close(self) -> None:
        """Disconnect."""
        await self.client.close()

    async def _begin(self, arguments: dict[str, Any], version: str) -> None:
        await ensure_schema(self.db)
        run = {"_id": self.run_id, "arguments": arguments, "version": version}
        await self.db["runs"].insert_one({**run, "started_at": utc_now()})

    async def _added(self) -> None:
        if self._lost:
            raise self._lost
        if not self._buffer.since:
            self._buffer.since = time.monotonic()
        if len(self._buffer) >= self._size:
            await self.flush()

    async def _age(self) -> None:
        """Write a buffer that has waited long enough; the next item reports a loss."""
        while not self._lost:
            await asyncio.sleep(min(self._seconds, 0.5) or 0.05)
            if self._away_since:
                await self._come_back()
            if len(self._buffer) and time.monotonic() - self._buffer.since >= self._seconds:
                with contextlib.suppress(StoreError):
                    await self.flush()

    async def _ask(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        """The operation's answer, once MongoDB gives one. Raises StoreError after `patience`."""
        while True:
            if self._lost:
                raise self._lost
            if not self._away_since:
                try:
                    return await operation()
                except PyMongoError as error:
                    self._went_away(error)
            await asyncio.sleep(_POLL_SECONDS)

    def _went_away(self, error: PyMongoError) -> None:
        """From now on the spool is written and `_come_back` tried. Raises StoreError without one."""
        if self._spool is None:
            self._lost = lost(error)
            raise self._lost from error
        if not self._away_since:
            self._away_since = time.monotonic()
            logger.warning("MongoDB is away: %s", lost(error))

    async def _come_back(self) -> None:
        """Take in the spool if MongoDB answers again; give up after `patience`."""
        try:
            await self.client.admin.command("ping")
            async with self._flushing:
                await self._take_in()
                self._away_since = None
            logger.warning("MongoDB is back")
        except PyMongoError as error:
            if time.monotonic() - (self._away_since or 0) > self._patience:
                self._lost = lost(error)

    async def _take_in(self) -> None:
        """Write what the spool holds. Raises PyMongoError, and then keeps it."""
        assert self._spool
        for path in self._spool.files():
            buffer = Buffer()
            for item in self._spool.read(path):
                known = isinstance(item, Sight) and str(item.document["_id"]) in buffer.articles
                if known or len(buffer) >= self._size:
                    await self._write(buffer)
                    buffer = Buffer()
                buffer.add(item)
                self.counts["taken_in"] += 1
            await self._write(buffer)
            path.unlink()

    async def _keep(self, buffer: Buffer) -> None:
        """Put a buffer into the spool. Raises StoreError."""
        assert self._spool
        try:
            self.counts["spooled"] += await asyncio.to_thread(self._spool.add, list(buffer.items()))
        except OSError as error:
            self._lost = StoreError(f"MongoDB is away and the spool cannot be written: {error}")
            raise self._lost from error

    async def _write(self, buffer: Buffer) -> None:
        refused = await self._write_articles(buffer.articles) if buffer.articles else {}
        read = {url: each for url, each in buffer.articles.items() if url not in refused}
        for url, reason in refused.items():
            sight = buffer.articles[url]
            buffer.outcomes.append(
                Outcome(
                    sight.row, "rejected", reason,
                    final_url=url, seen_at=sight.at, warc=sight.document.get("warc"),
                )
            )  # fmt: skip
            self.counts["refused"] += 1
        await self._judge_fronts(buffer.outcomes)
        states = [
            store_link(
                each.row, each.at, self._policy,
                published_at=each.document.get("published_at"), validators=each.validators,
            )
            for each in read.values()
        ]  # fmt: skip
        if buffer.unchanged:
            await self.db["articles"].bulk_write([still_there(u) for u in buffer.unchanged])
        states += [
            unchanged_link(u.url, u.seen_at or utc_now(), self._policy) for u in buffer.unchanged
        ]
        states += [settle_link(outcome, self._policy) for outcome in buffer.outcomes]
        if states:
            await self.db["frontier"].bulk_write(states, ordered=True)
        await self._write_outcomes(buffer.outcomes)
        for end in buffer.ends:
            await self.db["runs"].update_one({"_id": end.run_id}, {"$set": end.values})
        if self.rereading:
            rows = [reject_id(each.row, each.at) for each in read.values()]
            await self.db["rejects"].delete_many({"_id": {"$in": rows}})  # articles now
            await self._count_unread(buffer.outcomes)
        if buffer.visits:
            await self.db["columns"].bulk_write(
                [
                    visit_column(v) if isinstance(v, ColumnVisit) else end_walk(v)
                    for v in buffer.visits
                ],
                ordered=True,
            )

    async def _write_outcomes(self, outcomes: list[Outcome]) -> None:
        self.counts.update(o.state for o in outcomes if o.state != "pending")
        rejects = [reject_row(o, self.run_id) for o in outcomes if o.state == "rejected"]
        if rejects:
            await self.db["rejects"].bulk_write(rejects, ordered=False)
        gone = [take_down(o) for o in outcomes if o.state == "gone"]
        if gone:
            await self.db["articles"].bulk_write(gone, ordered=False)

    async def _judge_fronts(self, outcomes: list[Outcome]) -> None:
        """A front page in the place of what was stored is a takedown."""
        fronts = [o for o in outcomes if o.front]
        if fronts:
            urls = {"_id": {"$in": [o.url for o in fronts]}}
            stored = {each["_id"] async for each in self.db["articles"].find(urls, {"_id": 1})}
            for outcome in fronts:
                outcome.state = "gone" if outcome.url in stored else outcome.state

    async def _count_unread(self, outcomes: list[Outcome]) -> None:
        """Count what was an article and is rejected now."""
        rejected = {o.url: o.seen_at for o in outcomes if o.state == "rejected"}
        stored = self.db["articles"].find({"_id": {"$in": list(rejected)}}, {"changed_at": 1})
        async for each in stored:
            self.counts["unread"] += each["changed_at"] == rejected[each["_id"]]

    async def _write_articles(self, sights: dict[str, Sight]) -> dict[str, str]:
        await self._add_columns(sights)
        return await self._versions.write({url: each.document for url, each in sights.items()})

    async def _add_columns(self, sights: dict[str, Sight]) -> None:
        """The columns that listed a link since its request was made are in the frontier."""
        rows = [each.row for each in sights.values()]
        listed = {
            row["_id"]: row.get("columns", [])
            async for row in self.db["frontier"].find({"_id": {"$in": rows}}, {"columns": 1})
        }
        for each in sights.values():
            if columns := [*each.document.get("columns", []), *listed.get(each.row, [])]:
                each.document["columns"] = list(dict.fromkeys(columns))
