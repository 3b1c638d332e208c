"""`scrapy search "词 …"`: articles that have all of the words."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from bson import json_util
from scrapy.exceptions import UsageError

from zjolcrawl.command import NotFound, ReadingCommand
from zjolcrawl.display.progress import bar_on_stderr
from zjolcrawl.display.search import render, render_histogram
from zjolcrawl.search import ORDERS, SPANS, QueryError, Search, SearchIndex, catch_up, search
from zjolcrawl.selecting import add_selection, selection_of
from zjolcrawl.spiders.arguments import ArgumentError
from zjolcrawl.storage.connection import Database
from zjolcrawl.terminal import put_data, tell

_NOTHING = "no article has that"
_PAUSE = 0.2  # seconds between two looks whether another process is done


class Command(ReadingCommand):
    """Prints hits with snippets. Exit status 1: there are none; 2: unusable arguments."""

    interrupted = "interrupted"

    def syntax(self) -> str:
        return '"WORD …" [options]'

    def short_desc(self) -> str:
        return "Search the articles' text"

    def long_desc(self) -> str:
        return (
            "Finds the articles that have all of the words, wherever they stand. Quotation marks keep"
            " spaces; A OR B is either, -A is without, title:A is in the headline, by:A is of this"
            " reporter or editor. Those with all words in the headline come first, the newest first."
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
        parser.add_argument(
            "--sort", choices=ORDERS, default="newest",
            help="newest (default): headline hits first, then by publish time; relevance: best first",
        )  # fmt: skip
        parser.add_argument(
            "--histogram", choices=SPANS, help="only how many hits each day, month or year has"
        )
        parser.add_argument("--json", action="store_true", help="as extended JSON")
        parser.add_argument(
            "--rebuild", action="store_true", help="make the index anew (no words: only that)"
        )

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Bring the index up to date, and print."""
        selection, text = selection_of(opts), " ".join(args)
        if not text and not opts.rebuild:
            raise UsageError("give words to search for")
        async with self.database() as db:
            index = SearchIndex.open(self.data_dir(), db.name)
            await bring_up_to_date(db, index, anew=opts.rebuild)
            if not text:
                return
            try:
                if opts.histogram:
                    counts = Search(index, text, selection).histogram(opts.histogram)
                    put_data(dumps(counts)) if opts.json else tell(render_histogram(counts))
                    if not counts:
                        raise NotFound(_NOTHING)
                    return
                results = await search(
                    db, index, text, selection, limit=opts.limit, skip=opts.skip, order=opts.sort
                )
            except QueryError as error:
                raise ArgumentError(str(error)) from error
        put_data(dumps(results.articles)) if opts.json else tell(render(results, opts.skip))
        if not results.total:
            raise NotFound(_NOTHING)


def dumps(value: Any) -> str:
    """Extended JSON of MongoDB."""
    return f"{json_util.dumps(value, ensure_ascii=False, indent=2)}\n"


async def bring_up_to_date(
    db: Database, index: SearchIndex, *, anew: bool = False, wholly: bool = False
) -> None:
    """Index what was written since. While another process does, what is there is searched, unless `wholly`
    or there is nothing yet: then it is waited for. Raises StoreUnavailable.
    """
    with bar_on_stderr() as bar:
        task = bar.add_task("articles indexed", total=None, visible=False)
        while (
            await catch_up(
                db, index, anew=anew,
                told=lambda done: bar.update(task, completed=done, visible=True),
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
