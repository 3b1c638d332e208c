"""Runs spiders one after the other in one forked process, as a script may: for tests of many short runs.

Each run has its own id, store and archive. A command of its own would take twice as long.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from tests.support.crawling import QUICK, ROOT

_FORKS = multiprocessing.get_context("forkserver")  # the one that tests.support.warm prepares


class InTurn(AbstractContextManager["InTurn"]):
    """The process, with exactly this environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._asked, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_serve, args=(theirs, environment))
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._asked.close()
        self._process.join()

    def crawl(self, spider: str, **arguments: str) -> None:
        """As `scrapy crawl`. It must end with exit status 0."""
        self._asked.send((spider, arguments))
        status, told = self._asked.recv()
        assert status == 0, told

    def import_files(self, files: Iterable[str]) -> None:
        """As `scrapy archive import`, of files that were not imported before."""
        self._asked.send(("import", list(files)))
        status, told = self._asked.recv()
        assert status == 0, told


def _serve(asked: Connection, environment: dict[str, str]) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    from scrapy.utils.reactor import install_reactor

    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet import reactor

    twisted: Any = reactor

    async def serve() -> None:
        try:
            await _take_turns(asked)
        finally:
            twisted.stop()

    twisted.callWhenRunning(lambda: asyncio.ensure_future(serve()))
    twisted.run()


async def _take_turns(asked: Connection) -> None:
    from scrapy.crawler import AsyncCrawlerRunner
    from scrapy.utils.project import get_project_settings

    from zjolcrawl.archive.foreign_files import keep_all
    from zjolcrawl.archive.foreign_notes import FOLDER
    from zjolcrawl.run.run import find_run

    settings = get_project_settings()
    settings.setdict({"LOG_ENABLED": False} | dict(each.split("=") for each in QUICK[1::2]))
    runner = AsyncCrawlerRunner(settings)
    while True:
        try:
            name, arguments = await asyncio.to_thread(asked.recv)
        except EOFError:
            return
        if name == "import":
            kept = list(keep_all(Path(settings["DATA_DIR"], "warc", FOLDER), arguments))
            assert not any(each.is_done for each in kept)
            arguments = {"file": ",".join(each.name for each in kept)}
        crawler = runner.create_crawler(name)
        await runner.crawl(crawler, **arguments)
        run = find_run(crawler)
        assert run
        asked.send((run.exit_status, [run.failure, *run.faults]))
