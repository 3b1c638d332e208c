"""Decides how one visit of an article changes what is stored. No database access."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from bson import ObjectId
from pymongo import UpdateOne

from zjolcrawl.clock import clock_limit
from zjolcrawl.storage.change_feed import SET_WRITTEN_AT
from zjolcrawl.storage.documents import is_same_content
from zjolcrawl.storage.history import Change, Placing, Stored, Visits
from zjolcrawl.storage.versions import (
    UNREAD,
    Version,
    first_version,
    is_alike,
    is_read_otherwise,
    is_unread,
    next_version,
    open_warnings,
    reparsed,
    seen_again,
    unread,
    with_bytes,
    with_takedowns,
)

What = Literal["new", "changed", "inserted", "same", "reread"]

# What only a change of the newest version in its place changes; the rest is a matter of `touch`.
_PLACE = ("changed_at", "content_sha256", "parser", "status", "gone_at", "returned_at")


@dataclass(frozen=True, slots=True)
class Decision:
    """`what` a visit means, and the `version` to write, if any, in place of `known`.

    new       first visit
    changed   an edit: `version` follows `known`, which goes to `revisions`
    inserted  a version before the newest one, which only this visit saw
    same      no edit; `version` is None unless the bytes of `known` are parsed differently today
    reread    a version re-parsed from its own WARC record, with other fields; reports call it corrected

    `change`, if set, says instead how the versions in `stored` change: the visit is not after all others.
    `reparse_span`: the first and last moment of the visits that must be re-parsed, because a version was cut.
    """

    what: What
    known: Version | None = None
    version: Version | None = None
    stored: Stored | None = None
    change: Change | None = None
    reparse_span: tuple[datetime, datetime] | None = None

    @property
    def is_write(self) -> bool:
        """Whether `change` changes anything."""
        if not self.stored or not self.change:
            return False
        return self.stored.has_copies or self.stored.versions != self.change.versions


class RevisionPolicy:
    """What a visit means for an article, for visits of one run.

    A stored visit later than `clock_limit` comes from a clock that was ahead, so it counts as earlier than any other.
    `visits`, if set, knows the visits in the archive. A visit that would make a version beside one that an
    older parser read is then put off once, until that one is re-parsed: the parser may be what differs.
    `put_off` has the visits for which that was done, by URL and time.
    """

    def __init__(
        self,
        run_id: ObjectId,
        visits: Visits | None = None,
        put_off: set[tuple[str, datetime]] | None = None,
    ) -> None:
        self._run_id, self._limit, self._visits = run_id, clock_limit(), visits
        self._put_off = put_off if put_off is not None else set()

    def decide(self, document: Version, newest: Version | None, former: list[Version]) -> Decision:
        """The decision for a visit, given the `newest` version and the `former` ones, oldest first.

        `document` is the page's part, with the time of the visit as `last_seen_at`. A visit at a version's
        `changed_at` is that version's own.
        """
        if newest is None:
            return Decision("new", None, first_version(document, self._run_id))
        seen = document["last_seen_at"]
        stored = Stored(newest, former)
        own = next((v for v in reversed(stored.versions) if v["changed_at"] == seen), None)
        if own and not self._must_be_placed(document, own):
            version = reparsed(document, own)
            if version == own:
                return Decision("same", own)
            return Decision("reread", own, {**version, "run_id": self._run_id})
        if own is None and (seen > newest["last_seen_at"] or newest["last_seen_at"] > self._limit):
            decision = self._later(document, newest)
        else:
            decision = self._placed(document, stored)
        if decision.what in {"changed", "inserted"} and (beside := self._others(document, stored)):
            self._put_off.add((document["_id"], seen))
            moments = [seen, *(each["changed_at"] for each in beside)]
            unchanged = Change(stored.versions, 0)
            span = min(moments), max(moments)
            return Decision("same", None, None, stored, unchanged, span)
        return replace(decision, reparse_span=self._reparse_span(seen, decision, stored))

    def _must_be_placed(self, document: Version, own: Version) -> bool:
        """Whether a version's own visit is placed like another.

        That is so if the version is a copy, or if the archive has another page for the visit than when it was
        stored: a further page that came later, or the capture that counts of two at one moment.
        """
        if is_alike(document, own):
            return is_unread(own)
        is_parsed_otherwise = document["parser"]["version"] != own["parser"]["version"]
        return is_unread(own) or (self._visits is not None and not is_parsed_otherwise)

    def _others(self, document: Version, stored: Stored) -> list[Version]:
        """The versions around a visit that another parser read, unless the visit was put off before."""
        seen = document["last_seen_at"]
        if not self._visits or (document["_id"], seen) in self._put_off:
            return []
        before = [each for each in stored.versions if each["changed_at"] <= seen][-1:]
        after = [each for each in stored.versions if each["changed_at"] > seen][:1]
        read = document["parser"]["version"]
        return [v for v in (*before, *after) if v["parser"]["version"] not in {read, UNREAD}]

    def _reparse_span(
        self, seen: datetime, decision: Decision, stored: Stored
    ) -> tuple[datetime, datetime] | None:
        """What must be re-parsed after a visit: that of a version that was cut, and of copies beside it.

        A killed run may have left copies.
        """
        if not self._visits:
            return None
        versions, index = stored.versions, len(stored.versions) - 1
        if change := decision.change:
            versions, index = change.versions, change.index
        elif decision.version and decision.what == "changed":
            versions, index = [*versions, decision.version], index + 1
        span = change.reparse_span if change else None
        if not span and not is_unread(versions[index]):
            return None
        first = last = min(index, len(versions) - 1)
        while first and is_unread(versions[first - 1]):
            first -= 1
        while last + 1 < len(versions) and is_unread(versions[last + 1]):
            last += 1
        begin, end = versions[first]["changed_at"], versions[last]["last_seen_at"]
        return min(begin, seen, *(span or ())), max(end, seen, *(span or ()))

    def _placed(self, document: Version, stored: Stored) -> Decision:
        """The decision for a visit before or between others."""
        change = Placing(document, stored, self._run_id, self._visits).change()
        if change.again or change.is_insertion:
            return Decision("inserted", None, None, stored, change)
        if not stored.has_copies:
            if change.versions == stored.versions:
                return Decision("same", stored.versions[change.index])
            newest = change.versions[-1]
            if (
                change.index == len(change.versions) - 1
                and change.versions[:-1] == stored.versions[:-1]
                and all(newest.get(name) == stored.newest.get(name) for name in _PLACE)
            ):
                return Decision("same", stored.newest)
        contents = {each["changed_at"]: each["content_sha256"] for each in stored.versions}
        content = document["content_sha256"]
        is_other = contents.get(document["last_seen_at"], content) != content
        return Decision("reread" if is_other else "same", None, None, stored, change)

    def _later(self, document: Version, newest: Version) -> Decision:
        """The decision for a visit after all others."""
        if is_same_content(document, newest):
            return Decision("same", newest)
        seen, was_gone = document["last_seen_at"], newest["status"] == "gone"
        back = {"status": "live", "returned_at": seen} if self._is_back(document, newest) else {}
        if is_read_otherwise(document, newest):
            return Decision("same", newest, seen_again(document, newest, self._run_id) | back)
        version = next_version(document, newest, self._run_id) | back
        # An unread version carries what its copy knows, which may become less.
        if self._visits and is_unread(newest):
            version = unread(version)
        # A takedown after this visit is that of this version.
        if was_gone and not back:
            newest, version = with_takedowns([newest, version], seen)
        return Decision("changed", newest, version)

    def _is_back(self, document: Version, known: Version) -> bool:
        """Whether a visit finds an article again that was gone before."""
        if known["status"] != "gone":
            return False
        gone_at = known.get("gone_at")
        return not (gone_at and document["last_seen_at"] <= gone_at <= self._limit)

    def touch(self, document: Version, known: Version) -> UpdateOne:
        """Update for a visit with the same content: `last_seen_at`, and what was learned beside the text.

        That is the status, columns, aliases and images.
        """
        seen = document["last_seen_at"]
        values: dict[str, Any] = {}
        if self._is_back(document, known):
            values = {"status": "live", "returned_at": seen}
        if ahead := known["last_seen_at"] > self._limit:
            values["last_seen_at"] = seen
        images = known.get("images", [])
        better = {**known, "images": with_bytes(images, document.get("images", []))}
        if better["images"] != images:  # images that failed earlier are stored now
            values["images"] = better["images"]
            values["warnings"] = open_warnings(better)
        is_other = document["content_sha256"] != known["content_sha256"]
        if is_other and is_same_content(document, known):  # hashed by an older rule
            values["content_sha256"] = document["content_sha256"]
        update: dict[str, Any] = {
            "$max": {} if ahead else {"last_seen_at": seen},
            "$set": {name: value for name, value in values.items() if value},
            "$unset": {name: "" for name, value in values.items() if not value},
        }
        for name in ("columns", "aliases"):
            if more := [each for each in document.get(name, []) if each not in known.get(name, [])]:
                update.setdefault("$addToSet", {})[name] = {"$each": more}
        if values or "$addToSet" in update:
            update["$currentDate"] = SET_WRITTEN_AT
        state = {name: known[name] for name in ("_id", "changed_at")}
        return UpdateOne(state, {k: v for k, v in update.items() if v})
