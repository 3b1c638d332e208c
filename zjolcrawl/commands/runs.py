"""`scrapy runs`: lists the last runs with their results."""

from __future__ import annotations

import argparse
import re

from bson import json_util
from scrapy.exceptions import UsageError

from zjolcrawl.arguments import ArgumentError
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.display.runs import render
from zjolcrawl.display.terminal import print_lines, write_data
from zjolcrawl.run.lock import holder
from zjolcrawl.storage.queries.health import last_runs, live_runs


class Command(ReadingCommand):
    """Prints two lines per run, newest first."""

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Show the last runs and their results"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--last", type=_count, default=10, metavar="N", help="number of runs (default: 10)"
        )
        parser.add_argument("--json", action="store_true", help="the documents, as Extended JSON")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Read the last runs and print them."""
        if args:
            raise UsageError(f"unexpected argument: {' '.join(args)}")
        async with self.database() as db:
            runs, live = await last_runs(db, opts.last), await live_runs(db, held=self._held())
        if opts.json:
            write_data(json_util.dumps(runs, ensure_ascii=False, indent=2) + "\n")
        else:
            print_lines(render(runs, live))

    def _held(self) -> bool:
        """Whether a run holds DATA_DIR now. Raises ArgumentError if DATA_DIR cannot be read."""
        try:
            return holder(self.data_dir()) is not None
        except OSError as error:
            raise ArgumentError(f"DATA_DIR {self.data_dir()} cannot be read: {error}") from error


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return int(text)
