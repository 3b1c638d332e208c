"""`scrapy archive import` of single records: failures, redirects, lists, revisits; kills, arguments, memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.archive.test_import import COLUMN, EARLY, FIRST, LATE, NEWS, SECOND, write
from tests.support.crawling import (
    ROOT,
    Crawl,
    Running,
    ended,
    environment,
    peak_memory,
    start_scrapy,
    wait_until,
)
from tests.support.pages import article
from tests.support.rebuilding import drop, snapshot
from tests.support.site import Answer, SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.foreign_notes import FOLDER, kept_files
from zjolcrawl.archive.imports import FileImport
from zjolcrawl.archive.writer import WarcWriter
from zjolcrawl.site.catalogue import load_catalogue

COLUMN_URL = load_catalogue()[COLUMN].url
# --- parts of files ---------------------------------------------------------------------------


def page(ident: int, title: str = "标题一则新闻", **headers: str) -> bytes:
    """An HTTP response with an article."""
    return made.http(article("2017-08-12", ident, title), Content_Type="text/html", **headers)


def test_bad_records_are_named_and_the_others_imported(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    good = made.warc_record(FIRST, page(4774001))
    bad = made.warc_record(SECOND, page(4774002), WARC_Block_Digest=made.digest(b"x"))
    others = made.warc_record("http://www.example.com/", page(1))
    future = made.warc_record(SECOND, page(4774002), WARC_Date="2099-01-01T00:00:00Z")
    torn = made.members([made.warc_record(SECOND, page(4774002))])[:-20]
    file = tmp_path / "bad.warc.gz"
    file.write_bytes(made.members([bad, others, future]) + torn + made.members([good]))
    done = command("archive", "import", str(file))
    assert done.returncode == 1
    said = done.stderr.splitlines()
    at = [0, len(made.members([bad, others])), len(made.members([bad, others, future]))]
    for line, offset, why in zip(said, at, ("digest", "future", "length differs"), strict=False):
        assert f"bad.warc.gz, byte {offset}: " in line
        assert why in line
    assert "1 capture recorded, 0 known, 1 of other hosts, 3 not usable" in said[-1]
    assert [each["_id"] for each in db.articles.find()] == [FIRST]
    assert "already imported" in command("archive", "import", str(file)).stderr
    assert db.runs.count_documents({}) == 1
    assert db.runs.find_one()["exit_status"] == 1


def test_url_that_is_none_costs_no_other_record(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    odd = [
        "http://zjnews.zjol.com.cn:x/",
        "http://www.example.com:99999/",
        "http://zjnews.zjol.com.cn/\x1b[2J a",
    ]
    records = [made.warc_record(FIRST, page(4774001))]
    records += [made.warc_record(url, page(number)) for number, url in enumerate(odd)]
    records += [made.warc_record(SECOND, page(4774002))]
    file = tmp_path / "odd.warc.gz"
    file.write_bytes(made.members(records))
    done = command("archive", "import", str(file))
    assert "3 captures recorded, 0 known, 2 of other hosts, 0 not usable" in done.stderr
    assert "\x1b" not in done.stderr
    assert {each["_id"] for each in db.articles.find()} == {FIRST, SECOND}


def test_record_with_an_unexpected_fault_costs_only_itself(command: Crawl, tmp_path: Path) -> None:
    """No such record is known, so a context that cannot be made stands for one."""
    urls = [FIRST, SECOND, f"{NEWS}/t20170812_4774003.shtml"]
    records = [made.warc_record(url, page(4774001 + n)) for n, url in enumerate(urls)]
    (tmp_path / "three.warc").write_bytes(b"".join(records))
    command("archive", "import", str(tmp_path / "three.warc"))  # keeps it
    with Archive(tmp_path / "warc") as archive:
        (kept,) = kept_files(archive.folder / FOLDER)
    with Archive(tmp_path / "again") as archive:
        shutil.copytree(tmp_path / "warc" / FOLDER, archive.folder / FOLDER)

        def context_of(url: str, _: object) -> dict[str, Any]:
            if url == SECOND:
                raise RuntimeError("a fault that nobody has thought of")
            return {}

        writer = WarcWriter(archive, run="x", info={})
        done = FileImport(archive, kept, writer, context_of)
        list(done.steps())
        asyncio.run(writer.close())
        assert [each.url for each in archive.index.captures()] == [urls[0], urls[2]]
    (named,) = done.named
    assert f"byte {len(records[0])}: {SECOND}: RuntimeError: a fault" in named
    assert (done.counts["recorded"], done.counts["unusable"]) == (2, 1)


@pytest.mark.parametrize(
    "status", ["404 Not Found", "410 Gone", "503 Unavailable", "403 Forbidden"]
)
def test_failed_captures_of_others_change_nothing(
    status: str, db: Database[Any], site: SiteProxy, crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    site.set(FIRST, Answer(body=article("2017-08-12", 4774001)))
    assert crawl("article", url=FIRST).returncode == 0
    before = snapshot(db)
    gone = made.http(b"<html>none</html>", f"HTTP/1.1 {status}")
    moved = made.http(b"", "HTTP/1.1 302 Found", Location="http://www.example.com/login")
    nothing = made.http(b"<html><title>x</title>please log in</html>", Content_Type="text/html")
    records = [
        made.warc_record(FIRST, block, WARC_Date=f"2020-01-0{n}T00:00:00Z")
        for n, block in enumerate((gone, moved, nothing), 1)
    ]
    records += [made.warc_record(SECOND, gone), made.warc_record(COLUMN_URL, gone)]
    done = command("archive", "import", str(write(tmp_path / "x.warc.gz", *records)))
    assert done.returncode == 0, done.stderr
    assert snapshot(db) == before
    assert command("crawl", "reparse").returncode == 0
    assert snapshot(db) == before


def test_redirects_lead_to_the_article(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    third = f"{NEWS}/t20170812_4774003.shtml"
    stub = f'<script>location.replace("{third}")</script>'.encode()
    records = [
        made.warc_record(FIRST, made.http(b"", "HTTP/1.1 301 Moved", Location=SECOND)),
        made.warc_record(SECOND, made.http(stub, Content_Type="text/html")),
        made.warc_record(third, page(4774003)),
    ]
    done = command("archive", "import", str(write(tmp_path / "x.warc.gz", *records)))
    assert done.returncode == 0, done.stderr
    (found,) = db.articles.find()
    assert found["_id"] == third
    assert set(found["aliases"]) == {FIRST, SECOND}
    assert {row["_id"]: row["state"] for row in db.frontier.find()} == dict.fromkeys(
        (FIRST, SECOND, third), "stored"
    )


def test_further_pages_come_from_the_same_import(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    first = "http://sznews.zjol.com.cn/sznews/szyw/201812/t20181218_9012233.shtml"
    first = next(
        f"http://{each.relative_to(made.FIXTURES)}".replace("_1.shtml", ".shtml")
        for each in made.FIXTURES.rglob("*_1.shtml") if not each.with_name(each.name.replace("_1.shtml", "_2.shtml")).exists()
    )  # fmt: skip
    second = first.replace(".shtml", "_1.shtml")
    bodies = {u: (made.FIXTURES / u.removeprefix("http://")).read_bytes() for u in (first, second)}
    records = [
        made.warc_record(url, made.http(body, Content_Type="text/html"), WARC_Date=date)
        for (url, body), date in zip(bodies.items(), (LATE, EARLY), strict=True)
    ]
    alone = write(tmp_path / "alone.warc.gz", records[0])
    assert command("archive", "import", str(alone)).returncode == 0
    found = db.articles.find_one({"_id": first})
    assert found is not None
    partial = found["body"]
    drop(db)
    shutil.rmtree(tmp_path / "warc")
    both = write(tmp_path / "both.warc.gz", *records)
    assert command("archive", "import", str(both)).returncode == 0
    found = db.articles.find_one({"_id": first})
    assert found is not None
    assert found["body"].startswith(partial)
    assert len(found["body"]) > len(partial)
    assert found["pages"] == [first, second]


def test_lists_give_their_columns_and_other_pages_none(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    rows = f'<ul class="listUl"><li class="listLi"><a href="{FIRST}">一</a></li></ul>'
    listed = made.http(rows.encode(), Content_Type="text/html; charset=utf-8")
    records = [
        made.warc_record(FIRST, page(4774001)),
        made.warc_record(SECOND, page(4774002)),
        made.warc_record(f"{COLUMN_URL}index_3.shtml", listed, WARC_Date=LATE),
        made.warc_record("http://zjnews.zjol.com.cn/other/", listed, WARC_Date=LATE),
    ]
    done = command("archive", "import", str(write(tmp_path / "x.warc.gz", *records)))
    assert done.returncode == 0, done.stderr
    assert {each["_id"]: each.get("columns") for each in db.articles.find()} == {
        FIRST: [COLUMN], SECOND: None,
    }  # fmt: skip


# --- revisits ---------------------------------------------------------------------------------

REFERENCES = {
    "record id": {"WARC_Refers_To": "<urn:test:origin>"},
    "URL and time": {"WARC_Refers_To_Target_URI": SECOND, "WARC_Refers_To_Date": EARLY},
    "time of the same URL": {"WARC_Refers_To_Date": EARLY},
    "digest": {"WARC_Payload_Digest": "DIGEST"},
}


@pytest.mark.parametrize("how", REFERENCES)
@pytest.mark.parametrize("order", ["before", "after", "other file"])
def test_revisit_gets_the_payload_it_refers_to(
    how: str, order: str, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    url = SECOND if how == "URL and time" else FIRST
    payload = made.digest(article("2017-08-12", 4774001))
    told = {"WARC_Payload_Digest": payload}
    origin = made.warc_record(
        url, page(4774001), WARC_Record_ID="<urn:test:origin>", WARC_Date=EARLY, **told
    )
    given = REFERENCES[how] | (told if how == "digest" else {})
    head = made.http(b"", Content_Type="text/html")
    revisit = made.warc_record(
        FIRST, head, "revisit", WARC_Date=LATE, WARC_Profile=made.SAME, **given
    )
    if order != "other file":
        records = (origin, revisit) if order == "before" else (revisit, origin)
        done = command("archive", "import", str(write(tmp_path / "x.warc.gz", *records)))
    else:
        second = write(tmp_path / "second.warc.gz", revisit)
        done = command("archive", "import", str(second))
        assert done.returncode == 1
        assert "second.warc.gz, byte 0: revisit of" in done.stderr
        assert "import that file, then this one again" in done.stderr
        assert (
            command("archive", "import", str(write(tmp_path / "f.warc.gz", origin))).returncode == 0
        )
        done = command("archive", "import", str(second))
    assert done.returncode == 0, done.stderr
    found = db.articles.find_one({"_id": FIRST})
    assert found is not None
    assert found["last_seen_at"] == made.moment(LATE)


# --- kills ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["recording", "reading"])
def test_killed_import_is_finished_by_the_same_command(
    stage: str, db: Database[Any], site: SiteProxy, mongodb_uri: str, database: str, command: Crawl,
    tmp_path: Path,
) -> None:  # fmt: skip
    idents = range(4775000, 4775500)
    records = [made.warc_record(f"{NEWS}/t20170812_{n}.shtml", page(n)) for n in idents]
    file = write(tmp_path / "x.warc.gz", *records)
    data = tmp_path / "data"
    data.mkdir()

    def is_there() -> bool:
        if stage == "reading":
            return db.articles.count_documents({}) > 50
        return any(each.stat().st_size > 20_000 for each in (data / "warc").glob("*.open"))

    def start() -> Running:
        return start_scrapy(
            "archive", "import", str(file),
            site=site, data=data, uri=mongodb_uri, database=database,
        )  # fmt: skip

    running = start()
    wait_until(is_there, running)
    running.kill()
    running.communicate()
    assert json.loads((data / "warc/foreign/x.warc.gz.json").read_bytes())["imported_at"] is None
    running = start()
    _, err = ended(running)
    assert running.returncode == 0, err
    assert db.articles.count_documents({}) == len(idents)
    assert db.articles.count_documents({"revision": 1}) == len(idents)
    with Archive(data / "warc") as archive:
        urls = [each.url for each in archive.index.captures()]
        runs = {each.run for each in archive.index.captures()}
    assert sorted(urls) == sorted(set(urls))
    assert len(urls) == len(idents)
    assert len(runs) == 1
    running = start()
    _, err = ended(running)
    assert "already imported" in err


# --- arguments --------------------------------------------------------------------------------


def test_unusable_arguments(command: Crawl, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no archive\n" * 10)
    (tmp_path / "empty").mkdir()
    for given in ([], ["nothing.warc"], [str(tmp_path / "notes.txt")], [str(tmp_path / "empty")]):
        done = command("archive", "import", *given)
        assert done.returncode == 2, given
        assert "Traceback" not in done.stderr
    assert not list((tmp_path / "warc").rglob("*")) or not list(
        (tmp_path / "warc/foreign").iterdir()
    )
    done = command("crawl", "import")
    assert done.returncode == 2
    assert "scrapy archive import FILE" in done.stderr


def test_from_stdin(db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "archive", "import", "-"],
        input=made.members([made.warc_record(FIRST, page(4774001))]), cwd=ROOT,
        env=environment(None, tmp_path, mongodb_uri, database), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({}) == 1
    (kept,) = (tmp_path / "warc" / "foreign").glob("stdin-*.json")
    assert json.loads(kept.read_bytes())["source"] == "-"


def test_memory_of_hostile_files(
    db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = made.warc_record(FIRST, b"", Content_Length=str(300 << 20)).rstrip(b"\r\n") + b"\r\n\r\n"
    parts = [packed.compress(head), *(packed.compress(bytes(1 << 20)) for _ in range(300))]
    large = [
        made.warc_record(f"{FIRST[:-6]}{number}.shtml", made.http(body, Content_Type="text/html"))
        for number, body in enumerate(
            [b"x" * (20 << 20), b"<p>" * (7 << 20), b"x<br>\n" * (3 << 20)] * 4
        )
    ]
    packed_bomb = gzip.compress(bytes(40 << 20), 1)  # 20 MB of it are decoded
    large += [
        made.warc_record(
            f"{FIRST[:-6]}9{number}.shtml",
            made.http(packed_bomb, Content_Type="text/html", Content_Encoding="gzip"),
        )
        for number in range(12)
    ]
    good = made.members([made.warc_record(SECOND, page(4774002))])
    file = tmp_path / "bomb.warc.gz"
    # The fastest level for these: they need to be large when read, not small in the file.
    more = [gzip.compress(each, 1, mtime=0) for each in large]
    file.write_bytes(b"".join([*parts, packed.flush(), good, *more]))
    running = start_scrapy(
        "archive", "import", str(file),
        site=None, data=tmp_path, uri=mongodb_uri, database=database, anew=True,
    )  # fmt: skip
    peak = peak_memory(running)
    _, err = running.communicate()
    assert "bomb.warc.gz, byte 0: a record of 314572800 bytes is too large" in err
    assert running.returncode == 1
    assert [each["_id"] for each in db.articles.find()] == [SECOND]
    assert peak < 300 * 2**20, f"{peak / 2**20:.0f} MiB"
