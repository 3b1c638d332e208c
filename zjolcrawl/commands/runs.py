"""`scrapy runs`: lists the last runs with their results."""

from __future__ import annotations

import argparse

from zjolcrawl.arguments import ArgumentError
from zjolcrawl.cli.base import ReadingCommand, no_arguments
from zjolcrawl.cli.options import whole_number
from zjolcrawl.display.runs import render
from zjolcrawl.display.terminal import print_lines, write_json
from zjolcrawl.messages import cause_of
from zjolcrawl.run.lock import holder
from zjolcrawl.storage.queries.health import last_runs, live_runs


class Command(ReadingCommand):
    """Prints two lines per run, newest first."""

    summary = "Show the last runs and their results"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--last", type=whole_number(1, 999_999), default=10, metavar="N",
            help="number of runs (default: 10)",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="the documents, as Extended JSON")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        async with self.database() as db:
            runs, live = await last_runs(db, opts.last), await live_runs(db, held=self._held())
        if opts.json:
            write_json(runs)
        else:
            print_lines(render(runs, live))

    def _held(self) -> bool:
        """Whether a run holds DATA_DIR now. Raises ArgumentError if DATA_DIR cannot be read."""
        try:
            return holder(self.data_dir()) is not None
        except OSError as error:
            raise ArgumentError(
                f"DATA_DIR {self.data_dir()} cannot be read: {cause_of(error, self.data_dir())}"
            ) from error
