"""`scrapy feeds FOLDER`: writes feeds as files, for a static web server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scrapy.exceptions import UsageError

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.cli.options import some_names, web_address, whole_number
from zjolcrawl.display.terminal import say
from zjolcrawl.export.output import FileRefused
from zjolcrawl.messages import cause_of, counted
from zjolcrawl.search import QueryError, SearchIndex
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.browsing import column_ids
from zjolcrawl.storage.queries.names import columns_of
from zjolcrawl.storage.queries.selection import Selection

_MISSING = "scrapy feeds needs an extra: pip install 'zjolcrawl[browse]'"


class Command(ReadingCommand):
    """Exit status 0: all feeds are up to date; 2: invalid arguments, or a file that cannot be written."""

    usage = "FOLDER [options]"
    summary = "Write feeds as Atom and JSON files for a static web server"
    details = (
        "Writes the feeds of all articles (search), of changes, of edits (edited), of takedowns and returns"
        " (gone) and of each column, each with its last events: changes.atom, changes.json,"
        " column/zjxw.atom and so on. A file that"
        " would not change is left as it is."
    )
    interrupted = "interrupted: repeat the command to bring the other feeds up to date"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--search", metavar="WORDS", action="append", default=[],
            help="also the feed of this query, in search/; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--column", type=some_names, default=(), metavar="ID[,ID]",
            help="only these columns: id or Chinese name (default: all that have articles)",
        )  # fmt: skip
        parser.add_argument(
            "--base-url",
            type=web_address,
            metavar="URL",
            help="the URL of FOLDER, for the feeds' own links",
        )
        parser.add_argument(
            "--entries", type=whole_number(1, 1000), default=100, metavar="N",
            help="entries of each feed (default: 100)",
        )  # fmt: skip

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise UsageError("give one FOLDER")
        try:
            from zjolcrawl.feeds import files
            from zjolcrawl.feeds.feed import NAMES, Feed, read_page
        except ModuleNotFoundError as error:
            raise ArgumentError(f"{_MISSING} (no {error.name})") from error
        folder, changed = Path(args[0]), 0
        async with self.database() as db:
            feeds = [Feed(name) for name in NAMES]
            feeds += [
                Feed(selection=Selection(columns=(each,)), fields={"column": each})
                for each in await _columns(db, opts.column)
            ]
            if not all(words.strip() for words in opts.search):
                raise ArgumentError("--search: give a word")
            feeds += [Feed(q=words, fields={"q": words}) for words in opts.search]
            index = await self._index(db, opts.search)
            try:
                for feed in feeds:
                    page = await read_page(db, index, feed, 1, opts.entries)
                    changed += files.write(folder, feed, page, opts.base_url or "")
            except (QueryError, FileRefused) as error:
                raise ArgumentError(str(error)) from error
            except OSError as error:
                raise ArgumentError(
                    f"{folder}: a feed cannot be written: {cause_of(error)}"
                ) from error
        if left := files.left_over(folder, feeds):
            shown = f"{', '.join(left[:5])}{' …' if len(left) > 5 else ''}"
            say(f"{folder}: {counted(len(left), 'feed')} that nothing updates any more: {shown}")
        say(f"{folder}: {counted(len(feeds), 'feed')}, {counted(changed, 'file')} changed")

    async def _index(self, db: Database, searches: list[Any]) -> SearchIndex | None:
        return await self.search_index(db, complete=True) if searches else None


async def _columns(db: Database, given: tuple[str, ...]) -> tuple[str, ...]:
    return await columns_of(db, given) if given else tuple(await column_ids(db))
