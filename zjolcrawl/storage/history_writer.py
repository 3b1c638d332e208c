"""Renumbers the former versions of an article, without transactions: MongoDB may be a standalone server.

A version before the newest one gets the number that follows its predecessor, so all later ones move up. A kill
after any single write loses nothing:

1. The newest version in `articles` gets its new number first. An edit that another process is about to write
   then finds another number than it read, and decides again.
2. The documents of `revisions` are written from the last number down. Each version is under its new number
   before its old number is overwritten; until then it has both.
3. A version that has both numbers, or a number without a version, is found by the next visit that is not after
   all others. Before anything else it numbers the versions again, from 1 up.

One process at a time does this for an article: it holds a row of `history_locks`, which ends by itself.
Ordinary edits need no lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pymongo
from bson import ObjectId
from pymongo import ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from zjolcrawl.clock import EPOCH
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.change_feed import PUBLIC_FIELDS, SET_WRITTEN_AT
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.errors import DUPLICATE
from zjolcrawl.storage.history import Change, Stored
from zjolcrawl.storage.versions import Version

LOCK_SECONDS = 30.0
"""How long a lock lasts if its holder was killed. A holder that lives gives up after a third of that."""
_POLL_SECONDS = 0.05
_LAST = 2**31  # above every number of a version


class Overtaken(Exception):
    """Another process changed the article; decide again."""


class VersionRefused(Exception):
    """MongoDB refuses a version; the message is the reason."""


class HistoryWriter:
    """Adds, cuts and renumbers former versions."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def apply(self, url: str, stored: Stored, change: Change) -> bool:
        """Write a change of versions; whether the visit is stored now.

        False: decide again, because a step is done and the next one follows, or another process was faster.
        Raises VersionRefused and PyMongoError.
        """
        try:
            async with self._lock(url):
                now = await self._read(url)
                if not now.is_sound:
                    await self._renumber(url, now, now.versions)
                    return False
                if now.versions != stored.versions:
                    return False
                if len(change.versions) == len(now.versions):
                    await self._write_changed(url, now, change.versions)
                elif change.added is None:  # a version less
                    await self._renumber(url, now, change.versions)
                elif change.versions[-1]["changed_at"] != now.newest["changed_at"]:
                    await self._cut_newest(url, now, change)
                else:
                    await self._insert(url, now, change)
        except Overtaken:
            return False
        return not change.again

    async def keep(self, url: str, newest: Version) -> bool:
        """Save the newest version under its number, which is taken. False: decide again.

        The number has a copy of the same version, which a killed run or another process left, or a version
        that was left while versions were renumbered. Raises PyMongoError.
        """
        try:
            async with self._lock(url):
                now = await self._read(url)
                if not now.is_sound:
                    await self._renumber(url, now, now.versions)
                    return False
                state = ("revision", "changed_at", "last_seen_at")
                if any(now.newest[name] != newest[name] for name in state):
                    return False
                await self._write(url, newest["revision"], newest, None)
        except Overtaken:
            return False
        return True

    async def _read(self, url: str) -> Stored:
        """The stored versions. Raises Overtaken if the article was deleted."""
        newest = await self._db["articles"].find_one({"_id": url}, PUBLIC_FIELDS)
        if newest is None:
            raise Overtaken
        found = self._db["revisions"].find(former_versions(url, 1, _LAST)).sort("_id", 1)
        return Stored(newest, [each async for each in found])

    async def _insert(self, url: str, stored: Stored, change: Change) -> None:
        """Add a former version: number the newest one, move the later ones up, write the added one."""
        assert change.added is not None
        former, versions, place = stored.versions[:-1], change.versions, change.added
        await self._set_newest(stored.newest, versions[-1], len(versions))
        for index in range(len(former), place, -1):
            expected = former[index] if index < len(former) else None
            await self._write(url, index + 1, versions[index], expected)
        expected = former[place] if place < len(former) else None
        try:
            await self._write(url, place + 1, versions[place], expected, bypass=change.again)
        except VersionRefused:
            await self._renumber(url, await self._read(url), stored.versions)
            raise
        await self._write_former(url, stored, versions[:place])

    async def _cut_newest(self, url: str, stored: Stored, change: Change) -> None:
        """Put the first half of the newest version into `revisions`; `articles` keeps the second half."""
        half, newest = change.versions[-2:]
        number = stored.newest["revision"]
        await self._set_newest(stored.newest, stored.newest, number + 1)
        await self._write(url, number, half, None)
        await self._set_newest({**stored.newest, "revision": number + 1}, newest, number + 1)
        await self._write_former(url, stored, change.versions)

    async def _renumber(self, url: str, stored: Stored, versions: list[Version]) -> None:
        """Write these versions from number 1 up, and delete the documents that are left over.

        Each version is under its new number before its old one is overwritten, because numbers only become
        smaller.
        """
        slots = {each["_id"]["revision"]: each for each in stored.slots}
        for number, version in enumerate(versions[:-1], 1):
            slot = slots.get(number)
            if slot != _numbered(url, number, version):
                await self._write(url, number, version, slot)
        last = len(versions)
        if stored.newest["revision"] != last or versions[-1] != stored.newest:
            await self._set_newest(stored.newest, versions[-1], last)
        for slot in [*stored.slots, *stored.left]:
            # An edit that is being written relies on its copy of the newest version.
            is_copy = slot["changed_at"] == stored.newest["changed_at"]
            number = slot["_id"]["revision"]
            if number > last or (number == last and not is_copy):
                state = {name: slot[name] for name in ("_id", "changed_at")}
                await self._db["revisions"].delete_one(state)

    async def _write_changed(self, url: str, stored: Stored, versions: list[Version]) -> None:
        """Write the versions that differ, under their present numbers."""
        await self._write_former(url, stored, versions)
        if versions[-1] != stored.newest:
            await self._set_newest(stored.newest, versions[-1], len(versions))

    async def _write_former(self, url: str, stored: Stored, versions: list[Version]) -> None:
        for number, (old, new) in enumerate(zip(stored.versions[:-1], versions, strict=False), 1):
            if old != new:
                await self._write(url, number, new, old)

    async def _set_newest(self, known: Version, version: Version, number: int) -> None:
        """Change the newest version as far as it differs, and its number. Raises Overtaken."""
        update = difference(known, {**version, "revision": number})
        update["$currentDate"] = SET_WRITTEN_AT
        state = {name: known[name] for name in ("_id", "revision", "changed_at")}
        await self._execute("articles", UpdateOne(state, update))

    async def _write(
        self,
        url: str,
        number: int,
        version: Version,
        expected: Version | None,
        *,
        bypass: bool = True,
    ) -> None:
        """Write a former version under a number where `expected` is, or nothing that counts. Raises Overtaken.

        `bypass`: the version is stored already, so it stays part of the history even if the validator refuses
        it today.
        """
        document = _numbered(url, number, version)
        state: Version = {"_id": document["_id"]}
        if expected:  # also without a change of the version since it was copied
            state |= {name: expected[name] for name in ("changed_at", "last_seen_at", "run_id")}
        replaced = ReplaceOne(state, document, upsert=expected is None)
        await self._execute("revisions", replaced, bypass=bypass)

    async def _execute(self, collection: str, operation: Any, *, bypass: bool = True) -> None:
        """Execute one operation. Raises Overtaken, VersionRefused and PyMongoError."""
        written = await write_each(self._db[collection], [operation], bypass=bypass)
        for code, why in written.errors.values():
            if code == DUPLICATE:
                raise Overtaken
            raise VersionRefused(why)
        if not written.done:
            raise Overtaken

    @asynccontextmanager
    async def _lock(self, url: str) -> AsyncIterator[None]:
        """Hold the lock of an article. Raises PyMongoError if the block takes too long."""
        holder = ObjectId()
        while not await self._acquire(url, holder):  # noqa: ASYNC110  # another process holds it
            await asyncio.sleep(_POLL_SECONDS)
        try:
            with pymongo.timeout(LOCK_SECONDS / 3):
                yield
        finally:
            await self._db["history_locks"].delete_one({"_id": url, "holder": holder})

    async def _acquire(self, url: str, holder: ObjectId) -> bool:
        """Take the lock if nobody holds it, by the server's clock."""
        is_free = {"$lt": [{"$ifNull": ["$until", EPOCH]}, "$$NOW"]}
        until = {"$add": ["$$NOW", round(LOCK_SECONDS * 1000)]}
        taken = {
            name: {"$cond": [is_free, value, f"${name}"]}
            for name, value in (("holder", holder), ("until", until))
        }
        try:
            row = await self._db["history_locks"].find_one_and_update(
                {"_id": url}, [{"$set": taken}], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # two processes inserted it at once
            return False
        return bool(row and row["holder"] == holder)


def difference(known: Version, version: Version) -> dict[str, Any]:
    """The update that makes a stored version another one; empty if they are equal."""
    changed = {n: v for n, v in version.items() if n != "_id" and known.get(n, ...) != v}
    removed = {name: "" for name in known if name not in version}
    update = {"$set": changed, "$unset": removed}
    return {name: values for name, values in update.items() if values}


def _numbered(url: str, number: int, version: Version) -> Version:
    return {**version, "_id": {"url": url, "revision": number}, "revision": number}
