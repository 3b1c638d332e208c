"""The archive's state in MongoDB, as a run sees it: links in, items in, written in bulk.

What is written when is `writer`'s; here is the connection, the buffer and what happens when the
server goes away.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Self, TypeVar

from bson import ObjectId
from pymongo import AsyncMongoClient, UpdateMany, WriteConcern
from pymongo.errors import ConnectionFailure, InvalidName, OperationFailure, PyMongoError

from zjolcrawl.items import Article, ColumnVisit, Link, Outcome
from zjolcrawl.storage.documents import clean, discovered
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.writer import Batch, Writer, is_passing

T = TypeVar("T")

_CONNECT_SECONDS = 7.0
_SELECTION_MS = 5000
_NOT_ALLOWED = {13, 18, 8000}  # Unauthorized, AuthenticationFailed, Atlas's own


class StoreUnavailable(Exception):
    """No usable database; the message is one line without credentials."""


class StoreError(Exception):
    """The database was lost during a run: what was not written is not `stored`."""


class Store:
    """One run's connection. `counts` is what the run did so far.

    Its keys: new, changed, same, rejected, failed, gone, pages, links and links_new.
    """

    def __init__(
        self,
        client: AsyncMongoClient[dict[str, Any]],
        database: str,
        size: int,
        seconds: float,
        patience: float,
    ) -> None:
        """Use `Store.open`."""
        self.client = client
        self.db = client.get_database(database, write_concern=WriteConcern(w="majority", j=True))
        self.run_id = ObjectId()
        self.counts: Counter[str] = Counter()
        self._size, self._seconds, self._patience = size, seconds, patience
        self._writer = Writer(self.db, self.run_id, self.counts)
        self._buffer = Batch()
        self._in_flight: Batch | None = None  # kept until all of it is written
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
        retry_seconds: float = 20.0,
    ) -> Self:
        """Connect, create what is absent, begin the run. Raises StoreUnavailable.

        It does so within 8 s where no server answers. `batch_size` items or `batch_seconds` make a
        write due; a lost server is waited for `retry_seconds`.
        """
        client: AsyncMongoClient[dict[str, Any]] | None = None
        try:
            client = AsyncMongoClient(
                uri, tz_aware=True, appname="zjolcrawl",
                serverSelectionTimeoutMS=_SELECTION_MS, connectTimeoutMS=_SELECTION_MS,
            )  # fmt: skip
            store = cls(client, database, batch_size, batch_seconds, retry_seconds)
            async with asyncio.timeout(_CONNECT_SECONDS):
                await client.admin.command("ping")
            await ensure_schema(store.db)
            run = {"_id": store.run_id, "arguments": clean(run_arguments), "version": version}
            await store.db["runs"].insert_one({**run, "started_at": store._writer.tick()})
        except (PyMongoError, ValueError, TypeError, OSError) as error:
            if client:
                await client.close()
            # Without the cause: its traceback would show the URI, password and all.
            raise StoreUnavailable(_unavailable(uri, database, error)) from None
        store._ageing = asyncio.get_running_loop().create_task(store._age())
        return store

    async def discover(self, links: Sequence[Link]) -> set[str]:
        """Record links durably before they are requested; the URLs that were new.

        A link that is known keeps its state and gains columns. Raises StoreError.
        """
        merged: dict[str, Link] = {}
        for link in links:
            known = merged.get(link.url)
            columns = list(dict.fromkeys([*(known.columns if known else []), *link.columns]))
            merged[link.url] = replace(known or link, columns=columns)
        if not merged:
            return set()
        at = self._writer.tick()
        rows = [discovered(link, at) for link in merged.values()]
        # An article that another column listed before belongs to this one too.
        groups: dict[tuple[str, ...], list[str]] = {}
        for link in merged.values():
            if link.columns:
                groups.setdefault(tuple(link.columns), []).append(clean(link.url))
        articles = [
            UpdateMany({"_id": {"$in": urls}}, {"$addToSet": {"columns": {"$each": list(columns)}}})
            for columns, urls in groups.items()
        ]
        made: set[int] = set()

        async def write() -> None:
            made.update(await self._writer.upsert("frontier", rows))
            await self._writer.upsert("articles", articles)

        await self._persist(write)
        urls = list(merged)
        self.counts["links"] += len(merged)
        self.counts["links_new"] += len(made)
        return {urls[index] for index in made}

    async def put(self, article: Article, frontier_url: str | None = None) -> None:
        """Buffer an article; `frontier_url` is the link that led to it. Waits on a full buffer."""
        self._check()
        self._buffer.add(article, frontier_url)
        await self._flush_if_full()

    async def outcome(self, outcome: Outcome) -> None:
        """Buffer what became of a link that gave no article."""
        self._check()
        self._buffer.add(self._writer.note(outcome))
        if outcome.state in {"rejected", "failed", "gone"}:
            self.counts[outcome.state] += 1
        await self._flush_if_full()

    async def column_visit(self, visit: ColumnVisit) -> None:
        """Buffer a visit of a column page."""
        self._check()
        self._buffer.add(visit)
        self.counts["pages"] += 1
        await self._flush_if_full()

    async def flush(self) -> None:
        """Write the buffer: articles, then frontier, then the rest. Raises StoreError.

        The buffer is kept then, and another call tries once more.
        """
        lost_before = self._lost
        async with self._flushing:
            if self._lost and not lost_before:
                raise self._lost  # the flush that this one waited for was in vain
            try:
                while batch := self._next_batch():
                    await self._persist(lambda batch=batch: self._writer.write(batch))  # type: ignore[misc]
                    self._in_flight = None
            except StoreError as error:
                self._lost = error
                raise
            self._lost = None

    async def end_run(
        self,
        exit_status: int,
        finish_reason: str,
        counts: dict[str, int],
        warnings: list[str],
        seconds: float,
    ) -> None:
        """Complete the `runs` document. Raises StoreError."""
        end = {
            "ended_at": self._writer.tick(), "exit_status": exit_status,
            "finish_reason": finish_reason, "counts": dict(counts), "seconds": round(seconds, 3),
        }  # fmt: skip
        if warnings:
            end["warnings"] = clean(warnings)
        run = {"_id": self.run_id}
        await self._persist(lambda: self.db["runs"].update_one(run, {"$set": end}))

    async def close(self) -> None:
        """Write what is left and disconnect. Raises StoreError if it cannot be written."""
        try:
            if self._ageing:
                # Cut off in the middle of a write, its batch stays in flight and is taken up below.
                self._ageing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._ageing
            await self.flush()
        finally:
            await self.client.close()

    def _check(self) -> None:
        if self._lost:
            raise self._lost

    def _next_batch(self) -> Batch | None:
        if self._in_flight is None and len(self._buffer):
            self._in_flight, self._buffer = self._buffer, Batch()
        return self._in_flight

    async def _flush_if_full(self) -> None:
        if len(self._buffer) >= self._size:
            await self.flush()

    async def _age(self) -> None:
        """Write a buffer that has waited long enough; the next item reports a loss."""
        while True:
            await asyncio.sleep(min(self._seconds / 4, 0.5) or 0.05)
            if not self._lost and len(self._buffer) and self._buffer.age() >= self._seconds:
                with contextlib.suppress(StoreError):  # kept as `_lost`
                    await self.flush()

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Do a write that may be repeated until it succeeds; StoreError after `retry_seconds`."""
        patience = 0.0 if self._lost else self._patience
        deadline = time.monotonic() + patience
        delay = 0.1
        while True:
            try:
                # A server that hangs answers nothing and breaks nothing off either.
                async with asyncio.timeout(self._patience + _CONNECT_SECONDS):
                    return await write()
            except TimeoutError as error:
                raise StoreError("MongoDB was lost: it does not answer") from error
            except PyMongoError as error:
                if not is_passing(error) or time.monotonic() + delay > deadline:
                    raise StoreError(f"MongoDB was lost: {_short(error)}") from error
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)


def _short(error: Exception) -> str:
    return " ".join(re.split(r", Timeout:|, full error:", str(error))[0].split())[:200]


def _unavailable(uri: str, database: str, error: Exception) -> str:
    """One line on why there is no store, without anything of the URI that may be secret."""
    if isinstance(error, InvalidName):
        return f"MONGODB_DATABASE {database!r} is no database name: {_short(error)}"
    where = f"MONGODB_URI {_address(uri)}".rstrip()
    if isinstance(error, OperationFailure):
        refused = error.code in _NOT_ALLOWED
        return f"{where} {'refuses this user' if refused else _short(error)}"
    if isinstance(error, ConnectionFailure | OSError):
        return f"{where} cannot be reached"
    # A parser quotes what it does not understand, which may be a piece of the password.
    what = re.sub(r":? *(['\"(\[]).*", "", _short(error)) if "://" in uri else "no mongodb://"
    return f"{where} is unusable: {what}"


def _address(uri: str) -> str:
    """Scheme and hosts of a URI, or nothing where they cannot be told from a password."""
    host = r"(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?"
    found = re.match(
        rf"(mongodb(?:\+srv)?://)(?:[^/?#@]*@)?({host}(?:,{host})*)(?=[/?]|$)([^@]*)$", uri
    )
    return found[1] + found[2] if found else ""
