"""Collections, validators and indexes: created if absent, never dropped."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import CollectionInvalid, OperationFailure

from zjolcrawl.fields import FIELDS, object_schema
from zjolcrawl.storage.changes import MOVED
from zjolcrawl.storage.errors import EXISTS

_TEXT = {"bsonType": "string", "minLength": 1}
_DATE = {"bsonType": "date"}
_VERSION = object_schema(FIELDS)
_VERSION["properties"]["written_at"] = {"bsonType": "timestamp"}
_REVISION = {
    **_VERSION,
    "properties": {
        **_VERSION["properties"],
        "_id": {"bsonType": "object", "required": ["url", "revision"]},
    },
}
_FRONTIER = {
    "bsonType": "object",
    "required": ["_id", "state", "kind", "discovered_at", "attempts"],
    "properties": {
        "_id": _TEXT,
        "state": {"enum": ["pending", "stored", "rejected", "failed", "gone"]},
        "kind": _TEXT,
        "host": {"bsonType": "string"},
        "columns": {"bsonType": "array", "items": _TEXT},
        "listed_title": _TEXT,
        "listed_at": _DATE,
        "discovered_at": _DATE,
        "attempts": {"bsonType": "int", "minimum": 0},
        "last_error": _TEXT,
        "next_visit_at": _DATE,
        "failures": {"bsonType": "int", "minimum": 0},
        "image_failures": {"bsonType": "int", "minimum": 0},
        "doubt": {
            "bsonType": "object",
            "required": ["state", "reason", "since", "count"],
            "properties": {
                "state": {"enum": ["rejected", "gone"]},
                "reason": _TEXT,
                "since": _DATE,
                "count": {"bsonType": "int", "minimum": 1},
            },
        },
    },
}
VALIDATORS: dict[str, dict[str, Any] | None] = {
    "articles": _VERSION,
    "revisions": _REVISION,
    "frontier": _FRONTIER,
    "columns": None,
    "hosts": None,
    "runs": None,
    "rejects": None,
}
_HOST = r"^[a-z]+://(?:[^/?#@]*@)?([^/?#:]+)"
_NEWEST = ("published_at", DESCENDING)
# Each serves a query of README.md, named in the comment. A partial one serves a query whose filter has its
# condition word for word; it has an entry of the few articles that fit, and only they cost a write.
_FORMER = ("search_queue", "search_segments", "search_parts")
INDEXES: dict[str, list[IndexModel]] = {
    "articles": [
        IndexModel([_NEWEST]),  # a span of days
        IndexModel([("columns", ASCENDING), _NEWEST]),  # a column in a span of days, or day by day
        IndexModel([("site", ASCENDING), _NEWEST]),  # everything on a host
        IndexModel([("authors.name", ASCENDING), _NEWEST]),  # everything by a reporter
        IndexModel([("editors.name", ASCENDING), _NEWEST]),  # everything an editor signed
        IndexModel([("tags", ASCENDING), _NEWEST]),  # articles with a tag, and what else they have
        # Without a field of its condition among the keys, an index must be named.
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
        IndexModel([("written_at", ASCENDING)]),  # what was written since, for what is derived
        IndexModel([("aliases", ASCENDING)]),  # an article by any address that led to it
        IndexModel([("images.sha256", ASCENDING)], sparse=True),  # articles that show a picture
    ],
    "revisions": [
        IndexModel([("images.sha256", ASCENDING)], sparse=True),  # versions that show a picture
    ],
    "frontier": [
        IndexModel([("columns", ASCENDING), ("state", ASCENDING)]),  # what became of the links
        IndexModel([("next_visit_at", ASCENDING)]),  # what is visited next
        # what is asked next of a host
        IndexModel([("host", ASCENDING), ("next_visit_at", ASCENDING), ("_id", ASCENDING)]),
    ],
    "hosts": [IndexModel([("holder", ASCENDING)])],  # what a run holds
    "runs": [
        IndexModel([("started_at", DESCENDING)]),  # the last runs
        IndexModel([("alive_until", ASCENDING)], sparse=True),  # those that live
    ],
}


async def ensure_schema(db: AsyncDatabase[dict[str, Any]]) -> list[str]:
    """Create what is absent; two processes may do so at once. Gives the names of what was dropped:
    nothing except a former version's full-text index, which is no longer in MongoDB.
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
                if error.code != EXISTS:  # it was as fast
                    raise
        elif validator and existing[name].get("options", {}).get("validator") != validator:
            await db.command("collMod", name, validator=validator)
    for name, indexes in INDEXES.items():
        await db[name].create_indexes(indexes)
    # Of an earlier version, or another program: from now on they have a time of their last write.
    await db["articles"].update_many(
        {"written_at": None}, {"$currentDate": MOVED}, bypass_document_validation=True
    )
    # Of an earlier version: whoever takes a link up must know which host it asks.
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
