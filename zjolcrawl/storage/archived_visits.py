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

    def of(self, version: dict[str, Any]) -> list[tuple[datetime, bool]]:
        """The visits while a version was in force, and whether each has a page: a 304 has none."""
        span = warc_date(version["changed_at"]), warc_date(version["last_seen_at"])
        found = self._index.visits(addresses_of(version), *span)
        return [(each.seen_at, each.status == 200) for each in found]


def addresses_of(version: dict[str, Any]) -> set[str]:
    """The URLs under which an article's page may have been captured."""
    known = {url_of(version), *version.get("aliases", ())}
    return known | {
        f"https:{url.removeprefix('http:')}" for url in known if url.startswith("http:")
    }
