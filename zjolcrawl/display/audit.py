"""Compares what a column's list declares with the links in `frontier`, for `scrapy audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from rich.text import Text

from zjolcrawl.display.findings import Finding, line
from zjolcrawl.display.formatting import moment, some
from zjolcrawl.messages import counted
from zjolcrawl.storage.queries.links import ColumnLinks

_AROUND = 7  # days before and after a gap
_USUAL = 3  # articles a day: if there are fewer, an empty day is normal
_ENOUGH = 0.9  # share of the declared links: lists shift while they are read, and repeat links


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of one column.

    `links` is the number of its links in `frontier`; `awaited` of them are pending or will be retried.
    `expected` is the largest number that its pages can list, None if unknown. `unread`: some pages were
    never reached, or links that they should list are not in `frontier`.
    """

    column: str
    name: str
    links: int
    awaited: int = 0
    expected: int | None = None
    unread: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """The number of findings about something missing."""
        return sum(each.bad for each in self.findings)


def audit(column: str, row: dict[str, Any], counts: ColumnLinks) -> Audit:
    """Audit a column; `row` is its document in `columns`, empty if it was never crawled."""
    pages = [*_of_pages(row), *_of_links(row, counts), *_of_days(counts.days)]
    findings = [*pages, *_of_walk(row), *_of_states(counts)]
    if not row.get("last_crawled_at"):
        findings.insert(0, Finding("", "never crawled", bad=True))
    awaited = counts.states.get("failed", 0) - counts.gave_up + counts.states.get("pending", 0)
    return Audit(
        column, row.get("name", ""), counts.links, awaited, _expected(row), bool(pages), findings
    )


def gaps(days: Counter[date]) -> list[tuple[date, date]]:
    """Spans without articles, as (first day, last day), in a column that usually has some.

    A span counts if the 7 days before it and the 7 days after it have 3 articles a day on average. Days that
    are empty every week, such as Sundays, do not count.
    """
    known = sorted(day for day, count in days.items() if count)
    return [
        (first, last)
        for before, after in pairwise(known)
        if (first := before + timedelta(days=1)) <= (last := after - timedelta(days=1))
        and _around(days, first, last) >= _USUAL * 2 * _AROUND
        and not _weekly(days, first, last)
    ]


def render(audits: list[Audit]) -> Iterator[Text]:
    """One line per column, its findings below it, and the overall result at the end."""
    for each in audits:
        yield _head(each)
        yield from map(line, each.findings)
    faulty = [each for each in audits if each.missing]
    if faulty:
        total = counted(sum(each.missing for each in faulty), "finding")
        text = f"missing: {total} in {counted(len(faulty), 'column')}"
        yield Text(text, style="bold red")
    else:
        awaited = sum(each.awaited for each in audits)
        more = f", {counted(awaited, 'link')} still to be fetched" if awaited else ""
        yield Text(f"nothing missing{more}", style="bold green")


def requeued(each: Audit, links: int) -> Text:
    """A line that says what `--requeue` changed for a column."""
    parts = [f"{counted(links, 'failed link')} due now"] if links else []
    parts += ["the next run reads every page"] if each.unread else []
    return Text(f"requeued {each.column}: {'; '.join(parts)}")


def _head(each: Audit) -> Text:
    expected = f", about {each.expected} declared" if each.expected is not None else ""
    title = " ".join(part for part in (each.column, each.name) if part)
    return Text(f"{title}: {counted(each.links, 'link')}{expected}", style="bold")


def _expected(row: dict[str, Any]) -> int | None:
    """Number of pages times the links on the first page: an upper bound, the last page may have fewer."""
    if "pages_total" in row and "page_links" in row:
        return int(row["pages_total"]) * int(row["page_links"])
    return None


def _of_pages(row: dict[str, Any]) -> Iterator[Finding]:
    total, seen = row.get("pages_total"), row.get("pages_seen")
    if total is not None and seen is not None and total > seen:
        text = f"{counted(total - seen, 'page')} of {total} never reached"
        yield Finding("", text, bad=True)


def _of_links(row: dict[str, Any], counts: ColumnLinks) -> Iterator[Finding]:
    if (expected := _expected(row)) is None:
        return
    fewest = expected - int(row["page_links"]) + 1  # the last page has at least one link
    if counts.links < _ENOUGH * fewest:
        pages = f"{counted(row['pages_total'], 'page')} of {row['page_links']}"
        yield Finding("", f"{counted(fewest - counts.links, 'link')} short of {pages}", bad=True)


def _of_days(days: Counter[date]) -> Iterator[Finding]:
    if spans := gaps(days):
        text = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
        yield Finding("", f"no article on {some(text)}", bad=True)


def _of_walk(row: dict[str, Any]) -> Iterator[Finding]:
    """An interrupted walk: until the next run completes it, the list is not fully known."""
    if since := row.get("walk_open_since"):
        yield Finding("", f"its last walk, on {moment(since)}, was cut off", bad=True)


def _of_states(counts: ColumnLinks) -> Iterator[Finding]:
    if counts.gave_up:
        yield Finding("", f"{counted(counts.gave_up, 'link')} failed for good", bad=True)
    if waiting := counts.states.get("failed", 0) - counts.gave_up:
        yield Finding("", f"{counted(waiting, 'link')} failed and will be tried again")
    if pending := counts.states.get("pending"):
        yield Finding("", f"{counted(pending, 'link')} pending")


def _around(days: Counter[date], first: date, last: date) -> int:
    each = [timedelta(days=n + 1) for n in range(_AROUND)]
    return sum(days[first - n] + days[last + n] for n in each)


def _weekly(days: Counter[date], first: date, last: date) -> bool:
    """Whether each day of the span is also empty a week earlier and a week later."""
    if (last - first).days >= 6:
        return False
    week = timedelta(days=7)
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return not any(days[day - week] or days[day + week] for day in span)
