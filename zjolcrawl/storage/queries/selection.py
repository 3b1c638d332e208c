"""Article filters shared by search, lists, export and the web page, and expressions for aggregations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from zjolcrawl.parsing.fields.dates import china_midnight

_CHANGE = "sorted_by"  # a field that exists only while MongoDB sorts


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions that every selected article must meet; an empty, None or False field is no condition.

    `since` and `until` are publish days (China, both included); they exclude articles without a publish time.
    Of several `columns`, `sites`, `people` or `tags` one must match. `people` are names of reporters or
    editors. `edited`: changed after publication; `gone`: taken down; `images`: with at least one image.
    `changed_since`: edited on this day (China) or later; `gone_since`: taken down on this day or later, and not
    restored; with both, either. Such articles are listed by the time of the change, the last change first.
    """

    since: date | None = None
    until: date | None = None
    columns: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    edited: bool = False
    gone: bool = False
    images: bool = False
    changed_since: date | None = None
    gone_since: date | None = None

    @property
    def by_change(self) -> bool:
        """Whether articles are selected, and so listed, by the time of a change."""
        return bool(self.changed_since or self.gone_since)

    def changes(self) -> list[dict[str, Any]]:
        """The filters on changes, of which one must match; empty if there is no such condition."""
        edited = {"revision": {"$gt": 1}, "changed_at": day_bounds(self.changed_since, None)}
        gone = {"status": "gone", "gone_at": day_bounds(self.gone_since, None)}
        chosen = ((self.changed_since, edited), (self.gone_since, gone))
        return [part for day, part in chosen if day]

    def query(self) -> dict[str, Any]:
        """The filter on `articles`."""
        named = [{name: _one_of(self.people)} for name in ("authors.name", "editors.name")]
        parts: list[Mapping[str, Any]] = [
            {"published_at": span} if (span := day_bounds(self.since, self.until)) else {},
            {"columns": _one_of(self.columns)} if self.columns else {},
            {"site": _one_of(self.sites)} if self.sites else {},
            {"tags": _one_of(self.tags)} if self.tags else {},
            {"revision": {"$gt": 1}} if self.edited else {},
            {"status": "gone"} if self.gone else {},
            {"images.position": 1} if self.images else {},
            {"$or": named} if self.people else {},
            {"$and": [{"$or": self.changes()}]} if self.by_change else {},
        ]
        return {name: value for part in parts for name, value in part.items()}


def in_order(selection: Selection, plain: dict[str, int]) -> list[dict[str, Any]]:
    """Stages that sort selected articles: by change, the last first, if it is selected; otherwise by `plain`."""
    if not selection.by_change:
        return [{"$sort": plain}]
    change = change_time(selection)
    return [{"$set": {_CHANGE: change}}, {"$sort": {_CHANGE: -1, "_id": 1}}, {"$unset": _CHANGE}]


def change_time(selection: Selection) -> dict[str, Any]:
    """Expression: the time of the last change that selects an article."""
    times = [
        {"$cond": [{"$gt": ["$revision", 1]}, "$changed_at", None]} if selection.changed_since else None,
        {"$cond": [{"$eq": ["$status", "gone"]}, "$gone_at", None]} if selection.gone_since else None,
    ]  # fmt: skip
    return {"$max": [each for each in times if each]}  # ignores null


def day_bounds(since: date | None, until: date | None) -> dict[str, Any]:
    """Conditions on a time for days in China, both included; {} without bounds."""
    bounds: dict[str, Any] = {}
    if since:
        bounds["$gte"] = china_midnight(since)
    if until:
        bounds["$lt"] = china_midnight(until + timedelta(days=1))
    return bounds


def china_date(path: str, form: str) -> dict[str, Any]:
    """Expression: a date field as text in China's time zone; null if the field is missing."""
    return {"$dateToString": {"date": path, "format": form, "timezone": "+08:00"}}


def start_of(name: str, characters: int) -> dict[str, Any]:
    """Expression: the first `characters` of a field; removed if it is missing or not text."""
    text = {"$eq": [{"$type": f"${name}"}, "string"]}
    return {"$cond": [text, {"$substrCP": [f"${name}", 0, characters]}, "$$REMOVE"]}


def length_of(name: str) -> dict[str, Any]:
    """Expression: the number of characters of a field; 0 if it is missing or not text."""
    text = {"$eq": [{"$type": f"${name}"}, "string"]}
    return {"$cond": [text, {"$strLenCP": f"${name}"}, 0]}


def _one_of(values: tuple[str, ...]) -> Any:
    return values[0] if len(values) == 1 else {"$in": list(values)}
