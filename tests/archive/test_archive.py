"""Tests of the archive folder: incomplete last records, other writers, a lost index, a full disk."""

from __future__ import annotations

import asyncio
import resource
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.archive.others import accepted
from zjolcrawl.archive.archive import OPEN, SUFFIX, Archive, ArchiveError, complete
from zjolcrawl.archive.captures import Capture, cdxj
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.archive.writer import Exchange, WarcWriter

RUN = "0123456789abcdef01234567"
HTML = [(b"Content-Type", b"text/html")]
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
HOST = "http://zjnews.zjol.com.cn"


def exchange(path: str, body: bytes = b"", status: int = 200) -> Exchange:
    return Exchange(f"{HOST}/{path}", status, HTML, body or path.encode() * 40, NOON)


def writer_on(archive: Archive) -> WarcWriter:
    return WarcWriter(archive, run=RUN, info={"software": "test"})


def left_open(folder: Path, pages: int) -> tuple[Path, list[int]]:
    """A file as a killed run leaves it, and the end of each of its captures."""
    with Archive(folder) as archive:
        writer = writer_on(archive)
        ends = []
        for number in range(pages):
            writer.write(exchange(f"{number}"))
            assert writer._file is not None
            ends.append(writer._file.size)
        file, writer._file = writer._file, None
        assert file is not None
        file.close()  # the kernel releases the lock of a dead writer in the same way
        writer._index.close()
    return file.path, ends


@pytest.mark.parametrize("cut", [1, 7, 60, 150, 300])
def test_torn_tail_is_cut_at_the_last_whole_record(cut: int, tmp_path: Path) -> None:
    path, ends = left_open(tmp_path, 3)
    data = path.read_bytes()
    path.write_bytes(data[: ends[-1] - cut])
    with Archive(tmp_path) as archive:
        (repair,) = archive.repairs
        assert "torn bytes" in repair
        kept = [capture.url[-1] for capture in archive.index.captures()]
        assert kept[:2] == ["0", "1"]
        for capture in archive.index.captures():
            assert archive.message(capture).body == capture.url[-1].encode() * 40
    assert data.startswith((tmp_path / path.name.removesuffix(".open")).read_bytes())
    assert len([r for r in accepted(tmp_path) if r.type == "response"]) == len(kept)
    with Archive(tmp_path) as archive:
        assert archive.repairs == []


def test_whole_file_of_a_killed_run_is_kept_whole(tmp_path: Path) -> None:
    path, _ = left_open(tmp_path, 2)
    data = path.read_bytes()
    with Archive(tmp_path) as archive:
        assert "was whole" in archive.repairs[0]
    assert (tmp_path / path.name.removesuffix(".open")).read_bytes() == data


def test_file_without_a_whole_record_is_removed_and_said_so(tmp_path: Path) -> None:
    path, _ = left_open(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:50])
    with Archive(tmp_path) as archive:
        assert "no whole record" in archive.repairs[0]
    assert accepted(tmp_path) == []


def test_living_writer_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        with Archive(tmp_path) as archive:
            writer = writer_on(archive)
            writer.write(exchange("a"))
            await writer.sync()
            with Archive(tmp_path) as other:
                assert other.repairs == []
                (capture,) = other.index.captures()
                assert other.message(capture).body == b"a" * 40
            writer.write(exchange("b"))
            await writer.close()

    asyncio.run(main())
    assert [r.url[-1] for r in accepted(tmp_path) if r.type == "response"] == ["a", "b"]


def test_two_writers_at_once_share_payloads_that_are_durable(tmp_path: Path) -> None:
    async def main() -> None:
        with Archive(tmp_path) as one, Archive(tmp_path) as two:
            first, second = writer_on(one), WarcWriter(two, run="f" * 24, info={})
            durable = first.write(exchange("x", b"payload"))
            assert second.write(exchange("y", b"payload")) != durable  # not yet
            await first.sync()
            await second.sync()
            first.write(exchange("u", b"another"))
            await first.sync()
            assert second.write(exchange("v", b"another")).file == durable.file
            await first.close()
            await second.close()

    asyncio.run(main())
    kinds = [r.type for r in accepted(tmp_path) if r.type in {"response", "revisit"}]
    assert sorted(kinds) == ["response", "response", "response", "revisit"]  # x, y, u and v


def test_lost_index_is_made_anew(tmp_path: Path) -> None:
    async def fill() -> list[object]:
        with Archive(tmp_path) as archive:
            writer = writer_on(archive)
            for page in ("a", "b", "a"):
                writer.write(exchange(page))
            writer.write_failure(f"{HOST}/c", "ConnectionLost", NOON, {"article": "c"})
            await writer.close()
            return list(archive.index.captures())

    before = asyncio.run(fill())
    assert len(before) == 4
    for file in tmp_path.glob("index.sqlite*"):
        file.unlink()
    with Archive(tmp_path) as archive:
        assert list(archive.index.captures()) == before


def test_not_modified_refers_to_what_was_there(tmp_path: Path) -> None:
    async def main() -> None:
        with Archive(tmp_path) as archive:
            writer = writer_on(archive)
            first = writer.write(exchange("a", b"text"))
            await writer.sync()
            again = writer.write(Exchange(f"{HOST}/a", 304, HTML, b"", NOON))
            assert again == first
            assert writer.write(Exchange(f"{HOST}/unseen", 304, HTML, b"", NOON)) != first
            await writer.close()
            last = [c for c in archive.index.captures(url=f"{HOST}/a") if c.type == "revisit"]
            assert archive.message(last[0]).body == b"text"

    asyncio.run(main())
    (revisit,) = [r for r in accepted(tmp_path) if r.type == "revisit"]
    assert revisit.headers["WARC-Profile"].endswith("server-not-modified")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Limits files to `size` bytes, which looks like a full disk to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk_leaves_no_half_record(tmp_path: Path) -> None:
    async def main() -> None:
        with Archive(tmp_path) as archive:
            writer = writer_on(archive)
            writer.write(exchange("a"))
            await writer.sync()
            size = next(tmp_path.glob("*.open")).stat().st_size
            noise = bytes(range(256)) * 40
            with largest_file(size + 200), pytest.raises(ArchiveError, match="archive"):
                writer.write(exchange("b", noise))
            writer.write(exchange("c"))
            await writer.close()

    asyncio.run(main())
    assert [r.url[-1] for r in accepted(tmp_path) if r.type == "response"] == ["a", "c"]


def test_file_that_a_full_disk_leaves_open_is_completed_by_the_next_run(tmp_path: Path) -> None:
    """In the same process too: nothing holds the file any more."""
    held = len(list(Path("/proc/self/fd").iterdir()))

    async def main() -> None:
        with Archive(tmp_path) as archive:
            writer = writer_on(archive)
            with largest_file(10), pytest.raises(ArchiveError, match="archive"):
                writer.write(exchange("a"))
            writer.write(exchange("b"))
            with largest_file(10), pytest.raises(ArchiveError, match="archive"):
                await writer.close()

    asyncio.run(main())
    assert len(list(Path("/proc/self/fd").iterdir())) == held
    assert len(list(tmp_path.glob("*.open"))) == 1
    assert not list(tmp_path.glob("*.new"))
    with Archive(tmp_path):
        pass
    assert [r.url[-1] for r in accepted(tmp_path) if r.type == "response"] == ["b"]


def test_damaged_file_is_told_and_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path, ends = left_open(tmp_path, 3)
    lasting = path.with_name(path.name.removesuffix(".open"))
    data = bytearray(path.read_bytes())
    data[ends[1] + 40 : ends[1] + 60] = b"\0" * 20
    path.unlink()
    lasting.write_bytes(bytes(data))
    with Archive(tmp_path) as archive:
        assert "unreadable" in archive.repairs[0]
        assert [c.url[-1] for c in archive.index.captures()] == ["0", "1"]


def test_a_large_file_is_completed_in_little_memory(tmp_path: Path) -> None:
    name = f"zjol-20170812000000000-{'0' * 24}-00001{SUFFIX}"
    captures = [
        Capture(
            Pointer(name, offset, 100, f"urn:uuid:{offset}"), "response",
            f"http://zjnews.zjol.com.cn/x/t{-offset % 7919}_{offset}.shtml", "2017-08-12T00:00:00.000Z",
            200, "text/html", "sha256:A", context_json=f"浙江{offset}",
        )
        for offset in range(6_000)
    ]  # fmt: skip
    path = tmp_path / (name + OPEN)
    path.touch()
    index = ArchiveIndex(tmp_path)
    index.add(captures)
    tracemalloc.start()
    complete(path, index)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    index.close()
    (beside,) = tmp_path.glob("*.cdxj")
    assert beside.read_text("utf-8") == cdxj(captures)
    assert peak < 1_000_000  # the captures take about 9 MB


def test_many_may_open_a_new_index_at_once(tmp_path: Path) -> None:
    """SQLite does not wait for a process that is switching its write-ahead log on."""
    for n in range(40):
        folder = tmp_path / str(n)
        folder.mkdir()
        together = threading.Barrier(6)

        def begin(folder: Path = folder, together: threading.Barrier = together) -> None:
            together.wait()
            ArchiveIndex(folder).close()

        with ThreadPoolExecutor(6) as pool:
            for each in [pool.submit(begin) for _ in range(6)]:
                each.result()
