"""`scrapy list`: prints the names of the spiders.

Scrapy's own command of this name ends with a traceback if a reader such as `head` closes the pipe.
"""

from __future__ import annotations

import argparse
import sys

from scrapy.spiderloader import get_spider_loader

from zjolcrawl.cli.base import BaseCommand, no_arguments


class Command(BaseCommand):
    """Prints one name a line."""

    summary = "List the spiders that `crawl` can run"

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        assert self.settings is not None
        for name in sorted(get_spider_loader(self.settings).list()):
            sys.stdout.write(f"{name}\n")
