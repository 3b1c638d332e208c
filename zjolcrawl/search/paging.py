"""Pages of hits by key: a page begins after the last hit of the page before, whatever was indexed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from tantivy import FieldType, Occur, Query, Searcher

from zjolcrawl.search.index import SCHEMA

_NANOSECONDS = 10**9


class Key(NamedTuple):
    """The place of a hit: its group, the value that orders the group (None: it has none), and its URL."""

    group: int
    value: int | None
    url: str


Group = tuple[Query, str]
"""Hits that come before all of the next group, and the field that orders them."""
_Place = tuple[int | None, str]


def keys_after(
    searcher: Searcher, groups: Sequence[Group], after: Key | None, limit: int
) -> list[Key]:
    """The keys of the next `limit` hits: by group, then the greatest value first, then by URL."""
    found: list[Key] = []
    for number, group in enumerate(groups):
        if len(found) == limit:
            break
        if after and number < after.group:
            continue
        start = after[1:] if after and after.group == number else None
        places = _places(searcher, group, start, limit - len(found))
        found += [Key(number, *each) for each in places]
    return found


def _places(searcher: Searcher, group: Group, start: _Place | None, limit: int) -> list[_Place]:
    """The next places in a group."""
    query, by = group
    found: list[_Place] = []
    if start:
        value, url = start
        found = [each for each in _tied(searcher, group, value) if each[1] > url][:limit]
        if value is None:  # these come last
            return found
        # Excluded, so that hits without a value stay.
        query = _with(query, Occur.MustNot, _range(by, value, None))
    if not (room := limit - len(found)):
        return found
    hits = searcher.search(query, room, order_by_field=by).hits
    places: list[_Place] = [(value, searcher.doc(each)["url"][0]) for value, each in hits]
    if len(places) == room:  # the index does not order hits with the same value
        last = places[-1][0]
        places = [each for each in places if each[0] != last]
        places += _tied(searcher, (query, by), last)[: room - len(places)]
    return found + sorted(places, key=lambda each: (each[0] is None, -(each[0] or 0), each[1]))


def _tied(searcher: Searcher, group: Group, value: int | None) -> list[_Place]:
    """The places with this value, by URL."""
    query, by = group
    if value is None:
        chosen = _with(query, Occur.MustNot, _range(by, 0, None))
    else:
        chosen = _with(query, Occur.Must, _range(by, value, value))
    count = int(searcher.search(chosen, 1).count)  # type: ignore[attr-defined]  # not in its stubs
    hits = searcher.search(chosen, max(1, count)).hits
    return sorted(((value, searcher.doc(each)["url"][0]) for _, each in hits), key=lambda p: p[1])


def _with(query: Query, occur: Occur, other: Query) -> Query:
    return Query.boolean_query([(Occur.Must, query), (occur, other)])


def _range(by: str, least: int, most: int | None) -> Query:
    if by != "at":
        return Query.range_query(SCHEMA, by, FieldType.Unsigned, least, most)
    bounds = [_moment(each) for each in (least, most)]
    return Query.range_query(SCHEMA, by, FieldType.Date, *bounds)


def _moment(value: int | None) -> Any:
    """A value of the field `at`; the index keeps whole seconds."""
    if value is None:
        return None
    return datetime.fromtimestamp(value // _NANOSECONDS, timezone.utc)
