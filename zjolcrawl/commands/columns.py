"""`scrapy columns`: lists and checks the catalogue of columns."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from zjolcrawl.cli.base import BaseCommand
from zjolcrawl.cli.options import some_names
from zjolcrawl.display.terminal import (
    console,
    printable,
    write_json,
)
from zjolcrawl.messages import counted
from zjolcrawl.parsing.templates import check_templates
from zjolcrawl.site.catalogue import Column, load_catalogue
from zjolcrawl.site.names import find_hosts

_SHOWN = ("id", "name", "url", "enabled", "evidence")


class Command(BaseCommand):
    """Lists the catalogue as a table, or tab-separated if stdout is not a terminal."""

    summary = "List the catalogue of columns"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--enabled", action="store_true", help="only those crawled by default")
        parser.add_argument(
            "--site", type=some_names, default=(), metavar="HOST[,HOST]",
            help="only columns on these hosts: short (zjnews) or full name",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print every key, as JSON")

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        check_templates()  # of the files that a user may edit, this command checks all
        hosts = find_hosts(opts.site)
        columns = [
            each
            for each in load_catalogue().values()
            if (each.enabled or not opts.enabled) and (each.site in hosts or not hosts)
        ]
        if opts.json:
            write_json([asdict(column) for column in columns])
        elif sys.stdout.isatty():
            _print(columns)
        else:
            for column in columns:
                sys.stdout.write("\t".join(_row(column)) + "\n")


def _row(column: Column) -> list[str]:
    texts = {**asdict(column), "enabled": "on" if column.enabled else "off"}
    return [str(texts[name]) for name in _SHOWN]


def _print(columns: list[Column]) -> None:
    """Print a table; disabled columns, most of the catalogue, are dimmed."""
    table = Table(box=None)
    for name in _SHOWN:
        table.add_column(name, no_wrap=True)
    for column in columns:
        cells = [Text(printable(cell)) for cell in _row(column)]
        table.add_row(*cells, style="" if column.enabled else "dim")
    stdout = console()
    stdout.print(table)
    enabled = sum(column.enabled for column in columns)
    stdout.print(f"{counted(len(columns), 'column')}, {enabled} on")
