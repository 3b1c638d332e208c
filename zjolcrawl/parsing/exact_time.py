"""Finds a more exact publication time in attributes than the one shown on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.fields.dates import CHINA, find_stamp, find_time
from zjolcrawl.parsing.text_lines import Line
from zjolcrawl.parsing.xpath import Path

_CLOCKS = Path("//time[@datetime]")
# data-time, data-timestamp, data-publish-time, data-ts, datetime, and title (a tooltip).
_NAME = re.compile(
    r"datetime|title|(?:data-)?(?:\w{1,12}-?)?(?:time|date)(?:-?stamp)?|data-(?:ts|t|stamp|unix|created?(?:-?at)?|pub(?:lish(?:ed)?)?(?:-?at)?)"
)
# 3小时前: a relative time that a script or the server shows in place of the real one.
RELATIVE = re.compile(
    r"(?:刚刚|今天|昨天|前天|\d{1,3}\s?(?:秒钟?|分钟?|个?小时|天|周|个?月|年)之?前)(?:\s?\d{1,2}:\d\d)?"
)
_LENGTHS = {"day": "%Y-%m-%d", "hour": "%Y-%m-%d %H", "minute": "%Y-%m-%d %H:%M"}


def exact_time(root: HtmlElement, shown: str | None, head: list[Line]) -> str | None:
    """The time shown on the page, or the one from an attribute if that is more exact.

    `head` are the lines between headline and body; their elements may have the time in an attribute.
    A `<time>` elsewhere belongs to another story unless it agrees to the minute.
    """
    known = find_time(shown) if shown else None
    if shown and (known is None or known[1] == "second"):
        return shown
    for stated in _stated(head):
        if (exact := find_time(stated)) and (known is None or _refines(exact, known)):
            return stated
    for element in _CLOCKS(root)[:8] if known and known[1] == "minute" else ():
        exact = find_time(stated := element.get("datetime") or "")
        if known and exact and _refines(exact, known):
            return stated
    return shown


def _refines(exact: tuple[datetime, str], known: tuple[datetime, str]) -> bool:
    """Whether `exact` agrees with `known` and is more precise; :00 adds no precision to a minute."""
    if exact[1] == known[1] or (known[1] == "minute" and not exact[0].second):
        return False
    form = _LENGTHS[known[1]]
    return exact[0].astimezone(CHINA).strftime(form) == known[0].astimezone(CHINA).strftime(form)


def _stated(head: list[Line]) -> Iterator[str]:
    # A line's element may be a large wrapper, so only check its beginning.
    for line in head[:6]:
        for element in islice(line.element.iter(), 20):
            for name, value in element.items():
                if _NAME.fullmatch(name) and (stamp := find_stamp(value)):
                    yield stamp
