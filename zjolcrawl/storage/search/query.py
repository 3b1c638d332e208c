"""Asking the index: which articles have all of a query's terms, best first.

The index gives candidates; each is looked at in `articles` before it is told, so that a hit is always
true of the article as it is stored now. Ranks: all terms in the headline, then all as words of the text,
then anywhere in it; the newest first in each.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.errors import StoreUnavailable
from zjolcrawl.storage.search import segment
from zjolcrawl.storage.search.index import (
    PARTS,
    QUEUE,
    live_segments,
    postings_id,
    table_id,
    waiting,
)
from zjolcrawl.storage.search.words import (
    FIELDS,
    HEADLINE_PAIR,
    PAIR,
    WORD,
    facet,
    folded,
    full_text,
    has_all,
    headline,
    terms,
    words,
    words_of,
)
from zjolcrawl.storage.selection import Selection, day_bounds

Rank = Literal["headline", "words", "text"]
RANKS: tuple[Rank, ...] = ("headline", "words", "text")
MOST_UNINDEXED = 2000
"""So many articles that wait to be indexed are looked at one by one."""
_MOST_TERMS = 20
_MOST_LENGTH = 200
_LONG = 50_000  # characters
_AT_ONCE = 25
"""So many articles are in memory until they were looked at: one may have 16 MB."""
_MOST_WAITING = 4_000_000
"""So many characters of articles that wait to be indexed are looked at."""


class QueryError(ValueError):
    """A query that nothing can be found by; the message is one line."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that has all the terms, and where."""

    article: dict[str, Any]
    rank: Rank


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits.

    `more`: there are hits after these; `at_most`: how many there can be in all; `unindexed`: articles
    that were not searched, since the index is behind. `terms` are what was looked for: where no
    article has the query as written, `loosened` says that they are its words, each by itself.
    """

    hits: list[Hit]
    more: bool
    at_most: int
    unindexed: int
    terms: list[str]
    loosened: bool = False


async def search(
    db: Database,
    text: str,
    selection: Selection,
    *,
    limit: int = 20,
    skip: int = 0,
    more_fields: Sequence[str] | None = None,
) -> Results:
    """Hits number `skip` to `skip + limit`. Raises QueryError.

    Their articles are whole, or where `more_fields` is given have the fields that are searched and these.
    """  # fmt: skip
    wanted = query_terms(text)
    fields = dict.fromkeys((*FIELDS, *more_fields), 1) if more_fields is not None else None
    results = await _page(await _Searcher.of(db, wanted, selection, fields), limit, skip)
    loose = [word for term in wanted for word in words_of(term)]
    if not results.hits and not skip and loose != wanted and any(len(w) > 1 for w in loose):
        searcher = await _Searcher.of(db, loose[:_MOST_TERMS], selection, fields)
        return await _page(searcher, limit, skip, loosened=True)
    return results


async def matching(db: Database, text: str, selection: Selection) -> AsyncIterator[dict[str, Any]]:
    """All articles that have the query's terms, best first. Raises QueryError."""
    searcher = await _Searcher.of(db, query_terms(text), selection)
    async for hit in searcher.hits(batch=200):
        yield hit.article


async def unindexed(db: Database) -> int:
    """About how many articles a search does not look at, because they are not indexed yet."""
    return max(0, await waiting(db) - MOST_UNINDEXED)


def query_terms(text: str) -> list[str]:
    """The terms of a query that can be looked for. Raises QueryError."""
    found = terms(text[: _MOST_LENGTH * 10])
    if not found:
        raise QueryError("nothing to search for")
    if len(found) > _MOST_TERMS or max(map(len, found)) > _MOST_LENGTH:
        raise QueryError(
            f"a query has {_MOST_TERMS} terms of {_MOST_LENGTH} characters at the most"
        )
    if all(len(term) < 2 for term in found):
        raise QueryError(f"{found[0]}: one term at least must have two characters or more")
    return found


async def _page(searcher: _Searcher, limit: int, skip: int, *, loosened: bool = False) -> Results:
    hits: list[Hit] = []
    seen = 0
    async for hit in searcher.hits(batch=limit + skip + 5):
        seen += 1
        if seen > skip + limit:
            break
        if seen > skip:
            hits.append(hit)
    return Results(
        hits, seen > skip + limit, searcher.at_most, searcher.unindexed, searcher.terms,
        loosened and bool(hits),
    )  # fmt: skip


@dataclass(slots=True)
class _Source:
    """A segment's row and its candidates by rank, as bits."""

    row: dict[str, Any]
    ranked: dict[Rank, int]


Candidate = segment.Dated


@dataclass(slots=True)
class _Searcher:
    """One query on one state of the index."""

    db: Database
    terms: list[str]
    selection: Selection
    fields: dict[str, int] | None
    sources: list[_Source]
    unindexed: int
    late: dict[Rank, list[Candidate]] = field(default_factory=dict)
    known: set[Candidate] = field(default_factory=set)
    """Those of `late`: they were looked at and have the terms."""
    seen: set[str] = field(default_factory=set)

    @classmethod
    async def of(
        cls,
        db: Database,
        wanted: list[str],
        selection: Selection,
        fields: dict[str, int] | None = None,
    ) -> _Searcher:
        """Read the candidates of every segment."""  # fmt: skip
        sources = await _sources(db, await live_segments(db), wanted, selection)
        searcher = cls(db, wanted, selection, fields, sources, await unindexed(db))
        await searcher._look_at_waiting()
        return searcher

    @property
    def at_most(self) -> int:
        """How many hits there can be."""
        late = sum(map(len, self.late.values()))
        return late + sum(b.bit_count() for each in self.sources for b in each.ranked.values())

    async def hits(self, batch: int) -> AsyncIterator[Hit]:
        """All hits in order."""
        for rank in RANKS:
            async for hit in self._of_rank(rank, batch):
                yield hit

    async def _of_rank(self, rank: Rank, batch: int) -> AsyncIterator[Hit]:
        """Candidates of a rank, looked at batch by batch, newest first."""
        left = {n: bits for n, source in enumerate(self.sources) if (bits := source.ranked[rank])}
        ready = set(self.late.pop(rank, []))
        while left or ready:
            reached: list[int] = []
            # Of each segment its part of what is wanted, as articles of all days are in all.
            ahead = batch // len(left) + 3 if left else 0
            taken = {n: segment.newest(left[n], ahead) for n in list(left)}
            found = await self._resolved({n: positions for n, (positions, _) in taken.items()})
            for n, (_, rest) in taken.items():
                ready.update(found[n])
                if rest:
                    left[n] = rest
                    reached.append(min(at for at, _ in found[n]))
                else:
                    del left[n]
            # What is older than the last that a segment has told may come after another of it.
            bound = max(reached, default=None)
            order = sorted((c for c in ready if bound is None or c[0] >= bound), reverse=True)
            for start in range(0, len(order), _AT_ONCE):
                part = order[start : start + _AT_ONCE]
                ready.difference_update(part)
                async for hit in self._looked_at(rank, part):
                    yield hit
            batch = min(2 * batch, 1000)

    async def _looked_at(self, rank: Rank, candidates: list[Candidate]) -> AsyncIterator[Hit]:
        """The true hits of a rank; what turns out to be of a lower one waits for its turn."""
        articles = await self._articles([url for _, url in candidates if url not in self.seen])
        for candidate in candidates:
            at, url = candidate
            article = articles.get(url)
            if article is None or url in self.seen or segment.when(article) != at:
                continue
            true = rank if candidate in self.known else await self._rank(article, rank)
            if true == rank:
                self.seen.add(url)
                yield Hit(article, rank)
            elif true:
                self._wait(candidate, true)

    def _wait(self, candidate: Candidate, rank: Rank) -> None:
        self.known.add(candidate)
        self.late.setdefault(rank, []).append(candidate)

    async def _rank(self, article: dict[str, Any], at_best: Rank) -> Rank | None:
        """Where an article has the terms; None if it has not. A long one is looked at on a thread."""
        if len(article.get("body", "")) < _LONG:
            return self._ranked(article, at_best)
        return await asyncio.to_thread(self._ranked, article, at_best)

    def _ranked(self, article: dict[str, Any], at_best: Rank) -> Rank | None:
        """Below the headline the index tells."""
        if at_best == "headline" and has_all(headline(article), self.terms):
            return "headline"
        text = full_text(article)
        if not has_all(text, self.terms):
            return None
        if at_best != "headline":
            return at_best
        wanted = {word for term in self.terms if len(term) > 1 for word in words_of(term)}
        return "words" if wanted <= words(folded(text)) else "text"

    async def _look_at_waiting(self) -> None:
        """Articles that are not indexed yet, the newest ones: those that have the terms are hits."""
        rows = self.db[QUEUE].find({}, {"url": 1}).sort("_id", -1).limit(MOST_UNINDEXED)
        urls = list(dict.fromkeys([row["url"] async for row in rows]))
        characters = 0
        for start in range(0, len(urls), _AT_ONCE):
            if characters > _MOST_WAITING:
                self.unindexed += len(urls) - start
                break
            for article in (await self._articles(urls[start : start + _AT_ONCE])).values():
                characters += len(article.get("body", ""))
                if rank := await self._rank(article, "headline"):
                    self._wait((segment.when(article), article["_id"]), rank)

    async def _articles(self, urls: Sequence[str]) -> dict[str, dict[str, Any]]:
        if not urls:
            return {}
        wanted = {"$and": [{"_id": {"$in": list(urls)}}, self.selection.query()]}
        found = self.db["articles"].find(wanted, self.fields)
        return {each["_id"]: each async for each in found}

    async def _resolved(self, positions: dict[int, list[int]]) -> dict[int, list[Candidate]]:
        """Dates and URLs of positions, by source."""
        places: dict[str, tuple[int, list[int]]] = {}
        for source, chosen in positions.items():
            number = self.sources[source].row["_id"]
            for position in chosen:
                key = table_id(number, position // segment.CHUNK)
                places.setdefault(key, (source, []))[1].append(position % segment.CHUNK)
        parts = [part async for part in self.db[PARTS].find({"_id": {"$in": list(places)}})]
        if len(parts) < len(places):
            raise StoreUnavailable("the index was merged while it was read; ask again")
        found: dict[int, list[Candidate]] = {source: [] for source in positions}
        for part in parts:
            source, chosen = places[part["_id"]]
            found[source] += [(part["at"][place], part["urls"][place]) for place in chosen]
        return found


async def _sources(
    db: Database, rows: Sequence[dict[str, Any]], wanted: list[str], selection: Selection
) -> list[_Source]:
    """Candidates by segment."""
    plan = _Plan(wanted, selection)
    names = plan.names()
    ids = {
        postings_id(row["_id"], segment.bucket(name, row["buckets"])): row["_id"]
        for row in rows
        for name in names
    }
    projection = {f"postings.{name}": 1 for name in names}
    found: dict[int, dict[str, bytes]] = {row["_id"]: {} for row in rows}
    async for part in db[PARTS].find({"_id": {"$in": list(ids)}}, projection):
        found[ids[part["_id"]]] |= part.get("postings", {})
    return [_Source(row, plan.ranked(row, found[row["_id"]])) for row in rows]


class _Plan:
    """Which tokens are asked for, and what their sets come to."""

    def __init__(self, wanted: list[str], selection: Selection) -> None:
        long = [term for term in wanted if len(term) > 1]
        self._pairs = [pair for term in long for pair in _cover(term)]
        self._words = [word for term in long for word in words_of(term)]
        self._facets = [
            facet(kind, getattr(selection, kind))
            for kind in ("columns", "people", "tags", "sites")
            if getattr(selection, kind)
        ]
        flags = [name for name in ("edited", "gone", "images") if getattr(selection, name)]
        self._facets += [[token] for token in facet("flag", flags)]
        bounds = day_bounds(selection.since, selection.until)
        self._since, self._until = (
            segment.milliseconds(bounds[sign]) if sign in bounds else None
            for sign in ("$gte", "$lt")
        )

    def names(self) -> set[str]:
        """The field names of all that is asked for."""
        tokens = [
            *(PAIR + pair for pair in self._pairs),
            *(HEADLINE_PAIR + pair for pair in self._pairs),
            *(WORD + word for word in self._words),
            *(token for alternatives in self._facets for token in alternatives),
        ]
        return {segment.field_name(token) for token in tokens}

    def ranked(self, row: dict[str, Any], postings: dict[str, bytes]) -> dict[Rank, int]:
        """The candidates of a segment, each in the best rank that it can have."""

        def having(token: str) -> int:
            data = postings.get(segment.field_name(token))
            return segment.bits(data) if data else 0

        def all_of(prefix: str, parts: Iterable[str], chosen: int) -> int:
            for part in parts:
                if not chosen:
                    break
                chosen &= having(prefix + part)
            return chosen

        chosen = self._within_days(row)
        for alternatives in self._facets:
            either = 0
            for token in alternatives:
                either |= having(token)
            chosen &= either
        text = all_of(PAIR, self._pairs, chosen)
        in_headline = all_of(HEADLINE_PAIR, self._pairs, text)
        as_words = all_of(WORD, self._words, text & ~in_headline)
        return {
            "headline": in_headline, "words": as_words, "text": text & ~in_headline & ~as_words,
        }  # fmt: skip

    def _within_days(self, row: dict[str, Any]) -> int:
        """The positions that may lie in the days, to the size of a part of the table."""
        oldest: list[int] = row["oldest"]
        first, last = 0, row["articles"]
        if self._since is not None:
            first = max(0, bisect_left(oldest, self._since) - 1) * segment.CHUNK
        if self._until is not None:
            last = min(last, bisect_left(oldest, self._until) * segment.CHUNK)
        return ((1 << last) - 1) & ~((1 << first) - 1) if last > first else 0


def _cover(term: str) -> list[str]:
    """Pairs that cover a term: every second one, and the last."""
    places = [*range(0, len(term) - 1, 2)]
    if places[-1] != len(term) - 2:
        places.append(len(term) - 2)
    return list(dict.fromkeys(term[n : n + 2] for n in places))
