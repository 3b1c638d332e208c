"""`scrapy archive import`: files by other programs become articles, as if they had been crawled."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from warcio.archiveiterator import ArchiveIterator

from tests.archive import foreign_made as made
from tests.archive.others import accepted
from tests.commands.test_archive import unpacked
from tests.pipelines.test_images import PNG
from tests.support import pywb
from tests.support.crawling import Crawl, scrapy
from tests.support.databases import Databases
from tests.support.goldens import FOLDERS
from tests.support.pages import HOST, article
from tests.support.rebuilding import empty, snapshot
from tests.support.site import Answer, SiteProxy

COLUMN = "zjxw"
# What differs between a crawl and the import of the same pages: which run, when, and in which record.
OF_A_VISIT = {
    "run_id", "warc", "pages_warc", "provenance", "first_seen_at", "last_seen_at", "changed_at",
    "written_at",
}  # fmt: skip
Pages = dict[str, tuple[str, bytes]]
"""The pages of a crawl that were answered with status 200: media type and body by URL."""


@dataclass(frozen=True, slots=True)
class Crawled:
    """A crawl of one column: its pages, the URLs that it asked for and its articles."""

    pages: Pages
    urls: list[str]
    articles: dict[str, dict[str, Any]]


Maker = Callable[[SiteProxy, Path, Crawled], Path]


NEWS = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708"
FIRST, SECOND = f"{NEWS}/t20170812_4774001.shtml", f"{NEWS}/t20170812_4774002.shtml"
EARLY, LATE = "2018-01-01T00:00:00Z", "2019-06-01T00:00:00.500Z"


def articles(db: Database[Any]) -> dict[str, dict[str, Any]]:
    """The articles without what tells of their visits."""
    found = {}
    for each in db.articles.find():
        each["columns"] = sorted(each.get("columns", []))
        found[each["_id"]] = {k: v for k, v in each.items() if k not in OF_A_VISIT}
    return found


def write(path: Path, *records: bytes) -> Path:
    path.write_bytes(made.members(records))
    return path


def pages_of(folder: Path) -> Pages:
    """The pages in the WARC files of a folder, in order."""
    pages: Pages = {}
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response" and record.http_headers.get_statuscode() == "200":
                    mime = record.http_headers.get_header("Content-Type", "text/html")
                    body = record.content_stream().read()
                    pages.setdefault(record.rec_headers["WARC-Target-URI"], (mime, body))
    return pages


@pytest.fixture(scope="module")
def crawled(
    mongodb_uri: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Crawled:
    """A crawl that all tests of a module share, in a database and an archive of its own."""
    data, database = tmp_path_factory.mktemp("crawled"), databases.take()
    with SiteProxy(FOLDERS) as site, MongoClient[Any](mongodb_uri, tz_aware=True) as client:
        site.set(f"{HOST}/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
        scrapy(
            "crawl", "column", "-a", f"column={COLUMN}",
            site=site, data=data, uri=mongodb_uri, database=database,
        )  # fmt: skip
        found = articles(client[database])
        urls = [url for url in site.urls() if not url.endswith("robots.txt")]
    databases.give_back(database)
    assert len(found) > 5
    assert any(i["status"] == "stored" for each in found.values() for i in each.get("images", ()))
    return Crawled(pages_of(data / "warc"), list(dict.fromkeys(urls)), found)


def by_wget(site: SiteProxy, folder: Path, crawled: Crawled) -> Path:
    return made.wget(site, folder / "others", crawled.urls)


def by_wget_uncompressed(site: SiteProxy, folder: Path, crawled: Crawled) -> Path:
    return made.wget(site, folder / "others", crawled.urls, "--no-warc-compression")


def by_a_browser(site: SiteProxy, folder: Path, crawled: Crawled) -> Path:
    return made.browser_made(crawled.pages, folder / "others.warc.gz")


def as_wacz(site: SiteProxy, folder: Path, crawled: Crawled) -> Path:
    return made.wacz([by_a_browser(site, folder, crawled)], folder / "others.wacz")


def _arc(pages: Pages) -> list[bytes]:
    return made.arc(
        {url: made.http(body, Content_Type=mime) for url, (mime, body) in pages.items()}
    )


def as_arc(site: SiteProxy, folder: Path, crawled: Crawled) -> Path:
    path = folder / "others.arc"
    path.write_bytes(b"".join(_arc(crawled.pages)))
    return path


def as_arc_gz(site: SiteProxy, folder: Path, crawled: Crawled) -> Path:
    path = folder / "others.arc.gz"
    path.write_bytes(made.members(_arc(crawled.pages)))
    return path


def as_one_member_of_a_wrong_name(site: SiteProxy, folder: Path, crawled: Crawled) -> Path:
    records = [
        made.warc_record(f"<{url}>", made.http(body, Content_Type=mime))
        for url, (mime, body) in crawled.pages.items()
    ]
    path = folder / "others.txt"
    path.write_bytes(gzip.compress(b"".join(records)))
    return path


MAKERS: list[Maker] = [
    by_wget, by_wget_uncompressed, by_a_browser, as_wacz, as_arc, as_arc_gz, as_one_member_of_a_wrong_name,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_articles_are_those_of_a_crawl(
    make: Maker, crawled: Crawled, site: SiteProxy, db: Database[Any], command: Crawl,
    tmp_path: Path,
) -> None:  # fmt: skip
    if make in {by_wget, by_wget_uncompressed} and not made.WGET.exists():
        pytest.skip("needs GNU Wget")
    file = make(site, tmp_path, crawled)
    site.reset_log()
    done = command("archive", "import", str(file))
    assert done.returncode == 0, done.stderr
    assert site.requests == []
    imported, expected = articles(db), deepcopy(crawled.articles)
    if make not in {by_wget, by_wget_uncompressed}:  # failed images are not in the other files
        for each in expected.values():
            for image in each.get("images", ()):
                if image["status"] == "missing":
                    image["status"] = "referenced"
    assert imported == expected
    note = json.loads((tmp_path / "warc/foreign" / f"{file.name}.json").read_bytes())
    assert note["imported_at"]
    assert (tmp_path / "warc/foreign" / file.name).read_bytes() == file.read_bytes()
    # The archive alone gives the same database, and the same file adds nothing.
    before = snapshot(db)
    assert command("archive", "import", str(file)).returncode == 0
    assert snapshot(db) == before
    empty(db)
    done = command("crawl", "reparse")
    assert done.returncode == 0, done.stderr
    assert snapshot(db) == before


def test_captures_have_their_own_time_and_say_whose_they_are(
    site: SiteProxy, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    url = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
    page = (made.FIXTURES / url.removeprefix("http://")).read_bytes()
    block = made.http(page, "HTTP/1.1 200 OK", Content_Type="text/html")
    records = [
        made.warc_record("", b"software: x\r\n", "warcinfo", WARC_Target_URI=""),
        made.warc_record(url.replace(".cn/", ".cn:80/"), block, WARC_Record_ID="<urn:uuid:7>"),
    ]
    file = tmp_path / "old.warc.gz"
    file.write_bytes(made.members(records))
    assert command("archive", "import", str(file)).returncode == 0
    (found,) = db.articles.find()
    assert found["_id"] == url
    assert found["first_seen_at"] == found["last_seen_at"] == made.moment()
    row = db.frontier.find_one({"_id": url})
    assert row is not None
    assert row["last_attempt_at"] == made.moment()
    assert "next_visit_at" not in row
    (cdxj,) = (tmp_path / "warc").glob("*.cdxj")
    assert " 20190301080000 " in cdxj.read_text()
    (run,) = db.runs.find()
    assert cdxj.name.split("-")[2] == str(run["_id"]) == str(found["run_id"])
    assert run["arguments"] == {"spider": "import", "file": "old.warc.gz"}


# --- beside a crawl, and out again ------------------------------------------------------------


def test_import_into_the_crawled_archive_adds_only_its_visits(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    crawl("column", column=COLUMN)
    before, crawled = snapshot(db), articles(db)
    file = made.browser_made(pages_of(tmp_path / "warc"), tmp_path / "x.warc.gz")
    done = command("archive", "import", str(file))
    assert done.returncode == 0, done.stderr
    assert articles(db) == crawled
    after = snapshot(db)
    listed = {"listed_title_seen_at", "listed_at_seen_at"}
    added = {"discovered_at", "attempts", "last_attempt_at", *listed, *OF_A_VISIT}
    assert {k for k in after if not k.startswith("articles")} == {
        k for k in before if not k.startswith("articles")
    }
    for name, row in before.items():
        if name.startswith("frontier"):
            kept = {k: v for k, v in row.items() if k not in added}
            assert kept == {k: v for k, v in after[name].items() if k not in added}, name
            assert after[name].get("last_attempt_at") == row.get("last_attempt_at")


def test_wacz_of_an_import_is_valid_replays_and_can_be_imported(
    db: Database[Any],
    mongodb_uri: str,
    database: str,
    command: Crawl,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    image = f"{NEWS}/W020170812341787363590.png"
    block = article("2017-08-12", 4774001, more=f'<p><img src="{image}"></p>')
    records = [
        made.warc_record(FIRST, made.http(block, Content_Type="text/html"), WARC_Date=EARLY),
        made.warc_record(image, made.http(PNG, Content_Type="image/png"), WARC_Date=EARLY),
        made.warc_record(f"{NEWS}/x.css", made.http(b"a{}", Content_Type="text/css")),
    ]
    assert (
        command("archive", "import", str(write(tmp_path / "x.warc.gz", *records))).returncode == 0
    )
    first = articles(db)
    assert first[FIRST]["images"][0]["status"] == "stored"
    file = tmp_path / "out.wacz"
    done = command("archive", "wacz", "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert "3 captures, 1 page" in done.stdout
    answers = accepted(unpacked(file, tmp_path / "out") / "archive")
    assert {each.url for each in answers if each.type == "response"} == {
        FIRST,
        image,
        f"{NEWS}/x.css",
    }
    assert pytestconfig.cache
    programs = pywb.installed(Path(pytestconfig.cache.mkdir("pywb")))
    (tmp_path / "pywb").mkdir()
    with pywb.serving(programs, tmp_path / "pywb", file.read_bytes(), "out.wacz") as port:
        for url, body in ((FIRST, block), (image, PNG)):
            address = f"http://127.0.0.1:{port}/coll/20180101000000id_/{url}"
            with build_opener(ProxyHandler({})).open(address) as replayed:
                assert replayed.read() == body
                assert replayed.headers["Memento-Datetime"] == "Mon, 01 Jan 2018 00:00:00 GMT"
    empty(db)
    done = scrapy(
        "archive", "import", str(file), data=tmp_path / "other", uri=mongodb_uri, database=database
    )
    assert done.returncode == 0, done.stderr
    assert articles(db) == first
    (found,) = db.articles.find()
    assert found["first_seen_at"] == made.moment("2018-01-01T00:00:00Z")
