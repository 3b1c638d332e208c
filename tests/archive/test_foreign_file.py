"""WARC, ARC and WACZ files of others, damaged on purpose: each whole record is read, each other part is named."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.archive import foreign_made as made
from tests.support.bombs import gzip_of
from zjolcrawl.archive import foreign
from zjolcrawl.archive.foreign import MOST, Foreign, ForeignFile, Unusable
from zjolcrawl.archive.foreign_exchange import BadRecord, response_of
from zjolcrawl.archive.foreign_files import NotAnArchive, keep, keep_all, warc_files
from zjolcrawl.archive.foreign_notes import kept_files
from zjolcrawl.archive.warc import Record

URLS = [f"http://zjnews.zjol.com.cn/{number}.html" for number in range(5)]
BODIES = [
    f"第{number}页 {random.Random(number).randbytes(2000).hex()}".encode() for number in range(5)
]
WARC = [made.warc_record(url, made.http(body)) for url, body in zip(URLS, BODIES, strict=True)]
ARC = made.arc({url: made.http(body) for url, body in zip(URLS, BODIES, strict=True)})
FORMS = {
    "members": made.members(WARC),
    "plain": b"".join(WARC),
    "one member": gzip.compress(b"".join(WARC), mtime=0),
    "ARC": b"".join(ARC),
    "ARC members": made.members(ARC),
}


def read(data: bytes) -> tuple[list[str], list[Unusable]]:
    """The URLs of the records, and the rest."""
    found = list(ForeignFile(io.BytesIO(data)))
    urls = [each.record.url for each in found if isinstance(each, Foreign) and each.record.url]
    return urls, [each for each in found if isinstance(each, Unusable)]


@pytest.mark.parametrize("form", FORMS)
def test_whole_file(form: str) -> None:
    found = [each for each in ForeignFile(io.BytesIO(FORMS[form])) if isinstance(each, Foreign)]
    answers = [each.record for each in found if each.record.type == "response"]
    assert [each.url for each in answers] == URLS
    assert [response_of(each).body for each in answers] == BODIES
    assert read(FORMS[form])[1] == []
    if form in {"members", "plain"}:
        starts = [FORMS[form][each.offset : each.offset + 5] for each in found]
        assert set(starts) <= {b"WARC/", gzip.compress(b"", mtime=0)[:5]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cut", [1, 5, 30, 600])
def test_file_that_was_cut_off(form: str, cut: int) -> None:
    urls, bad = read(FORMS[form][:-cut])
    if form in {"plain", "ARC"} and cut == 1:  # only the line end after the last record
        assert (urls, bad) == (URLS, [])
        return
    assert urls == URLS[: len(urls)]
    assert 3 <= len(urls) <= 4
    assert bad
    assert all("ends within" in each.reason or "cut off" in each.reason for each in bad)


@pytest.mark.parametrize("form", FORMS)
def test_damage_in_the_middle(form: str) -> None:
    data = bytearray(FORMS[form])
    first = {"plain": WARC[2], "ARC": ARC[3].partition(b"\n")[0]}.get(form)
    start = len(data) // 2
    if first:  # what it says of its length, because nothing else is checked there
        start = data.find(first) + first.rfind(b" ") + 1 if form == "ARC" else data.find(first)
    data[start : start + 4] = b"\xff\xff\xff\xff"
    urls, bad = read(bytes(data))
    assert bad
    assert set(urls) <= set(URLS)
    assert len(urls) >= (2 if form == "one member" else 4)


@pytest.mark.parametrize("form", ["members", "plain", "one member"])
@pytest.mark.parametrize("length", [-50, 50, 3000, 10**15, None])
def test_wrong_length_costs_only_its_record(form: str, length: int | None) -> None:
    block = made.http(BODIES[1])
    told = "" if length is None else str(len(block) + length)
    records = [WARC[0], made.warc_record(URLS[1], block, Content_Length=told), *WARC[2:]]
    data = {
        "members": made.members(records), "plain": b"".join(records),
        "one member": gzip.compress(b"".join(records)),
    }[form]  # fmt: skip
    urls, (bad, *more) = read(data)
    assert more == []
    assert urls == [URLS[0], *URLS[2:]]
    at = {"members": len(made.members(records[:1])), "plain": len(records[0]), "one member": 0}
    assert bad.offset == at[form]


def test_rubbish_before_between_and_after() -> None:
    noise = random.Random(1).randbytes(5000)
    data = noise + made.members(WARC[:2]) + noise + made.members(WARC[2:]) + noise
    urls, bad = read(data)
    assert urls == URLS
    offsets = [0, 5000 + len(made.members(WARC[:2])), len(data) - 5000]
    assert [each.offset for each in bad] == offsets
    assert read(made.members(WARC) + bytes(512)) == (URLS, [])
    assert read(b"")[1] == [Unusable(0, "the file is empty")]


@pytest.mark.parametrize("form", FORMS)
@given(st.data())
def test_any_byte_may_be_wrong(form: str, data: st.DataObject) -> None:
    changed = bytearray(FORMS[form])
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    for each in ForeignFile(io.BytesIO(bytes(changed))):
        assert each.offset <= len(changed)


class Endless(io.RawIOBase):
    """A file of one repeated byte after a head, as large as a file can be; only `seek` and `read`."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head, self._size, self._at = head, size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset if whence == 0 else self._size + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, min(size, self._size - self._at))
        data = (self._head[self._at : self._at + left]).ljust(left, b"x")
        self._at += left
        return data


def claiming(size: int) -> bytes:
    """The header of a record that says to be this long."""
    return made.warc_record(URLS[0], b"", Content_Length=str(size)).rstrip(b"\r\n")


# Files that say or hold far more than they should.
BOMBS: dict[str, Callable[[], io.IOBase]] = {
    "endless record": lambda: Endless(claiming(10**15), 10**15),
    "gzip bomb": lambda: io.BytesIO(gzip_of(200)),
    "bomb in a record": lambda: io.BytesIO(gzip_of(200, claiming(200 << 20) + b"\r\n\r\n") + made.members(WARC)),
    "header without end": lambda: io.BytesIO(b"WARC/1.0\r\n" + b"A: b\r\n" * 5_000_000),
    "line without end": lambda: io.BytesIO(b"WARC/1.0\r\nA: " + b"b" * 50_000_000),
    "many that claim all": lambda: io.BytesIO((claiming(MOST) + b"\r\n\r\n") * 2000 + bytes(MOST)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_memory_is_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Three times the memory that is allowed; a gigabyte takes four times as long.
    monkeypatch.setattr(foreign, "_MOST_SEARCHED", 12 * MOST)
    file = BOMBS[name]()
    tracemalloc.start()
    try:
        found = list(ForeignFile(file))  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert any(isinstance(each, Unusable) for each in found)
    assert peak < 4 * MOST
    if name == "bomb in a record":
        assert [each.record.url for each in found if isinstance(each, Foreign)] == URLS


# --- responses --------------------------------------------------------------------------------


def parsed(block: bytes, **fields: str) -> bytes:
    given = {"warc-type": "response", **{k.lower().replace("_", "-"): v for k, v in fields.items()}}
    return response_of(Record(given, block, b"")).body


CHUNKS = b"5\r\nabcde\r\n3;x=y\r\nfgh\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (CHUNKS, b"abcdefgh"),
        (b"<html>not chunked</html>", b"<html>not chunked</html>"),
        (b"abc", b"abc"),  # its first bytes could be a size
        (b"5\r\nabcde\r\n8\r\nfgh", b"abcdefgh"),
        (b"", b""),
    ],
)
def test_chunks_are_removed_if_there_are_any(sent: bytes, body: bytes) -> None:
    assert parsed(made.http(sent, Transfer_Encoding="chunked")) == body


@pytest.mark.parametrize(
    ("first", "status"),
    [("HTTP/1.0 200 OK", 200), ("HTTP/2 404", 404), ("HTTP/1.1 200", 200), ("http/1.1 301 x", 301)],
)
def test_status_lines(first: str, status: int) -> None:
    record = Record({"warc-type": "response"}, made.http(b"x", first), b"")
    assert response_of(record).status == status


@pytest.mark.parametrize(
    "block", [b"", b"<html>", b"HTTP/1.1\r\n\r\nx", b"HTTP/1.1 99999 OK\r\n\r\n"]
)
def test_no_http_response(block: bytes) -> None:
    with pytest.raises(BadRecord, match="no HTTP response"):
        parsed(block)


def test_content_coding_is_kept_if_the_body_has_it() -> None:
    packed = gzip.compress(b"page")
    for body, name in ((packed, b"Content-Encoding"), (b"<html>page", b"X-Orig-Content-Encoding")):
        record = Record({"warc-type": "response"}, made.http(body, Content_Encoding="gzip"), b"")
        found = response_of(record)
        assert found.body == body
        assert (name, b"gzip") in found.headers


def test_incomplete_bodies_are_marked() -> None:
    fields = {"warc-type": "response"}
    for block in (
        made.http(b"half", Content_Length="8"),
        made.http(CHUNKS[:14], Transfer_Encoding="chunked"),
    ):
        assert response_of(Record(fields, block, b"")).truncated
    cut = {**fields, "warc-truncated": "length"}
    assert response_of(Record(cut, made.http(b"x"), b"")).truncated
    assert not response_of(Record(fields, made.http(b"half", Content_Length="4"), b"")).truncated


@pytest.mark.parametrize("name", ["WARC_Block_Digest", "WARC_Payload_Digest"])
def test_wrong_digest(name: str) -> None:
    with pytest.raises(BadRecord, match="digest"):
        parsed(made.http(b"page"), **{name: made.digest(b"another")})


def test_lines_that_end_with_lf_alone() -> None:
    assert parsed(b"HTTP/1.1 200 OK\nContent-Type: text/html\n\npage\n\n") == b"page\n\n"


# --- kept files -------------------------------------------------------------------------------


def test_file_is_kept_once(tmp_path: Path) -> None:
    folder, file = tmp_path / "foreign", tmp_path / "a, b.warc.gz"
    file.write_bytes(FORMS["members"])
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "again.warc.gz").write_bytes(FORMS["members"])
    (tmp_path / "more" / "notes.txt").write_text("no archive")
    kept = list(keep_all(folder, [str(file), str(tmp_path / "more")]))
    assert [each.name for each in kept] == ["a__b.warc.gz"]
    assert keep(folder, io.BytesIO(FORMS["members"]), "-") == kept[0]  # type: ignore[arg-type]
    (folder / kept[0].name).unlink()
    assert list(keep_all(folder, [str(file)])) == kept
    assert (folder / kept[0].name).read_bytes() == FORMS["members"]
    file.write_bytes(FORMS["plain"])
    (other,) = keep_all(folder, [str(file)])
    assert other.name.endswith("-a__b.warc.gz")
    assert (folder / kept[0].name).read_bytes() == FORMS["members"]
    assert [each.name for each in kept_files(folder)] == sorted([kept[0].name, other.name])
    assert sorted(each.suffix for each in folder.iterdir()) == [".gz", ".gz", ".json", ".json"]


@pytest.mark.parametrize(
    "name", ["../../x.warc", "/etc/x.warc", ".hidden.warc", "\x1b[1m浙江.warc", "x" * 200 + ".warc"]
)
def test_any_name_is_kept_in_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "from" / "a" / "b").mkdir(parents=True)
    file = tmp_path / "from" / Path(name).name
    file.write_bytes(FORMS["plain"])
    kept = keep(tmp_path / "foreign", file, name)
    assert (tmp_path / "foreign" / kept.name).is_file()
    assert kept.name.isprintable()
    assert not kept.name.startswith(".")
    assert kept.source == name


@pytest.mark.parametrize(
    "data", [b"", b"text\n" * 100, gzip.compress(b"a list", mtime=0), b"\0" * 1000]
)
def test_file_of_another_form_is_refused(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.warc.gz"
    file.write_bytes(data)
    with pytest.raises(NotAnArchive, match=r"x\.warc\.gz is"):
        list(keep_all(tmp_path / "foreign", [str(file)]))
    with pytest.raises(NotAnArchive):
        keep(tmp_path / "foreign", io.BytesIO(data), "-")  # type: ignore[arg-type]
    assert not list((tmp_path / "foreign").iterdir())


def package(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path


def in_wacz(path: Path) -> tuple[list[str], list[str]]:
    """The URLs in a WACZ, and the reasons of what is unusable."""
    urls, bad = list[str](), list[str]()
    with warc_files(path) as files:
        for each in files:
            if isinstance(each, Unusable):
                bad.append(each.reason)
                continue
            found = list(ForeignFile(each[1]))
            urls += [record.record.url for record in found if isinstance(record, Foreign)]
            bad += [record.reason for record in found if isinstance(record, Unusable)]
    return urls, bad


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_wacz(compression: int, tmp_path: Path) -> None:
    entries = {
        "archive/../../../b.warc.gz": made.members(WARC[:2]), "archive/c.arc": b"".join(ARC),
        "pages/pages.jsonl": b"{}", "indexes/index.cdx.gz": gzip.compress(b"x"),
    }  # fmt: skip
    file = package(tmp_path / "x.wacz", entries, compression)
    urls, bad = in_wacz(file)
    assert [url for url in urls if url] == [*URLS[:2], *URLS]
    assert bad == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.wacz"]


def test_wacz_that_was_cut_off(tmp_path: Path) -> None:
    entries = {"archive/a.warc.gz": made.members(WARC), "pages/pages.jsonl": b"{}" * 500}
    file = package(tmp_path / "x.wacz", entries)
    file.write_bytes(file.read_bytes()[:-300])
    urls, bad = in_wacz(file)
    assert urls == URLS
    assert "incomplete or damaged" in bad[0]


def test_hostile_zip_files(tmp_path: Path) -> None:
    bomb = package(tmp_path / "bomb.wacz", {"archive/a.warc": bytes(1 << 24)}, zipfile.ZIP_DEFLATED)
    assert in_wacz(bomb) == ([], ["archive/a.warc cannot be read (its size is not plausible)"])
    file = package(tmp_path / "none.wacz", {"x.txt": b"x"})
    assert in_wacz(file) == ([], ["the ZIP file has no WARC file in archive/"])
    many = bytearray(file.read_bytes())
    at = many.rfind(b"PK\x05\x06")
    many[at + 12 : at + 16] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "many.wacz").write_bytes(many)
    assert in_wacz(tmp_path / "many.wacz")[1] == [
        "the WACZ file cannot be read (it lists too many entries)"
    ]
