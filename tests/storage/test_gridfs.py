"""Images in GridFS: after kills and with concurrent writers, each file exists once and is complete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import gridfs
import pytest
from bson import Binary, ObjectId
from pymongo import MongoClient
from pymongo.database import Database

from tests.pipelines.test_images import PNG, image_of, serve
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN
from tests.support.site import Answer, SiteProxy
from zjolcrawl.storage.connection import connect
from zjolcrawl.storage.image_stores import GridFSFiles, ImageReader

PATH = "ab/abcd.jpg"
DATA = bytes(range(256)) * 4000  # a little more than four chunks
CHUNK = 255 * 1024


@pytest.fixture
def pictures(mongodb_uri: str, database: str) -> Iterator[Database[Any]]:
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        yield client[database]


def put(uri: str, database: str, *contents: bytes, workers: int = 1) -> None:
    """Each worker stores all of them with its own client."""

    async def work() -> None:
        client = await connect(uri)
        try:
            files = GridFSFiles("gridfs://pictures", lambda: client[database])
            for data in contents:
                await files.persist_file(PATH, BytesIO(data), None)
        finally:
            await client.close()

    async def main() -> None:
        await asyncio.gather(*(work() for _ in range(workers)))

    asyncio.run(main())


def assert_whole(db: Database[Any], data: bytes = DATA) -> None:
    bucket = gridfs.GridFSBucket(db, "pictures")
    assert bucket.open_download_stream(PATH).read() == data
    assert db["pictures.files"].count_documents({}) == 1
    assert db["pictures.chunks"].count_documents({}) == -(-len(data) // CHUNK)
    assert {"files_id_1_n_1", "_id_"} <= db["pictures.chunks"].index_information().keys()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, len(DATA)])
def test_any_size(size: int, mongodb_uri: str, pictures: Database[Any]) -> None:
    put(mongodb_uri, pictures.name, DATA[:size], DATA[:size])
    assert_whole(pictures, DATA[:size])


def begun(db: Database[Any], chunks: int) -> None:
    """What a killed upload of the driver leaves."""
    stream = gridfs.GridFSBucket(db, "pictures").open_upload_stream_with_id(PATH, PATH)
    stream.write(DATA[: chunks * CHUNK + 5])
    db["pictures.files"].delete_many({})


def without(db: Database[Any], *numbers: int) -> None:
    gridfs.GridFSBucket(db, "pictures").upload_from_stream_with_id(PATH, PATH, BytesIO(DATA))
    db["pictures.chunks"].delete_many({"n": {"$in": list(numbers)}})


def of_another_size(db: Database[Any]) -> None:
    for number in range(len(DATA) // 1000 + 1):
        part = Binary(DATA[number * 1000 : number * 1000 + 1000])
        db["pictures.chunks"].insert_one(
            {"_id": ObjectId(), "files_id": PATH, "n": number, "data": part}
        )


def short_file(db: Database[Any]) -> None:
    gridfs.GridFSBucket(db, "pictures").upload_from_stream_with_id(PATH, PATH, BytesIO(DATA[:100]))


LEFT: dict[str, Callable[[Database[Any]], object]] = {
    "first chunk of a killed upload": lambda db: begun(db, 1),
    "all but the last": lambda db: begun(db, 3),
    "a file without a chunk": lambda db: without(db, 2),
    "a file without chunks": lambda db: without(db, *range(9)),
    "chunks of another size": of_another_size,
    "a shorter file": short_file,
    "a whole file of the driver's": without,
}


@pytest.mark.parametrize("name", LEFT)
def test_what_a_killed_upload_left_is_taken_up(
    name: str, mongodb_uri: str, pictures: Database[Any]
) -> None:
    LEFT[name](pictures)
    put(mongodb_uri, pictures.name, DATA)
    assert_whole(pictures)


@pytest.mark.parametrize("name", ["nothing", *LEFT])
def test_many_workers_at_once(name: str, mongodb_uri: str, pictures: Database[Any]) -> None:
    LEFT.get(name, lambda _: None)(pictures)
    put(mongodb_uri, pictures.name, DATA, DATA, workers=8)
    assert_whole(pictures)


def test_file_without_its_chunks_is_read_as_none(
    mongodb_uri: str, pictures: Database[Any], tmp_path: Any
) -> None:
    without(pictures, 1)

    async def main() -> bytes | None:
        client = await connect(mongodb_uri)
        try:
            setting = {"FILES_STORE": "gridfs://pictures"}.get
            reader = ImageReader(setting, tmp_path, client[pictures.name])
            return await reader.read(PATH)
        finally:
            await client.close()

    assert asyncio.run(main()) is None


def test_crawl_finds_what_was_left(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve(site, png=Answer(body=PNG))
    assert (
        crawl("column", url=COLUMN, FILES_STORE="gridfs://pictures", recheck="on").returncode == 0
    )
    path = image_of(db, 1)["path"]
    db["pictures.files"].delete_many({})
    db.articles.delete_many({})
    db.frontier.update_many({}, {"$set": {"state": "pending"}})
    done = crawl("column", url=COLUMN, FILES_STORE="gridfs://pictures", recheck="on")
    assert done.returncode == 0, done.stderr
    assert image_of(db, 1)["status"] == "stored"
    assert gridfs.GridFSBucket(db, "pictures").open_download_stream(path).read() == PNG
