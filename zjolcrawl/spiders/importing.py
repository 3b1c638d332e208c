"""`scrapy archive import`: records the captures of kept files in the archive, and reads them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from heapq import merge
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler

from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.foreign_notes import FOLDER, Kept
from zjolcrawl.archive.imports import FileImport
from zjolcrawl.archive.warc import warc_date
from zjolcrawl.archive.writer import WarcWriter
from zjolcrawl.arguments import import_arguments
from zjolcrawl.clock import utc_now
from zjolcrawl.messages import cause_of
from zjolcrawl.run.opening import warc_info
from zjolcrawl.run.summary import GOOD_ENDS
from zjolcrawl.spiders.completion import Completion
from zjolcrawl.spiders.foreign import context_of
from zjolcrawl.spiders.reparse import ReparseSpider
from zjolcrawl.spiders.responses import reason_of

_LEVEL = 2  # of zlib: compression takes most of the time of recording (bench/RESULTS.md)
_COUNTED = ("recorded", "known", "other_hosts", "unusable", "unresolved")


class ImportSpider(ReparseSpider):
    """Imports files of DATA_DIR/warc/foreign.

    1. Each capture of the site is recorded in our own WARC files, under the id of this run. After a run
       that was cut off, what it has recorded is not recorded again, and the id stays.
    2. The captures are parsed in the order in which they were taken, as by `reparse`.
    3. If the run ends well, the notes of the files say that they are imported.
    """

    name = "import"
    parse_arguments = staticmethod(import_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.files = import_arguments(**arguments).files
        self._kept_files: list[Kept] = []
        self._recording: asyncio.Task[None] | None = None
        self._stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.run.at_close = spider.stop_recording
        crawler.signals.connect(spider.note_end, signal=signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Record the captures, then one request for each; ReplayMiddleware answers it."""
        store, archive = await self.run.open(), self.run.archive
        assert archive is not None
        for name in self.files:
            kept = Kept.read(archive.folder / FOLDER / name)
            if kept is None:
                self.run.faults.append(
                    f"no kept file {name}: `scrapy archive import FILE` keeps it"
                )
            else:
                kept.run = kept.run or str(store.run_id)
                self._kept_files.append(kept)
        self._recording = asyncio.ensure_future(self._record(archive))
        await asyncio.wait([self._recording])
        if error := self._recording.exception():
            self.run.stop(f"the import cannot go on: {reason_of(error)}", "archive_lost")
        if self.run.failure or self._stopped:
            return
        async for request in super().start():
            yield request

    async def _record(self, archive: Archive) -> None:
        """Record what is not recorded yet; a failure to write ends the run."""
        writers: dict[str, WarcWriter] = {}
        try:
            async with AsyncExitStack() as writing:
                imports = []
                for kept in self._kept_files:
                    if kept.recorded and not kept.records.get("unresolved"):
                        continue
                    kept.write(archive.folder / FOLDER)
                    if (run := kept.run or "") not in writers:
                        writers[run] = self._writer(archive, kept)
                        writing.push_async_callback(writers[run].close)
                    imports.append(FileImport(archive, kept, writers[run], context_of))
                for revisits in (False, True):
                    for each in imports:
                        await self._take(each, revisits=revisits)
                for each in imports if not self._stopped else ():
                    self._tell(each)
                    each.kept.recorded, each.kept.records = not each.failed, dict(each.counts)
                    each.kept.write(archive.folder / FOLDER)
        except (ArchiveError, OSError, sqlite3.Error) as error:
            self.run.stop(f"the import cannot go on: {cause_of(error)}", "archive_lost")

    async def _take(self, each: FileImport, *, revisits: bool) -> None:
        """Record the captures of a file. What is wrong with it costs only the rest of it."""
        if each.failed or (revisits and not each.revisits):
            return
        steps = each.steps(revisits=revisits)
        try:
            while not self._stopped and await asyncio.to_thread(next, steps, self) is not self:
                pass
        except (ArchiveError, sqlite3.Error):  # our own archive
            raise
        except Exception as error:
            each.failed = True
            next_step = "its further records are not imported, get an intact copy"
            self.run.faults.append(f"{each.kept.name}: {reason_of(error)}; {next_step}")

    def _writer(self, archive: Archive, kept: Kept) -> WarcWriter:
        assert kept.run
        info = warc_info(self.settings, kept.run, self.run.arguments)
        description = "captures that others made; each says in its context where it comes from"
        return WarcWriter(
            archive, run=kept.run, info={**info, "description": description},
            max_bytes=self.settings.getint("WARC_MAX_BYTES"), level=_LEVEL,
        )  # fmt: skip

    def _tell(self, done: FileImport) -> None:
        self.run.counts["import_files"] += 1
        for name in _COUNTED:
            self.run.counts[name] += done.counts[name]
        self.run.faults += done.named
        if more := done.counts["unusable"] + done.counts["unresolved"] - len(done.named):
            self.run.faults.append(f"{done.kept.name}: {more} more records were not imported")

    async def stop_recording(self) -> None:
        """Let the step at work end, before the archive closes."""
        self._stopped = True
        if self._recording:
            await asyncio.wait([self._recording])

    async def note_end(self, reason: str) -> None:
        """Scrapy signal: note that the files are imported, once everything is stored."""
        await self.run.closed.wait()
        archive = self.run.archive
        if archive is None or self.run.failure or not reason.startswith(GOOD_ENDS):
            return
        for kept in filter(lambda each: each.recorded, self._kept_files):
            kept.imported_at = warc_date(utc_now())
            kept.write(archive.folder / FOLDER)

    def _captures(self) -> Iterator[Capture]:
        found = (self._archive.index.captures(run=run) for run in self._runs)
        return merge(*found, key=lambda capture: capture.date)

    async def _completed(self) -> AsyncIterator[Capture]:
        completion = Completion(self.run, self._archive.index, self._runs)
        async for each in completion.by(self._captures()):
            yield each
        async for each in super()._completed():
            yield each

    @property
    def _runs(self) -> list[str]:
        return sorted({kept.run for kept in self._kept_files if kept.run})

    def _nothing_chosen(self) -> None:
        """No capture of an article or list: the summary says so."""
