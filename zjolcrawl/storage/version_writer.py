"""Writes versions of articles (insert, touch, revise, re-parse), safely beside other processes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bson import ObjectId
from pymongo import InsertOne, ReplaceOne, UpdateOne

from zjolcrawl.storage.archived_visits import CutVisits
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.change_feed import PUBLIC_FIELDS, SERVER_TIME
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.errors import DUPLICATE
from zjolcrawl.storage.history import Visits
from zjolcrawl.storage.history_writer import HistoryWriter, VersionRefused
from zjolcrawl.storage.revision_policy import Decision, RevisionPolicy, What
from zjolcrawl.storage.versions import Version, is_unread

Documents = dict[str, Version]
Operation = InsertOne[Version] | ReplaceOne[Version] | UpdateOne
_ROUNDS = 20  # of a write; most take one, a visit that cuts a version two
# A touch by another process makes the versions different ones, too.
_STATE = ("_id", "revision", "changed_at", "last_seen_at")
_AT_ONCE = 16  # articles whose versions are renumbered together


async def decide_all(
    db: Database,
    documents: Documents,
    policy: RevisionPolicy,
    hashes: Mapping[tuple[str, int], str] = MappingProxyType({}),
) -> dict[str, Decision]:
    """The policy's decision for each document, by URL, given what is stored now.

    `hashes`: by URL and revision, a `content_sha256` that replaces the stored one.
    """
    found = db["articles"].find({"_id": {"$in": list(documents)}}, PUBLIC_FIELDS)
    newest = {each["_id"]: each async for each in found}
    # Former versions are read only for visits that are not after the newest version, which is rare
    # except in a reparse, and to go on where a run was killed that had cut the newest one.
    older = {
        url: newest[url]["revision"]
        for url, document in documents.items()
        if url in newest
        and (document["last_seen_at"] <= newest[url]["last_seen_at"] or is_unread(newest[url]))
    }
    former: dict[str, list[Version]] = {url: [] for url in older}
    keys = [former_versions(url, 1, last) for url, last in older.items() if last > 1]
    if keys:
        async for each in db["revisions"].find({"$or": keys}).sort("_id", 1):
            former[each["_id"]["url"]].append(each)
    for url, version in ((u, v) for u, d in newest.items() for v in (d, *former.get(u, ()))):
        sha256 = hashes.get((url, version["revision"]))
        version["content_sha256"] = sha256 or version["content_sha256"]
    return {
        url: policy.decide(document, newest.get(url), former.get(url, []))
        for url, document in documents.items()
    }


class VersionWriter:
    """Writes versions for one run.

    `counts` gets new, changed, inserted, same and reread. `results` maps the URL of each document of the last
    `write` to one of these. `visits`, if set, knows the visits in the archive; `cut` then gets, by URL, the
    visits that must be re-parsed, because a version was cut between them.
    """

    def __init__(self, db: Database, run_id: ObjectId, counts: Counter[str]) -> None:
        self._db, self._run_id, self._counts = db, run_id, counts
        self._history = HistoryWriter(db)
        self.results: dict[str, What] = {}
        self.visits: Visits | None = None
        self.cut: dict[str, CutVisits] = {}
        self._put_off: set[tuple[str, datetime]] = set()

    async def write(self, documents: Documents) -> dict[str, str]:
        """Write documents by URL; returns the reasons for refused ones, by URL. Raises PyMongoError.

        A former version is in `revisions` before the newest replaces it. Only the process that replaces exactly
        the revision it read creates the next one.
        """
        refused: dict[str, str] = {}
        self.results = {}
        for number in range(_ROUNDS):  # each round retries what another process changed in between
            if not documents:
                break
            await asyncio.sleep(number // 3 * 0.01)
            documents = await self._round(documents, refused)
        for url in documents:
            refused[url] = "another process kept changing this article"
        return refused

    async def _round(self, documents: Documents, refused: dict[str, str]) -> Documents:
        """One try; returns the documents for which another process was faster."""
        policy = RevisionPolicy(self._run_id, self.visits, self._put_off)
        decisions = await decide_all(self._db, documents, policy)
        for url, each in decisions.items():
            if each.reparse_span:
                self._note_cut(url, documents[url], each)
        again = await self._keep_former(decisions, refused)
        again |= await self._change_histories(decisions, refused)
        articles: dict[str, Operation] = {}
        revisions: dict[str, Operation] = {}  # former versions that were re-parsed
        for url, each in decisions.items():
            if each.change:
                continue
            if each.known is None:
                articles[url] = InsertOne({**(each.version or {}), "written_at": SERVER_TIME})
            elif not isinstance(each.known["_id"], str):
                if each.what == "reread" and each.version:
                    state = {name: each.known[name] for name in ("_id", "changed_at")}
                    revisions[url] = ReplaceOne(state, each.version)
            elif each.version:
                state = {name: each.known[name] for name in _STATE}
                articles[url] = ReplaceOne(state, {**each.version, "written_at": SERVER_TIME})
            elif each.what == "same":
                articles[url] = policy.touch(documents[url], each.known)
        errors, unmatched = await self._bulk("articles", articles)
        old_errors, moved = await self._bulk("revisions", revisions)
        again |= {url for url, (code, _) in errors.items() if code == DUPLICATE}
        refused |= {u: why for u, (_, why) in (errors | old_errors).items() if u not in again}
        if moved:
            again |= revisions.keys()
        if unmatched:
            again |= await self._overtaken(decisions, refused.keys() | again)
        for url, each in decisions.items():
            if url not in refused and url not in again:
                self._counts[each.what] += 1
                self.results[url] = each.what
        return {url: documents[url] for url in again}

    async def _keep_former(
        self, decisions: dict[str, Decision], refused: dict[str, str]
    ) -> set[str]:
        """Save the versions that edits will replace; returns the articles to decide again.

        An article whose version cannot be saved is not edited.
        """
        former: dict[str, Operation] = {}
        for url, each in decisions.items():
            if each.what == "changed" and each.known:
                key = {"url": url, "revision": each.known["revision"]}
                former[url] = InsertOne({**each.known, "_id": key})
        # Bypass the validator: a version that it refuses today is still part of the history.
        errors, _ = await self._bulk("revisions", former, bypass=True)
        again: set[str] = set()
        for url, (code, why) in errors.items():
            known = decisions[url].known
            if code != DUPLICATE:
                refused[url] = f"the previous version cannot be saved: {why}"
                del decisions[url]
            elif known and not await self._history.keep(url, known):
                again.add(url)
                del decisions[url]
        return again

    async def _change_histories(
        self, decisions: dict[str, Decision], refused: dict[str, str]
    ) -> set[str]:
        """Write the visits that are not after all others; returns the articles to decide again."""
        again: set[str] = set()
        slots = asyncio.Semaphore(_AT_ONCE)

        async def write(url: str, *each: Any) -> None:
            async with slots:
                try:
                    if not await self._history.apply(url, *each):
                        again.add(url)
                except VersionRefused as error:
                    refused[url] = str(error)

        late = [
            (url, each.stored, each.change)
            for url, each in decisions.items()
            if each.change and each.stored and each.is_write
        ]
        done = await asyncio.gather(*(write(*each) for each in late), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error
        return again

    def _note_cut(self, url: str, document: Version, decision: Decision) -> None:
        """Note what must be re-parsed."""
        assert decision.reparse_span
        versions = decision.stored.versions if decision.stored else []
        self.cut.setdefault(url, CutVisits(*decision.reparse_span)).add(
            [document, *versions], *decision.reparse_span
        )

    async def _overtaken(self, decisions: dict[str, Decision], others: Iterable[str]) -> set[str]:
        """The articles that another process changed first."""
        mine = {u: each for u, each in decisions.items() if u not in others and _is_of_newest(each)}
        fields = dict.fromkeys(("changed_at", "run_id"), 1)
        found = self._db["articles"].find({"_id": {"$in": list(mine)}}, fields)
        stored = {each["_id"]: each async for each in found}
        return {url for url, each in mine.items() if not self._is_done(each, stored.get(url, {}))}

    def _is_done(self, decision: Decision, stored: Version) -> bool:
        """Whether an article has what this run wrote; if in doubt not, because writing it again does no harm."""
        version = decision.version
        if not version:
            return bool(decision.known and stored.get("changed_at") == decision.known["changed_at"])
        is_mine = stored.get("run_id") == self._run_id
        return (
            is_mine
            and stored.get("changed_at") == version["changed_at"]
            and decision.what == "changed"
        )

    async def _bulk(
        self, collection: str, operations: dict[str, Operation], *, bypass: bool = False
    ) -> tuple[dict[str, tuple[int, str]], int]:
        """Errors by URL as (code, reason), and the number of updates that matched no document."""
        written = await write_each(self._db[collection], list(operations.values()), bypass=bypass)
        urls = list(operations)
        errors = {urls[index]: error for index, error in written.errors.items()}
        return errors, len(operations) - written.done - len(errors)


def _is_of_newest(decision: Decision) -> bool:
    """Whether a decision replaces or touches the newest version."""
    return bool(decision.known and isinstance(decision.known["_id"], str) and not decision.change)
