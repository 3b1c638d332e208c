"""Queries of events: versions that were first seen, takedowns and returns, the last event first.

An article's newest version tells when its last event was. So the last N events of a selection belong to the N
articles whose last events are the latest, and only their former versions are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from zjolcrawl.clock import EPOCH
from zjolcrawl.fields import FIELDS
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.documents import former_versions, url_of
from zjolcrawl.storage.queries.selection import Selection, start_of

NEW, EDITED, GONE, RETURNED = "new", "edited", "gone", "returned"
KINDS = (NEW, EDITED, GONE, RETURNED)
_TIMES = dict.fromkeys(("revision", "changed_at", "gone_at", "returned_at"), 1)
_DOWN = {"gone_at": {"$gt": EPOCH}}  # uses the sparse index `gone_at`
_MOST_AT_ONCE = 5000  # articles that were first seen in the same millisecond
_RANGES = 200  # articles whose former versions one query reads
_BATCH = 10  # a version may have 16 MB
_READ = {
    *(field.name for field in FIELDS if field.editorial and field.name not in {"body", "images"}),
    "images.ref", "images.url", "published_precision", "site_name", "columns", "revision", "changed_at",
    "content_sha256", "written_at",
}  # fmt: skip


class VersionKey(NamedTuple):
    """A version of an article: the time since which it was in force, and its number.

    The number may change with an import of an older capture: it only serves to read the version at once.
    """

    url: str
    since: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an article at a time: one of KINDS.

    `version` was first seen then, or was in force; an edit replaced the version `former`.
    """

    kind: str
    at: datetime
    url: str
    version: VersionKey
    former: VersionKey | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Events of some `kinds` of the articles that a selection has, from the times `since` on, by kind.

    `urls`: only of these articles; they were found by a full-text query.
    """

    kinds: tuple[str, ...]
    selection: Selection
    since: dict[str, datetime]
    urls: tuple[str, ...] | None = None

    @property
    def has_versions(self) -> bool:
        """Whether versions are wanted, not only takedowns and returns."""
        return bool({NEW, EDITED}.intersection(self.kinds))

    @property
    def has_takedowns(self) -> bool:
        """Whether takedowns or returns are wanted."""
        return bool({GONE, RETURNED}.intersection(self.kinds))


async def last_events(db: Database, wanted: Wanted, most: int) -> list[Event]:
    """The last `most` events, the last one first; events at the same time in the order of their URLs."""
    found = {each["_id"]: each for each in await _candidates(db, wanted, most)}
    former = await _former(db, found.values())
    events = [
        event
        for url, newest in found.items()
        for event in _events([*former.get(url, ()), newest])
        if event.kind in wanted.kinds and event.at >= wanted.since.get(event.kind, event.at)
    ]
    # Stable sorts: by time, then by URL, then in the order in which they happened.
    events.sort(key=lambda event: (event.url, KINDS.index(event.kind)))
    events.sort(key=lambda event: event.at, reverse=True)
    return events[:most]


async def versions_of(
    db: Database, keys: Collection[VersionKey], text: int, markup: int
) -> tuple[dict[VersionKey, dict[str, Any]], datetime | None]:
    """Versions by key, with the fields that a feed shows, and when one of their articles was last written.

    Texts are cut to `text` characters; `body_html` is left out if it has more than `markup` bytes. A version
    that has got another number or begin since its key was read is missing.
    """
    shown = {
        **dict.fromkeys(_READ, 1), "body": start_of("body", text), "body_html": _short("body_html", markup),
        **{name: start_of(name, text) for name in ("editor_note", "abstract")},
    }  # fmt: skip
    places: dict[str, list[Any]] = {
        "articles": sorted({key.url for key in keys}),
        "revisions": [{"url": key.url, "revision": key.revision} for key in keys],
    }
    found: dict[VersionKey, dict[str, Any]] = {}
    times: list[datetime] = []
    for name, ids in places.items():
        stages: list[dict[str, Any]] = [{"$match": {"_id": {"$in": ids}}}, {"$project": shown}]
        async for each in await db[name].aggregate(stages, batchSize=_BATCH):
            key = VersionKey(url_of(each), each["changed_at"], each["revision"])
            if key in keys:
                found[key] = each
            if written := each.get("written_at"):
                times.append(written.as_datetime())
    return found, max(times, default=None)


async def _candidates(db: Database, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The articles whose last events are the latest: their times."""
    query = wanted.selection.query()
    if wanted.urls is not None:
        return (
            await db["articles"].find({**query, "_id": {"$in": [*wanted.urls]}}, _TIMES).to_list()
        )
    found: list[dict[str, Any]] = []
    if wanted.has_versions:
        edited = {} if NEW in wanted.kinds else {"revision": {"$gt": 1}}
        found += await _last_seen(db, {**query, **edited}, most)
    if wanted.has_takedowns:
        stages: list[dict[str, Any]] = [
            {"$match": {**query, **_DOWN}},
            {"$project": {**_TIMES, "last": {"$max": ["$gone_at", "$returned_at"]}}},
            {"$sort": {"last": -1, "_id": 1}},
            {"$limit": most},
        ]
        found += await (await db["articles"].aggregate(stages)).to_list()
    return found


async def _last_seen(db: Database, query: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """The articles whose newest versions were first seen last; all of those seen at the same time as the last."""
    newest = db["articles"].find(query, _TIMES).sort("changed_at", -1).limit(most)
    found = await newest.to_list()
    if len(found) == most:
        # Which of them come first is undefined, so that two pages could have the same or miss one.
        tied = {**query, "changed_at": found[-1].get("changed_at")}
        found += await db["articles"].find(tied, _TIMES).limit(_MOST_AT_ONCE).to_list()
    return found


async def _former(
    db: Database, newest: Collection[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The times of former versions by URL, oldest first."""
    last = {each["_id"]: each.get("revision") for each in newest}
    ranges = [
        former_versions(url, 1, number)
        for url, number in last.items()
        if isinstance(number, int) and number > 1
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(ranges), _RANGES):
        chosen = {"$or": ranges[start : start + _RANGES]}
        async for each in db["revisions"].find(chosen, _TIMES).sort("_id", 1):
            found.setdefault(each["_id"]["url"], []).append(each)
    return found


def _events(versions: list[dict[str, Any]]) -> Iterator[Event]:
    """The events of an article, given the times of its versions, oldest first."""
    # A killed run may have left a version under two numbers; the newest version counts.
    starts = {at: each for each in versions if isinstance(at := each.get("changed_at"), datetime)}
    keys = [VersionKey(url_of(each), at, each["revision"]) for at, each in sorted(starts.items())]
    former = None
    for key in keys:
        yield Event(EDITED if former else NEW, key.since, key.url, key, former)
        former = key
    for kind, name in ((GONE, "gone_at"), (RETURNED, "returned_at")):
        for at in sorted(_times(versions, name)):
            for key in ([each for each in keys if each.since <= at] or keys)[-1:]:
                yield Event(kind, at, key.url, key)


def _times(versions: Iterable[dict[str, Any]], name: str) -> set[datetime]:
    """A takedown or return is in its version and in all later ones."""
    return {at for each in versions if isinstance(at := each.get(name), datetime)}


def _short(name: str, most: int) -> dict[str, Any]:
    """Expression: a text field of at most `most` bytes; removed if it is longer, missing or not text."""
    length = {
        "$cond": [
            {"$eq": [{"$type": f"${name}"}, "string"]},
            {"$strLenBytes": f"${name}"},
            most + 1,
        ]
    }
    return {"$cond": [{"$lte": [length, most]}, f"${name}", "$$REMOVE"]}
