"""`/history?url=…&page=N`: the versions of an article, newest first: edits, takedowns and returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.archive.cdx import stamp_of
from zjolcrawl.display.article_diff import MOST_TEXT, Change, changes, pairs
from zjolcrawl.display.diff import Effort, are_marks_readable
from zjolcrawl.storage.queries.articles import history
from zjolcrawl.web.labels import field_name
from zjolcrawl.web.query_string import integer
from zjolcrawl.web.rendering import in_thread, link, page
from zjolcrawl.web.site import newest_of, site_of
from zjolcrawl.web.views.record import gone_record

_SIZE = 50  # versions per page
_MOST_PAGES = 10_000
_IN_SENTENCES = {"body", "editor_note", "abstract"}
_MOST_CONTEXT = 200  # characters of an unchanged sentence beside an edit


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

    `pieces`: if one part replaced another, both as (before, after) pieces; otherwise None. `lead` and `tail` are
    the unchanged sentences beside it; `skipped` more are not shown before `lead`.
    """

    change: Change
    removed: tuple[str, ...]
    added: tuple[str, ...]
    more: int
    pieces: list[tuple[str, str]] | None
    skipped: int = 0
    lead: str = ""
    tail: str = ""


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
    site, newest = site_of(request), await newest_of(request)
    number = integer(request.query_params, "page", 1, most=_MOST_PAGES)
    last = newest["revision"] - (number - 1) * _SIZE
    # Also the version before the first one shown, to compare with.
    found = history(site.db, newest, MOST_TEXT + 1, max(1, last - _SIZE), last)
    versions = [each async for each in found] if last > 0 else []
    evidence = await gone_record(site, newest) is not None
    return await in_thread(_page, newest, versions, number, evidence=evidence)


def page_of(newest: dict[str, Any], revision: int) -> int | None:
    """The page that shows a version; None for the first page."""
    return (
        (newest["revision"] - revision) // _SIZE + 1
        if newest["revision"] - revision >= _SIZE
        else None
    )


def _page(
    newest: dict[str, Any], versions: list[dict[str, Any]], number: int, *, evidence: bool
) -> Response:
    url, last = newest["_id"], -(-newest["revision"] // _SIZE)
    events = sorted(_events(newest, versions, number), key=lambda event: event.at)
    return page(
        "history.html",
        newest=newest, url=url, events=events[::-1], number=number, total=last, most=MOST_TEXT,
        newer=link("/history", url=url, page=number - 1) if number > 1 else None,
        older=link("/history", url=url, page=number + 1) if number < last else None,
        stamp_of=stamp_of, evidence=link("/record", url=url, gone=1) if evidence else None,
    )  # fmt: skip


def _events(newest: dict[str, Any], versions: list[dict[str, Any]], number: int) -> Iterator[Event]:
    lowest = newest["revision"] - number * _SIZE + 1
    if versions and versions[0]["revision"] >= lowest:  # no version to compare with
        yield Event("first", versions[0]["changed_at"], versions[0])
    if number == 1 and "gone_at" in newest:
        yield Event("gone", newest["gone_at"])
        if newest["status"] == "live" and "returned_at" in newest:
            yield Event("back", newest["returned_at"])
    effort, room = Effort(), Room()
    for old, new in pairwise(versions):
        yield Event("edited", new["changed_at"], new, _edits(old, new, effort, room))


def _edits(old: dict[str, Any], new: dict[str, Any], effort: Effort, room: Room) -> Fields:
    """The edits from one version to the next, grouped by the name of the field."""
    grouped = groupby(changes(old, new, effort), key=lambda change: change.field)
    return [(field_name(name), list(_of_field(found, effort, room))) for name, found in grouped]


def _of_field(found: Iterable[Change], effort: Effort, room: Room) -> Iterator[Edit]:
    shown_before = 0  # of the unchanged parts before a change: the one after the change before it
    for change in found:
        in_sentences = change.field in _IN_SENTENCES
        lead = change.before if in_sentences and change.kept > shown_before else ""
        skipped = change.kept - shown_before - bool(lead) if in_sentences else 0
        tail = change.after if in_sentences else ""
        edit = _edit(change, effort, room)
        yield replace(
            edit, skipped=max(0, skipped), lead=_context(lead, end=True), tail=_context(tail)
        )
        shown_before = 1 if tail else 0


def _edit(change: Change, effort: Effort, room: Room) -> Edit:
    removed, added = room.take(change.removed), room.take(change.added)
    more = len(change.removed) + len(change.added) - len(removed) - len(added)
    return Edit(change, removed, added, more, None if more else _pieces(change, effort))


def _context(sentence: str, *, end: bool = False) -> str:
    """An unchanged sentence, or its end or beginning if it is long."""
    if len(sentence) <= _MOST_CONTEXT:
        return sentence
    return f"…{sentence[-_MOST_CONTEXT:]}" if end else f"{sentence[:_MOST_CONTEXT]}…"


def _pieces(change: Change, effort: Effort) -> list[tuple[str, str]] | None:
    pieces = pairs(change, effort)
    if not pieces:
        return None
    kept = sum(len(before) for before, after in pieces if before == after)
    return pieces if are_marks_readable(kept, change.removed[0], change.added[0]) else None
