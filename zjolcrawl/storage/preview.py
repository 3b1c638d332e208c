"""A dry run: reports what a run would write, using reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from zjolcrawl.items import Link
from zjolcrawl.messages import counted
from zjolcrawl.storage.buffer import Buffer
from zjolcrawl.storage.link_recorder import Recorded
from zjolcrawl.storage.revision_policy import Decision, RevisionPolicy
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.version_writer import decide_all
from zjolcrawl.storage.versions import BOOKKEEPING


class Preview(Store):
    """A store that counts what it would write instead of writing it.

    `fields`: per field, the number of stored versions that would get another value.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._versions: dict[str, set[str]] = {}  # by kind of decision
        self.fields: Counter[str] = Counter()
        self._hashes: dict[tuple[str, int], str] = {}  # of versions that would be written

    async def discover(self, links: Sequence[Link]) -> Recorded:
        """Count links."""
        self.counts["links"] += len(links)
        return Recorded()

    async def end_run(self, values: dict[str, Any]) -> None:
        """Do nothing: there is no `runs` document."""

    def lines(self) -> Iterator[str]:
        """The report, line by line."""
        better, same = (self._versions.get(what, set()) for what in ("reread", "same"))
        yield f"{len(better)} of {counted(len(better | same), 'stored version')} would change"
        width = max(map(len, self.fields), default=0)
        for name, count in self.fields.most_common():
            yield f"  {name:<{width}}  {count:>7}"
        for what, text in _OTHERS.items():
            if count := len(self._versions.get(what, ())):
                yield f"{count} {text}"
        if unread := self.counts["unread"]:
            yield f"{counted(unread, 'stored article')} would no longer be read as an article; nothing is removed"

    async def _begin(self, arguments: dict[str, Any], version: str) -> None:
        """Do nothing: a dry run leaves no trace."""

    async def _note_counts(self) -> None:
        """Do nothing: there is no `runs` document."""

    async def write(self, buffer: Buffer) -> None:
        """Count what the write would do."""
        await self.writer.add_columns(buffer.articles)
        documents = {url: visit.document for url, visit in buffer.articles.items()}
        policy = RevisionPolicy(self.run_id)
        decisions = await decide_all(self.db, documents, policy, self._hashes)
        for url, decision in decisions.items():
            inserted = decision.what == "inserted"
            self._count(f"{url} {documents[url]['last_seen_at']}" if inserted else url, decision)
        await self.writer.count_unread(buffer.outcomes)

    def _count(self, url: str, decision: Decision) -> None:
        known = decision.known
        version = f"{url} {known['revision']}" if known else url
        counted = self._versions.setdefault(decision.what, set())
        if version not in counted and decision.what == "reread" and known and decision.version:
            self.fields.update(changed_fields(known, decision.version))
            self._hashes[url, known["revision"]] = decision.version["content_sha256"]
        counted.add(version)


_OTHERS = {
    "new": "articles would be new",
    "changed": "articles would get a new version",
    "inserted": "earlier versions would be added",
}


def changed_fields(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The names of the page's fields that differ; `parser` counts as separate fields."""
    flat = [_flat(each) for each in (one, other)]
    return [
        name
        for name in sorted(flat[0].keys() | flat[1].keys())
        if flat[0].get(name) != flat[1].get(name)
    ]


def _flat(version: dict[str, Any]) -> dict[str, Any]:
    parser = {f"parser.{name}": value for name, value in version.get("parser", {}).items()}
    others = {n: v for n, v in version.items() if n != "parser" and n not in BOOKKEEPING}
    return others | parser
