"""Queries of `scrapy verify`: every WARC record and every image that documents refer to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import records_of

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image file: its path in the store, its sha256 in hex, and the URL it came from."""

    path: str
    sha256: str
    url: str


async def referred_records(db: Database) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The URL and the place (`warc`) of every record that versions of articles and rejects refer to."""
    fields = {"warc": 1, "pages_warc": 1, "url": 1}
    for name in ("articles", "revisions", "rejects"):
        async for each in db[name].find({}, fields, batch_size=_BATCH):
            key = each["_id"]
            url = each.get("url") or (key.get("url") if isinstance(key, dict) else key)
            for place in records_of(each):
                if isinstance(place, dict):
                    yield str(url), place


async def stored_images(db: Database) -> AsyncIterator[StoredImage]:
    """Every stored image of every version, once per path and sha256, ordered by path."""
    text = {"$type": "string"}
    versions: list[dict[str, Any]] = [
        {"$match": {"images.sha256": text}},
        {"$project": {"images.path": 1, "images.sha256": 1, "images.url": 1}},
        {"$unwind": "$images"},
    ]
    stages: list[dict[str, Any]] = [
        *versions,
        {"$unionWith": {"coll": "revisions", "pipeline": versions}},
        {"$match": {"images.path": text, "images.sha256": text}},
        {"$group": {
            "_id": {"path": "$images.path", "sha256": "$images.sha256"},
            "url": {"$first": "$images.url"},
        }},
        {"$sort": {"_id": 1}},
    ]  # fmt: skip
    async for each in await db["articles"].aggregate(stages, allowDiskUse=True, batchSize=_BATCH):
        yield StoredImage(each["_id"]["path"], each["_id"]["sha256"], str(each.get("url")))
