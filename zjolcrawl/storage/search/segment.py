"""A segment of the index: up to 50,000 articles in the order of their dates, and who has which token.

An article is known in its segment by its position, oldest first, so that a set of articles is a set of
numbers below 65,536 and its last is its newest. A token's set is stored as packed 16-bit numbers or,
where they are many, as a bitmap of 8 KiB; in memory it is an int, whose bit N stands for article N.
"""

from __future__ import annotations

import gc
import sys
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from zjolcrawl.storage.search.words import tokens

MOST = 50_000
"""Articles a segment; positions have 16 bits."""
Dated = tuple[int, str]
"""An article's date, in milliseconds since 1970, and its URL: dates as such take MongoDB's client ten
times as long to read."""
CHUNK = 128
"""Articles in one part of a segment's table."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_BITMAP = 8192  # bytes, for 65,536 articles
_FEW = 4000  # positions of 2 bytes: fewer bytes than a bitmap has, so the length tells which it is
# A token is a field's name in MongoDB. Two that come to share a name only make a query look at an
# article in vain.
_NAME = str.maketrans({".": "\ue000", "$": "\ue001", "\0": "\ue002"})


@dataclass(slots=True)
class Segment:
    """Articles as (date, URL), oldest first, and the positions of those that have a token."""

    articles: list[Dated]
    postings: dict[str, list[int]] = field(default_factory=dict)


def when(article: Mapping[str, Any]) -> int:
    """What articles are ordered by: publication, or where the page has none the first sight."""
    return milliseconds(article.get("published_at") or article["first_seen_at"])


def milliseconds(moment: datetime) -> int:
    """A time as it stands in a table."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def build(articles: Iterable[Mapping[str, Any]]) -> Segment:
    """A segment of articles, each with words.FIELDS."""
    ordered = sorted(articles, key=lambda each: (when(each), each["_id"]))
    postings: defaultdict[str, list[int]] = defaultdict(list)
    with _no_collection():
        for position, article in enumerate(ordered):
            for name in field_names(tokens(article)):
                postings[name].append(position)
    return Segment([(when(each), each["_id"]) for each in ordered], postings)


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for cycles, of which there are none, through a growing heap: two fifths of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def buckets_for(articles: int) -> int:
    """In how many parts the postings of so many articles lie: a power of two, some 30 KB a part."""
    return 1 << max(4, (articles // 4).bit_length() - 1)


def field_name(token: str) -> str:
    """A token as a field's name."""
    return token.translate(_NAME)


def field_names(found: set[str]) -> set[str]:
    """Tokens as fields' names; of a thousand, few are others."""
    others = {each for each in found if "." in each or "$" in each or "\0" in each}
    return (found - others) | {field_name(each) for each in others} if others else found


def bucket(name: str, buckets: int) -> int:
    """The part in which a token's postings lie, by its field name."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % buckets


def divided(postings: Mapping[str, Sequence[int]], buckets: int) -> list[dict[str, bytes]]:
    """Postings, packed, by bucket."""
    parts: list[dict[str, bytes]] = [{} for _ in range(buckets)]
    for name, positions in postings.items():
        parts[bucket(name, buckets)][name] = packed(positions)
    return parts


def packed(positions: Sequence[int]) -> bytes:
    """Sorted positions as they are stored."""
    if len(positions) <= _FEW:
        return _swapped(array("H", positions)).tobytes()
    return bytes(_bitmap(positions))


def positions_in(data: bytes) -> Sequence[int]:
    """What was packed."""
    if len(data) != _BITMAP:
        numbers = array("H")
        numbers.frombytes(data)
        return _swapped(numbers)
    return [
        n for n, bit in enumerate(reversed(f"{int.from_bytes(data, 'little'):b}")) if bit == "1"
    ]


def bits(data: bytes) -> int:
    """What was packed, as an int."""
    bitmap = data if len(data) == _BITMAP else _bitmap(positions_in(data))
    return int.from_bytes(bitmap, "little")


def _bitmap(positions: Iterable[int]) -> bytearray:
    bitmap = bytearray(_BITMAP)
    for position in positions:
        bitmap[position >> 3] |= 1 << (position & 7)
    return bitmap


def _swapped(numbers: array[int]) -> array[int]:
    """Stored numbers are little-endian, whatever the machine's are."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def newest(chosen: int, count: int) -> tuple[list[int], int]:
    """The last `count` positions of a set, last first, and the set without them."""
    found: list[int] = []
    while chosen and len(found) < count:
        position = chosen.bit_length() - 1
        found.append(position)
        chosen ^= 1 << position
    return found, chosen


@dataclass(frozen=True, slots=True)
class Merge:
    """The articles of several segments in one; `places[i][n]` is where article n of the i-th went.

    An article that is in several is taken from the last of them: its place in the others is -1.
    """

    articles: list[Dated]
    places: list[list[int]]

    @classmethod
    def of(cls, tables: Sequence[Sequence[Dated]]) -> Merge:
        """Merge tables of articles, the oldest segment's first."""
        last = {url: i for i, table in enumerate(tables) for _, url in table}
        kept = sorted(
            (at, url, i, n)
            for i, table in enumerate(tables)
            for n, (at, url) in enumerate(table)
            if last[url] == i
        )
        places = [[-1] * len(table) for table in tables]
        for position, (_, _, i, n) in enumerate(kept):
            places[i][n] = position
        return cls([(at, url) for at, url, _, _ in kept], places)

    def postings(self, parts: Iterable[tuple[int, Mapping[str, bytes]]]) -> dict[str, list[int]]:
        """Postings of the merged segment, from (which segment, a part of its postings)."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for i, part in parts:
            places = self.places[i]
            for name, data in part.items():
                if len(data) == 2:  # most tokens are of one article
                    found[name].append(places[data[0] | data[1] << 8])
                else:
                    found[name] += [places[n] for n in positions_in(data)]
        merged: dict[str, list[int]] = {}
        for name, positions in found.items():
            if kept := sorted(position for position in positions if position >= 0):
                merged[name] = kept
        return merged


def chunks(articles: Sequence[Dated]) -> Iterator[dict[str, list[Any]]]:
    """A table of articles in parts."""
    for start in range(0, len(articles), CHUNK):
        part = articles[start : start + CHUNK]
        yield {"at": [at for at, _ in part], "urls": [url for _, url in part]}
