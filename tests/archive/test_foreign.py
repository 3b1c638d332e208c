"""Files of other programs in `warc/`: reported and left alone; our own files stay unaffected."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive.test_archive import exchange, writer_on
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.scan import Damage
from zjolcrawl.archive.state import state

PAGE = "http://www.example.com/a.html"


def ours(folder: Path) -> list[Capture]:
    """A complete file of ours; its captures."""

    async def fill() -> list[Capture]:
        with Archive(folder) as archive:
            writer = writer_on(archive)
            for page in "01":
                writer.write(exchange(page))
            await writer.close()
            return list(archive.index.captures())

    return asyncio.run(fill())


def record(**fields: str) -> bytes:
    """A response with odd header fields; an empty one is left out."""
    usual = {
        "WARC-Type": "response", "WARC-Record-ID": "<urn:uuid:1>", "WARC-Date": "2017-08-12T00:00:00Z",
        "WARC-Target-URI": PAGE, "Content-Type": "application/http",
    }  # fmt: skip
    block = fields.pop("block", "HTTP/1.1 200 OK\r\n\r\nbody").encode("latin-1")
    given = {**usual, **{name.replace("_", "-"): value for name, value in fields.items()}}
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    head = "\r\n".join(["WARC/1.0", *lines, f"Content-Length: {len(block)}", "", ""])
    return gzip.compress(head.encode() + block + b"\r\n\r\n")


def of_another_tool(path: Path) -> None:
    """One record of each type, as other tools write them, without a reference to a warcinfo record."""
    http, answer = "application/http", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\npage"
    kinds = {
        "warcinfo": ("application/warc-fields", "software: Heritrix\r\n"),
        "response": (http, answer), "request": (http, "GET / HTTP/1.0\r\n\r\n"),
        "revisit": (http, answer[:-4]), "resource": ("text/plain", "r"), "conversion": ("text/plain", "c"),
        "metadata": ("application/warc-fields", "fetchTimeMs: 12\r\n"), "continuation": ("text/plain", "c"),
        "of the future": ("text/plain", "x"),
    }  # fmt: skip
    made = [
        record(block=block, WARC_Type=kind, Content_Type=mime, WARC_Record_ID=f"<urn:uuid:{kind}>")
        for kind, (mime, block) in kinds.items()
    ]
    made.append(record(block="20170812\n1.2.3.4\n", WARC_Target_URI="dns:www.example.com"))
    path.write_bytes(b"".join(made))


ODD = [
    record(WARC_Record_ID=""),
    record(WARC_Type=""),
    record(WARC_Date=""),
    record(WARC_Date="yesterday"),
    record(WARC_Date="99999-01-01T00:00:00Z"),
    record(WARC_Target_URI=""),
    record(WARC_Target_URI="http://[::1/"),
    record(WARC_Target_URI="http://x:99999999/"),
    record(WARC_Target_URI="urn:x"),
    record(block="HTTP/1.1 99999999999999999999 OK\r\n\r\n"),
    record(block="HTTP/1.1\r\n\r\n"),
    record(block="no http at all"),
    record(block=""),
]
GOOD = [
    record(WARC_Record_ID="<urn:uuid:2>", WARC_Target_URI=f"<{PAGE}>"),
    record(WARC_Record_ID="<urn:uuid:3>", WARC_Date="2017-08-12T08:00:00+08:00"),
    record(WARC_Record_ID="<urn:uuid:4>", Zjolcrawl_Context="{broken"),
    record(WARC_Record_ID="<urn:uuid:5>", Zjolcrawl_Context="[1]"),
    record(WARC_Record_ID="<urn:uuid:6>", Zjolcrawl_Context='{"article": 5, "column": 1}'),
    record(WARC_Record_ID="<urn:uuid:7>", WARC_Profile="浙江\x7f", WARC_Refers_To="x"),
]


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as each:
            each.bind(path.name)
    finally:
        os.chdir(here)


FOREIGN: dict[str, Callable[[Path], object]] = {
    "another tool's": of_another_tool,
    "odd records": lambda p: p.write_bytes(b"".join([*ODD, *GOOD])),
    "plain WARC": lambda p: p.write_bytes(gzip.decompress(GOOD[0])),
    "one member": lambda p: p.write_bytes(gzip.compress(b"".join(map(gzip.decompress, GOOD)))),
    "no WARC": lambda p: p.write_bytes(gzip.compress(b"a list of names\n" * 100)),
    "noise": lambda p: p.write_bytes(random.Random(1).randbytes(300_000)),
    "a download that was cut off": lambda p: p.write_bytes(b"".join(GOOD)[:-20]),
    "zeros": lambda p: p.write_bytes(bytes(1000)),
    "empty": lambda p: p.touch(),
    "a folder": lambda p: p.mkdir(),
    "a link to itself": loop,
    "a link to nothing": lambda p: p.symlink_to("not there"),
    "a pipe": os.mkfifo,
    "a socket": a_socket,
    "a device": lambda p: p.symlink_to("/dev/zero"),
}  # fmt: skip
NAMES = [
    "x.warc.gz", "x.warc", ".warc.gz", "._zjol-1.warc.gz", "a b'\";--%_*?.warc.gz", "浙江\u3000.warc.gz",
    "-.warc.gz", "a\x1b]0;title\x07.warc.gz", "two\nlines.warc.gz", b"\xff\xfe.warc.gz".decode("utf-8", "surrogateescape"),
    "zjol-x.warc.gz", "a-b-c-d-e.warc.gz", "zjol-20170812000000000-" + "0" * 24 + "-00001.warc.gz.warc.gz",
]  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_any_foreign_file(kind: str, tmp_path: Path) -> None:
    before = ours(tmp_path)
    FOREIGN[kind](tmp_path / "x.warc.gz")
    for _ in range(2):
        with Archive(tmp_path) as archive:
            own = [c for c in archive.index.captures() if c.pointer.file != "x.warc.gz"]
            assert own == before
            assert archive.faults == []
            named = [each for each in archive.repairs if each.startswith("warc/x.warc.gz: ")]
            assert len(named) == 1
            assert "archive import" in named[0]
            assert list(archive.index.captures()) == before


def test_index_of_an_earlier_version_forgets_them(tmp_path: Path) -> None:
    before = ours(tmp_path)
    of_another_tool(tmp_path / "x.warc.gz")
    theirs = replace(before[0], pointer=replace(before[0].pointer, file="x.warc.gz"))
    with Archive(tmp_path) as archive:
        archive.index.complete("x.warc.gz", [theirs])
        archive.index.set_damage("x.warc.gz", [Damage(1, 2, "x")], "1-1")
    with Archive(tmp_path) as archive:
        assert list(archive.index.captures()) == before
        assert archive.faults == []
        assert archive.index.damage() == []
    assert state(tmp_path).missing == []
    assert state(tmp_path).foreign == [str(tmp_path / "x.warc.gz")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["odd records", "noise", "a folder"])
def test_any_name(kind: str, name: str, tmp_path: Path) -> None:
    before = ours(tmp_path)
    FOREIGN[kind](tmp_path / name)
    with Archive(tmp_path) as archive:
        assert [c for c in archive.index.captures() if c in before] == before
        assert archive.faults == []
        for each in archive.repairs:
            each.encode()
            assert each.isprintable() or "\u3000" in each


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Drops root privileges, if any."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield
        os.seteuid(0)
    else:
        yield


def test_own_file_that_may_not_be_read_is_a_fault(
    unprivileged: None,
) -> None:
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    (first, *_) = ours(folder)
    (folder / first.pointer.file).chmod(0)
    for file in folder.glob("index.sqlite*"):
        file.unlink()
    for _ in range(2):
        with Archive(folder) as archive:
            assert "Permission denied" in archive.faults[0]
            assert list(archive.index.captures()) == []
    (folder / first.pointer.file).chmod(0o644)
    with Archive(folder) as archive:
        assert archive.faults == []
        assert len(list(archive.index.captures())) == 2
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()


def test_files_being_written_by_others_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "download.warc.gz.open"
    path.write_bytes(GOOD[0][:-5])
    odd = tmp_path / f"zjol-20170812000000000-{'0' * 24}-00001.warc.gz.open"
    odd.mkdir()
    before = path.read_bytes()
    ours(tmp_path)
    with Archive(tmp_path) as archive:
        assert odd.name.removesuffix(".open") in archive.faults[0]
        assert len(list(archive.index.captures())) == 2
    assert path.read_bytes() == before


def test_crawl_and_rebuild_beside_foreign_files(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    folder = tmp_path / "warc"
    folder.mkdir()
    for number, make in enumerate(FOREIGN.values()):
        make(folder / f"{number}.warc.gz")
    for name in NAMES:
        of_another_tool(folder / name)
    (folder / "notes.txt").write_text("x")
    (folder / "x.warc.gz.stored").write_text("{}")
    serve_column(site, [[(DAY, 4774001), (DAY, 4774002)]])
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert_rebuilt(db, site, crawl)
    assert crawl("reparse", part="1/2").returncode == 0
    done = command("archive", "wacz", "-o", str(tmp_path / "all.wacz"))
    assert done.returncode == 0, done.stderr
    assert (db.articles.count_documents({})) == 2
