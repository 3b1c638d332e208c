"""Pages that are read by processes beside the crawl's own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.crawling import ROOT, ended, wait_until
from tests.support.pages import DAY, article, url_of
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.reading.pages import PageReader
from zjolcrawl.reading.process import Found

# More at once than a worker has before it.
PAGES = [(article(DAY, ident, f"第{ident}号新闻"), url_of(ident)) for ident in range(80)]
READ = [read_article(*page) for page in PAGES]


def workers_of(parent: int | None = None) -> list[int]:
    """The processes that read pages, of all or for one process, by id."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = b"zjolcrawl.reading.process" in (folder / "cmdline").read_bytes().split(b"\0")
            ppid = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if ours and parent in {None, ppid}:  # one that has ended has no command line
                found.append(int(folder.name))
    return found


async def all_at_once(reader: PageReader) -> list[Found]:
    return await asyncio.gather(*(reader.read(*page) for page in PAGES))


async def hurried(reader: PageReader) -> int:
    """Reads pages until a process was started; its id."""
    for _ in range(100):
        assert await all_at_once(reader) == READ
        if workers := workers_of(os.getpid()):
            return workers[0]
        await asyncio.sleep(0.05)
    raise AssertionError("no process was started")


def with_reader(use: Callable[[PageReader], Awaitable[None]], processes: int = 1) -> None:
    async def run() -> None:
        reader = PageReader(processes)
        try:
            await use(reader)
        finally:
            await reader.close()

    asyncio.run(run())
    assert not workers_of(os.getpid())


def test_pages_that_come_fast_are_read_beside() -> None:
    async def use(reader: PageReader) -> None:
        worker = await hurried(reader)
        begun = _cpu(worker)
        for _ in range(20):
            assert await all_at_once(reader) == READ
        assert _cpu(worker) > begun

    with_reader(use)


def _cpu(process: int) -> int:
    """What it used so far, in ticks."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_pages_that_come_slowly_start_no_process() -> None:
    async def use(reader: PageReader) -> None:
        for page, found in zip(PAGES[:25], READ[:25], strict=True):
            assert await reader.read(*page) == found
            await asyncio.sleep(0.06)  # twenty of them take more than a second
        assert not workers_of(os.getpid())

    with_reader(use)


def test_without_processes_none_is_started() -> None:
    async def use(reader: PageReader) -> None:
        for _ in range(10):
            assert await all_at_once(reader) == READ
        assert not workers_of(os.getpid())

    with_reader(use, processes=0)


def test_a_killed_process_loses_no_page(caplog: pytest.LogCaptureFixture) -> None:
    async def use(reader: PageReader) -> None:
        first = await hurried(reader)
        under_way = asyncio.ensure_future(all_at_once(reader))
        await asyncio.sleep(0)  # pages are sent
        os.kill(first, signal.SIGKILL)
        assert await under_way == READ
        second = await hurried(reader)
        assert second != first

    with caplog.at_level(logging.WARNING):
        with_reader(use)
    assert "was lost" in caplog.text


def test_after_three_losses_there_are_no_more(caplog: pytest.LogCaptureFixture) -> None:
    async def use(reader: PageReader) -> None:
        for _ in range(3):
            os.kill(await hurried(reader), signal.SIGKILL)
            await asyncio.sleep(0.2)
        for _ in range(10):
            assert await all_at_once(reader) == READ
        assert not workers_of(os.getpid())

    with_reader(use)
    assert caplog.text.count("was lost") == 3


def test_a_page_that_cannot_be_read_has_its_own_error() -> None:
    async def use(reader: PageReader) -> None:
        worker = await hurried(reader)
        with pytest.raises(ValueError, match="Invalid IPv6 URL"):
            await reader.read(PAGES[0][0], "http://[")
        assert await all_at_once(reader) == READ
        assert workers_of(os.getpid()) == [worker]

    with_reader(use)


_FOR_EVER = """
import asyncio
from tests.reading.test_pages import all_at_once
from zjolcrawl.reading.pages import PageReader

async def run():
    reader = PageReader(1)
    while True:
        await all_at_once(reader)

asyncio.run(run())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_crawl_leaves_no_process(how: signal.Signals) -> None:
    crawl = subprocess.Popen(
        [sys.executable, "-c", _FOR_EVER], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: workers_of(crawl.pid), crawl)
    workers = workers_of(crawl.pid)
    crawl.send_signal(how)
    _, told = ended(crawl)  # which waits for all who hold its stderr
    assert "Traceback" not in told
    assert workers[0] not in workers_of()
