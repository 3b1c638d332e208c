"""What one sight of an article comes to, given what is stored of it: pure, no database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bson import ObjectId
from pymongo import UpdateOne

from zjolcrawl.storage.changes import MOVED
from zjolcrawl.storage.documents import is_same_content, records_of

What = Literal["new", "changed", "same", "reread", "missed"]

# What an image's entry says of its bytes.
_BYTES = ("status", "sha256", "path", "width", "height", "bytes", "content_type")
BOOKKEEPING = (
    "_id", "revision", "status", "first_seen_at", "last_seen_at", "changed_at", "gone_at",
    "returned_at", "run_id",
)  # fmt: skip
"""The fields of a version that are the store's, not the page's."""
_OF_IMAGE = re.compile(r"image (\d+): ")


@dataclass(frozen=True, slots=True)
class Step:
    """`what` the sight is, and the `version` to write, if any, in the place of `known`.

    new      the first sight
    changed  an edit: `version` follows `known`, which goes to `revisions`
    same     no edit; `version` is None, but where the very bytes of `known` are read otherwise today
    reread   a version read anew from its own record, which gave other fields
    missed   older than the newest version, and like none that was then in force: not written
    """

    what: What
    known: dict[str, Any] | None = None
    version: dict[str, Any] | None = None


def step(
    document: dict[str, Any],
    newest: dict[str, Any] | None,
    former: list[dict[str, Any]],
    run_id: ObjectId,
    limit: datetime | None = None,
) -> Step:
    """The step from what is stored: `newest`, and the `former` versions, oldest first.

    `document` is the page's part with `last_seen_at`, the time of the sight. A sight whose time is a
    version's `changed_at` is that version's own. A stored sight after `limit` is from a clock that was
    ahead, and so from before this one.
    """
    if newest is None:
        return Step("new", None, _first(document, run_id))
    seen = document["last_seen_at"]
    own = next((v for v in (newest, *former) if v["changed_at"] == seen), None)
    if own:
        version = _reread(document, own)
        if version == own:
            return Step("same", own)
        return Step("reread", own, {**version, "run_id": run_id})
    if seen > newest["last_seen_at"] or (limit and newest["last_seen_at"] > limit):
        if is_same_content(document, newest):
            return Step("same", newest)
        if _is_read_otherwise(document, newest):
            return Step("same", newest, _seen_again(document, newest, run_id))
        return Step("changed", newest, _next(document, newest, run_id))
    versions = [*former, newest]
    in_force = [v for v in versions if v["changed_at"] <= seen][-1:] or versions[:1]
    if former and in_force[0] is former[-1] and is_same_content(document, newest):
        # Another process saw the edit later, and wrote it sooner.
        return Step("same", newest, {**_reread(document, newest), "changed_at": seen})
    same = is_same_content(document, in_force[0])
    return Step("same" if same else "missed", in_force[0])


def touch(document: dict[str, Any], known: dict[str, Any], limit: datetime) -> UpdateOne:
    """The same content again: `last_seen_at`, and what the page's surroundings add; `limit` as above."""
    seen = document["last_seen_at"]
    values: dict[str, Any] = {}
    if known["status"] == "gone" and not seen <= known["gone_at"] <= limit:
        values = {"status": "live", "returned_at": seen}
    if ahead := known["last_seen_at"] > limit:
        values["last_seen_at"] = seen
    better = {**known, "images": _with_bytes(known.get("images", []), document.get("images", []))}
    if better["images"] != known.get("images", []):  # what failed before has come now
        values["images"] = better["images"]
        values["warnings"] = _doubts(better)
    if document["content_sha256"] != known["content_sha256"]:  # that was of a former rule
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
        update["$currentDate"] = MOVED
    return UpdateOne({"_id": known["_id"]}, {k: v for k, v in update.items() if v})


def _first(document: dict[str, Any], run_id: ObjectId) -> dict[str, Any]:
    """Revision 1 of an article: `document` with the bookkeeping fields."""
    seen = document["last_seen_at"]
    times = {"first_seen_at": seen, "changed_at": seen}
    return {**document, "revision": 1, "status": "live", **times, "run_id": run_id}


def _next(document: dict[str, Any], known: dict[str, Any], run_id: ObjectId) -> dict[str, Any]:
    """The version after `known`, whose history it carries on."""
    version = _carried(_first(document, run_id), known)
    version["first_seen_at"] = min(known["first_seen_at"], version["first_seen_at"])
    version["revision"] = known["revision"] + 1
    version |= {name: known[name] for name in ("gone_at", "returned_at") if name in known}
    if known["status"] == "gone":
        version["returned_at"] = version["last_seen_at"]
    return version


def _reread(document: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The version `known` as its page is read now."""
    kept = {name: known[name] for name in BOOKKEEPING if name in known}
    return _carried({**document, **kept}, known)


def _is_read_otherwise(document: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether the parser has changed since, not the page: another version of it read the very bytes."""
    records = records_of(document)
    is_other = document.get("parser", {}).get("version") != known.get("parser", {}).get("version")
    return is_other and bool(records) and records == records_of(known)


def _seen_again(
    document: dict[str, Any], known: dict[str, Any], run_id: ObjectId
) -> dict[str, Any]:
    """The version `known` as its bytes are read now, when they were seen once more."""
    seen = document["last_seen_at"]
    version = {**_reread(document, known), "last_seen_at": seen, "run_id": run_id}
    return version | ({"status": "live", "returned_at": seen} if known["status"] == "gone" else {})


def _carried(version: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The version with what was learned of the article apart from its page."""
    carried = dict(version)
    for name in ("columns", "aliases"):
        if both := [*known.get(name, []), *version.get(name, [])]:
            carried[name] = list(dict.fromkeys(both))
    if "images" in version:
        carried["images"] = _with_bytes(version["images"], known.get("images", []))
        carried["warnings"] = _doubts(carried)
    return {name: value for name, value in carried.items() if name != "warnings" or value}


def _with_bytes(images: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The images, each with what another sight of it knows of its bytes, where that is more."""
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
    """The warnings without those of images that have come since."""
    stored = {i["position"] for i in version.get("images", []) if i["status"] == "stored"}
    warnings = version.get("warnings", [])
    return [w for w in warnings if not ((m := _OF_IMAGE.match(w)) and int(m[1]) in stored)]
