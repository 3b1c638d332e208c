"""`scrapy watch`: sends what watches wait for, or lists what they would have been told."""

from __future__ import annotations

import argparse
from datetime import timedelta

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import ReadingCommand, no_arguments
from zjolcrawl.cli.options import whole_number
from zjolcrawl.clock import utc_now
from zjolcrawl.display.terminal import say, write_json, write_text
from zjolcrawl.messages import counted
from zjolcrawl.run.watch_file import read_watches
from zjolcrawl.run.watching import events_since, tell, try_receivers


class Command(ReadingCommand):
    """Exit status 0: done; 1: a receiver failed; 2: an invalid watch file, no database."""

    summary = "Send what watches wait for, or list what they would have been told"
    details = (
        "Sends the events of watch.toml that wait for a receiver: those of a killed run, and those that a"
        " receiver did not take. A crawl does the same at its end. With --dry-run nothing is sent: it lists"
        " what the last days would have told."
    )
    interrupted = "interrupted"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="list events, send nothing")
        what.add_argument(
            "--test", action="store_true", help="only send a test event to each receiver"
        )
        parser.add_argument(
            "--days", type=whole_number(1, 36_500), metavar="N",
            help="with --dry-run: events of the last N days (default: 7)",
        )  # fmt: skip
        parser.add_argument(
            "--json", action="store_true", help="with --dry-run: the events, as Extended JSON"
        )

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        assert self.settings is not None
        if not opts.dry_run and (opts.days or opts.json):
            raise ArgumentError("--days and --json need --dry-run")
        watches = read_watches(self.settings)
        if not watches:
            raise ArgumentError(
                "no watch: write them to watch.toml in this folder, or set WATCH_FILE"
            )
        if opts.test:
            for name, failure in await try_receivers(self.settings, watches):
                say(f"{name}: {failure or 'taken'}")
                self.exitcode = 1 if failure else self.exitcode
            return
        async with self.database() as db:
            if not opts.dry_run:
                faults = await tell(self.settings, db)
                for each in faults:
                    say(each)
                self.exitcode = 1 if faults else 0
                return
            since = utc_now() - timedelta(days=opts.days or 7)
            found = [each async for each in events_since(db, watches, since)]
        found.sort(key=lambda each: str(each[1]["at"]))
        if opts.json:
            write_json([event for _, event in found])
            return
        for watch in watches:
            events = [event for each, event in found if each is watch]
            lines = [f"{e['at']} {e['event']:<8} {e['title']}\n  {e['url']}" for e in events]
            heading = f"{watch.name}: {counted(len(events), 'event')}"
            write_text("".join(f"{line}\n" for line in (heading, *lines)))
