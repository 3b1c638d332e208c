"""`scrapy import`: what is stored, what stays unchanged, and what is reported."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId, Timestamp
from pymongo import MongoClient
from pymongo.database import Database

from tests.export.made import RUN, article, edited
from tests.support.crawling import Crawl, Running, ended, scrapy, start_scrapy, wait_until
from tests.support.mongod import Mongod
from tests.support.pages import COLUMN
from tests.support.rebuilding import drop
from zjolcrawl.messages import counted
from zjolcrawl.run.lock import RunLock

HOUR = timedelta(hours=1)


def everything(db: Database[Any], *names: str) -> dict[str, list[dict[str, Any]]]:
    return {
        name: list(db[name].find().sort("_id", 1)) for name in names or ("articles", "revisions")
    }


def written(command: Crawl, path: Path, *options: str) -> bytes:
    """The bytes of an export."""
    done = command("export", str(path), "--force", *options)
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


def put(path: Path, *documents: dict[str, Any]) -> str:
    """Writes documents as `scrapy export` does, without its code."""

    def plain(value: Any) -> str:
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
        return str(value)

    path.write_text("".join(json.dumps(each, default=plain) + "\n" for each in documents))
    return str(path)


def taken(done: subprocess.CompletedProcess[str]) -> str:
    """The summary line without the duration."""
    return done.stderr.splitlines()[-1].removeprefix("zjolcrawl: ").rpartition(";")[0]


def line(*, new: int = 0, changed: int = 0, inserted: int = 0, reread: int = 0, same: int = 0,
         unreadable: int = 0, refused: int = 0) -> str:  # fmt: skip
    return (
        f"{counted(new, 'article')} new, {changed} changed, {inserted} with earlier versions, "
        f"{reread} corrected, {same} unchanged; "
        f"{counted(unreadable, 'line')} unreadable, {refused} refused"
    )


def archive(db: Database[Any]) -> None:
    """Five articles, one with two former versions, one taken down."""
    former, second = edited(article(1), "改过", 2)
    former_too, third = edited(second, "又改过", 3)
    gone = article(2, status="gone", gone_at=article(2)["last_seen_at"] + HOUR)
    db.articles.insert_many([article(0), third, gone, article(3), article(4, images=None)])
    db.revisions.insert_many([former, former_too])


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_export_import_export_gives_the_same_bytes(
    name: str, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    archive(db)
    before, first = everything(db), written(command, tmp_path / name, "--revisions")
    drop(db)
    done = command("import", str(tmp_path / name))
    assert (done.returncode, taken(done)) == (0, line(new=5))
    assert everything(db) == before
    assert written(command, tmp_path / f"b{name}", "--revisions") == first


def test_import_again_changes_nothing(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    archive(db)
    written(command, tmp_path / "a.jsonl", "--revisions")
    drop(db)
    command("import", str(tmp_path / "a.jsonl"))
    before = everything(db, "articles", "revisions", "frontier")
    done = command("import", str(tmp_path / "a.jsonl"))
    assert (done.returncode, taken(done)) == (0, line(same=5))
    assert everything(db, "articles", "revisions", "frontier") == before


def test_into_its_own_archive_it_is_known(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    archive(db)
    row = {"_id": article(0)["_id"], "state": "stored", "kind": "article", "attempts": 1,
           "discovered_at": article(0)["first_seen_at"], "etag": '"x"',
           "host": article(0)["site"], "last_attempt_at": article(0)["last_seen_at"]}  # fmt: skip
    db.frontier.insert_one(row)
    before = everything(db)
    written(command, tmp_path / "a.jsonl", "--revisions")
    assert taken(command("import", str(tmp_path / "a.jsonl"))) == line(same=5)
    assert everything(db) == before
    assert db.frontier.find_one({"_id": row["_id"]}) == row


def test_from_stdin(db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path) -> None:
    environment = {**os.environ, "MONGODB_URI": mongodb_uri, "MONGODB_DATABASE": database}
    environment["DATA_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "import", "-"], env=environment, text=True,
        capture_output=True, input=Path(put(tmp_path / "a.jsonl", article(0))).read_text(),
    )  # fmt: skip
    assert (done.returncode, taken(done)) == (0, line(new=1))
    assert db.articles.find_one() == article(0)


def test_types_come_from_the_schema_not_from_the_look_of_a_text(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    look = {
        "title": "2017-08-12T00:00:00.000Z",
        "source": "59900000000000000000abcd",
        "kicker": "12",
    }
    db.articles.insert_one(article(0, **look))
    before = everything(db)
    written(command, tmp_path / "a.jsonl")
    drop(db)
    assert command("import", str(tmp_path / "a.jsonl")).returncode == 0
    assert everything(db) == before


def test_what_the_schema_does_not_know_comes_back_too(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    odd = {
        "mine": {"at": datetime(2020, 2, 3, tzinfo=timezone.utc), "id": ObjectId(), "n": [1, 1.5, None, True]},
        "bytes": b"\x00\xff", "endless": float("inf"), "long": 2**40,
    }  # fmt: skip
    db.articles.insert_one(article(0, **odd))
    before = everything(db)
    first = written(command, tmp_path / "a.jsonl")
    assert json.loads(first)["mine"]["at"] == {"$date": "2020-02-03T00:00:00Z"}
    drop(db)
    done = command("import", str(tmp_path / "a.jsonl"))
    assert done.returncode == 0, done.stderr
    assert everything(db) == before
    assert written(command, tmp_path / "b.jsonl") == first


def test_run_and_frontier(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    published = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=30)
    seen = published + HOUR
    fresh = article(
        7, published_at=published, first_seen_at=seen, changed_at=seen, last_seen_at=seen,
        aliases=["http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774009.shtml", "http://x/?y"],
    )  # fmt: skip
    gone = article(2, status="gone", gone_at=article(2)["last_seen_at"] + HOUR)
    path = put(tmp_path / "a.jsonl", fresh, gone)
    assert command("import", path).returncode == 0
    (run,) = db.runs.find()
    assert run["arguments"] == {"spider": "import", "file": path}
    assert (run["exit_status"], run["finish_reason"], run["counts"]) == (0, "finished", {"new": 2})
    assert {"started_at", "ended_at", "seconds", "version"} <= run.keys()
    assert "import file=" in command("runs").stdout
    rows = {row["_id"]: row for row in db.frontier.find()}
    assert rows.keys() == {fresh["_id"], fresh["aliases"][0], gone["_id"]}
    row = rows[fresh["_id"]]
    assert (row["state"], row["kind"], row["columns"]) == ("stored", "article", fresh["columns"])
    assert (row["discovered_at"], row["last_attempt_at"], row["attempts"]) == (seen, seen, 1)
    assert row["next_visit_at"] == published + timedelta(days=1)  # the first recheck is due
    assert rows[gone["_id"]]["state"] == "gone"


def test_what_was_imported_is_found(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    command("import", put(tmp_path / "a.jsonl", article(0, title="鹿城区"), article(1)))
    former, newest = edited(article(1), "景宁畲族自治县", 2)
    command("import", put(tmp_path / "b.jsonl", former, newest))
    for words, found in (("鹿城区", article(0)), ("景宁", newest)):
        assert found["_id"] in command("search", words).stdout


def test_crawl_knows_what_was_imported(
    db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    assert crawl("column", url=COLUMN, recheck="on").returncode in {0, 1}
    first = written(command, tmp_path / "a.jsonl")
    stored = db.frontier.count_documents({"state": "stored"})
    drop(db)
    assert command("import", str(tmp_path / "a.jsonl")).returncode == 0
    done = crawl("column", url=COLUMN)
    assert "stored 0 new, 0 changed, 0 same" in done.stderr
    assert db.frontier.count_documents({"state": "stored"}) >= stored
    assert written(command, tmp_path / "b.jsonl") == first


def test_other_run_holds_the_lock(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", article(0))
    lock = RunLock(tmp_path)
    try:
        done = command("import", path)
    finally:
        lock.release()
    assert done.returncode == 75
    assert done.stderr.startswith("zjolcrawl: another run holds ")
    assert db.articles.count_documents({}) == 0
    assert db.runs.count_documents({}) == 0


def test_health_does_not_take_it_for_a_crawl(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    before = command("health").stdout
    command("import", put(tmp_path / "a.jsonl", article(0)))
    after = command("health").stdout
    assert "no run" in before.lower()
    told = (  # health reports that the record of the imported article is missing
        [line for line in each.splitlines() if "run" in line and not line.startswith("archive")]
        for each in (before, after)
    )
    assert next(told) == next(told)


# Import of an article that is stored in another version.


def test_newer_version_follows_the_stored_one(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    former, newest = edited(article(0), "改过", 2)
    command("import", put(tmp_path / "a.jsonl", article(0)))
    for _ in range(2):
        done = command("import", put(tmp_path / "b.jsonl", former, newest))
        assert done.returncode == 0, done.stderr
        found = everything(db)
        assert [each["_id"] for each in found["revisions"]] == [former["_id"]]
        assert found["revisions"] == [former]
        (now,) = found["articles"]
        run = now.pop("run_id")
        assert run != RUN
        assert now == {k: v for k, v in newest.items() if k != "run_id"}
    assert taken(done) == line(same=1)
    counts = [run["counts"] for run in db.runs.find().sort("started_at", 1)]
    assert counts == [{"new": 1}, {"changed": 1}, {"same": 1}]
    assert db.frontier.find_one({"_id": newest["_id"]})["last_attempt_at"] == newest["last_seen_at"]


def test_older_file_changes_nothing(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    former, newest = edited(article(0), "改过", 2)
    command("import", put(tmp_path / "a.jsonl", former, newest))
    before = everything(db)
    done = command("import", put(tmp_path / "b.jsonl", article(0)))
    assert (done.returncode, taken(done)) == (0, line(same=1))
    assert everything(db) == before


def test_what_was_seen_between_is_a_version(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    former, newest = edited(article(0), "改过", 10)
    command("import", put(tmp_path / "a.jsonl", former, newest))
    _, between = edited(article(0), "另一版", 5)
    for told in (line(new=1, inserted=1), line(same=2)):
        done = command("import", put(tmp_path / "b.jsonl", article(1), between))
        assert (done.returncode, taken(done)) == (0, told)
        found = everything(db)
        assert [each["body"] for each in found["revisions"]] == [former["body"], "另一版"]
        assert [each["_id"]["revision"] for each in found["revisions"]] == [1, 2]
        (now,) = [each for each in found["articles"] if each["_id"] == newest["_id"]]
        assert now == {**newest, "revision": 3}
    for name in ("changed_at", "last_seen_at"):
        assert found["revisions"][1][name] == between[name]


def test_seen_later_the_same(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    later = article(0, last_seen_at=article(0)["last_seen_at"] + 5 * HOUR)
    command("import", put(tmp_path / "a.jsonl", article(0)))
    done = command("import", put(tmp_path / "b.jsonl", later))
    assert (done.returncode, taken(done)) == (0, line(same=1))
    assert everything(db)["articles"] == [later]


def test_other_columns_listed_it_too(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    command("import", put(tmp_path / "a.jsonl", article(0)))
    done = command("import", put(tmp_path / "b.jsonl", article(0, columns=["other"])))
    assert (done.returncode, taken(done)) == (0, line(reread=1))
    (now,) = everything(db)["articles"]
    assert now == article(0, columns=["zjxw", "other"], run_id=now["run_id"])


def test_taken_down_and_there_again(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    command("import", put(tmp_path / "a.jsonl", article(0)))
    at = article(0)["last_seen_at"] + HOUR
    gone = article(0, status="gone", gone_at=at)
    assert command("import", put(tmp_path / "b.jsonl", gone)).returncode == 0
    assert everything(db)["articles"] == [gone]
    assert db.frontier.find_one()["state"] == "gone"
    back = article(0, gone_at=at, returned_at=at + HOUR, last_seen_at=at + HOUR)
    assert command("import", put(tmp_path / "c.jsonl", back)).returncode == 0
    assert everything(db)["articles"] == [back]
    assert db.frontier.find_one()["state"] == "stored"
    # An article that was known to be gone is not a new takedown.
    assert command("import", put(tmp_path / "b.jsonl", gone)).returncode == 0
    assert everything(db)["articles"] == [back]


def test_later_parser_has_the_word(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    def read(version: int) -> dict[str, Any]:
        return article(
            0, parser={"template": "T1", "version": version}, title=f"第{version}次读",
            content_sha256=str(version) * 64,
        )  # fmt: skip

    command("import", put(tmp_path / "2.jsonl", read(2)))
    for given, kept, told in (
        (3, 3, line(reread=1)), (2, 3, line(same=1)), (3, 3, line(same=1)),
    ):  # fmt: skip
        done = command("import", put(tmp_path / f"{given}.jsonl", read(given)))
        (now,) = everything(db)["articles"]
        assert (done.returncode, now["title"], now["revision"]) == (0, f"第{kept}次读", 1)
        assert taken(done) == told
    assert everything(db)["revisions"] == []


def test_taken_down_says_who_read_it_with_an_older_parser(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    newer = article(0, parser={"template": "T1", "version": 3}, title="新读")
    at = article(0)["last_seen_at"] + HOUR
    command("import", put(tmp_path / "a.jsonl", newer))
    done = command("import", put(tmp_path / "b.jsonl", article(0, status="gone", gone_at=at)))
    assert (done.returncode, taken(done)) == (0, line(same=1))
    assert everything(db)["articles"] == [{**newer, "status": "gone", "gone_at": at}]


def test_former_versions_come_later(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    former, newest = edited(article(0), "改过", 2)
    command("import", put(tmp_path / "a.jsonl", newest))
    assert command("history", newest["_id"]).returncode == 0
    done = command("import", put(tmp_path / "b.jsonl", former, newest))
    assert (done.returncode, taken(done)) == (0, line(same=1))
    assert everything(db) == {"articles": [newest], "revisions": [former]}


# Lines that cannot be imported are reported, the rest is imported.


def broken(**more: Any) -> str:
    values = {k: v for k, v in article(9).items() if not isinstance(v, (datetime, ObjectId))}
    for name, value in article(9).items():
        if isinstance(value, datetime):
            values[name] = value.strftime("%Y-%m-%dT%H:%M:%S.045Z")
    values |= {"run_id": str(RUN), **more}
    return json.dumps(values)


BAD: list[tuple[str | bytes, str]] = [
    ('{"_id": "http://x/', "not JSON: Unterminated string starting at at character 9"),
    ("[1]", "not a JSON object"),
    ("{}", "_id is neither a URL nor {url, revision}"),
    (broken(_id="http://[", status=""), "status is not one of"),
    (broken(_id=""), "_id is neither a URL nor {url, revision}"),
    (broken(_id={"revision": 1, "url": "http://x/"}), "_id is neither a URL"),
    (b'{"_id": "\xff"}', "not UTF-8 at byte 10"),
    (broken(title="\ud800"), "half of a surrogate pair: text that cannot be stored"),
    (
        broken(published_at="2017-08-12"),
        "published_at must look like 2017-08-11T23:34:27.000Z: 2017-08-12",
    ),
    (broken(published_at="2017-02-30T00:00:00.000Z"), "published_at must look like"),
    (broken(published_at=1502494467), "published_at: not of the type timestamp"),
    (broken(run_id="xyz"), "run_id is not an id of 24 hex digits: xyz"),
    (
        broken(images=[{"url": "http://x/", "width": "600"}]),
        "images.width: not of the type list<struct<",
    ),
    (broken(kicker=None), "kicker: not of the type string"),
    (broken(tags="生态"), "tags: not of the type list<string>"),
    (broken(revision=True), "revision: not of the type int"),
    (broken(mine={"$date": "tomorrow"}), "a value that cannot be read: "),
    (broken(mine=10**30), "a document that cannot be stored: "),
    (broken(**{"$set": 1}), "$set is not a field name"),
    (broken(mine=float("nan")), "NaN is not a JSON number"),
    (broken(mine="x").replace('"x"', "[" * 100_000), "nested too deeply"),
    (
        broken(mine="x").replace('"x"', "[" * 150 + "]" * 150),
        "nested too deeply: more than 100 levels",
    ),
    (broken(status="away"), "status is not one of live, gone"),
    (broken(revision=0), "revision is less than 1"),
    (broken(title=""), "title is empty"),
    (broken(tags=[]), "tags is empty"),
    (broken(content_sha256="abc"), "content_sha256 does not match ^[0-9a-f]{64}$"),
    (broken(warc={"file": "x"}), "warc lacks offset"),
    (
        broken(_id={"url": "http://zjnews.zjol.com.cn/none.shtml", "revision": 1}),
        "no article of this former version is stored",
    ),
    (broken(body="长" * 6_000_000), "18007327 bytes: a document may have 16777216 at most"),
]


def test_bad_lines_are_told_and_the_rest_is_taken(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    path = Path(put(tmp_path / "a.jsonl", article(0), article(1)))
    first, second = path.read_bytes().splitlines()
    bad = [
        each if isinstance(each, bytes) else each.encode("utf-8", "surrogatepass")
        for each, _ in BAD
    ]
    path.write_bytes(b"\n".join([first, b"", *bad, second]))  # no line break at the end
    done = command("import", str(path))
    assert done.returncode == 1
    *shown, more, summary = done.stderr.splitlines()
    (run,) = db.runs.find()
    faults = run["warnings"]
    assert shown == [f"zjolcrawl: {each}" for each in faults[:10]]
    assert more == (
        f"zjolcrawl: and {counted(len(faults) - 10, 'more line')} like these; "
        f"`scrapy runs {run['_id']}` shows up to 100 of them"
    )
    told = {
        int(place): why for each in faults for place, why in re.findall(r"jsonl:(\d+): (.*)", each)
    }
    assert len(faults) == len(told)
    for number, (_, why) in enumerate(BAD, 3):
        assert told.pop(number, "").startswith(why), number
    assert told == {}
    assert summary.startswith("zjolcrawl: 2 articles new")
    assert everything(db) == {"articles": [article(0), article(1)], "revisions": []}
    assert (run["exit_status"], run["counts"]["new"]) == (1, 2)
    assert run["counts"]["unreadable"] + run["counts"]["refused"] == len(BAD)


def test_bad_article_over_a_stored_one(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    command("import", put(tmp_path / "a.jsonl", article(9)))
    bad = [{"url": "http://x/", "ref": "x", "position": 1, "status": "odd"}]
    (tmp_path / "b.jsonl").write_text(broken(images=bad) + "\n" + broken(parser={"template": "T1"}))
    done = command("import", str(tmp_path / "b.jsonl"))
    assert (done.returncode, taken(done)) == (1, line(refused=2))
    assert everything(db)["articles"] == [article(9)]


def test_history_that_cannot_be(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    former, newest = edited(article(0), "改过", 2)
    url = newest["_id"]
    late = {**former, "_id": {"url": url, "revision": 2}, "revision": 2}
    other = {**former, "_id": {"url": url, "revision": 1}, "revision": 3}
    twice = {**former, "title": "两次"}
    done = command("import", put(tmp_path / "a.jsonl", late, other, former, twice, newest))
    assert (done.returncode, taken(done)) == (1, line(new=1, refused=3))
    assert [each.split(": ", 2)[1:] for each in done.stderr.splitlines()[:3]] == [
        [f"{tmp_path}/a.jsonl:1", "revision 2 is not before revision 2"],
        [f"{tmp_path}/a.jsonl:2", "_id.revision is not revision (3)"],
        [f"{tmp_path}/a.jsonl:4", "a different former version of this number is stored"],
    ]
    assert everything(db) == {"articles": [newest], "revisions": [former]}


def test_former_version_twice_is_no_conflict(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    former, newest = edited(article(0), "改过", 2)
    done = command("import", put(tmp_path / "a.jsonl", former, former, newest))
    assert (done.returncode, taken(done)) == (0, line(new=1))
    assert everything(db) == {"articles": [newest], "revisions": [former]}


def test_torn_gzip(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    whole = Path(put(tmp_path / "a.jsonl", *(article(n) for n in range(300)))).read_bytes()
    packed = gzip.compress(whole)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    done = command("import", str(tmp_path / "a.jsonl.gz"), put(tmp_path / "b.jsonl", article(500)))
    assert done.returncode == 1
    (fault, _) = done.stderr.splitlines()
    assert "the file breaks off: " in fault
    assert 0 < db.articles.count_documents({}) < 301
    assert db.articles.find_one({"_id": article(500)["_id"]}) == article(500)


def test_unusable_arguments(command: Crawl, tmp_path: Path) -> None:
    for arguments, told in (
        ([], "give files"),
        (["nowhere.jsonl"], "cannot be read: No such file"),
    ):
        done = command("import", *arguments)
        assert done.returncode == 2
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_no_database(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", article(0))
    done = scrapy("import", path, data=tmp_path, uri="mongodb://127.0.0.1:1/")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("zjolcrawl: MONGODB_URI mongodb://127.0.0.1:1")


def started(path: Path, data: Path, uri: str, database: str) -> Running:
    """An import that is stopped after it has stored something."""
    running = start_scrapy("import", str(path), site=None, data=data, uri=uri, database=database)
    with MongoClient[dict[str, Any]](uri) as client:
        wait_until(lambda: client[database].articles.count_documents({}), running)
    running.send_signal(signal.SIGSTOP)
    return running


def test_interrupted_and_done_again(
    db: Database[Any], command: Crawl, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    path = Path(put(tmp_path / "a.jsonl", *(article(n) for n in range(2000))))
    running = started(path, tmp_path, mongodb_uri, database)
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGCONT)
    _, err = ended(running)
    told = "zjolcrawl: interrupted: run the import again; stored articles are skipped\n"
    assert (running.returncode, err) == (130, told)
    there = db.articles.count_documents({})
    assert 0 < there < 2000
    (run,) = db.runs.find()
    assert (run["exit_status"], run["finish_reason"]) == (1, "shutdown")
    done = command("import", str(path))
    assert (done.returncode, taken(done)) == (0, line(new=2000 - there, same=there))
    assert db.frontier.count_documents({"state": "stored"}) == 2000


def test_killed_and_done_again(
    db: Database[Any], command: Crawl, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    path = Path(put(tmp_path / "a.jsonl", *(article(n) for n in range(1000))))
    running = started(path, tmp_path, mongodb_uri, database)
    running.kill()
    running.communicate()
    assert command("import", str(path)).returncode == 0
    assert list(db.articles.find().sort("_id", 1)) == [article(n) for n in range(1000)]
    assert db.frontier.count_documents({"state": "stored"}) == 1000
    found = json.loads(command("search", "环境保护督察", "--limit", "1000", "--json").stdout)
    assert len(found) == 1000


def test_database_lost(tmp_path: Path) -> None:
    path = Path(put(tmp_path / "a.jsonl", *(article(n) for n in range(2000))))
    with Mongod(tmp_path / "mongodb") as server:
        running = started(path, tmp_path / "data", server.uri, "zjol")
        server.stop()
        running.send_signal(signal.SIGCONT)
        _, err = ended(running)
    assert (running.returncode, err.count("\n")) == (2, 1)
    assert err.startswith("zjolcrawl: MongoDB is unavailable: ")
    assert err.endswith("import again, it skips what is stored\n")


def test_time_of_another_archives_write_is_left_out(
    raw_db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    theirs = {**article(0), "written_at": Timestamp(1, 1)}
    for _ in range(2):
        done = command("import", put(tmp_path / "a.jsonl", theirs, article(1)))
        assert done.returncode == 0, done.stderr
    assert raw_db.articles.count_documents({"written_at": {"$gt": Timestamp(1000, 0)}}) == 2
    assert raw_db.articles.count_documents({"revision": 1}) == 2
