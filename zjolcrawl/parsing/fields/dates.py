"""Parses publication times in every form listed in docs/site.md and converts China time to UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache

from zjolcrawl.parsing.fields.text import fold_width, is_narrow

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
YEARS = range(1990, 2101)
"""Plausible years; dates outside are rejected whatever their source."""
EARLIEST, LATEST = (
    datetime(year, 1, 1, tzinfo=CHINA).astimezone(timezone.utc)
    for year in (YEARS.start, YEARS.stop)
)
"""The first moment of YEARS in China, and the first moment after them, both in UTC."""

# 2017年08月12日 07:34:27 [REAL], 2020-01-02 10:22:33 [SEL], 2026年02月23日12时 [SEL],
# 2015年04月08日10:05, (2018-03-18), | 2026-09-23, 17-08-12 07:34 [SEL], ISO 8601 in meta tags,
# 8月12日 中午1:05, 2:26 PM: half-day words before the time, AM and PM on either side.
_WORDS = {
    "afternoon": ("下午", "午后", "傍晚", "晚上", "晚间", "晚", "PM", "pm"),
    "night": ("夜里", "夜间", "深夜", "半夜", "午夜", "夜"),
    "morning": ("上午", "早上", "早晨", "清晨", "凌晨", "早", "AM", "am"),
    "noon": ("中午", "正午", "午间"),
}
_HALF = "|".join(word for words in _WORDS.values() for word in words)
_DATE = re.compile(
    rf"""(?<!\d)
    (?P<y>(?:19|20)\d\d|\d\d(?=[-/.年]\s*+\d{{1,2}}[-/.月]\s*+\d{{1,2}}))
    \s*+[-/.年]\s*+(?P<m>1[0-2]|0?[1-9])
    \s*+[-/.月]\s*+(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)\s*+日?+
    (?:
        \s*+(?:[Tt]|,|[|/_](?=\s*+\d\d?[:时点])|[(（]?(?:星期|周)[一二三四五六日天][)）]?)?+\s*+
        (?P<half>{_HALF})?+\s*+
        (?P<H>2[0-3]|[01]?\d)
        (?:
            \s*+[:∶时点]\s*+(?P<M>[0-5]?\d)(?!\d)
            (?:\s*+[:∶分]\s*+(?P<S>[0-5]?\d)(?!\d))?
          | \s*+[时点](?P<past>半|[一三]刻)?
        )
        (?P<zone>\.\d{{1,9}}Z|Z|(?:\.\d{{1,9}})?[+-]\d\d:?\d\d)?
        (?:\s?(?P<after>[AaPp]\.?[Mm]\b\.?))?
    )?""",
    re.VERBOSE,
)
# 二〇一七年八月十二日: a day as written in a gazette.
_ONES = "一二三四五六七八九"
_HAN_DAY = re.compile(
    rf"(?<![{_ONES}〇零○])(?P<y>[一二][{_ONES}〇零○O0]{{3}})年(?P<m>十[一二]?|[{_ONES}])月"
    rf"(?P<d>三十一?|二?十[{_ONES}]?|[{_ONES}])[日号]"
)
_HAN_NUMBER = f"(?:[二三四五]?十[{_ONES}]?|[零〇]?[{_ONES}两]|零|〇)"
# 下午三时二十分, 七点半: a clock time in Han characters, not part of another word (三点建议).
_HAN_CLOCK = re.compile(
    rf"[\s,]{{0,9}}(?P<half>{_HALF})?\s{{0,3}}(?P<H>{_HAN_NUMBER})\s?[时点]"
    rf"(?:(?P<past>半|[一三]刻)|(?P<M>{_HAN_NUMBER})(?:分(?:(?P<S>{_HAN_NUMBER})秒)?|(?![\u4e00-\u9fff]))|整|(?![\u4e00-\u9fff]))"
)
_PAST = {"半": 30, "一刻": 15, "三刻": 45}
# Aug 12, 2017; 12 August 2017; Aug 12 07:34:27 CST 2017; 8/12/2017; 20170812 07:34; 201708120734
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NAME = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t|tember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"(3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_OTHER = re.compile(
    rf"(?<![A-Za-z\d]){_MONTH_NAME}\s?{_DAY}(?:,\s?|\s)((?:19|20)\d\d)(?!\d)"
    rf"|(?<![A-Za-z\d/:]){_DAY}[\s-]{_MONTH_NAME},?[\s-]((?:19|20)\d\d)(?!\d)"
    rf"|(?<![A-Za-z\d]){_MONTH_NAME}\s{{1,2}}{_DAY}\s(\d\d:\d\d:\d\d)\s[A-Z]{{3,4}}(?:[+-]\d{{4}})?\s((?:19|20)\d\d)(?!\d)"
    r"|(?<![\d/])(1[0-2]|0?[1-9])/(3[01]|[12]\d|0?[1-9])/((?:19|20)\d\d)(?![\d/])"
    r"|(?<!\d)(20\d\d)(1[0-2]|0[1-9])(3[01]|[12]\d|0[1-9])(?:(?=\s{1,3}\d\d?[:∶]\d\d)|(2[0-3]|[01]\d)([0-5]\d)([0-5]\d)?(?!\d))"
)
_ZONED = re.compile(r"\s{0,3}(\d\d?:\d\d(?::\d\d)?)\s?(?:(GMT|UTC|Z)\b|([+-]\d{4})(?!\d))")
_HAN_YEAR = str.maketrans(f"{_ONES}〇零○O", "1234567890000")
# 08-12 07:34, 8月12日 07:34: a date without a year.
_YEARLESS = re.compile(
    r"(?<![\d年/.:-])(?P<m>1[0-2]|0?[1-9])\s?[-/月.]\s?(?P<d>3[01]|[12]\d|0?[1-9])(?:\s?日\s?|\s)"
    r"(?P<time>(?:2[0-3]|[01]?\d)[:：∶][0-5]\d(?:[:：∶][0-5]\d)?)(?![\d:：∶])"
)
_MONTH_DAY = re.compile(
    r"[\[(（【]?\s?(?P<m>1[0-2]|0?[1-9])\s?[-/月.]\s?(?P<d>3[01]|[12]\d|0?[1-9])\s?日?\s?[\])）】]?"
)
_YEARLESS_RANGE = timedelta(days=10)  # the day in a URL is close to the publication date
# Every character that NFKC turns into one digit.
_DIGIT = re.compile(r"[\d\u00b2\u00b3\u00b9\u2070-\u2089\u2460-\u2468\u24ea]")
_LONGEST_KNOWN = 200  # characters; the result for a longer text is not cached


def is_plausible(day: date) -> bool:
    """Whether a date or datetime lies in YEARS, by China time. A naive datetime is UTC.

    A plausible datetime fits in MongoDB and can be shifted by years or time zones without overflow.
    """
    if not isinstance(day, datetime):
        return day.year in YEARS
    return EARLIEST <= (day if day.tzinfo else day.replace(tzinfo=timezone.utc)) < LATEST


def find_time(text: str) -> tuple[datetime, str] | None:
    """The first date in `text` as (aware UTC datetime, precision), or None.

    Precision is `second`, `minute`, `hour` or `day`, as given on the page. A time without a zone is
    China time. Impossible dates (2月30日) and dates outside YEARS are skipped.
    """
    return _known_time(text) if len(text) <= _LONGEST_KNOWN else _time(text)


def _time(text: str) -> tuple[datetime, str] | None:
    return next((value for _, value in _times(fold_width(text))), None)


# Cached because each step of the pipeline parses the article's time again.
_known_time = lru_cache(maxsize=256)(_time)


def find_yearless(text: str, near: date) -> tuple[datetime, str] | None:
    """The first time without a year in `text`, in the year that puts it within ten days of `near`.

    Returns (aware UTC datetime, precision), or None if no year does.
    """
    marks = _YEARLESS.finditer(fold_width(text))
    found = (_in_year(f"{mark['m']}-{mark['d']} {mark['time']}", near) for mark in marks)
    return next(filter(None, found), None)


def find_month_day(text: str, near: date) -> tuple[datetime, str] | None:
    """Like `find_yearless`, but `text` may also be only a month and day (08-12, [8月12日])."""
    mark = _MONTH_DAY.fullmatch(text) if len(text) <= 20 else None
    return _in_year(f"{mark['m']}-{mark['d']}", near) if mark else find_yearless(text, near)


def _in_year(said: str, near: date) -> tuple[datetime, str] | None:
    """The time without a year, in the year that puts it within ten days of `near`, or None."""
    for year in (near.year, near.year - 1, near.year + 1):
        found = find_time(f"{year}-{said}")
        if found and abs(china_day(found[0]) - near) <= _YEARLESS_RANGE:
            return found
    return None


def yearless_span(text: str) -> tuple[int, int] | None:
    """The span (start, end) of the first day and time without a year in `text`, or None."""
    mark = _YEARLESS.search(text)
    return mark.span() if mark else None


def find_stamp(text: str) -> str | None:
    """A machine-written time, such as an attribute's value, as a string for `find_time`; None if invalid.

    Accepts seconds or milliseconds since 1970, 14 digits in a row (20170812073427), an RFC 5322
    mail date, or anything of at most 60 characters that `find_time` reads (returned as it is).
    """
    text = text.strip()
    if re.fullmatch(r"1\d{9}|1\d{12}", text):
        return datetime.fromtimestamp(int(text[:10]), CHINA).isoformat()
    if mark := re.fullmatch(r"(20\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", text):
        text = "{}-{}-{} {}:{}:{}".format(*mark.groups())
    if re.match(r"[A-Z][a-z]{2}, \d", text):
        try:
            return parsedate_to_datetime(text).isoformat()
        except ValueError:
            return None
    return text if len(text) <= 60 and find_time(text) else None


def time_span(text: str) -> tuple[int, int] | None:
    """The span (start, end) of the first date in `text`, or None. Digits may be full-width."""
    if not _DIGIT.search(text) and "年" not in text:
        return None
    return _known_span(text) if len(text) <= _LONGEST_KNOWN else _span(text)


def time_spans(text: str) -> Iterator[tuple[int, int]]:
    """The span (start, end) of each date in `text`. Digits may be full-width."""
    narrow = text
    if not is_narrow(text):
        # Convert one character at a time to keep offsets; digits, colons and dashes map one to one.
        narrow = "".join(n if len(n := fold_width(c)) == 1 else c for c in text)
    return (span for span, _ in _times(narrow))


def _span(text: str) -> tuple[int, int] | None:
    return next(time_spans(text), None)


# Cached because each line with a date is searched twice while the info line is read.
_known_span = lru_cache(maxsize=256)(_span)


def plausible_day(year: str, month: str, day: str) -> date | None:
    """The date given by these digits; None if it is impossible or outside YEARS."""
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if is_plausible(found) else None


def china_midnight(day: date) -> datetime:
    """00:00 China time of a plausible day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA).astimezone(timezone.utc)


def china_day(moment: datetime) -> date:
    """The calendar day in China of an aware datetime."""
    return moment.astimezone(CHINA).date()


def _times(text: str) -> Iterator[tuple[tuple[int, int], tuple[datetime, str]]]:
    """Each valid date as (span, value); dates in words or foreign formats only if there is no other."""
    is_there = False
    for match in _DATE.finditer(text):
        begin, end = match.span()
        clock = _HAN_CLOCK.match(text, end) if match["H"] is None else None
        exact = _DATE.match(f"{match[0]} {_clock(clock)}") if clock else None
        if value := _value(exact or match):
            is_there = True
            yield (begin, clock.end() if clock else end), value
    for begin, end, said in [] if is_there else _otherwise(text):
        if (match_there := _DATE.match(said)) and (value := _value(match_there)):
            yield (begin, end), value


def _otherwise(text: str) -> Iterator[tuple[int, int, str]]:
    """Dates in words or foreign formats, as (start, end, the same date in digits)."""
    for day in _HAN_DAY.finditer(text) if "年" in text else ():
        said = f"{day['y'].translate(_HAN_YEAR)}-{_han(day['m'])}-{_han(day['d'])}"
        yield _with_rest(text, day.span(), said)
    for mark in _OTHER.finditer(text) if "20" in text or "19" in text else ():
        part = [each or "" for each in mark.groups()]
        if mark[1]:
            said = f"{part[2]}-{_month(part[0])}-{part[1]}"
        elif mark[4]:
            said = f"{part[5]}-{_month(part[4])}-{part[3]}"
        elif mark[7]:
            said = f"{part[9]}-{_month(part[6])}-{part[7]} {part[8]}"
        elif mark[11]:
            said = f"{part[12]}-{part[10]}-{part[11]}"
        else:
            clock = ":".join(filter(None, part[16:19]))
            said = f"{'-'.join(part[13:16])} {clock}".rstrip()
        yield _with_rest(text, mark.span(), said)


def _with_rest(text: str, span: tuple[int, int], day: str) -> tuple[int, int, str]:
    """The span of a day and the time that follows it in the text, and both in digits."""
    begin, end = span
    if clock := _HAN_CLOCK.match(text, end):
        return begin, clock.end(), f"{day} {_clock(clock)}"
    if zoned := _ZONED.match(text, end):
        return begin, zoned.end(), f"{day} {zoned[1]}{'Z' if zoned[2] else zoned[3]}"
    following = text[end : end + 40]
    match = _DATE.match(day + following)
    return begin, end + max(0, match.end() - len(day)) if match else end, day + following


def _month(name: str) -> int:
    return _MONTHS.index(name[:3]) + 1


def _clock(mark: re.Match[str]) -> str:
    """A time in Han characters, converted to digits."""
    minutes = _PAST.get(mark["past"] or "") or (_han(mark["M"]) if mark["M"] else None)
    clock = (mark["half"] or "") + str(_han(mark["H"]))
    clock += "时" if minutes is None else f":{minutes:02}"
    return clock + (f":{_han(mark['S']):02}" if mark["S"] else "")


def _han(number: str) -> int:
    """The value of a number below 100 in Han characters: 二十三, 十, 九."""
    tens, ten, ones = number.lstrip("零〇").replace("两", "二").rpartition("十")
    return (_ONES.index(tens) + 1 if tens else 1 if ten else 0) * 10 + _ONES.find(ones or "-") + 1


def _hour(said: int, half: str) -> int:
    """The hour on a 24-hour clock; 24 is midnight at the end of the day."""
    half = half.replace(".", "").lower() if half.isascii() else half
    if said > 12:
        return said
    if half in _WORDS["afternoon"]:
        return said + 12 if said < 12 or half.startswith("晚") else said
    if half in _WORDS["night"]:  # 深夜1点 is after midnight, 夜里8点 before it
        return said + 12 if said >= 6 else said
    if half in _WORDS["morning"]:
        return said % 12
    return said + 12 if half and said < 10 else said  # 中午1点


def _value(match: re.Match[str]) -> tuple[datetime, str] | None:
    part = match.groupdict()
    year = int(part["y"]) + (2000 if len(part["y"]) == 2 else 0)
    hour = _hour(int(part["H"] or 0), part["half"] or part["after"] or "")
    try:
        zone = _zone(part["zone"])
        moment = datetime(
            year,
            int(part["m"]),
            int(part["d"]),
            hour % 24,
            int(part["M"] or _PAST.get(part["past"] or "", 0)),
            int(part["S"] or 0),
            tzinfo=zone,
        ) + timedelta(days=hour // 24)
    except (ValueError, OverflowError):
        return None
    if not is_plausible(moment):
        return None
    precision = (
        "second"
        if part["S"]
        else "minute"
        if part["M"] or part["past"]
        else "hour"
        if part["H"]
        else "day"
    )
    return moment.astimezone(timezone.utc), precision


def _zone(text: str | None) -> timezone:
    if not text:
        return CHINA
    if text.endswith("Z"):
        return timezone.utc
    sign, digits = text[-6 if ":" in text else -5], re.sub(r"\D", "", text)[-4:]
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if sign == "-" else offset)
