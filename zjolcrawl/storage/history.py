"""Places a visit among the stored versions of an article, by the time of the visit; pure functions.

The versions of an article are disjoint intervals [changed_at, last_seen_at], numbered 1, 2, … by time. The
result does not depend on the order in which visits are placed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from bson import ObjectId

from zjolcrawl.storage.versions import (
    Version,
    carried,
    first_version,
    is_alike,
    is_unread,
    reparsed,
    unread,
    with_bookkeeping,
    with_bytes,
    with_images,
    with_lists,
    with_takedowns,
)

Visits = Callable[[Version], list[tuple[datetime, bool]]]
"""For a version: the visits that the archive has of the article while it was in force, by time, and whether
each has a page that can be parsed.
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored versions of an article: the `newest`, and its documents in `revisions` by number.

    If a run was killed while it renumbered versions, two numbers may have the same version, or one number
    none (storage.history_writer). Documents with the newest version's number or a larger one are `left`: an
    edit that is being written, or that a killed run was about to write. They count for nothing.
    """

    newest: Version
    found: InitVar[list[Version]]
    slots: list[Version] = field(init=False)
    left: list[Version] = field(init=False)
    versions: list[Version] = field(init=False)
    """All versions, oldest first; each once, the last is the newest."""

    def __post_init__(self, found: list[Version]) -> None:
        slots = [each for each in found if each["_id"]["revision"] < self.newest["revision"]]
        kept: dict[datetime, Version] = {}
        for slot in slots:
            known = kept.get(slot["changed_at"])
            # A run that re-parsed the version meanwhile is a later one.
            if known is None or slot["run_id"] >= known["run_id"]:
                kept[slot["changed_at"]] = slot
        kept.pop(self.newest["changed_at"], None)
        former = list(kept.values())
        halves = {id(b) for a, b in pairwise(former) if _is_half(b, a)}
        versions = [each for each in former if id(each) not in halves]
        object.__setattr__(self, "slots", slots)
        object.__setattr__(self, "left", found[len(slots) :])
        object.__setattr__(self, "versions", [*versions, self.newest])

    @property
    def has_copies(self) -> bool:
        """Whether a version has two numbers."""
        return len(self.slots) != len(self.versions) - 1

    @property
    def is_sound(self) -> bool:
        """Whether the numbers of the versions are 1, 2, … without a gap or a copy."""
        numbers = [(each["_id"]["revision"], each["revision"]) for each in self.slots]
        last = self.newest["revision"]
        return not self.has_copies and numbers == [(n, n) for n in range(1, last)]


def _is_half(version: Version, former: Version) -> bool:
    """Whether a version is the second half of `former`, which a killed run was about to cut."""
    return bool(
        version["content_sha256"] == former["content_sha256"]
        and former["changed_at"] < version["changed_at"] <= former["last_seen_at"]
    )


@dataclass(frozen=True, slots=True)
class Change:
    """The versions of an article afterwards, oldest first.

    `index`: that of the version with the visit. `added`: that of the version that is not stored yet. `again`: the visit must be placed again, among
    these versions. `reparse_span`: the first and last moment of the visits that must be re-parsed, because a
    version was cut between them.
    """

    versions: list[Version]
    index: int
    added: int | None = None
    again: bool = False
    reparse_span: tuple[datetime, datetime] | None = None

    @property
    def is_insertion(self) -> bool:
        """Whether the visit itself is a new version."""
        return self.added is not None and not self.again


class Placing:
    """Places one visit of an article that is not after all others.

    `document` is the page's part, with the time of the visit as `last_seen_at`. With `visits`, copies that a
    cut leaves are marked as unread, because their own captures can be re-parsed.
    """

    def __init__(
        self, document: Version, stored: Stored, run_id: ObjectId, visits: Visits | None
    ) -> None:
        self._document, self._run_id, self._visits = document, run_id, visits
        self._seen: datetime = document["last_seen_at"]
        self._versions = list(stored.versions)
        before = (i for i, v in enumerate(self._versions) if v["changed_at"] <= self._seen)
        self._at = max(before, default=-1)

    def change(self) -> Change:
        """The change by the visit."""
        known = self._versions[self._at] if self._at >= 0 else None
        if known and self._seen <= known["last_seen_at"]:
            if is_alike(self._document, known):
                return self._merged(self._at, self._own(known))
            if known["changed_at"] == known["last_seen_at"]:
                return self._replaced(known)
            return self._cut(known)
        later = self._versions[self._at + 1]
        if known and is_alike(self._document, known):
            if is_alike(self._document, later):
                return self._joined(known, later)
            return self._merged(self._at, {**known, "last_seen_at": self._seen})
        if is_alike(self._document, later):
            return self._merged(self._at + 1, self._first_of(later, known))
        version = first_version(self._document, self._run_id)
        version = self._like(known, carried(version, known)) if known else version
        self._versions.insert(self._at + 1, version)
        return Change(self._finished(self._at + 1), self._at + 1, added=self._at + 1)

    def _own(self, known: Version) -> Version:
        """The version that the visit is part of, re-parsed if the visit is its own and it is unread."""
        if self._seen != known["changed_at"] or not is_unread(known):
            return known
        return self._after_former(with_bookkeeping(self._document, known))

    def _after_former(self, version: Version) -> Version:
        """The version of the visit, with what is known from the one before it."""
        version = {**version, "run_id": self._run_id}
        if not self._at:
            return version
        former = self._versions[self._at - 1]
        return self._like(former, carried(version, former))

    def _first_of(self, later: Version, known: Version | None) -> Version:
        """The version `later`, which begins with this visit; `known` is the one before it."""
        document = self._document
        if known and "images" in document:
            images = with_bytes(document["images"], known.get("images", []))
            document = {**document, "images": images}
        version = {**reparsed(document, later), "changed_at": self._seen, "run_id": self._run_id}
        return self._like(later, self._like(known, version) if known else version)

    def _like(self, known: Version, version: Version) -> Version:
        """A version that takes something from a copy: it is re-parsed after the copy, to have what that has then."""
        return unread(version) if self._visits and is_unread(known) else version

    def _merged(self, index: int, version: Version) -> Change:
        self._versions[index] = with_images(with_lists(version, self._document), self._document)
        return Change(self._finished(index), index)

    def _joined(self, known: Version, later: Version) -> Change:
        """One version of two with the same content, because the one between them is no more."""
        self._join(self._at)
        change = self._merged(self._at, self._versions[self._at])
        span = (known["changed_at"], later["last_seen_at"]) if self._visits else None
        return replace(change, reparse_span=span)

    def _join(self, index: int) -> None:
        """Make one version of the one at `index` and the next, which has the same content."""
        known, later = self._versions[index : index + 2]
        version = {**known, "last_seen_at": later["last_seen_at"]}
        version = with_images(with_lists(version, later), later)
        names = ("_id", "revision", "gone_at", "returned_at")
        version |= {name: later[name] for name in names if name in later}
        self._versions[index : index + 2] = [self._like(later, version)]

    def _replaced(self, known: Version) -> Change:
        """The version of this visit alone gets its present content, and may be no other than its neighbours then."""
        version = self._after_former(reparsed(self._document, known))
        self._versions[self._at] = version
        begin, end = version["changed_at"], version["last_seen_at"]
        for index in (self._at, self._at - 1):
            pair = self._versions[max(index, 0) : index + 2]
            if len(pair) == 2 and is_alike(*pair):
                begin, end = min(begin, pair[0]["changed_at"]), max(end, pair[1]["last_seen_at"])
                self._join(index)
                self._at = index
        change = self._merged(self._at, self._versions[self._at])
        return replace(change, reparse_span=(begin, end) if self._visits and begin < end else None)

    def _cut(self, known: Version) -> Change:
        """The version in force then has another content: it ends before the visit, and begins again after it."""
        begin, end = known["changed_at"], known["last_seen_at"]
        visits = self._visits(known) if self._visits else []
        pages = [at for at, has_page in visits if has_page]
        parts = []
        if begin < self._seen:
            before = max((at for at, _ in visits if at < self._seen), default=begin)
            first = {**known, "last_seen_at": before}
            parts.append(unread(first) if begin in pages else first)
        if self._seen < end:
            after = [at for at in pages if at > self._seen] or [
                a for a, _ in visits if a > self._seen
            ]
            begins = min(after, default=end)
            second = {**known, "changed_at": begins}
            parts.append(unread(second) if begins in pages else second)
        is_newest = self._at == len(self._versions) - 1
        self._versions[self._at : self._at + 1] = parts
        added = None
        if len(parts) == 2:  # the newest version stays in `articles`, so its first half is added
            added = self._at if is_newest else self._at + 1
        span = (begin, end) if self._visits else None
        versions = with_takedowns(self._versions, self._seen)
        return Change(versions, self._at, added, again=True, reparse_span=span)

    def _finished(self, index: int) -> list[Version]:
        """All versions, with what they know from the one at `index`, which has the visit."""
        earliest = min([self._seen, *(each["first_seen_at"] for each in self._versions)])
        finished: list[Version] = []
        for number, each in enumerate(self._versions):
            version = {**each, "first_seen_at": earliest}
            if number > index:
                version = with_images(with_lists(version, self._document), finished[-1])
            finished.append(version)
        return with_takedowns(finished, self._seen)
