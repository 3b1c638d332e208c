"""Collections, validators and indexes: created if absent, never dropped.

A validator is set last, and its description names the indexes, so that one list_collections tells
that all is there. Further fields are allowed everywhere: a newer version may add some.
"""

from __future__ import annotations

import re
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

VALIDATOR_CODE = 121
"""The server's error code for a document that a validator refuses."""

_TEXT = {"bsonType": "string", "minLength": 1}
_TEXTS = {"bsonType": "array", "items": _TEXT, "minItems": 1}
_DATE = {"bsonType": "date"}
_COUNT = {"bsonType": ["int", "long"], "minimum": 0}
_PEOPLE = {
    "bsonType": "array",
    "items": {
        "bsonType": "object",
        "required": ["name", "role"],
        "properties": {"name": _TEXT, "role": _TEXT, "outlet": _TEXT},
    },
}
_MEDIA = {
    "bsonType": "array",
    "items": {
        "bsonType": "object",
        "required": ["url", "ref"],
        "properties": {"url": _TEXT, "ref": _TEXT},
    },
}
_VERSION: dict[str, Any] = {
    "bsonType": "object",
    "required": [
        "_id", "site", "title", "body", "content_sha256", "revision", "status",
        "first_seen_at", "last_seen_at", "changed_at", "parser", "run_id",
    ],
    "properties": {
        "_id": _TEXT, "doc_id": _TEXT, "site": _TEXT, "site_name": _TEXT, "columns": _TEXTS,
        "breadcrumb": _TEXTS, "title": _TEXT, "kicker": _TEXT, "subtitle": _TEXT,
        "published_at": _DATE,
        "published_precision": {"enum": ["second", "minute", "hour", "day"]},
        "source": _TEXT, "authors": _PEOPLE, "editors": _PEOPLE, "tags": _TEXTS,
        "editor_note": _TEXT, "dateline": _TEXT, "body": {"bsonType": "string"},
        "body_html": _TEXT,
        "images": {
            "bsonType": "array",
            "items": {
                "bsonType": "object",
                "required": ["url", "ref", "position", "status"],
                "properties": {
                    "url": _TEXT, "ref": _TEXT, "position": {"bsonType": "int", "minimum": 1},
                    "status": {"enum": ["referenced", "stored", "missing", "failed"]},
                    "caption": _TEXT, "alt": _TEXT, "sha256": _TEXT, "path": _TEXT,
                    "width": _COUNT, "height": _COUNT, "bytes": _COUNT, "content_type": _TEXT,
                },
            },
        },
        "videos": _MEDIA, "attachments": _MEDIA, "pages": _TEXTS, "aliases": _TEXTS,
        "content_sha256": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"},
        "revision": {"bsonType": "int", "minimum": 1},
        "status": {"enum": ["live", "gone"]},
        "first_seen_at": _DATE, "last_seen_at": _DATE, "changed_at": _DATE, "gone_at": _DATE,
        "warc": {
            "bsonType": "object",
            "required": ["file", "offset", "length", "record_id"],
            "properties": {
                "file": _TEXT, "offset": _COUNT, "length": _COUNT, "record_id": _TEXT,
            },
        },
        "parser": {
            "bsonType": "object",
            "required": ["template", "version"],
            "properties": {"template": _TEXT, "version": {"bsonType": "int"}},
        },
        "warnings": _TEXTS,
        "run_id": {"bsonType": "objectId"},
    },
}  # fmt: skip
_REVISION = {
    **_VERSION,
    "properties": {
        **_VERSION["properties"],
        "_id": {
            "bsonType": "object",
            "required": ["url", "revision"],
            "properties": {"url": _TEXT, "revision": {"bsonType": "int", "minimum": 1}},
        },
    },
}
_FRONTIER = {
    "bsonType": "object",
    "required": ["_id", "state", "kind", "discovered_at", "attempts"],
    "properties": {
        "_id": _TEXT,
        "state": {"enum": ["pending", "stored", "rejected", "failed", "gone"]},
        "kind": _TEXT,
        "columns": {"bsonType": "array", "items": _TEXT},
        "listed_title": _TEXT,
        "listed_at": _DATE,
        "discovered_at": _DATE,
        "attempts": _COUNT,
        "last_error": _TEXT,
        "last_attempt_at": _DATE,
        "next_visit_at": _DATE,
    },
}
VALIDATORS: dict[str, dict[str, Any] | None] = {
    "articles": _VERSION,
    "revisions": _REVISION,
    "frontier": _FRONTIER,
    "columns": None,
    "runs": None,
    "rejects": None,
}
_NAMESPACE_EXISTS = 48
_NEWEST = ("published_at", DESCENDING)
# Each serves a query of README.md, named in the comment; the contract allows no others. A collection
# with indexes needs a validator, which is what tells that they are there.
INDEXES: dict[str, list[IndexModel]] = {
    "articles": [
        IndexModel([("columns", ASCENDING), _NEWEST]),  # a column in a span of days
        IndexModel([("authors.name", ASCENDING), _NEWEST]),  # everything by a reporter
        IndexModel([("editors.name", ASCENDING), _NEWEST]),  # everything an editor signed
        IndexModel([("tags", ASCENDING), _NEWEST]),  # articles with a tag
    ],
    "frontier": [
        IndexModel([("columns", ASCENDING), ("state", ASCENDING)]),  # what became of the links
    ],
}


async def ensure_schema(db: AsyncDatabase[dict[str, Any]]) -> None:
    """Create what is absent; two processes may do so at once. Nothing is ever dropped.

    Costs one list_collections where all is there. Raises PyMongoError.
    """
    existing = {each["name"]: each async for each in await db.list_collections()}
    for name in VALIDATORS:
        if name not in existing:
            try:
                await db.create_collection(name, check_exists=False)
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:  # another process was first
                    raise
        validator = _validator(name)
        present = existing.get(name, {}).get("options", {}).get("validator")
        if validator is None or present == validator:
            continue
        if name in INDEXES:
            await db[name].create_indexes(INDEXES[name])
        await db.command("collMod", name, validator=validator)


def refusal(error: dict[str, Any]) -> str:
    """The server's word on one document; of a validator's long report the fields at fault."""
    text = str(error.get("errmsg", "refused"))
    if error.get("code") != VALIDATOR_CODE:
        return text[:500]
    pattern = r"'propertyName': '(\w+)'|'missingProperties': \[([^\]]+)\]"
    found = re.findall(pattern, str(error.get("errInfo")))
    names = sorted({name.strip("'\" ") for pair in found for name in pair if name})
    return ": ".join(["refused by the validator", text, *([", ".join(names)] if names else [])])[
        :500
    ]


def _validator(name: str) -> dict[str, Any] | None:
    schema = VALIDATORS[name]
    if schema is None:
        return None
    keys = [", ".join(index.document["key"]) for index in INDEXES.get(name, [])]
    return {"$jsonSchema": {"description": f"indexes: {'; '.join(keys)}", **schema}}
