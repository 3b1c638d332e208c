"""Turns what happened to articles into events of watches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from zjolcrawl.clock import iso_time, utc_now
from zjolcrawl.display.article_diff import Change, changes, pairs
from zjolcrawl.display.diff import Effort
from zjolcrawl.run.watch_file import Watch
from zjolcrawl.run.watch_send import plain
from zjolcrawl.search.text_match import Text, is_selected, matches, matches_added
from zjolcrawl.storage.documents import storable
from zjolcrawl.storage.queries.watched import Happening

_LONGEST = {"url": 2000, "title": 300, "site": 200}  # characters
_LONGEST_PART, _MOST_PARTS = 300, 5  # of the text that an edit added or removed
_MOST_COLUMNS = 20


class Matcher:
    """Compares one happening with many watches; texts and edits are prepared once."""

    def __init__(self, happening: Happening) -> None:
        self.happening = happening
        self._text = Text(happening.version)
        self._former = Text(happening.former) if happening.former else None
        self._changes: list[Change] | None = None

    @property
    def changes(self) -> list[Change]:
        """The edits from the former version to this one; [] if there is none."""
        if self._changes is None:
            each = self.happening
            self._changes = changes(each.former, each.version, Effort()) if each.former else []
        return self._changes

    def matches(self, watch: Watch) -> bool:
        """Whether the watch wants this event."""
        if self.happening.event not in watch.events or not is_selected(watch.selection, self._text):
            return False
        if self.happening.event != "edited":
            return matches(watch.wanted, self._text)
        if watch.min_change and size(self.changes) < watch.min_change:
            return False
        if not watch.only_added:
            return matches(watch.wanted, self._text)
        return self._former is not None and matches_added(watch.wanted, self._former, self._text)

    def event(self, watch: Watch) -> dict[str, Any]:
        """The event as receivers get it; its texts are short and have no control characters."""
        version = self.happening.version
        texts = {name: plain(str(version.get(name) or ""), most) for name, most in _LONGEST.items()}
        at = iso_time(self.happening.at)
        event: dict[str, Any] = {
            "id": _digest(watch.name, version["_id"], at, self.happening.event),
            "watch": watch.name, "event": self.happening.event, **texts,
            "url": plain(version["_id"], _LONGEST["url"]), "at": at, "revision": version["revision"],
            "columns": [plain(str(c), 100) for c in version.get("columns", [])[:_MOST_COLUMNS]],
        }  # fmt: skip
        if self.happening.event == "edited" and self.happening.former:
            event["changed_characters"] = size(self.changes)
            for name in ("added", "removed"):
                parts = [part for change in self.changes for part in getattr(change, name)]
                event[name] = [plain(part, _LONGEST_PART) for part in parts[:_MOST_PARTS]]
        return event

    def rows(self, watches: Sequence[Watch]) -> Iterator[dict[str, Any]]:
        """Rows of the outbox: one per watch that matches, and receiver."""
        for watch in watches:
            if not self.matches(watch):
                continue
            event = storable(self.event(watch))
            for target in watch.targets:
                yield {
                    "_id": _digest(event["id"], target.id), "state": "waiting", "attempts": 0,
                    "watch": watch.name, "target": target.id, "event": event,
                    "at": self.happening.at, "made_at": utc_now(),
                }  # fmt: skip


def example_event(watch: str) -> dict[str, Any]:
    """An event that did not happen, to try a receiver."""
    return {
        "id": "test", "watch": watch, "event": "test", "title": "scrapy watch --test", "url": "", "site": "",
        "at": iso_time(utc_now()), "revision": 0, "columns": [],
    }  # fmt: skip


def size(found: Sequence[Change]) -> int:
    """The number of characters that edits removed and added, within a reworded sentence only those that differ."""
    total, effort = 0, Effort()
    for each in found:
        parts = pairs(each, effort) or [("", part) for part in (*each.removed, *each.added)]
        total += sum(len(before) + len(after) for before, after in parts if before != after)
    return total


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(text).hexdigest()[:32]
