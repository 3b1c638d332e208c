"""Packs part of the archive into one WACZ 1.1.1 file, for any replay tool.

https://specs.webrecorder.net/wacz/1.1.1/: a ZIP with the WARC records as they are (stored, not
compressed again), a compressed CDXJ index, a list of pages, and the sha256 of each of these.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Self

from zjolcrawl import __version__
from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.captures import Capture, cdxj
from zjolcrawl.archive.warc import Pointer, Record, TornRecord, read_records
from zjolcrawl.messages import cause_of

_WARC = "archive/data.warc.gz"
_INDEX_BLOCK = 3000  # index lines compressed together, as in other tools


@dataclass(frozen=True, slots=True)
class Packed:
    """What the file contains: number of captures, how many of them are pages, and its size in bytes."""

    captures: int
    pages: int
    size: int


def pack(
    archive: Archive,
    captures: Iterable[Capture],
    target: Path,
    *,
    title: str,
    titles: dict[str, str],
    problems: list[str],
    parts: Mapping[str, Iterable[str]] | None = None,
) -> Packed:
    """Write captures, and the records that they need to be shown, to `target`.

    These are the payloads of revisits, and the `parts` of articles: URLs of images and further pages by the
    URL of the article. A part that the captures lack comes from an earlier run, or else from a later one.

    A capture that cannot be read is skipped, with a line in `problems`. `titles` maps article URLs to
    headlines. The file is written beside the target and renamed when complete. Raises ArchiveError,
    also if there is nothing to pack.
    """
    chosen = {capture.pointer.record_id: capture for capture in captures}
    if not chosen:
        raise ArchiveError("nothing in the archive matches the selection")
    scratch = target.with_name(target.name + ".new")
    try:
        with zipfile.ZipFile(scratch, "w", zipfile.ZIP_STORED) as file:
            members = _members(archive, _completed(archive, chosen, parts or {}), problems)
            packed = _write(
                _Package(file), members, chosen, title=title, titles=titles, problems=problems
            )
        size = scratch.stat().st_size
        scratch.replace(target)
    except OSError as error:
        raise ArchiveError(f"{target}: {cause_of(error, target)}") from error
    finally:
        scratch.unlink(missing_ok=True)
    return replace(packed, size=size)


def _completed(
    archive: Archive, chosen: dict[str, Capture], parts: Mapping[str, Iterable[str]]
) -> list[Capture]:
    """The captures, their parts and the payloads of revisits, ordered by file and offset."""
    wanted = dict(chosen)
    there = {each.url for each in chosen.values() if each.status == 200}
    for article in list(chosen.values()):
        if "image" in article.context:
            continue
        for url in parts.get(article.context.get("article", ""), ()):
            if url not in there and (part := archive.around(url, article.date)):
                wanted.setdefault(part.pointer.record_id, part)
    for capture in list(wanted.values()):
        if capture.origin and (origin := archive.index.record(capture.origin)):
            wanted.setdefault(origin.pointer.record_id, origin)
    return sorted(wanted.values(), key=lambda each: (each.pointer.file, each.pointer.offset))


def _write(
    package: _Package,
    members: Iterable[tuple[bytes, Capture | None]],
    chosen: dict[str, Capture],
    *,
    title: str,
    titles: dict[str, str],
    problems: list[str],
) -> Packed:
    moved: list[Capture] = []
    with package.entry(_WARC) as warc:
        for member, capture in members:
            if capture:
                at = Pointer(Path(_WARC).name, warc.size, len(member), capture.pointer.record_id)
                moved.append(replace(capture, pointer=at))
            warc.write(member)
    if not moved:
        raise ArchiveError(f"none of the selected records can be read: {'; '.join(problems[:3])}")
    _write_index(package, cdxj(moved).splitlines(keepends=True))
    pages = list(_pages((c for c in moved if c.pointer.record_id in chosen), titles))
    head = {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
    package.add("pages/pages.jsonl", "".join(_json(each) + "\n" for each in [head, *pages]))
    package.close(title)
    return Packed(len(moved), len(pages), 0)


def _members(
    archive: Archive, chosen: list[Capture], problems: list[str]
) -> Iterator[tuple[bytes, Capture | None]]:
    """Gzip members unchanged: each file's warcinfo, then its captures, each with its request."""
    for name, captures in groupby(chosen, key=lambda capture: capture.pointer.file):
        try:
            with archive.open(name) as file:
                for capture in (None, *captures):
                    yield from _with_request(file, capture, problems)
        except OSError as error:
            problems.append(f"{name} is left out: {cause_of(error)}")


def _with_request(
    file: BinaryIO, capture: Capture | None, problems: list[str]
) -> Iterator[tuple[bytes, Capture | None]]:
    """The members of a capture and of its request; for None, the first member of the file."""
    try:
        member, following = _next_member(file, capture.pointer.offset if capture else 0)
    except (TornRecord, StopIteration) as error:
        if capture:
            problems.append(f"{capture.pointer.file}: {capture.url} is left out: {error}")
        return
    yield member, capture
    if capture and following:
        yield following, None


def _next_member(file: BinaryIO, offset: int) -> tuple[bytes, bytes]:
    """The member at `offset`, and the next one if it is the request that belongs to it."""
    records = read_records(file, offset)
    _, length, record = next(records)
    second: tuple[int, int, Record] | None = None
    if record.type in {"response", "revisit"}:
        with suppress(TornRecord):
            second = next(records, None)
    file.seek(offset)
    member = file.read(length)
    if second and second[2].fields.get("warc-concurrent-to", "").strip("<>") == record.record_id:
        return member, file.read(second[1])
    return member, b""


def _write_index(package: _Package, lines: list[str]) -> None:
    """Write the CDXJ in compressed blocks, and the list of blocks that tools search first."""
    blocks = [
        (
            lines[start],
            gzip.compress("".join(lines[start : start + _INDEX_BLOCK]).encode(), mtime=0),
        )
        for start in range(0, len(lines), _INDEX_BLOCK)
    ]
    package.add("indexes/index.cdx.gz", b"".join(data for _, data in blocks))
    offset, listed = 0, ['!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n']
    for first, data in blocks:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        place = {
            "offset": offset,
            "length": len(data),
            "digest": digest,
            "filename": "index.cdx.gz",
        }
        listed.append(f"{first.partition(' {')[0]} {_json(place)}\n")
        offset += len(data)
    package.add("indexes/index.idx", "".join(listed))


def _pages(captures: Iterable[Capture], titles: dict[str, str]) -> Iterator[dict[str, str]]:
    """The page list for readers: articles and column pages with status 200."""
    for capture in captures:
        context = capture.context
        if (
            capture.status != 200
            or "image" in context
            or not {"article", "column"} & context.keys()
        ):
            continue
        page = {
            "id": re.sub(r"\W", "", capture.pointer.record_id.rpartition(":")[2]),
            "url": capture.url, "ts": capture.date,
            "title": titles.get(context.get("article", "")) or context.get("column", {}).get("name"),
        }  # fmt: skip
        yield {name: value for name, value in page.items() if value}


class _Package:
    """A WACZ file being written; collects each entry's hash and size for datapackage.json."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._resources: list[dict[str, object]] = []

    def entry(self, path: str) -> _Entry:
        return _Entry(self._file, path, self._resources)

    def add(self, path: str, data: bytes | str) -> None:
        with self.entry(path) as entry:
            entry.write(data.encode() if isinstance(data, str) else data)

    def close(self, title: str) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        description = {
            "profile": "data-package", "wacz_version": "1.1.1", "title": title,
            "created": now.replace("+00:00", "Z"), "software": f"zjolcrawl {__version__}",
            "resources": self._resources,
        }  # fmt: skip
        data = json.dumps(description, ensure_ascii=False, indent=2).encode()
        self._file.writestr("datapackage.json", data)
        digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
        self._file.writestr("datapackage-digest.json", _json(digest))


class _Entry:
    """One file of a WACZ; `size` is the number of bytes written so far."""

    def __init__(
        self, file: zipfile.ZipFile, path: str, resources: list[dict[str, object]]
    ) -> None:
        self._path, self._resources = path, resources
        self._stream = file.open(path, "w", force_zip64=True)
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self._hash.update(data)
        self.size += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        hashed = f"sha256:{self._hash.hexdigest()}"
        name = Path(self._path).name
        self._resources.append(
            {"name": name, "path": self._path, "hash": hashed, "bytes": self.size}
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
