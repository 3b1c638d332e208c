"""Stores image bytes in the file system (default) or GridFS, and reads them, also from S3.

Scrapy itself writes to S3 and to other stores.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from bson import Binary
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import CorruptGridFile, NoFile
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from zjolcrawl.archive.s3 import store_of
from zjolcrawl.clock import utc_now

_CHUNK = 255 * 1024  # bytes, the default of the GridFS specification


class ImageFiles:
    """Files under a folder, each written completely or not at all; the first write creates the folder."""

    def __init__(self, basedir: str) -> None:
        self.basedir = basedir.removeprefix("file://")

    async def persist_file(
        self, path: str, buf: BytesIO, info: Any, meta: Any = None, headers: Any = None
    ) -> None:
        """Write `buf` to `path` unless it exists. Raises OSError."""
        await asyncio.to_thread(_write_once, Path(self.basedir, path), buf.getvalue())


def _write_once(path: Path, data: bytes) -> None:
    if path.exists() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).chmod(0o644)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


class GridFSFiles:
    """Files in the run's own database (`FILES_STORE=gridfs://BUCKET`); `_id` is the path.

    A path identifies its bytes, so every writer of a path writes the same chunks. Writes may be repeated or
    run beside another process. The driver's own upload fails if another one has begun or was killed. Format:
    https://github.com/mongodb/specifications/blob/master/source/gridfs/gridfs-spec.md
    """

    def __init__(self, uri: str, database: Callable[[], AsyncDatabase[dict[str, Any]]]) -> None:
        self._bucket = uri.partition("://")[2].strip("/") or "images"
        self._database = database
        self._indexed = False

    async def persist_file(
        self, path: str, buf: BytesIO, info: Any, meta: Any = None, headers: Any = None
    ) -> None:
        """Store `buf` as `path` unless it is already complete. Raises PyMongoError."""
        bucket = self._database()[self._bucket]
        files, chunks = bucket["files"], bucket["chunks"]
        data = buf.getvalue()
        parts = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
        if await files.find_one({"_id": path, "length": len(data)}, {"_id": 1}) and len(
            parts
        ) == await chunks.count_documents({"files_id": path}):
            return
        if not self._indexed:
            await files.create_index([("filename", 1), ("uploadDate", 1)])
            await chunks.create_index([("files_id", 1), ("n", 1)], unique=True)
            self._indexed = True
        for number, part in enumerate(parts):
            key = {"files_id": path, "n": number}
            await _put(chunks, key, {**key, "data": Binary(part)})
        await chunks.delete_many({"files_id": path, "n": {"$gte": len(parts)}})
        metadata = {"length": len(data), "chunkSize": _CHUNK, "uploadDate": utc_now()}
        await _put(files, {"_id": path}, {"filename": path, **metadata})


async def _put(
    collection: AsyncCollection[dict[str, Any]], key: dict[str, Any], document: dict[str, Any]
) -> None:
    try:
        await collection.replace_one(key, document, upsert=True)
    except DuplicateKeyError:
        await collection.replace_one(key, document)  # another process has just inserted the same


class ImageReader:
    """Reads images from the stores that can be read here: a folder, GridFS or S3."""

    def __init__(
        self, setting: Callable[[str], Any], folder: Path, db: AsyncDatabase[dict[str, Any]]
    ) -> None:
        """`setting` looks up a setting by name; if FILES_STORE is empty, images are in `folder`.

        Raises ValueError with a one-line message for an invalid s3:// URI.
        """
        uri = str(setting("FILES_STORE") or "")
        scheme, found, rest = uri.partition("://")
        self.readable = not found or scheme in {"file", "gridfs", "s3"}
        self._bucket = (rest.strip("/") or "images") if scheme == "gridfs" else None
        self._store = store_of(setting, "FILES_STORE") if scheme == "s3" else None
        self.is_remote = self._store is not None
        self._folder = Path(uri.removeprefix("file://")) if uri else folder
        self._db = db

    async def read(self, path: str) -> bytes | None:
        """The bytes at `path`, or None if there are none. Raises OSError, PyMongoError."""
        if not self.readable:
            return None
        try:
            if self._store:
                return await asyncio.to_thread(self._store.whole, path)
            if self._bucket is None:
                return await asyncio.to_thread((self._folder / path).read_bytes)
            bucket = AsyncGridFSBucket(self._db, self._bucket)
            return await (await bucket.open_download_stream(path)).read()
        except (FileNotFoundError, NoFile, CorruptGridFile):
            return None
