"""The archive's state in MongoDB: bulk writes in the order that a crash may interrupt.

An article is durable before its frontier row says `stored`; a former version is in `revisions` before
the newest replaces it. Whatever is cut off in between is found again by the next run.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Self

from bson import ObjectId
from pymongo import AsyncMongoClient, InsertOne, ReplaceOne, UpdateMany, UpdateOne, WriteConcern
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from zjolcrawl.items import Article, ColumnVisit, Link, Outcome
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.schema import ensure_schema

_READ_KINDS = {"article", "paper"}
_DUPLICATE, _REFUSED = 11000, 121
_LONGEST_WAIT = timedelta(days=7)


class StoreUnavailable(Exception):
    """No usable database; the message is one line without credentials."""


class StoreError(Exception):
    """The database was lost during a run: what was not written is still `pending`."""


@dataclass(slots=True)
class _Buffer:
    articles: dict[str, tuple[dict[str, Any], set[str]]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    visits: list[ColumnVisit] = field(default_factory=list)
    since: float = 0.0

    def __len__(self) -> int:
        return len(self.articles) + len(self.outcomes) + len(self.visits)


class Store:
    """One run's connection. `counts` is what the run did so far."""

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], database: str, size: int, seconds: float
    ) -> None:
        self.client = client
        self.db = client.get_database(database, write_concern=WriteConcern(w="majority", j=True))
        self.run_id = ObjectId()
        self.counts: Counter[str] = Counter()
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
                    "started_at": _now(),
                }
            )
        except (PyMongoError, ValueError, TypeError, OSError) as error:
            if client:
                await client.close()
            raise StoreUnavailable(_unavailable(uri, error)) from error
        store._ageing = asyncio.get_running_loop().create_task(store._age())
        return store

    async def discover(self, links: Sequence[Link]) -> set[str]:
        """Record links durably before they are requested; the URLs that were new."""
        now = _now()
        merged: dict[str, Link] = {}
        for link in links:
            known = merged.setdefault(link.url, link)
            if known is not link:
                known.columns = list(dict.fromkeys([*known.columns, *link.columns]))
        operations = [_discovery(link, now) for link in merged.values()]
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
            raise StoreError(f"MongoDB was lost: {_short(error)}") from error
        new = set(_upserted(result, list(merged)))
        self.counts["links"] += len(merged)
        self.counts["links_new"] += len(new)
        return new

    async def put(self, article: Article, frontier_url: str | None = None) -> None:
        """Buffer an article; `frontier_url` is the link that led to it. Waits on a full buffer."""
        document = article_document(article)
        known = self._buffer.articles.get(article.url)
        rows = (known[1] if known else set()) | {frontier_url or article.url}
        if known:
            for name in ("columns", "aliases"):
                both = [*known[0].get(name, []), *document.get(name, [])]
                if both:
                    document[name] = list(dict.fromkeys(both))
        self._buffer.articles[article.url] = (document, rows)
        await self._added()

    async def outcome(self, outcome: Outcome) -> None:
        """Buffer what became of a link that gave no article."""
        self._buffer.outcomes.append(outcome)
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
                await self._write(buffer)
            except PyMongoError as error:
                self._lost = StoreError(
                    f"MongoDB was lost: {_short(error)}; unwritten links stay pending"
                )
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
            "ended_at": _now(), "exit_status": exit_status, "finish_reason": finish_reason,
            "counts": dict(counts), "seconds": round(seconds, 3),
        }  # fmt: skip
        if warnings:
            end["warnings"] = warnings
        try:
            await self.db["runs"].update_one({"_id": self.run_id}, {"$set": end})
        except PyMongoError as error:
            raise StoreError(f"MongoDB was lost: {_short(error)}") from error

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
        now = _now()
        states: list[Any] = []
        for url, (_, rows) in buffer.articles.items():
            if url in refused:
                buffer.outcomes += [
                    Outcome(row, "rejected", refused[url], final_url=url) for row in sorted(rows)
                ]
                self.counts["rejected"] += len(rows)
            else:
                states += [_stored(row, now) for row in rows]
        states += [_outcome(outcome, now) for outcome in buffer.outcomes]
        if states:
            await self.db["frontier"].bulk_write(states, ordered=True)
        await self._write_outcomes(buffer.outcomes, now)
        if buffer.visits:
            await self.db["columns"].bulk_write(
                [_visit(v, now) for v in buffer.visits], ordered=True
            )

    async def _write_outcomes(self, outcomes: list[Outcome], now: datetime) -> None:
        rejects = [_reject(o, now, self.run_id) for o in outcomes if o.state == "rejected"]
        if rejects:
            await self.db["rejects"].insert_many(rejects, ordered=False)
        gone = [o.url for o in outcomes if o.state == "gone"]
        if gone:
            await self.db["articles"].update_many(
                {"_id": {"$in": gone}, "status": "live"},
                {"$set": {"status": "gone", "gone_at": now}},
            )

    async def _write_articles(
        self, entries: dict[str, tuple[dict[str, Any], set[str]]]
    ) -> dict[str, str]:
        """Insert, touch or revise; returns the refused documents' URLs with the reasons."""
        documents = {url: document for url, (document, _) in entries.items()}
        refused: dict[str, str] = {}
        await self._add_columns(entries)
        for _ in range(5):  # each round takes up what another process changed in between
            if not documents:
                break
            documents = await self._round(documents, refused)
        for url in documents:
            refused[url] = "another process kept changing this article"
        return refused

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

    async def _round(
        self, documents: dict[str, dict[str, Any]], refused: dict[str, str]
    ) -> dict[str, Any]:
        now = _now()
        current = {
            d["_id"]: d async for d in self.db["articles"].find({"_id": {"$in": list(documents)}})
        }
        changed = {
            url: d for url, d in documents.items()
            if url in current and current[url]["content_sha256"] != d["content_sha256"]
        }  # fmt: skip
        former = [
            InsertOne({**current[url], "_id": {"url": url, "revision": current[url]["revision"]}})
            for url in changed
        ]
        if former:
            # Already there: another process, or a run that was cut off here, kept it before.
            await self._bulk("revisions", former, tolerated={_DUPLICATE})
        operations: list[Any] = []
        for url, document in documents.items():
            known = current.get(url)
            if known is None:
                operations.append(InsertOne(_first(document, now, self.run_id)))
            elif url in changed:
                operations.append(
                    ReplaceOne(
                        {"_id": url, "revision": known["revision"]},
                        _next(document, known, now, self.run_id),
                    )
                )
            else:
                operations.append(_touch(document, known, now))
        errors, matched = await self._bulk("articles", operations, tolerated={_DUPLICATE, _REFUSED})
        again: dict[str, Any] = {}
        order = list(documents)
        for index, (code, reason) in errors.items():
            url = order[index]
            if code == _DUPLICATE:
                again[url] = documents[url]
            else:
                refused[url] = reason
        expected = sum(url in current for url in order if url not in refused)
        if matched < expected and changed:
            again |= await self._overtaken(changed, current, refused)
        self._count(documents, current, changed, refused, again)
        return again

    async def _overtaken(
        self, changed: dict[str, Any], current: dict[str, Any], refused: dict[str, str]
    ) -> dict[str, Any]:
        """The changed articles whose replacement another process was faster with."""
        urls = [url for url in changed if url not in refused]
        mine = {
            d["_id"] async for d in self.db["articles"].find({"_id": {"$in": urls}, "run_id": self.run_id}, {"revision": 1})
            if d["revision"] == current[d["_id"]]["revision"] + 1
        }  # fmt: skip
        return {url: changed[url] for url in urls if url not in mine}

    def _count(self, documents: Any, current: Any, changed: Any, refused: Any, again: Any) -> None:
        for url in documents:
            if url not in refused and url not in again:
                what = "new" if url not in current else "changed" if url in changed else "same"
                self.counts[what] += 1

    async def _bulk(
        self, collection: str, operations: list[Any], tolerated: set[int]
    ) -> tuple[dict[int, tuple[int, str]], int]:
        """Errors by operation as (code, reason), and how many existing documents matched."""
        try:
            result = await self.db[collection].bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            details = error.details
            errors = {e["index"]: (e["code"], _reason(e)) for e in details["writeErrors"]}
            if any(code not in tolerated for code, _ in errors.values()) or details.get(
                "writeConcernErrors"
            ):
                raise
            return errors, details["nMatched"]
        return {}, result.matched_count


def _now() -> datetime:
    """BSON keeps milliseconds."""
    now = datetime.now(timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _discovery(link: Link, now: datetime) -> UpdateOne:
    read = link.kind in _READ_KINDS and not link.reason
    first: dict[str, Any] = {
        "state": "pending" if read else "rejected", "kind": link.kind, "discovered_at": now, "attempts": 0,
    }  # fmt: skip
    if link.reason:
        first["last_error"] = link.reason
    update: dict[str, Any] = {"$setOnInsert": first}
    if link.columns:
        update["$addToSet"] = {"columns": {"$each": link.columns}}
    if listed := {k: v for k in ("listed_title", "listed_at") if (v := getattr(link, k))}:
        update["$set"] = listed
    return UpdateOne({"_id": link.url}, update, upsert=True)


def _upserted(result: Any, urls: list[str]) -> list[str]:
    return [urls[index] for index in (result.upserted_ids or {})]


def _stored(url: str, now: datetime) -> UpdateOne:
    return UpdateOne(
        {"_id": url},
        {
            "$set": {"state": "stored", "last_attempt_at": now},
            "$unset": {"last_error": "", "next_visit_at": ""},
            "$inc": {"attempts": 1},
            "$setOnInsert": {"kind": "article", "discovered_at": now},
        },
        upsert=True,
    )


def _outcome(outcome: Outcome, now: datetime) -> UpdateOne:
    """A link's new state. What is stored stays stored, but for a page that is gone."""
    state: dict[str, Any] = {"last_error": outcome.reason, "last_attempt_at": now}
    attempts = int(outcome.attempted)
    delay: Any = "$$REMOVE"
    if outcome.state == "failed":
        hours = {
            "$min": [
                {"$pow": [2, {"$ifNull": ["$attempts", 0]}]},
                _LONGEST_WAIT.total_seconds() / 3600,
            ]
        }
        delay = {
            "$dateAdd": {
                "startDate": now,
                "unit": "minute",
                "amount": {"$toLong": {"$multiply": [hours, 60]}},
            }
        }
    keep = {"$and": [{"$eq": ["$state", "stored"]}, outcome.state != "gone"]}
    state |= {
        "state": {"$cond": [keep, "stored", outcome.state]},
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, attempts]},
        "kind": {"$ifNull": ["$kind", "article"]},
        "discovered_at": {"$ifNull": ["$discovered_at", now]},
        "next_visit_at": delay,
        "last_error": {"$literal": outcome.reason},
    }
    return UpdateOne({"_id": outcome.url}, [{"$set": state}], upsert=True)


def _reject(outcome: Outcome, now: datetime, run_id: ObjectId) -> dict[str, Any]:
    row = {
        "url": outcome.url, "final_url": outcome.final_url, "reason": outcome.reason,
        "status": outcome.status, "template": outcome.template,
        "excerpt": outcome.excerpt[:2000] if outcome.excerpt else None, "at": now, "run_id": run_id,
    }  # fmt: skip
    return {k: v for k, v in row.items() if v is not None}


def _visit(visit: ColumnVisit, now: datetime) -> UpdateOne:
    values = {k: v for k, v in visit.entry.items() if k != "id" and v is not None}
    if visit.error:
        values |= {"last_error": visit.error, "last_error_at": now}
    else:
        values["last_crawled_at"] = now
    if visit.page == 0:  # the first page's validators are what the next run asks with
        values |= {k: v for k in ("etag", "last_modified") if (v := getattr(visit, k))}
    if visit.pages_total:
        values["pages_total"] = visit.pages_total
    update: dict[str, Any] = {"$set": values}
    if visit.newest_listed_at:
        update["$max"] = {"newest_listed_at": visit.newest_listed_at}
    if not visit.error and visit.page == 0:
        update["$unset"] = {"last_error": "", "last_error_at": ""}
    return UpdateOne({"_id": visit.column}, update, upsert=True)


def _first(document: dict[str, Any], now: datetime, run_id: ObjectId) -> dict[str, Any]:
    times = {"first_seen_at": now, "last_seen_at": now, "changed_at": now}
    return {**document, "revision": 1, "status": "live", **times, "run_id": run_id}


def _next(
    document: dict[str, Any], known: dict[str, Any], now: datetime, run_id: ObjectId
) -> dict[str, Any]:
    version = _first(document, now, run_id)
    version["first_seen_at"] = known["first_seen_at"]
    version["revision"] = known["revision"] + 1
    for name in ("columns", "aliases"):
        if both := [*known.get(name, []), *document.get(name, [])]:
            version[name] = list(dict.fromkeys(both))
    if gone_at := known.get("gone_at"):
        version["gone_at"] = gone_at
    return version


def _touch(document: dict[str, Any], known: dict[str, Any], now: datetime) -> UpdateOne:
    """The same content again: `last_seen_at`, and what the page's surroundings add."""
    update: dict[str, Any] = {"$set": {"last_seen_at": now}}
    if known["status"] == "gone":
        update["$set"]["status"] = "live"
    for name in ("columns", "aliases"):
        if more := [each for each in document.get(name, []) if each not in known.get(name, [])]:
            update.setdefault("$addToSet", {})[name] = {"$each": more}
    return UpdateOne({"_id": known["_id"]}, update)


def _reason(error: dict[str, Any]) -> str:
    text = str(error.get("errmsg", "refused"))
    if info := error.get("errInfo"):
        found = re.findall(r"'propertyName': '(\w+)'|'missingProperties': \[([^\]]+)\]", str(info))
        names = sorted({name.strip("'\" ") for pair in found for name in pair if name})
        text += f": {', '.join(names)}" if names else ""
    return (
        f"refused by the validator: {text}"[:500] if error.get("code") == _REFUSED else text[:500]
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split(", Timeout:")[0].split())[:200]


def _unavailable(uri: str, error: Exception) -> str:
    where = re.sub(r"//[^@/]*@", "//", uri).partition("?")[0]
    if isinstance(error, OperationFailure):
        what = "refuses this user" if error.code in {13, 18} else _short(error)
    elif isinstance(error, (InvalidURI, ConfigurationError, ValueError, TypeError)):
        what = f"is unusable: {re.sub(r'//[^@/]*@', '//', _short(error))}"
    elif isinstance(error, (ConnectionFailure, AutoReconnect)):
        what = "cannot be reached"
    else:
        what = _short(error)
    return f"MONGODB_URI {where} {what}"
