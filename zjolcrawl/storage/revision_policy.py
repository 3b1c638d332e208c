"""Decides how one visit of an article changes what is stored; pure functions without a database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bson import ObjectId
from pymongo import UpdateOne

from zjolcrawl.storage.change_feed import SET_WRITTEN_AT
from zjolcrawl.storage.documents import is_same_content, records_of

What = Literal["new", "changed", "same", "reread", "missed"]

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
    known: dict[str, Any] | None = None
    version: dict[str, Any] | None = None


def decide(
    document: dict[str, Any],
    newest: dict[str, Any] | None,
    former: list[dict[str, Any]],
    run_id: ObjectId,
    limit: datetime | None = None,
) -> Decision:
    """The step for a visit, given the `newest` version and the `former` ones, oldest first.

    `document` is the page's part, with the time of the visit as `last_seen_at`. A visit at a version's
    `changed_at` is that version's own. A stored visit after `limit` comes from a clock that was ahead, so it
    counts as earlier than this one.
    """
    if newest is None:
        return Decision("new", None, _first(document, run_id))
    seen = document["last_seen_at"]
    own = next((v for v in (newest, *former) if v["changed_at"] == seen), None)
    if own:
        version = _reread(document, own)
        if version == own:
            return Decision("same", own)
        return Decision("reread", own, {**version, "run_id": run_id})
    if seen > newest["last_seen_at"] or (limit and newest["last_seen_at"] > limit):
        if is_same_content(document, newest):
            return Decision("same", newest)
        if _is_read_otherwise(document, newest):
            return Decision("same", newest, _seen_again(document, newest, run_id))
        return Decision("changed", newest, _next(document, newest, run_id))
    versions = [*former, newest]
    in_force = [v for v in versions if v["changed_at"] <= seen][-1:] or versions[:1]
    if former and in_force[0] is former[-1] and is_same_content(document, newest):
        # Another process saw the edit later but wrote it first.
        return Decision("same", newest, {**_reread(document, newest), "changed_at": seen})
    same = is_same_content(document, in_force[0])
    return Decision("same" if same else "missed", in_force[0])


def touch(document: dict[str, Any], known: dict[str, Any], limit: datetime) -> UpdateOne:
    """Update for a visit with the same content: `last_seen_at`, and what was learned beside the text.

    That is the status, columns, aliases and images. `limit` is as for `step`.
    """
    seen = document["last_seen_at"]
    values: dict[str, Any] = {}
    if known["status"] == "gone" and not seen <= known["gone_at"] <= limit:
        values = {"status": "live", "returned_at": seen}
    if ahead := known["last_seen_at"] > limit:
        values["last_seen_at"] = seen
    better = {**known, "images": _with_bytes(known.get("images", []), document.get("images", []))}
    if better["images"] != known.get("images", []):  # images that failed earlier are stored now
        values["images"] = better["images"]
        values["warnings"] = _doubts(better)
    if document["content_sha256"] != known["content_sha256"]:  # hashed by an older rule
        values["content_sha256"] = document["content_sha256"]
    removed = [name for name, value in values.items() if not value]
    update: dict[str, Any] = {
        "$max": {} if ahead else {"last_seen_at": seen},
        "$set": {name: value for name, value in values.items() if value},
        "$unset": dict.fromkeys(removed, ""),
    }
    for name in ("columns", "aliases"):
        if more := [each for each in document.get(name, []) if each not in known.get(name, [])]:
            update.setdefault("$addToSet", {})[name] = {"$each": more}
    if values or "$addToSet" in update:
        update["$currentDate"] = SET_WRITTEN_AT
    return UpdateOne({"_id": known["_id"]}, {k: v for k, v in update.items() if v})


def _first(document: dict[str, Any], run_id: ObjectId) -> dict[str, Any]:
    """Revision 1 of an article: `document` with the bookkeeping fields."""
    seen = document["last_seen_at"]
    times = {"first_seen_at": seen, "changed_at": seen}
    return {**document, "revision": 1, "status": "live", **times, "run_id": run_id}


def _next(document: dict[str, Any], known: dict[str, Any], run_id: ObjectId) -> dict[str, Any]:
    """The version after `known`, with its history."""
    version = _carried(_first(document, run_id), known)
    version["first_seen_at"] = min(known["first_seen_at"], version["first_seen_at"])
    version["revision"] = known["revision"] + 1
    version |= {name: known[name] for name in ("gone_at", "returned_at") if name in known}
    if known["status"] == "gone":
        version["returned_at"] = version["last_seen_at"]
    return version


def _reread(document: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The version `known` with its page as parsed now."""
    kept = {name: known[name] for name in BOOKKEEPING if name in known}
    return _carried({**document, **kept}, known)


def _is_read_otherwise(document: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether the same bytes were read by another parser version, so the parser changed, not the page."""
    records = records_of(document)
    is_other = document.get("parser", {}).get("version") != known.get("parser", {}).get("version")
    return is_other and bool(records) and records == records_of(known)


def _seen_again(
    document: dict[str, Any], known: dict[str, Any], run_id: ObjectId
) -> dict[str, Any]:
    """The version `known` as its bytes are parsed now, after being seen again."""
    seen = document["last_seen_at"]
    version = {**_reread(document, known), "last_seen_at": seen, "run_id": run_id}
    return version | ({"status": "live", "returned_at": seen} if known["status"] == "gone" else {})


def _carried(version: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The version with what is known about the article from other visits."""
    carried = dict(version)
    for name in ("columns", "aliases"):
        if both := [*known.get(name, []), *version.get(name, [])]:
            carried[name] = list(dict.fromkeys(both))
    if "images" in version:
        carried["images"] = _with_bytes(version["images"], known.get("images", []))
        carried["warnings"] = _doubts(carried)
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


def _doubts(version: dict[str, Any]) -> list[str]:
    """The warnings without those about images that are stored by now."""
    stored = {i["position"] for i in version.get("images", []) if i["status"] == "stored"}
    warnings = version.get("warnings", [])
    return [w for w in warnings if not ((m := _OF_IMAGE.match(w)) and int(m[1]) in stored)]
