"""`scrapy crawl reparse`: the database can be rebuilt from the archive, and corrected."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database

from tests.pipelines.test_images import JPEG, PNG
from tests.support.crawling import Begin, Crawl, ended
from tests.support.in_turn import InTurn
from tests.support.pages import COLUMN, DAY, HOST, article, list_page, serve_column, url_of
from tests.support.rebuilding import Saved, assert_rebuilt, drop, empty, snapshot
from tests.support.site import Answer, SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.writer import Exchange, WarcWriter
from zjolcrawl.storage.updates import reject_id

FIRST, SECOND, THIRD = 4774001, 4774002, 4774003


def test_the_bundled_site_is_rebuilt_from_its_archive(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.gzip = True
    columns = "zjxw,zjxc,china-gnxw,opinion-bwgd,zzhz-bb,py-rdgz"
    crawl("column", column=columns)
    assert db.articles.count_documents({"images.status": "stored"}) > 3
    assert_rebuilt(db, site, crawl, new=True)


def test_all_that_can_happen_is_rebuilt(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    """With edits, furniture, takedowns, faults, redirects, stubs, retries, late images, two columns."""
    idents = [FIRST + n for n in range(10)]
    serve_column(site, [[(DAY, ident) for ident in idents[:5]], [(DAY, i) for i in idents[5:]]])
    url = [url_of(ident) for ident in idents]
    folder = url[0].rpartition("/")[0]
    other = f"{HOST}/test/other/"
    site.set(
        other, Answer(body=f'<ul class="listUl"><li><a href="{url[0]}">x</a></li></ul>'.encode())
    )
    picture = '<p><img src="./p.png"></p>'
    site.set(url[0], Answer(body=article(DAY, idents[0], more=picture)))
    site.set(f"{folder}/p.png", [Answer(status=404), Answer(body=PNG)])
    site.set(url[1], Answer(fault="reset"))
    site.set(url[2], [Answer(status=503), Answer(body=article(DAY, idents[2]))])
    site.set(url[3], Answer(status=301, headers={"Location": url_of(4774999)}))
    site.set(url_of(4774999), Answer(body=article(DAY, 4774999, more='<p><img src="./j.jpg"></p>')))
    site.set(f"{folder}/j.jpg", Answer(status=302, headers={"Location": f"{folder}/k.jpg"}))
    site.set(f"{folder}/k.jpg", [Answer(status=500), Answer(body=JPEG)])
    stub = f'<script>location.replace("{url_of(4774888)}")</script>'.encode()
    site.set(url[4], Answer(body=stub))
    site.set(url_of(4774888), Answer(body=article(DAY, 4774888)))
    site.set(url[5], Answer(status=302, headers={"Location": "http://www.example.com/"}))
    site.set(url[6], Answer(status=302, headers={"Location": url[6] + "?a=1"}))
    site.set(url[6] + "?a=1", Answer(status=302, headers={"Location": url[6]}))
    site.set(url[7], Answer(body=b"<html><title>x</title><a href='/'>y</a></html>"))
    site.set(url[8], Answer(status=404))
    retry = {"RETRY_ENABLED": "True"}
    crawl("column", url=COLUMN, **retry, recheck="on")
    crawl("column", url=other, recheck="on")
    site.set(url[0], Answer(body=article(DAY, idents[0], "改过的标题", picture)))
    site.set(url[9], Answer(status=302, headers={"Location": f"{HOST}/"}))
    site.set(f"{HOST}/", Answer(body=b"<html><a href='/x/'>front</a></html>"))
    site.set(url[8], Answer(body=article(DAY, idents[8])))
    crawl("column", url=COLUMN, **retry, recheck="on")
    site.set(url[0], Answer(body=article(DAY, idents[0], more=picture)))  # as in the beginning
    site.set(url[2], Answer(status=410))
    site.set(
        f"{COLUMN}index_1.shtml",
        Answer(status=302, headers={"Location": "http://www.example.com/"}),
    )
    for later in (0, 1.1, 3.2):
        crawl("column", url=COLUMN, ahead=later, **retry, recheck="on")
    newest = db.articles.find_one({"_id": url[0]})
    assert newest is not None
    assert (newest["revision"], newest["images"][0]["status"]) == (3, "stored")
    states = {row["_id"]: row["state"] for row in db.frontier.find()}
    assert [states[each] for each in url] == [
        "stored", "failed", "gone", "stored", "stored", "rejected", "rejected", "rejected",
        "stored", "gone",
    ]  # fmt: skip
    assert_rebuilt(db, site, crawl, new=True)


def test_two_columns_and_days_outside_the_bounds_are_rebuilt(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST), ("2017-08-11", SECOND)]])
    crawl("column", url=COLUMN, since=DAY)
    assert db.frontier.count_documents({"state": "pending"}) == 1
    assert_rebuilt(db, site, crawl)


def test_reading_again_in_place_writes_nothing_where_nothing_differs(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST), (DAY, SECOND)]])
    crawl("column", url=COLUMN, recheck="on")
    site.set(url_of(SECOND), Answer(body=b"<html><title>x</title></html>"))
    site.set(url_of(FIRST), Answer(body=article(DAY, FIRST, "改过的标题")))
    listed = list_page([(DAY, FIRST), (DAY, SECOND)]).decode().replace("文章", "改名")
    site.set(COLUMN, Answer(body=listed.encode(), headers={"ETag": '"2"'}))
    crawl("column", url=COLUMN, recheck="on")
    before = snapshot(db)
    assert before[f"frontier {url_of(FIRST)}"]["listed_title"] == f"改名{FIRST}"
    first = db.runs.find().sort("$natural", 1)[0]["_id"]
    assert crawl("reparse", run=first).returncode == 0
    assert snapshot(db) == before
    runs = {d["_id"]: d["run_id"] for d in db.articles.find()}
    done = crawl("reparse")
    assert done.returncode == 0, done.stderr
    assert "0 new, 0 changed, 0 corrected" in done.stderr
    assert snapshot(db) == before
    assert {d["_id"]: d["run_id"] for d in db.articles.find()} == runs


@pytest.fixture(scope="module")
def saved() -> dict[str, Saved]:
    """What was crawled for the first test that needs it, by name."""
    return {}


@pytest.fixture
def misread(
    saved: dict[str, Saved], site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Three articles, one with a former version; an older parser misread two versions."""
    serve_column(site, [[(DAY, FIRST), (DAY, SECOND), (DAY, THIRD)]])
    changed = Answer(body=article(DAY, FIRST, "改过的标题"))
    if "misread" in saved:
        saved["misread"].restore(db, tmp_path)
        site.set(url_of(FIRST), changed)
    else:
        # One after the other: captures in the same millisecond would be re-parsed too.
        crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1, recheck="on")
        site.set(url_of(FIRST), changed)
        crawl("column", url=COLUMN, CONCURRENT_REQUESTS_PER_DOMAIN=1, recheck="on")
        saved["misread"] = Saved(db, tmp_path, tmp_path_factory.mktemp("saved") / "misread")
    right = snapshot(db)
    old = {"parser.version": 0, "content_sha256": "0" * 64}
    db.articles.update_one(
        {"_id": url_of(SECOND)}, {"$set": {**old, "title": "错"}, "$unset": {"source": ""}}
    )
    db.revisions.update_one({}, {"$set": {**old, "title": "旧错", "tags": ["错"]}})
    return right


def test_better_parser_corrects_versions_and_makes_none(
    misread: dict[str, dict[str, Any]], site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.reset_log()
    wrong = snapshot(db)
    dry = crawl("reparse", dry_run="on")
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.splitlines() == [
        "2 of 4 stored versions would change",
        "  content_sha256        2",
        "  parser.version        2",
        "  title                 2",
        "  source                1",
        "  tags                  1",
    ]
    assert snapshot(db) == wrong
    done = crawl("reparse", parser_before=1)
    assert done.returncode == 0, done.stderr
    assert "2 captures re-parsed; 0 new, 0 changed, 2 corrected" in done.stderr
    assert snapshot(db) == misread
    assert site.requests == []
    run = db.runs.find_one({"arguments.spider": "reparse"})
    assert run is not None
    assert db.articles.count_documents({"run_id": run["_id"]}) == 1


def test_same_bytes_read_otherwise_at_the_next_visit_are_no_edit(
    misread: dict[str, dict[str, Any]], site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    done = crawl("column", url=COLUMN, recheck="on")
    assert "stored 0 new, 0 changed, 3 same" in done.stderr, done.stderr
    second = dict(db.articles.find_one({"_id": url_of(SECOND)}) or {})
    before = misread[f"articles {url_of(SECOND)}"]
    assert second["last_seen_at"] > before["last_seen_at"]
    for name, value in before.items():
        assert name == "last_seen_at" or second[name] == value, name
    assert db.revisions.count_documents({}) == 1
    # An edit counts, whichever parser read the version before.
    site.set(url_of(SECOND), Answer(body=article(DAY, SECOND, "真的改了")))
    db.articles.update_one({"_id": url_of(SECOND)}, {"$set": {"title": "错"}})
    done = crawl("column", url=COLUMN, recheck="on")
    assert "stored 0 new, 1 changed, 2 same" in done.stderr, done.stderr
    crawl("reparse")
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize(
    ("choice", "corrected"),
    [
        ({"url": url_of(SECOND)}, 1),
        ({"url": url_of(SECOND).replace("http:", "https:") + "?x=1"}, 1),
        ({"url": url_of(FIRST)}, 1),
        ({"url": url_of(THIRD)}, 0),
        ({"host": "zjnews.zjol.com.cn"}, 2),
        ({"column": "zjnews.zjol.com.cn/test/lm/"}, 2),
        ({"since": "2017-08-12", "until": "2017-08-12"}, 2),
        ({"since": "2017-08-13"}, 0),
        ({"captured_until": "2100-01-01"}, 2),
        ({"captured_since": "2026-01-01", "url": url_of(SECOND)}, 1),
    ],
)
def test_what_is_read_again_can_be_chosen(
    choice: dict[str, str], corrected: int, misread: object, db: Database[Any], crawl: Crawl
) -> None:
    done = crawl("reparse", **choice)
    assert done.returncode == 0, done.stderr
    assert f"{corrected} corrected" in done.stderr


def test_parts_side_by_side_are_the_whole(
    site: SiteProxy, db: Database[Any], crawl: Crawl, begin: Begin
) -> None:
    crawl("column", column="zjxw,zjxc,china-gnxw,opinion-bwgd,zzhz-bb,py-rdgz")
    right = snapshot(db)
    db.articles.update_many({}, {"$set": {"title": "错", "content_sha256": "0" * 64}})
    running = [begin("reparse", "-a", f"part={number}/3") for number in (1, 2, 3)]
    told = [ended(each)[1] for each in running]
    assert [each.returncode for each in running] == [0, 0, 0], told
    parts = list(db.runs.find({"arguments.spider": "reparse"}))
    assert all(part["counts"]["chosen"] > 1 for part in parts)
    # An article of several visits is cut and joined again instead, which is not counted as a correction.
    of_one_visit = {"$expr": {"$eq": ["$first_seen_at", "$last_seen_at"]}}
    corrected = sum(part["counts"]["reread"] for part in parts)
    assert corrected == db.articles.count_documents(of_one_visit) > 20
    assert snapshot(db) == right


def test_part_in_which_nothing_is(misread: object, crawl: Crawl) -> None:
    done = [crawl("reparse", url=url_of(THIRD), part=f"{number}/2") for number in (1, 2)]
    assert [each.returncode for each in done] == [0, 0]
    assert sorted("2 captures re-parsed" in each.stderr for each in done) == [False, True]


def test_one_run_alone(misread: object, db: Database[Any], crawl: Crawl) -> None:
    first, second = (str(run["_id"]) for run in db.runs.find().sort("$natural", 1))
    assert "0 corrected" in crawl("reparse", run=second).stderr
    assert "2 corrected" in crawl("reparse", run=first).stderr


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (
            {"host": "nowhere.zjol.com.cn"},
            "unknown host nowhere: no known column and no article is on it",
        ),
        ({"run": "x"}, "run=x is not"),
        ({"parser_before": "one"}, "parser_before=one"),
        ({"part": "3/2"}, "part=3/2 is not K/N"),
        ({"part": "0/2"}, "part=0/2 is not K/N"),
        ({"dry_run": "perhaps"}, "dry_run=perhaps is neither on nor off"),
        ({"captured_since": "2026-02-01", "captured_until": "2026-01-01"}, "captured_since="),
        ({"colour": "red"}, "unknown argument colour"),
    ],
)
def test_choice_that_makes_no_sense(
    choice: dict[str, str], line: str, misread: object, db: Database[Any], crawl: Crawl
) -> None:
    done = crawl("reparse", **choice)
    assert done.returncode == 2, done.stderr
    assert line in done.stderr
    assert all("ended_at" in run for run in db.runs.find())


def test_without_an_archive(crawl: Crawl) -> None:
    done = crawl("reparse")
    assert done.returncode == 2
    assert "no archive" in done.stderr


def test_what_was_rejected_and_is_read_now(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    crawl("column", url=COLUMN, recheck="on")
    stored = db.articles.find_one()
    assert stored is not None
    at = stored["last_seen_at"]
    db.articles.drop()
    db.frontier.update_one(
        {"_id": url_of(FIRST)}, {"$set": {"state": "rejected", "last_error": "x"}}
    )
    db.rejects.insert_one({"_id": reject_id(url_of(FIRST), at), "url": url_of(FIRST), "at": at})
    assert crawl("reparse").returncode == 0
    assert db.rejects.count_documents({}) == 0
    row = db.frontier.find_one({"_id": url_of(FIRST)})
    assert row is not None
    assert (row["state"], row["attempts"]) == ("stored", 1)
    assert db.articles.count_documents({}) == 1


def test_damaged_record_is_told_and_the_rest_is_read(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, FIRST), (DAY, SECOND)]])
    crawl("column", url=COLUMN, recheck="on")
    bad = db.articles.find_one({"_id": url_of(FIRST)})
    assert bad is not None
    path = tmp_path / "warc" / bad["warc"]["file"]
    data = bytearray(path.read_bytes())
    middle = bad["warc"]["offset"] + bad["warc"]["length"] // 2
    data[middle : middle + 20] = bytes(20)
    path.write_bytes(bytes(data))
    drop(db)
    done = crawl("reparse")
    assert done.returncode == 1
    assert f"{url_of(FIRST)}: " in done.stderr
    assert [d["_id"] for d in db.articles.find()] == [url_of(SECOND)]


@pytest.mark.parametrize("titles", ["ABA", "AAB"])
def test_runs_are_re_parsed_in_any_order(
    titles: str, site: SiteProxy, db: Database[Any], crawl: Crawl, in_turn: InTurn
) -> None:
    """As captures of other archives come: a version ends and begins at visits that are parsed later.

    One of the orders by commands, the others by runs in one process.
    """
    serve_column(site, [[(DAY, FIRST)]])
    for title in titles:
        picture = '<p><img src="./p.png"></p>' if title == "A" else ""
        body = article(DAY, FIRST, f"标题改成了{title}", picture)
        site.set(url_of(FIRST), Answer(body=body))
        site.set(f"{url_of(FIRST).rpartition('/')[0]}/p.png", Answer(body=PNG))
        assert crawl("column", url=COLUMN, recheck="on").returncode == 0

    def versions() -> dict[str, dict[str, Any]]:
        found = snapshot(db)
        return {key: each for key, each in found.items() if key.startswith(("articles", "revis"))}

    expected = versions()
    assert len(expected) == len([c for n, c in enumerate(titles) if not n or c != titles[n - 1]])
    runs = [row["_id"] for row in db.runs.find().sort("started_at", 1)]
    for number, order in enumerate(permutations(runs)):
        empty(db)
        for run in order:
            if number:
                in_turn.crawl("reparse", run=str(run))
            else:
                done = crawl("reparse", run=run)
                assert done.returncode == 0, done.stderr
        assert versions() == expected, [runs.index(run) for run in order]


def test_origin_of_a_foreign_capture_is_kept(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    crawl("column", url=COLUMN, recheck="on")
    (first,) = db.articles.find()
    at = first["changed_at"] - timedelta(days=3650)
    memento = f"https://web.archive.org/web/2016id_/{url_of(FIRST)}"
    origin = {"kind": "backfill", "from": "https://web.archive.org/", "url": memento, "offset": "x"}
    context = {"article": url_of(FIRST), "provenance": origin}
    with Archive(tmp_path / "warc") as archive:
        writer = WarcWriter(archive, run=str(ObjectId()), info={})
        body = article(DAY, FIRST, "从前的标题")
        headers = [(b"Content-Type", b"text/html")]
        writer.write(Exchange(url_of(FIRST), 200, headers, body, at, context=context))
        asyncio.run(writer.close())
    for _ in range(2):
        assert crawl("reparse").returncode == 0
        former, newest = [*db.revisions.find(), *db.articles.find()]
        assert (former["title"], former["changed_at"]) == ("从前的标题", at)
        assert former["provenance"] == {k: v for k, v in origin.items() if k != "offset"}
        assert "provenance" not in newest
        assert former["first_seen_at"] == newest["first_seen_at"] == at
    shown = command("article", url_of(FIRST), "--revision", "1").stdout
    assert f"captured backfilled from https://web.archive.org/ {memento}" in " ".join(shown.split())
    assert memento in command("history", url_of(FIRST)).stdout
