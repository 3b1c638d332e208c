"""Queries of a running crawl: due links, known columns, former runs. They wait during an outage."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.errors import PyMongoError

from zjolcrawl.clock import clock_limit, utc_now
from zjolcrawl.storage.archived_visits import addresses_of
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import url_of
from zjolcrawl.storage.outage import Outage
from zjolcrawl.storage.schema import INCOMPLETE

Cursor = tuple[datetime, str]
"""The position of a row in the order of due rows."""
_ORDER = [("next_visit_at", 1), ("_id", 1)]
_ROW = dict.fromkeys(
    ("columns", "listed_at", "fetch_url", "etag", "last_modified", "next_visit_at"), 1
)


class CrawlQueries:
    """Queries of one run. Those without another note raise StoreError once MongoDB is given up.

    `gained`: when re-parsing, the articles whose former versions lack a column that a list gave.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        self.run_id = ObjectId()
        self.gained: set[str] = set()
        self._outage = Outage()

    async def due(
        self,
        host: str,
        columns: Collection[str],
        since: datetime,
        after: Cursor | None = None,
        most: int = 100,
    ) -> list[dict[str, Any]]:
        """Due links of `columns` on a host, oldest first, at most `most`.

        Due links are pending or to be revisited, and not visited since `since`. `after` is the cursor of the last
        row of the previous page.
        """
        wanted = {"host": host, **_due(columns, since)}
        if after:
            at, url = after
            wanted["next_visit_at"]["$gte"] = at
            wanted["$or"] = [{"next_visit_at": {"$gt": at}}, {"_id": {"$gt": url}}]
        return await self._find("frontier", wanted, _ROW, sort=_ORDER, limit=most)

    async def seen_by_parsers_before(self, version: int) -> set[datetime]:
        """`changed_at` of all versions read by a parser older than `version`."""
        older = {"parser.version": {"$lt": version}}

        async def find() -> set[datetime]:
            return {
                each["changed_at"]
                for name in ("articles", "revisions")
                async for each in self.db[name].find(older, {"changed_at": 1})
            }

        return await self._outage.ask(find)

    async def addresses(
        self, urls: Collection[str], images: Collection[str]
    ) -> dict[str, set[str]]:
        """The addresses of articles, by URL: of `urls`, and of those with a version that lacks one of `images`."""
        wanted = set(urls)
        if images:  # the condition of the partial index `incomplete_images`
            lacking = {"images.url": {"$in": list(images)}, **INCOMPLETE}
            for name in ("articles", "revisions"):
                wanted.update(map(url_of, await self._find(name, lacking, {"_id": 1})))
        chosen = {"_id": {"$in": sorted(wanted)}}
        found = await self._find("articles", chosen, {"aliases": 1}) if wanted else []
        return {each["_id"]: addresses_of(each) for each in found}

    async def hosts_due(self, columns: Collection[str], since: datetime) -> set[str]:
        """The hosts with due links of `columns`; `since` is as for `due`."""
        stages = [{"$match": _due(columns, since)}, {"$group": {"_id": "$host"}}]

        async def find() -> set[str]:
            return {each["_id"] async for each in await self.db["frontier"].aggregate(stages)}

        return await self._outage.ask(find)

    async def arguments_of(self, runs: Collection[Any]) -> dict[Any, Any]:
        """The arguments of runs, by id; runs that are not known are absent."""
        rows = await self._find("runs", {"_id": {"$in": list(runs)}}, {"arguments": 1})
        return {row["_id"]: row.get("arguments") for row in rows}

    async def columns(self) -> dict[str, dict[str, Any]]:
        """The `columns` documents, by column id."""
        return {row["_id"]: row for row in await self._find("columns", {})}

    async def doubted(self, urls: list[str]) -> dict[str, str]:
        """The unconfirmed findings for links, `gone` or `rejected`, by URL."""
        wanted = {"_id": {"$in": urls}, "doubt": {"$exists": True}}
        rows = await self._find("frontier", wanted, {"doubt.state": 1})
        return {row["_id"]: row["doubt"]["state"] for row in rows}

    async def former_templates(self, runs: int) -> list[dict[str, Any]]:
        """`templates` of up to `runs` newest other runs that read articles; empty if MongoDB does not answer."""
        read = {
            "templates": {"$exists": True},
            "_id": {"$ne": self.run_id},
            "started_at": {"$lt": clock_limit()},
        }
        newest = self.db["runs"].find(read, {"templates": 1}).sort("started_at", -1).limit(runs)
        try:
            return [each["templates"] async for each in newest]
        except PyMongoError:
            return []

    async def _find(self, collection: str, *query: Any, **options: Any) -> list[dict[str, Any]]:
        return await self._outage.ask(lambda: self.db[collection].find(*query, **options).to_list())


def _due(columns: Collection[str], since: datetime) -> dict[str, Any]:
    """The filter for due links of `columns`, without those visited since `since`."""
    now = utc_now()
    visited = {"last_attempt_at": {"$gte": since, "$lte": now}}
    due = {"next_visit_at": {"$lte": now}, "$nor": [visited]}
    return {"columns": {"$in": list(columns)}, **due}
