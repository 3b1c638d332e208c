"""`/calendar?column=ID&year=YYYY`: articles per day of a year, with gaps."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zjolcrawl.display.audit import gaps
from zjolcrawl.parsing.fields.dates import YEARS
from zjolcrawl.site.names import UnknownName
from zjolcrawl.storage.queries.browsing import column_ids, covered_days, daily_counts
from zjolcrawl.storage.queries.names import columns_of
from zjolcrawl.web.labels import column_name, unknown_name
from zjolcrawl.web.query_string import integer, text, without_empty
from zjolcrawl.web.rendering import link, page
from zjolcrawl.web.site import site_of
from zjolcrawl.web.texts import _

STEPS = (1, 5, 20, 80)
"""The least article count of each shade. They are the same everywhere, so that pages can be compared."""
_AROUND = timedelta(days=14)  # read before and after the year, to judge gaps at its ends

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Day:
    """One day: article count, its shade `level` (0: none), `missing` (in a gap), `outside` (of all publish days)."""

    day: date
    count: int = 0
    level: int = 0
    missing: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Month:
    """One month; `before` is the number of weekdays before its first day (0: it begins on a Monday)."""

    number: int
    before: int
    days: list[Day]
    articles: int


async def show(request: Request) -> Response:
    """The calendar page. Raises HTTPException 400, 404."""
    if (kept := without_empty(request.query_params, ("column", "year"))) is not None:
        return RedirectResponse(link("/calendar", **kept), 302)
    db = site_of(request).db
    known = await column_ids(db)
    given = text(request.query_params, "column")
    try:
        (column,) = await columns_of(db, [given]) if given else ("",)
    except UnknownName as error:
        raise HTTPException(404, unknown_name(error)) from None
    if column and column not in known:
        raise HTTPException(404, _("归档中没有栏目 {} 的文章。", column))
    covered = await covered_days(db, column or None)
    if covered is None:
        return page("calendar.html", column=column, columns=_named(known), covered=None)
    year = integer(request.query_params, "year", covered[1].year, least=YEARS[0], most=YEARS[-1])
    first, last = date(year, 1, 1), date(year, 12, 31)
    counts = await daily_counts(db, column or None, first - _AROUND, last + _AROUND)
    spans = [(max(a, first), min(b, last)) for a, b in gaps(counts) if a <= last and b >= first]
    days = year_of(year, counts, covered, spans)
    here = [day for day in days if day.count]
    return page(
        "calendar.html",
        column=column, columns=_named(known), covered=covered, year=year,
        months=months_of(days), gaps=spans, days=len(here),
        articles=sum(day.count for day in here),
        empty=sum(not day.count and not day.outside for day in days),
        top=max(here, key=lambda day: day.count, default=None),
        years=range(covered[0].year, covered[1].year + 1), steps=STEPS,
    )  # fmt: skip


def year_of(year: int, counts: Counter[date], covered: Span, spans: list[Span]) -> list[Day]:
    """The days of a year."""
    start = date(year, 1, 1)
    every = [start + timedelta(days=n) for n in range((date(year + 1, 1, 1) - start).days)]
    return [
        Day(
            day, counts[day], bisect(STEPS, counts[day]),
            any(first <= day <= last for first, last in spans),
            not covered[0] <= day <= covered[1],
        )
        for day in every
    ]  # fmt: skip


def months_of(days: list[Day]) -> list[Month]:
    """The days of a year, grouped by month; months outside of all publish days are left out."""
    months = [[day for day in days if day.day.month == number] for number in range(1, 13)]
    return [
        Month(number, each[0].day.weekday(), each, sum(day.count for day in each))
        for number, each in enumerate(months, 1)
        if not all(day.outside for day in each)
    ]


def _named(columns: list[str]) -> list[tuple[str, str]]:
    return [(key, column_name(key)) for key in columns]
