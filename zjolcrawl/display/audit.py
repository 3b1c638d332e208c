"""What a column's list declares beside what the ledger has of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from rich.text import Text

from zjolcrawl.display.findings import Finding, line
from zjolcrawl.display.words import counted, moment, some
from zjolcrawl.storage.audit import Ledger

_AROUND = 7  # days before and after
_USUAL = 3  # articles a day: where there are fewer, a day without any is no wonder
_ENOUGH = 0.9  # of the links that pages declare: lists shift while they are read and repeat links


@dataclass(frozen=True, slots=True)
class Audit:
    """One column. `links` is how many the ledger has, `awaited` of them not asked for yet or to be
    tried again; `expected` is how many its pages declare at most, where that is known. `unread`: pages
    were never reached, or what they list is not in the ledger.
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
        """How many findings say that something lacks."""
        return sum(each.bad for each in self.findings)


def audit(column: str, row: dict[str, Any], ledger: Ledger) -> Audit:
    """Judge a column by its document in `columns`, empty where it was never crawled, and its ledger."""
    pages = [*_of_pages(row), *_of_links(row, ledger), *_of_days(ledger.days)]
    findings = [*pages, *_of_walk(row), *_of_states(ledger)]
    if not row.get("last_crawled_at"):
        findings.insert(0, Finding("", "never crawled", bad=True))
    awaited = ledger.states.get("failed", 0) - ledger.gave_up + ledger.states.get("pending", 0)
    return Audit(
        column, row.get("name", ""), ledger.links, awaited, _expected(row), bool(pages), findings
    )


def gaps(days: Counter[date]) -> list[tuple[date, date]]:
    """Spans (first and last day) without an article, though the 7 days before the span and the 7 after
    it have on average 3 a day. Days that are empty every week, as Sundays may be, are none.
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
    """A line a column and one for each finding below it, and the verdict."""
    for each in audits:
        yield _head(each)
        yield from map(line, each.findings)
    faulty = [each for each in audits if each.missing]
    if faulty:
        total = counted(sum(each.missing for each in faulty), "finding")
        told = f"missing: {total} in {counted(len(faulty), 'column')}"
        yield Text(told, style="bold red")
    else:
        awaited = sum(each.awaited for each in audits)
        more = f", {counted(awaited, 'link')} still to be fetched" if awaited else ""
        yield Text(f"nothing missing{more}", style="bold green")


def requeued(each: Audit, links: int) -> Text:
    """What `--requeue` did to a column."""
    parts = [f"{counted(links, 'failed link')} due now"] if links else []
    parts += ["the next run reads every page"] if each.unread else []
    return Text(f"requeued {each.column}: {'; '.join(parts)}")


def _head(each: Audit) -> Text:
    expected = f", about {each.expected} declared" if each.expected is not None else ""
    title = " ".join(part for part in (each.column, each.name) if part)
    return Text(f"{title}: {counted(each.links, 'link')}{expected}", style="bold")


def _expected(row: dict[str, Any]) -> int | None:
    """Pages times the links of the first: the last page may have fewer."""
    if "pages_total" in row and "page_links" in row:
        return int(row["pages_total"]) * int(row["page_links"])
    return None


def _of_pages(row: dict[str, Any]) -> Iterator[Finding]:
    total, seen = row.get("pages_total"), row.get("pages_seen")
    if total is not None and seen is not None and total > seen:
        told = f"{counted(total - seen, 'page')} of {total} never reached"
        yield Finding("", told, bad=True)


def _of_links(row: dict[str, Any], ledger: Ledger) -> Iterator[Finding]:
    if (expected := _expected(row)) is None:
        return
    fewest = expected - int(row["page_links"]) + 1  # the last page has one at least
    if ledger.links < _ENOUGH * fewest:
        pages = f"{counted(row['pages_total'], 'page')} of {row['page_links']}"
        yield Finding("", f"{counted(fewest - ledger.links, 'link')} short of {pages}", bad=True)


def _of_days(days: Counter[date]) -> Iterator[Finding]:
    if spans := gaps(days):
        told = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
        yield Finding("", f"no article on {some(told)}", bad=True)


def _of_walk(row: dict[str, Any]) -> Iterator[Finding]:
    """The next run walks it to its end, but until then no one knows what it lists."""
    if since := row.get("walk_open_since"):
        yield Finding("", f"its last walk, of {moment(since)}, was cut off", bad=True)


def _of_states(ledger: Ledger) -> Iterator[Finding]:
    if ledger.gave_up:
        yield Finding("", f"{counted(ledger.gave_up, 'link')} failed for good", bad=True)
    if waiting := ledger.states.get("failed", 0) - ledger.gave_up:
        yield Finding("", f"{counted(waiting, 'link')} failed and will be tried again")
    if pending := ledger.states.get("pending"):
        yield Finding("", f"{counted(pending, 'link')} pending")


def _around(days: Counter[date], first: date, last: date) -> int:
    each = [timedelta(days=n + 1) for n in range(_AROUND)]
    return sum(days[first - n] + days[last + n] for n in each)


def _weekly(days: Counter[date], first: date, last: date) -> bool:
    """Whether each day of the span is empty a week earlier and a week later too."""
    if (last - first).days >= 6:
        return False
    week = timedelta(days=7)
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return not any(days[day - week] or days[day + week] for day in span)
