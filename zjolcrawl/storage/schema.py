"""Collections, validators and indexes; created if missing."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import CollectionInvalid, OperationFailure

from zjolcrawl.fields import FIELDS, Field, object_schema
from zjolcrawl.storage.change_feed import SET_WRITTEN_AT
from zjolcrawl.storage.errors import EXISTS

_DATE = {"bsonType": "date"}
_VERSION = object_schema(FIELDS)
_VERSION["properties"]["written_at"] = {"bsonType": "timestamp"}
_KEY = {"bsonType": "object", "required": ["url", "revision"]}
_REVISION = {**_VERSION, "properties": {**_VERSION["properties"], "_id": _KEY}}
_DOUBT = (
    Field("state", "string", required=True, choices=("rejected", "gone")),
    Field("reason", "string", required=True),
    Field("since", "timestamp", required=True),
    Field("count", "int", required=True, least=1),
)
_STATES = ("pending", "stored", "rejected", "failed", "gone")
_FRONTIER = object_schema(
    (
        Field("_id", "string", required=True),
        Field("state", "string", required=True, choices=_STATES),
        Field("kind", "string", required=True),
        Field("host", "string", empty=True),
        Field("listed_title", "string"),
        Field("listed_title_seen_at", "timestamp"),
        Field("listed_at", "timestamp"),
        Field("listed_at_seen_at", "timestamp"),
        Field("discovered_at", "timestamp", required=True),
        Field("attempts", "int", required=True, least=0),
        Field("last_error", "string"),
        Field("next_visit_at", "timestamp"),
        Field("failures", "int", least=0),
        Field("image_failures", "int", least=0),
        Field("doubt", "struct", parts=_DOUBT),
    )
)
_FRONTIER["properties"]["columns"] = {
    "bsonType": "array", "items": {"bsonType": "string", "minLength": 1},
}  # fmt: skip
_NUMBER = {"bsonType": "number", "minimum": 0}
HOST_SCHEMA = {
    "bsonType": "object",
    "properties": {
        "_id": {"bsonType": "string"},
        "holder": {"bsonType": "objectId"},
        "until": _DATE,
        "asked_at": {"bsonType": ["date", "null"]},
        "delay": _NUMBER,
        "crawl_delay": _NUMBER,
        "turned_at": _DATE,
        "turns": {
            "bsonType": "array",
            "items": {
                "bsonType": "object",
                "required": ["id", "run", "until"],
                "properties": {"until": _DATE},
            },
        },
    },
}
VALIDATORS: dict[str, dict[str, Any] | None] = {
    "articles": _VERSION,
    "revisions": _REVISION,
    "frontier": _FRONTIER,
    "columns": None,
    "hosts": HOST_SCHEMA,
    "runs": None,
    "rejects": None,
    "outbox": None,
}
_HOST = r"^[a-z]+://(?:[^/?#@]*@)?([^/?#:]+)"
_NEWEST = ("published_at", DESCENDING)
# Each index serves a query in docs/questions.md, named in the comment. A partial index serves only queries that
# contain its condition literally; it indexes few articles, so it costs few writes.
_FORMER = ("search_queue", "search_segments", "search_parts")
INCOMPLETE = {"images.status": {"$lt": "stored"}}
"""Versions with an image that is `failed`, `missing` or `referenced`."""
_LACKING = IndexModel(  # versions that an imported picture completes
    [("images.url", ASCENDING)], name="incomplete_images", partialFilterExpression=INCOMPLETE
)
INDEXES: dict[str, list[IndexModel]] = {
    "articles": [
        IndexModel([_NEWEST]),  # a date range
        IndexModel([("columns", ASCENDING), _NEWEST]),  # a column in a date range, or day by day
        IndexModel([("site", ASCENDING), _NEWEST]),  # everything on a host
        IndexModel([("authors.name", ASCENDING), _NEWEST]),  # everything by a reporter
        IndexModel([("editors.name", ASCENDING), _NEWEST]),  # everything an editor signed
        IndexModel([("tags", ASCENDING), _NEWEST]),  # articles with a tag, and their other tags
        # Named explicitly, because its keys do not contain the field of its condition.
        IndexModel(
            [_NEWEST], name="images_published_at", partialFilterExpression={"images.position": 1}
        ),  # articles with images
        IndexModel(
            [_NEWEST], name="edited_published_at", partialFilterExpression={"revision": {"$gt": 1}}
        ),  # edited after publication
        IndexModel(
            [("status", ASCENDING), _NEWEST], partialFilterExpression={"status": "gone"}
        ),  # taken down
        IndexModel([("changed_at", ASCENDING)]),  # new or edited since a moment
        IndexModel([("gone_at", ASCENDING)], sparse=True),  # taken down since a moment
        IndexModel([("written_at", ASCENDING)]),  # written since a moment, for derived data
        IndexModel([("aliases", ASCENDING)]),  # an article by any URL that led to it
        IndexModel([("images.sha256", ASCENDING)], sparse=True),  # articles that show a picture
        _LACKING,
    ],
    "revisions": [
        IndexModel([("images.sha256", ASCENDING)], sparse=True),  # versions that show a picture
        _LACKING,
    ],
    "frontier": [
        IndexModel([("columns", ASCENDING), ("state", ASCENDING)]),  # states of a column's links
        IndexModel([("next_visit_at", ASCENDING)]),  # due links
        # due links of a host
        IndexModel([("host", ASCENDING), ("next_visit_at", ASCENDING), ("_id", ASCENDING)]),
    ],
    "hosts": [IndexModel([("holder", ASCENDING)])],  # the hosts of a run
    "runs": [
        IndexModel([("started_at", DESCENDING)]),  # the last runs
        IndexModel([("alive_until", ASCENDING)], sparse=True),  # live runs
        # runs at which the watches have not looked
        IndexModel([("watching", ASCENDING)], sparse=True),
    ],
    "outbox": [
        # what waits for a receiver
        IndexModel([("state", ASCENDING), ("watch", ASCENDING), ("target", ASCENDING)]),
        # What was sent stays for 90 days: longer than a run is looked at.
        IndexModel([("done_at", ASCENDING)], expireAfterSeconds=90 * 86_400),
    ],
}


async def ensure_schema(db: AsyncDatabase[dict[str, Any]]) -> list[str]:
    """Create missing collections, validators and indexes; two processes may do so at once.

    Drops only the full-text index of an earlier version, which is no longer in MongoDB; returns the names
    of the dropped collections.
    """
    existing = {each["name"]: each async for each in await db.list_collections()}
    for name, schema in VALIDATORS.items():
        validator = {"$jsonSchema": schema} if schema else None
        options: dict[str, Any] = {"validator": validator} if validator else {}
        if name not in existing:
            try:
                await db.create_collection(name, **options)
            except CollectionInvalid:
                continue  # another process was first
            except OperationFailure as error:
                if error.code != EXISTS:  # created by another process at the same time
                    raise
        elif validator and existing[name].get("options", {}).get("validator") != validator:
            await db.command("collMod", name, validator=validator)
    for name, indexes in INDEXES.items():
        await db[name].create_indexes(indexes)
    # Articles of an earlier version or another program: set the missing time of the last write.
    await db["articles"].update_many(
        {"written_at": None}, {"$currentDate": SET_WRITTEN_AT}, bypass_document_validation=True
    )
    # Links of an earlier version: set the missing host, which is needed to schedule them.
    found = {"$regexFind": {"input": {"$ifNull": ["$fetch_url", "$_id"]}, "regex": _HOST}}
    host = {"$first": {"$getField": {"field": "captures", "input": found}}}
    await db["frontier"].update_many(
        {"host": None}, [{"$set": {"host": {"$ifNull": [host, ""]}}}],
        bypass_document_validation=True,
    )  # fmt: skip
    dropped = [name for name in _FORMER if name in existing]
    for name in dropped:
        await db.drop_collection(name)
    return dropped
