"""`scrapy mongo`: prints the URI of the database for other clients: mongosh "$(scrapy mongo)"."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from zjolcrawl.display.terminal import sanitize_output, say
from zjolcrawl.storage.connection import with_database
from zjolcrawl.storage.embedded import EmbeddedUnavailable, stop_if_unused
from zjolcrawl.storage.idle_monitor import LINGER_SECONDS, start_monitored


class Command(ScrapyCommand):
    """Prints only the URI to stdout and exits, after starting the embedded server if needed.

    Messages go to stderr. Exit status 2: no server could be started, or an argument is invalid.
    """

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Print the URI of the database, starting the embedded MongoDB if needed"

    def long_desc(self) -> str:
        return (
            "Prints the MongoDB URI of this project, and nothing else, for use with any client:"
            ' mongosh "$(scrapy mongo)". If MONGODB_URI is empty, this is the embedded server on'
            " DATA_DIR. It is started if needed and keeps running while a client is connected."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--linger",
            type=_seconds,
            default=LINGER_SECONDS,
            metavar="SECONDS",
            help="keep the embedded server running this long after the last client (default: 300)",
        )
        parser.add_argument(
            "--stop",
            action="store_true",
            help="stop the embedded server, unless a crawl uses it",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Make stdout and stderr safe for terminals before Scrapy sets up its log."""
        sanitize_output()
        super().process_options(args, opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            raise UsageError(f"unexpected argument: {' '.join(args)}")
        try:
            if opts.stop:
                say(self._stop())
            else:
                sys.stdout.write(f"{self._uri(opts.linger)}\n")
        except EmbeddedUnavailable as reason:
            say(str(reason))
            self.exitcode = 2

    def _uri(self, linger: float) -> str:
        uri: str = self._setting("MONGODB_URI") or start_monitored(self._data_dir(), linger=linger)
        return with_database(uri, self._setting("MONGODB_DATABASE") or "zjol")

    def _stop(self) -> str:
        if self._setting("MONGODB_URI"):
            return "MONGODB_URI is set: --stop stops the embedded server only"
        return stop_if_unused(self._data_dir(), dismiss_monitor=True)

    def _data_dir(self) -> Path:
        return Path(self._setting("DATA_DIR") or "data")

    def _setting(self, name: str) -> str:
        assert self.settings is not None  # set in scrapy.cmdline
        return str(self.settings.get(name) or "")


def _seconds(text: str) -> float:
    seconds = float(text)
    if seconds < 0 or not math.isfinite(seconds):
        raise ValueError(text)
    return seconds
