"""Chooses among the rows of another archive's index: pages of the site, one page at a time, without repeats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from zjolcrawl.archive.cdx import Row
from zjolcrawl.archive.mementos import is_html
from zjolcrawl.parsing.urls import absolute, is_own_host, normalized, url_day
from zjolcrawl.spiders.context import Days
from zjolcrawl.spiders.foreign import context_of

KINDS = ("articles", "further pages", "lists")


@dataclass(frozen=True, slots=True)
class Found:
    """A wanted row, with its URL in the usual spelling.

    `page` names the page of the site: an article with its further pages, or a page of a list. `part` tells an
    article's further pages apart. `kind` is one of KINDS.
    """

    row: Row
    page: str
    part: int
    kind: str


def wanted(row: Row, days: Days) -> Found | None:
    """The row if it may be an article of these publish days or a list of the site, else None.

    An index has no status for a revisit, a capture whose payload an earlier one has.
    """
    if row.status not in {200, None} or not is_html(row.mime):
        return None
    url = normalized(absolute(row.url, row.url) or "")
    context = context_of(url) if is_own_host(url) else {}
    if not {"article", "column"} & context.keys():
        return None
    row = replace(row, url=url)
    if "column" in context:
        return Found(row, f"{context['column']['id']} {context['page']}", 0, "lists")
    day = url_day(url)
    if day is not None and day not in days:
        return None
    part = context.get("part", 0)
    return Found(row, context["article"], part, "further pages" if part else "articles")


class PageGroups:
    """Collects rows by page.

    An index is sorted by URL, so only the last page of an answer can go on in the next one.
    """

    def __init__(self) -> None:
        self._groups: dict[str, list[Found]] = {}

    def add(self, some: Iterable[Found]) -> Iterator[list[Found]]:
        """Add the rows of one answer; yields the pages that are complete."""
        for each in some:
            self._groups.setdefault(each.page, []).append(each)
        for page in list(self._groups)[:-1]:
            yield _without_repeats(self._groups.pop(page))

    def rest(self) -> Iterator[list[Found]]:
        """The pages that are left."""
        while self._groups:
            yield _without_repeats(self._groups.pop(next(iter(self._groups))))


def _without_repeats(rows: list[Found]) -> list[Found]:
    """The rows in order of time, without those whose digest is that of the one before (of the same page)."""
    kept: list[Found] = []
    before: dict[int, str] = {}
    for each in sorted(rows, key=lambda found: found.row.timestamp):
        digest = each.row.digest
        if not digest or before.get(each.part) != digest:
            kept.append(each)
        before[each.part] = digest
    return kept
