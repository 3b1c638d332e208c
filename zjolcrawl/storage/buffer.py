"""The write buffer: items accepted by a store and not yet written."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Self

from bson import ObjectId

from zjolcrawl.items import Article, ColumnVisit, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.documents import (
    article_document,
    describe,
    document_fault,
    key_fault,
    storable,
)


@dataclass(frozen=True, slots=True)
class ArticleVisit:
    """An article as one visit found it: its document, its frontier row and the response's validators."""

    document: dict[str, Any]
    row: str
    validators: dict[str, str]

    def __post_init__(self) -> None:
        if not {"_id", "last_seen_at"} <= self.document.keys():  # from the spool of another version
            raise TypeError("a document without _id or last_seen_at")

    @property
    def url(self) -> str:
        """The article's URL."""
        return str(self.document["_id"])

    @property
    def at(self) -> datetime:
        """When the page was seen."""
        moment: datetime = self.document["last_seen_at"]
        return moment

    @property
    def is_foreign(self) -> bool:
        """Whether others captured it, so that its failure says nothing about the link."""
        return "provenance" in self.document


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The final values of a `runs` document."""

    run_id: ObjectId
    values: dict[str, Any]


Item = ArticleVisit | Unchanged | Outcome | ColumnVisit | WalkEnd | RunEnd
SPOOLED: dict[str, type[Item]] = {
    "Sight": ArticleVisit, "Unchanged": Unchanged, "Outcome": Outcome, "ColumnVisit": ColumnVisit,
    "WalkEnd": WalkEnd, "RunEnd": RunEnd,
}  # fmt: skip
"""The classes of items, by the names that spool files have for them: ArticleVisit has its former one."""


@dataclass(slots=True)
class Buffer:
    """Items not yet written, by kind.

    `articles` by URL, `size` their total bytes; `settled`: links with another outcome than an article;
    `since`: when the first item was added (monotonic clock).
    """

    articles: dict[str, ArticleVisit] = field(default_factory=dict)
    unchanged: list[Unchanged] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    visits: list[ColumnVisit | WalkEnd] = field(default_factory=list)
    ends: list[RunEnd] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    since: float = 0.0
    size: int = 0

    def __len__(self) -> int:
        return sum(map(len, self._parts()))

    @classmethod
    def of(cls, item: Item) -> Self:
        """A buffer with one item."""
        buffer = cls()
        buffer.add(item)
        return buffer

    def has_same_page(self, item: Item) -> bool:
        """Whether the buffer has another visit of an article's page; they are written one after the other."""
        if not isinstance(item, ArticleVisit):
            return False
        return item.url in self.articles or item.row in self.settled

    def items(self) -> Iterator[Item]:
        """All items, in the order in which they are written."""
        return chain.from_iterable(self._parts())

    def add(self, item: Item, size: int = 0) -> None:
        """Add an item; `size` is that of an article in bytes."""
        self.since = self.since or time.monotonic()
        self.size += size
        match item:
            case ArticleVisit():
                self.articles[item.url] = item
            case Unchanged():
                self.unchanged.append(item)
                self.settled.add(item.url)
            case Outcome():
                self.outcomes.append(item)
                self.settled.add(item.url)
            case RunEnd():
                self.ends.append(item)
            case _:
                self.visits.append(item)

    def _parts(self) -> tuple[Collection[Item], ...]:
        return (self.articles.values(), self.unchanged, self.outcomes, self.visits, self.ends)


def make_visit(article: Article) -> tuple[ArticleVisit | Outcome, int]:
    """The buffer item for an article, and its size in bytes.

    If MongoDB cannot hold the article, the item is an Outcome that rejects the link with the reason.
    """
    row, size = article.link, 0
    try:
        document = article_document(article)
        why, size = document_fault(document)
        why = why or key_fault(article.url) or key_fault(row)
    except Exception as error:
        why = f"cannot be stored: {describe(error)}"
    if why is None:
        return ArticleVisit(document, row, storable(article.visit.validators)), size
    refused = Outcome(
        row, "rejected", why, final_url=article.url, template=article.template,
        excerpt=str(article.body)[:2000] or None, seen_at=article.visit.seen_at, warc=article.visit.warc,
    )  # fmt: skip
    return refused, 0


def link_of(item: Item) -> str | None:
    """The URL of the link that an item is about; None for a column or a run."""
    if isinstance(item, ArticleVisit):
        return item.row
    return item.url if isinstance(item, (Outcome, Unchanged)) else None


def foreign_fault(url: str, at: datetime | None, why: str) -> str:
    """The line for a capture of others that cannot be stored."""
    when = f" of {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
    return f"{url}: the capture of others{when} is not stored, it stays in the archive: {why}"


def named(item: Item) -> str:
    """Kind and name of an item, for a message."""
    name = link_of(item) or getattr(item, "column", None) or getattr(item, "run_id", "")
    return f"{type(item).__name__} {str(name)[:200]}"
