"""WARC files in an S3 store: uploaded whole, read by range, no record lost."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.archive.test_archive import RUN, exchange
from tests.support.crawling import LONG
from tests.support.s3_server import S3Server
from zjolcrawl.archive.archive import Archive, ArchiveError, read_record
from zjolcrawl.archive.s3 import WarcStore, store_of
from zjolcrawl.archive.stored import pull, push
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.archive.writer import WarcWriter


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture
def bucket(server: S3Server) -> str:
    name = f"b{uuid4().hex[:12]}"
    server.bucket(name)
    return name


@pytest.fixture
def store(server: S3Server, bucket: str) -> WarcStore:
    return store_at(server, f"s3://{bucket}/archive/warc")


def store_at(server: S3Server, uri: str, **more: str) -> WarcStore:
    given = {**server.environ, "WARC_STORE": uri, "AWS_REGION_NAME": "us-east-1", **more}
    made = store_of(given.get)
    assert made is not None
    return made


def written(folder: Path, *pages: str, run: str = RUN, max_bytes: int = 1 << 30) -> list[Pointer]:
    """One or more complete files with these pages."""

    async def write() -> list[Pointer]:
        with Archive(folder) as archive:
            writer = WarcWriter(archive, run=run, info={}, max_bytes=max_bytes)
            pointers = [writer.write(exchange(page)) for page in pages]
            await writer.close()
            return pointers

    return asyncio.run(write())


def test_files_are_in_the_store_byte_for_byte(
    server: S3Server, bucket: str, store: WarcStore, tmp_path: Path
) -> None:
    written(tmp_path, "a", "b", "c", max_bytes=1)
    done = push(tmp_path, store)
    assert (len(done.stored), done.removed, done.faults) == (3, [], [])
    here = {
        f"archive/warc/{path.name}": path.read_bytes()
        for path in tmp_path.iterdir()
        if path.name.endswith((".warc.gz", ".cdxj"))
    }
    assert len(here) == 6
    assert server.objects(bucket) == here
    assert push(tmp_path, store).stored == []


def test_what_left_the_folder_is_read_by_range(store: WarcStore, tmp_path: Path) -> None:
    pointers = written(tmp_path, "a", "b", "c")
    bytes_before = [read_record(tmp_path, each).raw for each in pointers]
    (file,) = tmp_path.glob("*.warc.gz")
    done = push(tmp_path, store, remove=True)
    assert done.removed == [file.name]
    assert not file.exists()
    with pytest.raises(ArchiveError, match="No such file"):
        read_record(tmp_path, pointers[0])
    asked: list[tuple[int, int]] = []
    plain = store.read
    store.read = lambda name, at, size: (asked.append((at, size)), plain(name, at, size))[1]  # type: ignore[method-assign]
    assert [read_record(tmp_path, each, store).raw for each in pointers] == bytes_before
    assert asked == [(each.offset, each.length) for each in pointers]
    with Archive(tmp_path, store) as archive:
        assert archive.repairs == []
        assert [archive.message(each).body for each in archive.index.captures()] == [
            page.encode() * 40 for page in "abc"
        ]


def test_payload_that_is_only_in_the_store_is_not_written_again(
    store: WarcStore, tmp_path: Path
) -> None:
    (first,) = written(tmp_path, "a")
    push(tmp_path, store, remove=True)

    async def again() -> Pointer:
        with Archive(tmp_path, store) as archive:
            writer = WarcWriter(archive, run="f" * 24, info={})
            pointer = writer.write(exchange("a"))
            await writer.close()
            return pointer

    assert asyncio.run(again()) == first
    with Archive(tmp_path, store) as archive:
        revisit = archive.index.newest(exchange("a").url)
        assert revisit is not None
        assert revisit.type == "revisit"
        assert archive.message(revisit).body == b"a" * 40


def test_lost_index_is_made_anew_from_the_store(store: WarcStore, tmp_path: Path) -> None:
    written(tmp_path, "a", "b")
    with Archive(tmp_path) as archive:
        before = list(archive.index.captures())
    push(tmp_path, store, remove=True)
    for each in tmp_path.glob("index.sqlite*"):
        each.unlink()
    with Archive(tmp_path) as archive:  # without the store this is reported, and nothing is damaged
        assert "1 file not indexed" in archive.repairs[0]
    with Archive(tmp_path, store) as archive:
        assert list(archive.index.captures()) == before


def test_another_host_knows_and_reads_what_this_one_brought(
    store: WarcStore, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (pointer,) = written(here, "a")
    written(there, "b", run="f" * 24)
    push(here, store, remove=True)
    assert pull(there, store) == [pointer.file]
    assert pull(there, store) == []
    with Archive(there, store) as archive:
        assert sorted(each.url[-1] for each in archive.index.captures()) == ["a", "b"]
        with archive.open(pointer.file) as file:
            file.seek(pointer.offset)
            assert len(file.read(pointer.length)) == pointer.length
            assert file.read(1) == read_first_byte_after(file, pointer)


def read_first_byte_after(file: Any, pointer: Pointer) -> bytes:
    file.seek(pointer.offset + pointer.length)
    byte = file.read(1)
    assert len(byte) == 1  # the request's record
    return bytes(byte)


def test_file_being_written_stays(
    server: S3Server, bucket: str, store: WarcStore, tmp_path: Path
) -> None:
    async def main() -> None:
        with Archive(tmp_path) as archive:
            writer = WarcWriter(archive, run=RUN, info={})
            pointer = writer.write(exchange("a"))
            await writer.sync()
            assert push(tmp_path, store, remove=True).stored == []
            assert server.objects(bucket) == {}
            assert archive.read(pointer).message.body == b"a" * 40
            await writer.close()

    asyncio.run(main())
    assert len(push(tmp_path, store).stored) == 1


def test_other_bytes_of_the_same_name_are_told_and_neither_is_lost(
    server: S3Server, bucket: str, store: WarcStore, tmp_path: Path
) -> None:
    (pointer,) = written(tmp_path, "a")
    server.client.put_object(Bucket=bucket, Key=f"archive/warc/{pointer.file}", Body=b"another's")
    done = push(tmp_path, store, remove=True)
    assert (done.stored, done.removed) == ([], [])
    assert "differs from the local file" in done.faults[0]
    assert server.objects(bucket) == {f"archive/warc/{pointer.file}": b"another's"}
    assert read_record(tmp_path, pointer).message.body == b"a" * 40


def test_file_that_vanished_from_the_store_is_not_removed_here(
    server: S3Server, bucket: str, store: WarcStore, tmp_path: Path
) -> None:
    (pointer,) = written(tmp_path, "a")
    push(tmp_path, store)
    server.client.delete_object(Bucket=bucket, Key=f"archive/warc/{pointer.file}")
    done = push(tmp_path, store, remove=True)
    assert done.removed == []
    assert "no longer has all" in done.faults[0]
    assert (tmp_path / pointer.file).exists()


def test_store_that_does_not_answer_is_one_line(server: S3Server, tmp_path: Path) -> None:
    (pointer,) = written(tmp_path, "a")
    nowhere = store_at(server, "s3://none/x", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    done = push(tmp_path, nowhere, remove=True)
    assert (done.stored, done.removed) == ([], [])
    assert "Could not connect" in done.faults[0]
    assert "\n" not in done.faults[0]
    with pytest.raises(ArchiveError, match="Could not connect"):
        read_record(tmp_path / "empty", pointer, nowhere)


def test_bucket_and_object_that_are_not_there(server: S3Server, store: WarcStore) -> None:
    assert store.size("none.warc.gz") is None
    with pytest.raises(FileNotFoundError):
        store.read("none.warc.gz", 0, 10)
    with pytest.raises(FileNotFoundError):
        store.open("none.warc.gz")
    with pytest.raises(OSError, match="NoSuchBucket"):
        list(store_at(server, "s3://no-such-bucket/x").names())


NAMES = """
import sys
from pathlib import Path
from bson import ObjectId
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.writer import Exchange, WarcWriter
import asyncio
from datetime import datetime, timezone

def exchange(page):
    at = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    return Exchange(f"http://zjnews.zjol.com.cn/{page}", 200, [], page.encode() * 40, at)

async def main():
    for number in range(int(sys.argv[2])):
        folder = Path(sys.argv[1], f"{number}")
        with Archive(folder) as archive:
            writer = WarcWriter(archive, run=str(ObjectId()), info={}, max_bytes=1)
            for page in "abc":
                print(writer.write(exchange(page)).file)
            await writer.close()
asyncio.run(main())
"""


def test_names_of_many_writers_at_one_moment_are_all_different(tmp_path: Path) -> None:
    """Processes that start together, each with its own folder, as on different hosts."""

    def names(number: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", NAMES, str(tmp_path / str(number)), "20"],
            capture_output=True, text=True, check=True, timeout=LONG, env={**os.environ, "TZ": "UTC"},
        )  # fmt: skip
        return done.stdout.split()

    with ThreadPoolExecutor(4) as pool:
        found = [name for each in pool.map(names, range(4)) for name in each]
    assert len(found) == 4 * 20 * 3
    assert len(set(found)) == len(found)
    stamps = {name.split("-")[1] for name in found}
    assert len(stamps) < len(found)  # the time alone does not distinguish them


@pytest.mark.parametrize("uri", ["http://x/y", "s3://", "s3:///y", "bucket/x", "s3://b/x?y"])
def test_address_that_is_none(uri: str) -> None:
    with pytest.raises(ValueError, match="is not s3://BUCKET/PREFIX"):
        store_of({"WARC_STORE": uri}.get)


def test_no_setting_no_store_and_no_import() -> None:
    code = (
        "import sys; from zjolcrawl.archive.s3 import store_of; import zjolcrawl.run.run;"
        "assert store_of({}.get) is None; assert 'botocore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_sha256_is_noted(store: WarcStore, tmp_path: Path) -> None:
    (pointer,) = written(tmp_path, "a")
    data = (tmp_path / pointer.file).read_bytes()
    push(tmp_path, store)
    note = (tmp_path / f"{pointer.file}.stored").read_text()
    assert hashlib.sha256(data).hexdigest() in note
    assert store.uri in note
