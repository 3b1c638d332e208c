"""Records that a crawl archives, read back by independent tools."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive.others import accepted, other_cdxj
from tests.support.crawling import Begin, Crawl
from tests.support.goldens import FOLDERS
from tests.support.pages import COLUMN, DAY, HOST, article, serve_column, url_of
from tests.support.site import Answer, SiteProxy

IDS = range(4774001, 4774031)


@pytest.mark.parametrize("gzip", [False, True])
def test_every_response_is_there_as_it_was_served(
    gzip: bool, site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    site.gzip = gzip
    crawl("column", column="zjxw")
    records = accepted(tmp_path / "warc")
    responses = [r for r in records if r.type == "response"]
    requested = [r for r in records if r.type == "request"]
    assert sorted(r.url for r in requested) == sorted(site.urls())
    answers = [r for r in records if r.type in {"response", "revisit"}]
    assert len(answers) == len(site.urls())
    assert any("Content-Encoding" in r.headers for r in answers) == gzip
    compared = 0
    for record in responses:
        path = record.url.removeprefix("http://")
        files = [folder / path for folder in FOLDERS if (folder / path).is_file()]
        if record.status == 200 and files:
            assert record.decoded == files[0].read_bytes(), record.url
            compared += 1
    assert compared > 10
    for document in db.articles.find():
        at = document["warc"]
        (record,) = [r for r in responses if (r.file, r.offset) == (at["file"], at["offset"])]
        assert f"<{at['record_id']}>" == record.headers["WARC-Record-ID"]
        assert record.url.replace("https:", "http:") in {
            document["_id"],
            *document.get("aliases", []),
        }
    assert "run " in records[0].payload.decode()
    assert "mongodb://" not in records[0].payload.decode()


def test_index_beside_each_file_is_the_one_others_make(
    site: SiteProxy, crawl: Crawl, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, ident) for ident in IDS]])
    done = crawl("column", url=COLUMN, WARC_MAX_BYTES=5_000)
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "warc").glob("*.warc.gz"))
    assert len(files) > 3
    for file in files:
        beside = file.with_name(file.name.replace(".warc.gz", ".cdxj"))
        assert beside.read_text("utf-8") == other_cdxj(file)
    assert sum(r.type == "warcinfo" for r in accepted(tmp_path / "warc")) == len(files)


def test_same_bytes_again_are_a_revisit(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, 4774001)]])
    crawl("column", url=COLUMN, recheck="on")
    before = db.articles.find_one()
    crawl("column", url=COLUMN, recheck="on")
    after = db.articles.find_one()
    assert before is not None
    assert after is not None
    assert after["warc"] == before["warc"]
    (page, again) = [
        r for r in accepted(tmp_path / "warc") if r.url == url_of(4774001) and r.status
    ]
    assert (page.type, again.type) == ("response", "revisit")
    assert again.headers["WARC-Refers-To"] == page.headers["WARC-Record-ID"]
    assert again.headers["WARC-Profile"].endswith("identical-payload-digest")
    assert again.payload == b""


def test_chunked_and_cut_off_answers(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    """A chunked body is stored without its framing; a body that breaks off is stored as far as it arrived."""
    serve_column(site, [[(DAY, ident) for ident in (4774001, 4774002, 4774003)]])
    site.set(url_of(4774001), Answer(body=article(DAY, 4774001), chunked=True))
    site.set(url_of(4774002), Answer(body=article(DAY, 4774002), fault="truncate"))
    site.set(url_of(4774003), Answer(fault="reset"))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    kept = {r.url: r for r in accepted(tmp_path / "warc") if r.type in {"response", "metadata"}}
    assert kept[url_of(4774001)].payload == article(DAY, 4774001)
    assert "Transfer-Encoding" not in kept[url_of(4774001)].headers
    page = article(DAY, 4774002)
    assert kept[url_of(4774002)].payload == page[: len(page) // 2]
    assert kept[url_of(4774002)].headers["WARC-Truncated"] == "disconnect"
    assert kept[url_of(4774003)].type == "metadata"
    assert kept[url_of(4774003)].payload.startswith(b"fetch-failed: ")


def test_no_archive_where_none_is_wanted(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, 4774001)]])
    done = crawl("column", url=COLUMN, WARC="off")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "warc").exists()
    assert "warc" not in (db.articles.find_one() or {})


def test_full_disk_ends_the_run_and_loses_nothing(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    """A folder that cannot be written stands for a full disk: the links stay pending."""
    (tmp_path / "warc").write_text("in the way")
    serve_column(site, [[(DAY, 4774001)]])
    done = crawl("column", url=COLUMN)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "archive" in done.stderr
    assert not site.urls()


def test_killed_at_ten_random_moments(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path, begin: Begin
) -> None:
    seed = time.time_ns()
    moments = random.Random(seed)
    serve_column(site, [[(DAY, ident) for ident in IDS]])
    site.delay = 0.02
    warc = tmp_path / "warc"
    for _ in range(10):
        left = set(warc.glob("*.open"))
        most = moments.randrange(20_000)
        running = begin("column", "-a", f"url={COLUMN}", "-s", "MONGODB_BATCH_SECONDS=0.1")
        while running.poll() is None:
            if any(path.stat().st_size > most for path in set(warc.glob("*.open")) - left):
                break
            time.sleep(0.002)
        running.kill()
        running.communicate()
    site.delay = 0
    left = set(warc.glob("*.open"))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    records = accepted(warc)
    if left:
        assert "left by a run that was cut off" in done.stderr, seed
    there = {(r.file, r.offset): r for r in records}
    served = {url_of(ident): article(DAY, ident) for ident in IDS}
    assert {d["_id"] for d in db.articles.find()} == set(served)
    for document in db.articles.find():
        record = there[document["warc"]["file"], document["warc"]["offset"]]
        assert record.decoded == served[document["_id"]], seed
    origins = {r.headers["WARC-Record-ID"] for r in records if r.type == "response"}
    for record in records:
        if record.type == "response" and record.url in served:
            assert record.decoded == served[record.url], seed
        if record.type == "revisit":
            assert record.headers["WARC-Refers-To"] in origins, seed
    assert all(r["state"] == "stored" for r in db.frontier.find()), HOST
