"""Writes a buffer into MongoDB in an order that a crash may interrupt.

The round trips of one `write`, in order; those in brackets are made only if there is something to do. Each
write is in the journal of a majority before the next begins.

     1  frontier   read     columns that have listed the articles since their requests
     2  articles   read     stored versions [and former ones in `revisions`]
     3  [revisions write    the versions that edits replace]
        [both      read and write    visits that are older than others (storage.history_writer)]
     4  articles   write    new versions, or only last_seen_at [and former versions that were re-parsed]
     5  frontier   read     columns once more, of links listed since 1 [articles write them]
     6  [articles  read and write    pages that are unchanged (304)]
     7  [articles, frontier  read    whether links with a front page have an article; rows of links that gave none]
     8  [rejects   write    why]
     9  [outbox    write    takedowns, if there are watches]
        [articles  write    takedowns]
    10  frontier   write    the new state of every link
    11  [rejects, columns, runs    write: rejects that are articles now, column pages, the end of the run]

After a crash before 10 the links are still due, so the next run visits them again: 3 then finds its copy, 4
finds the same content, and 8 adds a row for that visit. After a crash in 11 the next run walks the same columns
again. Repeating a whole write changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne

from zjolcrawl.clock import utc_now
from zjolcrawl.items import ColumnVisit, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.buffer import ArticleVisit, Buffer, foreign_fault
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import key_fault
from zjolcrawl.storage.errors import ServerRefuses
from zjolcrawl.storage.frontier import reject_link, settle_link, store_link, unchanged_link
from zjolcrawl.storage.outbox import note_takedowns
from zjolcrawl.storage.updates import (
    add_to_columns,
    end_walk,
    mark_gone,
    mark_returned,
    mark_seen,
    reject_id,
    reject_row,
    visit_column,
)
from zjolcrawl.storage.version_writer import VersionWriter
from zjolcrawl.storage.visit_policy import FINDINGS, Verdict, VisitPolicy, judge

Rows = list[tuple[str, UpdateOne]]
"""Updates of `frontier`, each with the URL of its row."""


class BufferWriter:
    """Writes buffers for one run, counting in `counts`.

    `reparsing`: pages come from the archive, so a stored version may be of the very same visit. `watched`: takedowns
    are noted for watches (storage.outbox). `faults` gets a line for each capture of others that cannot be written.
    """

    def __init__(
        self, db: Database, run_id: ObjectId, counts: Counter[str], policy: VisitPolicy
    ) -> None:
        self.db, self.run_id, self.counts, self.policy = db, run_id, counts, policy
        self.reparsing = self.watched = False
        self.faults: list[str] = []
        self.versions = VersionWriter(db, run_id, counts)

    async def write(self, buffer: Buffer) -> None:
        """Write all of a buffer. Raises PyMongoError only for an outage, possibly after writing a part.

        What cannot be written becomes a rejected link, or a row of `rejects` if it has no link.
        """
        refused = await self._write_articles(buffer.articles) if buffer.articles else {}
        refusals = [self._refusal(buffer.articles[url], why) for url, why in refused.items()]
        read = [each for url, each in buffer.articles.items() if url not in refused]
        unchanged, failed = await self._touch(buffer.unchanged)
        rows = [(each.row, self._stored_row(each)) for each in read]
        for page in unchanged:
            update = unchanged_link(page.url, page.seen_at or utc_now(), self.policy)
            rows.append((page.url, update))
        outcomes = [*buffer.outcomes, *filter(None, refusals), *failed]
        for some in _one_of_each_link(outcomes, {url for url, _ in rows}):
            await self._settle(rows, some)
            rows = []
        if self.reparsing:
            ids = [reject_id(each.row, each.at) for each in read]
            await self.db["rejects"].delete_many({"_id": {"$in": ids}})  # they are articles now
            await self.count_unread(outcomes)
        await self._write_visits(buffer.visits)
        for end in buffer.ends:
            await self.db["runs"].update_one({"_id": end.run_id}, {"$set": end.values})

    async def add_columns(self, visits: dict[str, ArticleVisit]) -> dict[str, list[str]]:
        """Add the columns that have listed a link since its request, taken from the frontier.

        Returns them for each URL that gained any.
        """
        rows = {"_id": {"$in": [each.row for each in visits.values()]}}
        found = self.db["frontier"].find(rows, {"columns": 1})
        listed = {row["_id"]: row.get("columns", []) async for row in found}
        gained: dict[str, list[str]] = {}
        for url, each in visits.items():
            known = each.document.get("columns", [])
            if new := [column for column in listed.get(each.row, []) if column not in known]:
                gained[url] = new
                each.document["columns"] = [*known, *new]
        return gained

    async def count_unread(self, outcomes: list[Outcome]) -> None:
        """Count stored articles whose own page, parsed again, is rejected now."""
        rejected = {o.url: o.seen_at for o in outcomes if o.state == "rejected"}
        stored = self.db["articles"].find({"_id": {"$in": list(rejected)}}, {"changed_at": 1})
        async for each in stored:
            self.counts["unread"] += each.get("changed_at") == rejected[each["_id"]]

    async def _write_articles(self, visits: dict[str, ArticleVisit]) -> dict[str, str]:
        """Write versions; returns the reasons for refused ones, by URL."""
        await self.add_columns(visits)
        refused = await self.versions.write({url: each.document for url, each in visits.items()})
        # Again, because a run that listed a link meanwhile found no article to add its columns to.
        if late := await self.add_columns(visits):
            gained = [add_to_columns(url, columns) for url, columns in late.items()]
            written = await write_each(self.db["articles"], gained)
            refused |= {list(late)[index]: why for index, (_, why) in written.errors.items()}
        return refused

    def _refusal(self, visit: ArticleVisit, why: str) -> Outcome | None:
        """The outcome for an article that the database refused; None if others captured it."""
        self.counts["refused"] += 1
        if visit.is_foreign:
            self.faults.append(foreign_fault(visit.url, visit.at, why))
            return None
        document = visit.document
        return Outcome(
            visit.row, "rejected", why,
            final_url=document["_id"], seen_at=visit.at, warc=document.get("warc"),
        )  # fmt: skip

    def _stored_row(self, visit: ArticleVisit) -> UpdateOne:
        images = visit.document.get("images", ())
        return store_link(
            visit.row, visit.at, self.policy,
            published_at=visit.document.get("published_at"), validators=visit.validators,
            incomplete=any(image["status"] == "failed" for image in images),
            is_foreign=visit.is_foreign,
        )  # fmt: skip

    async def _touch(self, pages: list[Unchanged]) -> tuple[list[Unchanged], list[Outcome]]:
        """Record unchanged pages; returns those with a stored article, and outcomes for the others.

        A 304 for a link without an article says nothing: the link is requested again, unconditionally.
        """
        stored = await self._stored(each.url for each in pages)
        known = [each for each in pages if each.url in stored]
        updates = [update(each) for each in known for update in (mark_seen, mark_returned)]
        written = await write_each(self.db["articles"], updates)
        refused = {known[index // 2].url: why for index, (_, why) in written.errors.items()}
        outcomes = [
            Outcome(each.url, "rejected", refused[each.url], seen_at=each.seen_at)
            if each.url in refused
            else Outcome(each.url, "failed", _NO_ARTICLE, status=304, seen_at=each.seen_at)
            for each in pages
            if each.url in refused or each.url not in stored
        ]
        left = [each for each in known if each.url not in refused]
        for count in ("same", "not_modified"):
            self.counts[count] += len(left)
        return left, outcomes

    async def _settle(self, rows: Rows, outcomes: list[Outcome]) -> None:
        """Write outcomes, at most one per link, and then `frontier`: their rows and `rows`."""
        await self._judge_fronts(outcomes)
        known = await self._rows(o.url for o in outcomes if o.state in FINDINGS)
        judged = [(o, judge(known.get(o.url, {}), o, self.policy)) for o in outcomes]
        await self._add_rejects([o for o in outcomes if o.state == "rejected"])
        gone = [(o, v.doubt["since"]) for o, v in judged if v and v.takes_down]
        if self.watched:
            await note_takedowns(self.db, self.run_id, gone)
        written = await write_each(self.db["articles"], [mark_gone(*each) for each in gone])
        await self._report((gone[index][0].url, why) for index, (_, why) in written.errors.items())
        settled = [
            (o.url, settle_link(o, self.policy, v)) for o, v in judged if not key_fault(o.url)
        ]
        await self._write_rows([*rows, *settled])
        for outcome, verdict in judged:
            self._count(outcome, verdict)

    async def _judge_fronts(self, outcomes: list[Outcome]) -> None:
        """Treat a front page in place of a stored article as a takedown."""
        stored = await self._stored(o.url for o in outcomes if o.front)
        for outcome in outcomes:
            if outcome.front and outcome.url in stored:
                outcome.state = "gone"

    async def _stored(self, urls: Iterable[str]) -> set[str]:
        """The URLs that are stored as articles."""
        if not (wanted := {"$in": list(urls)})["$in"]:
            return set()
        return {each["_id"] async for each in self.db["articles"].find({"_id": wanted}, {"_id": 1})}

    async def _rows(self, urls: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The fields of links' rows that `judge` needs, by URL."""
        asked = [url for url in urls if not key_fault(url)]
        if not asked:
            return {}
        wanted = dict.fromkeys(("state", "doubt", "last_attempt_at", "next_visit_at"), 1)
        rows = self.db["frontier"].find({"_id": {"$in": asked}}, wanted)
        return {row["_id"]: row async for row in rows}

    async def _write_rows(self, rows: Rows) -> None:
        """Update `frontier`; links whose updates the server refuses are rejected, with the reason.

        Raises ServerRefuses if even that cannot be written.
        """
        updates = [update for _, update in rows]
        written = await write_each(self.db["frontier"], updates, ordered=True, bypass=True)
        refused = {rows[index][0]: why for index, (_, why) in written.errors.items()}
        await self._report(refused.items())
        rejected = [reject_link(url, why) for url, why in refused.items() if not key_fault(url)]
        written = await write_each(self.db["frontier"], rejected, bypass=True)
        for _, why in written.errors.values():
            raise ServerRefuses(why)

    async def _write_visits(self, visits: list[ColumnVisit | WalkEnd]) -> None:
        # In the order they were seen: the pages of an issue are requested in parallel.
        seen = sorted(visits, key=lambda each: each.seen_at or utc_now())
        updates = [
            visit_column(each, self.run_id)
            if isinstance(each, ColumnVisit)
            else end_walk(each, self.run_id)
            for each in seen
        ]
        written = await write_each(self.db["columns"], updates, ordered=True)
        await self._report((seen[index].column, why) for index, (_, why) in written.errors.items())

    async def _report(self, failed: Iterable[tuple[str, str]]) -> None:
        """Add rows to `rejects` for what could not be written: pairs of URL or column id, and reason."""
        rejects = [Outcome(name, "rejected", why) for name, why in failed]
        self.counts["rejected"] += len(rejects)
        await self._add_rejects(rejects)

    async def _add_rejects(self, outcomes: list[Outcome]) -> None:
        """Add rows to `rejects`. Raises ServerRefuses on failure, because each has only a few short texts."""
        rows = [reject_row(outcome, self.run_id) for outcome in outcomes]
        written = await write_each(self.db["rejects"], rows)
        for _, why in written.errors.values():
            raise ServerRefuses(why)

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


_NO_ARTICLE = "HTTP 304, but no article is stored"


def _one_of_each_link(outcomes: list[Outcome], settled: set[str]) -> list[list[Outcome]]:
    """The outcomes in order, in lists with at most one per link; the first has none of `settled`."""
    rounds: list[list[Outcome]] = [[]]
    urls = [settled]
    for outcome in outcomes:
        number = next((n for n, known in enumerate(urls) if outcome.url not in known), len(urls))
        if number == len(urls):
            rounds.append([])
            urls.append(set())
        rounds[number].append(outcome)
        urls[number].add(outcome.url)
    return rounds
