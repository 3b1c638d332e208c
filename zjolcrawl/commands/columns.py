"""`scrapy columns`: lists and checks the catalogue of columns."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from scrapy.commands import ScrapyCommand

from zjolcrawl.cli.base import choose_site
from zjolcrawl.display.terminal import (
    console,
    printable,
    sanitize_output,
    say,
    write_data,
)
from zjolcrawl.site.catalogue import Column, load_catalogue
from zjolcrawl.site.current import current_site
from zjolcrawl.site.description import SiteError

_SHOWN = ("id", "name", "url", "enabled", "evidence")


class Command(ScrapyCommand):
    """Lists the catalogue as a table, or tab-separated if stdout is not a terminal."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def short_desc(self) -> str:
        return "List the catalogue of columns"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--enabled", action="store_true", help="only those crawled by default")
        parser.add_argument(
            "--site",
            default="",
            metavar="HOST[,HOST]",
            help="only columns on these hosts: short (zjnews) or full name",
        )
        parser.add_argument("--json", action="store_true", help="print every key, as JSON")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Make stdout and stderr safe for terminals before Scrapy sets up its log."""
        sanitize_output()
        super().process_options(args, opts)
        choose_site(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print the columns; an invalid catalogue is one line on stderr and exit status 2."""
        try:
            columns = list(load_catalogue().values())
        except SiteError as error:
            say(str(error))
            self.exitcode = 2
            return
        if opts.enabled:
            columns = [column for column in columns if column.enabled]
        if opts.site:
            hosts = {current_site().host(part.strip()) for part in opts.site.split(",")}
            columns = [each for each in columns if each.site in hosts]
        if opts.json:
            rows = [asdict(column) for column in columns]
            write_data(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
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
    stdout.print(f"{len(columns)} columns, {enabled} on")
