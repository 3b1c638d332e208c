"""The archive's state in MongoDB: bulk writes in the order that a crash may interrupt.

An article is durable before its frontier row says `stored`; a former version is in `revisions` before
the newest replaces it. Whatever is cut off in between is found again by the next run.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from bson import ObjectId
from pymongo import AsyncMongoClient, UpdateMany, WriteConcern
from pymongo.errors import PyMongoError

from zjolcrawl.items import Article, ColumnVisit, Link, Outcome
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.errors import StoreError, lost, unavailable
from zjolcrawl.storage.operations import (
    discover_link,
    reject_row,
    settle_link,
    store_link,
    take_down,
    utc_now,
    visit_column,
)
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.versions import VersionWriter


@dataclass(slots=True)
class _Buffer:
    articles: dict[str, tuple[dict[str, Any], set[str]]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    visits: list[ColumnVisit] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    since: float = 0.0

    def __len__(self) -> int:
        return len(self.articles) + len(self.outcomes) + len(self.visits)


class Store:
    """One run's connection. `counts` is what the run did so far.

    `before_write`, if set, is awaited before anything is written that was put: what it points to is
    made durable first. It raises StoreError where that fails.
    """

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], database: str, size: int, seconds: float
    ) -> None:
        self.before_write: Callable[[], Awaitable[None]] | None = None
        self.client = client
        self.db = client.get_database(database, write_concern=WriteConcern(w="majority", j=True))
        self.run_id = ObjectId()
        self.counts: Counter[str] = Counter()
        self._versions = VersionWriter(self.db, self.run_id, self.counts)
        self._size, self._seconds = size, seconds
        self._buffer = _Buffer()
        self._flushing = asyncio.Lock()
        self._ageing: asyncio.Task[None] | None = None
        self._lost: StoreError | None = None

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
    ) -> Self:
        """Connect, create what is absent, begin the run. Raises StoreUnavailable within 8 s."""
        client: AsyncMongoClient[dict[str, Any]] | None = None
        try:
            client = AsyncMongoClient(
                uri, tz_aware=True, appname="zjolcrawl",
                serverSelectionTimeoutMS=5000, connectTimeoutMS=5000,
            )  # fmt: skip
            store = cls(client, database, batch_size, batch_seconds)
            await client.admin.command("ping")
            await ensure_schema(store.db)
            await store.db["runs"].insert_one(
                {
                    "_id": store.run_id,
                    "arguments": run_arguments,
                    "version": version,
                    "started_at": utc_now(),
                }
            )
        except (PyMongoError, ValueError, TypeError, OSError) as error:
            if client:
                await client.close()
            raise unavailable(uri, error) from error
        store._ageing = asyncio.get_running_loop().create_task(store._age())
        return store

    async def discover(self, links: Sequence[Link]) -> set[str]:
        """Record links durably before they are requested; the URLs that were new."""
        merged: dict[str, Link] = {}
        for link in links:
            known = merged.setdefault(link.url, link)
            if known is not link:
                known.columns = list(dict.fromkeys([*known.columns, *link.columns]))
        operations = [discover_link(link) for link in merged.values()]
        listed = [link for link in merged.values() if link.columns]
        try:
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
        except PyMongoError as error:
            raise lost(error) from error
        urls = list(merged)
        new = {urls[index] for index in (result.upserted_ids or {})}
        self.counts["links"] += len(merged)
        self.counts["links_new"] += len(new)
        return new

    async def put(self, article: Article, frontier_url: str | None = None) -> None:
        """Buffer an article; `frontier_url` is the link that led to it. Waits on a full buffer."""
        document = article_document(article)
        row = frontier_url or article.url
        known = self._buffer.articles.get(article.url)
        edited = known and known[0]["content_sha256"] != document["content_sha256"]
        if edited or row in self._buffer.settled:
            await self.flush()  # two states of one page are written one after the other
            known = None
        rows = (known[1] if known else set()) | {row}
        if known:
            for name in ("columns", "aliases"):
                both = [*known[0].get(name, []), *document.get(name, [])]
                if both:
                    document[name] = list(dict.fromkeys(both))
        self._buffer.articles[article.url] = (document, rows)
        await self._added()

    async def outcome(self, outcome: Outcome) -> None:
        """Buffer what became of a link that gave no article."""
        if outcome.front and await self._is_stored(outcome.url):
            outcome.state = "gone"
        self._buffer.outcomes.append(outcome)
        self._buffer.settled.add(outcome.url)
        if outcome.state in {"rejected", "failed", "gone"}:
            self.counts[outcome.state] += 1
        await self._added()

    async def column_visit(self, visit: ColumnVisit) -> None:
        """Buffer a visit of a column page."""
        self._buffer.visits.append(visit)
        self.counts["pages"] += 1
        await self._added()

    async def flush(self) -> None:
        """Write the buffer: articles, then frontier, then the rest. Raises StoreError."""
        async with self._flushing:
            if self._lost:
                raise self._lost
            buffer, self._buffer = self._buffer, _Buffer()
            if not buffer:
                return
            try:
                if self.before_write:
                    await self.before_write()
                await self._write(buffer)
            except StoreError as error:
                self._lost = error
                raise
            except PyMongoError as error:
                self._lost = lost(error)
                raise self._lost from error

    async def end_run(
        self,
        exit_status: int,
        finish_reason: str,
        counts: dict[str, int],
        warnings: list[str],
        seconds: float,
    ) -> None:
        """Complete the `runs` document."""
        end = {
            "ended_at": utc_now(), "exit_status": exit_status, "finish_reason": finish_reason,
            "counts": dict(counts), "seconds": round(seconds, 3),
        }  # fmt: skip
        if warnings:
            end["warnings"] = warnings
        try:
            await self.db["runs"].update_one({"_id": self.run_id}, {"$set": end})
        except PyMongoError as error:
            raise lost(error) from error

    async def close(self) -> None:
        """Write what is left and disconnect."""
        if self._ageing:
            self._ageing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ageing
        try:
            await self.flush()
        finally:
            await self.client.close()

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
            if len(self._buffer) and time.monotonic() - self._buffer.since >= self._seconds:
                with contextlib.suppress(StoreError):
                    await self.flush()

    async def _write(self, buffer: _Buffer) -> None:
        refused = await self._write_articles(buffer.articles) if buffer.articles else {}
        states: list[Any] = []
        for url, (document, rows) in buffer.articles.items():
            if url in refused:
                buffer.outcomes += [
                    Outcome(
                        row, "rejected", refused[url],
                        final_url=url, seen_at=document["last_seen_at"], warc=document.get("warc"),
                    )
                    for row in sorted(rows)
                ]  # fmt: skip
                self.counts["rejected"] += len(rows)
            else:
                states += [store_link(row, document["last_seen_at"]) for row in rows]
        states += [settle_link(outcome) for outcome in buffer.outcomes]
        if states:
            await self.db["frontier"].bulk_write(states, ordered=True)
        await self._write_outcomes(buffer.outcomes)
        if buffer.visits:
            await self.db["columns"].bulk_write(
                [visit_column(v) for v in buffer.visits], ordered=True
            )

    async def _write_outcomes(self, outcomes: list[Outcome]) -> None:
        rejects = [reject_row(o, self.run_id) for o in outcomes if o.state == "rejected"]
        if rejects:
            await self.db["rejects"].insert_many(rejects, ordered=False)
        gone = [take_down(o) for o in outcomes if o.state == "gone"]
        if gone:
            await self.db["articles"].bulk_write(gone, ordered=False)

    async def _is_stored(self, url: str) -> bool:
        if url in self._buffer.articles:
            return True
        try:
            return bool(await self.db["articles"].find_one({"_id": url}, {"_id": 1}))
        except PyMongoError as error:
            raise lost(error) from error

    async def _write_articles(
        self, entries: dict[str, tuple[dict[str, Any], set[str]]]
    ) -> dict[str, str]:
        await self._add_columns(entries)
        return await self._versions.write({url: entry[0] for url, entry in entries.items()})

    async def _add_columns(self, entries: dict[str, tuple[dict[str, Any], set[str]]]) -> None:
        """The columns that listed a link since its request was made are in the frontier."""
        rows = [row for _, each in entries.values() for row in each]
        listed = {
            row["_id"]: row.get("columns", [])
            async for row in self.db["frontier"].find({"_id": {"$in": rows}}, {"columns": 1})
        }
        for document, urls in entries.values():
            columns = [
                *document.get("columns", []),
                *(c for url in sorted(urls) for c in listed.get(url, [])),
            ]
            if columns:
                document["columns"] = list(dict.fromkeys(columns))
