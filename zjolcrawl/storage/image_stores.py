"""Where image bytes are kept: the file system by default, GridFS; S3 and others are Scrapy's own."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import NoFile
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError


class ImageFiles:
    """Files under a folder, each written whole or not at all; the folder is made with the first."""

    def __init__(self, basedir: str) -> None:
        self.basedir = basedir.removeprefix("file://")

    async def persist_file(
        self, path: str, buf: BytesIO, info: Any, meta: Any = None, headers: Any = None
    ) -> None:
        """Write `buf` to `path` unless it is there. Raises OSError."""
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
    """Files in the run's own database (`FILES_STORE=gridfs://BUCKET`), `_id` is the path."""

    def __init__(self, uri: str, database: Callable[[], AsyncDatabase[dict[str, Any]]]) -> None:
        self._bucket = uri.partition("://")[2].strip("/") or "images"
        self._database = database

    async def persist_file(
        self, path: str, buf: BytesIO, info: Any, meta: Any = None, headers: Any = None
    ) -> None:
        """Store `buf` as `path` unless it is there. Raises PyMongoError."""
        bucket = AsyncGridFSBucket(self._database(), self._bucket)
        try:
            await bucket.open_download_stream(path)
        except NoFile:
            try:
                await bucket.upload_from_stream_with_id(path, path, buf)
            except DuplicateKeyError:
                return  # another process was first with the same bytes


class ImageReader:
    """The bytes of images in the stores that can be read here: a folder and GridFS."""

    def __init__(self, uri: str, folder: Path, db: AsyncDatabase[dict[str, Any]]) -> None:
        """`uri` is FILES_STORE, empty for `folder`."""
        scheme, found, rest = uri.partition("://")
        self.readable = not found or scheme in {"file", "gridfs"}
        self._bucket = (rest.strip("/") or "images") if scheme == "gridfs" else None
        self._folder = Path(uri.removeprefix("file://")) if uri else folder
        self._db = db

    async def read(self, path: str) -> bytes | None:
        """The bytes at `path`, or None where there are none. Raises OSError, PyMongoError."""
        if not self.readable:
            return None
        try:
            if self._bucket is None:
                return await asyncio.to_thread((self._folder / path).read_bytes)
            bucket = AsyncGridFSBucket(self._db, self._bucket)
            return await (await bucket.open_download_stream(path)).read()
        except (FileNotFoundError, NoFile):
            return None
