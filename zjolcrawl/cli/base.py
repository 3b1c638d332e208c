"""Base classes of the commands: safe output, and an expected error as one line and an exit status."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from zjolcrawl.archive.archive import ArchiveError
from zjolcrawl.archive.s3 import WarcStore, store_of
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.parser import prepare, refuse_unknown
from zjolcrawl.display.progress import bar_on_stderr
from zjolcrawl.display.terminal import (
    drop_unread_output,
    sanitize_output,
    say,
)
from zjolcrawl.messages import HiddenUri, cause_of
from zjolcrawl.parsing.templates import check_templates
from zjolcrawl.parsing.urls import canonical
from zjolcrawl.search import SearchIndex, catch_up
from zjolcrawl.setting_values import check_names, check_types
from zjolcrawl.site.current import use_site
from zjolcrawl.site.description import SiteError
from zjolcrawl.site.names import UnknownName
from zjolcrawl.storage.connection import Database, open_database
from zjolcrawl.storage.embedded import EmbeddedUnavailable
from zjolcrawl.storage.errors import StoreUnavailable
from zjolcrawl.storage.image_stores import ImageReader
from zjolcrawl.storage.queries.articles import find_article
from zjolcrawl.storage.queries.links import frontier_row

UNUSABLE = 2  # exit status: invalid arguments or settings
UNREAD = 141
"""Exit status if the reader of stdout has closed the pipe (`| head`): 128 + SIGPIPE, as of other programs."""
_INDEX_PAUSE = 0.2  # seconds between checks whether another process has finished indexing

_SECRETS = ("MONGODB_URI", "ALARM_WEBHOOK", "FILES_STORE", "WARC_STORE")  # may contain a password

# Scrapy imports this module for every command line, also for `-h` and `list`.
atexit.register(drop_unread_output)


class NotFound(Exception):
    """The requested article or version does not exist; the message is one line."""


class BaseCommand(ScrapyCommand):
    """A command without a crawl. Exit status 1: not found; 2: invalid arguments or settings, no database."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    usage: ClassVar[str] = "[options]"
    summary: ClassVar[str] = ""
    details: ClassVar[str] = ""
    """For `scrapy COMMAND -h`; if empty, `summary`."""
    takes_words: ClassVar[bool] = False
    """Whether -WORD is an argument."""
    interrupted: ClassVar[str] = ""
    """The message on Ctrl-C, with exit status 130; if empty, KeyboardInterrupt is raised as usual."""

    def syntax(self) -> str:
        return self.usage

    def short_desc(self) -> str:
        return self.summary

    def long_desc(self) -> str:
        return self.details or self.summary

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        prepare(parser)
        super().add_options(parser)
        self._parser = parser

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Make stdout and stderr safe for terminals before Scrapy sets up its log."""
        sanitize_output()
        refuse_unknown(self._parser, args, words=self.takes_words)
        with usable_files():
            super().process_options(args, opts)
        check_given(self.settings, opts.set)
        choose_site(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run `execute`; an expected error is one line on stderr and an exit status."""
        try:
            self.execute(args, opts)
            sys.stdout.flush()
        except BrokenPipeError:
            self.exitcode = self.exitcode or UNREAD
        except KeyboardInterrupt:
            if not self.interrupted:
                raise
            self.refuse(self.interrupted, 130)
        except NotFound as reason:
            self.refuse(str(reason), 1)
        except (
            ArgumentError, UnknownName, SiteError, StoreUnavailable, EmbeddedUnavailable, ArchiveError,
        ) as reason:  # fmt: skip
            self.refuse(str(reason), 2)

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        """The work of the command; subclasses implement it."""
        raise NotImplementedError

    def refuse(self, reason: str, status: int) -> None:
        """Print why the command ends, and set its exit status."""
        say(reason)
        self.exitcode = status

    def data_dir(self) -> Path:
        """The folder that DATA_DIR names."""
        return Path(self.setting("DATA_DIR"))

    def setting(self, name: str) -> str:
        """A setting as text, empty if unset."""
        assert self.settings is not None  # set in scrapy.cmdline
        return str(self.settings.get(name) or "")


class ReadingCommand(BaseCommand):
    """A command that reads the archive: database, WARC files, full-text index."""

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        asyncio.run(self.show(args, opts))

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

    def warc_store(self) -> WarcStore | None:
        """The store that WARC_STORE names, None if unset. Raises ArgumentError if it is invalid."""
        assert self.settings is not None
        try:
            return store_of(self.settings.get)
        except ValueError as error:
            raise ArgumentError(f"setting {error}") from error

    def images(self, db: Database) -> ImageReader:
        """A reader of the image store. Raises ArgumentError if FILES_STORE is invalid."""
        assert self.settings is not None
        try:
            return ImageReader(self.settings.get, self.data_dir() / "images", db)
        except ValueError as error:
            raise ArgumentError(f"setting {error}") from error

    async def search_index(
        self, db: Database, *, rebuild: bool = False, complete: bool = False
    ) -> SearchIndex:
        """The full-text index with the articles written since the last time. Raises StoreUnavailable.

        If another process is indexing, the index is returned at once, as it is. With `rebuild` or
        `complete`, or if there is no index yet, this waits for the other process.
        """
        index = SearchIndex.open(self.data_dir(), db.name)
        with bar_on_stderr() as bar:
            task = bar.add_task("articles indexed", total=None, visible=False)

            def show(done: int) -> None:
                bar.update(task, completed=done, visible=True)

            while await catch_up(db, index, anew=rebuild, progress=show) is None:
                if not (rebuild or complete or index.state.horizon is None):
                    break
                await asyncio.sleep(_INDEX_PAUSE)
        return index


def check_given(settings: BaseSettings | None, given: list[str]) -> None:
    """End with status 2 if a setting is misspelt or of a wrong type; `given` are NAME=VALUE pairs."""
    assert settings is not None
    try:
        check_names((each.partition("=")[0] for each in given), os.environ)
        check_types(settings)
    except ValueError as error:
        say(str(error))
        raise SystemExit(UNUSABLE) from None


@contextmanager
def usable_files() -> Iterator[None]:
    """Turn an OSError of a file that an option names (--pidfile) into a UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write a file: {cause_of(error)}", print_help=False) from error


def prepare_log(settings: BaseSettings | None) -> None:
    """Keep passwords out of the settings that Scrapy logs. Raises UsageError if LOG_FILE cannot be written."""
    assert settings is not None  # set in scrapy.cmdline
    for name in _SECRETS:
        if value := settings.get(name):
            settings.set(name, HiddenUri(value), priority=settings.getpriority(name) or 0)
    if file := settings.get("LOG_FILE"):
        try:
            Path(file).open("a").close()
        except OSError as error:
            why = f"LOG_FILE {file} cannot be written: {cause_of(error, file)}"
            raise UsageError(why, print_help=False) from error


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


def no_arguments(args: list[str]) -> None:
    """Raises UsageError if there is an argument that is not an option."""
    if args:
        raise UsageError(f"unexpected argument: {' '.join(args)}")
