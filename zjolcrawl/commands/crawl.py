"""`scrapy crawl`: Scrapy's command with checks of arguments and settings, and exit statuses for cron."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
from collections.abc import Awaitable, Callable
from datetime import datetime, time
from functools import partial
from pathlib import Path

from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import (
    check_given,
    choose_site,
    prepare_log,
    usable_files,
)
from zjolcrawl.cli.parser import prepare, refuse_unknown
from zjolcrawl.display.terminal import sanitize_output, say
from zjolcrawl.extensions.quiet_hours import parse_hours, seconds_to
from zjolcrawl.parsing.fields.dates import CHINA
from zjolcrawl.pipelines.images import ImagePipeline
from zjolcrawl.run.lock import holder
from zjolcrawl.run.opening import Mode
from zjolcrawl.run.reparse_jobs import PART_REPORTS
from zjolcrawl.run.run import find_run
from zjolcrawl.run.summary import LOCKED, NEEDS_A_PERSON, SHUTDOWN, UNUSABLE
from zjolcrawl.setting_values import check_settings, watch_path
from zjolcrawl.site.names import UnknownName

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LOG_OPTIONS = ("LOG_ENABLED", "LOG_FILE", "LOG_LEVEL")  # set by -L, --logfile and --nolog


class Command(CrawlCommand):
    """Runs a spider and sets an exit status that cron can act on.

    0: everything found is stored or skipped as expected; 1: something needs a person; 2: invalid arguments
    or settings; 3: stopped by a signal, the next run goes on; 75: another run holds DATA_DIR.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        prepare(parser)
        super().add_options(parser)
        self._parser = parser

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Make stdout and stderr safe for terminals before Scrapy sets up its log."""
        sanitize_output()
        refuse_unknown(
            self._parser, args, hint="an argument of the spider is given as -a NAME=VALUE"
        )
        with usable_files():
            super().process_options(args, opts)
        check_given(self.settings, opts.set)
        prepare_log(self.settings)
        choose_site(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check arguments and settings, run one spider and set `exitcode`."""
        if len(args) != 1:
            raise UsageError(
                "give one spider: column, paper, article, discover, backfill or reparse"
            )
        assert self.crawler_process
        assert self.settings
        try:
            spider = self.crawler_process.spider_loader.load(args[0])
            if check := getattr(spider, "parse_arguments", None):
                check(**opts.spargs)
            hours = _checked(self.settings)
        except KeyError:
            known = ", ".join(sorted(self.crawler_process.spider_loader.list()))
            self._refuse(f"unknown spider {args[0]}: expected one of {known}")
            return
        except (ArgumentError, UnknownName) as error:
            self._refuse(str(error))
            return
        quiet = hours and not seconds_to(hours, datetime.now(CHINA))
        if hours and quiet and getattr(spider, "mode", None) is Mode.LIVE:
            say(f"quiet hours until {hours[1]:%H:%M}, China time")
            return
        jobs = int(opts.spargs.pop("jobs", 1))
        if jobs > 1:
            self._crawl_parts(jobs, opts)
        else:
            self._crawl(args[0], opts)

    def _crawl_parts(self, jobs: int, opts: argparse.Namespace) -> None:
        from zjolcrawl.run.reparse_jobs import run_parts  # only this case needs it

        assert self.settings
        if opts.output or opts.overwrite_output:
            self._refuse(
                "jobs= cannot be combined with -o or -O: several processes would write one file"
            )
            return
        with contextlib.suppress(OSError):  # the parts report this error
            if held := holder(Path(self.settings.get("DATA_DIR"))):
                say(f"another run holds {self.settings.get('DATA_DIR')}: {held}")
                self.exitcode = LOCKED
                return
        log = (name for name in _LOG_OPTIONS if self.settings.get(name) is not None)
        given = [*opts.set, *(f"{name}={self.settings.get(name)}" for name in log)]
        self.exitcode = run_parts(jobs, opts.spargs, [*given, f"{PART_REPORTS}=1"])

    def _crawl(self, name: str, opts: argparse.Namespace) -> None:
        assert self.crawler_process
        self.exitcode = NEEDS_A_PERSON  # until the run has ended well
        crawler = self._create_crawler(name)
        crawler.stop_async = partial(_stop, crawler, crawler.stop_async)  # type: ignore[method-assign]
        self.crawler_process.crawl(crawler, **opts.spargs)
        # Cyclic garbage is looked for seldom, and not among modules and settings (bench/RESULTS.md, "Garbage
        # collection"): no page is kept alive by a cycle.
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        _return_large_blocks()
        self.crawler_process.start()
        if run := find_run(crawler):
            self.exitcode = run.exit_status
        if self.crawler_process.bootstrap_failed:
            self.exitcode = self.exitcode or NEEDS_A_PERSON

    def _refuse(self, reason: str) -> None:
        say(reason)
        self.exitcode = UNUSABLE


def crawl(
    spider: str, arguments: dict[str, str], settings: BaseSettings | None, given: list[str]
) -> int:
    """Run a spider for another command, as `scrapy crawl` does; returns the exit status.

    `given` are the NAME=VALUE of -s.
    """
    command = Command()
    command.settings = settings  # type: ignore[assignment]
    command.crawler_process = AsyncCrawlerProcess(settings)  # type: ignore[arg-type]
    command.run(
        [spider],
        argparse.Namespace(spargs=arguments, output=None, overwrite_output=None, set=given),
    )
    return command.exitcode


def _return_large_blocks() -> None:
    """Make glibc return each freed block of a megabyte or more to the system.

    By default it keeps up to 64 MB for each thread once large pages were freed (mallopt(3), M_MMAP_THRESHOLD).
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other C libraries have none
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1024 * 1024)


def _checked(settings: BaseSettings) -> tuple[time, time] | None:
    """Check the settings and return the quiet hours, if any. Raises ArgumentError."""
    try:
        check_settings(settings, ImagePipeline.STORE_SCHEMES)
        if watch_path(settings):
            from zjolcrawl.run.watch_file import read_watches  # only this case needs it

            read_watches(settings)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    try:
        return parse_hours(settings.get("QUIET_HOURS")) if settings.get("QUIET_HOURS") else None
    except ValueError as error:
        raise ArgumentError(f"setting QUIET_HOURS: {error}") from None


async def _stop(crawler: Crawler, stop: Callable[[], Awaitable[None]]) -> None:
    """Close the spider, wait until its run is closed, then stop the crawler.

    Scrapy 2.19 treats a spider that is closing as closed, so the first signal would cut off the end of the
    run. A second signal still does.
    """
    if crawler.crawling and crawler.engine.spider:
        if run := find_run(crawler):
            run.halt()
        await crawler.engine.close_spider_async(reason=SHUTDOWN)
        if run:
            await run.closed.wait()
    await stop()
