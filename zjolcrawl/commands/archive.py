"""`scrapy archive`: packs captures into a WACZ file, imports files of others, syncs with WARC_STORE (push, pull)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from scrapy.exceptions import UsageError

from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.foreign_files import NotAnArchive, keep_all
from zjolcrawl.archive.foreign_notes import FOLDER
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.stored import pull, push
from zjolcrawl.archive.wacz import pack
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.arguments import reparse_arguments
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.commands.crawl import crawl
from zjolcrawl.display.formatting import size
from zjolcrawl.display.terminal import say
from zjolcrawl.messages import cause_of, counted
from zjolcrawl.site.current import current_site
from zjolcrawl.site.names import find_hosts
from zjolcrawl.storage.queries.articles import headlines, parts_of

_FILTERS = ("run", "host", "captured_since", "captured_until")


class Command(ReadingCommand):
    """Packs captures with all records that they refer to, imports archives of others, or syncs with WARC_STORE.

    Exit status 1: a file could not be uploaded or registered, a record could not be imported, or part of the
    archive is damaged or missing.
    """

    usage = "wacz|import FILE…|push|pull [options]"
    summary = (
        "Pack part of the archive into a WACZ file; import WARC files; upload files to WARC_STORE"
    )
    details = (
        "wacz: pack a run, a host or a date range into one file. import: take in WARC, ARC and WACZ files that "
        "others made (files, folders, or - for stdin). push: upload complete files to WARC_STORE and verify "
        "them there. pull: register the files that other hosts uploaded."
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--run", help="captures of one run (its _id in `runs`)")
        parser.add_argument("--host", help="captures of one host: short (zjnews) or full name")
        parser.add_argument("--captured-since", metavar="DAY", help="from this day on, China time")
        parser.add_argument("--captured-until", metavar="DAY", help="up to this day, inclusive")
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, default=Path("zjol.wacz"),
            help="the WACZ file to write (default: zjol.wacz)",
        )  # fmt: skip
        parser.add_argument(
            "--remove", action="store_true", help="push: delete local files that are in WARC_STORE"
        )

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        if args[:1] == ["import"]:
            self._import(args[1:], opts)
        else:
            super().execute(args, opts)

    def _import(self, given: list[str], opts: argparse.Namespace) -> None:
        if not given:
            raise UsageError("give files or folders, or - for stdin")
        folder = self.data_dir() / "warc" / FOLDER
        try:
            kept = list(keep_all(folder, given))
        except NotAnArchive as error:
            raise ArgumentError(str(error)) from error
        except OSError as error:
            raise ArgumentError(cause_of(error)) from error
        for each in kept:
            if each.is_done:
                say(f"{each.source}: already imported, {each.imported_at}")
        if names := [each.name for each in kept if not each.is_done]:
            self.exitcode = crawl("import", {"file": ",".join(names)}, self.settings, opts.set)

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        if args == ["wacz"]:
            await self._wacz(opts)
        elif args in (["push"], ["pull"]):
            if (store := self.warc_store()) is None:
                raise ArgumentError("setting WARC_STORE is empty: set it to s3://BUCKET/PREFIX")
            folder = self.data_dir() / "warc"
            if args == ["push"]:
                self._push(folder, store, remove=opts.remove)
            else:
                self._pull(folder, store)
        else:
            raise UsageError("expected one of: wacz, import, push, pull")

    def _push(self, folder: Path, store: WarcStore, *, remove: bool) -> None:
        intact = self._is_intact()
        done = push(folder, store, remove=remove)
        uploaded = counted(len(done.stored), "file")
        sys.stdout.write(f"{store.uri}: {uploaded} uploaded, {len(done.removed)} deleted here\n")
        self._end(done.faults, intact=intact)

    def _pull(self, folder: Path, store: WarcStore) -> None:
        faults: list[str] = []
        try:
            new = pull(folder, store, faults)
        except OSError as error:
            raise ArchiveError(cause_of(error)) from error
        intact = self._is_intact()
        sys.stdout.write(f"{store.uri}: {counted(len(new), 'new file')} registered\n")
        self._end(faults, intact=intact)

    async def _wacz(self, opts: argparse.Namespace) -> None:
        given = {name: value for name in _FILTERS if (value := getattr(opts, name))}
        wanted = reparse_arguments(**given)
        with self._archive() as archive:
            since, until = wanted.captured
            faults = list(archive.faults)
            hosts = find_hosts(filter(None, [wanted.host]), archive.index.hosts())
            found = archive.index.captures(
                since=since, until=until, run=wanted.run, host=next(iter(hosts), None)
            )
            captures = list(found)
            async with self.database() as db:
                articles = {
                    each.context["article"] for each in captures if "article" in each.context
                }
                titles = await headlines(db, articles)
                parts = await parts_of(db, articles, {c.pointer.record_id for c in captures})
            title = f"{current_site().name} " + (
                " ".join(f"{k}={v}" for k, v in given.items()) or "all captures"
            )
            packed = pack(
                archive, captures, opts.output,
                title=title, titles=titles, parts=parts, problems=faults,
            )  # fmt: skip
        counts = [counted(packed.captures, "capture"), counted(packed.pages, "page")]
        sys.stdout.write(f"{opts.output}: {', '.join(counts)}, {size(packed.size)}\n")
        self._end(faults)

    def _is_intact(self) -> bool:
        """Repair and index the archive; whether nothing is damaged or missing."""
        with self._archive() as archive:
            for line in dict.fromkeys([*archive.repairs, *archive.faults]):
                say(line)
            return not archive.faults

    def _archive(self) -> Archive:
        """The archive in DATA_DIR and WARC_STORE. Raises ArchiveError if there is neither."""
        folder, store = self.data_dir() / "warc", self.warc_store()
        if not folder.is_dir() and store is None:
            raise ArchiveError(f"no archive at {folder}")
        return Archive(folder, store)

    def _end(self, faults: Sequence[str], *, intact: bool = True) -> None:
        for fault in faults:
            say(fault)
        self.exitcode = 1 if faults or not intact else 0
