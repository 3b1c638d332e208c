"""The visits of an article that the archive has: between which of them a version can end and begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.warc import warc_date
from zjolcrawl.storage.documents import url_of


@dataclass(slots=True)
class CutVisits:
    """The visits of an article from `begin` to `end`, whose version was cut."""

    begin: datetime
    end: datetime
    addresses: set[str] = field(default_factory=set)

    def add(self, versions: Iterable[dict[str, Any]], begin: datetime, end: datetime) -> None:
        """Add the visits of another version, or of the same one again."""
        self.begin, self.end = min(self.begin, begin), max(self.end, end)
        for version in versions:
            self.addresses |= addresses_of(version)

    def captures(self, index: ArchiveIndex) -> Iterator[Capture]:
        """Their captures, oldest first."""
        return index.visits(self.addresses, warc_date(self.begin), warc_date(self.end))


class ArchivedVisits:
    """The visits that an archive knows, for `storage.history.Placing`."""

    def __init__(self, index: ArchiveIndex) -> None:
        self._index = index

    def around(
        self, version: dict[str, Any], moment: datetime
    ) -> tuple[datetime | None, datetime | None]:
        """The last visit before a moment and the first one after it, within a version; None if there is none.

        After it, a visit that can be parsed comes before one that found the page unchanged (304).
        """
        span = warc_date(version["changed_at"]), warc_date(version["last_seen_at"])
        found = list(self._index.visits(addresses_of(version), *span))
        before = [each.seen_at for each in found if each.seen_at < moment]
        after = [each for each in found if each.seen_at > moment]
        first = min(after, key=lambda each: (each.status != 200, each.date), default=None)
        return max(before, default=None), first.seen_at if first else None


def addresses_of(version: dict[str, Any]) -> set[str]:
    """The URLs under which an article's page may have been captured."""
    known = {url_of(version), *version.get("aliases", ())}
    return known | {
        f"https:{url.removeprefix('http:')}" for url in known if url.startswith("http:")
    }
