"""`zjolcrawl version`: the versions of this package, Scrapy, Python and MongoDB."""

from __future__ import annotations

import argparse
import asyncio
import platform
import subprocess
import sys

import scrapy

from zjolcrawl import __version__
from zjolcrawl.cli.base import BaseCommand, no_arguments
from zjolcrawl.storage.connection import server_version
from zjolcrawl.storage.embedded import EmbeddedUnavailable, find_mongod
from zjolcrawl.storage.errors import StoreUnavailable


class Command(BaseCommand):
    """Prints versions, one per line."""

    summary = "Print the versions of zjolcrawl, Scrapy, Python and MongoDB"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "-v", "--verbose", action="store_true", help="accepted as by Scrapy; prints the same"
        )

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        lines = {
            "zjolcrawl": __version__, "Scrapy": scrapy.__version__,
            "Python": platform.python_version(), "MongoDB": self._mongodb(),
        }  # fmt: skip
        sys.stdout.writelines(f"{name} {value}\n" for name, value in lines.items())

    def _mongodb(self) -> str:
        """The version of the server that the settings name, or why it is unknown."""
        if uri := self.setting("MONGODB_URI"):
            try:
                return asyncio.run(server_version(uri))
            except StoreUnavailable as error:
                return f"unknown: {error}"
        try:
            shown = subprocess.run(
                [find_mongod(), "--version"], capture_output=True, text=True, check=True, timeout=30
            )
        except (EmbeddedUnavailable, OSError, subprocess.SubprocessError) as error:
            return f"none: {error}"
        return f"{shown.stdout.split()[2].lstrip('v')} (embedded)"
