"""Writes a run's WARC files: one gzip member per record, a new file at a size limit, fsync on request."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from zjolcrawl.archive.archive import OPEN, SUFFIX, Archive, ArchiveError, complete
from zjolcrawl.archive.captures import UNBELIEVED, Capture, mime_of
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.warc import (
    CONTEXT,
    NOT_MODIFIED,
    SAME_PAYLOAD,
    Fields,
    Pointer,
    digest,
    member,
    new_id,
    request_block,
    response_block,
    warc_date,
)
from zjolcrawl.filesystem import sync_folder, take_lock
from zjolcrawl.messages import cause_of, one_line

# Level 6 is much slower than 4 for little gain on page bodies; data that is already compressed gains
# nothing at any level; a request is too short to gain from more than 1.
_LEVEL, _SQUEEZED, _REQUEST_LEVEL = 4, 0, 1
_SQUEEZED_TYPES = ("image/", "video/", "audio/", "application/pdf", "application/zip")
_SPECIFICATION = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response; `body` is as received, still content-encoded.

    `truncated`: the connection was lost before the end of the body. `requested`: this run asked the server
    for it; False for what another archive recorded, whose request is not known. `digest`: of the body, if known.
    """

    url: str
    status: int
    headers: Headers
    body: bytes
    seen_at: datetime
    request_headers: Headers = field(default_factory=list)
    request_body: bytes = b""
    method: str = "GET"
    ip: str | None = None
    context: dict[str, Any] | None = None
    truncated: bool = False
    requested: bool = True
    digest: str | None = None


class WarcWriter:
    """One run's writer; the first record starts a file.

    Call `write` from one thread (the event loop's); `sync` and `close` may run in another meanwhile.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        run: str,
        info: dict[str, str],
        max_bytes: int = 1 << 30,
        level: int = _LEVEL,
    ) -> None:
        """`info` are warcinfo fields; a file that reaches `max_bytes` is completed and a new one started.

        `level` is zlib's for bodies that are not compressed.
        """
        self.archive = archive
        self._run, self._info, self._max_bytes, self._level = run, info, max_bytes, level
        self._index = ArchiveIndex(archive.folder)  # own connection, used by another thread
        self._file: _OpenFile | None = None
        self._number = 0
        self._rolling = threading.Lock()  # a file is not replaced during its fsync
        self._listing = threading.Lock()
        self._fresh: list[Capture] = []  # written, not yet synced
        self._recent: dict[tuple[str, int], Capture] = {}  # by payload digest and status

    def write(self, exchange: Exchange) -> Pointer:
        """Append a response with its request, if there was one; returns where its payload is. Raises ArchiveError.

        A payload that the archive already has, or a 304, becomes a revisit record.
        """
        payload = exchange.digest or digest(exchange.body)
        date, context = warc_date(exchange.seen_at), _json(exchange.context)
        origin = self._origin(exchange, payload)
        kept_body = b"" if origin else exchange.body
        fields = self._fields(exchange.url, date, context)
        fields += [("Content-Type", "application/http;msgtype=response")]
        if exchange.truncated:
            fields.append(("WARC-Truncated", "disconnect"))
        if exchange.ip:
            fields.append(("WARC-IP-Address", exchange.ip))
        if origin:
            payload = origin.digest or payload
            fields += [
                ("WARC-Profile", NOT_MODIFIED if exchange.status == 304 else SAME_PAYLOAD),
                ("WARC-Refers-To", f"<{origin.pointer.record_id}>"),
                ("WARC-Refers-To-Target-URI", origin.url),
                ("WARC-Refers-To-Date", origin.date),
            ]
        fields.append(("WARC-Payload-Digest", payload))
        names = {name.lower(): value for name, value in exchange.headers}
        mime = mime_of(names.get(b"content-type", b"").decode("latin-1"))
        squeezed = b"content-encoding" in names or (mime or "").startswith(_SQUEEZED_TYPES)
        kind, ident = "revisit" if origin else "response", new_id()
        block = response_block(exchange.status, exchange.headers, kept_body)
        response = member(ident, kind, fields, block, _SQUEEZED if squeezed else self._level)
        request = self._request(exchange, date, ident) if exchange.requested else b""
        pointer = self._append(ident, response, request)
        capture = Capture(
            pointer, kind, exchange.url, date, exchange.status, mime, payload,
            origin.pointer.record_id if origin else None, context,
        )  # fmt: skip
        self._remember(capture)
        return origin.pointer if origin else pointer

    def write_failure(
        self, url: str, reason: str, seen_at: datetime, context: dict[str, Any] | None
    ) -> None:
        """Append that a request got no response, and why. Raises ArchiveError."""
        said = f"fetch-failed: {one_line(reason)}"
        self._write_metadata(url, said, warc_date(seen_at), context)

    def write_unbelieved(self, visits: list[tuple[str, datetime]]) -> None:
        """Append which visits, by link and time, the run distrusted. Raises ArchiveError."""
        rows = [[url, warc_date(seen_at)] for url, seen_at in visits]
        said = f"visits-not-believed: {len(visits)}"
        self._write_metadata(
            UNBELIEVED, said, warc_date(datetime.now(timezone.utc)), {"unbelieved": rows}
        )

    def _write_metadata(
        self, url: str, said: str, date: str, context: dict[str, Any] | None
    ) -> None:
        text = _json(context)
        fields = self._fields(url, date, text)
        fields.append(("Content-Type", "application/warc-fields"))
        ident = new_id()
        pointer = self._append(
            ident, member(ident, "metadata", fields, f"{said}\r\n".encode(), _LEVEL)
        )
        self._remember(Capture(pointer, "metadata", url, date, context_json=text))

    async def sync(self) -> None:
        """Make everything written so far durable and add it to the index. Raises ArchiveError."""
        await asyncio.to_thread(self.sync_now)

    async def close(self) -> None:
        """Complete the open file. Raises ArchiveError; the next run then completes it."""
        try:
            await asyncio.to_thread(self._complete)
        finally:
            if self._file:
                self._file.close()
            self._index.close()

    def _fields(self, url: str, date: str, context: str | None) -> Fields:
        if self._file is None or self._file.size >= self._max_bytes:
            self._complete()
            self._begin()
        assert self._file
        fields = [
            ("WARC-Warcinfo-ID", f"<{self._file.info_id}>"),
            ("WARC-Date", date),
            ("WARC-Target-URI", url),
        ]
        return [*fields, (CONTEXT, context)] if context else fields

    def _origin(self, exchange: Exchange, payload: str) -> Capture | None:
        if exchange.status == 304:
            newest = self.archive.index.newest(exchange.url)
            while newest and newest.type == "revisit" and newest.origin:
                newest = self.archive.index.record(newest.origin)
            return newest if newest and newest.status == 200 else None
        if not exchange.body:
            return None
        recent = self._recent.get((payload, exchange.status))
        return recent or self.archive.index.with_payload(payload, exchange.status)

    def _request(self, exchange: Exchange, date: str, response_id: str) -> bytes:
        assert self._file
        fields = [
            ("WARC-Warcinfo-ID", f"<{self._file.info_id}>"),
            ("WARC-Date", date),
            ("WARC-Target-URI", exchange.url),
            ("WARC-Concurrent-To", f"<{response_id}>"),
            ("Content-Type", "application/http;msgtype=request"),
        ]
        block = request_block(
            exchange.method, exchange.url, exchange.request_headers, exchange.request_body
        )
        return member(new_id(), "request", fields, block, _REQUEST_LEVEL)

    def _append(self, ident: str, first: bytes, second: bytes = b"") -> Pointer:
        assert self._file
        try:
            offset = self._file.append(first + second)
        except OSError as error:
            raise ArchiveError(
                f"archive {self._file.path}: {cause_of(error, self._file.path)}"
            ) from error
        return Pointer(self._file.name, offset, len(first), ident)

    def _remember(self, capture: Capture) -> None:
        with self._listing:
            self._fresh.append(capture)
        if capture.type == "response" and capture.digest and capture.status:
            self._recent[capture.digest, capture.status] = capture

    def sync_now(self) -> None:
        """The same as `sync`, in this thread."""
        with self._rolling:
            with self._listing:
                captures, self._fresh = self._fresh, []
            if not captures or self._file is None:
                return
            try:
                self._file.sync()
                self._index.add(captures)
            except (OSError, sqlite3.Error) as error:
                raise ArchiveError(
                    f"archive {self.archive.folder}: {cause_of(error, self.archive.folder)}"
                ) from error
        for capture in captures:
            if capture.digest and capture.status:
                self._recent.pop((capture.digest, capture.status), None)

    def _begin(self) -> None:
        self._number += 1
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S%f")[:17]
        name = f"zjol-{stamp}-{self._run}-{self._number:05d}{SUFFIX}"
        try:
            self._file = _OpenFile(self.archive.folder / (name + OPEN), self._info)
        except OSError as error:
            raise ArchiveError(
                f"archive {self.archive.folder}: {cause_of(error, self.archive.folder)}"
            ) from error

    def _complete(self) -> None:
        self.sync_now()
        with self._rolling:
            file, self._file = self._file, None
            if file is None:
                return
            try:
                complete(file.path, self._index)
            except (OSError, sqlite3.Error) as error:
                raise ArchiveError(f"archive {file.path}: {cause_of(error, file.path)}") from error
            finally:
                file.close()


class _OpenFile:
    """A WARC file being written, starting with its warcinfo record."""

    def __init__(self, path: Path, info: dict[str, str]) -> None:
        self.path = path
        self.name = path.name.removesuffix(OPEN)
        self.info_id = new_id()
        self.size = 0
        # Lock it before it gets its .open name, because others search that name for dead files.
        scratch = path.with_name(path.name + ".new")
        self._descriptor = os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        take_lock(self._descriptor)
        lines = {"format": "WARC File Format 1.1", "conformsTo": _SPECIFICATION, **info}
        block = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
        fields = [
            ("WARC-Date", warc_date(datetime.now(timezone.utc))),
            ("WARC-Filename", self.name),
            ("Content-Type", "application/warc-fields"),
        ]
        try:
            self.append(member(self.info_id, "warcinfo", fields, block, _LEVEL))
            os.fsync(self._descriptor)
            scratch.rename(path)
            sync_folder(path.parent)
        except OSError:
            scratch.unlink(missing_ok=True)
            self.close()
            raise

    def append(self, members: bytes) -> int:
        """Write all of the members or none; returns the offset of the first."""
        offset = self.size
        left = memoryview(members)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            os.ftruncate(self._descriptor, offset)  # leave no partial record on a full disk
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            raise
        self.size += len(members)
        return offset

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def _json(context: dict[str, Any] | None) -> str | None:
    return json.dumps(context, separators=(",", ":")) if context else None
