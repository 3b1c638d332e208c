"""`scrapy search "词 …"`: full-text search of the stored articles."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from bson import json_util
from scrapy.exceptions import UsageError

from zjolcrawl.arguments import ArgumentError
from zjolcrawl.cli.base import NotFound, ReadingCommand
from zjolcrawl.cli.options import add_selection, selection_of
from zjolcrawl.display.search import render, render_histogram
from zjolcrawl.display.terminal import bar_on_stderr, print_lines, write_data
from zjolcrawl.search import ORDERS, SPANS, QueryError, Search, SearchIndex, catch_up, search
from zjolcrawl.storage.connection import Database

_NOTHING = "no article matches"
_PAUSE = 0.2  # seconds between checks whether another process has finished indexing


class Command(ReadingCommand):
    """Prints hits with snippets. Exit status 1: no hits; 2: invalid arguments."""

    interrupted = "interrupted"

    def syntax(self) -> str:
        return '"WORD …" [options]'

    def short_desc(self) -> str:
        return "Search the text of the articles"

    def long_desc(self) -> str:
        return (
            'Finds articles that contain all words, in any field. "A B" matches the exact phrase, A OR B'
            " either word; -A excludes a word; title:A matches the headline, by:A a reporter or editor."
            " Articles with all words in the headline come first, then newest first."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_selection(parser)
        parser.add_argument(
            "--limit", type=_count, default=10, metavar="N", help="number of hits (default: 10)"
        )
        parser.add_argument(
            "--skip", type=_count, default=0, metavar="N", help="skip the first N hits"
        )
        parser.add_argument(
            "--sort", choices=ORDERS, default="newest",
            help="newest (default): headline hits first, then newest first; relevance: best first",
        )  # fmt: skip
        parser.add_argument(
            "--histogram", choices=SPANS, help="print only the number of hits by day, month or year"
        )
        parser.add_argument("--json", action="store_true", help="the result, as Extended JSON")
        parser.add_argument(
            "--rebuild", action="store_true", help="rebuild the index (without WORD: only that)"
        )

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Bring the index up to date, search it and print the hits."""
        selection, text = selection_of(opts), " ".join(args)
        if not text and not opts.rebuild:
            raise UsageError("give words to search for, or --rebuild")
        async with self.database() as db:
            index = SearchIndex.open(self.data_dir(), db.name)
            await bring_up_to_date(db, index, anew=opts.rebuild)
            if not text:
                return
            try:
                if opts.histogram:
                    counts = Search(index, text, selection).histogram(opts.histogram)
                    write_data(dumps(counts)) if opts.json else print_lines(
                        render_histogram(counts)
                    )
                    if not counts:
                        raise NotFound(_NOTHING)
                    return
                results = await search(
                    db, index, text, selection, limit=opts.limit, skip=opts.skip, order=opts.sort
                )
            except QueryError as error:
                raise ArgumentError(str(error)) from error
        write_data(dumps(results.articles)) if opts.json else print_lines(
            render(results, opts.skip)
        )
        if not results.total:
            raise NotFound(_NOTHING)


def dumps(value: Any) -> str:
    """A value as MongoDB Extended JSON, indented, with a final newline."""
    return f"{json_util.dumps(value, ensure_ascii=False, indent=2)}\n"


async def bring_up_to_date(
    db: Database, index: SearchIndex, *, anew: bool = False, wholly: bool = False
) -> None:
    """Index articles written since the last time; `anew` rebuilds the index. Raises StoreUnavailable.

    If another process is indexing, this returns at once and the search uses the index as it is. It waits
    for the other process with `wholly` or `anew`, or if there is no index yet.
    """
    with bar_on_stderr() as bar:
        task = bar.add_task("articles indexed", total=None, visible=False)
        while (
            await catch_up(
                db, index, anew=anew,
                progress=lambda done: bar.update(task, completed=done, visible=True),
            )
            is None
        ):  # fmt: skip
            if not (anew or wholly or index.state.horizon is None):
                return
            await asyncio.sleep(_PAUSE)


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 10_000:
        raise ValueError(text)
    return count
