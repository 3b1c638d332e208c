"""Image bytes are read from the place where a crawl stores them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.s3_server import S3Server
from zjolcrawl.storage.connection import connect
from zjolcrawl.storage.image_stores import GridFSFiles, ImageFiles, ImageReader

PATH = "ab/abcd.jpg"


def of(uri: str) -> Callable[[str], str | None]:
    """The setting FILES_STORE, and no other."""
    return {"FILES_STORE": uri}.get


@pytest.mark.parametrize("store", ["folder", "default", "file", "gridfs"])
def test_reads_what_was_put_there(
    store: str, tmp_path: Path, mongodb_uri: str, database: str
) -> None:
    async def run() -> None:
        client = await connect(mongodb_uri)
        db = client[database]
        uri = {"folder": str(tmp_path), "file": f"file://{tmp_path}", "gridfs": "gridfs://pictures",
               "default": ""}[store]  # fmt: skip
        files = GridFSFiles(uri, lambda: db) if store == "gridfs" else ImageFiles(str(tmp_path))
        await files.persist_file(PATH, BytesIO(b"bytes"), None)
        reader = ImageReader(of(uri), tmp_path, db)
        assert reader.readable
        assert await reader.read(PATH) == b"bytes"
        assert await reader.read("ab/other.jpg") is None
        await client.close()

    asyncio.run(run())


def test_other_stores_are_not_read(tmp_path: Path, mongodb_uri: str, database: str) -> None:
    async def run() -> None:
        client = await connect(mongodb_uri)
        reader = ImageReader(of("gs://bucket/path"), tmp_path, client[database])
        assert not reader.readable
        assert await reader.read(PATH) is None
        await client.close()

    asyncio.run(run())


def test_s3_is_read(tmp_path: Path, mongodb_uri: str, database: str) -> None:
    async def run(settings: dict[str, str]) -> None:
        client = await connect(mongodb_uri)
        reader = ImageReader(settings.get, tmp_path, client[database])
        assert reader.readable
        assert await reader.read(PATH) == b"bytes"
        assert await reader.read("ab/other.jpg") is None
        await client.close()

    with S3Server() as server:
        server.bucket("pictures")
        server.client.put_object(Bucket="pictures", Key=f"of/articles/{PATH}", Body=b"bytes")
        asyncio.run(run({"FILES_STORE": "s3://pictures/of/articles/", **server.environ}))


def test_keys_in_the_uri_are_refused(tmp_path: Path, mongodb_uri: str, database: str) -> None:
    async def run() -> None:
        client = await connect(mongodb_uri)
        with pytest.raises(ValueError, match=r"FILES_STORE: .*AWS_ACCESS_KEY_ID") as error:
            ImageReader(of("s3://key:secret@bucket/path/"), tmp_path, client[database])
        assert "secret@" not in str(error.value)
        await client.close()

    asyncio.run(run())
