"""`scrapy archive`: packs captures into a WACZ file and syncs WARC files with WARC_STORE (push, pull)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scrapy.exceptions import UsageError

from zjolcrawl.archive.archive import ArchiveError
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.stored import pull, push
from zjolcrawl.archive.wacz import pack
from zjolcrawl.arguments import ArgumentError, reparse_arguments
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.display.terminal import say
from zjolcrawl.site.current import current_site
from zjolcrawl.storage.queries.articles import headlines

_CHOICES = ("run", "host", "captured_since", "captured_until")


class Command(ReadingCommand):
    """Packs captures with all records that they refer to, or uploads complete WARC files to WARC_STORE.

    Exit status 1: a file could not be uploaded or registered, or part of the archive is damaged or missing.
    """

    def syntax(self) -> str:
        return "wacz|push|pull [options]"

    def short_desc(self) -> str:
        return "Pack part of the archive into a WACZ file; upload its files to WARC_STORE"

    def long_desc(self) -> str:
        return (
            "wacz: pack a run, a host or a date range into one file. push: upload complete files to "
            "WARC_STORE and verify them there. pull: register the files that other hosts uploaded."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--run", help="captures of one run (its _id in `runs`)")
        parser.add_argument("--host", help="captures of one host")
        parser.add_argument("--captured-since", metavar="DAY", help="from this day on, China time")
        parser.add_argument("--captured-until", metavar="DAY", help="up to this day, inclusive")
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, default=Path("zjol.wacz"),
            help="the WACZ file to write (default: zjol.wacz)",
        )  # fmt: skip
        parser.add_argument(
            "--remove", action="store_true", help="push: delete local files that are in WARC_STORE"
        )

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the subcommand and print what it did."""
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
            raise UsageError("expected one of: wacz, push, pull")

    def _push(self, folder: Path, store: WarcStore, *, remove: bool) -> None:
        well = self._look_through()
        done = push(folder, store, remove=remove)
        for fault in done.faults:
            say(fault)
        sys.stdout.write(
            f"{store.uri}: {len(done.stored)} files uploaded, {len(done.removed)} deleted here\n"
        )
        self.exitcode = 0 if well and not done.faults else 1

    def _pull(self, folder: Path, store: WarcStore) -> None:
        faults: list[str] = []
        try:
            new = pull(folder, store, faults)
        except OSError as error:
            raise ArchiveError(str(error)) from error
        for fault in faults:
            say(fault)
        well = self._look_through()
        sys.stdout.write(f"{store.uri}: {len(new)} new files registered\n")
        self.exitcode = 0 if well and not faults else 1

    def _look_through(self) -> bool:
        """Repair and index the archive; return True if nothing is damaged or missing."""
        with self.archive() as archive:
            for told in dict.fromkeys([*archive.repairs, *archive.faults]):
                say(told)
            return not archive.faults

    async def _wacz(self, opts: argparse.Namespace) -> None:
        given = {name: value for name in _CHOICES if (value := getattr(opts, name))}
        wanted = reparse_arguments(**given)
        with self.archive() as archive:
            since, until = wanted.captured
            told = list(archive.faults)
            captures = list(
                archive.index.captures(
                    since=since, until=until, run=wanted.run, host=wanted.host
                )
            )  # fmt: skip
            async with self.database() as db:
                titles = await headlines(db, _articles(captures))
            title = f"{current_site().name} " + (
                " ".join(f"{k}={v}" for k, v in given.items()) or "all captures"
            )
            packed = pack(archive, captures, opts.output, title=title, titles=titles, told=told)
        for fault in told:
            say(fault)
        self.exitcode = 1 if told else 0
        sys.stdout.write(
            f"{opts.output}: {packed.captures} captures, {packed.pages} pages, "
            f"{packed.size} bytes\n"
        )


def _articles(captures: list[Capture]) -> set[str]:
    return {known["article"] for each in captures if "article" in (known := each.known)}
