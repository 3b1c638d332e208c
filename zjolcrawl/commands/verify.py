"""`scrapy verify`: re-hashes WARC records and images, and names what is damaged or missing."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from itertools import chain

from rich.progress import Progress
from rich.text import Text

from zjolcrawl.archive.archive import ArchiveError
from zjolcrawl.archive.verify import Fault, WarcCheck
from zjolcrawl.archive.verify_foreign import ForeignCheck
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import ReadingCommand, no_arguments
from zjolcrawl.display.formatting import size
from zjolcrawl.display.progress import bar_on_stderr
from zjolcrawl.display.terminal import print_lines, say
from zjolcrawl.messages import cause_of, counted
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.image_stores import ImageReader
from zjolcrawl.storage.queries.fixity import referred_records, stored_images

_PAUSE = 0.05  # seconds of hashing after which an interrupt is noticed


class Command(ReadingCommand):
    """Prints a line per fault and a summary.

    Exit status 0: all is intact; 1: something is damaged or missing; 2: invalid settings, no database, or a
    store that does not answer.
    """

    summary = "Re-hash WARC records and images, and name what is damaged or missing"
    details = (
        "Reads every WARC file, also those in WARC_STORE, and compares gzip checksums, block and payload"
        " digests, the records that articles refer to, and the sha256 of every image and of every imported file"
        " with what is stored."
        " Prints one line per fault with file and byte offset, then a summary. It changes nothing and may"
        " run beside a crawl."
    )
    interrupted = "interrupted: not everything was verified"

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        if not self.data_dir().is_dir():
            raise ArgumentError(f"DATA_DIR {self.data_dir()} is no folder")
        begun, self._faults = time.monotonic(), Counter[str]()
        async with self.database() as db:
            images = self.images(db)
            try:
                check = WarcCheck(self.data_dir() / "warc", self.warc_store())
                foreign = ForeignCheck(self.data_dir() / "warc")
            except OSError as error:
                raise ArchiveError(cause_of(error)) from error
            try:
                with bar_on_stderr() as bar:
                    await self._files(check, foreign, bar)
                    await self._pointers(check, db, bar)
                    seen = await self._images(images, db, bar) if images.readable else None
            finally:
                check.close()
        if seen is None:
            say("images are not verified: this FILES_STORE cannot be read here")
        read = f"{counted(len(check.names), 'WARC file')} with {counted(check.records, 'record')}"
        of_others = f", {counted(len(foreign.files), 'file')} of others" if foreign.files else ""
        of_images = f", {counted(seen[0], 'image')} ({size(seen[1])})" if seen else ""
        faults = ", ".join(f"{self._faults[kind]} {kind}" for kind in ("damaged", "missing"))
        print_lines(
            [Text(f"{read}{of_others}{of_images}: {faults}; {time.monotonic() - begun:.1f} s")]
        )
        self.exitcode = 1 if self._faults else 0

    async def _files(self, check: WarcCheck, foreign: ForeignCheck, bar: Progress) -> None:
        """Read all WARC files, then those of others."""
        total = check.size() + foreign.size()
        task, noticed = bar.add_task("bytes of WARC files", total=total), time.monotonic()
        self._tell(check.missing())
        ours, others = map(check.check, check.names), map(foreign.check, foreign.files)
        for each in chain.from_iterable(chain(ours, others)):
            if isinstance(each, Fault):
                self._tell([each])
            else:
                bar.advance(task, each)
            if time.monotonic() - noticed > _PAUSE:
                await asyncio.sleep(0)
                noticed = time.monotonic()
        self._tell(check.origins())

    async def _pointers(self, check: WarcCheck, db: Database, bar: Progress) -> None:
        """Look up the records that documents refer to."""
        task = bar.add_task("references to records", total=None)
        async for url, place in referred_records(db):
            bar.advance(task)
            if fault := check.pointer(place):
                self._tell([Fault(fault.kind, fault.file, fault.offset, f"{fault.why} ({url})")])

    async def _images(self, images: ImageReader, db: Database, bar: Progress) -> tuple[int, int]:
        """Hash all images; returns their number and bytes."""
        task, number, total = bar.add_task("images", total=None), 0, 0
        async for length, fault in _hashed(images, db):
            bar.advance(task)
            number, total = number + 1, total + length
            self._tell([fault] if fault else [])
        return number, total

    def _tell(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._faults[fault.kind] += 1
            print_lines([Text(str(fault))])


async def _hashed(images: ImageReader, db: Database) -> AsyncIterator[tuple[int, Fault | None]]:
    """The size of each image in bytes, and its fault or None."""
    async for image in stored_images(db):
        path = f"images/{image.path}"
        try:
            data = await images.read(image.path)
        except (OSError, ValueError) as error:
            if images.is_remote:
                raise ArchiveError(cause_of(error)) from error
            yield (
                0,
                Fault("damaged", path, None, f"cannot be read: {cause_of(error)} ({image.url})"),
            )
            continue
        if data is None:
            yield 0, Fault("missing", path, None, f"no such image, or not all of it ({image.url})")
        elif (found := hashlib.sha256(data).hexdigest()) != image.sha256:
            why = f"{counted(len(data), 'byte')} with sha256 {found}, not {image.sha256} ({image.url})"
            yield len(data), Fault("damaged", path, None, why)
        else:
            yield len(data), None
