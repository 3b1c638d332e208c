"""`scrapy history URL`: the versions of an article and what was edited."""

from __future__ import annotations

import argparse

from zjolcrawl.command import ReadingCommand, one_url, tell
from zjolcrawl.display.history import render
from zjolcrawl.storage.queries import all_versions


class Command(ReadingCommand):
    """Prints each version with its dates, and the edit that made it: fields, sentences, images."""

    def syntax(self) -> str:
        return "URL"

    def short_desc(self) -> str:
        return "Show the versions of an article, and what was edited"

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print."""
        url = one_url(args)
        async with self.database() as db:
            versions = await all_versions(db, await self.article(db, url))
        tell(render(versions))
