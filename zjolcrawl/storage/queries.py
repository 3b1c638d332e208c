"""Queries of commands and spiders on stored articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

from zjolcrawl.storage.changes import NOT_SHOWN
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.operations import length_of, start_of


async def find_article(db: Database, url: str) -> dict[str, Any] | None:
    """The newest version of the article with this canonical URL or alias, or None."""
    for wanted in ({"_id": url}, {"aliases": url}):
        if found := await db["articles"].find_one(wanted, NOT_SHOWN):
            return found
    return None


async def all_versions(db: Database, article: dict[str, Any]) -> list[dict[str, Any]]:
    """All versions of an article, oldest first; `article` itself is the last."""
    former = db["revisions"].find(former_versions(article["_id"], 1, article["revision"]))
    return [*[each async for each in former.sort("_id", 1)], article]


async def version_of(db: Database, newest: dict[str, Any], revision: int) -> dict[str, Any] | None:
    """A version of an article by its number, or None."""
    if revision == newest["revision"]:
        return newest
    return await db["revisions"].find_one({"_id": {"url": newest["_id"], "revision": revision}})


async def history(
    db: Database, newest: dict[str, Any], text: int, first: int = 1, last: int = 2**31
) -> AsyncIterator[dict[str, Any]]:
    """Versions `first` to `last` of an article, oldest first, the former ones without `body_html`.

    `body` and `editor_note` are cut to `text` characters in former versions; `characters` is the body's full
    length.
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
    # Small batches, because a version may have 16 MB.
    async for each in await db["revisions"].aggregate(stages, batchSize=10):
        yield each
    if first <= newest["revision"] <= last:
        yield {**newest, "characters": len(newest.get("body", ""))}


async def seen_by_parsers_before(db: Database, version: int) -> set[datetime]:
    """`changed_at` of all versions read by a parser older than `version`."""
    older = {"parser.version": {"$lt": version}}
    return {
        each["changed_at"]
        for name in ("articles", "revisions")
        async for each in db[name].find(older, {"changed_at": 1})
    }


async def headlines(db: Database, urls: Iterable[str]) -> dict[str, str]:
    """Titles by URL of the articles that are stored."""
    chosen = {"_id": {"$in": list(urls)}}
    return {each["_id"]: each["title"] async for each in db["articles"].find(chosen, {"title": 1})}


async def ledger_row(db: Database, url: str) -> dict[str, Any] | None:
    """The frontier row of a canonical URL, or None."""
    return await db["frontier"].find_one({"_id": url})
