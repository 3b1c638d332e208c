"""Publication times: every form that the site document names, China time to UTC."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from zjolcrawl.parsing.fields.text import fold_width, is_narrow

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

# 2017年08月12日 07:34:27 [REAL], 2020-01-02 10:22:33 [SEL], 2026年02月23日12时 [SEL],
# 2015年04月08日10:05, (2018-03-18), | 2026-09-23, 17-08-12 07:34 [SEL], ISO 8601 of meta tags.
_DATE = re.compile(
    r"""(?<!\d)
    (?P<y>(?:19|20)\d\d|\d\d(?=[-/.年]\s*+\d{1,2}[-/.月]\s*+\d{1,2}))
    \s*+[-/.年]\s*+(?P<m>1[0-2]|0?[1-9])
    \s*+[-/.月]\s*+(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)\s*+日?
    (?:
        \s*+(?:(?:T|,|[(（]?(?:星期|周)[一二三四五六日天][)）]?)\s*+)?
        (?:(?P<half>上午|下午|晚上|凌晨|中午)\s*+)?
        (?P<H>2[0-3]|[01]?\d)
        (?:
            \s*+(?::|时|点)\s*+(?P<M>[0-5]?\d)(?!\d)
            (?:\s*+(?::|分)\s*+(?P<S>[0-5]?\d)(?!\d))?
          | \s*+[时点]
        )
        (?P<zone>\.\d+Z|Z|(?:\.\d+)?[+-]\d\d:?\d\d)?
    )?""",
    re.VERBOSE,
)
# All that NFKC makes one digit.
_DIGIT = re.compile(r"[\d\u00b2\u00b3\u00b9\u2070-\u2089\u2460-\u2468\u24ea]")
_LONGEST_KNOWN = 200  # characters of a text: a longer one is searched each time
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")


def find_time(text: str) -> tuple[datetime, str] | None:
    """The first date in `text` as (aware UTC datetime, precision), or None.

    Precision is `second`, `minute`, `hour` or `day`: what the page gives. A wall clock without a
    zone is China time. Impossible dates (2月30日) are passed over.
    """
    for match in _DATE.finditer(fold_width(text)):
        found = _value(match)
        if found:
            return found
    return None


def time_span(text: str) -> tuple[int, int] | None:
    """Where the first date stands in `text`, whose digits may be full-width: (start, end)."""
    if not _DIGIT.search(text):
        return None
    return _known_span(text) if len(text) <= _LONGEST_KNOWN else _span(text)


def _span(text: str) -> tuple[int, int] | None:
    narrow = text
    if not is_narrow(text):
        # NFKC of digits, colons and dashes keeps one character one character.
        narrow = "".join(n if len(n := fold_width(c)) == 1 else c for c in text)
    for match in _DATE.finditer(narrow):
        if _value(match):
            return match.span()
    return None


# Each line with a date is asked twice on the way to the info line.
_known_span = lru_cache(maxsize=256)(_span)


def day_from_compact(text: str) -> date | None:
    """The day in a string such as `20170812`, or None."""
    match = _COMPACT.search(text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def china_midnight(day: date) -> datetime:
    """00:00 China time of a day, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA).astimezone(timezone.utc)


def china_day(moment: datetime) -> date:
    """The calendar day in China of an aware datetime."""
    return moment.astimezone(CHINA).date()


def _value(match: re.Match[str]) -> tuple[datetime, str] | None:
    part = match.groupdict()
    year = int(part["y"]) + (2000 if len(part["y"]) == 2 else 0)
    hour = int(part["H"] or 0)
    if part["half"] in {"下午", "晚上"} and hour < 12:
        hour += 12
    zone = _zone(part["zone"])
    try:
        moment = datetime(
            year,
            int(part["m"]),
            int(part["d"]),
            hour,
            int(part["M"] or 0),
            int(part["S"] or 0),
            tzinfo=zone,
        )
    except ValueError:
        return None
    precision = "second" if part["S"] else "minute" if part["M"] else "hour" if part["H"] else "day"
    return moment.astimezone(timezone.utc), precision


def _zone(text: str | None) -> timezone:
    if not text:
        return CHINA
    if text.endswith("Z"):
        return timezone.utc
    sign, digits = text[-6 if ":" in text else -5], re.sub(r"\D", "", text)[-4:]
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if sign == "-" else offset)
