"""DATA_DIR on a full file system: reported, nothing corrupt, and continued by the next run."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.archive.others import accepted
from tests.archive.test_import import write
from tests.support.crawling import scrapy
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.site import Answer, SiteProxy

IDENTS = range(4774001, 4774081)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"mounting needs root: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def noisy(chance: random.Random, ident: int) -> bytes:
    """An article page of 60 KB that hardly compress."""
    noise = "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(20_000))
    return article(DAY, ident, more=f"<p>{noise}</p>")


def test_full_file_system(
    small: Path, site: SiteProxy, db: Database[Any], mongodb_uri: str, database: str
) -> None:
    serve_column(site, [[(DAY, ident) for ident in IDENTS]])
    chance = random.Random(1)
    pages = {}
    for ident in IDENTS:
        pages[url_of(ident)] = noisy(chance, ident)
        site.set(url_of(ident), Answer(body=pages[url_of(ident)]))

    def run() -> subprocess.CompletedProcess[str]:
        return scrapy(
            "crawl", "column", "-a", f"url={COLUMN}", "-s", "MONGODB_BATCH_SIZE=5",
            site=site, data=small, uri=mongodb_uri, database=database,
        )  # fmt: skip

    done = run()
    assert done.returncode == 1
    assert "No space left on device" in done.stderr or "disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    early = db.articles.count_documents({})
    assert 0 < early < len(IDENTS)
    assert db.frontier.count_documents({"state": "stored"}) == early
    assert db.frontier.count_documents({"state": "pending"}) == len(IDENTS) - early

    subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
    done = run()
    assert done.returncode == 0, done.stderr
    assert {row["state"] for row in db.frontier.find()} == {"stored"}
    there = {(r.file, r.offset): r for r in accepted(small / "warc")}
    documents = list(db.articles.find())
    assert len(documents) == len(IDENTS)
    for document in documents:
        record = there[document["warc"]["file"], document["warc"]["offset"]]
        assert record.decoded == pages[document["_id"]]


def test_import_onto_a_full_file_system(
    small: Path, db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    """The copy of the file fits, what is recorded of it does not."""
    chance = random.Random(2)
    urls = [url_of(ident) for ident in IDENTS[:30]]
    records = []
    for ident, url in zip(IDENTS, urls, strict=False):
        page = made.http(noisy(chance, ident), Content_Type="text/html")
        records.append(made.warc_record(url, page))
    file = write(tmp_path / "theirs.warc.gz", *records)
    arguments = ("archive", "import", str(file))

    def run() -> subprocess.CompletedProcess[str]:
        return scrapy(*arguments, data=small, uri=mongodb_uri, database=database)

    done = run()
    assert done.returncode == 1, done.stderr
    assert "the import cannot go on" in done.stderr
    assert "No space left on device" in done.stderr or "disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert db.articles.count_documents({}) < len(urls)

    subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
    done = run()
    assert done.returncode == 0, done.stderr
    assert {each["_id"] for each in db.articles.find()} == set(urls)
    assert len([r for r in accepted(small / "warc") if r.url in urls]) == len(urls)
