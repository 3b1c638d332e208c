"""`/history?url=…&page=N`: the versions of an article: edits, takedowns and returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.display.article_diff import FIELDS, MOST_TEXT, Change, changes, pairs
from zjolcrawl.display.diff import Effort
from zjolcrawl.storage.queries.articles import history
from zjolcrawl.web.query_string import integer
from zjolcrawl.web.rendering import in_thread, link, page
from zjolcrawl.web.site import newest_of, site_of

_SIZE = 50  # versions per page
_MOST_PAGES = 10_000
_ALIKE = 0.35  # share of the longer text: if less is unchanged, marks on characters are unreadable


@dataclass(slots=True)
class Room:
    """The remaining budget of a page, in characters of edits that it shows."""

    characters: int = 1_000_000

    def take(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """The first parts that fit; their length is subtracted."""
        taken = 0
        for each in parts:
            if len(each) > self.characters:
                break
            self.characters -= len(each)
            taken += 1
        return parts[:taken]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one field: the parts `removed` and `added`, and how many `more` are not shown.

    `pieces`: if one part replaced another, both as (before, after) pieces; otherwise None.
    """

    change: Change
    removed: tuple[str, ...]
    added: tuple[str, ...]
    more: int
    pieces: list[tuple[str, str]] | None


Fields = list[tuple[str, list[Edit]]]
"""Edits by the name of their field."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of type `what`: first, edited, gone or back; the first two have a `version`."""

    what: str
    at: datetime
    version: dict[str, Any] = field(default_factory=dict)
    fields: Fields = field(default_factory=list)


async def show(request: Request) -> Response:
    """The history page. Raises HTTPException 400, 404."""
    newest = await newest_of(request)
    number = integer(request.query_params, "page", 1, most=_MOST_PAGES)
    first = (number - 1) * _SIZE + 1
    # Also the version before the first one shown, to compare with.
    found = history(
        site_of(request).db, newest, MOST_TEXT + 1, max(1, first - 1), first + _SIZE - 1
    )
    versions = [each async for each in found]
    return await in_thread(_page, newest, versions, number)


def _page(newest: dict[str, Any], versions: list[dict[str, Any]], number: int) -> Response:
    url, last = newest["_id"], -(-newest["revision"] // _SIZE)
    events = sorted(_events(newest, versions, number), key=lambda event: event.at)
    return page(
        "history.html",
        newest=newest, url=url, events=events, number=number, pages=last, most=MOST_TEXT,
        older=link("/history", url=url, page=number - 1) if number > 1 else None,
        newer=link("/history", url=url, page=number + 1) if number < last else None,
    )  # fmt: skip


def _events(newest: dict[str, Any], versions: list[dict[str, Any]], number: int) -> Iterator[Event]:
    if versions and versions[0]["revision"] > (number - 1) * _SIZE:  # no version to compare with
        yield Event("first", versions[0]["changed_at"], versions[0])
    on_last = bool(versions) and versions[-1]["revision"] == newest["revision"]
    if on_last and "gone_at" in newest:
        yield Event("gone", newest["gone_at"])
        if newest["status"] == "live" and "returned_at" in newest:
            yield Event("back", newest["returned_at"])
    effort, room = Effort(), Room()
    for old, new in pairwise(versions):
        yield Event("edited", new["changed_at"], new, _edits(old, new, effort, room))


def _edits(old: dict[str, Any], new: dict[str, Any], effort: Effort, room: Room) -> Fields:
    """The edits from one version to the next, grouped by the Chinese name of the field."""
    grouped = groupby(changes(old, new, effort), key=lambda change: change.field)
    return [
        (FIELDS[name], [_edit(each, effort, room) for each in found]) for name, found in grouped
    ]


def _edit(change: Change, effort: Effort, room: Room) -> Edit:
    removed, added = room.take(change.removed), room.take(change.added)
    more = len(change.removed) + len(change.added) - len(removed) - len(added)
    return Edit(change, removed, added, more, None if more else _pieces(change, effort))


def _pieces(change: Change, effort: Effort) -> list[tuple[str, str]] | None:
    pieces = pairs(change, effort)
    if not pieces:
        return None
    kept = sum(len(before) for before, after in pieces if before == after)
    longest = max(len(change.removed[0]), len(change.added[0]))
    return pieces if kept >= _ALIKE * longest else None
