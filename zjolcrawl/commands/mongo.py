"""`scrapy mongo`: print the URI of the database, for any client: mongosh "$(scrapy mongo)"."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from zjolcrawl.storage.connection import with_database
from zjolcrawl.storage.embedded import EmbeddedUnavailable, stop_if_unused
from zjolcrawl.storage.idle_monitor import LINGER_SECONDS, start_monitored
from zjolcrawl.terminal import guard, say


class Command(ScrapyCommand):
    """Prints the URI alone on stdout and exits 0 at once, starting the embedded server if need be.

    Everything else goes to stderr. Exit status 2, with one line there, if there is no server to be
    had or an argument makes no sense.
    """

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Print the URI of the database, starting the embedded MongoDB if need be"

    def long_desc(self) -> str:
        return (
            "Prints the MongoDB URI of this project, and nothing else, for any client to use:"
            ' mongosh "$(scrapy mongo)". Without MONGODB_URI that is the embedded server on'
            " DATA_DIR, which is started if need be and stays while a client is connected."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--linger",
            type=_seconds,
            default=LINGER_SECONDS,
            metavar="SECONDS",
            help="keep the embedded server so long after the last client left (default: 300)",
        )
        parser.add_argument(
            "--stop",
            action="store_true",
            help="keep the embedded server no longer: it stops unless a crawl uses it",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Called before the log is set up."""
        guard()
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
            return "MONGODB_URI is set: that server is not ours to stop"
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
