"""Imports articles from files into the database.

An unknown article is stored as it was. For a known one, the archive's own rules apply (storage.revision_policy), as
if a crawl had seen each version at the times that the file states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any

from pymongo import InsertOne, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from zjolcrawl.items import READ_KINDS, Link, Outcome, Unchanged
from zjolcrawl.storage.buffer import ArticleVisit
from zjolcrawl.storage.change_feed import PUBLIC_FIELDS, SERVER_TIME
from zjolcrawl.storage.documents import former_versions, url_of
from zjolcrawl.storage.errors import DUPLICATE, StoreError, is_outage, refusal, short
from zjolcrawl.storage.frontier import discover_link, settle_link, store_link
from zjolcrawl.storage.revision_policy import BOOKKEEPING
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.updates import come_back, still_there, take_down
from zjolcrawl.storage.validation import fault, url_fault
from zjolcrawl.storage.version_writer import VersionWriter
from zjolcrawl.storage.visit_policy import VisitPolicy

Document = dict[str, Any]
Event = Document | Outcome | Unchanged
"""What a crawl would have seen at some time: a page, a takedown, or an unchanged page."""
_GONE = "taken down before it was imported"
_RANK = ("missed", "new", "changed", "reread", "same")


@dataclass(frozen=True, slots=True)
class ImportedVersion:
    """A version of an article; `place` is where it was read (FILE:LINE), `size` its bytes there."""

    document: Document
    place: str
    size: int = 0

    @property
    def url(self) -> str:
        """The article's URL."""
        return str(url_of(self.document))

    @property
    def is_newest(self) -> bool:
        """Whether it belongs in `articles`, not `revisions`."""
        return isinstance(self.document["_id"], str)


@dataclass(slots=True)
class ImportedArticle:
    """What a file has of one article: `former` versions in file order, and the `newest` if present."""

    url: str
    former: list[ImportedVersion] = field(default_factory=list)
    newest: ImportedVersion | None = None

    def add(self, version: ImportedVersion) -> None:
        """Add a version."""
        if version.is_newest:
            self.newest = version
        else:
            self.former.append(version)

    @property
    def versions(self) -> list[ImportedVersion]:
        """All versions, the newest last."""
        return [*self.former, *([self.newest] if self.newest else [])]


class Importer:
    """Writes imported articles to the database of a store.

    `counts` gets new, changed, reread and same (articles), and missed and refused (versions); each of the
    latter is reported to `tell` with its place. `kind_of` gives a link's kind (article, paper …), or None for
    a URL that cannot be in the frontier.
    """

    def __init__(
        self,
        store: Store,
        policy: VisitPolicy,
        kind_of: Callable[[str], str | None],
        tell: Callable[[str, str], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._store, self._db = store, store.db
        self._policy, self._kind_of, self._tell = policy, kind_of, tell

    async def put(self, batch: list[ImportedArticle]) -> None:
        """Store articles, each URL once; may be repeated. Raises StoreError."""
        try:
            await self._halved([valid for each in batch if (valid := self._valid(each)).versions])
        except PyMongoError as error:
            told = f"MongoDB is unavailable: {short(error)}; import again, it skips what is stored"
            raise StoreError(told) from error

    async def _halved(self, batch: list[ImportedArticle]) -> None:
        """Store articles; if the server refuses the batch, split it until only the culprit is refused."""
        counts, told = self.counts.copy(), self._tell
        kept: list[tuple[str, str]] = []
        self._tell = lambda place, why: kept.append((place, why))
        failed: PyMongoError | None = None
        try:
            await self._put(batch)
        except PyMongoError as error:
            if is_outage(error):
                raise
            failed = error
        finally:
            self._tell = told
        if failed is None:
            for place, why in kept:
                self._tell(place, why)
            return
        self.counts.clear()
        self.counts.update(counts)
        if len(batch) == 1:
            self._refuse(batch[0].versions, f"MongoDB refuses it: {short(failed)}")
        else:
            middle = len(batch) // 2
            await self._halved(batch[:middle])
            await self._halved(batch[middle:])

    async def _put(self, batch: list[ImportedArticle]) -> None:
        stored = await self._stored(each.url for each in batch)
        new = [each for each in batch if each.url not in stored]
        known = [each for each in batch if each.url in stored]
        if new:
            known += await self._insert(new)
        if known:
            await self._merge(known)

    def _valid(self, article: ImportedArticle) -> ImportedArticle:
        """The article without versions that the validators refuse or that do not fit its history."""
        valid = ImportedArticle(article.url)
        newest = article.newest.document.get("revision") if article.newest else None
        for version in article.versions:
            version.document.pop("written_at", None)  # belongs to the archive it was exported from
            why = fault("articles" if version.is_newest else "revisions", version.document)
            if not why and not version.is_newest:
                number = version.document["revision"]
                if number != version.document["_id"]["revision"]:
                    why = f"_id.revision is not revision ({number})"
                elif isinstance(newest, int) and number >= newest:
                    why = f"revision {number} is not before revision {newest}"
            why = why or url_fault(version.url)
            if why:
                self._refuse([version], why)
            else:
                valid.add(version)
        return valid

    async def _stored(self, urls: Iterable[str]) -> dict[str, Document]:
        wanted = {"_id": {"$in": list(urls)}}
        found = self._db["articles"].find(wanted, PUBLIC_FIELDS)
        return {each["_id"]: each async for each in found}

    async def _insert(self, new: list[ImportedArticle]) -> list[ImportedArticle]:
        """Insert unknown articles unchanged; returns those that another process inserted first."""
        for each in new:
            if each.newest is None:
                self._refuse(
                    each.former, "no article of this former version is stored or in the file"
                )
        articles = {each.url: each for each in new if each.newest}
        # Add the columns that have listed them here.
        await self._store.writer.add_columns(
            {
                url: ArticleVisit(each.newest.document, url, {})
                for url, each in articles.items()
                if each.newest
            }
        )
        refused = await self._add("articles", [e.newest for e in articles.values() if e.newest])
        late = [articles[version.url] for version, code, _ in refused if code == DUPLICATE]
        for version, code, why in refused:
            each = articles.pop(version.url)
            if code != DUPLICATE:
                self._refuse([version], why)
                self._refuse(each.former, "its article was refused")
        await self._add_former(v for each in articles.values() for v in each.former)
        await self._settle(articles.values())
        self.counts["new"] += len(articles)
        return late

    async def _add_former(self, versions: Iterable[ImportedVersion]) -> None:
        """Insert former versions whose revision numbers are not stored yet."""
        for version, code, why in await self._add("revisions", list(versions)):
            if code != DUPLICATE:
                self._refuse([version], why)
            elif await self._db["revisions"].find_one(version.document["_id"]) != version.document:
                self._refuse([version], "a different former version of this number is stored")

    async def _add(
        self, collection: str, versions: list[ImportedVersion]
    ) -> list[tuple[ImportedVersion, int, str]]:
        """Insert versions; returns the refused ones with the server's code and the reason."""
        if not versions:
            return []
        moved = {"written_at": SERVER_TIME} if collection == "articles" else {}
        try:
            await self._db[collection].bulk_write(
                [InsertOne({**each.document, **moved}) for each in versions], ordered=False
            )
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                raise
            return [
                (versions[each["index"]], each["code"], refusal(each))
                for each in error.details["writeErrors"]
            ]
        return []

    async def _merge(self, known: list[ImportedArticle]) -> None:
        """Import articles that are stored already."""
        stored = await self._stored(each.url for each in known)
        former = await self._former(v.document["_id"] for each in known for v in each.former)
        same: list[ImportedArticle] = []
        others: list[ImportedArticle] = []
        gaps: list[ImportedVersion] = []
        for each in known:
            kept = [v for v in each.former if _key(v.document) in former]
            alike = all(v.document == former[_key(v.document)] for v in kept)
            if each.newest and each.newest.document == stored[each.url]:
                # The same history; an export without --revisions had only the newest version.
                gaps += [v for v in each.former if v not in kept]
            else:
                alike = False
            (same if alike else others).append(each)
        await self._add_former(gaps)
        self.counts["same"] += len(same)
        await self._settle(await self._without_row(same))
        await self._see([(each, await self._events(each, stored[each.url])) for each in others])

    async def _former(self, keys: Iterable[Document]) -> dict[tuple[str, int], Document]:
        wanted = self._db["revisions"].find({"_id": {"$in": list(keys)}})
        return {_key(each): each async for each in wanted}

    async def _without_row(self, articles: list[ImportedArticle]) -> list[ImportedArticle]:
        """The articles without a frontier row, as an interrupted import leaves them."""
        wanted = {"_id": {"$in": [each.url for each in articles]}}
        rows = {row["_id"] async for row in self._db["frontier"].find(wanted, {"_id": 1})}
        return [each for each in articles if each.url not in rows]

    async def _events(
        self, article: ImportedArticle, stored: Document
    ) -> list[tuple[Event, ImportedVersion]]:
        """What a crawl would have seen of an article, in time order."""
        parsers = await self._parsers(stored)
        events: list[tuple[datetime, Event, ImportedVersion]] = []
        for version in article.versions:
            values = version.document
            page = {k: v for k, v in values.items() if k not in BOOKKEEPING} | {"_id": article.url}
            seen = dict.fromkeys([values["changed_at"], values["last_seen_at"]])
            if values["parser"]["version"] >= parsers.get(values["changed_at"], 0):
                events += [(at, {**page, "last_seen_at": at}, version) for at in seen]
            elif version.is_newest:
                # A later parser has read the stored version; only add that the page was seen.
                at = values["last_seen_at"]
                events.append((at, Unchanged(article.url, at), version))
            if version.is_newest and (at := values.get("gone_at")):
                events.append((at, Outcome(article.url, "gone", _GONE, seen_at=at), version))
            if version.is_newest and (at := values.get("returned_at")):
                events.append((at, Unchanged(article.url, at), version))
        return [(event, version) for _, event, version in sorted(events, key=lambda each: each[0])]

    async def _parsers(self, stored: Document) -> dict[datetime, int]:
        """The parser version of each stored version of an article, by `changed_at`."""
        wanted = {"changed_at": 1, "parser.version": 1}
        earlier = former_versions(stored["_id"], 1, stored["revision"])
        former = self._db["revisions"].find(earlier, wanted)
        versions = [stored, *[each async for each in former]]
        return {each["changed_at"]: each["parser"]["version"] for each in versions}

    async def _see(
        self, histories: list[tuple[ImportedArticle, list[tuple[Event, ImportedVersion]]]]
    ) -> None:
        """Apply each article's events in order, all articles side by side."""
        writer = VersionWriter(self._db, self._store.run_id, Counter())
        came_to: dict[str, str] = {}
        refused: set[str] = set()
        missed: set[str] = set()
        for step in zip_longest(*(events for _, events in histories)):
            events = [each for each in step if each and each[1].url not in refused]
            pages = {v.url: (event, v) for event, v in events if isinstance(event, dict)}
            await self._store.writer.add_columns(
                {url: ArticleVisit(event, url, {}) for url, (event, _) in pages.items()}
            )
            whys = await writer.write({url: event for url, (event, _) in pages.items()})
            for url, why in whys.items():
                refused.add(url)
                self._refuse([pages[url][1]], why)
            for url, what in writer.results.items():
                came_to[url] = min((came_to.get(url, "same"), str(what)), key=_RANK.index)
                place = pages[url][1].place
                if what == "missed" and place not in missed:
                    missed.add(place)
                    self._tell(place, "the archive has other content of this article for that time")
            if marks := [m for e, _ in events if not isinstance(e, dict) for m in _marks(e)]:
                await self._db["articles"].bulk_write(marks, ordered=False)
        self.counts["missed"] += len(missed)
        taken = [each for each, _ in histories if each.url not in refused]
        ends = [came_to.get(each.url, "same") for each in taken]
        self.counts.update(end for end in ends if end != "missed")
        await self._settle(each for each in taken if each.newest)

    async def _settle(self, articles: Iterable[ImportedArticle]) -> None:
        """Write frontier rows, so that crawls know what is stored and when to visit it again."""
        rows = [op for each in articles if each.newest for op in self._rows(each.newest.document)]
        if rows:
            await self._db["frontier"].bulk_write(rows, ordered=True)

    def _rows(self, article: Document) -> Iterable[UpdateOne]:
        at, gone = article["last_seen_at"], article["status"] == "gone"
        for url in (article["_id"], *article.get("aliases", [])):
            kind = self._kind_of(url)
            if kind not in READ_KINDS:
                if url != article["_id"]:
                    continue
                kind = "article"
            yield discover_link(
                Link(url, kind, article.get("columns", []),
                     seen_at=article["first_seen_at"]),
                self._policy,
            )  # fmt: skip
            yield store_link(url, at, self._policy, published_at=article.get("published_at"))
            if gone:
                seen = article.get("gone_at", at)
                yield settle_link(
                    Outcome(url, "gone", _GONE, attempted=False, seen_at=seen), self._policy
                )

    def _refuse(self, versions: Iterable[ImportedVersion], why: str) -> None:
        for each in versions:
            self.counts["refused"] += 1
            self._tell(each.place, why)


def _key(version: Document) -> tuple[str, int]:
    return version["_id"]["url"], version["_id"]["revision"]


def _marks(event: Outcome | Unchanged) -> list[UpdateOne | UpdateMany]:
    if isinstance(event, Outcome):
        return [take_down(event)]
    return [still_there(event), come_back(event)]
