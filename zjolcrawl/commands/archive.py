"""`scrapy archive wacz`: part of the archive as one file, for any replay tool."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scrapy.exceptions import UsageError

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.wacz import pack
from zjolcrawl.command import ReadingCommand
from zjolcrawl.spiders.arguments import reparse_arguments
from zjolcrawl.storage.queries import headlines

_CHOICES = ("run", "host", "captured_since", "captured_until")


class Command(ReadingCommand):
    """Packs the captures of a run, of a host or of some days, with all that they refer to."""

    def syntax(self) -> str:
        return "wacz [options]"

    def short_desc(self) -> str:
        return "Pack a run or a date range of the archive into a WACZ file"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--run", help="captures of one run, by its _id in `runs`")
        parser.add_argument("--host", help="captures of one host")
        parser.add_argument("--captured-since", metavar="DAY", help="from this day on, China time")
        parser.add_argument("--captured-until", metavar="DAY", help="to this day, included")
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, default=Path("zjol.wacz"),
            help="where to write (default: zjol.wacz)",
        )  # fmt: skip

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Pack and say what was packed."""
        if args != ["wacz"]:
            raise UsageError("archive knows one thing to do: wacz")
        given = {name: value for name in _CHOICES if (value := getattr(opts, name))}
        wanted = reparse_arguments(**given)
        with self.archive() as archive:
            since, until = wanted.captured
            captures = list(
                archive.index.captures(
                    since=since, until=until, run=wanted.run, host=wanted.host
                )
            )  # fmt: skip
            async with self.database() as db:
                titles = await headlines(db, _articles(captures))
            title = "浙江在线 " + (" ".join(f"{k}={v}" for k, v in given.items()) or "all captures")
            packed = pack(archive, captures, opts.output, title=title, titles=titles)
        sys.stdout.write(
            f"{opts.output}: {packed.captures} captures, {packed.pages} pages, "
            f"{packed.size} bytes\n"
        )


def _articles(captures: list[Capture]) -> set[str]:
    return {known["article"] for each in captures if "article" in (known := each.known)}
