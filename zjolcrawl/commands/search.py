"""`scrapy search "词 …"`: articles that have all of the words, best first."""

from __future__ import annotations

import argparse

from bson import json_util
from pymongo.errors import OperationFailure
from scrapy.exceptions import UsageError

from zjolcrawl.command import NotFound, ReadingCommand
from zjolcrawl.display.progress import bar_on_stderr
from zjolcrawl.display.search import render, values
from zjolcrawl.selecting import add_selection, selection_of
from zjolcrawl.spiders.arguments import ArgumentError
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.search import QueryError, rebuild, search, update
from zjolcrawl.terminal import put_data, tell


class Command(ReadingCommand):
    """Prints hits with snippets. Exit status 1: there are none; 2: unusable arguments."""

    def syntax(self) -> str:
        return '"WORD …" [options]'

    def short_desc(self) -> str:
        return "Search the articles' text"

    def long_desc(self) -> str:
        return (
            "Finds the articles that have all of the words, wherever they stand; what is in"
            " quotation marks is one, spaces included. Those with all in the headline come first,"
            " then those that have them as words, the newest first."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_selection(parser)
        parser.add_argument(
            "--limit", type=_count, default=10, metavar="N", help="hits (default: 10)"
        )
        parser.add_argument(
            "--skip", type=_count, default=0, metavar="N", help="pass over the first N"
        )
        parser.add_argument("--json", action="store_true", help="whole documents, as extended JSON")
        parser.add_argument(
            "--rebuild", action="store_true", help="make the index anew (no words: only that)"
        )

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Bring the index up to date, and print."""
        selection, text = selection_of(opts), " ".join(args)
        if not text and not opts.rebuild:
            raise UsageError("give words to search for")
        async with self.database() as db:
            await bring_up_to_date(db, anew=opts.rebuild)
            if not text:
                return
            try:
                results = await search(db, text, selection, limit=opts.limit, skip=opts.skip)
            except QueryError as error:
                raise ArgumentError(str(error)) from error
        if opts.json:
            told = json_util.dumps(values(results), ensure_ascii=False, indent=2)
            put_data(told + "\n")
        else:
            tell(render(results, opts.skip))
        if not results.hits:
            raise NotFound(f"no article has {' and '.join(results.terms)}")


async def bring_up_to_date(db: Database, *, anew: bool) -> None:
    """Index what waits; a user who may not write searches what is there."""
    with bar_on_stderr() as bar:
        task = bar.add_task("articles indexed", total=None, visible=False)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        try:
            await (rebuild(db, told) if anew else update(db, told=told))
        except OperationFailure:
            if anew:
                raise


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 10_000:
        raise ValueError(text)
    return count
