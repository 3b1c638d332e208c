"""A crawl with WARC files and images in S3: `scrapy archive push`, and all commands that read."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive.test_archive import left_open
from tests.support.crawling import Crawl, scrapy
from tests.support.goldens import file_of
from tests.support.rebuilding import drop
from tests.support.s3_server import S3Server
from tests.support.site import SiteProxy
from zjolcrawl import open_archive

REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
_WITHOUT_BOTOCORE = "import sys; sys.modules['botocore'] = None  # as if it were not installed\n"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture
def stores(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server with two buckets, named in the environment."""
    for bucket in ("pages", "pictures"):
        server.bucket(bucket)
    addresses = {"WARC_STORE": "s3://pages/warc", "FILES_STORE": "s3://pictures/of/articles/"}
    for name, value in {**server.environ, **addresses}.items():
        monkeypatch.setenv(name, value)
    # The crawl's proxy is for the site's hosts, not for the store.
    through = SiteProxy.environ.fget
    assert through is not None
    around = property(lambda site: {**through(site), "no_proxy": "127.0.0.1"})
    monkeypatch.setattr(SiteProxy, "environ", around)
    yield server
    for bucket in ("pages", "pictures"):
        for name in server.objects(bucket):
            server.client.delete_object(Bucket=bucket, Key=name)
        server.client.delete_bucket(Bucket=bucket)


def test_everything_is_read_from_the_stores(
    stores: S3Server, site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl,
    mongodb_uri: str, tmp_path: Path,
) -> None:  # fmt: skip
    done = crawl("article", url=REFERENCE)
    assert done.returncode == 0, done.stderr
    document = db.articles.find_one({"_id": REFERENCE})
    assert document is not None
    (image,) = document["images"]
    assert stores.objects("pictures") == {
        f"of/articles/{image['path']}": file_of(image["url"]).read_bytes()
    }

    pushed = command("archive", "push", "--remove")
    assert pushed.returncode == 0, pushed.stderr
    assert pushed.stdout == "s3://pages/warc: 1 file uploaded, 1 deleted here\n"
    file = document["warc"]["file"]
    assert not (tmp_path / "warc" / file).exists()
    assert f"warc/{file}" in stores.objects("pages")

    page = file_of(REFERENCE).read_bytes()
    assert command("article", REFERENCE, "--raw").stdout == page.decode()
    with open_archive(tmp_path, mongodb_uri, db.name) as archive:
        article = archive.article(REFERENCE)
        assert article is not None
        assert archive.page(article) == page
    packed = command("archive", "wacz", "-o", str(tmp_path / "all.wacz"))
    assert packed.returncode == 0, packed.stderr
    assert "1 page," in packed.stdout

    drop(db)
    site.reset_log()
    reread = crawl("reparse")
    assert reread.returncode == 0, reread.stderr
    assert site.requests == []
    again = db.articles.find_one({"_id": REFERENCE})
    assert again is not None
    assert {**again, "run_id": document["run_id"]} == document

    other = tmp_path / "other host"
    known = scrapy("archive", "pull", data=other, uri=mongodb_uri, database=db.name)
    assert known.stdout == "s3://pages/warc: 1 new file registered\n", known.stderr
    shown = scrapy(
        "article", REFERENCE, "--raw", data=other, uri=mongodb_uri, database=db.name
    ).stdout
    assert shown == page.decode()


def test_bucket_that_is_not_there_costs_the_image_alone(
    stores: S3Server, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    done = crawl("article", url=REFERENCE, FILES_STORE="s3://none/x/")
    assert done.returncode == 1
    document = db.articles.find_one({"_id": REFERENCE})
    assert document is not None
    assert document["images"][0]["status"] == "failed"
    assert "image 1: not stored: " in document["warnings"][0]


@pytest.mark.usefixtures("stores")
def test_store_that_is_away_keeps_the_files_and_says_so(
    site: SiteProxy, crawl: Crawl, command: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert crawl("article", url=REFERENCE, IMAGES="off").returncode == 0
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # where nothing listens
    done = command("archive", "push", "--remove")
    assert done.returncode == 1
    assert "0 files uploaded" in done.stdout
    assert "Could not connect" in done.stderr
    assert len(list((tmp_path / "warc").glob("*.warc.gz"))) == 1


def test_what_a_killed_run_left_is_completed_and_goes_too(
    stores: S3Server, command: Crawl, tmp_path: Path
) -> None:
    path, _ = left_open(tmp_path / "warc", 3)
    torn = path.read_bytes()[:-7]
    path.write_bytes(torn)
    done = command("archive", "push")
    assert done.returncode == 0, done.stderr
    assert "left by a run that was cut off" in done.stderr
    name = path.name.removesuffix(".open")
    brought = stores.objects("pages")[f"warc/{name}"]
    assert torn.startswith(brought)
    assert brought == (tmp_path / "warc" / name).read_bytes()


@pytest.mark.parametrize(
    ("store", "line"),
    [
        ("", "setting WARC_STORE is empty: set it to s3://BUCKET/PREFIX"),
        ("http://x/y", "setting WARC_STORE: http://x/y is not s3://BUCKET/PREFIX"),
    ],
)
def test_no_store(store: str, line: str, command: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARC_STORE", store)
    done = command("archive", "push")
    assert (done.returncode, done.stderr) == (2, f"zjolcrawl: {line}\n")


@pytest.mark.parametrize("name", ["WARC_STORE", "FILES_STORE"])
def test_crawl_without_the_package_says_what_is_missing(
    name: str, crawl: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_BOTOCORE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done: subprocess.CompletedProcess[str] = crawl("article", url=REFERENCE, **{name: "s3://x/y"})
    assert done.returncode == 2
    assert f"setting {name}: s3:// needs the package botocore" in done.stderr
