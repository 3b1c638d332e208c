"""Counts how often each article field is present, by host, template and month, within MongoDB.

The aggregation reads the whole collection, bodies too, so it suits occasional use. The result is one
row per group, whatever the archive's size.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from zjolcrawl.items import FROM_KEYWORDS, READ_KINDS
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.selection import china_date, day_bounds

DIMENSIONS = ("host", "template", "month")
GENERIC = "generic"
"""The template of pages that fit no other."""
_PLAIN = ("title", "source", "breadcrumb", "kicker", "subtitle", "editor_note", "dateline")
_LISTS = ("authors", "editors", "tags", "images", "videos")

Key = tuple[str | None, ...]
Stage = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CoverageFilter:
    """Which articles to count, and the DIMENSIONS to group them by.

    `since` and `until` are publish days (China), both included; articles without `published_at` are then
    left out. `templates` are template names.
    """

    by: tuple[str, ...] = DIMENSIONS
    hosts: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """The dimensions without the template; rejected links have none."""
        return tuple(name for name in self.by if name != "template")


@dataclass(slots=True)
class Group:
    """Counts for the articles with one `key`, in the order of `CoverageFilter.by`; a None in it means "no value".

    `counts`: number of articles with each field; `time`: with a publish time finer than a day; `meta`: with
    tags from the page's keywords. `pictures`: number of images; `captions`: those with a caption. `body`:
    median length in characters. `neighbours`: articles of the same host and month with any template;
    `generic`: those of them read by the generic template; `rejected`: links there that gave no article.
    """

    key: Key
    articles: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    pictures: int = 0
    captions: int = 0
    body: int = 0
    neighbours: int = 0
    generic: int = 0
    rejected: int = 0


async def coverage(db: Database, wanted: CoverageFilter, day_in_url: str) -> list[Group]:
    """The groups in key order; groups that have only rejected links have no articles.

    `day_in_url` is a regular expression with groups for year, month and day, for links that their list
    does not date.
    """
    groups: list[Group] = []
    async for row in await db["articles"].aggregate(_pipeline(wanted), allowDiskUse=True):
        groups.append(_group(row, wanted))  # noqa: PERF401  # a comprehension hides the query
    rejected: dict[Key, int] = {}
    async for row in await db["frontier"].aggregate(_rejected(wanted, day_in_url)):
        rejected[tuple(row["_id"].get(name) for name in wanted.place)] = row["links"]
    places = {_place(group.key, wanted) for group in groups}
    for place in () if wanted.templates else rejected.keys() - places:
        values = dict(zip(wanted.place, place, strict=True))
        groups.append(Group(tuple(values.get(name) for name in wanted.by)))
    for group in groups:
        group.rejected = rejected.get(_place(group.key, wanted), 0)
    return sorted(groups, key=lambda group: tuple(each or "" for each in group.key))


def _place(key: Key, wanted: CoverageFilter) -> Key:
    return tuple(v for name, v in zip(wanted.by, key, strict=True) if name != "template")


def _group(row: dict[str, Any], wanted: CoverageFilter) -> Group:
    names = ("time", "meta", *_PLAIN, *_LISTS)
    return Group(
        tuple(row["_id"].get(name) for name in wanted.by),
        row["articles"], Counter({name: row[name] for name in names}),
        row["pictures"], row["captions"], row["body"], row["neighbours"], row["generic"],
    )  # fmt: skip


def _pipeline(wanted: CoverageFilter) -> list[Stage]:
    """One scan that first groups articles by length, so that the median needs no list of all lengths."""
    by_template = {"template": "$parser.template"}
    month = china_date("$published_at", "%Y-%m")
    dimensions = {"host": "$site", "month": month, **by_template}
    first = {name: dimensions[name] for name in wanted.by} | by_template
    sums = ["articles", "time", "meta", "pictures", "captions", *_PLAIN, *_LISTS]
    key = {name: f"$_id.{name}" for name in wanted.by}
    everything = {"window": {"documents": ["unbounded", "unbounded"]}}
    so_far = {"window": {"documents": ["unbounded", "current"]}}
    is_generic = {"$cond": [{"$eq": ["$_id.template", GENERIC]}, "$articles", 0]}
    half = {"$gte": [{"$multiply": ["$so_far", 2]}, "$all"]}
    stages: list[Stage] = [
        {"$match": published_in(wanted)},
        {"$group": {"_id": {**first, "length": {"$strLenCP": "$body"}}, **_sums()}},
        {"$setWindowFields": {
            "partitionBy": {name: f"$_id.{name}" for name in wanted.place},
            "output": {"neighbours": {"$sum": "$articles", **everything},
                       "generic": {"$sum": is_generic, **everything}},
        }},
        {"$match": _of_templates(wanted)},
        {"$setWindowFields": {
            "partitionBy": key,
            "sortBy": {"_id.length": 1},
            "output": {"so_far": {"$sum": "$articles", **so_far},
                       "all": {"$sum": "$articles", **everything}},
        }},
        {"$group": {
            "_id": key,
            **{name: {"$sum": f"${name}"} for name in sums},
            "body": {"$min": {"$cond": [half, "$_id.length", None]}},  # $min ignores null
            "neighbours": {"$first": "$neighbours"},
            "generic": {"$first": "$generic"},
        }},
    ]  # fmt: skip
    return stages


def _of_templates(wanted: CoverageFilter) -> Stage:
    return {"_id.template": {"$in": list(wanted.templates)}} if wanted.templates else {}


def published_in(wanted: CoverageFilter) -> Stage:
    """The filter on `articles` for publish days and hosts."""
    bounds = day_bounds(wanted.since, wanted.until)
    match: Stage = {"published_at": bounds} if bounds else {}
    return match | ({"site": {"$in": list(wanted.hosts)}} if wanted.hosts else {})


def _sums() -> Stage:
    def count(condition: Any) -> Stage:
        return {"$sum": {"$cond": [condition, 1, 0]}}

    captions: Stage = {
        "$filter": {"input": {"$ifNull": ["$images", []]}, "cond": {"$ne": [_or_none("$$this.caption"), None]}}
    }  # fmt: skip
    fine = {"$in": ["$published_precision", ["second", "minute", "hour"]]}
    return {
        "articles": {"$sum": 1},
        **{name: count({"$ne": [_or_none(f"${name}"), None]}) for name in _PLAIN},
        **{name: count({"$ne": [_size(f"${name}"), 0]}) for name in _LISTS},
        "time": count({"$and": [{"$ne": [_or_none("$published_at"), None]}, fine]}),
        "meta": count({"$in": [FROM_KEYWORDS, {"$ifNull": ["$warnings", []]}]}),
        "pictures": {"$sum": _size("$images")},
        "captions": {"$sum": {"$size": captions}},
    }


def _or_none(path: str) -> Stage:
    return {"$ifNull": [path, None]}  # in an expression, a missing field is not equal to null


def _size(path: str) -> Stage:
    return {"$size": {"$ifNull": [path, []]}}


def _rejected(wanted: CoverageFilter, day_in_url: str) -> list[Stage]:
    """Rejected links to articles, by the day in their list or else in their URL."""
    listed = china_date("$listed_at", "%Y-%m-%d")
    found = {"$regexFind": {"input": "$_id", "regex": day_in_url}}
    parts = [{"$arrayElemAt": ["$found.captures", n]} for n in range(3)]
    written = {"$concat": [parts[0], "-", parts[1], "-", parts[2]]}
    month = {"$cond": [{"$eq": ["$day", None]}, None, {"$substrBytes": ["$day", 0, 7]}]}
    dimensions = {"host": "$host", "month": month}
    return [
        {"$match": {"state": "rejected", "kind": {"$in": sorted(READ_KINDS)}}},
        {"$set": {"host": {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 2]}, "found": found}},
        {"$set": {"day": {"$ifNull": [listed, written, None]}}},
        {"$match": _of_days(wanted)},
        {"$group": {
            "_id": {name: dimensions[name] for name in wanted.place}, "links": {"$sum": 1},
        }},
    ]  # fmt: skip


def _of_days(wanted: CoverageFilter) -> Stage:
    span = {"$gte": wanted.since, "$lte": wanted.until}
    bounds = {sign: day.isoformat() for sign, day in span.items() if day}
    match: Stage = {"day": bounds} if bounds else {}
    return match | ({"host": {"$in": list(wanted.hosts)}} if wanted.hosts else {})
