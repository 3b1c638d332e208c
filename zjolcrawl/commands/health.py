"""`scrapy health`: reports on one screen whether crawls and archive are healthy."""

from __future__ import annotations

import argparse
import math
from datetime import timedelta

from bson import json_util
from scrapy.exceptions import UsageError

from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.display.findings import Finding
from zjolcrawl.display.health import USUAL, Limits, judge, render
from zjolcrawl.display.terminal import print_lines, write_data
from zjolcrawl.health_facts import collect_facts


class Command(ReadingCommand):
    """Prints findings. Exit status 0: well; 1: not well; 2: invalid settings or catalogue, no database."""

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Report whether crawls and archive are healthy"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        options = {
            "--max-age": (
                "HOURS",
                USUAL.age // timedelta(hours=1),
                "longest time since a column's last success and the last good run",
            ),
            "--silent-days": (
                "DAYS",
                USUAL.silence.days,
                "days without news after which a column is listed",
            ),
            "--min-free-gb": ("GB", int(USUAL.free // 1e9), "least free disk space, in 10^9 bytes"),
        }
        for name, (unit, default, what) in options.items():
            parser.add_argument(
                name, type=_amount, default=default, metavar=unit, help=f"{what} ({default})"
            )
        parser.add_argument("--json", action="store_true", help="the findings, as Extended JSON")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Judge the state of the archive and print the findings."""
        if args:
            raise UsageError(f"unexpected argument: {' '.join(args)}")
        limits = Limits(
            timedelta(hours=opts.max_age), timedelta(days=opts.silent_days), opts.min_free_gb * 1e9
        )
        async with self.database() as db:
            findings = judge(await collect_facts(db, self.data_dir(), thorough=True), limits)
        well = not any(each.bad for each in findings)
        if opts.json:
            write_data(_json(findings, well=well))
        else:
            print_lines(render(findings))
        self.exitcode = 0 if well else 1


def _json(findings: list[Finding], *, well: bool) -> str:
    rows = [
        {"section": f.section, "bad": f.bad, "text": f.text, "values": f.values} for f in findings
    ]
    return json_util.dumps({"well": well, "findings": rows}, ensure_ascii=False, indent=2) + "\n"


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount <= 1e6:  # NaN is not
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1000000")
    return amount
