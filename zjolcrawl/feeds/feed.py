"""A feed: which events it has, its name for people, and an id that does not depend on where it is served."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from zjolcrawl.parsing.fields.dates import china_midnight
from zjolcrawl.search import Search, SearchIndex
from zjolcrawl.site.names import column_names
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.events import (
    EDITED,
    GONE,
    KINDS,
    NEW,
    RETURNED,
    Event,
    VersionKey,
    Wanted,
    last_events,
    versions_of,
)
from zjolcrawl.storage.queries.selection import Selection

ARTICLES = "search"
NAMES = {
    ARTICLES: "文章",
    "changes": "改动与撤下",
    "edited": "改动",
    "gone": "撤下",
}
"""The feeds, each with its Chinese name; every one takes the fields of the search form."""
OF_VALUES = ("column", "person", "tag")
"""Fields of the search form that have feeds of their own: /feeds/column/zjxw.atom."""
SIZE = 50
"""Entries of a page."""
MOST_TEXT = 100_000
"""Characters of a text that are compared and shown."""
_MOST_MARKUP = 100_000  # bytes of `body_html`
_KINDS = {"changes": (EDITED, GONE, RETURNED), "edited": (EDITED,), "gone": (GONE, RETURNED)}
_TITLES = {
    "q": "检索 {}", "column": "栏目 {}", "host": "网站 {}", "person": "人物 {}", "tag": "标签 {}",
    "since": "自 {} 发布", "until": "至 {} 发布", "changed_since": "{} 起改过", "gone_since": "{} 起撤下",
    "edited": "发布后改过", "gone": "已撤下", "images": "有图片",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed `name`, one of NAMES, of the articles that a selection and the query `q` find.

    `fields` are those of the search form, as they were given.
    """

    name: str = ARTICLES
    selection: Selection = field(default_factory=Selection)
    q: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its events. A filter on edits or takedowns asks for these events."""
        kinds = _KINDS.get(self.name, KINDS)
        edits = self.selection.edited or self.selection.changed_since
        takedowns = self.selection.gone or self.selection.gone_since
        if not (edits or takedowns):
            return kinds
        name = "changes" if edits and takedowns else "edited" if edits else "gone"
        return tuple(kind for kind in kinds if kind in _KINDS[name])

    @property
    def articles(self) -> Selection:
        """The articles that may have its events: one that is back was taken down too."""
        return replace(
            self.selection, edited=False, gone=False, changed_since=None, gone_since=None
        )

    @property
    def since(self) -> dict[str, datetime]:
        """The first moment of its events, by kind."""
        days = {EDITED: self.selection.changed_since, GONE: self.selection.gone_since}
        days[RETURNED] = days[GONE]
        return {kind: china_midnight(day) for kind, day in days.items() if day}

    @property
    def id(self) -> str:
        """The same for the same feed on any server and in any file."""
        given = sorted((name, value) for name, value in self.fields.items() if value)
        text = json.dumps([self.name, given], ensure_ascii=True)
        return uuid.uuid5(uuid.NAMESPACE_URL, f"zjolcrawl feed {text}").urn

    @property
    def title(self) -> str:
        """The Chinese name of the feed, with its filters."""
        parts = [
            _TITLES[name].format(self._label(name, value))
            for name, value in self.fields.items()
            if value and name in _TITLES
        ]
        return f"浙江在线归档 · {'，'.join([NAMES[self.name], *parts])}"

    def _label(self, name: str, value: str) -> str:
        if name != "column":
            return value
        return "、".join(label_of(each) for each in self.selection.columns) or value


@dataclass(frozen=True, slots=True)
class Page:
    """Page `number` of a feed, from 1: its events, the versions that they show, whether there are `more` pages.

    `written_at`: when one of its articles was last written, in seconds; None if that is unknown.
    """

    number: int
    events: list[Event]
    versions: Mapping[VersionKey, Mapping[str, Any]]
    more: bool
    written_at: datetime | None = None


def label_of(column: str) -> str:
    """The Chinese name of a column or paper, or its id if it is in no catalogue."""
    return next(iter(column_names().get(column, ())), column)


async def read_page(
    db: Database, index: SearchIndex | None, feed: Feed, number: int = 1, size: int = SIZE
) -> Page:
    """A page of a feed. `index` is needed for a feed with a query. Raises QueryError."""
    wanted = Wanted(feed.kinds, feed.articles, feed.since)
    most = number * size + 1
    if feed.q:
        assert index is not None
        wanted = _found(index, feed, wanted, most)
    events = await last_events(db, wanted, most)
    shown = events[most - 1 - size : most - 1]
    keys = {key for event in shown for key in (event.version, event.former) if key}
    versions, written = await versions_of(db, keys, MOST_TEXT + 1, _MOST_MARKUP)
    # What another process renumbered meanwhile is on the page when it is asked for again.
    there = [event for event in shown if event.version in versions]
    return Page(number, there, versions, len(events) == most, written)


def _found(index: SearchIndex, feed: Feed, wanted: Wanted, most: int) -> Wanted:
    """The events of the articles that the query of the feed finds, as far as they can be among the last ones."""
    query = Search(index, feed.q, feed.articles)
    urls: list[str] = []
    if wanted.has_versions:
        urls += query.latest("seen" if NEW in wanted.kinds else "edited", most)
    if wanted.has_takedowns:
        urls += query.latest("down", most)
    return Wanted(wanted.kinds, wanted.selection, wanted.since, tuple(dict.fromkeys(urls)))
