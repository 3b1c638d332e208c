"""`scrapy history URL`: shows the versions of an article and the edits between them."""

from __future__ import annotations

import argparse

from zjolcrawl.cli.base import ReadingCommand, one_url
from zjolcrawl.display.article_diff import MOST_TEXT
from zjolcrawl.display.diff import Effort
from zjolcrawl.display.history import edition, ending, heading
from zjolcrawl.display.terminal import print_lines
from zjolcrawl.storage.queries.articles import history


class Command(ReadingCommand):
    """Prints each version with its dates and what changed: fields, sentences, images."""

    usage = "URL"
    summary = "Show the versions of an article and what was edited"

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        url = one_url(args)
        async with self.database() as db:
            newest = await self.article(db, url)
            print_lines(heading(newest))
            former, effort = None, Effort()
            async for version in history(db, newest, MOST_TEXT + 1):
                is_newest = version["_id"] == newest["_id"]
                print_lines(edition(version, former, effort, is_newest=is_newest))
                former = version
            print_lines(ending(newest))
