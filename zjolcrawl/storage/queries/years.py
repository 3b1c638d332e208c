"""Counts what the archive has of each year of publication, and who saw it first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.coverage import CoverageFilter, published_in
from zjolcrawl.storage.queries.selection import china_date

OURS, IMPORTED, BACKFILLED = "crawl", "import", "backfill"


@dataclass(frozen=True, slots=True)
class Year:
    """The `articles` of a `year` (China; None: without a publish time) and all their `versions`.

    The first version of each is from a `crawled` page, or from a capture that others made.
    """

    year: str | None
    articles: int
    versions: int
    crawled: int
    imported: int
    backfilled: int


async def years(db: Database, wanted: CoverageFilter) -> list[Year]:
    """The years in order. Reads the first version of each article that was edited."""
    rows = await db["articles"].aggregate(_stages(wanted), allowDiskUse=True)
    return [
        Year(
            row["_id"], row["articles"], row["versions"],
            *(row[name] for name in (OURS, IMPORTED, BACKFILLED)),
        )
        async for row in rows
    ]  # fmt: skip


def _stages(wanted: CoverageFilter) -> list[dict[str, Any]]:
    match = published_in(wanted)
    if wanted.templates:
        match["parser.template"] = {"$in": list(wanted.templates)}
    edited = {"$gt": ["$revision", 1]}
    first = {"url": "$_id", "revision": {"$literal": 1}}
    kind = {"$cond": [edited, {"$first": "$first.provenance.kind"}, "$provenance.kind"]}
    return [
        {"$match": match},
        {"$project": {
            "year": china_date("$published_at", "%Y"), "revision": {"$ifNull": ["$revision", 1]},
            "provenance.kind": 1,
        }},
        {"$set": {"key": {"$cond": [edited, first, None]}}},
        {"$lookup": {
            "from": "revisions", "localField": "key", "foreignField": "_id", "as": "first",
            "pipeline": [{"$project": {"provenance.kind": 1}}],
        }},
        {"$set": {"kind": {"$ifNull": [kind, OURS]}}},
        {"$group": {
            "_id": "$year", "articles": {"$sum": 1}, "versions": {"$sum": "$revision"},
            **{
                name: {"$sum": {"$cond": [{"$eq": ["$kind", name]}, 1, 0]}}
                for name in (OURS, IMPORTED, BACKFILLED)
            },
        }},
        {"$sort": {"_id": 1}},
    ]  # fmt: skip
