"""One batch to MongoDB, in the order that a crash may interrupt at any point.

Articles are durable before their frontier rows say `stored`; a former version is in `revisions`
before the newest replaces it. Every step may be repeated: a batch whose acknowledgement was lost is
written again from the start and changes and counts nothing twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from bson import ObjectId
from pymongo import InsertOne, ReplaceOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError

from zjolcrawl.items import Article, ColumnVisit, Outcome
from zjolcrawl.storage.documents import (
    Document,
    article_document,
    clean,
    first_version,
    next_version,
    outcome_state,
    reject,
    same_again,
    stored,
    unite,
    unstorable,
    visited,
)
from zjolcrawl.storage.schema import VALIDATOR_CODE, refusal

logger = logging.getLogger(__name__)

_DUPLICATE = 11000
_REFUSED = {VALIDATOR_CODE, 10334, 17419, 17420}  # the last three: too large
# The server is shutting down, starting or electing (MongoDB error codes); it will be back.
_PASSING = {91, 189, 10107, 11600, 11602, 13435, 13436}
_ROUNDS = 5
_BOOKKEEPING = (
    "content_sha256", "revision", "status", "columns", "aliases", "run_id", "changed_at"
)  # fmt: skip


@dataclass(slots=True)
class _Entry:
    document: Document
    rows: set[str]  # the frontier rows that this article settles


@dataclass(slots=True)
class _Noted:
    outcome: Outcome
    at: datetime
    row_id: ObjectId = field(default_factory=ObjectId)  # a second insert is seen to be one


@dataclass(slots=True)
class Batch:
    """What waits to be written. `settled` and `refused` are the articles already dealt with."""

    articles: dict[str, _Entry] = field(default_factory=dict)
    outcomes: list[_Noted] = field(default_factory=list)
    visits: list[ColumnVisit] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    at: datetime | None = None
    since: float = 0.0

    def __len__(self) -> int:
        return len(self.articles) + len(self.outcomes) + len(self.visits)

    def age(self) -> float:
        """Seconds since the first item came in; 0 for an empty one."""
        return time.monotonic() - self.since if len(self) else 0.0

    def add(self, item: Article | ColumnVisit | _Noted, frontier_url: str | None = None) -> None:
        """Take one item in; of an article that comes twice the last wins, with both's columns."""
        if not len(self):
            self.since = time.monotonic()
        if isinstance(item, Article):
            document, row = article_document(item), frontier_url or item.url
            if known := self.articles.get(item.url):
                self.articles[item.url] = _Entry(
                    unite(document, known.document), known.rows | {row}
                )
            else:
                self.articles[item.url] = _Entry(document, {row})
        elif isinstance(item, ColumnVisit):
            self.visits.append(item)
        else:
            self.outcomes.append(item)


class Writer:
    """Writes batches for one run; `counts` gets new, changed, same, rejected and failed."""

    def __init__(self, db: AsyncDatabase[Document], run_id: ObjectId, counts: Counter[str]) -> None:
        self.db, self.run_id, self.counts = db, run_id, counts
        self._last = datetime.min.replace(tzinfo=timezone.utc)

    def tick(self) -> datetime:
        """The time in UTC, cut to BSON's milliseconds and never twice the same in one run."""
        now = datetime.now(timezone.utc)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last = max(now, self._last + timedelta(milliseconds=1))
        return self._last

    def note(self, outcome: Outcome) -> _Noted:
        """An outcome with the time that makes its attempt one of a kind."""
        return _Noted(outcome, self.tick())

    async def write(self, batch: Batch) -> None:
        """Write the batch, or what an interrupted call left of it. Raises PyMongoError."""
        batch.at = batch.at or self.tick()
        await self._articles(batch, batch.at)
        rows = sorted({row for url in batch.settled for row in batch.articles[url].rows})
        states = [stored(row, batch.at) for row in rows]
        # One mongod takes the updates of one row in this order, ordered or not.
        states += [outcome_state(each.outcome, each.at) for each in batch.outcomes]
        await self.upsert("frontier", states)
        await self._rejects_and_gone(batch.outcomes, batch.at)
        await self.upsert("columns", [visited(visit, batch.at) for visit in batch.visits])

    async def upsert(self, collection: str, operations: list[Any]) -> set[int]:
        """Upserts whose repetition does no harm; the indexes of those that made a document.

        A key that is there already means another process made the document in between, so the
        operation is due once more, or that it is done, and then once more changes nothing.
        """
        errors, result = await self._bulk(collection, operations)
        made = {each["index"] for each in result.get("upserted", [])}
        if again := [i for i, (code, _) in errors.items() if code == _DUPLICATE]:
            more, _ = await self._bulk(collection, [operations[i] for i in again])
            errors = {i: e for i, e in errors.items() if e[0] != _DUPLICATE}
            errors |= {again[i]: e for i, e in more.items() if e[0] != _DUPLICATE}
        for index, (_, reason) in errors.items():
            logger.error("%s was not updated: %s: %s", collection, operations[index], reason)
        return made

    async def _rejects_and_gone(self, noted: list[_Noted], at: datetime) -> None:
        rows = [
            InsertOne(reject(each.outcome, each.at, each.row_id, self.run_id))
            for each in noted
            if each.outcome.state == "rejected"
        ]
        await self._bulk("rejects", rows)  # a row that is there already was written before
        gone = [clean(each.outcome.url) for each in noted if each.outcome.state == "gone"]
        if gone:
            await self.db["articles"].update_many(
                {"_id": {"$in": gone}, "status": "live"},
                {"$set": {"status": "gone", "gone_at": at}},
            )

    async def _articles(self, batch: Batch, at: datetime) -> None:
        """Insert, touch or revise; each round takes up what another process was faster with."""
        if not batch.articles:
            return
        await self._add_columns(batch.articles.values())
        for url, entry in batch.articles.items():
            if url not in batch.refused and (reason := unstorable(entry.document)):
                self._refuse(batch, url, reason)
        for _ in range(_ROUNDS):
            dealt_with = batch.settled | batch.refused
            todo = {u: e.document for u, e in batch.articles.items() if u not in dealt_with}
            if not todo:
                return
            await self._round(batch, todo, at)
        for url in batch.articles.keys() - batch.settled - batch.refused:
            self._refuse(batch, url, "other processes kept changing this article", "failed")

    async def _add_columns(self, entries: Collection[_Entry]) -> None:
        """The columns that listed a link since its request was made are in the frontier."""
        rows = [clean(row) for entry in entries for row in entry.rows]
        listed = {
            row["_id"]: row.get("columns", [])
            async for row in self.db["frontier"].find({"_id": {"$in": rows}}, {"columns": 1})
        }
        for entry in entries:
            later = [column for row in sorted(entry.rows) for column in listed.get(row, [])]
            if columns := [*entry.document.get("columns", []), *later]:
                entry.document["columns"] = list(dict.fromkeys(columns))

    async def _round(self, batch: Batch, todo: dict[str, Document], at: datetime) -> None:
        found = self.db["articles"].find({"_id": {"$in": list(todo)}}, list(_BOOKKEEPING))
        known = {each["_id"]: each async for each in found}
        differing = [
            url for url, each in known.items()
            if each["content_sha256"] != todo[url]["content_sha256"]
        ]  # fmt: skip
        former = await self._keep_former(batch, differing)
        operations: dict[str, Any] = {}
        kinds: dict[str, str] = {}
        for url, document in todo.items():
            if url in batch.refused:
                continue
            if url not in known:
                operations[url] = InsertOne(first_version(document, at, self.run_id))
                kinds[url] = "new"
            elif url in differing:
                if each := former.get(url):  # else it is gone again: next round
                    newest = next_version(document, each, at, self.run_id)
                    guard = {"_id": url, "revision": each["revision"]}
                    operations[url], kinds[url] = ReplaceOne(guard, newest), "changed"
            elif known[url]["run_id"] == self.run_id and known[url]["changed_at"] == at:
                self._settle(batch, url, "new" if known[url]["revision"] == 1 else "changed")
            else:
                operations[url], kinds[url] = same_again(document, known[url], at), "same"
        await self._apply(batch, operations, kinds)

    async def _keep_former(self, batch: Batch, urls: list[str]) -> dict[str, Document]:
        """The present versions of these articles, once they are safe in `revisions`."""
        if not urls:
            return {}
        found = self.db["articles"].find({"_id": {"$in": urls}})
        former = {each["_id"]: each async for each in found}
        rows = [
            InsertOne({**each, "_id": {"url": url, "revision": each["revision"]}})
            for url, each in former.items()
        ]
        errors, _ = await self._bulk("revisions", rows)
        order = list(former)
        for index, (code, reason) in errors.items():
            # There already: another process, or a run that was cut off here, kept it before.
            if code != _DUPLICATE:
                self._refuse(batch, order[index], f"the former version cannot be kept: {reason}")
        return former

    async def _apply(self, batch: Batch, operations: dict[str, Any], kinds: dict[str, str]) -> None:
        """Write, and settle what is known to be done; what is not known is for the next round."""
        order = list(operations)
        errors, result = await self._bulk("articles", list(operations.values()))
        for index, (code, reason) in errors.items():
            if code != _DUPLICATE:
                self._refuse(batch, order[index], reason)
        done = {url for index, url in enumerate(order) if index not in errors}
        if result.get("nMatched", 0) < sum(kinds[url] != "new" for url in done):
            # A guard did not match. Which one, the next round sees by run and time.
            done -= {url for url in done if kinds[url] == "changed"}
        for url in done:
            self._settle(batch, url, kinds[url])

    def _settle(self, batch: Batch, url: str, kind: str) -> None:
        batch.settled.add(url)
        self.counts[kind] += 1

    def _refuse(self, batch: Batch, url: str, reason: str, state: str = "rejected") -> None:
        """Turn an article into the outcome that its frontier rows and `rejects` keep."""
        batch.refused.add(url)
        entry = batch.articles[url]
        for row in sorted(entry.rows):
            outcome = Outcome(
                row, state, reason, final_url=url,
                template=entry.document["parser"]["template"],
                excerpt=f"{entry.document.get('title', '')}\n{entry.document['body']}",
            )  # fmt: skip
            batch.outcomes.append(self.note(outcome))
            self.counts[state] += 1

    async def _bulk(
        self, collection: str, operations: list[Any]
    ) -> tuple[dict[int, tuple[int, str]], Document]:
        """Errors of single operations as {index: (code, reason)}, and the server's counts.

        Only duplicate keys and refused documents are such; any other error is raised.
        """
        if not operations:
            return {}, {}
        try:
            result = await self.db[collection].bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            details: Document = dict(error.details)
            errors = {e["index"]: (e["code"], refusal(e)) for e in details["writeErrors"]}
            own = all(code in {_DUPLICATE, *_REFUSED} for code, _ in errors.values())
            if not own or details.get("writeConcernErrors"):
                raise
            return errors, details
        return {}, result.bulk_api_result


def is_passing(error: PyMongoError) -> bool:
    """Whether the connection was lost or the server is changing, so that a later try may do."""
    if isinstance(error, ConnectionFailure):
        return True
    if isinstance(error, BulkWriteError):
        faults = error.details.get("writeErrors", []) + error.details.get("writeConcernErrors", [])
        return any(fault.get("code") in _PASSING for fault in faults)
    return isinstance(error, OperationFailure) and error.code in _PASSING
