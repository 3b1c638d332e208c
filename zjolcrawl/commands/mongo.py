"""`scrapy mongo`: prints the URI of the database for other clients: mongosh "$(scrapy mongo)"."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from zjolcrawl.cli.base import BaseCommand, no_arguments
from zjolcrawl.cli.options import number
from zjolcrawl.display.terminal import say
from zjolcrawl.storage.connection import with_database
from zjolcrawl.storage.embedded import stop_if_unused
from zjolcrawl.storage.idle_monitor import LINGER_SECONDS, start_monitored


class Command(BaseCommand):
    """Prints only the URI to stdout and exits, after starting the embedded server if needed.

    Messages go to stderr. Exit status 2: no server could be started, or an argument is invalid.
    """

    summary = "Print the URI of the database, starting the embedded MongoDB if needed"
    details = (
        "Prints the MongoDB URI of this project, and nothing else, for use with any client:"
        ' mongosh "$(scrapy mongo)". If MONGODB_URI is empty, this is the embedded server on'
        " DATA_DIR. It is started if needed and keeps running while a client is connected."
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--linger", type=number(1e9), default=LINGER_SECONDS, metavar="SECONDS",
            help="keep the embedded server running this long after the last client (default: 300)",
        )  # fmt: skip
        parser.add_argument(
            "--stop", action="store_true", help="stop the embedded server, unless a crawl uses it"
        )

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        uri, data_dir = self.setting("MONGODB_URI"), Path(self.setting("DATA_DIR") or "data")
        if not opts.stop:
            uri = uri or start_monitored(data_dir, linger=opts.linger)
            database = self.setting("MONGODB_DATABASE") or "zjol"
            sys.stdout.write(f"{with_database(uri, database)}\n")
        elif uri:
            say("MONGODB_URI is set: --stop stops the embedded server only")
        else:
            say(stop_if_unused(data_dir, dismiss_monitor=True))
