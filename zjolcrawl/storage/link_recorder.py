"""Records discovered links in `frontier` and adds their columns to articles that are already stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import InsertOne

from zjolcrawl.items import Link
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.errors import DUPLICATE
from zjolcrawl.storage.frontier import discover_link, new_row
from zjolcrawl.storage.updates import gain_columns
from zjolcrawl.storage.visit_policy import VisitPolicy


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of recording links: number of `new` links, reasons by URL for `refused` ones."""

    new: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(self.new + other.new, self.refused | other.refused)


async def record_links(db: Database, links: Mapping[str, Link], policy: VisitPolicy) -> Recorded:
    """Record links, by URL, durably; returns how many are new and which were refused.

    Raises PyMongoError only for an outage.
    """
    rows = db["frontier"].find({"_id": {"$in": list(links)}}, {"_id": 1})
    known = {row["_id"] async for row in rows}
    rows_of_new = [new_row(link) for url, link in links.items() if url not in known]
    inserted, refused = await _insert(db, rows_of_new)
    new = len(inserted)
    found = [link for url, link in links.items() if url not in inserted and url not in refused]
    if found:
        updates = [discover_link(link, policy) for link in found]
        written = await write_each(db["frontier"], updates, bypass=True)
        refused |= {found[index].url: why for index, (_, why) in written.errors.items()}
        new += written.upserted
    if listed := [link for link in links.values() if link.columns]:
        refused |= await _add_columns(db, listed)
    return Recorded(new, refused)


async def _insert(db: Database, rows: list[dict[str, Any]]) -> tuple[set[str], dict[str, str]]:
    """Insert rows; returns the URLs that were new, and the reasons for refused ones.

    A URL that another run has just inserted is in neither.
    """
    inserted = {row["_id"] for row in rows}
    refused: dict[str, str] = {}
    written = await write_each(db["frontier"], [InsertOne(row) for row in rows])
    for index, (code, why) in written.errors.items():
        url = rows[index]["_id"]
        inserted.remove(url)
        if code != DUPLICATE:
            refused[url] = why
    return inserted, refused


async def _add_columns(db: Database, listed: list[Link]) -> dict[str, str]:
    """Add the links' columns to articles that are already stored; returns the refused ones with reasons."""
    columns = {tuple(link.columns): link.columns for link in listed}.values()
    lacking = [
        {"_id": {"$in": [link.url for link in listed if link.columns == each]},
         "columns": {"$not": {"$all": each}}}
        for each in columns
    ]  # fmt: skip
    found = db["articles"].find({"$or": lacking}, {"_id": 1})
    urls = {row["_id"] async for row in found}
    gaining = [link for link in listed if link.url in urls]
    operations = [gain_columns(link.url, link.columns) for link in gaining]
    written = await write_each(db["articles"], operations)
    return {gaining[index].url: why for index, (_, why) in written.errors.items()}
