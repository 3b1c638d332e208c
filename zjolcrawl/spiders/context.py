"""Request context that is archived with each response, so that `reparse` has it too."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any, Self

from zjolcrawl.items import Link
from zjolcrawl.site.catalogue import Column

_TEXTS = ("kind", "from", "url", "sha256", "record")  # the parts of a provenance that are text


@dataclass(frozen=True, slots=True)
class Days:
    """A range of publish days in China time, both ends included; None means no bound."""

    since: date | None = None
    until: date | None = None

    def __contains__(self, day: date) -> bool:
        early = self.since is not None and day < self.since
        return not early and not (self.until is not None and day > self.until)

    @classmethod
    def of(cls, context: dict[str, Any]) -> Self:
        """The days that were requested by the run that wrote this article context."""
        ends = (context.get(name) for name in ("since", "until"))
        return cls(*(date.fromisoformat(end) if end else None for end in ends))


def article_context(link: Link, trail: tuple[str, ...], days: Days) -> dict[str, Any]:
    """The context of an article request: link, stubs before it, the run's publish days."""
    values = {
        "article": link.url, "columns": link.columns, "trail": list(trail),
        "listed_at": link.listed_at.isoformat() if link.listed_at else None,
        "since": days.since.isoformat() if days.since else None,
        "until": days.until.isoformat() if days.until else None,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}


def link_and_trail(context: dict[str, Any]) -> tuple[Link, tuple[str, ...]]:
    """The link and the trail of stub URLs from an article context."""
    listed_at = context.get("listed_at")
    link = Link(
        context["article"],
        columns=list(context.get("columns", [])),
        listed_at=datetime.fromisoformat(listed_at) if listed_at else None,
    )
    return link, tuple(context.get("trail", ()))


def provenance_of(context: dict[str, Any]) -> dict[str, Any] | None:
    """Where a capture that others made comes from, as an article's `provenance`; None for our own captures.

    Parts of other types are left out, because MongoDB would refuse the article.
    """
    given = context.get("provenance")
    if not isinstance(given, dict):
        return None
    found = {name: given[name] for name in _TEXTS if isinstance(given.get(name), str)}
    found = {name: value for name, value in found.items() if value}
    if found.get("kind") not in {"import", "backfill"} or "from" not in found:
        return None
    offset = given.get("offset")
    if isinstance(offset, int) and not isinstance(offset, bool) and 0 <= offset < 2**63:
        found["offset"] = offset
    return found


def column_context(column: Column, page: int, *, probe: bool) -> dict[str, Any]:
    """The context of a column page request; `probe` says that the page may be missing."""
    entry = {name: value for name, value in asdict(column).items() if value is not None}
    return {"column": entry, "page": page, "probe": probe}


def column_of(context: dict[str, Any]) -> Column:
    """The column from a column page context; keys that `Column` does not have are ignored."""
    known = {each.name for each in fields(Column)}
    return Column(**{name: value for name, value in context["column"].items() if name in known})
