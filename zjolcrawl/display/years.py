"""Formats `scrapy coverage --by year`: what the archive has of each year, and who saw it first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

from rich.text import Text

from zjolcrawl.display.coverage import NONE
from zjolcrawl.messages import counted
from zjolcrawl.storage.queries.years import Year

_NAMES = [each.name for each in fields(Year)][1:]


def render(found: list[Year]) -> Iterator[Text]:
    """A heading, one line per year, and the sum."""
    if not found:
        yield Text("no articles")
        return
    yield Text(" ".join(["year", *(f"{name:>10}" for name in _NAMES)]), style="bold")
    for each in found:
        counts = (f"{getattr(each, name):>10}" for name in _NAMES)
        yield Text(" ".join([f"{each.year or NONE:<4}", *counts]))
    articles, versions = (sum(getattr(each, name) for each in found) for name in _NAMES[:2])
    parts = counted(len(found), "year"), counted(articles, "article"), counted(versions, "version")
    yield Text(", ".join(parts))


def values(each: Year) -> dict[str, Any]:
    """A year as data for --json."""
    return asdict(each)
