"""Images: bytes are stored as served, each has its status, and no article is lost."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import gridfs
import pytest
from PIL import Image as Pillow
from pymongo.database import Database

from tests.support.crawling import Begin, Crawl, ended, peak_memory, start_scrapy
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.site import Answer, SiteProxy

IDENT = 4774001
CDN = "http://img.zjolcdn.com/pic/0/07/11/20"
FOLDER = url_of(IDENT).rpartition("/")[0]


def picture(kind: str, size: tuple[int, int] = (64, 48), shade: int = 120) -> bytes:
    out = BytesIO()
    Pillow.effect_noise(size, shade).convert("RGB").save(out, kind)
    return out.getvalue()


PNG, JPEG = picture("PNG"), picture("JPEG", (80, 60))


def serve(site: SiteProxy, **images: Answer) -> None:
    """One article with these images in order, served from the article's folder."""
    serve_column(site, [[(DAY, IDENT)]])
    marks = "".join(f'<p><img src="./{name}.jpg"></p>' for name in images)
    site.set(url_of(IDENT), Answer(body=article(DAY, IDENT, more=marks)))
    for name, answer in images.items():
        site.set(f"{FOLDER}/{name}.jpg", answer)


def image_of(db: Database[Any], position: int) -> dict[str, Any]:
    document = db.articles.find_one()
    assert document is not None
    return dict(document["images"][position - 1])


def test_bytes_are_kept_untouched_under_their_hash(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve(site, png=Answer(body=PNG), jpeg=Answer(body=JPEG))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    assert "images 2 stored, 0 missing, 0 failed" in done.stderr
    for position, data, kind, size in (
        (1, PNG, "image/png", (64, 48)),
        (2, JPEG, "image/jpeg", (80, 60)),
    ):
        image = image_of(db, position)
        sha256 = hashlib.sha256(data).hexdigest()
        assert (image["status"], image["sha256"]) == ("stored", sha256)
        assert (image["width"], image["height"]) == size
        assert (image["content_type"], image["bytes"]) == (kind, len(data))
        assert (tmp_path / "images" / image["path"]).read_bytes() == data
    assert image_of(db, 1)["path"].endswith(".png")  # the type comes from the bytes, not the name


def test_only_images_that_were_fetched_are_counted_as_stored(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve(site, png=Answer(body=PNG), jpeg=Answer(body=JPEG))
    first = crawl("column", url=COLUMN)
    assert "images 2 stored, 0 missing" in first.stderr
    summary = first.stderr.splitlines()[-1]
    assert summary in (tmp_path / "logs" / "zjolcrawl.log").read_text()
    again = crawl("column", url=COLUMN, recheck="on")
    assert "images 0 stored, 2 already stored, 0 missing, 0 failed" in again.stderr, again.stderr
    assert db.runs.find_one(sort=[("started_at", -1)])["counts"]["images_reused"] == 2  # type: ignore[index]


def test_every_fault_is_a_status_and_the_article_is_stored(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve(
        site,
        whole=Answer(body=PNG),
        cut=Answer(body=JPEG[:-200]),
        broken=Answer(body=JPEG, fault="truncate"),
        page=Answer(body=b"<html>not here</html>"),
        absent=Answer(status=404),
        removed=Answer(status=410),
        error=Answer(status=500),
        home=Answer(status=302, headers={"Location": "http://127.0.0.1:1/x.jpg"}),
        other=Answer(status=302, headers={"Location": "http://www.example.com/x.jpg"}),
        inside=Answer(status=301, headers={"Location": f"{FOLDER}/whole.jpg"}),
    )
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert "images 2 stored, 2 missing, 6 failed" in done.stderr, done.stderr
    document = db.articles.find_one()
    assert document is not None
    assert [each["status"] for each in document["images"]] == [
        "stored", "failed", "failed", "failed", "missing", "missing", "failed", "failed", "failed",
        "stored",
    ]  # fmt: skip
    assert [w for w in document["warnings"] if w.startswith("image 2: damaged")]
    assert [w for w in document["warnings"] if w.startswith("image 8: OffSite: ")]
    assert not [url for url in site.urls() if "127.0.0.1" in url or "example.com" in url]
    kept = [path for path in (tmp_path / "images").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [PNG]


@pytest.mark.parametrize("chunked", [False, True])
def test_300_megabytes_leave_memory_flat(
    chunked: bool, site: SiteProxy, db: Database[Any], tmp_path: Path, begin: Begin
) -> None:
    """With and without Content-Length: cut off at the limit."""

    def needed(body: bytes) -> int:
        serve(site, huge=Answer(body=body, chunked=chunked))
        running = begin(
            "article",
            "-a",
            f"url={url_of(IDENT)}",
            "-s",
            "IMAGES_MAX_BYTES=4000000",
        )
        most = peak_memory(running)
        assert running.stderr is not None
        assert "1 failed" in running.stderr.read() or body is PNG
        running.communicate()
        return most

    usual = needed(PNG)
    site.unset(f"{FOLDER}/huge.jpg")
    db.articles.drop()
    for path in (tmp_path / "warc").iterdir():
        path.unlink()
    assert needed(bytes(300_000_000)) - usual < 40_000_000
    assert image_of(db, 1)["status"] == "failed"


def test_same_picture_on_many_articles_is_one_file_and_one_request(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    idents = [4774001, 4774002, 4774003]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    site.set(f"{CDN}/view.png", Answer(body=PNG))
    site.set(f"{CDN}/copy.png", Answer(body=PNG))
    for ident in idents:
        name = "copy" if ident == 4774003 else "view"
        mark = f'<p><img src="{CDN}/{name}.png"></p>'
        site.set(url_of(ident), Answer(body=article(DAY, ident, more=mark)))
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    asked = [url for url in site.urls("img.zjolcdn.com") if not url.endswith("robots.txt")]
    assert sorted(asked) == [f"{CDN}/copy.png", f"{CDN}/view.png"]
    assert f"{CDN.partition('/pic')[0]}/robots.txt" in site.urls("img.zjolcdn.com")
    hashes = {d["images"][0]["sha256"] for d in db.articles.find()}
    assert hashes == {hashlib.sha256(PNG).hexdigest()}
    assert len([p for p in (tmp_path / "images").rglob("*") if p.is_file()]) == 1


def test_what_failed_is_fetched_at_the_next_visit_and_is_no_edit(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, late=Answer(status=500), damaged=Answer(body=JPEG[:-100]))
    crawl("column", url=COLUMN, recheck="on")
    assert {image_of(db, n)["status"] for n in (1, 2)} == {"failed"}
    site.set(f"{FOLDER}/late.jpg", Answer(body=PNG))
    site.set(f"{FOLDER}/damaged.jpg", Answer(body=JPEG))
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 0, done.stderr
    assert {image_of(db, n)["status"] for n in (1, 2)} == {"stored"}
    document = db.articles.find_one()
    assert document is not None
    assert document["revision"] == 1
    assert not [w for w in document.get("warnings", []) if w.startswith("image")]
    site.set(f"{FOLDER}/late.jpg", Answer(status=404))
    crawl("column", url=COLUMN, recheck="on")
    assert image_of(db, 1)["status"] == "stored"  # stored images stay


def test_off_keeps_references_alone(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve(site, png=Answer(body=PNG))
    assert crawl("column", url=COLUMN, IMAGES="off").returncode == 0
    assert image_of(db, 1) == {
        "url": f"{FOLDER}/png.jpg", "ref": "./png.jpg", "position": 1, "status": "referenced",
    }  # fmt: skip
    assert not (tmp_path / "images").exists()
    assert f"{FOLDER}/png.jpg" not in site.urls()


def test_image_on_another_site_is_a_reference(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, IDENT)]])
    mark = '<p><img src="http://127.0.0.1/a.jpg"><img src="http://www.example.com/b.jpg"></p>'
    site.set(url_of(IDENT), Answer(body=article(DAY, IDENT, more=mark)))
    assert crawl("column", url=COLUMN).returncode == 0
    assert {image_of(db, n)["status"] for n in (1, 2)} == {"referenced"}
    assert not [url for url in site.urls() if "zjol.com.cn" not in url]


def test_only_so_many_of_one_article(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    serve(site, **{f"n{number}": Answer(body=PNG) for number in range(4)})
    assert crawl("column", url=COLUMN, IMAGES_MAX_COUNT=2).returncode == 0
    statuses = [image_of(db, n)["status"] for n in (1, 2, 3, 4)]
    assert statuses == ["stored", "stored", "referenced", "referenced"]


def test_gridfs_is_a_store(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve(site, png=Answer(body=PNG))
    assert crawl("column", url=COLUMN, FILES_STORE="gridfs://pictures").returncode == 0
    path = image_of(db, 1)["path"]
    assert gridfs.GridFSBucket(db, "pictures").open_download_stream(path).read() == PNG
    assert not (tmp_path / "images").exists()


def test_store_that_cannot_be_written_fails_the_image_alone(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    (tmp_path / "images").write_text("in the way")
    serve(site, png=Answer(body=PNG))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert image_of(db, 1)["status"] == "failed"
    document = db.articles.find_one()
    assert document is not None
    assert [w for w in document["warnings"] if w.startswith("image 1: not stored")]


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("IMAGES=perhaps", "IMAGES: perhaps is neither on nor off"),
        ("IMAGES_MAX_BYTES=0", "IMAGES_MAX_BYTES=0"),
        ("FILES_STORE=gs://x/y", "FILES_STORE: gs:// needs the package google.cloud.storage"),
        ("FILES_STORE=cloud://x", "FILES_STORE: cloud:// is not a supported image store"),
    ],
)
def test_unusable_setting(setting: str, line: str, tmp_path: Path) -> None:
    running = start_scrapy(
        "crawl", "column", "-s", setting, site=None, data=tmp_path, uri="", database="zjol"
    )
    _, err = ended(running)
    assert running.returncode == 2
    assert line in err
