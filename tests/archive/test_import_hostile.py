"""`scrapy archive import` of hostile and damaged files: each costs only itself."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.archive.test_import import FIRST, SECOND, write
from tests.archive.test_import_parts import page
from tests.support.crawling import Crawl
from zjolcrawl.archive.foreign_notes import kept_files


def _wacz(path: Path, compression: int, good: bytes) -> Path:
    """A WACZ whose only entry is compressed and damaged in the middle."""
    with zipfile.ZipFile(path, "w", compression) as package:
        package.writestr("archive/data.warc", good + random.Random(1).randbytes(300_000))
    data = bytearray(path.read_bytes())
    data[60_000:60_030] = bytes(30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_wacz_costs_only_itself(
    compression: int, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    texts = [
        made.warc_record(url, page(number)) for number, url in enumerate((FIRST, SECOND), 4774001)
    ]
    files = [
        write(tmp_path / "a.warc.gz", texts[0]),
        _wacz(tmp_path / "b.wacz", compression, texts[0] * 100),
        write(tmp_path / "c.warc.gz", texts[1]),
    ]
    done = command("archive", "import", *map(str, files))
    assert done.returncode == 1
    assert "b.wacz" in done.stderr
    assert "Traceback" not in done.stderr
    assert {each["_id"] for each in db.articles.find()} == {FIRST, SECOND}
    notes = {each.name: each for each in kept_files(tmp_path / "warc" / "foreign")}
    assert notes["a.warc.gz"].is_done
    assert notes["c.warc.gz"].is_done


@pytest.mark.parametrize("digest", ["shake-128:ABC", "\0:ABC", "sha1:", ":"])
def test_digest_of_no_known_form(
    digest: str, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    records = [
        made.warc_record(FIRST, page(4774001), WARC_Block_Digest=digest),
        made.warc_record(SECOND, page(4774002)),
    ]
    done = command("archive", "import", str(write(tmp_path / "a.warc.gz", *records)))
    assert "Traceback" not in done.stderr
    assert db.articles.find_one({"_id": SECOND})


def test_date_before_the_web_settles_no_link(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    record = made.warc_record(FIRST, page(4774001), WARC_Date="1970-01-01T00:00:00Z")
    done = command("archive", "import", str(write(tmp_path / "a.warc.gz", record)))
    assert done.returncode == 1
    assert "its date is before 1990" in done.stderr
    assert db.frontier.count_documents({}) == 0


def test_name_that_is_not_utf8(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    folder = tmp_path / "others"
    folder.mkdir()
    write(folder / "a.warc.gz", made.warc_record(FIRST, page(4774001)))
    (folder / "b.warc.gz").write_bytes(made.members([made.warc_record(SECOND, page(4774002))]))
    (folder / "b.warc.gz").rename(folder / b"b\xff.warc.gz".decode("utf-8", "surrogateescape"))
    done = command("archive", "import", str(folder))
    assert done.returncode == 0, done.stderr
    assert {each["_id"] for each in db.articles.find()} == {FIRST, SECOND}


def test_many_header_lines_take_linear_time(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    """Tens of thousands of the same name: with quadratic time this would take many minutes."""
    head, body = page(4774001).split(b"\r\n\r\n", 1)
    block = head + b"\r\n" + b"A: b\r\n" * 200_000 + b"\r\n" + body
    record = made.warc_record(FIRST, block)
    done = command("archive", "import", str(write(tmp_path / "a.warc.gz", record)))
    assert done.returncode == 0, done.stderr
    assert db.articles.find_one({"_id": FIRST})
