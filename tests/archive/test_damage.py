"""Damaged files: readable records stay indexed, nothing is removed, and damage is reported each time."""

from __future__ import annotations

import asyncio
import gzip
import random
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.archive.others import accepted
from tests.archive.test_archive import NOON, exchange, left_open, writer_on
from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.repair import _PIECE, _pieces
from zjolcrawl.archive.scan import Damage, scan
from zjolcrawl.archive.warc import (
    member,
    new_id,
    read_records,
    replacement,
    response_block,
    warc_date,
)
from zjolcrawl.archive.writer import Exchange

Change = Callable[[bytearray, list[tuple[int, int]]], None]


def members(data: bytes, tmp_path: Path) -> list[tuple[int, int]]:
    """Offset and length of each member."""
    path = tmp_path / "whole"
    path.write_bytes(data)
    with path.open("rb") as file:
        found = [(offset, length) for offset, length, _ in read_records(file)]
    path.unlink()
    return found


def flip(data: bytearray, at: int) -> None:
    data[at] ^= 0xFF


def last(archive: Archive) -> list[str]:
    return sorted(capture.url.rpartition("/")[2] for capture in archive.index.captures())


def assert_read(archive: Archive) -> None:
    for capture in archive.index.captures():
        assert archive.message(capture).body == capture.url.rpartition("/")[2].encode() * 40


# Members of a file of five pages: warcinfo, then a response and a request for each page.
DAMAGE: dict[str, tuple[Change, set[int]]] = {
    "magic of a response": (lambda d, m: flip(d, m[5][0]), {2}),
    "method of a response": (lambda d, m: flip(d, m[5][0] + 2), {2}),
    "first byte of its stream": (lambda d, m: flip(d, m[5][0] + 10), {2}),
    "middle of a response": (lambda d, m: flip(d, m[5][0] + m[5][1] // 2), {2}),
    "checksum of a response": (lambda d, m: flip(d, m[5][0] + m[5][1] - 8), {2}),
    "length of a response": (lambda d, m: flip(d, m[5][0] + m[5][1] - 1), {2}),
    "a request": (lambda d, m: flip(d, m[6][0] + 40), set()),
    "warcinfo": (lambda d, m: flip(d, m[0][0] + 40), set()),
    "first response": (lambda d, m: flip(d, m[1][0] + 40), {0}),
    "last response": (lambda d, m: flip(d, m[9][0] + 40), {4}),
    "two responses": (lambda d, m: (flip(d, m[3][0] + 40), flip(d, m[7][0] + 40))[0], {1, 3}),
    "neighbours": (lambda d, m: (flip(d, m[3][0] + 40), flip(d, m[5][0] + 40))[0], {1, 2}),
    "zeros over three members": (
        lambda d, m: d.__setitem__(slice(m[4][0] + 9, m[7][0] + 9), bytes(m[7][0] - m[4][0])), {2, 3},
    ),
    "bytes that look like members": (
        lambda d, m: d.__setitem__(slice(m[5][0], m[5][0] + 60), b"\x1f\x8b\x08" * 20), {2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_killed_runs_file_loses_the_damaged_record_alone(name: str, tmp_path: Path) -> None:
    change, lost = DAMAGE[name]
    path, _ = left_open(tmp_path, 5)
    before = path.read_bytes()
    data = bytearray(before)
    places = members(before, tmp_path)
    change(data, places)
    path.write_bytes(data)
    lasting = path.with_name(path.name.removesuffix(".open"))
    kept = lasting.with_name(lasting.name + ".damaged")
    expected = sorted({"0", "1", "2", "3", "4"} - {str(each) for each in lost})
    for _ in range(2):
        with Archive(tmp_path) as archive:
            assert last(archive) == expected
            assert_read(archive)
            assert [lasting.name in each for each in archive.faults] == [True] * len(archive.faults)
            assert "unreadable from byte" in archive.faults[0]
    assert kept.read_bytes() == bytes(data)
    assert lasting.stat().st_size == len(data)
    assert len([r for r in accepted(tmp_path) if r.type == "response"]) == len(expected)
    aside = kept.rename(tmp_path / "aside")  # a person who has inspected it removes it
    with Archive(tmp_path) as archive:
        assert archive.faults == []
    aside.rename(kept)
    for file in tmp_path.glob("index.sqlite*"):
        file.unlink()
    with Archive(tmp_path) as archive:
        assert last(archive) == expected
        assert archive.faults
    kept.unlink()
    with Archive(tmp_path) as archive:
        assert archive.faults == []


@pytest.mark.parametrize("name", DAMAGE)
def test_complete_file_stays_as_it_is_and_its_later_records_are_found(
    name: str, tmp_path: Path
) -> None:
    change, lost = DAMAGE[name]
    path, _ = left_open(tmp_path, 5)
    whole = path.read_bytes()
    data = bytearray(whole)
    change(data, members(whole, tmp_path))
    path.unlink()
    lasting = path.with_name(path.name.removesuffix(".open"))
    lasting.write_bytes(data)
    expected = sorted({"0", "1", "2", "3", "4"} - {str(each) for each in lost})
    for _ in range(3):
        with Archive(tmp_path) as archive:
            assert last(archive) == expected
            assert_read(archive)
            assert "unreadable from byte" in archive.faults[0]
    assert lasting.read_bytes() == bytes(data)
    lasting.write_bytes(whole)  # restored
    with Archive(tmp_path) as archive:
        assert archive.faults == []
        assert last(archive) == ["0", "1", "2", "3", "4"]


def test_torn_tail_is_cut_behind_damage_that_is_kept(tmp_path: Path) -> None:
    path, ends = left_open(tmp_path, 4)
    data = bytearray(path.read_bytes())
    flip(data, ends[0] + 40)
    path.write_bytes(data[:-10])  # within the last request
    with Archive(tmp_path) as archive:
        (repair,) = archive.repairs
        assert "torn bytes" in repair
        assert "unreadable" in repair
        assert last(archive) == ["0", "2", "3"]
    (kept,) = tmp_path.glob("*.damaged")
    assert kept.read_bytes() == bytes(data[:-10])
    accepted(tmp_path)


@pytest.mark.parametrize("tail", [bytes(9000), b"\xff" * 300, b"\x1f\x8b", b"WARC/1.1\r\n" * 50])
def test_what_a_power_cut_left_behind_the_last_record_is_not_lost(
    tail: bytes, tmp_path: Path
) -> None:
    path, _ = left_open(tmp_path, 3)
    data = path.read_bytes() + tail
    path.write_bytes(data)
    with Archive(tmp_path) as archive:
        assert last(archive) == ["0", "1", "2"]
        assert_read(archive)
    kept = list(tmp_path.glob("*.damaged"))
    assert [each.read_bytes() for each in kept] == [data][: len(tail) > 2]


def test_bytes_too_few_for_a_record_stay_as_they_are(tmp_path: Path) -> None:
    path, ends = left_open(tmp_path, 3)
    data = path.read_bytes()
    data = data[: ends[0]] + b"noise" + data[ends[0] :]
    path.write_bytes(data)
    with Archive(tmp_path) as archive:
        assert last(archive) == ["0", "1", "2"]
        assert_read(archive)
        assert archive.faults
    (lasting,) = tmp_path.glob("*.warc.gz")
    assert lasting.read_bytes() == data


def test_repair_that_was_cut_off_keeps_the_first_copy(tmp_path: Path) -> None:
    path, ends = left_open(tmp_path, 3)
    data = bytearray(path.read_bytes())
    flip(data, ends[0] + 40)
    kept = path.with_name(path.name.replace(".open", ".damaged"))
    kept.write_bytes(data)
    flip(data, ends[0] + 41)  # left by an interrupted repair
    path.write_bytes(data)
    before = kept.read_bytes()
    with Archive(tmp_path) as archive:
        assert last(archive) == ["0", "2"]
    assert kept.read_bytes() == before


def test_file_that_is_there_under_both_names_is_left_to_a_person(tmp_path: Path) -> None:
    path, _ = left_open(tmp_path, 2)
    lasting = path.with_name(path.name.removesuffix(".open"))
    lasting.write_bytes(path.read_bytes()[:-400])
    before = path.read_bytes(), lasting.read_bytes()
    with Archive(tmp_path) as archive:
        assert any("compare them" in each for each in archive.repairs)
    assert (path.read_bytes(), lasting.read_bytes()) == before


def test_file_of_noise_alone_is_kept_beside(tmp_path: Path) -> None:
    path, _ = left_open(tmp_path, 1)
    noise = random.Random(1).randbytes(5000)
    path.write_bytes(noise)
    with Archive(tmp_path) as archive:
        assert last(archive) == []
        assert archive.faults
    (kept,) = tmp_path.glob("*.damaged")
    assert kept.read_bytes() == noise


def test_records_within_a_damaged_page_are_not_taken_for_ours(tmp_path: Path) -> None:
    """The body of this page, which is stored unchanged, is itself a WARC file."""
    block = response_block(200, [(b"Content-Type", b"text/html")], b"forged")
    fields = [
        ("WARC-Date", warc_date(NOON)),
        ("WARC-Target-URI", "http://zjnews.zjol.com.cn/forged"),
    ]
    forged = member(new_id(), "warcinfo", fields, b"x: y\r\n", 4)
    forged += member(new_id(), "response", fields, block, 4)
    with Archive(tmp_path) as archive:
        writer = writer_on(archive)
        writer.write(exchange("0"))
        headers = [(b"Content-Type", b"image/png")]
        writer.write(Exchange("http://zjnews.zjol.com.cn/p", 200, headers, forged, NOON))
        writer.write(exchange("1"))
        assert writer._file
        path = writer._file.path
        writer._file.close()
        writer._file = None
        writer._index.close()
    data = bytearray(path.read_bytes())
    at = data.index(forged)
    flip(data, at - 60)
    path.write_bytes(data)
    with Archive(tmp_path) as archive:
        assert last(archive) == ["0", "1"]


def test_two_files_in_one_are_read_past_damage_between_them(tmp_path: Path) -> None:
    parts = []
    for _ in range(2):
        path, ends = left_open(tmp_path, 2)
        parts.append(bytearray(path.read_bytes()))
        path.unlink()
    flip(parts[0], ends[0] + 40)
    name = path.name.removesuffix(".open")
    (tmp_path / name).write_bytes(parts[0] + parts[1])
    with Archive(tmp_path) as archive:
        assert last(archive) == ["0", "0", "1"]


def test_random_damage_costs_no_record_that_it_does_not_touch(tmp_path: Path) -> None:
    path, _ = left_open(tmp_path, 12)
    whole = path.read_bytes()
    places = members(whole, tmp_path)
    name = path.name.removesuffix(".open")
    chance = random.Random(1)
    probe = tmp_path / "probe"
    for _ in range(60):
        data = bytearray(whole)
        hit = sorted(chance.sample(range(len(data)), chance.randint(1, 6)))
        for at in hit:
            data[at] ^= 1 << chance.randrange(8)
        probe.write_bytes(data)
        with probe.open("rb") as file:
            found = scan(name, file)
        untouched = {
            start for start, length in places
            if not any(start <= at < start + length for at in hit)
        }  # fmt: skip
        responses = {start for start, _ in places[1::2]}
        assert untouched & responses <= {c.pointer.offset for c in found.captures}


def test_replacement_has_exactly_the_length_and_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert replacement(200, "why") is None
    lengths = [*range(330, 380), *range(65_520, 65_900), 99_997, 1_000_003]
    for length in lengths:
        made = replacement(length, "at byte 5: incorrect data check")
        assert made
        path.write_bytes(made)
        with path.open("rb") as file:
            found = scan("x", file)
        assert len(made) == length
        assert [(d.start, d.end, d.replaced) for d in found.damage] == [(0, length, True)]


def test_pieces_of_a_large_gap_leave_nothing_out() -> None:
    damage = Damage(7, 7 + 5 * _PIECE + 3, "why")
    pieces = list(_pieces(damage))
    assert sum(length for _, length in pieces) == damage.end - damage.start
    assert min(length for _, length in pieces) >= _PIECE


def whole_folder(folder: Path) -> list[Capture]:
    """A complete file of three pages; its captures."""

    async def fill() -> list[Capture]:
        with Archive(folder) as archive:
            writer = writer_on(archive)
            for page in "012":
                writer.write(exchange(page))
            await writer.close()
            return list(archive.index.captures())

    return asyncio.run(fill())


def other_tables(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE captures (file TEXT, something TEXT)")
        db.execute("CREATE TABLE files (name TEXT)")
    db.close()


def more_columns(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE captures ADD COLUMN later TEXT")
    db.close()


def other_damage_table(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE damage")
        db.execute("CREATE TABLE damage (file TEXT)")
    db.close()


def no_database(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something of a person's").write_text("x")


def a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def noise_inside(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = random.Random(1).randbytes(len(data) - 4096)
    path.write_bytes(data)


GARBAGE: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("not a database" * 100),
    "zeros": lambda path: path.write_bytes(bytes(20_000)),
    "noise": lambda path: path.write_bytes(random.Random(1).randbytes(20_000)),
    "a gzip file": lambda path: path.write_bytes(gzip.compress(b"x")),
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one page of it": lambda path: path.write_bytes(path.read_bytes()[:4096]),
    "half a page of it": lambda path: path.write_bytes(path.read_bytes()[:2000]),
    "noise inside": noise_inside,
    "nothing": lambda path: path.write_bytes(b""),
    "other tables": other_tables,
    "more columns": more_columns,
    "another damage table": other_damage_table,
    "a folder": no_database,
    "a link to itself": a_loop,
}


@pytest.mark.parametrize("name", GARBAGE)
def test_index_that_cannot_be_used_is_made_anew(name: str, tmp_path: Path) -> None:
    before = whole_folder(tmp_path)
    GARBAGE[name](tmp_path / "index.sqlite")
    with Archive(tmp_path) as archive:
        assert list(archive.index.captures()) == before
        assert name == "nothing" or "rebuilt from the WARC files" in archive.repairs[0]
    with Archive(tmp_path) as archive:
        assert archive.repairs == []
        assert list(archive.index.captures()) == before
    assert name != "a folder" or (tmp_path / "index.sqlite.folder").is_dir()


def test_index_that_another_process_holds_is_not_taken_for_garbage(tmp_path: Path) -> None:
    whole_folder(tmp_path)
    db = sqlite3.connect(tmp_path / "index.sqlite", isolation_level=None)
    with Archive(tmp_path) as archive:
        assert archive.repairs == []
        assert len(list(archive.index.captures())) == 3
    (level,) = archive_pragma(tmp_path)
    assert level == 1  # NORMAL
    db.close()


def archive_pragma(folder: Path) -> tuple[int]:
    with Archive(folder) as archive:
        (row,) = archive.index._db.execute("PRAGMA synchronous")
        return row  # type: ignore[no-any-return]


def test_file_that_is_missing_is_told_until_it_is_back(tmp_path: Path) -> None:
    before = whole_folder(tmp_path)
    (path,) = tmp_path.glob("*.warc.gz")
    aside = tmp_path / "aside"
    path.rename(aside)
    for _ in range(2):
        with Archive(tmp_path) as archive:
            assert [path.name in each and "missing" in each for each in archive.faults] == [True]
            assert list(archive.index.captures()) == []  # no revisit may refer to a payload there
    aside.rename(path)
    with Archive(tmp_path) as archive:
        assert archive.faults == []
        assert list(archive.index.captures()) == before


def test_record_that_is_damaged_later_is_named_with_its_place(tmp_path: Path) -> None:
    first, *_ = whole_folder(tmp_path)
    (path,) = tmp_path.glob("*.warc.gz")
    data = bytearray(path.read_bytes())
    flip(data, first.pointer.offset + 30)
    path.write_bytes(data)
    with Archive(tmp_path) as archive:
        for _ in range(2):
            with pytest.raises(ArchiveError, match=f"at byte {first.pointer.offset} is damaged"):
                archive.read(first.pointer)


def test_member_that_holds_much_takes_no_memory(tmp_path: Path) -> None:
    """A whole WARC file as one gzip member, as `gzip FILE` makes it: it must not be read into memory."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    one = b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n"
    data = squeeze.compress(one) + squeeze.compress(bytes(400_000_000)) + squeeze.flush()
    path = tmp_path / "x.warc.gz"
    path.write_bytes(data)
    with path.open("rb") as file:
        found = scan("x.warc.gz", file)
    assert "longer than its record" in found.damage[0].reason
