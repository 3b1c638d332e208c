"""A buffer's way into MongoDB, in the order that a crash may interrupt.

A former version is in `revisions` before the newest replaces it, an article is durable before its
frontier row says `stored`. Each write may be done again: whatever is cut off in between is done by the
next run.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from zjolcrawl.items import ColumnVisit, Outcome
from zjolcrawl.storage.buffer import Buffer, Sight
from zjolcrawl.storage.frontier import VisitPolicy, settle_link, store_link, unchanged_link
from zjolcrawl.storage.operations import (
    end_walk,
    gain_columns,
    reject_id,
    reject_row,
    still_there,
    take_down,
    utc_now,
    visit_column,
)
from zjolcrawl.storage.search.index import announce
from zjolcrawl.storage.versions import VersionWriter


class BufferWriter:
    """Writes buffers for one run, counting in `counts`.

    `rereading`: pages come from the archive, so that what is stored may be of the very same sight.
    """

    def __init__(
        self,
        db: AsyncDatabase[dict[str, Any]],
        run_id: ObjectId,
        counts: Counter[str],
        policy: VisitPolicy,
    ) -> None:
        self.db, self.run_id, self.counts, self.policy = db, run_id, counts, policy
        self.rereading = False
        self._versions = VersionWriter(db, run_id, counts)

    async def write(self, buffer: Buffer) -> None:
        """Write all of it. Raises PyMongoError, and then may have written a part."""
        refused = await self._write_articles(buffer.articles) if buffer.articles else {}
        buffer.outcomes += [
            self._refusal(buffer.articles[url], why) for url, why in refused.items()
        ]
        read = [each for url, each in buffer.articles.items() if url not in refused]
        if buffer.unchanged:
            await self.db["articles"].bulk_write([still_there(u) for u in buffer.unchanged])
        await self._write_outcomes(buffer.outcomes)
        # What became of a link is told last: until then it is as it was, and will be done again.
        if states := self._states(read, buffer):
            await self.db["frontier"].bulk_write(states, ordered=True)
        for end in buffer.ends:
            await self.db["runs"].update_one({"_id": end.run_id}, {"$set": end.values})
        if self.rereading:
            rows = [reject_id(each.row, each.at) for each in read]
            await self.db["rejects"].delete_many({"_id": {"$in": rows}})  # articles now
            await self.count_unread(buffer.outcomes)
        if buffer.visits:
            # As they were seen: the pages of an issue are asked for side by side.
            seen = sorted(buffer.visits, key=lambda each: each.seen_at or utc_now())
            visits = [
                visit_column(each) if isinstance(each, ColumnVisit) else end_walk(each)
                for each in seen
            ]
            await self.db["columns"].bulk_write(visits, ordered=True)

    def _states(self, read: list[Sight], buffer: Buffer) -> list[UpdateOne]:
        stored = [
            store_link(
                each.row, each.at, self.policy,
                published_at=each.document.get("published_at"), validators=each.validators,
                incomplete=_lacks_images(each.document),
            )
            for each in read
        ]  # fmt: skip
        unchanged = [
            unchanged_link(each.url, each.seen_at or utc_now(), self.policy)
            for each in buffer.unchanged
        ]
        settled = [settle_link(outcome, self.policy) for outcome in buffer.outcomes]
        return [*stored, *unchanged, *settled]

    def _refusal(self, sight: Sight, why: str) -> Outcome:
        """What the validator would not take."""
        self.counts["refused"] += 1
        document = sight.document
        return Outcome(
            sight.row, "rejected", why,
            final_url=document["_id"], seen_at=sight.at, warc=document.get("warc"),
        )  # fmt: skip

    async def _write_outcomes(self, outcomes: list[Outcome]) -> None:
        await self._judge_fronts(outcomes)
        self.counts.update(o.state for o in outcomes if o.state != "pending")
        rejects = [reject_row(o, self.run_id) for o in outcomes if o.state == "rejected"]
        if rejects:
            await self.db["rejects"].bulk_write(rejects, ordered=False)
        gone = [o for o in outcomes if o.state == "gone"]
        if gone:
            urls = {url for o in gone for url in (o.url, o.article) if url}
            await announce(self.db, urls, self.run_id)
            await self.db["articles"].bulk_write([take_down(o) for o in gone], ordered=False)

    async def _judge_fronts(self, outcomes: list[Outcome]) -> None:
        """A front page in the place of what was stored is a takedown."""
        fronts = [o for o in outcomes if o.front]
        if fronts:
            urls = {"_id": {"$in": [o.url for o in fronts]}}
            stored = {each["_id"] async for each in self.db["articles"].find(urls, {"_id": 1})}
            for outcome in fronts:
                outcome.state = "gone" if outcome.url in stored else outcome.state

    async def count_unread(self, outcomes: list[Outcome]) -> None:
        """Count what was an article and is rejected now."""
        rejected = {o.url: o.seen_at for o in outcomes if o.state == "rejected"}
        stored = self.db["articles"].find({"_id": {"$in": list(rejected)}}, {"changed_at": 1})
        async for each in stored:
            self.counts["unread"] += each["changed_at"] == rejected[each["_id"]]

    async def _write_articles(self, sights: dict[str, Sight]) -> dict[str, str]:
        await self.add_columns(sights)
        refused = await self._versions.write({url: each.document for url, each in sights.items()})
        # Another run that listed a link meanwhile has looked for its article before it was there.
        if late := await self.add_columns(sights):
            await announce(self.db, late, self.run_id)
            await self.db["articles"].bulk_write([gain_columns(u, c) for u, c in late.items()])
        return refused

    async def add_columns(self, sights: dict[str, Sight]) -> dict[str, list[str]]:
        """Take in the columns that listed a link since its request was made, which are in the frontier.

        Gives them for each URL that gained any.
        """
        rows = [each.row for each in sights.values()]
        listed = {
            row["_id"]: row.get("columns", [])
            async for row in self.db["frontier"].find({"_id": {"$in": rows}}, {"columns": 1})
        }
        gained: dict[str, list[str]] = {}
        for url, each in sights.items():
            known = each.document.get("columns", [])
            if new := [column for column in listed.get(each.row, []) if column not in known]:
                gained[url] = new
                each.document["columns"] = [*known, *new]
        return gained


def _lacks_images(document: dict[str, Any]) -> bool:
    return any(image["status"] == "failed" for image in document.get("images", ()))
