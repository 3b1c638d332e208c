"""A connection to MongoDB, checked before it is handed out."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from zjolcrawl.storage.errors import unavailable

Client = AsyncMongoClient[dict[str, Any]]


async def connect(uri: str) -> Client:
    """A client whose server answers; times are aware. Raises StoreUnavailable within 8 s."""
    client: Client | None = None
    try:
        client = AsyncMongoClient(
            uri, tz_aware=True, appname="zjolcrawl",
            serverSelectionTimeoutMS=5000, connectTimeoutMS=5000,
        )  # fmt: skip
        await client.admin.command("ping")
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        if client:
            await client.close()
        raise unavailable(uri, error) from error
    return client
