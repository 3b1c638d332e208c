"""`scrapy export FILE`: writes articles as JSON Lines, CSV or Parquet."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from rich.progress import Progress
from scrapy.exceptions import UsageError

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.cli.options import add_selection, selection_of
from zjolcrawl.display.formatting import size
from zjolcrawl.display.progress import bar_on_stderr
from zjolcrawl.display.terminal import FewLines, say
from zjolcrawl.export.conform import replace_surrogates
from zjolcrawl.export.output import (
    FORMATS,
    FileRefused,
    Write,
    format_of,
    keeps_content,
    open_output,
    written_bytes,
)
from zjolcrawl.messages import counted, typed
from zjolcrawl.search import QueryError, matching
from zjolcrawl.storage.documents import url_of
from zjolcrawl.storage.queries.articles import (
    count_selected,
    for_export,
    for_file,
    with_revisions,
)
from zjolcrawl.storage.queries.names import resolved

# Errors that a malformed document may cause in a writer. Not OSError: that concerns the file.
_ODD = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_EMPTY = "no article was written. Delete the file first if it is to be empty"
_EVERY = 100  # articles between two updates of the progress bar


class Command(ReadingCommand):
    """Exit status 1: part of an article could not be written, named on stderr; 2: no file written."""

    usage = "FILE [options]"
    summary = "Write articles into a JSON Lines, CSV or Parquet file"
    interrupted = "interrupted: nothing was written"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--format", choices=FORMATS, help="default: from the file extension; - (stdout): jsonl"
        )
        parser.add_argument("--search", metavar="WORDS", help="only articles that match this query")
        add_selection(parser)
        parser.add_argument(
            "--revisions", action="store_true",
            help="also former versions, each before its newer one",
        )  # fmt: skip
        parser.add_argument(
            "--force", action="store_true",
            help="replace the file; it is kept if no article would be written",
        )  # fmt: skip

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise UsageError("give one FILE, or - for stdout")
        (name,) = args
        try:
            form = format_of(name, opts.format)
            selection = selection_of(opts)
            async with self.database() as database:
                db, total = for_export(database), None
                selection = await resolved(database, selection)
                if opts.search is not None:
                    index = await self.search_index(db, complete=True)
                    chosen = matching(db, index, opts.search, selection)
                else:
                    chosen = for_file(db, selection)
                    total = await count_selected(db, selection) if sys.stderr.isatty() else None
                found = with_revisions(db, chosen, revisions=opts.revisions)
                with open_output(name, form, force=opts.force) as write, bar_on_stderr() as bar:
                    counts = await _write(found, write, bar, total)
                    if not counts["articles"] and keeps_content(name):
                        raise FileRefused(f"{name} was kept: {_EMPTY}")
            counts["bytes"] = written_bytes(name)
        except (FileRefused, QueryError) as error:
            raise ArgumentError(str(error)) from error
        parts = [counted(counts["articles"], "article")]
        parts += [counted(counts["former"], "former version")] if opts.revisions else []
        parts += [size(counts["bytes"])] if counts["bytes"] else []
        say(f"{name}: {', '.join(parts)}{'' if counts['articles'] else ': no article matches'}")
        self.exitcode = 1 if counts["faulty"] else 0


async def _write(
    found: AsyncIterator[dict[str, Any]], write: Write, bar: Progress, total: int | None
) -> Counter[str]:
    """Count the `articles` and `former` versions written, and the documents that were `faulty`."""
    counts: Counter[str] = Counter()
    task = bar.add_task("articles", total=total)
    problems = FewLines()
    async for document in found:
        faults, whole = _written(write, document)
        for fault in faults:
            problems.say(f"{url_of(document)}: {fault}")
        counts["faulty"] += bool(faults)
        counts["former" if isinstance(document["_id"], dict) else "articles"] += whole
        if counts["articles"] % _EVERY == 0:
            bar.update(task, completed=counts["articles"])
    problems.end("export fewer articles at a time to see them")
    return counts


def _written(write: Write, document: dict[str, Any]) -> tuple[list[str], bool]:
    """Write a document; return messages about what could not be written, and whether the rest was."""
    try:
        try:
            return write(document), True
        except UnicodeEncodeError:
            fault = "invalid UTF-8 in a text was replaced with U+FFFD"
            return [*write(replace_surrogates(document)), fault], True
    except _ODD as error:
        return [f"left out: {typed(error)}"], False
