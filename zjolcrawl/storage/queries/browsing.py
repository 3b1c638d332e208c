"""Queries of the web page: lists, days, columns, one image. Read-only and bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from zjolcrawl.parsing.fields.dates import YEARS, china_day
from zjolcrawl.site.names import column_names
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.selection import (
    Selection,
    china_date,
    day_bounds,
    in_order,
    start_of,
)

_LEAD = 160  # characters of body text in a list
_MOST_OTHERS = 100
_LONGEST = 300  # characters of a name in a list
_LISTED = dict.fromkeys(
    ("title", "kicker", "published_at", "published_precision", "site_name", "columns", "source",
     "status", "revision", "images", "changed_at", "gone_at"), 1,
)  # fmt: skip
_NAMES = {name: start_of(name, _LONGEST) for name in ("source", "site_name")}


@dataclass(frozen=True, slots=True)
class ColumnCount:
    """The number of articles of a column, and when the newest was published."""

    id: str
    articles: int
    newest: datetime | None = None


async def listed_articles(
    db: Database, selection: Selection, *, limit: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Selected articles for a list, with only the start of `body`: newest first, or the last change first."""
    stages: list[dict[str, Any]] = [
        {"$match": selection.query()},
        *in_order(selection, {"published_at": -1}),
        *([{"$skip": skip}] if skip else []),
        {"$limit": limit},
        {"$project": {**_LISTED, "body": start_of("body", _LEAD), **_NAMES}},
    ]
    return await (await db["articles"].aggregate(stages)).to_list()


async def column_ids(db: Database) -> list[str]:
    """The ids of the columns that have articles: those of the catalogue, and at most 100 others."""
    found = await db["articles"].distinct("columns")  # contains None for articles without columns
    known = column_names().keys() & found
    others = sorted(each for each in found if each and each not in known)
    return sorted([*known, *others[:_MOST_OTHERS]])


async def column_counts(db: Database) -> list[ColumnCount]:
    """The columns that have articles, each counted with the index `columns, published_at`."""
    return [await _column_count(db, each) for each in await column_ids(db)]


async def daily_counts(db: Database, column: str | None, first: date, last: date) -> Counter[date]:
    """The number of articles published per day (China; both ends included)."""
    stages: list[dict[str, Any]] = [
        {"$match": {**_of_column(column), "published_at": day_bounds(first, last)}},
        {"$group": {"_id": china_date("$published_at", "%Y-%m-%d"), "articles": {"$sum": 1}}},
        {"$limit": (last - first) // timedelta(days=1) + 1},
    ]
    rows = await (await db["articles"].aggregate(stages)).to_list()
    return Counter({date.fromisoformat(row["_id"]): row["articles"] for row in rows})


async def covered_days(db: Database, column: str | None) -> tuple[date, date] | None:
    """The first and last publish day (China, 1990 to 2100) of a column, or of all articles."""
    dated = {
        **_of_column(column),
        "published_at": day_bounds(date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)),
    }
    ends = [
        await db["articles"].find_one(dated, {"published_at": 1}, sort={"published_at": way})
        for way in (1, -1)
    ]
    first, last = (china_day(each["published_at"]) if each else None for each in ends)
    return (first, last) if first and last else None


async def image_entry(db: Database, sha256: str) -> dict[str, Any] | None:
    """One `images` entry with these bytes, from any version of any article (index `images.sha256`)."""
    for name in ("articles", "revisions"):
        shown = await db[name].find_one({"images.sha256": sha256}, {"images.$": 1})
        if shown:
            return dict(shown["images"][0])
    return None


async def stored_of(db: Database, urls: Iterable[str]) -> set[str]:
    """The canonical URLs among `urls` that are stored as articles."""
    chosen = {"_id": {"$in": list(urls)}}
    return {each["_id"] for each in await db["articles"].find(chosen, {"_id": 1}).to_list()}


async def _column_count(db: Database, column: str) -> ColumnCount:
    listed = _of_column(column)
    newest = await db["articles"].find_one(listed, {"published_at": 1}, sort={"published_at": -1})
    count = await db["articles"].count_documents(listed)
    return ColumnCount(column, count, (newest or {}).get("published_at"))


def _of_column(column: str | None) -> dict[str, Any]:
    return {"columns": column} if column else {}
