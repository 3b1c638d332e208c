"""Writes a buffer into MongoDB in an order that a crash may interrupt.

A former version is in `revisions` before the newest replaces it, and an article is durable before its
frontier row says `stored`. Every write may be repeated, so the next run completes what was interrupted.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from zjolcrawl.clock import utc_now
from zjolcrawl.items import ColumnVisit, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.buffer import ArticleVisit, Buffer
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.errors import ServerRefuses
from zjolcrawl.storage.frontier import reject_link, settle_link, store_link, unchanged_link
from zjolcrawl.storage.limits import key_fault
from zjolcrawl.storage.updates import (
    come_back,
    end_walk,
    gain_columns,
    reject_id,
    reject_row,
    still_there,
    take_down,
    visit_column,
)
from zjolcrawl.storage.version_writer import VersionWriter
from zjolcrawl.storage.visit_policy import FINDINGS, Verdict, VisitPolicy, judge


class BufferWriter:
    """Writes buffers for one run, counting in `counts`.

    `rereading`: pages come from the archive, so a stored version may be of the very same visit.
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
        """Write all of a buffer. Raises PyMongoError only for an outage, possibly after writing a part.

        What cannot be written becomes a rejected link, or a row of `rejects` if it has no link.
        """
        refused = await self._write_articles(buffer.articles) if buffer.articles else {}
        refusals = [self._refusal(buffer.articles[url], why) for url, why in refused.items()]
        read = [each for url, each in buffer.articles.items() if url not in refused]
        unchanged, failed = await self._touch(buffer.unchanged)
        # Frontier rows come last: until then a link keeps its state and is visited again.
        await self._settle(read, unchanged)
        outcomes = [*buffer.outcomes, *refusals, *failed]
        for some in _one_of_each_link(outcomes):
            await self._write_outcomes(some)
        for end in buffer.ends:
            await self.db["runs"].update_one({"_id": end.run_id}, {"$set": end.values})
        if self.rereading:
            rows = [reject_id(each.row, each.at) for each in read]
            await self.db["rejects"].delete_many({"_id": {"$in": rows}})  # they are articles now
            await self.count_unread(outcomes)
        await self._write_visits(buffer.visits)

    async def _touch(self, sights: list[Unchanged]) -> tuple[list[Unchanged], list[Outcome]]:
        """Record unchanged pages; returns those with a stored article, and outcomes for the others.

        A 304 for a link without an article says nothing: the link is requested again, unconditionally.
        """
        written = await write_each(self.db["articles"], [still_there(each) for each in sights])
        back = await write_each(self.db["articles"], [come_back(each) for each in sights])
        written.errors |= back.errors
        outcomes = [
            Outcome(sights[index].url, "rejected", why, seen_at=sights[index].seen_at)
            for index, (_, why) in written.errors.items()
        ]
        left = [each for index, each in enumerate(sights) if index not in written.errors]
        if written.done < len(left):
            urls = {"_id": {"$in": [each.url for each in left]}}
            stored = {each["_id"] async for each in self.db["articles"].find(urls, {"_id": 1})}
            why = "HTTP 304, but no article is stored"
            outcomes += [
                Outcome(each.url, "failed", why, status=304, seen_at=each.seen_at)
                for each in left
                if each.url not in stored
            ]
            left = [each for each in left if each.url in stored]
        for count in ("same", "not_modified"):
            self.counts[count] += len(left)
        return left, outcomes

    async def _settle(self, read: list[ArticleVisit], unchanged: list[Unchanged]) -> None:
        stored = [
            store_link(
                each.row, each.at, self.policy,
                published_at=each.document.get("published_at"), validators=each.validators,
                incomplete=_lacks_images(each.document),
            )
            for each in read
        ]  # fmt: skip
        same = [unchanged_link(u.url, u.seen_at or utc_now(), self.policy) for u in unchanged]
        rows = [*(each.row for each in read), *(u.url for u in unchanged)]
        await self._write_rows(rows, [*stored, *same])

    async def _write_rows(self, urls: list[str], updates: list[UpdateOne]) -> None:
        """Execute updates of `frontier` rows."""
        written = await write_each(self.db["frontier"], updates, ordered=True, bypass=True)
        await self.refuse_rows({urls[index]: why for index, (_, why) in written.errors.items()})

    async def refuse_rows(self, refused: dict[str, str]) -> None:
        """Reject `frontier` rows, by URL, whose updates the server refused, with the reason.

        Raises ServerRefuses if even that cannot be written.
        """
        if not refused:
            return
        await self._name(list(refused.items()))
        rows = [reject_link(url, why) for url, why in refused.items() if not key_fault(url)]
        written = await write_each(self.db["frontier"], rows, bypass=True)
        for _, why in written.errors.values():
            raise ServerRefuses(why)

    async def _write_visits(self, visits: list[ColumnVisit | WalkEnd]) -> None:
        # In the order they were seen: the pages of an issue are requested in parallel.
        seen = sorted(visits, key=lambda each: each.seen_at or utc_now())
        written = await write_each(
            self.db["columns"],
            [
                visit_column(v, self.run_id)
                if isinstance(v, ColumnVisit)
                else end_walk(v, self.run_id)
                for v in seen
            ],
            ordered=True,
        )
        await self._name([(seen[index].column, why) for index, (_, why) in written.errors.items()])

    def _refusal(self, sight: ArticleVisit, why: str) -> Outcome:
        """The outcome for an article that the database refused."""
        self.counts["refused"] += 1
        document = sight.document
        return Outcome(
            sight.row, "rejected", why,
            final_url=document["_id"], seen_at=sight.at, warc=document.get("warc"),
        )  # fmt: skip

    async def _write_outcomes(self, outcomes: list[Outcome]) -> None:
        """Write outcomes, at most one per link."""
        await self._judge_fronts(outcomes)
        asked = [o.url for o in outcomes if o.state in FINDINGS and not key_fault(o.url)]
        rows = await self._rows(asked)
        judged = [(o, judge(rows.get(o.url, {}), o, self.policy)) for o in outcomes]
        await self._add_rejects([o for o in outcomes if o.state == "rejected"])
        gone = [(o, v.doubt["since"]) for o, v in judged if v and v.takes_down]
        if gone:
            written = await write_each(self.db["articles"], [take_down(*each) for each in gone])
            failed = [(gone[index][0].url, why) for index, (_, why) in written.errors.items()]
            await self._name(failed)
        kept = [(o, v) for o, v in judged if not key_fault(o.url)]
        await self._write_rows(
            [o.url for o, _ in kept], [settle_link(o, self.policy, v) for o, v in kept]
        )
        for outcome, verdict in judged:
            self._count(outcome, verdict)

    async def _rows(self, urls: list[str]) -> dict[str, dict[str, Any]]:
        """The fields of links' rows that `weigh` needs, by URL."""
        if not urls:
            return {}
        wanted = dict.fromkeys(("state", "doubt", "last_attempt_at", "next_visit_at"), 1)
        rows = self.db["frontier"].find({"_id": {"$in": urls}}, wanted)
        return {row["_id"]: row async for row in rows}

    def _count(self, outcome: Outcome, verdict: Verdict | None) -> None:
        """Count an outcome.

        `repeated`: the previous visit had the same result. `doubted`: an article that is not believed gone yet.
        """
        state = outcome.state
        if state == "pending":
            return
        if verdict and state == "gone" and verdict.was_stored:
            state = "gone" if verdict.believed else "doubted"
        elif verdict and verdict.repeats:
            state = "repeated"
        self.counts[state] += 1
        self.counts["skipped"] += state == "rejected" and outcome.skipped

    async def _name(self, failed: list[tuple[str, str]]) -> None:
        """Add rows to `rejects` for what could not be written: pairs of URL or column id, and reason."""
        self.counts["rejected"] += len(failed)
        await self._add_rejects([Outcome(name, "rejected", why) for name, why in failed])

    async def _add_rejects(self, outcomes: list[Outcome]) -> None:
        """Add rows to `rejects`. Raises ServerRefuses on failure, because each has only a few short texts."""
        rows = [reject_row(outcome, self.run_id) for outcome in outcomes]
        written = await write_each(self.db["rejects"], rows)
        for _, why in written.errors.values():
            raise ServerRefuses(why)

    async def _judge_fronts(self, outcomes: list[Outcome]) -> None:
        """Treat a front page in place of a stored article as a takedown."""
        fronts = [o for o in outcomes if o.front]
        if fronts:
            urls = {"_id": {"$in": [o.url for o in fronts]}}
            stored = {each["_id"] async for each in self.db["articles"].find(urls, {"_id": 1})}
            for outcome in fronts:
                outcome.state = "gone" if outcome.url in stored else outcome.state

    async def count_unread(self, outcomes: list[Outcome]) -> None:
        """Count stored articles whose own page, parsed again, is rejected now."""
        rejected = {o.url: o.seen_at for o in outcomes if o.state == "rejected"}
        stored = self.db["articles"].find({"_id": {"$in": list(rejected)}}, {"changed_at": 1})
        async for each in stored:
            self.counts["unread"] += each.get("changed_at") == rejected[each["_id"]]

    async def _write_articles(self, sights: dict[str, ArticleVisit]) -> dict[str, str]:
        await self.add_columns(sights)
        refused = await self._versions.write({url: each.document for url, each in sights.items()})
        # Again, because a run that listed a link meanwhile found no article to add its columns to.
        if late := await self.add_columns(sights):
            gained = [gain_columns(url, columns) for url, columns in late.items()]
            written = await write_each(self.db["articles"], gained)
            refused |= {list(late)[index]: why for index, (_, why) in written.errors.items()}
        return refused

    async def add_columns(self, sights: dict[str, ArticleVisit]) -> dict[str, list[str]]:
        """Add the columns that have listed a link since its request, taken from the frontier.

        Returns them for each URL that gained any.
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


def _one_of_each_link(outcomes: list[Outcome]) -> list[list[Outcome]]:
    """The outcomes in order, in lists with at most one per link."""
    rounds: list[dict[str, Outcome]] = []
    for outcome in outcomes:
        place = next((each for each in rounds if outcome.url not in each), None)
        if place is None:
            rounds.append(place := {})
        place[outcome.url] = outcome
    return [list(each.values()) for each in rounds]


def _lacks_images(document: dict[str, Any]) -> bool:
    return any(image["status"] == "failed" for image in document.get("images", ()))
