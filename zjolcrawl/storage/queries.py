"""Questions that commands and spiders ask of what is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

from zjolcrawl.storage.changes import NOT_SHOWN
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.operations import length_of, start_of


async def find_article(db: Database, url: str) -> dict[str, Any] | None:
    """The newest version of the article of a canonical URL, or of one that led to it."""
    for wanted in ({"_id": url}, {"aliases": url}):
        if found := await db["articles"].find_one(wanted, NOT_SHOWN):
            return found
    return None


async def all_versions(db: Database, article: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions of an article, oldest first, itself last."""
    former = db["revisions"].find(former_versions(article["_id"], 1, article["revision"]))
    return [*[each async for each in former.sort("_id", 1)], article]


async def version_of(db: Database, newest: dict[str, Any], revision: int) -> dict[str, Any] | None:
    """A version of an article by its number."""
    if revision == newest["revision"]:
        return newest
    return await db["revisions"].find_one({"_id": {"url": newest["_id"], "revision": revision}})


async def history(
    db: Database, newest: dict[str, Any], text: int, first: int = 1, last: int = 2**31
) -> AsyncIterator[dict[str, Any]]:
    """The versions `first` to `last` of an article, oldest first, without `body_html`.

    A `body` or `editor_note` is cut after `text` characters; `characters` is the body's whole length.
    """
    end = min(last + 1, newest["revision"])
    stages: list[dict[str, Any]] = [
        {"$match": former_versions(newest["_id"], first, end)},
        {"$sort": {"_id": 1}},
        {"$set": {
            "body": start_of("body", text), "editor_note": start_of("editor_note", text),
            "characters": length_of("body"),
        }},
        {"$unset": "body_html"},
    ]  # fmt: skip
    # Ten at once: a version may have 16 MB.
    async for each in await db["revisions"].aggregate(stages, batchSize=10):
        yield each
    if first <= newest["revision"] <= last:
        yield {**newest, "characters": len(newest.get("body", ""))}


async def seen_by_parsers_before(db: Database, version: int) -> set[datetime]:
    """When the versions were seen that a parser older than `version` has read."""
    older = {"parser.version": {"$lt": version}}
    return {
        each["changed_at"]
        for name in ("articles", "revisions")
        async for each in db[name].find(older, {"changed_at": 1})
    }


async def headlines(db: Database, urls: Iterable[str]) -> dict[str, str]:
    """Titles of articles by their URL; those that are not stored are left out."""
    chosen = {"_id": {"$in": list(urls)}}
    return {each["_id"]: each["title"] async for each in db["articles"].find(chosen, {"title": 1})}


async def ledger_row(db: Database, url: str) -> dict[str, Any] | None:
    """The frontier's row of a canonical URL."""
    return await db["frontier"].find_one({"_id": url})
