"""Questions that commands and spiders ask of what is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from zjolcrawl.storage.connection import Database


async def find_article(db: Database, url: str) -> dict[str, Any] | None:
    """The newest version of the article of a canonical URL, or of one that led to it."""
    return await db["articles"].find_one({"_id": url}) or await db["articles"].find_one(
        {"aliases": url}
    )


async def all_versions(db: Database, article: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions of an article, oldest first, itself last."""
    keys = [{"url": article["_id"], "revision": n} for n in range(1, article["revision"])]
    former = [each async for each in db["revisions"].find({"_id": {"$in": keys}}).sort("_id", 1)]
    return [*former, article]


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
