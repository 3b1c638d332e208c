"""Imports in any order, before and after a crawl, and from an export of versions: the same versions."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.archive.test_import import FIRST, NEWS, SECOND, write
from tests.spiders.test_poison import REJECTED
from tests.support.crawling import Crawl
from tests.support.in_turn import InTurn
from tests.support.pages import article
from tests.support.rebuilding import empty, snapshot
from tests.support.site import Answer, SiteProxy

THIRD = f"{NEWS}/t20170812_4774003.shtml"
TIMES = ["2018-01-01T00:00:00Z", "2018-06-01T00:00:00Z", "2019-01-01T00:00:00Z"]
# Which file a version was read from may differ: the same capture may be in several.
_OF_A_FILE = {"from", "sha256", "offset"}


def page(title: str) -> bytes:
    text = article("20170812", 4774001).decode()
    return text.replace("讲述了浙江各地的新鲜事情", f"讲述了{title}").encode()


def capture(folder: Path, title: str, time: str) -> str:
    """A file with one capture."""
    record = made.warc_record(FIRST, made.http(page(title)), WARC_Date=time)
    return str(write(folder / f"{title}{time[:10]}.warc.gz", record))


def versions(db: Database[Any]) -> list[tuple[str, dict[str, Any]]]:
    """All versions, without what tells which run wrote them and where their record is."""
    found = []
    for name in ("articles", "revisions"):
        for each in db[name].find():
            kept = {k: v for k, v in each.items() if k not in {"run_id", "warc"}}
            if origin := kept.get("provenance"):
                kept["provenance"] = {k: v for k, v in origin.items() if k not in _OF_A_FILE}
            found.append((f"{name} {each['_id']}", kept))
    return sorted(found, key=lambda each: each[0])


def test_every_order_of_three_files(
    db: Database[Any], command: Crawl, in_turn: InTurn, tmp_path: Path
) -> None:
    """Other captures in every order: tests/storage/test_history.py. One order by commands, the others in one process."""
    titles = "ABA"
    files = [capture(tmp_path, *each) for each in zip(titles, TIMES, strict=True)]
    seen = []
    for number, order in enumerate(itertools.permutations(files)):
        empty(db)
        shutil.rmtree(tmp_path / "warc", ignore_errors=True)
        for file in order:
            if number:
                in_turn.import_files([file])
            else:
                done = command("archive", "import", file)
                assert done.returncode == 0, done.stderr
        seen.append(versions(db))
    assert len(seen[0]) == 3
    assert all(each == seen[0] for each in seen)


def test_an_import_parses_only_its_own_captures(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    for number, title in enumerate("AB"):
        assert command("archive", "import", capture(tmp_path, title, TIMES[number])).returncode == 0
    assert [run["counts"]["chosen"] for run in db.runs.find()] == [1, 1]


OLDER = {"parser.version": 0, "title": "从前读成这样", "content_sha256": "0" * 64}
"""What an older parser might have made of a page."""


def import_beside_older(
    titles: str, number: int, db: Database[Any], command: Crawl, folder: Path
) -> list[tuple[str, dict[str, Any]]]:
    """Import captures, the one with this number after an older parser read the others.

    Returns the versions that there are if they are imported one after another.
    """
    files = [capture(folder, *each) for each in zip(titles, TIMES, strict=True)]

    def take(*some: str) -> None:
        for file in some:
            done = command("archive", "import", file)
            assert done.returncode == 0, done.stderr

    take(*files)
    expected = versions(db)
    empty(db)
    shutil.rmtree(folder / "warc")
    take(*files[:number], *files[number + 1 :])
    db.articles.update_many({}, {"$set": OLDER})
    take(files[number])
    return expected


@pytest.mark.parametrize("number", [0, 1, 2], ids=["before", "between", "after"])
def test_visit_beside_what_an_older_parser_read_makes_no_version(
    number: int, db: Database[Any], command: Crawl, in_turn: InTurn, tmp_path: Path
) -> None:
    """The page is the same at each visit; only the parser differs. What it read is corrected by a re-parse."""
    expected = import_beside_older("AAA", number, db, command, tmp_path)
    assert len(expected) == len(versions(db)) == 1
    (stored,) = db.articles.find()
    is_old = stored["parser"]["version"] == 0
    assert (stored["title"] == OLDER["title"]) is is_old
    assert (stored["content_sha256"] == OLDER["content_sha256"]) is is_old
    in_turn.crawl("reparse")
    assert versions(db) == expected


def test_visit_beside_what_an_older_parser_read_may_be_a_version(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    expected = import_beside_older("ABA", 1, db, command, tmp_path)
    assert len(expected) == 3
    assert versions(db) == expected


def test_around_a_crawl_and_a_takedown(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    """An older capture neither hides the crawled version nor brings the article back."""
    site.set(FIRST, Answer(body=page("今天")))
    assert crawl("article", url=FIRST).returncode == 0
    site.set(FIRST, Answer(404))
    assert crawl("article", url=FIRST, CONFIRM_VISITS=1, CONFIRM_DAYS=0).returncode == 0
    before = db.articles.find_one({"_id": FIRST})
    assert before
    assert before["status"] == "gone"
    row = db.frontier.find_one({"_id": FIRST})
    assert row
    done = command("archive", "import", capture(tmp_path, "A", TIMES[0]))
    assert done.returncode == 0, done.stderr
    after = db.articles.find_one({"_id": FIRST})
    assert after
    assert {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)} == {
        "revision", "first_seen_at",
    }  # fmt: skip
    assert (after["revision"], after["body"]) == (2, before["body"])
    assert db.frontier.find_one({"_id": FIRST}) == {**row, "discovered_at": after["first_seen_at"]}


def test_reparse_into_an_empty_database_gives_the_same(
    db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    for title, time in zip("BAC", [TIMES[1], TIMES[0], TIMES[2]], strict=True):
        assert command("archive", "import", capture(tmp_path, title, time)).returncode == 0
    stored = versions(db)
    empty(db)
    assert crawl("reparse").returncode == 0
    assert versions(db) == stored
    before = snapshot(db)
    assert crawl("reparse").returncode == 0
    assert snapshot(db) == before


def test_export_and_import_keep_whose_capture_it_was(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    for title, time in zip("AB", TIMES, strict=False):
        assert command("archive", "import", capture(tmp_path, title, time)).returncode == 0
    files = [tmp_path / name for name in ("one.jsonl", "two.jsonl")]
    assert command("export", str(files[0]), "--revisions").returncode == 0
    origins = [json.loads(line)["provenance"] for line in files[0].read_text().splitlines()]
    assert [each["kind"] for each in origins] == ["import", "import"]
    empty(db)
    assert command("import", str(files[0])).returncode == 0
    assert command("export", str(files[1]), "--revisions").returncode == 0
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    "name", [name for name, (body, _) in REJECTED.items() if len(body) < 5_000_000]
)
def test_what_mongodb_cannot_hold_is_a_fault_and_settles_no_link(
    name: str, site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    site.set(FIRST, Answer(body=page("今天")))
    assert crawl("article", url=FIRST).returncode == 0
    before = snapshot(db)
    body, why = REJECTED[name]
    records = [
        made.warc_record(url, made.http(body), WARC_Date=TIMES[0]) for url in (FIRST, SECOND)
    ]
    file = str(
        write(tmp_path / "x.warc.gz", *records, made.warc_record(THIRD, made.http(page("别的"))))
    )
    for again in (["archive", "import", file], ["crawl", "reparse"]):
        done = command(*again)
        assert done.returncode == 1
        for url in (FIRST, SECOND):
            assert (
                f"{url}: the capture of others of 2018-01-01 00:00:00 UTC is not stored"
                in done.stderr
            )
        assert why in done.stderr
        after = snapshot(db)
        assert {k: v for k, v in after.items() if THIRD not in k} == before
        assert db.articles.count_documents({"_id": THIRD}) == 1
