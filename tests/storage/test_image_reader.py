"""Image bytes are read from the place where a crawl stores them."""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path

import pytest

from zjolcrawl.storage.connection import connect
from zjolcrawl.storage.image_stores import GridFSFiles, ImageFiles, ImageReader

PATH = "ab/abcd.jpg"


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
        reader = ImageReader(uri, tmp_path, db)
        assert reader.readable
        assert await reader.read(PATH) == b"bytes"
        assert await reader.read("ab/other.jpg") is None
        await client.close()

    asyncio.run(run())


def test_other_stores_are_not_read(tmp_path: Path, mongodb_uri: str, database: str) -> None:
    async def run() -> None:
        client = await connect(mongodb_uri)
        reader = ImageReader("s3://bucket/path", tmp_path, client[database])
        assert not reader.readable
        assert await reader.read(PATH) is None
        await client.close()

    asyncio.run(run())
