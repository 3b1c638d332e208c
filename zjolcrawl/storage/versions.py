"""Versions of articles: insert, touch or revise, whatever another process does meanwhile."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bson import ObjectId
from pymongo import InsertOne, ReplaceOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

from zjolcrawl.storage.errors import DUPLICATE, REFUSED, refusal
from zjolcrawl.storage.operations import first_version, next_version, touch


class VersionWriter:
    """Writes versions for one run. `counts` gets new, changed and same."""

    def __init__(
        self, db: AsyncDatabase[dict[str, Any]], run_id: ObjectId, counts: Counter[str]
    ) -> None:
        self._db, self._run_id, self._counts = db, run_id, counts

    async def write(self, documents: dict[str, dict[str, Any]]) -> dict[str, str]:
        """Write documents by URL; the refused ones' URLs with the reasons. Raises PyMongoError.

        A former version is in `revisions` before the newest replaces it, and only the process that
        replaces exactly the revision it read has made the next one.
        """
        refused: dict[str, str] = {}
        for _ in range(5):  # each round takes up what another process changed in between
            if not documents:
                break
            documents = await self._round(documents, refused)
        for url in documents:
            refused[url] = "another process kept changing this article"
        return refused

    async def _round(
        self, documents: dict[str, dict[str, Any]], refused: dict[str, str]
    ) -> dict[str, Any]:
        current = {
            d["_id"]: d async for d in self._db["articles"].find({"_id": {"$in": list(documents)}})
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
            await self._bulk("revisions", former, tolerated={DUPLICATE})
        operations: list[Any] = []
        for url, document in documents.items():
            known = current.get(url)
            if known is None:
                operations.append(InsertOne(first_version(document, self._run_id)))
            elif url in changed:
                operations.append(
                    ReplaceOne(
                        {"_id": url, "revision": known["revision"]},
                        next_version(document, known, self._run_id),
                    )
                )
            else:
                operations.append(touch(document, known))
        errors, matched = await self._bulk("articles", operations, tolerated={DUPLICATE, REFUSED})
        again: dict[str, Any] = {}
        order = list(documents)
        for index, (code, reason) in errors.items():
            url = order[index]
            if code == DUPLICATE:
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
            d["_id"] async for d in self._db["articles"].find({"_id": {"$in": urls}, "run_id": self._run_id}, {"revision": 1})
            if d["revision"] == current[d["_id"]]["revision"] + 1
        }  # fmt: skip
        return {url: changed[url] for url in urls if url not in mine}

    def _count(self, documents: Any, current: Any, changed: Any, refused: Any, again: Any) -> None:
        for url in documents:
            if url not in refused and url not in again:
                what = "new" if url not in current else "changed" if url in changed else "same"
                self._counts[what] += 1

    async def _bulk(
        self, collection: str, operations: list[Any], tolerated: set[int]
    ) -> tuple[dict[int, tuple[int, str]], int]:
        """Errors by operation as (code, reason), and how many existing documents matched."""
        try:
            result = await self._db[collection].bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            details = error.details
            errors = {e["index"]: (e["code"], refusal(e)) for e in details["writeErrors"]}
            if any(code not in tolerated for code, _ in errors.values()) or details.get(
                "writeConcernErrors"
            ):
                raise
            return errors, details["nMatched"]
        return {}, result.matched_count
