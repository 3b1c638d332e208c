"""What was put into a store and is not written yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from bson import ObjectId

from zjolcrawl.items import ColumnVisit, Outcome, Unchanged, WalkEnd


@dataclass(frozen=True, slots=True)
class Sight:
    """An article that was put: its document, its frontier row, the validators of the answer."""

    document: dict[str, Any]
    row: str
    validators: dict[str, str]

    @property
    def at(self) -> datetime:
        """When it was seen."""
        moment: datetime = self.document["last_seen_at"]
        return moment


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What completes a `runs` document."""

    run_id: ObjectId
    values: dict[str, Any]


SPOOLED = (Sight, Unchanged, Outcome, ColumnVisit, WalkEnd, RunEnd)
"""What `Buffer.items` gives."""


@dataclass(frozen=True, slots=True)
class Found:
    """What `discover` found: how many links were `new`, and the rows that are `due`, by URL."""

    new: int = 0
    due: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Buffer:
    """What was put and is not written yet; `articles` by URL."""

    articles: dict[str, Sight] = field(default_factory=dict)
    unchanged: list[Unchanged] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    visits: list[ColumnVisit | WalkEnd] = field(default_factory=list)
    ends: list[RunEnd] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    since: float = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._parts()))

    def items(self) -> Iterator[Any]:
        """All that is in it, in the order in which it is written."""
        return chain.from_iterable(self._parts())

    def add(self, item: Any) -> None:
        """Take an item as `items` gives it."""
        if isinstance(item, Sight):
            self.articles[str(item.document["_id"])] = item
            return
        lists: dict[type[Any], list[Any]] = {
            Unchanged: self.unchanged, Outcome: self.outcomes, RunEnd: self.ends,
        }  # fmt: skip
        lists.get(type(item), self.visits).append(item)

    def _parts(self) -> tuple[Collection[Any], ...]:
        return (self.articles.values(), self.unchanged, self.outcomes, self.visits, self.ends)
