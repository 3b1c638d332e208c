"""Base class of commands that read the archive: opens database and archive, reports errors in one line.

Not in `commands/`, because Scrapy registers every command class that it finds there.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.s3 import WarcStore, store_of
from zjolcrawl.arguments import ArgumentError
from zjolcrawl.display.terminal import sanitize_output, say
from zjolcrawl.parsing.templates import check_templates
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.site.current import use_site
from zjolcrawl.site.description import SiteError
from zjolcrawl.storage.connection import Database, open_database
from zjolcrawl.storage.embedded import EmbeddedUnavailable
from zjolcrawl.storage.errors import StoreUnavailable
from zjolcrawl.storage.queries.articles import find_article
from zjolcrawl.storage.queries.links import frontier_row


class NotFound(Exception):
    """The requested article or version does not exist; the message is one line."""


class ReadingCommand(ScrapyCommand):
    """Base command. Exit status 1: not found; 2: invalid arguments or settings, no database or archive."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    interrupted: ClassVar[str] = ""
    """The message on Ctrl-C, with exit status 130; if empty, KeyboardInterrupt is raised as usual."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Make stdout and stderr safe for terminals before Scrapy sets up its log."""
        sanitize_output()
        super().process_options(args, opts)
        choose_site(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run `show`; an expected error is one line on stderr and an exit status."""
        try:
            asyncio.run(self.show(args, opts))
        except KeyboardInterrupt:
            if not self.interrupted:
                raise
            self._refuse(self.interrupted, 130)
        except NotFound as reason:
            self._refuse(str(reason), 1)
        except (ArgumentError, StoreUnavailable, EmbeddedUnavailable, ArchiveError) as reason:
            self._refuse(str(reason), 2)

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """The work of the command; subclasses implement it."""
        raise NotImplementedError

    async def article(self, db: Database, url: str) -> dict[str, Any]:
        """The newest version of an article by any of its URLs, `http://` optional.

        Raises NotFound, with the state of its link if that is known, and ArgumentError for an invalid URL.
        """
        try:
            key = canonical(url if "://" in url else f"http://{url}")
        except ValueError as error:
            raise ArgumentError(f"{url} is not a URL: {error}") from error
        if found := await find_article(db, key):
            return found
        row = await frontier_row(db, key)
        known = f"its link is {row['state']}: {row.get('last_error', '')}" if row else "unknown"
        raise NotFound(f"no article {key} ({known.rstrip(': ')})")

    def database(self) -> AbstractAsyncContextManager[Database]:
        """Opens the database that the settings name."""
        return open_database(
            self.setting("MONGODB_URI"), self.setting("MONGODB_DATABASE"), self.data_dir()
        )

    def archive(self) -> Archive:
        """The archive in DATA_DIR and WARC_STORE. Raises ArchiveError if there is neither."""
        folder, store = self.data_dir() / "warc", self.warc_store()
        if not folder.is_dir() and store is None:
            raise ArchiveError(f"no archive at {folder}")
        return Archive(folder, store)

    def warc_store(self) -> WarcStore | None:
        """The store that WARC_STORE names, None if unset. Raises ArgumentError if it is invalid."""
        assert self.settings is not None
        try:
            return store_of(self.settings.get)
        except ValueError as error:
            raise ArgumentError(f"setting {error}") from error

    def data_dir(self) -> Path:
        """The folder that DATA_DIR names."""
        return Path(self.setting("DATA_DIR"))

    def setting(self, name: str) -> str:
        """A setting as text, empty if unset."""
        assert self.settings is not None  # set in scrapy.cmdline
        return str(self.settings.get(name) or "")

    def _refuse(self, reason: str, status: int) -> None:
        say(reason)
        self.exitcode = status


def choose_site(settings: BaseSettings | None) -> None:
    """Use the site that SITE_FILE describes. Raises UsageError if the file or a template is invalid."""
    file = str(settings.get("SITE_FILE") or "") if settings else ""
    try:
        use_site(file)
        if file:
            check_templates()
    except SiteError as error:
        raise UsageError(f"SITE_FILE: {error}", print_help=False) from error


def one_url(args: list[str]) -> str:
    """The only argument of a command line. Raises UsageError if there is not exactly one."""
    if len(args) != 1:
        raise UsageError("give one URL")
    return args[0]
