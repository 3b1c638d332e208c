"""Part of the archive as one WACZ 1.1.1 file, for any replay tool.

https://specs.webrecorder.net/wacz/1.1.1/: a ZIP with the WARC records as they are, uncompressed by
the ZIP, a compressed CDXJ index, a list of pages, and the sha256 of each of these.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
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

_WARC = "archive/data.warc.gz"
_INDEX_BLOCK = 3000  # lines of the index that are compressed together, as other tools have it


@dataclass(frozen=True, slots=True)
class Packed:
    """What went into the file: how many captures, of them pages, and its size in bytes."""

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
    told: list[str],
) -> Packed:
    """Write captures, with the records that revisits refer to, to `target`.

    One that cannot be read is left out, with a line in `told`.
    `titles`: headlines by the URL of the article that a capture was asked for. Written beside the
    target and renamed when whole. Raises ArchiveError, also where there is nothing to pack.
    """
    chosen = {capture.pointer.record_id: capture for capture in captures}
    if not chosen:
        raise ArchiveError("nothing in the archive is what was asked for")
    scratch = target.with_name(target.name + ".new")
    try:
        with zipfile.ZipFile(scratch, "w", zipfile.ZIP_STORED) as file:
            packed = _write(_Package(file), archive, chosen, title=title, titles=titles, told=told)
        size = scratch.stat().st_size
        scratch.replace(target)
    except OSError as error:
        raise ArchiveError(f"{target}: {error}") from error
    finally:
        scratch.unlink(missing_ok=True)
    return replace(packed, size=size)


def _with_origins(archive: Archive, chosen: dict[str, Capture]) -> list[Capture]:
    """The captures, and those that hold the payloads of revisits, file by file in their order."""
    wanted = dict(chosen)
    for capture in chosen.values():
        if capture.origin and (origin := archive.index.record(capture.origin)):
            wanted.setdefault(origin.pointer.record_id, origin)
    return sorted(wanted.values(), key=lambda each: (each.pointer.file, each.pointer.offset))


def _write(
    package: _Package,
    archive: Archive,
    chosen: dict[str, Capture],
    *,
    title: str,
    titles: dict[str, str],
    told: list[str],
) -> Packed:
    moved: list[Capture] = []
    with package.entry(_WARC) as warc:
        for member, capture in _members(archive, _with_origins(archive, chosen), told):
            if capture:
                at = Pointer(Path(_WARC).name, warc.size, len(member), capture.pointer.record_id)
                moved.append(replace(capture, pointer=at))
            warc.write(member)
    if not moved:
        raise ArchiveError(f"no record that was asked for can be read: {'; '.join(told[:3])}")
    _write_index(package, cdxj(moved).splitlines(keepends=True))
    pages = list(_pages((c for c in moved if c.pointer.record_id in chosen), titles))
    head = {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
    package.add("pages/pages.jsonl", "".join(_json(each) + "\n" for each in [head, *pages]))
    package.close(title)
    return Packed(len(moved), len(pages), 0)


def _members(
    archive: Archive, chosen: list[Capture], told: list[str]
) -> Iterator[tuple[bytes, Capture | None]]:
    """Gzip members as they are: each file's warcinfo, then captures, each with its request."""
    for name, captures in groupby(chosen, key=lambda capture: capture.pointer.file):
        try:
            with archive.open(name) as file:
                for capture in (None, *captures):
                    yield from _with_request(file, capture, told)
        except OSError as error:
            told.append(f"{name} is left out: {error}")


def _with_request(
    file: BinaryIO, capture: Capture | None, told: list[str]
) -> Iterator[tuple[bytes, Capture | None]]:
    """A capture's member and that of its request; of None, the first member of the file."""
    try:
        member, following = _next_member(file, capture.pointer.offset if capture else 0)
    except (TornRecord, StopIteration) as error:
        if capture:
            told.append(f"{capture.pointer.file}: {capture.url} is left out: {error}")
        return
    yield member, capture
    if capture and following:
        yield following, None


def _next_member(file: BinaryIO, offset: int) -> tuple[bytes, bytes]:
    """The member at `offset`, and the one after it if that is the request it answers."""
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
    """The CDXJ in compressed blocks, and the list of the blocks by which tools find theirs."""
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
    """What a reader may open: articles and column pages that were there."""
    for capture in captures:
        known = capture.known
        if capture.status != 200 or "image" in known or not known:
            continue
        page = {
            "id": re.sub(r"\W", "", capture.pointer.record_id.rpartition(":")[2]),
            "url": capture.url, "ts": capture.date,
            "title": titles.get(known.get("article", "")) or known.get("column", {}).get("name"),
        }  # fmt: skip
        yield {name: value for name, value in page.items() if value}


class _Package:
    """A WACZ being written: each entry's hash and size go into datapackage.json."""

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
    """One file of a WACZ; `size` is what was written so far."""

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
