"""Records the captures of a kept file of others again in our own WARC files.

A record is written again, not addressed in place: so it can be in a file of any form, is read, packed,
uploaded and verified like every other, and costs its space twice.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.foreign import Foreign, ForeignFile, Unusable
from zjolcrawl.archive.foreign_exchange import (
    BadRecord,
    Candidate,
    Response,
    candidate_of,
    parse_warc_date,
    response_of,
)
from zjolcrawl.archive.foreign_files import warc_files
from zjolcrawl.archive.foreign_notes import FOLDER, Kept
from zjolcrawl.archive.warc import Message, Record, digest, warc_date
from zjolcrawl.archive.writer import Exchange, WarcWriter
from zjolcrawl.messages import one_line, typed
from zjolcrawl.site.description import SiteError

_BYTES, _RECORDS = 16 * 1024 * 1024, 200  # recorded between two steps
_AHEAD, _AHEAD_BYTES = 32, 4 * 1024 * 1024  # read while others are recorded
_MOST_NAMED = 200  # records of a file that are named
_UNRESOLVED = (
    "the record with its payload is in no imported file; import that file, then this one again"
)

_Found = TypeVar("_Found")
ContextOf = Callable[[str, Response], dict[str, Any]]
"""The context of a capture, given its URL and its response."""


class FileImport:
    """The import of one kept file.

    `counts`: `records` that were read; `recorded` anew, `known` (in the archive before), `other_hosts`,
    `unusable`, and `unresolved` revisits, whose payload no imported file has. `named` has a line for each
    unusable or unresolved record, up to a limit. `failed` is set by the caller if the file cannot be read on.
    """

    def __init__(
        self, archive: Archive, kept: Kept, writer: WarcWriter, context_of: ContextOf
    ) -> None:
        self.kept, self.counts = kept, Counter[str]()
        self.named: list[str] = []
        self.revisits = 0
        self.failed = False
        self._archive, self._writer, self._context_of = archive, writer, context_of
        self._fresh: set[tuple[str, str, str]] = set()  # recorded, not in the index yet
        self._file_name = kept.name

    def steps(self, *, revisits: bool = False) -> Iterator[None]:
        """Record all captures but revisits, or with `revisits` only these; yields when enough is durable.

        The payload of a revisit may come later, also in another file, so revisits come last. What a
        killed import has recorded already is not recorded again. Raises ArchiveError and OSError.
        """
        done = size = 0
        for found in self._candidates(count=not revisits):
            if (found.record.type == "revisit") != revisits:
                self.revisits += not revisits
                continue
            try:
                size += self._take(found)
            except (ArchiveError, OSError, sqlite3.Error, SiteError):
                raise
            except Exception as error:  # whatever is in a record, the others are imported
                self._name(found.offset, f"{found.url}: {typed(error)}", "unusable")
            done += 1
            if done >= _RECORDS or size >= _BYTES:
                done = size = 0
                self._sync()
                yield
        self._sync()

    def _candidates(self, *, count: bool) -> Iterator[Candidate]:
        path = self._archive.folder / FOLDER / self.kept.name
        with warc_files(path) as files:
            for each in files:
                if isinstance(each, Unusable):
                    self._unusable(each, count=count)
                    continue
                name, file = each
                self._file_name = f"{self.kept.name}, {name}" if name else self.kept.name
                for found in _ahead(map(_prepared, ForeignFile(file))):
                    if isinstance(found, Unusable):
                        self._unusable(found, count=count)
                        continue
                    self.counts["records"] += count
                    if found:
                        yield found

    def _take(self, found: Candidate) -> int:
        """Record a capture, if it is one of the site's and new; returns its size in bytes."""
        what = f"{found.record.type or 'record'} of {found.url or 'no URL'}"
        if found.fault:
            self._name(found.offset, f"{what}: {found.fault}", "unusable")
            return 0
        if (moment := found.moment) is None:
            self.counts["other_hosts"] += 1
            return 0
        if found.record.type == "revisit":
            if (response := self._revisited(found.record, found.url)) is None:
                self._name(found.offset, f"{what}: {_UNRESOLVED}", "unresolved")
                return 0
            found = replace(found, response=response, digest=digest(response.body))
        assert found.response is not None
        if found.response.status == 304:  # a request with validators that are not known here
            self.counts["not_modified"] += 1
            return 0
        key = (found.url, warc_date(moment), found.digest)
        if key in self._fresh or self._archive.index.at(*key):
            self.counts["known"] += 1
            return 0
        self._write(found, moment, found.response)
        self._fresh.add(key)
        self.counts["recorded"] += 1
        return len(found.response.body)

    def _write(self, found: Candidate, moment: datetime, response: Response) -> None:
        context = self._context_of(found.url, response)
        provenance = {
            "kind": "import", "from": self.kept.name, "sha256": self.kept.sha256,
            "record": found.record.record_id or None, "offset": found.offset,
        }  # fmt: skip
        context["provenance"] = {k: v for k, v in provenance.items() if v is not None}
        if digest := found.record.fields.get("warc-payload-digest"):
            context["digest"] = digest
        if response.truncated:
            context["flags"] = ["dataloss"]
        self._writer.write(
            Exchange(
                found.url, response.status, response.headers, response.body, moment,
                ip=found.record.fields.get("warc-ip-address"), context=context,
                truncated=response.truncated, requested=False, digest=found.digest,
            )
        )  # fmt: skip

    def _revisited(self, record: Record, url: str) -> Response | None:
        """What a revisit stands for: its own headers, if it has any, and the payload that it refers to."""
        origin = self._origin(record, url)
        if origin is None:
            return None
        try:
            payload = self._archive.message(origin)
        except ArchiveError:
            return None
        own: Response | None = None
        with suppress(BadRecord):
            own = response_of(record)
        if own is None or own.status == 304:
            return Response(origin.status or 200, _pairs(payload), payload.body)
        headers = [each for each in own.headers if each[0].lower() != b"content-encoding"]
        coding = [each for each in _pairs(payload) if each[0].lower() == b"content-encoding"]
        return Response(own.status, [*headers, *coding], payload.body)

    def _origin(self, record: Record, url: str) -> Capture | None:
        """The capture with a revisit's payload, by record id, by URL and time, or by digest."""
        index, fields = self._archive.index, record.fields
        if ident := fields.get("warc-refers-to", "").strip("<> "):
            found = index.of_original(record=ident) or index.record(ident)
            if found:
                return found
        if date := fields.get("warc-refers-to-date"):
            other = fields.get("warc-refers-to-target-uri", "").strip("<> ") or url
            with suppress(BadRecord):
                if found := index.at(other, warc_date(parse_warc_date(date))):
                    return found
        payload = fields.get("warc-payload-digest")
        return index.of_original(digest=payload) or (
            index.with_payload(payload, 200) if payload else None
        )

    def _unusable(self, found: Unusable, *, count: bool) -> None:
        if count:
            self._name(found.offset, found.reason, "unusable")

    def _name(self, offset: int, what: str, count: str) -> None:
        self.counts[count] += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append(f"{self._file_name}, byte {offset}: {one_line(what)}")

    def _sync(self) -> None:
        self._writer.sync_now()
        self._fresh.clear()


def _prepared(found: Foreign | Unusable) -> Candidate | Unusable | None:
    if isinstance(found, Unusable):
        return found
    try:
        return candidate_of(found)
    except Exception as error:
        return Unusable(found.offset, f"{found.record.url[:200]}: {typed(error)}")


def _ahead(found: Iterator[_Found]) -> Iterator[_Found]:
    """The same, with the next few read by another thread: decompressing and hashing use another processor.

    Nothing is read while records of many bytes are recorded, and no record is held twice.
    """
    with ThreadPoolExecutor(1) as reader:
        few, is_large = reader.submit(_some, found).result()
        while few:
            coming = None if is_large else reader.submit(_some, found)
            while few:
                yield few.popleft()
            few, is_large = (coming or reader.submit(_some, found)).result()


def _some(found: Iterator[_Found]) -> tuple[deque[_Found], bool]:
    """The next few, and whether they are large."""
    some: deque[_Found] = deque()
    size = 0
    for each in islice(found, _AHEAD):
        some.append(each)
        size += each.size if isinstance(each, Candidate) else 0
        if size >= _AHEAD_BYTES:
            break
    return some, size >= _AHEAD_BYTES


def _pairs(message: Message) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in message.headers]
