"""`scrapy verify` finds and names whatever is damaged, missing or swapped in WARC files and images."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.database import Database

from tests.archive.test_s3 import exchange
from tests.export.made import article
from tests.support.crawling import Crawl, scrapy
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.s3_server import S3Server
from tests.support.site import SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.files import OPEN, STORED, SUFFIX
from zjolcrawl.archive.warc import Pointer, parse_record
from zjolcrawl.archive.writer import WarcWriter
from zjolcrawl.storage.image_stores import GridFSFiles

PAGES = [f"page{n}" for n in range(6)]


class Made:
    """An intact archive: six pages in one WARC file, the last as a revisit, and three pictures."""

    def __init__(self, data: Path, db: Database[Any]) -> None:
        self.data, self.db = data, db
        self.pointers = asyncio.run(self._write())
        (self.warc,) = (data / "warc").glob(f"*{SUFFIX}")
        self.images: list[Path] = []
        for number, at in enumerate(self.pointers):
            images = [self.picture(number)] if number < 3 else []
            db.articles.insert_one(
                article(number, warc=at.values(), pages_warc=None, images=images)
            )

    async def _write(self) -> list[Pointer]:
        with Archive(self.data / "warc") as archive:
            writer = WarcWriter(archive, run=str(ObjectId()), info={}, max_bytes=1 << 30)
            found = [writer.write(exchange(page)) for page in [*PAGES, PAGES[0]]]
            await writer.close()
            return found

    def picture(self, number: int) -> dict[str, Any]:
        data = bytes([number]) * (1000 + number)
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.data / "images" / sha256[:2] / f"{sha256}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.images.append(path)
        return {
            "url": f"http://zjnews.zjol.com.cn/{number}.jpg", "ref": "x", "position": 1, "status": "stored",
            "sha256": sha256, "path": str(path.relative_to(self.data / "images")), "bytes": len(data),
        }  # fmt: skip

    def change(self, at: int, new: bytes) -> None:
        data = bytearray(self.warc.read_bytes())
        data[at : at + len(new)] = new
        self.warc.write_bytes(data)


@pytest.fixture
def made(tmp_path: Path, db: Database[Any]) -> Made:
    return Made(tmp_path, db)


def flipped(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


def tampered(made: Made, at: Pointer) -> None:
    """The record with another text of the same length, as one valid gzip member of the same length."""
    data = made.warc.read_bytes()
    record = zlib.decompress(data[at.offset : at.offset + at.length], 31)
    other = (
        record.replace(b"page1", b"pageX", 1) if b"page1" in record else record[:-5] + b"X\r\n\r\n"
    )
    head, _, body = record.partition(b"\r\n\r\n")
    assert parse_record(record).record_id == at.record_id
    other = head + b"\r\n\r\n" + body.replace(b"1", b"2")
    assert len(other) == len(record)
    assert other != record
    for level in range(10):
        packed = zlib.compressobj(level, zlib.DEFLATED, 31)
        member = packed.compress(other) + packed.flush()
        if len(member) <= at.length:
            break
    padding = at.length - len(member)
    if padding:
        member = member[:3] + b"\x08" + member[4:10] + b"-" * (padding - 1) + b"\0" + member[10:]
    made.change(at.offset, member)


def swapped(first: Path, second: Path) -> None:
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)


def records_swapped(made: Made) -> None:
    """Two neighbouring records, with all bytes between their starts."""
    first, second, third = made.pointers[1:4]
    data = made.warc.read_bytes()
    made.change(
        first.offset, data[second.offset : third.offset] + data[first.offset : second.offset]
    )


# What is done, and patterns of lines that must be printed: `{n}` is the offset of record n.
HARM: dict[str, tuple[Callable[[Made], object], list[str]]] = {
    "a byte of a record": (
        lambda m: flipped(m.warc, m.pointers[1].offset + m.pointers[1].length // 2),
        ["damaged: warc/{warc}, byte {1}: .*no record can be read", "damaged: .*byte {1}: .*http://"]),
    "the checksum of a record": (
        lambda m: flipped(m.warc, m.pointers[2].offset + m.pointers[2].length - 6),
        ["damaged: warc/{warc}, byte {2}: "]),
    "a byte of a gzip header": (
        lambda m: flipped(m.warc, m.pointers[3].offset + 5), ["damaged: warc/{warc}, byte {3}: the gzip header"]),
    "the first byte": (lambda m: flipped(m.warc, 0), ["damaged: warc/{warc}, byte 0: "]),
    "the last byte": (lambda m: flipped(m.warc, m.warc.stat().st_size - 1), ["damaged: warc/{warc}, byte "]),
    "a text, with a valid checksum": (
        lambda m: tampered(m, m.pointers[1]),
        ["damaged: warc/{warc}, byte {1}: the block digest", "byte {1}: the payload digest"]),
    "two records swapped": (records_swapped, ["missing: warc/{warc}, byte {1}: .*http://"]),
    "cut within a record": (
        lambda m: m.warc.write_bytes(m.warc.read_bytes()[: m.pointers[4].offset + 100]),
        ["damaged: warc/{warc}, byte {4}: .*the file ends", "missing: warc/{warc}, byte {5}: "]),
    "cut between records": (
        lambda m: m.warc.write_bytes(m.warc.read_bytes()[: m.pointers[4].offset]),
        ["missing: warc/{warc}, byte {4}: its CDXJ lists", "byte {5}: .*http://"]),
    "the file emptied": (lambda m: m.warc.write_bytes(b""), ["damaged: warc/{warc}, byte 0: the file is empty"]),
    "the file deleted": (lambda m: m.warc.unlink(), ["missing: warc/{warc}: "]),
    "the file deleted with its index": (
        lambda m: [each.unlink() for each in m.warc.parent.iterdir()], ["missing: warc/{warc}: an article refers"]),
    "the file replaced by a folder": (
        lambda m: (m.warc.unlink(), m.warc.mkdir()), ["damaged: warc/{warc}: it is not a regular file"]),
    "a byte of a picture": (lambda m: flipped(m.images[1], 500), ["damaged: images/{image}: 1001 bytes with sha256"]),
    "a picture cut": (lambda m: m.images[1].write_bytes(m.images[1].read_bytes()[:-1]), ["damaged: images/{image}: 1000 b"]),
    "a picture emptied": (lambda m: m.images[1].write_bytes(b""), ["damaged: images/{image}: 0 bytes"]),
    "a picture deleted": (lambda m: m.images[1].unlink(), ["missing: images/{image}: .*/1.jpg"]),
    "two pictures swapped": (
        lambda m: swapped(m.images[1], m.images[2]), ["damaged: images/{image}: ", "damaged: images/.*/2.jpg"]),
    "a picture replaced by a folder": (
        lambda m: (m.images[1].unlink(), m.images[1].mkdir()), ["damaged: images/{image}: cannot be read: Is a dir"]),
    "a pointer of an article": (
        lambda m: m.db.articles.update_one({"warc.offset": m.pointers[1].offset}, {"$inc": {"warc.offset": 7}}),
        ["damaged: warc/{warc}, byte "]),
    "a pointer that is none": (
        lambda m: m.db.articles.update_one({"warc.offset": m.pointers[1].offset}, {"$set": {"warc": {"file": "x"}}}, bypass_document_validation=True),
        ["damaged: x: not the place of a record"]),
}  # fmt: skip


def test_intact(made: Made, command: Crawl) -> None:
    before = {path: path.read_bytes() for path in made.data.rglob("*") if path.is_file()}
    done = command("verify")
    assert (done.returncode, done.stderr) == (0, "")
    told = re.sub(r"; \d+\.\d s", "", done.stdout)
    # A warcinfo record, and a request for each answer.
    assert told == "1 WARC file with 15 records, 3 images (3.0 kB): 0 damaged, 0 missing\n"
    assert (
        before.items()
        <= {path: path.read_bytes() for path in made.data.rglob("*") if path.is_file()}.items()
    )


@pytest.mark.parametrize("name", HARM)
def test_harm_is_named_with_file_and_offset(name: str, made: Made, command: Crawl) -> None:
    harm, patterns = HARM[name]
    harm(made)
    done = command("verify")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr == ""
    places = {str(n): str(at.offset) for n, at in enumerate(made.pointers)}
    names = {
        "warc": re.escape(made.warc.name),
        "image": re.escape(str(made.images[1].relative_to(made.data / "images"))),
    }
    for pattern in patterns:
        wanted = re.sub(r"\{(\w+)\}", lambda m: {**places, **names}[m[1]], pattern)
        assert re.search(f"^{wanted}" if pattern[0] in "dm" else wanted, done.stdout, re.MULTILINE), (
            wanted, done.stdout)  # fmt: skip
    damaged, missing = map(
        int, re.findall(r"(\d+) (?:damaged|missing)", done.stdout.splitlines()[-1])
    )
    assert damaged + missing == len(done.stdout.splitlines()) - 1


def test_every_byte_of_the_file_counts(tmp_path: Path, made: Made) -> None:
    """Each flipped byte is found, whether in a header, a body or a checksum."""
    from zjolcrawl.archive.verify import WarcCheck

    intact = made.warc.read_bytes()
    for at in range(0, len(intact), 7):
        flipped(made.warc, at)
        check = WarcCheck(made.data / "warc", None)
        faults = [each for each in check.check(made.warc.name) if not isinstance(each, int)]
        check.close()
        made.warc.write_bytes(intact)
        assert faults, at


def test_run_that_is_writing_and_run_that_was_killed(made: Made, command: Crawl) -> None:
    """The end of a file that is being written may be torn."""
    made.warc.rename(made.warc.with_name(made.warc.name + OPEN))
    path = made.warc.with_name(made.warc.name + OPEN)
    path.write_bytes(path.read_bytes() + made_member()[:50])
    done = command("verify")
    assert done.returncode == 0, done.stdout
    flipped(path, made.pointers[2].offset + 50)
    assert f"byte {made.pointers[2].offset}: " in command("verify").stdout


def made_member() -> bytes:
    packed = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packed.compress(b"WARC/1.1\r\n" + bytes(range(256)) * 9) + packed.flush()


def test_foreign_file_with_other_digests(made: Made, command: Crawl) -> None:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"
    sha1 = base64.b32encode(hashlib.sha1(block).digest()).decode()
    md5 = hashlib.md5(block.partition(b"\r\n\r\n")[2]).hexdigest()

    def record(block_digest: str, payload_digest: str) -> bytes:
        head = (
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\n"
            "WARC-Date: 2017-08-12T00:00:00Z\r\nWARC-Target-URI: http://zjnews.zjol.com.cn/x\r\n"
            f"WARC-Block-Digest: {block_digest}\r\nWARC-Payload-Digest: {payload_digest}\r\n"
            f"Content-Length: {len(block)}\r\n\r\n"
        )
        packed = zlib.compressobj(6, zlib.DEFLATED, 31)
        return packed.compress(head.encode() + block + b"\r\n\r\n") + packed.flush()

    file = made.data / "warc" / "foreign.warc.gz"
    for good, digests in (
        (True, (f"sha1:{sha1}", f"md5:{md5}")), (True, ("blake9:x", f"MD5:{md5.upper()}")),
        (False, (f"sha1:{sha1[::-1]}", f"md5:{md5}")), (False, (f"sha1:{sha1}", "sha-256:abc")),
    ):  # fmt: skip
        file.write_bytes(record(*digests))
        done = command("verify")
        assert done.returncode == (0 if good else 1), digests
        assert ("damaged: warc/foreign.warc.gz, byte 0: " in done.stdout) is not good


def test_gridfs(
    made: Made, mongodb_uri: str, command: Crawl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def store() -> None:
        async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
            files = GridFSFiles("gridfs://images", lambda: client[made.db.name])
            for path in made.images:
                name = str(path.relative_to(made.data / "images"))
                await files.persist_file(name, BytesIO(path.read_bytes()), None)

    asyncio.run(store())
    monkeypatch.setenv("FILES_STORE", "gridfs://images")
    assert command("verify").returncode == 0
    name = str(made.images[1].relative_to(made.data / "images"))
    chunk = made.db["images.chunks"].find_one({"files_id": name})
    assert chunk
    made.db["images.chunks"].update_one(
        {"_id": chunk["_id"]}, {"$set": {"data": chunk["data"][::-1] + b"x"}}
    )
    done = command("verify")
    assert (done.returncode, f"images/{name}: " in done.stdout) == (1, True)
    made.db["images.files"].delete_one({"_id": name})
    assert f"missing: images/{name}: " in command("verify").stdout


def test_stores(made: Made, command: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    with S3Server() as server:
        server.bucket("zjol")
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_REGION_NAME", "us-east-1")
        monkeypatch.setenv("WARC_STORE", "s3://zjol/warc")
        assert command("archive", "push", "--remove").returncode == 0
        assert not made.warc.exists()
        done = command("verify")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("1 WARC file with 15 records")
        key = {"Bucket": "zjol", "Key": f"warc/{made.warc.name}"}
        data = bytearray(server.client.get_object(**key)["Body"].read())
        data[made.pointers[1].offset + 60] ^= 0xFF
        server.client.put_object(**key, Body=bytes(data))
        assert f"byte {made.pointers[1].offset}: " in command("verify").stdout
        server.client.put_object(**key, Body=bytes(data[:-10]))
        assert "uploaded with" in command("verify").stdout
        server.client.delete_object(**key)
        done = command("verify")
        assert (done.returncode, done.stdout.count("missing: ")) == (1, 1)
    gone = command("verify")  # the server has ended
    assert gone.returncode == 2
    monkeypatch.delenv("WARC_STORE")
    done = command("verify")
    assert done.returncode == 2
    assert "1 WARC file cannot be read here: set WARC_STORE" in done.stderr
    assert made.warc.with_name(made.warc.name + STORED).exists()


def test_images_in_s3(made: Made, command: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILES_STORE", "s3://zjol/images/")
    names = [str(path.relative_to(made.data / "images")) for path in made.images]
    with S3Server() as server:
        server.bucket("zjol")
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        for name, path in zip(names, made.images, strict=True):
            data = path.read_bytes()
            server.client.put_object(Bucket="zjol", Key=f"images/{name}", Body=data)
        done = command("verify")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{len(names)} images (" in done.stdout
        server.client.put_object(Bucket="zjol", Key=f"images/{names[0]}", Body=data[::-1])
        server.client.delete_object(Bucket="zjol", Key=f"images/{names[1]}")
        done = command("verify")
        assert done.returncode == 1
        assert f"damaged: images/{names[0]}: " in done.stdout
        assert f"missing: images/{names[1]}: " in done.stdout
    gone = command("verify")  # the server has ended: that says nothing of the images
    assert (gone.returncode, "images/" in gone.stdout) == (2, False)


def test_images_that_cannot_be_read_here(
    made: Made, command: Crawl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILES_STORE", "ftp://zjol/images/")
    assert "images are not verified" in command("verify").stderr


def test_crawled_archive(site: SiteProxy, crawl: Crawl, command: Crawl, db: Database[Any]) -> None:
    serve_column(site, [[(DAY, 4774001), (DAY, 4774002)]])
    for _ in range(2):
        assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    done = command("verify")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("2 WARC files with ")
    db.articles.delete_many({})
    assert command("verify").returncode == 0


def test_unusable(tmp_path: Path, mongodb_uri: str, database: str) -> None:
    done = scrapy("verify", data=tmp_path / "none", uri=mongodb_uri, database=database)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"zjolcrawl: DATA_DIR {tmp_path / 'none'} is no folder\n"
    for arguments in (("x",), ("--column", "zjxw")):
        assert scrapy("verify", *arguments, data=tmp_path, uri=mongodb_uri).returncode == 2
    assert scrapy("verify", data=tmp_path, uri="mongodb://127.0.0.1:1/").returncode == 2
