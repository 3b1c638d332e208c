"""`scrapy coverage`: reports how often each field is present, to show where a template is misread."""

from __future__ import annotations

import argparse

from bson import json_util
from scrapy.exceptions import UsageError

from zjolcrawl.arguments import day_span, host_names, names
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.display.coverage import render, rows, values
from zjolcrawl.display.terminal import print_lines, write_data
from zjolcrawl.site.current import current_site
from zjolcrawl.storage.queries.coverage import DIMENSIONS, CoverageFilter, coverage


class Command(ReadingCommand):
    """Prints one line per group of articles. Exit status 0, whatever it finds; 2: invalid arguments."""

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Report how often each field is present, by host, template and month"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--host",
            type=host_names,
            default=(),
            metavar="HOST[,HOST]",
            help="only these hosts: short (zjnews) or full name",
        )
        parser.add_argument(
            "--template", type=names, default=(), metavar="NAME[,NAME]", help="only these templates"
        )
        parser.add_argument("--since", metavar="DAY", help="published from this day on, China time")
        parser.add_argument("--until", metavar="DAY", help="published up to this day, inclusive")
        parser.add_argument(
            "--by", type=_dimensions, default=DIMENSIONS, metavar="NAME[,NAME]",
            help=f"group by one or more of {','.join(DIMENSIONS)} (default: all)",
        )  # fmt: skip
        form = parser.add_mutually_exclusive_group()
        form.add_argument(
            "--marked", action="store_true", help="only rows where something stands out"
        )
        form.add_argument("--json", action="store_true", help="print the rows as JSON")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Count in MongoDB and print the rows."""
        if args:
            raise UsageError(f"unexpected argument: {' '.join(args)}")
        wanted = CoverageFilter(
            opts.by, opts.host, opts.template, *day_span(opts.since, opts.until)
        )
        async with self.database() as db:
            found = rows(await coverage(db, wanted, current_site().day_in_url), wanted.by)
        if opts.json:
            told = [values(row) for row in found]
            write_data(json_util.dumps(told, ensure_ascii=False, indent=2) + "\n")
        else:
            print_lines(render(found, wanted.by, marked_only=opts.marked))


def _dimensions(text: str) -> tuple[str, ...]:
    chosen = names(text)
    if not chosen or set(chosen) - set(DIMENSIONS):
        raise argparse.ArgumentTypeError(f"{text}: expected one or more of {','.join(DIMENSIONS)}")
    return chosen
