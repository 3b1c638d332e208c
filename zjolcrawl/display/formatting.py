"""Formats single values for people: times, people, images, counts, durations, sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from zjolcrawl.messages import counted
from zjolcrawl.parsing.fields.dates import CHINA

PRECISION = {
    "second": "%Y年%m月%d日 %H:%M:%S",
    "minute": "%Y年%m月%d日 %H:%M",
    "hour": "%Y年%m月%d日 %H时",
    "day": "%Y年%m月%d日",
}
"""Forms of a publish time (strftime) by how precise it is."""


def published(article: dict[str, Any], translate: Callable[[str], str] = str) -> str | None:
    """The publish time in China time, as precise as on the page; None if unknown.

    `translate` gives the form of the time in another language, by the Chinese one.
    """
    at: datetime | None = article.get("published_at")
    form = PRECISION.get(article.get("published_precision", ""), PRECISION["second"])
    return local(at).strftime(translate(form)) if at else None


def printed(article: dict[str, Any]) -> str | None:
    """The newspaper page that an article is printed on: 第01版：要闻; None if there is none."""
    if "page_number" not in article:
        return article.get("page_name")
    name = f"：{article['page_name']}" if "page_name" in article else ""
    return f"第{article['page_number']}版{name}"


def moment(value: datetime) -> str:
    """A time in China time: 2017-08-12 08:34:27."""
    return local(value).strftime("%Y-%m-%d %H:%M:%S")


def local(value: datetime) -> datetime:
    """A time in China time; unchanged if that is after the year 9999."""
    try:
        return value.astimezone(CHINA)
    except OverflowError:
        return value


def people(bylines: list[dict[str, str]]) -> str:
    """People as a byline shows them: 浙江在线记者 江帆."""
    return " ".join(f"{each.get('outlet', '')}{each['role']} {each['name']}" for each in bylines)


def captured_by(version: dict[str, Any]) -> str:
    """Whose capture a version was parsed from, with a link to it; empty for our own crawls."""
    found = version.get("provenance") or {}
    ways = {"import": "imported from", "backfill": "backfilled from"}
    if found.get("kind") not in ways:
        return ""
    return " ".join([ways[found["kind"]], *(found[n] for n in ("from", "url") if n in found)])


def image(entry: dict[str, Any]) -> str:
    """One line about an image: caption, status, size in pixels, and path or URL."""
    size = f"{entry['width']}×{entry['height']}" if "width" in entry else ""
    facts = [entry["status"], size, entry.get("path") or entry["url"]]
    caption = entry.get("caption") or entry.get("alt") or ""
    return f"［图{entry['position']}］{caption}（{' '.join(fact for fact in facts if fact)}）"


def some(names: Sequence[str], most: int = 8) -> str:
    """The first `most` names, comma-separated, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def span(time: timedelta, units: Sequence[str] = ("s", "min", "h", "days")) -> str:
    """A duration in two units at most: 52.3 s, 12 min 5 s, 3 h 10 min, 4 days."""
    seconds = max(0.0, time.total_seconds())
    minutes, hours, days = (int(seconds // size) for size in (60, 3600, 86400))
    second, minute, hour, day = units
    if minutes < 1:
        return f"{seconds:.1f} {second}"
    if hours < 1:
        return f"{minutes} {minute} {int(seconds % 60)} {second}"
    return f"{hours} {hour} {minutes % 60} {minute}" if hours < 48 else f"{days} {day}"


def size(count: float) -> str:
    """A number of bytes in decimal units: 512 bytes, 1.2 MB, 3.4 GB."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return counted(round(count), "byte")
