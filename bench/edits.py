"""A synthetic site with images whose pages change between visits, and checks of its archive."""

from __future__ import annotations

import os
import random
import re
import struct
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.site import FOLDER, HOST, gzipped
from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.decoding import decoded_body
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.storage.documents import url_of

_IMAGE = re.compile(rb'src="\./(W\d+\.jpg)"')


class EditedSite:
    """The files of `bench.site.build`; `history` maps a URL to its contents, oldest first."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self._folder = root / HOST / FOLDER.strip("/")
        self._chance = chance
        self._round = 0
        self.history: dict[str, list[bytes]] = {}
        self.images: dict[str, bytes] = {}
        for path in sorted(self._folder.glob("*.shtml")):
            page = path.read_bytes()
            self.history[self._url(path.name)] = [page]
            for name in {found.decode() for found in _IMAGE.findall(page)}:
                data = _picture(chance.randbytes(chance.randrange(500, 60_000)))
                (self._folder / name).write_bytes(data)
                self.images[self._url(name)] = data

    def edit(self, pages: int) -> None:
        """Change the text of `pages` random pages, each with a later mtime."""
        self._round += 1
        for url in self._chance.sample(sorted(self.history), pages):
            words = f"<p>　　第{self._round}次更正：本文的一处数字有误。</p>".encode()
            page = self.history[url][-1]
            at = page.index(b"</p>") + 4
            self.history[url].append(page := page[:at] + words + page[at:])
            path = self._folder / url.rpartition("/")[2]
            for target, data in ((path, page), (Path(f"{path}.gz"), gzipped(page))):
                scratch = target.with_suffix(".new")
                scratch.write_bytes(data)
                os.utime(scratch, (1_800_000_000 + self._round, 1_800_000_000 + self._round))
                scratch.replace(target)

    def _url(self, name: str) -> str:
        return f"http://{HOST}{FOLDER}{name}"


class Remembered:
    """Everything the database held at any moment; none of it may be lost."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], dict[str, Any]] = {}
        self._images: dict[str, str] = {}

    def look(self, db: Any) -> int:
        """Remember what the database holds now; returns the number of articles."""
        for version in versions_of(db):
            kept = {name: version[name] for name in ("content_sha256", "warc", "changed_at")}
            self._versions[url_of(version), version["revision"]] = kept
            for image in version.get("images", ()):
                if image["status"] == "stored":
                    self._images[image["url"]] = image["sha256"]
        return int(db.articles.count_documents({}))

    def lost(self, db: Any) -> list[str]:
        """One line for each remembered version or image that is missing or changed."""
        now = {(url_of(each), each["revision"]): each for each in versions_of(db)}
        stored = {
            i["url"]: i.get("sha256") for each in now.values() for i in each.get("images", ())
        }
        faults = [
            f"{url}: revision {number} is not what it was"
            for (url, number), kept in self._versions.items()
            if any(now.get((url, number), {}).get(name) != value for name, value in kept.items())
        ]
        return faults + [
            f"{u}: lost" for u, sha256 in self._images.items() if stored.get(u) != sha256
        ]


def versions_of(db: Any) -> list[dict[str, Any]]:
    """All versions of all articles, in no particular order."""
    return [*db.revisions.find(), *db.articles.find()]


def check_edited(db: Any, data: Path, site: EditedSite) -> list[str]:
    """The faults at the end of a crawl whose data folder is `data`."""
    faults: list[str] = []
    by_state = db.frontier.aggregate([{"$group": {"_id": "$state", "links": {"$sum": 1}}}])
    if (states := {r["_id"]: r["links"] for r in by_state}) != {"stored": len(site.history)}:
        faults.append(f"frontier {states}")
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for version in versions_of(db):
        found[url_of(version)].append(version)
    faults += [f"{url}: not stored" for url in site.history.keys() - found.keys()]
    with Archive(data / "warc") as archive:
        faults += archive.faults
        for url, versions in found.items():
            versions.sort(key=lambda each: each["revision"])
            faults += _of_article(archive, url, versions, site.history[url])
            for image in versions[-1].get("images", ()):
                faults += _of_image(data / "images", image, site.images)
    return faults


def _of_article(
    archive: Archive, url: str, versions: list[dict[str, Any]], pages: list[bytes]
) -> list[str]:
    """Faults unless the versions are states of the page, in order, ending with its last state."""
    if [each["revision"] for each in versions] != list(range(1, len(versions) + 1)):
        return [f"{url}: revisions {[each['revision'] for each in versions]}"]
    try:
        read = [decoded_body(archive.read(Pointer(**each["warc"])).message) for each in versions]
        numbers = [pages.index(body) for body in read]
    except (ArchiveError, ValueError) as error:
        return [f"{url}: {error}"]
    if numbers != sorted(set(numbers)) or numbers[-1] != len(pages) - 1:
        return [f"{url}: versions are the states {numbers} of {len(pages)}"]
    return []


def _of_image(folder: Path, image: dict[str, Any], images: dict[str, bytes]) -> list[str]:
    if image["status"] != "stored":
        return [f"{image['url']}: {image['status']}"]
    if (folder / image["path"]).read_bytes() != images[image["url"]]:
        return [f"{image['url']}: other bytes"]
    return []


def _picture(noise: bytes) -> bytes:
    """A PNG with one row of these bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", len(noise), 1, 8, 0, 0, 0, 0)
    parts = [
        chunk(b"IHDR", head),
        chunk(b"IDAT", zlib.compress(b"\0" + noise, 0)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
