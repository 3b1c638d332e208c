"""`scrapy coverage`: reports how often each field is present, to show where a template is misread."""

from __future__ import annotations

import argparse

from scrapy.exceptions import UsageError

from zjolcrawl.argument_values import day_span, names
from zjolcrawl.cli.base import ReadingCommand, no_arguments
from zjolcrawl.cli.options import add_days, some_names
from zjolcrawl.display.coverage import render, rows, values
from zjolcrawl.display.terminal import print_lines, write_json
from zjolcrawl.display.years import render as render_years
from zjolcrawl.display.years import values as year_values
from zjolcrawl.parsing.templates import template_names
from zjolcrawl.site.current import current_site
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.coverage import DIMENSIONS, CoverageFilter, coverage
from zjolcrawl.storage.queries.names import hosts_of, templates_of
from zjolcrawl.storage.queries.years import years

YEAR = ("year",)


class Command(ReadingCommand):
    """Prints one line per group of articles. Exit status 0, whatever it finds; 2: invalid arguments."""

    summary = "Report how often each field is present, by host, template and month"
    details = (
        "Reports how often each field is present, in per cent of the n articles of a row, by host, template and "
        "month: title, time of day, source, authors, editors, tags (meta: only from the keywords of the page), "
        "path (breadcrumb), kicker, subtitle, editor's note, dateline, images, captions (of the images), videos; "
        "then body, the median length of the texts in characters; gen, the share of pages that fit no template; "
        "rej, the links that gave no article. A share that is far from that of the other rows is marked with !"
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--host", type=some_names, default=(), metavar="HOST[,HOST]",
            help="only these hosts: short (zjnews) or full name",
        )  # fmt: skip
        parser.add_argument(
            "--template",
            type=some_names,
            default=(),
            metavar="NAME[,NAME]",
            help="only these templates",
        )
        add_days(parser)
        parser.add_argument(
            "--by", type=_dimensions, default=DIMENSIONS, metavar="NAME[,NAME]",
            help=f"group by one or more of {','.join(DIMENSIONS)} (default: all); or year: what the "
            "archive has of each year, and who saw it first",
        )  # fmt: skip
        form = parser.add_mutually_exclusive_group()
        form.add_argument(
            "--marked", action="store_true", help="only rows where something stands out"
        )
        form.add_argument("--json", action="store_true", help="print the rows as JSON")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        days = day_span(opts.since, opts.until)
        async with self.database() as db:
            hosts = await hosts_of(db, opts.host)
            templates = await templates_of(db, opts.template, template_names())
            wanted = CoverageFilter(opts.by, hosts, templates, *days)
            if opts.by == YEAR:
                await self._show_years(db, wanted, opts)
                return
            found = rows(await coverage(db, wanted, current_site().day_in_url), wanted.by)
        if opts.json:
            write_json([values(row) for row in found])
        else:
            print_lines(render(found, wanted.by, marked_only=opts.marked))

    async def _show_years(
        self, db: Database, wanted: CoverageFilter, opts: argparse.Namespace
    ) -> None:
        if opts.marked:
            raise UsageError("--marked cannot be combined with --by year")
        found = await years(db, wanted)
        if opts.json:
            write_json([year_values(each) for each in found])
        else:
            print_lines(render_years(found))


def _dimensions(text: str) -> tuple[str, ...]:
    chosen = names(text)
    if chosen == YEAR:
        return chosen
    if not chosen or set(chosen) - set(DIMENSIONS):
        raise argparse.ArgumentTypeError(
            f"{text}: expected one or more of {','.join(DIMENSIONS)}, or year"
        )
    return chosen
