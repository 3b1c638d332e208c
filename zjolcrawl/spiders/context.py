"""What a crawl knows when it asks, kept with the record of the answer so that a re-read knows it too."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Protocol

from zjolcrawl.catalogue import Column
from zjolcrawl.items import Link


class Bounded(Protocol):
    """A spider with publish days asked for; None where there is no bound."""

    since: date | None
    until: date | None


def article_context(link: Link, trail: tuple[str, ...], days: Bounded) -> dict[str, Any]:
    """An article's request: its link, the stubs on the way, the run's publish days."""
    values = {
        "article": link.url, "columns": link.columns, "trail": list(trail),
        "listed_at": link.listed_at.isoformat() if link.listed_at else None,
        "since": days.since.isoformat() if days.since else None,
        "until": days.until.isoformat() if days.until else None,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}


def column_context(column: Column, page: int, *, probe: bool) -> dict[str, Any]:
    """A column page's request: the column's entry, which page, and whether it may be missing."""
    entry = {name: value for name, value in asdict(column).items() if value is not None}
    return {"column": entry, "page": page, "probe": probe}


def link_in(context: dict[str, Any]) -> tuple[Link, tuple[str, ...]]:
    """The link and trail of an article's context."""
    listed_at = context.get("listed_at")
    link = Link(
        context["article"],
        columns=list(context.get("columns", [])),
        listed_at=datetime.fromisoformat(listed_at) if listed_at else None,
    )
    return link, tuple(context.get("trail", ()))


def days_in(context: dict[str, Any]) -> tuple[date | None, date | None]:
    """The publish days that the run had asked for."""
    since, until = context.get("since"), context.get("until")
    return (
        date.fromisoformat(since) if since else None,
        date.fromisoformat(until) if until else None,
    )
