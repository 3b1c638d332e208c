"""`/history?url=…`: the versions of an article, what was edited, taken down and restored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.display.differences import FIELDS, Change, changes, pairs
from zjolcrawl.storage.queries import all_versions
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import newest_of, site_of

_ALIKE = 0.35  # of the longer text: where less was kept, marks on characters are only confetti


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one field. `pieces`: one part that became another, as (before, after)."""

    change: Change
    pieces: list[tuple[str, str]] | None


Fields = list[tuple[str, list[Edit]]]
"""Edits by the name of their field."""


@dataclass(frozen=True, slots=True)
class Event:
    """`what` happened `at` a time: first, edited, gone or back; the first two made a `version`."""

    what: str
    at: datetime
    version: dict[str, Any] = field(default_factory=dict)
    fields: Fields = field(default_factory=list)


async def show(request: Request) -> Response:
    """The page."""
    newest = await newest_of(request)
    versions = await all_versions(site_of(request).db, newest)
    events = sorted(_events(versions), key=lambda event: event.at)
    return page("history.html", newest=newest, url=newest["_id"], events=events)


def _events(versions: list[dict[str, Any]]) -> Iterator[Event]:
    first, newest = versions[0], versions[-1]
    yield Event("first", first["changed_at"], first)
    if "gone_at" in newest:
        yield Event("gone", newest["gone_at"])
        if newest["status"] == "live" and "returned_at" in newest:
            yield Event("back", newest["returned_at"])
    for old, new in pairwise(versions):
        yield Event("edited", new["changed_at"], new, _edits(old, new))


def _edits(old: dict[str, Any], new: dict[str, Any]) -> Fields:
    """By the name of the field."""
    grouped = groupby(changes(old, new), key=lambda change: change.field)
    return [
        (FIELDS[name], [Edit(each, _pieces(each)) for each in found]) for name, found in grouped
    ]


def _pieces(change: Change) -> list[tuple[str, str]] | None:
    pieces = pairs(change)
    if not pieces:
        return None
    kept = sum(len(before) for before, after in pieces if before == after)
    longest = max(len(change.removed[0]), len(change.added[0]))
    return pieces if kept >= _ALIKE * longest else None
