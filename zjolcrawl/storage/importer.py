"""Imports articles from files into the database.

An unknown article is stored as it was. For a known one, RevisionPolicy decides, as if a crawl had seen each
version at the times that the file states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from pymongo import InsertOne, UpdateMany, UpdateOne
from pymongo.errors import PyMongoError

from zjolcrawl.items import READ_KINDS, Link, Outcome, Unchanged
from zjolcrawl.parsing.urls import is_own_host
from zjolcrawl.site.current import current_site
from zjolcrawl.storage.buffer import ArticleVisit
from zjolcrawl.storage.bulk import write_each
from zjolcrawl.storage.change_feed import PUBLIC_FIELDS, SERVER_TIME
from zjolcrawl.storage.documents import LONGEST_KEY, former_versions, url_of
from zjolcrawl.storage.errors import DUPLICATE, StoreError, short
from zjolcrawl.storage.frontier import discover_link, settle_link, store_link
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.updates import mark_gone, mark_returned, mark_seen
from zjolcrawl.storage.version_writer import VersionWriter
from zjolcrawl.storage.versions import BOOKKEEPING
from zjolcrawl.storage.visit_policy import VisitPolicy

Document = dict[str, Any]
Update = UpdateMany | UpdateOne
Event = Document | Outcome | Unchanged
"""What a crawl would have seen at some time: a page, a takedown, or an unchanged page."""
_GONE = "taken down before it was imported"
_RANK = ("new", "changed", "inserted", "reread", "same")


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


Events = list[tuple[Event, ImportedVersion]]


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

    `counts` gets new, changed, inserted, reread and same (articles), and refused and unreadable (versions); each
    of the latter is reported to `tell` with its place. `kind_of` gives a link's kind (article, paper …), or
    None for a URL that cannot be in the frontier.
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

    def reject(self, place: str, why: str, count: str = "refused") -> None:
        """Report and count a version that is not imported."""
        self.counts[count] += 1
        self._tell(place, why)

    async def put(self, batch: list[ImportedArticle]) -> None:
        """Store articles, each URL once; may be repeated. Raises StoreError."""
        valid = [each for article in batch if (each := self._valid(article)).versions]
        try:
            wanted = {"_id": {"$in": [each.url for each in valid]}}
            stored = {row["_id"] async for row in self._db["articles"].find(wanted, {"_id": 1})}
            known = [each for each in valid if each.url in stored]
            known += await self._insert([each for each in valid if each.url not in stored])
            if known:
                await self._merge(known)
        except PyMongoError as error:
            message = (
                f"MongoDB is unavailable: {short(error)}; import again, it skips what is stored"
            )
            raise StoreError(message) from error

    def _valid(self, article: ImportedArticle) -> ImportedArticle:
        """The article without versions that do not fit its history or this site."""
        valid = ImportedArticle(article.url)
        newest = article.newest.document["revision"] if article.newest else None
        for version in article.versions:
            version.document.pop("written_at", None)  # belongs to the archive it was exported from
            why, number = None, version.document["revision"]
            if not version.is_newest and number != version.document["_id"]["revision"]:
                why = f"_id.revision is not revision ({number})"
            elif not version.is_newest and newest is not None and number >= newest:
                why = f"revision {number} is not before revision {newest}"
            if why := why or _url_fault(version.url):
                self.reject(version.place, why)
            else:
                valid.add(version)
        return valid

    async def _insert(self, new: list[ImportedArticle]) -> list[ImportedArticle]:
        """Insert unknown articles unchanged; returns those that another process inserted first."""
        articles: dict[str, ImportedArticle] = {}
        newest: list[ImportedVersion] = []
        for each in new:
            if each.newest:
                articles[each.url] = each
                newest.append(each.newest)
            else:
                self._reject_all(
                    each.former, "no article of this former version is stored or in the file"
                )
        await self._add_columns({each.url: each.document for each in newest})
        late: list[ImportedArticle] = []
        for version, code, why in await self._add("articles", newest):
            each = articles.pop(version.url)
            if code == DUPLICATE:
                late.append(each)
            else:
                self.reject(version.place, why)
                self._reject_all(each.former, "its article was refused")
        await self._add_former(v for each in articles.values() for v in each.former)
        await self._settle(articles.values())
        self.counts["new"] += len(articles)
        return late

    async def _add_columns(self, documents: dict[str, Document]) -> None:
        """Add to each document the columns that have listed its URL in this archive."""
        visits = {url: ArticleVisit(each, url, {}) for url, each in documents.items()}
        await self._store.writer.add_columns(visits)

    async def _add_former(self, versions: Iterable[ImportedVersion]) -> None:
        """Insert former versions whose revision numbers are not stored yet."""
        for version, code, why in await self._add("revisions", list(versions)):
            if code != DUPLICATE:
                self.reject(version.place, why)
            elif (
                await self._db["revisions"].find_one({"_id": version.document["_id"]})
                != version.document
            ):
                self.reject(version.place, "a different former version of this number is stored")

    async def _add(
        self, collection: str, versions: list[ImportedVersion]
    ) -> list[tuple[ImportedVersion, int, str]]:
        """Insert versions; returns the refused ones with the server's code and the reason."""
        moved = {"written_at": SERVER_TIME} if collection == "articles" else {}
        operations = [InsertOne({**each.document, **moved}) for each in versions]
        written = await write_each(self._db[collection], operations)
        return [(versions[index], *error) for index, error in written.errors.items()]

    async def _merge(self, known: list[ImportedArticle]) -> None:
        """Import articles that are stored already."""
        urls = {"_id": {"$in": [each.url for each in known]}}
        stored = {
            each["_id"]: each async for each in self._db["articles"].find(urls, PUBLIC_FIELDS)
        }
        keys = {"_id": {"$in": [v.document["_id"] for each in known for v in each.former]}}
        former = {_key(each): each async for each in self._db["revisions"].find(keys)}
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
        await self._apply([(each, await self._events(each, stored[each.url])) for each in others])

    async def _without_row(self, articles: list[ImportedArticle]) -> list[ImportedArticle]:
        """The articles without a frontier row, as an interrupted import leaves them."""
        wanted = {"_id": {"$in": [each.url for each in articles]}}
        rows = {row["_id"] async for row in self._db["frontier"].find(wanted, {"_id": 1})}
        return [each for each in articles if each.url not in rows]

    async def _events(self, article: ImportedArticle, stored: Document) -> Events:
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
        return [(event, version) for _, event, version in sorted(events, key=itemgetter(0))]

    async def _parsers(self, stored: Document) -> dict[datetime, int]:
        """The parser version of each stored version of an article, by `changed_at`."""
        wanted = {"changed_at": 1, "parser.version": 1}
        earlier = former_versions(stored["_id"], 1, stored["revision"])
        former = self._db["revisions"].find(earlier, wanted)
        versions = [stored, *[each async for each in former]]
        return {each["changed_at"]: each["parser"]["version"] for each in versions}

    async def _apply(self, histories: list[tuple[ImportedArticle, Events]]) -> None:
        """Apply each article's events in order, all articles side by side."""
        writer = VersionWriter(self._db, self._store.run_id, Counter())
        results: dict[str, str] = {}
        refused: set[str] = set()
        for round_ in zip_longest(*(events for _, events in histories)):
            events = [each for each in round_ if each and each[1].url not in refused]
            pages = {v.url: (event, v.place) for event, v in events if isinstance(event, dict)}
            await self._add_columns({url: event for url, (event, _) in pages.items()})
            for url, why in (
                await writer.write({u: event for u, (event, _) in pages.items()})
            ).items():
                refused.add(url)
                self.reject(pages[url][1], why)
            for url, what in writer.results.items():
                results[url] = min((results.get(url, "same"), str(what)), key=_RANK.index)
            marks = [(v.place, m) for e, v in events if not isinstance(e, dict) for m in _marks(e)]
            await self._update("articles", marks)
        taken = [each for each, _ in histories if each.url not in refused]
        self.counts.update(results.get(each.url, "same") for each in taken)
        await self._settle(each for each in taken if each.newest)

    async def _settle(self, articles: Iterable[ImportedArticle]) -> None:
        """Write frontier rows, so that crawls know what is stored and when to visit it again."""
        newest = [each.newest for each in articles if each.newest]
        rows = [(each.place, row) for each in newest for row in self._rows(each.document)]
        await self._update("frontier", rows)

    async def _update(self, collection: str, updates: Sequence[tuple[str, Update]]) -> None:
        """Execute updates, each with the place of its version; report those that fail."""
        written = await write_each(
            self._db[collection], [update for _, update in updates], ordered=True
        )
        failed = {updates[index][0]: why for index, (_, why) in written.errors.items()}
        for place, why in failed.items():
            self.reject(place, why)

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

    def _reject_all(self, versions: Iterable[ImportedVersion], why: str) -> None:
        for each in versions:
            self.reject(each.place, why)


def _key(version: Document) -> tuple[str, int]:
    return version["_id"]["url"], version["_id"]["revision"]


def _marks(event: Outcome | Unchanged) -> list[Update]:
    if isinstance(event, Outcome):
        return [mark_gone(event)]
    return [mark_seen(event), mark_returned(event)]


def _url_fault(url: str) -> str | None:
    """Why a URL cannot be the address of a page of this site, or None."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable()
    except ValueError:
        good = False
    if not good:
        return "_id is not an http address"
    if not is_own_host(url):
        return f"_id is not an address of {current_site().domain}"
    return f"_id has more than {LONGEST_KEY} characters" if len(url) > LONGEST_KEY else None
