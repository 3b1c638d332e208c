"""Keeps items in files while MongoDB is unavailable.

DATA_DIR/spool/<UTC time>-<run>.bson: one BSON document per item, {kind, crc, value}, durable once `add`
returns. `crc` is the CRC-32 of `kind` and `value`; `value` is the item's own document as bytes. Files of
version 0.1 have no `crc`, and `value` is the document itself. Writing an item twice changes nothing (see
storage.revision_policy and storage.frontier), so a file is removed only after all of it is written.
"""

from __future__ import annotations

import dataclasses
import mmap
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions

from zjolcrawl.filesystem import sync_folder
from zjolcrawl.storage.documents import describe

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=timezone.utc)
_START = re.compile(rb".{4}\x02kind\x00", re.DOTALL)  # length and first element of an item
QUARANTINE = "quarantine"
"""Subfolder of the spool for items that cannot be written."""


@dataclasses.dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes of a spool file that are not a known item, and why."""

    data: bytes
    reason: str


class Spool:
    """One run's spool; `kinds` are the dataclasses that it can hold, by their names in the files."""

    def __init__(self, folder: Path, run: str, kinds: Mapping[str, type[Any]]) -> None:
        self.folder = folder
        self._kinds = kinds
        self._names = {kind: name for name, kind in kinds.items()}
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S")
        self._path = folder / f"{stamp}-{run}.bson"

    def add(self, items: Iterable[Any]) -> int:
        """Append items durably; returns how many. Raises OSError, and then keeps none of them."""
        documents = [self._encoded(item) for item in items]
        _append(self._path, b"".join(documents))
        return len(documents)

    def set_aside(self, items: Iterable[Any]) -> Path:
        """Append items that cannot be written, or `Damaged` ones, to a quarantine file; returns its path.

        Raises OSError.
        """
        path = self.folder / QUARANTINE / self._path.name
        data = (e.data if isinstance(e, Damaged) else self._encoded(e) for e in items)
        _append(path, b"".join(data))
        return path

    def files(self) -> list[Path]:
        """The spool files of all runs, oldest first."""
        return sorted(self.folder.glob("*.bson")) if self.folder.is_dir() else []

    def read(self, path: Path) -> Iterator[Any]:
        """A file's items in order, with `Damaged` for each unreadable stretch. Raises OSError.

        An incomplete last item, which a crash cut off before `add` returned, is ignored.
        """
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield from self._items(data)

    def _items(self, data: mmap.mmap) -> Iterator[Any]:
        at = 0
        while at < len(data):
            found, end = self._item(data, at)
            if end is None:  # continue at the next intact item
                starts = (match.start() for match in _START.finditer(data, at + 1))
                end = next((s for s in starts if self._item(data, s)[1]), len(data))
                if end == len(data) and _is_torn(data, at):
                    return
                found = Damaged(data[at:end], f"bytes {at} to {end}: {found.reason}")
            yield found
            at = end

    def _item(self, data: mmap.mmap, at: int) -> tuple[Any, int | None]:
        """The item at this offset and its end; the end is None if unknown."""
        try:
            (length,) = struct.unpack_from("<i", data, at)
            raw = data[at : at + max(length, 0)]
            document = bson.decode(raw, _OPTIONS)
            kind, value = document["kind"], document["value"]
            if isinstance(value, bytes):
                if zlib.crc32(value, zlib.crc32(kind.encode())) != document["crc"]:
                    raise ValueError("the checksum does not match")
                value = bson.decode(value, _OPTIONS)
        except Exception as error:
            return Damaged(b"", describe(error)), None
        end = at + length
        try:
            return self._kinds[kind](**value), end
        except KeyError:
            return Damaged(raw, f"unknown kind {kind!r}"), end
        except TypeError as error:
            return Damaged(raw, describe(error)), end

    def _encoded(self, item: Any) -> bytes:
        kind, value = self._names[type(item)], bson.encode(dataclasses.asdict(item))
        crc = zlib.crc32(value, zlib.crc32(kind.encode()))
        return bson.encode({"kind": kind, "crc": crc, "value": value})


def _is_torn(data: mmap.mmap, at: int) -> bool:
    """Whether the bytes begin like an item and extend past the end of the file."""
    start = _START.match(data, at)
    return bool(start) and struct.unpack_from("<i", data, at)[0] > len(data) - at


def _append(path: Path, data: bytes) -> None:
    """Append bytes to a file durably. Raises OSError, and then appends nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        before = file.tell()
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, before)  # leave no partial item on a full disk
            raise
    sync_folder(path.parent)
