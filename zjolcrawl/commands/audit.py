"""`scrapy audit [COLUMN]`: reports what the column lists declare and `frontier` lacks."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from typing import Any

from rich.text import Text
from scrapy.exceptions import UsageError

from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.clock import utc_now
from zjolcrawl.display.audit import Audit, audit, render, requeued
from zjolcrawl.display.terminal import print_lines
from zjolcrawl.parsing.urls import url_day
from zjolcrawl.site.catalogue import load_catalogue, switched_off
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.health import column_rows
from zjolcrawl.storage.queries.links import column_links, requeue
from zjolcrawl.storage.queries.names import columns_of


class Command(ReadingCommand):
    """Prints findings by column. Exit status 0: nothing missing; 1: something missing; 2: unknown column."""

    usage = "[COLUMN] [options]"
    summary = "Report what the column lists declare and the archive lacks"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--requeue", action="store_true",
            help="make failed links due now; the next run reads all pages of columns that lack pages or days",
        )  # fmt: skip

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) > 1:
            raise UsageError("give one column, or none for all")
        async with self.database() as db:
            rows = await _columns(db, *args)
            audits = [
                audit(key, row, await column_links(db, key, url_day)) for key, row in rows.items()
            ]
            print_lines(render(audits))
            if opts.requeue:
                lines = [line async for line in _requeue(db, audits)]
                print_lines(lines or [Text("nothing to requeue")])
        self.exitcode = 1 if any(each.missing for each in audits) else 0


async def _requeue(db: Database, audits: list[Audit]) -> AsyncIterator[Text]:
    for each in audits:
        links = await requeue(db, each.column, utc_now(), sweep=each.unread)
        if links or each.unread:
            yield requeued(each, links)


async def _columns(db: Database, wanted: str | None = None) -> dict[str, dict[str, Any]]:
    """The enabled columns and all that were ever crawled, except those that the user has switched off.

    With `wanted`, only that one. Raises UnknownName.
    """
    catalogue, rows = load_catalogue(), await column_rows(db)
    off = set(switched_off())
    keys = [key for key, column in catalogue.items() if column.enabled]
    keys += [key for key in rows if key not in off]
    if wanted is not None:
        keys = list(await columns_of(db, [wanted]))
    names = {key: {"name": column.name} for key, column in catalogue.items()}
    return {key: names.get(key, {}) | rows.get(key, {}) for key in dict.fromkeys(keys)}
