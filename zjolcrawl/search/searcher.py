"""Searches the index, and loads the articles on the page from MongoDB.

Default order: articles with all terms in the headline first, then the others; the newest first within
each group, by publish time or else by when they were first seen. If the selection is by change, the last
change comes first instead. Order by relevance: the 1000 best by
BM25, with the headline counting four times; the score halves per ten years of age, if that is known.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from tantivy import DocAddress, Occur, Query, SearchResult

from zjolcrawl.search.index import SearchIndex, usable
from zjolcrawl.search.paging import Key, keys_after
from zjolcrawl.search.query import parse
from zjolcrawl.storage.change_feed import PUBLIC_FIELDS, articles_of
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.selection import Selection

Order = Literal["newest", "relevance"]
Span = Literal["day", "month", "year"]
ORDERS: tuple[Order, ...] = ("newest", "relevance")
SPANS: tuple[Span, ...] = ("day", "month", "year")
_AT_ONCE = 100
_HEADLINE_WEIGHT, _HALF_LIFE = 4.0, 10.0
RANKED = 1000
"""The number of hits that the order by relevance has."""


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits, the `total` number of hits, and the folded `terms` to highlight."""

    articles: list[dict[str, Any]]
    total: int
    terms: list[str] = field(default_factory=list)


class Search:
    """One query on the last commit of the index. Raises QueryError; its methods raise StoreUnavailable."""

    def __init__(self, index: SearchIndex, text: str, selection: Selection) -> None:
        self.wanted = parse(text, selection)
        self._change = _change_field(selection)
        self._folder, self._searcher = index.folder, index.searcher()
        self._all = self.wanted.query("text", selection)
        self._headline = self.wanted.query("headline", selection)

    def total(self) -> int:
        """The number of matching articles."""
        with usable(self._folder):
            return _count(self._searcher.search(self._all, 1))

    def urls(self, limit: int, skip: int = 0, order: Order = "newest") -> list[str]:
        """The URLs of hits `skip` to `skip + limit`."""
        if limit < 1:
            return []
        found = self._by_relevance if order == "relevance" else self._newest
        with usable(self._folder):
            return [self._searcher.doc(each)["url"][0] for each in found(limit, skip)]

    def latest(self, by: str, limit: int) -> list[str]:
        """The URLs of the hits with the latest times in the field `by`, one of EVENTS or CHANGES."""
        with usable(self._folder):
            found, _ = self._sorted(self._all, limit, 0, by)
            return [self._searcher.doc(each)["url"][0] for each in found]

    def after(self, key: Key | None, limit: int) -> list[Key]:
        """The keys of the `limit` hits after `key`, in the order of `urls`; hits of the same time by URL."""
        if self._change:
            groups = [(self._all, self._change)]
        else:
            groups = [(self._headline, "at"), (self._rest(), "at")]
        with usable(self._folder):
            return keys_after(self._searcher, groups, key, limit)

    def histogram(self, span: Span) -> dict[str, int]:
        """The number of hits per day, month or year in China; those without hits are left out."""
        most = {"days": {"terms": {"field": "day", "size": 65_000}}}
        with usable(self._folder):
            buckets = self._searcher.aggregate(self._all, most)["days"]["buckets"]
        counts: Counter[str] = Counter()
        for each in buckets:
            day = f"{each['key']:.0f}"
            parts = (day[:4], day[4:6], day[6:])[: len(SPANS) - SPANS.index(span)]
            counts["-".join(parts)] += each["doc_count"]
        return dict(sorted(counts.items()))

    def _newest(self, limit: int, skip: int) -> list[DocAddress]:
        if self._change:
            return self._sorted(self._all, limit, skip, self._change)[0]
        found, above = self._sorted(self._headline, limit, skip)
        if len(found) < limit:
            found += self._sorted(self._rest(), limit - len(found), max(0, skip - above))[0]
        return found

    def _rest(self) -> Query:
        """The matches without all terms in the headline."""
        return Query.boolean_query([(Occur.Must, self._all), (Occur.MustNot, self._headline)])

    def _sorted(
        self, query: Query, limit: int, skip: int, by: str = "at"
    ) -> tuple[list[DocAddress], int]:
        """One page of matches, newest first, and the total number."""
        found = self._searcher.search(query, limit, order_by_field=by, offset=skip)
        return [address for _, address in found.hits], _count(found)

    def _by_relevance(self, limit: int, skip: int) -> list[DocAddress]:
        weighted = Query.boost_query(self._headline, _HEADLINE_WEIGHT)
        query = Query.boolean_query([(Occur.Must, self._all), (Occur.Should, weighted)])
        hits = self._searcher.search(query, RANKED, count=False).hits
        days = self._searcher.fast_field_values("day", [address for _, address in hits])
        newest = max((int(day) for day in days if day), default=0)

        def worth(place: int) -> float:
            years = (_ordinal(newest) - _ordinal(int(days[place] or newest))) / 365.25
            return float(hits[place][0] * 0.5 ** (years / _HALF_LIFE))

        ranked = sorted(range(len(hits)), key=worth, reverse=True)
        return [hits[place][1] for place in ranked[skip : skip + limit]]


def _change_field(selection: Selection) -> str | None:
    """The field of the index that sorts a selection by change; None for any other selection."""
    if selection.changed_since and selection.gone_since:
        return "change"
    return "edited" if selection.changed_since else "gone" if selection.gone_since else None


def _ordinal(number: int) -> int:
    """A `day` of the index as a number of days."""
    return date(number // 10_000, number // 100 % 100, number % 100).toordinal() if number else 0


def _count(found: SearchResult) -> int:
    return int(found.count)  # type: ignore[attr-defined]  # not in its stubs


async def search(
    db: Database,
    index: SearchIndex,
    text: str,
    selection: Selection,
    *,
    limit: int = 20,
    skip: int = 0,
    order: Order = "newest",
    fields: Sequence[str] | None = None,
) -> Results:
    """Hits `skip` to `skip + limit`, with all fields or only `fields`. Raises QueryError."""
    query = Search(index, text, selection)
    urls, total = query.urls(limit, skip, order), query.total()
    return Results(await _in_order(db, urls, fields), total, query.wanted.terms)


async def matching(
    db: Database, index: SearchIndex, text: str, selection: Selection, order: Order = "newest"
) -> AsyncIterator[dict[str, Any]]:
    """All matching articles, in the order of `search`. Raises QueryError."""
    query = Search(index, text, selection)
    urls = await asyncio.to_thread(lambda: query.urls(max(1, query.total()), order=order))
    for start in range(0, len(urls), _AT_ONCE):
        for each in await _in_order(db, urls[start : start + _AT_ONCE]):
            yield each


async def _in_order(
    db: Database, urls: list[str], fields: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    shown = PUBLIC_FIELDS if fields is None else dict.fromkeys(fields, 1)
    found = {each["_id"]: each for each in await articles_of(db, urls, shown)}
    return [found[url] for url in urls if url in found]
