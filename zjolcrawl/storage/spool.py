"""What MongoDB could not take, kept in files until it can.

DATA_DIR/spool/<UTC time>-<run>.bson, a BSON document an item, durable once `add` returns. Writing an
item twice changes nothing (see storage.steps and storage.frontier), so a file is removed only after
all of it is written.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON

from zjolcrawl.durable import sync_folder

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=timezone.utc)


class Spool:
    """One run's spool; `kinds` are the dataclasses that it keeps."""

    def __init__(self, folder: Path, run: str, kinds: Iterable[type[Any]]) -> None:
        self.folder = folder
        self._kinds = {kind.__name__: kind for kind in kinds}
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S")
        self._path = folder / f"{stamp}-{run}.bson"

    def add(self, items: Iterable[Any]) -> int:
        """Append items, durably; how many. Raises OSError, and then keeps none of them."""
        documents = [
            bson.encode({"kind": type(item).__name__, "value": dataclasses.asdict(item)})
            for item in items
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            before = file.tell()
            try:
                file.write(b"".join(documents))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(self._path, before)  # a full disk leaves no half item behind
                raise
        sync_folder(self.folder)
        return len(documents)

    def files(self) -> list[Path]:
        """The files that hold items, of all runs, oldest first."""
        return sorted(self.folder.glob("*.bson")) if self.folder.is_dir() else []

    def read(self, path: Path) -> Iterator[Any]:
        """A file's items in order; a torn one at the end, which no one was promised, is left out."""
        with path.open("rb") as file:
            try:
                for document in bson.decode_file_iter(file, _OPTIONS):
                    yield self._kinds[document["kind"]](**document["value"])
            except InvalidBSON:
                return
