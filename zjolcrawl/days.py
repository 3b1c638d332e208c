"""Parses a day as a user writes it: a date, or days back from today."""

from __future__ import annotations

import re
from datetime import date, timedelta

from zjolcrawl.clock import utc_now
from zjolcrawl.parsing.fields.dates import YEARS, china_day, is_plausible


def parse_day(text: str, *, relative: bool = False) -> date:
    """A day in China: 2017-08-12, and if `relative` also 7d, seven days before today.

    Raises ValueError; its message goes on from the text.
    """
    if relative and (day := days_ago(text)):
        return day
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError(f"is not a date of the form 2017-08-12{' or 7d' if relative else ''}")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a day of the calendar") from None
    if not is_plausible(day):
        raise ValueError(f"is not a day of {YEARS.start} to {YEARS.stop - 1}")
    return day


def days_ago(text: str) -> date | None:
    """The day that 7d stands for; None for any other text."""
    found = re.fullmatch(r"(\d{1,4})d", text.strip(), re.ASCII)
    return china_day(utc_now()) - timedelta(days=int(found[1])) if found else None
