"""Files of one import each, in every order, and all in one import: the same database, field by field."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.archive.test_import import FIRST, NEWS, SECOND, write
from tests.archive.test_import_parts import COLUMN_URL
from tests.pipelines.test_images import PNG
from tests.support.crawling import Crawl
from tests.support.in_turn import InTurn
from tests.support.pages import article
from tests.support.rebuilding import empty, snapshot
from tests.support.site import Answer, SiteProxy
from zjolcrawl.archive.archive import Archive

IMAGE = f"{NEWS}/W020170812341787363590.png"
THIRD = f"{NEWS}/t20170812_4774003.shtml"
PAGER = (
    '<div class="page"><script>createPageHTML(2, 0, "t20170812_4774001", "shtml");</script></div>'
)
_OF_A_RUN = {"run_id", "warc", "pages_warc", "written_at"}
_OF_A_FILE = {"from", "sha256", "offset"}


def record(url: str, body: bytes, day: str, status: str = "200 OK", **headers: str) -> bytes:
    block = made.http(body, f"HTTP/1.1 {status}", **{"Content_Type": "text/html", **headers})
    return made.warc_record(url, block, WARC_Date=f"{day}T00:00:00Z")


def page(ident: int = 4774001, words: str = "一则新闻", more: str = "") -> bytes:
    return article("2017-08-12", ident, "标题", f"<p>　　{words}，讲述了各地的新鲜事情。</p>{more}")


def database_now(db: Database[Any]) -> dict[str, dict[str, Any]]:
    """Everything that is stored, without what tells of a run or of a file; sets are sorted."""
    found = snapshot(db)
    for each in found.values():
        for name in _OF_A_RUN & each.keys():
            each.pop(name)
        for name in {"columns", "aliases"} & each.keys():
            each[name] = sorted(each[name])
        if origin := each.get("provenance"):
            each["provenance"] = {k: v for k, v in origin.items() if k not in _OF_A_FILE}
    return found


def assert_same(
    found: dict[str, dict[str, Any]], expected: dict[str, dict[str, Any]], order: object
) -> None:
    assert found.keys() == expected.keys(), order
    for name, each in expected.items():
        fields = each.keys() | found[name].keys()
        differ = {
            f: (found[name].get(f), each.get(f))
            for f in fields
            if found[name].get(f) != each.get(f)
        }
        assert not differ, (name, order)


def imported(
    db: Database[Any], take: Callable[[Iterable[str]], None], folder: Path, imports: Iterable[Iterable[str]]
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """The database after these imports of files."""
    empty(db)
    for name in ("warc", "images"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for each in imports:
        take(each)
    return database_now(db)


def assert_order_free(
    records: list[bytes], db: Database[Any], command: Crawl, in_turn: InTurn, folder: Path
) -> None:
    """Assert that imports of these, each in a file, give the database of one import of all, and `reparse` too.

    One of the orders is imported by commands, the others by runs in one process.
    """

    def take(files: Iterable[str]) -> None:
        done = command("archive", "import", *files)
        assert done.returncode == 0, done.stderr

    files = [str(write(folder / f"{number}.warc.gz", each)) for number, each in enumerate(records)]
    expected = imported(db, take, folder, [files])
    assert db.articles.count_documents({}) == 1
    *orders, last = itertools.permutations(files)
    for order in (*orders, last):
        by = take if order is last else in_turn.import_files
        found = imported(db, by, folder, [[each] for each in order])
        assert_same(found, expected, [Path(each).name for each in order])
    assert command("crawl", "reparse").returncode == 0
    assert_same(database_now(db), expected, "reparse")


def redirect(url: str, target: str, day: str) -> bytes:
    return record(url, b"", day, "301 Moved", Location=target)


def stub(url: str, target: str, day: str) -> bytes:
    return record(url, f'<script>location.replace("{target}")</script>'.encode(), day)


SECOND_PAGE = FIRST.replace(".shtml", "_1.shtml")
LISTED = f'<ul class="listUl"><li class="listLi"><a href="{FIRST}">一</a></li></ul>'.encode()
SHOWN = page(more=f'<p><img src="{IMAGE}"></p>')
CASES: dict[str, list[bytes]] = {
    "a further page": [
        record(FIRST, page(more=PAGER), "2018-01-01"),
        record(SECOND_PAGE, page(words="第二页的文字"), "2019-01-01"),
    ],
    "a further page, captured before and after": [
        record(FIRST, page(more=PAGER), "2018-06-01"),
        record(SECOND_PAGE, page(words="第二页的文字"), "2018-01-01"),
        record(SECOND_PAGE, page(words="第二页改了的文字"), "2018-07-01"),
    ],
    "a further page by https, of two captures of the first": [
        record(FIRST, page(more=PAGER), "2018-01-01"),
        record(FIRST.replace("http:", "https:"), page(more=PAGER), "2018-06-01"),
        record(SECOND_PAGE.replace("http:", "https:"), page(words="第二页的文字"), "2018-07-01"),
    ],
    "a further page of one version of two": [
        record(FIRST, page(words="没有第二页"), "2018-01-01"),
        record(FIRST, page(more=PAGER), "2018-06-01"),
        record(SECOND_PAGE, page(words="第二页的文字"), "2018-03-01"),
    ],
    "an image": [
        record(FIRST, SHOWN, "2018-01-01"),
        record(IMAGE, PNG, "2019-01-01", Content_Type="image/png"),
    ],
    "an image of a former version": [
        record(FIRST, SHOWN, "2018-01-01"),
        record(FIRST, page(words="没有图片"), "2018-06-01"),
        record(IMAGE, PNG, "2019-01-01", Content_Type="image/png"),
    ],
    "an image that was missing once": [
        record(FIRST, SHOWN, "2018-01-01"),
        record(IMAGE, b"", "2018-02-01", "404 Not Found"),
        record(IMAGE, PNG, "2019-01-01", Content_Type="image/png"),
    ],
    "redirects": [
        redirect(FIRST, SECOND, "2018-01-01"),
        redirect(SECOND, THIRD, "2018-01-02"),
        record(THIRD, page(4774003), "2018-01-03"),
    ],
    "a stub and a redirect": [
        stub(FIRST, SECOND, "2018-01-01"),
        redirect(SECOND, THIRD, "2018-01-02"),
        record(THIRD, page(4774003), "2018-01-03"),
    ],
    "a list after both versions": [
        record(FIRST, page(), "2018-01-01"),
        record(FIRST, page(words="改了的文字"), "2018-06-01"),
        record(f"{COLUMN_URL}index_3.shtml", LISTED, "2019-01-01"),
    ],
    "a list before and one between": [
        record(COLUMN_URL, LISTED, "2017-09-01"),
        record(FIRST, page(), "2018-01-01"),
        record(FIRST, page(words="改了的文字"), "2018-06-01"),
    ],
}  # fmt: skip
BOTH = {"http": FIRST, "https": FIRST.replace("http:", "https:")}
TIES: dict[str, list[bytes]] = {
    "two contents": [record(FIRST, page(words=w), "2018-01-01") for w in ("一", "二")],
    "three contents": [record(FIRST, page(words=w), "2018-01-01") for w in ("一", "二", "三")],
    "http and https": [
        record(BOTH[scheme], page(words=scheme), "2018-01-01") for scheme in ("http", "https")
    ],
    "a page without an article": [
        record(FIRST, page(), "2018-01-01"),
        *(record(FIRST, f"<html>{n}</html>".encode(), "2018-01-01") for n in range(2)),
    ],
    # Whichever of two contents counts, it is the content before and after in one of these.
    **{
        f"between two visits with {before}": [
            record(FIRST, page(words=before), "2017-10-01")
            + record(FIRST, page(words=before), "2019-10-01"),
            *(record(FIRST, page(words=w), "2018-01-01") for w in ("一", "二")),
        ]
        for before in ("一", "二", "三")
    },
    "beside an edit": [
        record(FIRST, page(words="一"), "2017-10-01"),
        *(record(FIRST, page(words=w), "2018-01-01") for w in ("一", "二")),
    ],
    "further pages": [
        record(FIRST, page(more=PAGER), "2018-01-01"),
        *(record(SECOND_PAGE, page(words=w), "2018-02-01") for w in ("一", "二")),
    ],
}


@pytest.mark.parametrize("name", TIES)
def test_two_contents_at_one_moment(
    name: str, db: Database[Any], command: Crawl, in_turn: InTurn, tmp_path: Path
) -> None:
    """One of them counts, the same one in every order, and a re-parsing changes nothing."""
    assert_order_free(TIES[name], db, command, in_turn, tmp_path)


def test_what_we_crawled_counts_before_what_others_captured_at_that_moment(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    site.set(FIRST, Answer(body=page(words="我们的")))
    assert crawl("article", url=FIRST).returncode == 0
    with Archive(tmp_path / "warc") as archive:
        (ours,) = archive.index.captures(url=FIRST)
    before = database_now(db)
    for number in range(3):  # their digests are before and after ours
        theirs = made.http(page(words=f"{number}"), Content_Type="text/html")
        file = write(
            tmp_path / f"{number}.warc.gz", made.warc_record(FIRST, theirs, WARC_Date=ours.date)
        )
        assert command("archive", "import", str(file)).returncode == 0
        assert_same(database_now(db), before, number)
    assert command("crawl", "reparse").returncode == 0
    assert_same(database_now(db), before, "reparse")


@pytest.mark.parametrize("name", CASES)
def test_every_order(
    name: str, db: Database[Any], command: Crawl, in_turn: InTurn, tmp_path: Path
) -> None:
    assert_order_free(CASES[name], db, command, in_turn, tmp_path)
