"""Permanent links of versions, references and originals as files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import rispy
from lxml import html
from pybtex.database import parse_string
from pymongo.database import Database
from warcio.archiveiterator import ArchiveIterator

from tests.archive.test_import import FIRST
from tests.archive.test_import_orders import capture
from tests.support.crawling import Crawl
from tests.web.conftest import Archive
from tests.web.sample import EDITED, FOE, GONE, REFERENCE, SOWN
from tests.web.serving import Web, browsing
from zjolcrawl.display.citation import FORMATS

TIMES = [
    "2017-01-01T00:00:00Z",
    "2018-01-01T00:00:00.700Z",
    "2018-06-01T00:00:00Z",
    "2019-01-01T00:00:00Z",
]


def stamp(moment: Any) -> str:
    return moment.strftime("%Y%m%d%H%M%S")


def versions(db: Database[Any], url: str) -> list[dict[str, Any]]:
    """All versions of an article, oldest first."""
    former = db.revisions.find({"_id.url": url}).sort("_id.revision", 1)
    return [*former, db.articles.find_one({"_id": url})]  # type: ignore[list-item]


def sha_of(web: Web, **asked: object) -> str:
    """The sha256 that the page of a version shows."""
    got = web.get("/article", **asked)
    assert got.status == 200, got.text
    (found,) = html.fromstring(got.text).xpath("//dt[.='sha256']/following-sibling::dd[1]/text()")
    return str(found)


@pytest.mark.parametrize("url", [REFERENCE, EDITED])
def test_each_version_has_a_link_by_time(url: str, web: Web, archive: Archive) -> None:
    found = versions(archive.db, url)
    assert len(found) > 1
    for each in found:
        page = html.fromstring(web.get("/article", url=url, revision=each["revision"]).text)
        (link,) = page.xpath("//*[@class='cite']//dt[.='永久链接']/following-sibling::dd[1]/a")
        assert link.text == web.url + link.get("href")
        assert parse_qs(urlsplit(link.get("href")).query) == {
            "url": [url],
            "at": [stamp(each["changed_at"])],
        }
        assert sha_of(web, url=url, at=stamp(each["changed_at"])) == each["content_sha256"]
    for late in ("20991231235959", "99991231235959"):
        assert sha_of(web, url=url, at=late) == found[-1]["content_sha256"]
    assert web.get("/article", url=url, at="19991231235959").status == 404


def test_link_goes_on_working_after_imports_in_any_order(
    db: Database[Any], command: Crawl, tmp_path: Path, mongodb_uri: str, database: str
) -> None:
    """Whenever a version was cited, its link leads to the content that it had."""
    files = [capture(tmp_path, *each) for each in zip("CABA", TIMES, strict=True)]
    orders = [(3, 1, 0, 2), (1, 2, 3, 0), (2, 3, 0, 1)]
    for order in orders:
        for name in ("articles", "revisions", "frontier"):
            db[name].delete_many({})
        data = tmp_path / f"order-{'-'.join(map(str, order))}"
        cited: dict[str, str] = {}
        with browsing(data, mongodb_uri, database) as (web, _):
            for number in order:
                done = command("archive", "import", files[number], "-s", f"DATA_DIR={data}")
                assert done.returncode == 0, done.stderr
                for each in versions(db, FIRST):
                    cited.setdefault(stamp(each["changed_at"]), each["content_sha256"])
                for at, sha256 in cited.items():
                    assert sha_of(web, url=FIRST, at=at) == sha256, (order, number, at)
        assert len(cited) == 4


@pytest.mark.parametrize(
    "at",
    [
        "2017",
        "20170812",
        "2017-08-12",
        "201708120345121",
        "20171399000000",
        "٢٠١٧٠٨١٢٠٣٤٥١٢",
        "x",
        "0" * 14,
    ],
)
def test_a_time_that_is_none_is_refused(at: str, web: Web) -> None:
    for path, more in (
        ("/article", {}),
        ("/record", {}),
        ("/cite", {"format": "ris"}),
        ("/download", {"part": "page"}),
    ):
        assert web.get(path, url=REFERENCE, at=at, **more).status == 400, path


@pytest.mark.parametrize("url", [REFERENCE, EDITED, GONE])
def test_references_of_each_version(url: str, web: Web, archive: Archive) -> None:
    for each in versions(archive.db, url):
        at = stamp(each["changed_at"])
        got = {name: web.get("/cite", url=url, at=at, format=name) for name in FORMATS}
        for name, answer in got.items():
            assert answer.status == 200
            assert answer.headers["content-type"].startswith(FORMATS[name].media_type)
            disposition = answer.headers["content-disposition"]
            assert re.fullmatch(
                rf'attachment; filename="[\w-]+-{at}\{FORMATS[name].suffix}"', disposition, re.ASCII
            )
            assert each["content_sha256"] in answer.text
            assert url in answer.text
        (entry,) = parse_string(got["bibtex"].text, "bibtex").entries.values()
        (row,) = rispy.loads(got["ris"].text)
        (item,) = json.loads(got["csl"].text)
        assert entry.fields["title"] == "{" + each["title"] + "}"
        assert row["title"] == item["title"] == each["title"]
        names = [person["name"] for person in each.get("authors", [])]
        assert row.get("authors", []) == [a["literal"] for a in item.get("author", [])] == names
        day = f"{each['changed_at']:%Y-%m-%d}"
        assert f"[{entry.fields['urldate']}]" in got["gbt7714-2025"].text
        assert abs(int(entry.fields["urldate"].replace("-", "")) - int(day.replace("-", ""))) < 9000
        page = html.fromstring(web.get("/article", url=url, at=at).text)
        shown = page.xpath("//*[@class='cite']//dd/text()")
        assert got["gbt7714-2025"].text.strip() in {text.strip() for text in shown}
        links = page.xpath("//*[@class='cite']//a/@href")
        for link in links:
            answer = web.raw(link)
            if answer.status == 302:
                answer = web.raw(answer.headers["location"])
            # The archived page of that second may also be the 404 by which it was taken down.
            assert answer.status == 200 or "memento-datetime" in answer.headers, link


def test_foe_is_cited_as_text(web: Web) -> None:
    for name in FORMATS:
        got = web.get("/cite", url=FOE, format=name)
        assert got.status == 200
        assert "attachment" in got.headers["content-disposition"]
    page = html.fromstring(web.get("/article", url=FOE).text)
    assert not page.xpath("//*[@class='cite']//script | //*[@class='cite']//img")


def test_originals(web: Web, archive: Archive) -> None:
    for each in versions(archive.db, REFERENCE):
        given = {"url": REFERENCE, "at": stamp(each["changed_at"])}
        page = web.get("/download", part="page", **given)
        assert page.headers["content-disposition"].endswith('.html"')
        raw = web.raw(f"/web/{given['at']}id_/{REFERENCE}")
        assert (raw.status, raw.body) == (200, page.body)
        record = web.get("/download", part="record", **given)
        path = archive.data / "downloaded.warc.gz"
        path.write_bytes(record.body)
        with path.open("rb") as file:
            (found,) = ArchiveIterator(file, check_digests="raise")
            assert found.rec_headers["WARC-Record-ID"] == f"<{each['warc']['record_id']}>"
        path.unlink()


def test_wrong_questions(web: Web, archive: Archive) -> None:
    assert web.get("/cite", url=REFERENCE).status == 400
    assert web.get("/cite", url=REFERENCE, format="word").status == 400
    assert web.get("/cite", format="ris").status == 400
    assert web.get("/cite", url="http://none.zjol.com.cn/", format="ris").status == 404
    assert web.get("/download", url=REFERENCE).status == 400
    sown = archive.db.articles.find_one({"columns": SOWN, "warc": None})
    assert sown
    assert web.get("/download", url=sown["_id"], part="page").status == 404
    assert "下载原件" not in web.get("/article", url=sown["_id"]).text


def test_reference_has_the_address_under_which_others_see_it(web: Web, archive: Archive) -> None:
    given = ("--base-url", "https://news.example.org")
    with browsing(archive.data, archive.uri, archive.database, *given) as (behind, _):
        # A client cannot make up another one.
        got = behind.get(
            "/cite", headers={"X-Forwarded-Host": "evil.example"}, url=REFERENCE, format="ris"
        )
    assert " at https://news.example.org/article?url=http%3A%2F%2Fzjnews" in got.text
    assert "127.0.0.1" not in web.get("/cite", url=REFERENCE, format="ris").text
