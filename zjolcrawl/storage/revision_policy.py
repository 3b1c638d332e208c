"""Decides how one visit of an article changes what is stored; pure functions without a database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from bson import ObjectId
from pymongo import UpdateOne

from zjolcrawl.clock import clock_limit
from zjolcrawl.storage.change_feed import SET_WRITTEN_AT
from zjolcrawl.storage.documents import is_same_content, records_of

What = Literal["new", "changed", "same", "reread", "missed"]
Version = dict[str, Any]

# The fields of an image entry that describe its bytes.
_BYTES = ("status", "sha256", "path", "width", "height", "bytes", "content_type")
BOOKKEEPING = (
    "_id", "revision", "status", "first_seen_at", "last_seen_at", "changed_at", "gone_at",
    "returned_at", "run_id",
)  # fmt: skip
"""The fields of a version that the store sets, not the page."""
_OF_IMAGE = re.compile(r"image (\d+): ")


@dataclass(frozen=True, slots=True)
class Decision:
    """`what` a visit means, and the `version` to write, if any, in place of `known`.

    new      first visit
    changed  an edit: `version` follows `known`, which goes to `revisions`
    same     no edit; `version` is None unless the bytes of `known` are parsed differently today, or this
             visit saw its content earlier
    reread   a version re-parsed from its own WARC record, with other fields
    missed   older than the newest version and different from the version in force then: not written
    """

    what: What
    known: Version | None = None
    version: Version | None = None


class RevisionPolicy:
    """What a visit means for an article, for visits of one run.

    A stored visit after `limit` comes from a clock that was ahead, so it counts as earlier than any other.
    """

    def __init__(self, run_id: ObjectId) -> None:
        self._run_id, self._limit = run_id, clock_limit()

    def decide(self, document: Version, newest: Version | None, former: list[Version]) -> Decision:
        """The decision for a visit, given the `newest` version and the `former` ones, oldest first.

        `document` is the page's part, with the time of the visit as `last_seen_at`. A visit at a version's
        `changed_at` is that version's own.
        """
        if newest is None:
            return Decision("new", None, _first(document, self._run_id))
        seen = document["last_seen_at"]
        own = next((v for v in (newest, *former) if v["changed_at"] == seen), None)
        if own:
            version = _reread(document, own)
            if version == own:
                return Decision("same", own)
            return Decision("reread", own, {**version, "run_id": self._run_id})
        if seen > newest["last_seen_at"] or newest["last_seen_at"] > self._limit:
            return self._later(document, newest)
        versions = [*former, newest]
        in_force = ([v for v in versions if v["changed_at"] <= seen] or versions[:1])[-1]
        if former and in_force is former[-1] and is_same_content(document, newest):
            # Another process saw the edit later but wrote it first.
            return Decision("same", newest, {**_reread(document, newest), "changed_at": seen})
        same = is_same_content(document, in_force)
        return Decision("same" if same else "missed", in_force)

    def _later(self, document: Version, newest: Version) -> Decision:
        """The decision for a visit after all others."""
        if is_same_content(document, newest):
            return Decision("same", newest)
        if _is_read_otherwise(document, newest):
            return Decision("same", newest, _seen_again(document, newest, self._run_id))
        return Decision("changed", newest, _next(document, newest, self._run_id))

    def touch(self, document: Version, known: Version) -> UpdateOne:
        """Update for a visit with the same content: `last_seen_at`, and what was learned beside the text.

        That is the status, columns, aliases and images.
        """
        seen = document["last_seen_at"]
        values: dict[str, Any] = {}
        if known["status"] == "gone" and not seen <= known["gone_at"] <= self._limit:
            values = {"status": "live", "returned_at": seen}
        if ahead := known["last_seen_at"] > self._limit:
            values["last_seen_at"] = seen
        images = known.get("images", [])
        better = {**known, "images": _with_bytes(images, document.get("images", []))}
        if better["images"] != images:  # images that failed earlier are stored now
            values["images"] = better["images"]
            values["warnings"] = _open_warnings(better)
        if document["content_sha256"] != known["content_sha256"]:  # hashed by an older rule
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
        return UpdateOne({"_id": known["_id"]}, {k: v for k, v in update.items() if v})


def _first(document: Version, run_id: ObjectId) -> Version:
    """Revision 1 of an article: `document` with the bookkeeping fields."""
    seen = document["last_seen_at"]
    times = {"first_seen_at": seen, "changed_at": seen}
    return {**document, "revision": 1, "status": "live", **times, "run_id": run_id}


def _next(document: Version, known: Version, run_id: ObjectId) -> Version:
    """The version after `known`, with its history."""
    version = _carried(_first(document, run_id), known)
    version["first_seen_at"] = min(known["first_seen_at"], version["first_seen_at"])
    version["revision"] = known["revision"] + 1
    version |= {name: known[name] for name in ("gone_at", "returned_at") if name in known}
    if known["status"] == "gone":
        version["returned_at"] = version["last_seen_at"]
    return version


def _reread(document: Version, known: Version) -> Version:
    """The version `known` with its page as parsed now."""
    kept = {name: known[name] for name in BOOKKEEPING if name in known}
    return _carried({**document, **kept}, known)


def _is_read_otherwise(document: Version, known: Version) -> bool:
    """Whether the same bytes were read by another parser version, so the parser changed, not the page."""
    records = records_of(document)
    is_other = document.get("parser", {}).get("version") != known.get("parser", {}).get("version")
    return is_other and bool(records) and records == records_of(known)


def _seen_again(document: Version, known: Version, run_id: ObjectId) -> Version:
    """The version `known` as its bytes are parsed now, after being seen again."""
    seen = document["last_seen_at"]
    version = {**_reread(document, known), "last_seen_at": seen, "run_id": run_id}
    return version | ({"status": "live", "returned_at": seen} if known["status"] == "gone" else {})


def _carried(version: Version, known: Version) -> Version:
    """The version with what is known about the article from other visits."""
    carried = dict(version)
    for name in ("columns", "aliases"):
        if both := [*known.get(name, []), *version.get(name, [])]:
            carried[name] = list(dict.fromkeys(both))
    if "images" in version:
        carried["images"] = _with_bytes(version["images"], known.get("images", []))
        carried["warnings"] = _open_warnings(carried)
    return {name: value for name, value in carried.items() if name != "warnings" or value}


def _with_bytes(images: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The images, each with what another visit knows about its bytes, if that is more."""
    known = {each["url"]: each for each in others}
    return [_better(image, known.get(image["url"])) for image in images]


def _better(image: dict[str, Any], other: dict[str, Any] | None) -> dict[str, Any]:
    if other is None or _rank(other) <= _rank(image):
        return image
    words = {name: value for name, value in image.items() if name not in _BYTES}
    return words | {name: other[name] for name in _BYTES if name in other}


def _rank(image: dict[str, Any]) -> int:
    return ("referenced", "failed", "missing", "stored").index(image["status"])


def _open_warnings(version: Version) -> list[str]:
    """The warnings without those about images that are stored by now."""
    stored = {i["position"] for i in version.get("images", []) if i["status"] == "stored"}
    warnings = version.get("warnings", [])
    return [w for w in warnings if not ((m := _OF_IMAGE.match(w)) and int(m[1]) in stored)]
