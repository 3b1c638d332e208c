"""Records discovered links in `frontier` and adds their columns to articles that are already stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pymongo import InsertOne

from zjolcrawl.items import Link
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import key_fault, make_storable
from zjolcrawl.storage.errors import DUPLICATE
from zjolcrawl.storage.frontier import discover_link, new_row
from zjolcrawl.storage.outage import Outage
from zjolcrawl.storage.updates import add_to_columns
from zjolcrawl.storage.visit_policy import VisitPolicy

_AT_ONCE = 500  # links: their URLs must fit into one query


@dataclass(slots=True)
class Recorded:
    """The result of recording links: number of `links` and of `new` ones, reasons by URL for `refused` ones.

    `gained`: the articles with former versions that got columns; the former versions did not.
    """

    links: int = 0
    new: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    gained: set[str] = field(default_factory=set)


class LinkRecorder:
    """Records the links of one run, durably, and waits during an outage.

    `writing` is held by whoever writes articles: their columns are taken from the frontier.
    """

    def __init__(
        self, db: Database, policy: VisitPolicy, outage: Outage, writing: asyncio.Lock
    ) -> None:
        self._db, self._policy = db, policy
        self._outage, self._writing = outage, writing

    async def record(self, links: Sequence[Link]) -> Recorded:
        """Record links; several of one URL count as one. Raises StoreError."""
        recorded = Recorded()
        merged: dict[str, Link] = {}
        for link in links:
            if why := key_fault(link.url):
                recorded.refused[link.url] = why
                continue
            make_storable(link)
            if link.fetch_url and key_fault(link.fetch_url):
                link.fetch_url = None
            known = merged.setdefault(link.url, link)
            if known is not link:
                known.columns = list(dict.fromkeys([*known.columns, *link.columns]))
        recorded.links = len(merged)
        some = list(merged.values())
        for first in range(0, len(some), _AT_ONCE):
            part = some[first : first + _AT_ONCE]
            found = await self._outage.ask(partial(self._record, part))
            recorded.new += found.new
            recorded.refused |= found.refused
            recorded.gained |= found.gained
        self._outage.wrote()
        return recorded

    async def _record(self, links: list[Link]) -> Recorded:
        """Record links of different URLs."""
        async with self._writing:
            urls = {"_id": {"$in": [link.url for link in links]}}
            known = {row["_id"] async for row in self._db["frontier"].find(urls, {"_id": 1})}
            inserted, refused = await self._insert([x for x in links if x.url not in known])
            new = len(inserted)
            if found := [x for x in links if x.url not in inserted and x.url not in refused]:
                updates = [discover_link(link, self._policy) for link in found]
                written = await write_each(self._db["frontier"], updates, bypass=True)
                refused |= {found[index].url: why for index, (_, why) in written.errors.items()}
                new += written.upserted
            recorded = Recorded(len(links), new, refused)
            await self._add_columns([x for x in links if x.columns], recorded)
            return recorded

    async def _insert(self, links: list[Link]) -> tuple[set[str], dict[str, str]]:
        """Insert rows; returns the URLs that were new, and the reasons for refused ones.

        A URL that another run has just inserted is in neither.
        """
        inserted = {link.url for link in links}
        refused: dict[str, str] = {}
        rows = [InsertOne(new_row(link)) for link in links]
        written = await write_each(self._db["frontier"], rows)
        for index, (code, why) in written.errors.items():
            url = links[index].url
            inserted.remove(url)
            if code != DUPLICATE:
                refused[url] = why
        return inserted, refused

    async def _add_columns(self, listed: list[Link], recorded: Recorded) -> None:
        """Add the links' columns to articles that are already stored; notes `gained` and `refused` ones."""
        if not listed:
            return
        columns = {tuple(link.columns): link.columns for link in listed}.values()
        lacking: list[dict[str, Any]] = [
            {"_id": {"$in": [link.url for link in listed if link.columns == each]},
             "columns": {"$not": {"$all": each}}}
            for each in columns
        ]  # fmt: skip
        found = self._db["articles"].find({"$or": lacking}, {"revision": 1})
        revisions = {row["_id"]: row["revision"] async for row in found}
        recorded.gained = {url for url, revision in revisions.items() if revision > 1}
        gaining = [link for link in listed if link.url in revisions]
        operations = [add_to_columns(link.url, link.columns) for link in gaining]
        written = await write_each(self._db["articles"], operations)
        recorded.refused |= {gaining[i].url: why for i, (_, why) in written.errors.items()}
