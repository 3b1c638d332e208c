"""Builds the versions of an article from readings of its page; pure functions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bson import ObjectId

from zjolcrawl.items import IMAGE_WARNING
from zjolcrawl.storage.documents import is_same_content, records_of

Version = dict[str, Any]

# The fields of an image entry that describe its bytes.
_BYTES = ("status", "sha256", "path", "width", "height", "bytes", "content_type")
BOOKKEEPING = (
    "_id", "revision", "status", "first_seen_at", "last_seen_at", "changed_at", "gone_at",
    "returned_at", "run_id",
)  # fmt: skip
"""The fields of a version that the store sets, not the page."""
UNREAD = -1
"""The parser version of a copy that is not yet re-parsed from its own record."""


def first_version(document: Version, run_id: ObjectId) -> Version:
    """Revision 1 of an article: `document` with the bookkeeping fields."""
    seen = document["last_seen_at"]
    times = {"first_seen_at": seen, "changed_at": seen}
    return {**document, "revision": 1, "status": "live", **times, "run_id": run_id}


def next_version(document: Version, known: Version, run_id: ObjectId) -> Version:
    """The version after `known`, with its history."""
    version = carried(first_version(document, run_id), known)
    version["first_seen_at"] = min(known["first_seen_at"], version["first_seen_at"])
    version["revision"] = known["revision"] + 1
    version |= {name: known[name] for name in ("gone_at", "returned_at") if name in known}
    return version


def reparsed(document: Version, known: Version) -> Version:
    """The version `known` with its page as parsed now."""
    return carried(with_bookkeeping(document, known), known)


def with_bookkeeping(document: Version, known: Version) -> Version:
    """A reading with the bookkeeping fields of the version `known`, and nothing else of it."""
    kept = {name: known[name] for name in BOOKKEEPING if name in known}
    return {**document, **kept}


def is_alike(document: Version, version: Version) -> bool:
    """Whether a page has the content of a version, also if a different parser read the same bytes."""
    return is_same_content(document, version) or is_read_otherwise(document, version)


def is_read_otherwise(document: Version, known: Version) -> bool:
    """Whether the same bytes were read by another parser version, so the parser changed, not the page."""
    records = records_of(document)
    is_other = document.get("parser", {}).get("version") != known.get("parser", {}).get("version")
    return is_other and bool(records) and records == records_of(known)


def seen_again(document: Version, known: Version, run_id: ObjectId) -> Version:
    """The version `known` as its bytes are parsed now, after being seen again."""
    seen = document["last_seen_at"]
    version = {**reparsed(document, known), "last_seen_at": seen, "run_id": run_id}
    version.pop("provenance", None)  # that of the first sight stays
    return version | {name: known[name] for name in ("provenance",) if name in known}


def is_unread(version: Version) -> bool:
    """Whether a version is a copy that is not yet re-parsed from its own record."""
    return bool(version["parser"]["version"] == UNREAD)


def unread(version: Version) -> Version:
    """The version, marked as not yet re-parsed from its own record."""
    return {**version, "parser": {**version["parser"], "version": UNREAD}}


def carried(version: Version, known: Version) -> Version:
    """The version with what is known about the article from other visits."""
    carried = dict(version)
    for name in ("columns", "aliases"):
        if both := [*known.get(name, []), *version.get(name, [])]:
            carried[name] = list(dict.fromkeys(both))
    if "images" in version:
        carried["images"] = with_bytes(version["images"], known.get("images", []))
        carried["warnings"] = open_warnings(carried)
    return {name: value for name, value in carried.items() if name != "warnings" or value}


def with_lists(version: Version, document: Version) -> Version:
    """The version with the columns and aliases of a visit added."""
    added = {
        name: [*version.get(name, []), *more]
        for name in ("columns", "aliases")
        if (more := [each for each in document.get(name, []) if each not in version.get(name, [])])
    }
    return {**version, **added}


def with_images(version: Version, other: Version) -> Version:
    """The version with what another one knows about the bytes of its images."""
    images = with_bytes(version.get("images", []), other.get("images", []))
    if images == version.get("images", []):
        return version
    better = {**version, "images": images}
    better["warnings"] = open_warnings(better)
    return {name: value for name, value in better.items() if name != "warnings" or value}


def with_bytes(images: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The images, each with what another visit knows about its bytes, if that is more."""
    known = {each["url"]: each for each in others}
    return [_better(image, known.get(image["url"])) for image in images]


def open_warnings(version: Version) -> list[str]:
    """The warnings without those about images that are stored by now."""
    stored = {i["position"] for i in version.get("images", []) if i["status"] == "stored"}
    warnings = version.get("warnings", [])
    return [w for w in warnings if not ((m := IMAGE_WARNING.match(w)) and int(m[1]) in stored)]


def with_takedowns(versions: list[Version], seen: datetime) -> list[Version]:
    """The versions, oldest first, each with the takedowns and returns up to its end.

    `seen` is the visit that was added: an article is back from its first visit after a takedown.
    """
    takedowns = sorted({each["gone_at"] for each in versions if "gone_at" in each})
    if not takedowns:
        return versions
    returns = {at: _return_after(at, versions, seen) for at in takedowns}
    done = []
    for version, after in zip(versions, [*versions[1:], None], strict=True):
        end = after["changed_at"] if after else None
        gone = [at for at in takedowns if end is None or at < end]
        back = [b for at in gone if (b := returns[at]) and (end is None or b < end)]
        values = {n: v for n, v in version.items() if n not in {"gone_at", "returned_at"}}
        values |= {"gone_at": gone[-1]} if gone else {}
        values |= {"returned_at": back[-1]} if back else {}
        values["status"] = "gone" if gone and gone[-1] >= version["last_seen_at"] else "live"
        done.append(values)
    return done


def _return_after(gone_at: datetime, versions: list[Version], seen: datetime) -> datetime | None:
    """The first visit after a takedown, as far as the versions tell."""
    starts = [each["changed_at"] for each in versions]
    noted = [each["returned_at"] for each in versions if "returned_at" in each]
    return min((at for at in (*starts, *noted, seen) if at > gone_at), default=None)


def _better(image: dict[str, Any], other: dict[str, Any] | None) -> dict[str, Any]:
    if other is None or _rank(other) <= _rank(image):
        return image
    words = {name: value for name, value in image.items() if name not in _BYTES}
    return words | {name: other[name] for name in _BYTES if name in other}


def _rank(image: dict[str, Any]) -> int:
    return ("referenced", "failed", "missing", "stored").index(image["status"])
