"""Commands report damage by file name, with exit status 1, each time until it is repaired."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo.database import Database

from tests.archive.test_damage import flip
from tests.support.crawling import Crawl, scrapy
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.rebuilding import drop, snapshot
from tests.support.s3_server import S3Server
from tests.support.site import Answer, SiteProxy

IDENTS = [4774001, 4774002, 4774003]


@pytest.fixture
def crawled(site: SiteProxy, db: Database[Any], crawl: Crawl) -> Database[Any]:
    serve_column(site, [[(DAY, ident) for ident in IDENTS]])
    assert (
        crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1, recheck="on").returncode == 0
    )
    return db


def damage(folder: Path, pointer: dict[str, Any]) -> Path:
    """Damages one byte of a record."""
    path = folder / str(pointer["file"])
    data = bytearray(path.read_bytes())
    flip(data, pointer["offset"] + 200)
    path.write_bytes(data)
    return path


def pointer_of(db: Database[Any], ident: int) -> dict[str, Any]:
    found = db.articles.find_one({"_id": url_of(ident)})
    assert found
    return dict(found["warc"])


def forget_index(folder: Path) -> None:
    for file in folder.glob("index.sqlite*"):
        file.unlink()


@pytest.mark.parametrize("indexed", [True, False])
def test_reading_again_names_the_damage_every_time_and_reads_the_rest(
    indexed: bool, crawled: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    before = snapshot(crawled)
    path = damage(tmp_path / "warc", pointer_of(crawled, IDENTS[1]))
    if not indexed:
        forget_index(tmp_path / "warc")
    drop(crawled)
    for _ in range(2):
        done = crawl("reparse")
        assert done.returncode == 1
        assert path.name in done.stderr
        assert "Traceback" not in done.stderr
        stored = {d["_id"] for d in crawled.articles.find()}
        assert stored == {url_of(IDENTS[0]), url_of(IDENTS[2])}
    for name, document in snapshot(crawled).items():
        assert document == before[name] or url_of(IDENTS[1]) in name


def test_record_that_is_damaged_is_named_and_another_is_shown(
    crawled: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    path = damage(tmp_path / "warc", pointer_of(crawled, IDENTS[1]))
    for option in ("--raw", "--raw", "--record"):
        done = command("article", url_of(IDENTS[1]), option)
        assert (done.returncode, done.stdout) == (1, "")
        assert path.name in done.stderr
        assert "is damaged" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert command("article", url_of(IDENTS[0]), "--raw").returncode == 0
    path.unlink()
    for _ in range(2):
        done = command("article", url_of(IDENTS[1]), "--raw")
        assert done.returncode == 1
        assert path.name in done.stderr


def test_crawl_goes_on_beside_damage_and_says_so(
    crawled: Database[Any], site: SiteProxy, crawl: Crawl, tmp_path: Path
) -> None:
    path = damage(tmp_path / "warc", pointer_of(crawled, IDENTS[1]))
    forget_index(tmp_path / "warc")
    for _ in range(2):
        done = crawl("column", url=COLUMN, recheck="on")
        assert done.returncode == 0, done.stderr
        assert path.name in done.stderr


def test_packed_file_has_what_can_be_read(
    crawled: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    path = damage(tmp_path / "warc", pointer_of(crawled, IDENTS[1]))
    for number in range(3):
        if number == 2:
            forget_index(tmp_path / "warc")
        done = command("archive", "wacz", "-o", str(tmp_path / "x.wacz"))
        assert done.returncode == 1
        assert path.name in done.stderr
        assert "3 pages" in done.stdout  # the list and two articles


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture
def store(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    bucket = f"b{uuid4().hex[:12]}"
    server.bucket(bucket)
    for name, value in {**server.environ, "WARC_STORE": f"s3://{bucket}/warc"}.items():
        monkeypatch.setenv(name, value)
    return server


def test_pulled_file_that_is_damaged_is_named_every_time(
    crawled: Database[Any], store: S3Server, command: Crawl, crawl: Crawl, tmp_path: Path,
    mongodb_uri: str,
) -> None:  # fmt: skip
    path = damage(tmp_path / "warc", pointer_of(crawled, IDENTS[1]))
    assert command("archive", "push").returncode == 0  # push does not read records
    other = tmp_path / "other"
    for new in (1, 0, 0):
        done = scrapy("archive", "pull", data=other, uri=mongodb_uri, database=crawled.name)
        assert done.returncode == 1
        assert path.name in done.stderr
        assert f": {new} new file" in done.stdout
    shown = scrapy(
        "article", url_of(IDENTS[2]), "--raw", data=other, uri=mongodb_uri, database=crawled.name
    )
    assert (shown.returncode, shown.stdout.encode()) == (0, article(DAY, IDENTS[2]))


def findings(command: Crawl) -> tuple[int, list[str]]:
    done = command("health", "--json")
    found = json.loads(done.stdout)["findings"]
    return done.returncode, [f["text"] for f in found if f["section"] == "archive" and f["bad"]]


@pytest.mark.parametrize("how", ["the file", "and the index", "seen by a run", "the folder"])
def test_missing_file_is_noticed(
    how: str, crawled: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    assert findings(command)[1] == []
    folder = tmp_path / "warc"
    name = pointer_of(crawled, IDENTS[0])["file"]
    aside = tmp_path / "aside"
    (folder / name).rename(aside)
    if how == "and the index":
        forget_index(folder)
    if how == "the folder":
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()
    if how == "seen by a run":
        crawled["articles"].drop()  # only the index still knows it
        done = crawl("column", url=f"{COLUMN}none/", recheck="on")
        assert name in done.stderr
    for _ in range(2):
        status, told = findings(command)
        assert status == 1
        assert len(told) == 1
        assert name in told[0]
    folder.mkdir(exist_ok=True)
    aside.rename(folder / name)
    if how == "seen by a run":
        crawl("reparse", dry_run="on")
    assert findings(command)[1] == []


def test_file_in_a_store_is_not_missing(
    crawled: Database[Any], store: S3Server, command: Crawl, tmp_path: Path
) -> None:
    assert command("archive", "push", "--remove").returncode == 0
    assert not list((tmp_path / "warc").glob("*.warc.gz"))
    assert findings(command)[1] == []


def test_file_of_a_former_version_or_a_further_page_is_missed_too(
    crawled: Database[Any], command: Crawl
) -> None:
    names = [f"zjol-20170812000000000-{n:024x}-00001.warc.gz" for n in range(2)]
    pointer = {**pointer_of(crawled, IDENTS[0])}
    document = crawled.articles.find_one({"_id": url_of(IDENTS[1])})
    assert document
    key = {"url": document["_id"], "revision": 1}
    crawled.revisions.insert_one({**document, "_id": key, "warc": {**pointer, "file": names[0]}})
    crawled.articles.update_one(
        {"_id": url_of(IDENTS[2])},
        {"$set": {"pages_warc": [pointer, {**pointer, "file": names[1]}]}},
    )
    status, told = findings(command)
    assert status == 1
    assert all(name in told[0] for name in names)


def test_known_damage_is_no_health(
    crawled: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    path = tmp_path / "warc" / pointer_of(crawled, IDENTS[1])["file"]
    whole = path.read_bytes()
    damage(tmp_path / "warc", pointer_of(crawled, IDENTS[1]))
    forget_index(tmp_path / "warc")
    crawl("reparse", dry_run="on")
    status, told = findings(command)
    assert status == 1
    assert "unreadable from byte" in told[0]
    path.write_bytes(whole)
    assert crawl("reparse", dry_run="on").returncode == 0
    assert findings(command)[1] == []


def test_index_that_is_garbage_costs_a_note(
    crawled: Database[Any], site: SiteProxy, crawl: Crawl, tmp_path: Path
) -> None:
    before = snapshot(crawled)
    (tmp_path / "warc" / "index.sqlite").write_bytes(b"garbage" * 9000)
    drop(crawled)
    done = crawl("reparse")
    assert done.returncode == 0, done.stderr
    assert "rebuilt from the WARC files" in done.stderr
    assert snapshot(crawled) == before
    with sqlite3.connect(tmp_path / "warc" / "index.sqlite") as db:
        assert db.execute("SELECT count(*) FROM captures").fetchone()[0] >= 4
    db.close()


@pytest.mark.parametrize("members", [2, 7, 60])
@pytest.mark.parametrize("end", [b"", bytes(512)])
def test_raw_gives_all_members_of_a_body(
    members: int, end: bytes, site: SiteProxy, crawl: Crawl, command: Crawl
) -> None:
    page = article(DAY, IDENTS[0])
    size = len(page) // members + 1
    body = b"".join(gzip.compress(page[at : at + size]) for at in range(0, len(page), size))
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
    site.set(url_of(IDENTS[0]), Answer(headers=headers, body=body + end))
    assert crawl("article", url=url_of(IDENTS[0])).returncode == 0
    assert command("article", url_of(IDENTS[0]), "--raw").stdout.encode() == page
