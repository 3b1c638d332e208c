"""The index has exactly the content of `articles`, with several writers and after interruptions."""

from __future__ import annotations

import json
import random
import shutil
import signal
import threading
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import bson
import pytest
import tantivy
from bson import Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database

from tests.search.conftest import Ask, Found, Put, article
from tests.support.crawling import LONG, Crawl, ended, start_scrapy, wait_until
from tests.support.indexing import index_again
from tests.support.pages import COLUMN, serve_column
from tests.support.site import SiteProxy
from tests.support.warm import _SERVER
from zjolcrawl.items import Image, Outcome, Unchanged
from zjolcrawl.search import SearchIndex, catch_up
from zjolcrawl.search.catchup import OVERLAP
from zjolcrawl.search.index import SCHEMA
from zjolcrawl.storage.errors import StoreUnavailable


def documents(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "_id": f"http://zjnews.zjol.com.cn/t20170812_{n}.shtml", "site": "zjnews.zjol.com.cn", "title": "荷花",
            "body": f"第{n}篇", "revision": 1, "status": "live", "written_at": Timestamp(0, 0),
        }
        for n in range(first, first + count)
    ]  # fmt: skip


def put_raw(db: Database[Any], *articles: dict[str, Any]) -> None:
    db.articles.insert_many(articles, bypass_document_validation=True)


@pytest.fixture(autouse=True)
def schema(put: Put) -> None:
    """Creates the collections as a run does."""
    put()


def same(db: Database[Any], index: SearchIndex) -> None:
    assert sorted(index.urls()) == sorted(each["_id"] for each in db.articles.find({}, {"_id": 1}))


# --- writes that reach the index ---------------------------------------------------------------------


def test_each_write_of_an_article_is_seen(found: Found, put: Put, raw_db: Database[Any]) -> None:
    one = article(1, "荷花", "西湖荷花开了")
    put(one)
    assert found("开了") == ["荷花"]
    put(article(1, "荷花", "西湖荷花谢了"))  # an edit
    assert (found("开了"), found("谢了", edited=True)) == ([], ["荷花"])
    assert raw_db.revisions.count_documents({"written_at": {"$exists": True}}) == 0
    put(article(1, "荷花", "西湖荷花谢了", columns=["zjxc"]))  # another column
    assert found("荷花", columns=("zjxc",)) == found("荷花", columns=("zjxw",)) == ["荷花"]
    put(Outcome(one.url, "gone", "404"))
    assert found("荷花", gone=True) == ["荷花"]
    put(Unchanged(one.url))  # it is back
    assert found("荷花", gone=True) == []
    put(Outcome(one.url, "gone", "404"))
    put(article(1, "荷花", "西湖荷花谢了"))  # back by its page
    assert found("荷花", gone=True) == []


def test_a_visit_that_changes_nothing_is_none(ask: Ask[Any], put: Put, index: SearchIndex) -> None:
    put(article(1, "荷花", "西湖"))
    assert ask(lambda db: catch_up(db, index)) == 1
    put(article(1, "荷花", "西湖"), Unchanged(article(1, "", "").url))
    assert ask(lambda db: catch_up(db, index)) == 0


def test_an_image_that_comes_later_is_a_write(put: Put, raw_db: Database[Any]) -> None:
    image = Image("http://x.zjol.com.cn/a.jpg", "a.jpg", 1, status="failed")
    put(article(1, "荷花", "西湖", images=[image]))
    before = raw_db.articles.find_one()["written_at"]  # type: ignore[index]
    put(article(1, "荷花", "西湖", images=[replace(image, status="stored", sha256="0" * 64)]))
    assert raw_db.articles.find_one()["written_at"] > before  # type: ignore[index]


def test_the_time_of_a_write_leaves_the_archive_nowhere(
    put: Put, raw_db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    put(article(1, "荷花", "西湖"))
    assert isinstance(raw_db.articles.find_one()["written_at"], Timestamp)  # type: ignore[index]
    assert command("export", str(tmp_path / "a.jsonl")).returncode == 0
    assert "written_at" not in (tmp_path / "a.jsonl").read_text()
    for words in (("search", "荷花", "--json"), ("article", article(1, "", "").url, "--json")):
        assert "written_at" not in command(*words).stdout


# --- catching up -------------------------------------------------------------------------------------


def test_only_what_was_written_since_is_indexed(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex
) -> None:
    put_raw(raw_db, *documents(0, 250))
    assert ask(lambda db: catch_up(db, index)) == 250
    assert ask(lambda db: catch_up(db, index)) == 0
    put_raw(raw_db, *documents(250, 1))
    assert ask(lambda db: catch_up(db, index)) == 1
    same(raw_db, index)


def test_a_write_that_is_visible_late_is_not_missed(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex
) -> None:
    put_raw(raw_db, *documents(0, 3))
    assert ask(lambda db: catch_up(db, index)) == 3
    newest = max(each["written_at"] for each in raw_db.articles.find())
    late = Timestamp(newest.time - OVERLAP + 30, 1)  # started before, committed only now
    put_raw(raw_db, {**documents(3, 1)[0], "written_at": late})
    assert ask(lambda db: catch_up(db, index)) == 1
    same(raw_db, index)


def test_articles_of_before_there_was_such_a_time(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex
) -> None:
    for each in documents(0, 120):
        del each["written_at"]
        put_raw(raw_db, each)
    assert ask(lambda db: catch_up(db, index)) == 120
    assert ask(lambda db: catch_up(db, index)) == 0
    same(raw_db, index)


def test_deleted_by_somebody_else(ask: Ask[Any], raw_db: Database[Any], index: SearchIndex) -> None:
    put_raw(raw_db, *documents(0, 20))
    ask(lambda db: catch_up(db, index))
    raw_db.articles.delete_many({"_id": {"$in": [each["_id"] for each in documents(3, 5)]}})
    ask(lambda db: catch_up(db, index))
    same(raw_db, index)
    assert index.searcher().num_docs == 15


def test_another_collection_of_the_name(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex
) -> None:
    put_raw(raw_db, *documents(0, 20))
    ask(lambda db: catch_up(db, index))
    raw_db.drop_collection("articles")
    put_raw(raw_db, *documents(100, 30))
    assert ask(lambda db: catch_up(db, index)) == 30
    same(raw_db, index)


def test_a_clock_that_was_ahead_and_is_right_again(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex, tmp_path: Path
) -> None:
    put_raw(raw_db, *documents(0, 5))
    ask(lambda db: catch_up(db, index))
    (state,) = tmp_path.glob("search/*/zjolcrawl.json")
    values = json.loads(state.read_text())
    state.write_text(json.dumps({**values, "horizon": values["horizon"] + (10**6 << 32)}))
    put_raw(raw_db, *documents(5, 1))
    assert ask(lambda db: catch_up(db, index)) == 6
    same(raw_db, index)


@pytest.mark.parametrize("how", ["deleted", "cut", "nonsense", "no state", "bad state"])
def test_an_index_that_is_damaged_is_made_again(
    how: str, ask: Ask[Any], raw_db: Database[Any], index: SearchIndex, tmp_path: Path
) -> None:
    put_raw(raw_db, *documents(0, 5))
    ask(lambda db: catch_up(db, index))
    (folder,) = (tmp_path / "search").iterdir()
    match how:
        case "deleted":
            shutil.rmtree(folder)
        case "cut":
            (folder / "meta.json").write_text((folder / "meta.json").read_text()[:50])
        case "nonsense":
            (folder / "meta.json").write_bytes(b"\xff\x00")
        case "no state":
            (folder / "zjolcrawl.json").unlink()
        case _:
            (folder / "zjolcrawl.json").write_text("[1]")
    anew = SearchIndex.open(tmp_path, raw_db.name)
    assert ask(lambda db: catch_up(db, anew)) == 5
    same(raw_db, anew)


def test_anew(ask: Ask[Any], raw_db: Database[Any], index: SearchIndex) -> None:
    put_raw(raw_db, *documents(0, 5))
    ask(lambda db: catch_up(db, index))
    assert ask(lambda db: catch_up(db, index, anew=True)) == 5
    same(raw_db, index)


# --- several at once ---------------------------------------------------------------------------------


def test_who_finds_a_writer_at_work_searches_what_is_there(
    found: Found, put: Put, index: SearchIndex
) -> None:
    put(article(1, "荷花", "西湖"))
    assert found("西湖") == ["荷花"]
    put(article(2, "荷叶", "西湖"))
    with index.writer() as writer:
        assert writer
        assert found("西湖") == ["荷花"]
    assert found("西湖") == ["荷叶", "荷花"]


def test_two_write_while_one_indexes(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex, mongodb_uri: str, database: str
) -> None:
    indexed, done = threading.Event(), threading.Event()

    def write(first: int) -> None:
        with MongoClient[dict[str, Any]](mongodb_uri) as client:
            mine = client[database]
            chance = random.Random(first)
            for n in range(first, first + 400, 20):
                if n == first + 200:
                    indexed.wait(LONG)
                put_raw(mine, *documents(n, 20))
                for each in documents(chance.randrange(first, n + 20), 3):
                    mine.articles.update_one(
                        {"_id": each["_id"]},
                        {"$inc": {"revision": 1}, "$currentDate": {"written_at": {"$type": "timestamp"}}},
                        bypass_document_validation=True,
                    )  # fmt: skip

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 10_000)]
    for each in writers:
        each.start()
    threading.Thread(target=lambda: ([each.join() for each in writers], done.set())).start()

    async def go_on(db: Any) -> None:
        while not done.is_set():
            await catch_up(db, index)
            indexed.set()  # the other half is written during a further pass
        await catch_up(db, index)

    ask(go_on)
    same(raw_db, index)
    edited = raw_db.articles.count_documents({"revision": {"$gt": 1}})

    flagged = tantivy.Query.term_query(SCHEMA, "facet", "fedited")
    assert index.searcher().search(flagged, 1).count == edited


def test_killed_while_it_indexes(
    ask: Ask[Any], raw_db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    put_raw(raw_db, *documents(0, 2000))
    chance = random.Random(time.time_ns())
    for _ in range(8):
        running = _SERVER.Process(target=index_again, args=(mongodb_uri, database, str(tmp_path)))
        running.start()
        before = files_of(tmp_path)
        more = chance.randrange(1, 12)
        wait_until(lambda b=before, m=more: len(files_of(tmp_path) - b) >= m)
        running.kill()
        running.join()
        assert running.exitcode == -signal.SIGKILL
        raw_db.articles.delete_one({})
        put_raw(raw_db, *documents(chance.randrange(10**6, 10**9), 1))
    index = SearchIndex.open(tmp_path, raw_db.name)
    ask(lambda db: catch_up(db, index))
    same(raw_db, index)


def files_of(folder: Path) -> set[str]:
    return {str(each) for each in folder.glob("search/*/*")}


def test_killed_import_is_searched_as_far_as_it_came(
    raw_db: Database[Any], command: Crawl, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    from tests.export.made import article as exported
    from tests.export.test_import import put as put_file

    path = put_file(tmp_path / "a.jsonl", *(exported(n) for n in range(2000)))
    running = start_scrapy(
        "import", path, site=None, data=tmp_path, uri=mongodb_uri, database=database
    )
    wait_until(lambda: raw_db.articles.count_documents({}) >= 300, running)
    running.kill()
    running.communicate()
    # The server may still execute the last write of the dead process.
    there = raw_db.articles.count_documents({})
    done = command("search", "环境保护督察", "--histogram", "year", "--json")
    found = sum(json.loads(done.stdout).values())
    assert there <= found <= raw_db.articles.count_documents({})
    assert found < 2000


def test_the_rest_is_left_to_the_next(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex
) -> None:
    put_raw(raw_db, *documents(0, 950))
    passes = []
    while done := ask(lambda db: catch_up(db, index, seconds=0)):
        passes.append(done)
        assert len(index.urls()) == sum(passes)
    assert passes == [50] * 19
    same(raw_db, index)


@pytest.mark.parametrize("words", [("search", "荷花"), ("export", "a.jsonl", "--search", "荷花")])
def test_where_nothing_is_indexed_yet_another_writer_is_waited_for(
    words: tuple[str, ...], raw_db: Database[Any], index: SearchIndex,
    mongodb_uri: str, database: str, tmp_path: Path,
) -> None:  # fmt: skip
    put_raw(raw_db, *documents(0, 3))
    given = [str(tmp_path / word) if word == "a.jsonl" else word for word in words]
    with index.writer() as writer:
        assert writer
        before = clients(raw_db)
        running = start_scrapy(*given, site=None, data=tmp_path, uri=mongodb_uri, database=database)
        wait_until(lambda: clients(raw_db) > before, running)
    out, err = ended(running)
    assert "3 articles" in out + err
    assert running.returncode == 0


def clients(db: Database[Any]) -> int:
    """The number of clients connected to the server."""
    return int(db.command("serverStatus")["connections"]["current"])


def test_killed_between_the_index_and_its_state(
    ask: Ask[Any], raw_db: Database[Any], index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first commit of a rebuilt index must not count as complete."""
    put_raw(raw_db, *documents(0, 450))
    assert ask(lambda db: catch_up(db, index)) == 450
    monkeypatch.setattr("zjolcrawl.search.catchup._COMMIT", 100)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(StoreUnavailable, match="no space"):
        ask(lambda db: catch_up(db, index, anew=True))
    monkeypatch.undo()
    ask(lambda db: catch_up(db, index))
    same(raw_db, index)


ODD: dict[str, dict[str, Any]] = {
    "a body that is a number": {"body": 5},
    "a title that is none": {"title": None},
    "a revision that is a text": {"revision": "2"},
    "tags that are none": {"tags": None},
    "a caption that is a number": {"images": [{"caption": 5}, 7]},
    "people that are one": {"authors": {"name": "x"}},
    "a person without a role": {"authors": [{"name": "江帆"}]},
    "a date of another age": {"published_at": datetime(1500, 1, 1), "first_seen_at": datetime(9999, 1, 1)},
    "a date that is a text": {"published_at": "2017-08-12"},
    "an address that is none": {"_id": 5},
    "no UTF-8": {"source": "xxxx"},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_article_of_another_program_does_not_stop_the_others(
    name: str, ask: Ask[Any], raw_db: Database[Any], index: SearchIndex, command: Crawl
) -> None:
    odd = documents(0, 1)[0] | ODD[name]
    data = bson.encode(odd).replace(b"xxxx", b"\xff\xfexx")
    raw_db.articles.insert_one(RawBSONDocument(data), bypass_document_validation=True)
    put_raw(raw_db, *documents(1, 3))
    ask(lambda db: catch_up(db, index))
    assert {each["_id"] for each in documents(1, 3)} <= set(index.urls())
    done = command("search", "荷花", "--histogram", "day")
    assert done.returncode in {0, 1}
    assert "Traceback" not in done.stderr


def test_index_that_cannot_be_written_is_one_line(
    command: Crawl, raw_db: Database[Any], index: SearchIndex
) -> None:
    put_raw(raw_db, *documents(0, 3))
    assert command("search", "荷花").returncode == 0
    for path in index.folder.glob("*.pos"):
        path.unlink()
    done = command("search", "荷花")
    assert done.returncode == 2
    assert done.stderr.endswith("delete it, and the next search rebuilds it\n")
    assert done.stderr.count("\n") == 1
    assert command("search", "荷花", "--rebuild").returncode == 0


def test_a_run_indexes_at_its_end(
    raw_db: Database[Any], site: SiteProxy, crawl: Crawl, index: SearchIndex, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A short run does not: the next search indexes its articles."""
    serve_column(site, [[("20170812", 4774001), ("20170812", 4774002)]])
    assert crawl("column", url=COLUMN).returncode == 0
    assert index.urls() == []
    (tmp_path / "sitecustomize.py").write_text(
        "import zjolcrawl.search.catchup as m\nm._SHARE_OF_RUN, m._WORTHWHILE = 100, 0\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert crawl("column", url=COLUMN).returncode == 0
    assert len(index.urls()) == 2
    same(raw_db, index)
