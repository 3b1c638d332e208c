"""`scrapy health`: reports on one screen whether crawls and archive are healthy."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import timedelta

from zjolcrawl.cli.base import ReadingCommand, no_arguments
from zjolcrawl.cli.options import number
from zjolcrawl.display.health import USUAL, Limits, judge, render
from zjolcrawl.display.terminal import print_lines, write_json
from zjolcrawl.health_facts import collect_facts


class Command(ReadingCommand):
    """Prints findings. Exit status 0: well; 1: not well; 2: invalid settings or catalogue, no database."""

    summary = "Report whether crawls and archive are healthy"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        hours, days, gigabytes = (
            USUAL.age // timedelta(hours=1),
            USUAL.silence.days,
            USUAL.free / 1e9,
        )
        options = {
            "--max-age": ("HOURS", hours, "longest time since a column's last success and the last good run"),
            "--silent-days": ("DAYS", days, "days without news after which a column is listed"),
            "--min-free-gb": ("GB", gigabytes, "least free disk space, in 10^9 bytes"),
        }  # fmt: skip
        for name, (unit, default, what) in options.items():
            parser.add_argument(
                name, type=number(1e6), default=default, metavar=unit, help=f"{what} ({default:g})"
            )
        parser.add_argument("--json", action="store_true", help="the findings, as Extended JSON")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        limits = Limits(
            timedelta(hours=opts.max_age), timedelta(days=opts.silent_days), opts.min_free_gb * 1e9
        )
        async with self.database() as db:
            findings = judge(await collect_facts(db, self.data_dir(), thorough=True), limits)
        well = not any(each.bad for each in findings)
        if opts.json:
            write_json({"well": well, "findings": [asdict(each) for each in findings]})
        else:
            print_lines(render(findings))
        self.exitcode = 0 if well else 1
