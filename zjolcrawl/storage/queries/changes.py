"""The recent changes of all articles: edits, takedowns and returns, the last one first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions

What = Literal["edited", "gone", "back"]
_SHOWN = dict.fromkeys(
    ("title", "columns", "source", "published_at", "status", "revision", "changed_at", "gone_at", "returned_at"), 1,
)  # fmt: skip
_AT_ONCE = 100  # articles whose former versions one query reads


@dataclass(frozen=True, slots=True)
class RecentChange:
    """A change `at` a time: an edit to version `revision`, or a takedown or return; `title` as it was then."""

    what: What
    at: datetime
    url: str
    revision: int
    title: str
    article: dict[str, Any]


async def recent_changes(
    db: Database, limit: int, skip: int = 0, *, edits: bool = True, takedowns: bool = True
) -> list[RecentChange]:
    """Changes `skip` to `skip + limit`, the last one first: edits, and takedowns with the returns after them.

    An article keeps only its last takedown and its last return.
    """
    # The last N changes belong to the N articles that changed last.
    most = skip + limit
    found = await _edits(db, most) if edits else []
    found += await _takedowns(db, most) if takedowns else []
    found.sort(key=lambda change: (change.at, change.url), reverse=True)
    return found[skip:most]


async def _edits(db: Database, most: int) -> list[RecentChange]:
    edited = db["articles"].find({"revision": {"$gt": 1}}, _SHOWN).sort("changed_at", -1)
    articles = {each["_id"]: each for each in await edited.limit(most).to_list()}
    versions = list(articles.items())
    often = [each for each in articles.values() if each["revision"] > 2]
    for start in range(0, len(often), _AT_ONCE):
        spans = [
            former_versions(each["_id"], max(2, each["revision"] - most), each["revision"])
            for each in often[start : start + _AT_ONCE]
        ]
        former = db["revisions"].find({"$or": spans}, {"title": 1, "changed_at": 1})
        versions += [(each["_id"]["url"], each) async for each in former]
    return [
        RecentChange(
            "edited", each["changed_at"], url,
            each["revision"] if "revision" in each else each["_id"]["revision"], each["title"], articles[url],
        )
        for url, each in versions
    ]  # fmt: skip


async def _takedowns(db: Database, most: int) -> list[RecentChange]:
    stages: list[dict[str, Any]] = [
        {"$match": {"gone_at": {"$exists": True}}},
        {"$set": {"sorted_by": {"$max": ["$gone_at", "$returned_at"]}}},
        {"$sort": {"sorted_by": -1}},
        {"$limit": most},
        {"$project": _SHOWN},
    ]
    found: list[RecentChange] = []
    for each in await (await db["articles"].aggregate(stages)).to_list():
        at: dict[What, Any] = {"gone": each["gone_at"]}
        if each["status"] == "live":
            at["back"] = each.get("returned_at")
        found += [
            RecentChange(what, when, each["_id"], each["revision"], each["title"], each)
            for what, when in at.items()
            if isinstance(when, datetime)
        ]
    return found
