"""Writes versions of articles (insert, touch, revise, re-parse), safely beside other processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bson import ObjectId
from pymongo import InsertOne, ReplaceOne, UpdateOne

from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.change_feed import PUBLIC_FIELDS, SERVER_TIME
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions
from zjolcrawl.storage.errors import DUPLICATE
from zjolcrawl.storage.revision_policy import Decision, RevisionPolicy, Version, What

Documents = dict[str, Version]
Operation = InsertOne[Version] | ReplaceOne[Version] | UpdateOne


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
    # except in a reparse.
    older = {
        url: newest[url]["revision"]
        for url, document in documents.items()
        if url in newest and document["last_seen_at"] <= newest[url]["last_seen_at"]
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

    `counts` gets new, changed, same, reread and missed. `results` maps the URL of each document of the last
    `write` to one of these.
    """

    def __init__(self, db: Database, run_id: ObjectId, counts: Counter[str]) -> None:
        self._db, self._run_id, self._counts = db, run_id, counts
        self.results: dict[str, What] = {}

    async def write(self, documents: Documents) -> dict[str, str]:
        """Write documents by URL; returns the reasons for refused ones, by URL. Raises PyMongoError.

        A former version is in `revisions` before the newest replaces it. Only the process that replaces exactly
        the revision it read creates the next one.
        """
        refused: dict[str, str] = {}
        self.results = {}
        for _ in range(5):  # each round retries what another process changed in between
            if not documents:
                break
            documents = await self._round(documents, refused)
        for url in documents:
            refused[url] = "another process kept changing this article"
        return refused

    async def _round(self, documents: Documents, refused: dict[str, str]) -> Documents:
        """One try; returns the documents for which another process was faster."""
        policy = RevisionPolicy(self._run_id)
        decisions = await decide_all(self._db, documents, policy)
        await self._keep_former(decisions, refused)
        articles: dict[str, Operation] = {}
        revisions: dict[str, Operation] = {}  # former versions that were re-parsed
        for url, each in decisions.items():
            if each.known is None:
                articles[url] = InsertOne({**(each.version or {}), "written_at": SERVER_TIME})
            elif not isinstance(each.known["_id"], str):
                if each.what == "reread" and each.version:
                    revisions[url] = ReplaceOne({"_id": each.known["_id"]}, each.version)
            elif each.version:
                state = {name: each.known[name] for name in ("_id", "revision", "changed_at")}
                articles[url] = ReplaceOne(state, {**each.version, "written_at": SERVER_TIME})
            elif each.what == "same":
                articles[url] = policy.touch(documents[url], each.known)
        errors, unmatched = await self._bulk("articles", articles)
        old_errors, _ = await self._bulk("revisions", revisions)
        again = {url for url, (code, _) in errors.items() if code == DUPLICATE}
        refused |= {u: why for u, (_, why) in (errors | old_errors).items() if u not in again}
        if unmatched:
            again |= await self._overtaken(decisions, refused.keys() | again)
        for url, each in decisions.items():
            if url not in refused and url not in again:
                self._counts[each.what] += 1
                self.results[url] = each.what
        return {url: documents[url] for url in again}

    async def _keep_former(self, decisions: dict[str, Decision], refused: dict[str, str]) -> None:
        """Save the versions that edits will replace; an article whose version cannot be saved is not edited."""
        former: dict[str, Operation] = {}
        for url, each in decisions.items():
            if each.what == "changed" and each.known:
                key = {"url": url, "revision": each.known["revision"]}
                # A run that was killed after this step left a copy; the version may have been touched since.
                older = {"_id": key, "last_seen_at": {"$lte": each.known["last_seen_at"]}}
                former[url] = ReplaceOne(older, {**each.known, "_id": key}, upsert=True)
        # Bypass the validator: a version that it refuses today is still part of the history.
        errors, _ = await self._bulk("revisions", former, bypass=True)
        for url, (code, why) in errors.items():
            # A duplicate was saved later, by another process.
            if code != DUPLICATE:
                refused[url] = f"the previous version cannot be saved: {why}"
                del decisions[url]

    async def _overtaken(self, decisions: dict[str, Decision], others: Iterable[str]) -> set[str]:
        """The articles that another process replaced first."""
        replaced = {
            url: each.version["revision"] for url, each in decisions.items()
            if each.version and each.known and isinstance(each.known["_id"], str) and url not in others
        }  # fmt: skip
        mine = {"_id": {"$in": list(replaced)}, "run_id": self._run_id}
        cursor = self._db["articles"].find(mine, {"revision": 1})
        done = {d["_id"] async for d in cursor if d["revision"] == replaced[d["_id"]]}
        return replaced.keys() - done

    async def _bulk(
        self, collection: str, operations: dict[str, Operation], *, bypass: bool = False
    ) -> tuple[dict[str, tuple[int, str]], int]:
        """Errors by URL as (code, reason), and the number of updates that matched no document."""
        written = await write_each(self._db[collection], list(operations.values()), bypass=bypass)
        urls = list(operations)
        errors = {urls[index]: error for index, error in written.errors.items()}
        return errors, len(operations) - written.done - len(errors)
