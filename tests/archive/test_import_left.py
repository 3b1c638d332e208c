"""What a killed import leaves in DATA_DIR/warc/foreign: named by `health`, finished by another import, hashed by `verify`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.archive.test_import import FIRST, SECOND, write
from tests.archive.test_import_parts import page
from tests.export.made import article
from tests.support.crawling import Crawl
from zjolcrawl.archive.foreign_files import keep
from zjolcrawl.archive.foreign_notes import Kept, unfinished


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A file of another program with one article."""
    return write(tmp_path / "a.warc.gz", made.warc_record(FIRST, page(4774001)))


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    folder = tmp_path / "warc" / "foreign"
    folder.mkdir(parents=True)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("note", [None, b"", b"{", b"[]", b'{"name": "a.warc.gz"}'])
def test_file_without_a_note_gets_one(note: bytes | None, others: Path, foreign: Path) -> None:
    """Also under another name, and with a note that cannot be read."""
    (foreign / "b.warc.gz").write_bytes(others.read_bytes())
    if note is not None:
        (foreign / "b.warc.gz.json").write_bytes(note)
    (foreign / "same-size.warc").write_bytes(bytes(others.stat().st_size))
    assert [each.name for each in unfinished(foreign)] == ["b.warc.gz", "same-size.warc"]
    kept = keep(foreign, others, str(others))
    assert kept.name == "b.warc.gz"
    assert names(foreign) == ["b.warc.gz", "b.warc.gz.json", "same-size.warc"]
    assert Kept.read(foreign / "b.warc.gz") == kept


def test_copy_that_was_cut_off_is_deleted(others: Path, foreign: Path) -> None:
    for name in (".new-old", ".new-now"):
        (foreign / name).write_bytes(others.read_bytes()[:100])
    os.utime(foreign / ".new-old", (0, 0))
    assert [each.name for each in unfinished(foreign)] == [".new-old"]
    keep(foreign, others, str(others))
    assert names(foreign) == [".new-now", "a.warc.gz", "a.warc.gz.json"]


@pytest.mark.parametrize("left", ["nothing", "a folder"])
def test_kept_file_that_was_lost_costs_only_itself(
    left: str, db: Database[Any], crawl: Crawl, others: Path, foreign: Path, tmp_path: Path
) -> None:
    """It was kept by a run that was killed before it read it."""
    lost = keep(foreign, others, str(others)).name
    second = write(tmp_path / "b.warc.gz", made.warc_record(SECOND, page(4774002)))
    good = keep(foreign, second, str(second)).name
    (foreign / lost).unlink()
    if left == "a folder":
        (foreign / lost).mkdir()
    done = crawl("import", file=f"{lost},{good},never-kept.warc")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [each for each in done.stderr.splitlines() if f": {lost}" in each]
    assert "its further records are not imported, get an intact copy" in line
    assert "no kept file never-kept.warc: `scrapy archive import FILE` keeps it" in done.stderr
    assert [each["_id"] for each in db.articles.find()] == [SECOND]
    notes = {name: Kept.read(foreign / name) for name in (lost, good)}
    assert {name: note.is_done for name, note in notes.items() if note} == {lost: False, good: True}


def of_imports(command: Crawl) -> list[str]:
    shown = command("health").stdout.splitlines()
    return [line for line in shown if "warc/foreign" in line]


def test_health_names_what_is_left(
    db: Database[Any], command: Crawl, others: Path, foreign: Path
) -> None:
    kept = keep(foreign, others, str(others))  # as if the run had been killed
    (line,) = of_imports(command)
    assert "BAD 1 file in DATA_DIR/warc/foreign not imported: a.warc.gz (not all of it" in line
    assert "zjolcrawl archive import PATH" in line
    (foreign / "a.warc.gz").unlink()
    (foreign / "b.warc").write_bytes(b"WARC/1.0\r\n")
    (foreign / "c.warc.json").write_bytes(b"{")
    (line,) = of_imports(command)
    for text in ("3 files", "a.warc.gz (the file is missing)", "b.warc (it has no readable note)", "c.warc (its note"):  # fmt: skip
        assert text in line
    for name in ("b.warc", "c.warc.json"):
        (foreign / name).unlink()
    assert command("archive", "import", str(others)).returncode == 0
    assert of_imports(command) == []
    assert db.articles.count_documents({}) == 1
    (foreign / kept.name).unlink()  # once imported, it may be deleted
    assert of_imports(command) == []


def test_import_at_work_is_not_named(
    db: Database[Any], command: Crawl, others: Path, foreign: Path
) -> None:
    kept = keep(foreign, others, str(others))
    assert command("archive", "import", str(others)).returncode == 0
    note = foreign / f"{kept.name}.json"
    told = json.loads(note.read_bytes())
    note.write_text(json.dumps({**told, "imported_at": None}))
    assert len(of_imports(command)) == 1
    (run,) = db.runs.find()
    db.runs.update_one({"_id": run["_id"]}, {"$unset": {"ended_at": 1}, "$set": {"alive_until": made.moment("2999-01-01T00:00:00Z")}})  # fmt: skip
    assert of_imports(command) == []


def test_verify_hashes_the_files(
    db: Database[Any], command: Crawl, tmp_path: Path, others: Path, foreign: Path
) -> None:
    second = write(tmp_path / "b.warc.gz", made.warc_record(SECOND, page(4774002)))
    assert command("archive", "import", str(others), str(second)).returncode == 0
    done = command("verify")
    assert done.returncode == 0, done.stdout
    assert ", 2 files of others" in done.stdout
    file = foreign / "a.warc.gz"
    data = file.read_bytes()
    for bad in (data[:-1], data + b"\0", data[:50] + bytes([data[50] ^ 1]) + data[51:], b""):
        file.write_bytes(bad)
        done = command("verify")
        assert done.returncode == 1
        assert f"damaged: warc/foreign/a.warc.gz: {len(bad)} byte" in done.stdout
        assert "2 files of others, 0 images (0 bytes): 1 damaged, 0 missing" in done.stdout
    file.unlink()  # once imported, it may be deleted
    assert command("verify").returncode == 0
    note = foreign / "a.warc.gz.json"
    note.write_text(json.dumps({**json.loads(note.read_bytes()), "imported_at": None}))
    done = command("verify")
    assert done.returncode == 1
    assert "missing: warc/foreign/a.warc.gz: its import has not ended" in done.stdout


def test_health_names_versions_that_were_never_reparsed(db: Database[Any], command: Crawl) -> None:
    copy = {"parser": {"template": "T1", "version": -1}}
    db.articles.insert_many([article(1), article(2, **copy)])
    db.revisions.insert_one({**article(3, **copy), "_id": {"url": "http://x/", "revision": 1}})
    lines = command("health").stdout.splitlines()
    (line,) = [each for each in lines if "not re-parsed" in each]
    assert "BAD 2 versions not re-parsed" in line
    assert line.endswith("run `scrapy crawl reparse -a parser_before=1`")
    db.articles.delete_one({"parser.version": -1})
    db.revisions.delete_many({})
    assert "not re-parsed" not in command("health").stdout
