"""`scrapy search "词 …"`: full-text search of the stored articles."""

from __future__ import annotations

import argparse

from scrapy.exceptions import UsageError

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import NotFound, ReadingCommand
from zjolcrawl.cli.options import add_selection, selection_of, whole_number
from zjolcrawl.display.search import render, render_histogram
from zjolcrawl.display.terminal import print_lines, write_json
from zjolcrawl.search import ORDERS, SPANS, QueryError, Search, search
from zjolcrawl.storage.queries.names import resolved

_NOTHING = "no article matches"


class Command(ReadingCommand):
    """Prints hits with snippets. Exit status 1: no hits; 2: invalid arguments."""

    usage = '["WORD …"] [options]'
    summary = "Search the text of the articles"
    takes_words = True  # -WORD excludes a word
    details = (
        'Finds articles that contain all words, in any field. "A B" matches the exact phrase, A OR B'
        " either word; -A excludes a word; title:A matches the headline, by:A a reporter or editor."
        " Articles with all words in the headline come first, then newest first. With a filter, words may"
        " be left out: search --edited; search --changed-since 7d --gone-since 7d."
    )
    interrupted = "interrupted"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_selection(parser)
        count = whole_number(0, 10_000)
        parser.add_argument(
            "--limit", type=count, default=10, metavar="N", help="number of hits (default: 10)"
        )
        parser.add_argument(
            "--skip", type=count, default=0, metavar="N", help="skip the first N hits"
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
        selection, text = selection_of(opts), " ".join(args).strip()
        has_filter = bool(selection.query())
        if not (text or has_filter or opts.rebuild):
            raise UsageError("give words to search for, a filter such as --edited, or --rebuild")
        async with self.database() as db:
            selection = await resolved(db, selection)
            index = await self.search_index(db, rebuild=opts.rebuild)
            if not (text or has_filter):
                return
            try:
                if opts.histogram:
                    counts = Search(index, text, selection).histogram(opts.histogram)
                    write_json(counts) if opts.json else print_lines(render_histogram(counts))
                    if not counts:
                        raise NotFound(_NOTHING)
                    return
                results = await search(
                    db, index, text, selection, limit=opts.limit, skip=opts.skip, order=opts.sort
                )
            except QueryError as error:
                raise ArgumentError(str(error)) from error
        write_json(results.articles) if opts.json else print_lines(
            render(results, selection, opts.skip)
        )
        if not results.total:
            raise NotFound(_NOTHING)
