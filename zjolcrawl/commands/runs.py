"""`scrapy runs`: lists the last runs with their results."""

from __future__ import annotations

import argparse

from bson import ObjectId
from scrapy.exceptions import UsageError

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import NotFound, ReadingCommand
from zjolcrawl.cli.options import whole_number
from zjolcrawl.display.runs import render, render_rejects
from zjolcrawl.display.terminal import print_lines, write_json
from zjolcrawl.messages import cause_of
from zjolcrawl.run.lock import holder
from zjolcrawl.storage.queries.health import last_runs, live_runs, one_run, rejects_of


class Command(ReadingCommand):
    """Prints two lines per run, newest first. Exit status 1: there is no such run; 2: invalid arguments."""

    usage = "[RUN] [options]"
    summary = (
        "Show the last runs and their results, or one run with its warnings and rejected pages"
    )
    details = (
        "Shows the last runs, newest first: start, duration, exit status, arguments and id; then the"
        " results, so far if the run is still going on. With the id of a RUN, shows that run with all"
        " of its warnings and alarms, and the pages that it rejected. Times are China's."
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--last", type=whole_number(1, 999_999), default=10, metavar="N",
            help="number of runs (default: 10)",
        )  # fmt: skip
        parser.add_argument(
            "--warnings", action="store_true", help="also the warnings and alarms of each run"
        )
        parser.add_argument("--json", action="store_true", help="the documents, as Extended JSON")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) > 1 or not all(map(ObjectId.is_valid, args)):
            raise UsageError(f"expected the id of one run, not {' '.join(args)}")
        async with self.database() as db:
            runs = await one_run(db, *args) if args else await last_runs(db, opts.last)
            live = await live_runs(db, held=self._held())
            rejects = await rejects_of(db, runs[0]["_id"]) if args and runs else []
        if args and not runs:
            raise NotFound(f"no run {args[0]}: `scrapy runs` lists the last ones")
        if opts.json:
            write_json(runs)
        else:
            print_lines(render(runs, live, full=bool(args) or opts.warnings))
            print_lines(render_rejects(rejects))

    def _held(self) -> bool:
        """Whether a run holds DATA_DIR now. Raises ArgumentError if DATA_DIR cannot be read."""
        try:
            return holder(self.data_dir()) is not None
        except OSError as error:
            raise ArgumentError(
                f"DATA_DIR {self.data_dir()} cannot be read: {cause_of(error, self.data_dir())}"
            ) from error
