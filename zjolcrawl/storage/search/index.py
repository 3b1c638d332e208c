"""The index in MongoDB: what waits to be indexed, and the segments it goes into.

`search_queue` has a row for each article that was written since; it is written before the article, so
that whatever a crash cuts off is indexed by the next who comes. `search_segments` has a row a segment,
`search_parts` its tables and postings. A segment is never changed: a new one is written whole, then
marked `live`. Small ones at the end are merged into one, so that an archive of a million articles has
some thirty. One process at a time writes, by a lease; readers never wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import InsertOne, WriteConcern
from pymongo.errors import DuplicateKeyError

from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.errors import ServerRefuses
from zjolcrawl.storage.operations import clock_limit, utc_now
from zjolcrawl.storage.search import segment
from zjolcrawl.storage.search.words import FIELDS

VERSION = 1
"""Of the tokens: segments of another version are made anew."""
QUEUE, SEGMENTS, PARTS = "search_queue", "search_segments", "search_parts"
BATCH = 1000
"""Articles that are indexed at once: some 40 MB of memory."""
_LEASE = timedelta(minutes=2)
_KEPT = timedelta(minutes=10)  # a reader may be under way in a segment that was merged
_ANNOUNCED = timedelta(minutes=10)  # between a row of the queue and its article's write
# Segments are merged so many at once, and only where the largest is a quarter of the whole: each article
# is merged twice or so.
_TOGETHER, _LARGEST = 7, 4

Told = Callable[[int, int], None]
"""Called with how many articles are indexed and how many there are to index."""


async def announce(db: Database, urls: Iterable[str], by: ObjectId) -> int:
    """Put articles that a run writes next into the queue; how many. Raises PyMongoError for an outage."""
    rows = [InsertOne({"url": url, "by": by}) for url in urls]
    written = await write_each(db[QUEUE], rows)
    for _, why in written.errors.values():
        raise ServerRefuses(why)
    return len(rows)


async def live_segments(db: Database) -> list[dict[str, Any]]:
    """The rows of the segments that are whole, oldest first."""
    wanted = {"state": "live", "version": VERSION}
    return [row async for row in db[SEGMENTS].find(wanted).sort("_id", 1)]


async def waiting(db: Database) -> int:
    """How many articles were written and are not indexed yet, about."""
    return await db[QUEUE].estimated_document_count()


async def update(
    db: Database,
    by: ObjectId | None = None,
    most: int | None = None,
    told: Told | None = None,
    until: datetime | None = None,
) -> int:
    """Index what waits, about `most` articles; how many were: none while another process is at it.

    What may not be written yet is left for later: articles that the run `by` has announced since the
    second of `until`, if given, and another run in the last ten minutes.
    """
    writer = _Writer(db, by or ObjectId(), until)
    if not await writer.take_lease():
        return 0
    try:
        return await writer.run(most, told)
    finally:
        await writer.drop_lease()


async def rebuild(db: Database, told: Told | None = None) -> int:
    """Drop the index and make it from the articles."""
    for name in (SEGMENTS, PARTS, QUEUE):
        await db[name].drop()
    return await update(db, told=told)


class _Writer:
    """One process's turn at the index."""

    def __init__(self, db: Database, holder: ObjectId, until: datetime | None) -> None:
        # Of a segment's writes only the last, which makes it live, waits for the disk: what it stands
        # on was written before it, and in a replica set by a majority.
        self._db = db.with_options(write_concern=WriteConcern(w="majority", j=False))
        self._durable = db
        self._holder = holder
        self._own: dict[str, Any] = {"by": holder}
        if until:
            self._own["_id"] = {"$lt": ObjectId.from_datetime(until)}

    async def take_lease(self) -> bool:
        """Take the lease, or keep it; false if another process has it."""
        now = utc_now()
        # One that ends later than any lease may is from a clock that was ahead.
        over = [{"until": {"$lt": now}}, {"until": {"$gt": now + 2 * _LEASE}}]
        free = {"_id": "lease", "$or": [*over, {"holder": self._holder}]}
        held = {"$set": {"holder": self._holder, "until": now + _LEASE}}
        try:
            await self._db[SEGMENTS].update_one(free, held, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def drop_lease(self) -> None:
        """Let the next process in at once."""
        await self._db[SEGMENTS].delete_one({"_id": "lease", "holder": self._holder})

    async def run(self, most: int | None, told: Told | None) -> int:
        """Clear up after others, then index batch by batch."""
        await self._clear_up()
        if not await live_segments(self._db):
            await self._enqueue_all()
        done, total = 0, await waiting(self._db)
        while (most is None or done < most) and (taken := await self._batch()):
            done += taken
            if told:
                told(done, max(done, total))
            await self._merge_last()
            await self._clear_up()
        return done

    async def _batch(self) -> int:
        """Index the oldest rows of the queue; how many."""
        before = ObjectId.from_datetime(utc_now() - _ANNOUNCED)
        ahead = ObjectId.from_datetime(clock_limit())
        written = {"$or": [{"_id": {"$lt": before}}, {"_id": {"$gt": ahead}}, self._own]}
        rows = [row async for row in self._db[QUEUE].find(written).sort("_id", 1).limit(BATCH)]
        wanted = {"_id": {"$in": list({row["url"] for row in rows})}}
        found = self._db["articles"].find(wanted, dict.fromkeys(FIELDS, 1))
        if articles := [article async for article in found]:
            made = await asyncio.to_thread(segment.build, articles)
            await self._write(made.articles, self._divided(made))
        await self._db[QUEUE].delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
        return len(rows)

    async def _divided(self, made: segment.Segment) -> AsyncIterator[tuple[int, dict[str, bytes]]]:
        parts = segment.divided(made.postings, segment.buckets_for(len(made.articles)))
        for number, part in enumerate(parts):
            yield number, part

    async def _write(
        self,
        articles: Sequence[segment.Dated],
        parts: AsyncIterator[tuple[int, dict[str, bytes]]],
        replaced: Sequence[int] = (),
    ) -> None:
        """Write a segment and mark it live, in the place of those that it replaces."""
        last = await self._db[SEGMENTS].find_one(
            {"_id": {"$type": "int"}}, {"_id": 1}, sort=[("_id", -1)]
        )
        number = (last["_id"] if last else 0) + 1
        row: dict[str, Any] = {
            "_id": number, "state": "building", "version": VERSION, "articles": len(articles),
            "buckets": segment.buckets_for(len(articles)),
            "oldest": [at for at, _ in articles[:: segment.CHUNK]],
        }  # fmt: skip
        await self._db[SEGMENTS].insert_one(row)
        await self._insert(
            {"_id": table_id(number, n), **chunk}
            for n, chunk in enumerate(segment.chunks(articles))
        )
        waiting_parts: list[dict[str, Any]] = []
        async for n, part in parts:
            waiting_parts.append({"_id": postings_id(number, n), "postings": part})
            if len(waiting_parts) == 50:
                await self._insert(waiting_parts)
                waiting_parts = []
        await self._insert(waiting_parts)
        if not await self.take_lease():
            return  # too slow: another process has begun anew, and clears this up
        await self._durable[SEGMENTS].update_one({"_id": number}, {"$set": {"state": "live"}})
        dead = {"state": "dead", "until": utc_now() + _KEPT}
        await self._db[SEGMENTS].update_many({"_id": {"$in": list(replaced)}}, {"$set": dead})

    async def _insert(self, parts: Iterable[dict[str, Any]]) -> None:
        if documents := list(parts):
            await self._db[PARTS].insert_many(documents, ordered=False)

    async def _merge_last(self) -> None:
        """Merge the segments at the end, where there are many of a size."""
        rows = await live_segments(self._db)
        chosen: list[dict[str, Any]] = []
        total = largest = 0
        for count, row in enumerate(reversed(rows), 1):
            total, largest = total + row["articles"], max(largest, row["articles"])
            if total > segment.MOST:
                break
            if count >= _TOGETHER and largest * _LARGEST <= total:
                chosen = rows[-count:]
        if chosen:
            merge = segment.Merge.of([await self._table(row) for row in chosen])
            buckets = segment.buckets_for(len(merge.articles))
            await self._write(
                merge.articles, self._merged(merge, chosen, buckets), [row["_id"] for row in chosen]
            )

    async def _table(self, row: dict[str, Any]) -> list[segment.Dated]:
        ids = [table_id(row["_id"], n) for n in range(len(row["oldest"]))]
        found = self._db[PARTS].find({"_id": {"$in": ids}}).sort("_id", 1)
        return [each async for part in found for each in zip(part["at"], part["urls"], strict=True)]

    async def _merged(
        self, merge: segment.Merge, rows: Sequence[dict[str, Any]], buckets: int
    ) -> AsyncIterator[tuple[int, dict[str, bytes]]]:
        """Postings of the merged segment, part by part.

        As the numbers of parts are powers of two, tokens whose bucket is the same by the smallest of
        them are in one slice of every segment.
        """
        fewest = min(buckets, *(row["buckets"] for row in rows))
        for slice_ in range(fewest):
            ids = {
                postings_id(row["_id"], n): i
                for i, row in enumerate(rows)
                for n in range(slice_, row["buckets"], fewest)
            }
            found = self._db[PARTS].find({"_id": {"$in": list(ids)}})
            parts = [(ids[part["_id"]], part["postings"]) async for part in found]
            postings = await asyncio.to_thread(merge.postings, parts)
            divided = segment.divided(postings, buckets)
            for number in range(slice_, buckets, fewest):
                yield number, divided[number]

    async def _clear_up(self) -> None:
        """Remove what was merged, what a process left half-written, and segments of other versions."""
        unusable = {
            "_id": {"$type": "int"},
            "$or": [
                {"state": "dead", "until": {"$lt": utc_now()}}, {"state": "building"},
                {"version": {"$ne": VERSION}},
            ],
        }  # fmt: skip
        async for row in self._db[SEGMENTS].find(unusable, {"_id": 1}):
            own = {"$gte": f"{row['_id']:08d}/", "$lt": f"{row['_id']:08d}0"}
            await self._db[PARTS].delete_many({"_id": own})
            await self._db[SEGMENTS].delete_one({"_id": row["_id"]})

    async def _enqueue_all(self) -> None:
        """For an archive without an index: every article waits, as they do in a new one anyway."""
        if await waiting(self._db) >= await self._db["articles"].estimated_document_count():
            return
        stages: list[dict[str, Any]] = [
            {"$project": {"_id": 0, "url": "$_id", "by": {"$literal": self._holder}}},
            {"$merge": {"into": QUEUE}},
        ]  # fmt: skip
        await (await self._db["articles"].aggregate(stages)).to_list()


def table_id(number: int, part: int) -> str:
    """The key of a part of a segment's table of articles."""
    return f"{number:08d}/a{part:04d}"


def postings_id(number: int, part: int) -> str:
    """The key of a part of a segment's postings."""
    return f"{number:08d}/p{part:04d}"
