"""Empty databases for tests: one that is as the product makes it is emptied and used again.

MongoDB takes longer to make the collections and indexes of a database than most tests take for the rest.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from pymongo import AsyncMongoClient, MongoClient

from tests.support.rebuilding import empty
from zjolcrawl.storage.schema import ensure_schema

_MOST = 2_000, 5_000_000  # documents and bytes: more are dropped faster than deleted


class Databases:
    """Those of one server, given to one test at a time."""

    def __init__(self, uri: str, client: MongoClient[dict[str, Any]]) -> None:
        self._uri, self._client = uri, client
        self._ready: list[str] = []
        first = self.take()
        self._shape = self._shape_of(first, self._client[first].command("dbStats"))
        self._ready.append(first)

    def new(self) -> str:
        """The name of a database that does not exist."""
        return f"test_{uuid4().hex[:12]}"

    def take(self) -> str:
        """The name of an empty database with the product's collections and indexes."""
        if self._ready:
            return self._ready.pop()
        asyncio.run(_make(self._uri, name := self.new()))
        return name

    def drop(self, name: str) -> None:
        self._client.drop_database(name)

    def give_back(self, name: str) -> None:
        """Empty a database and keep it, or drop it if it is not as the product makes it."""
        db = self._client[name]
        held = db.command("dbStats")
        few = held["objects"] <= _MOST[0] and held["dataSize"] <= _MOST[1]
        if few and self._shape_of(name, held) == self._shape:
            empty(db)
            self._ready.append(name)
        else:
            self.drop(name)

    def _shape_of(self, name: str, held: dict[str, Any]) -> tuple[object, ...]:
        """How many indexes there are, and the collections with their validators; `held` is of dbStats.

        An index in the place of another is not noticed: a test that makes one has the marker `new_database`.
        """
        found = self._client[name].list_collections()
        return held["indexes"], {each["name"]: each["options"] for each in found}


async def _make(uri: str, name: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        await ensure_schema(client[name])
