"""`scrapy crawl`: Scrapy's command with checks of arguments and settings, and exit statuses for cron."""

from __future__ import annotations

import argparse
import contextlib
import gc
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from zjolcrawl.archive.s3 import store_of
from zjolcrawl.arguments import ArgumentError
from zjolcrawl.cli.base import choose_site
from zjolcrawl.display.terminal import sanitize_output, say
from zjolcrawl.extensions.quiet_hours import parse_hours, seconds_to
from zjolcrawl.parsing.fields.dates import CHINA
from zjolcrawl.pipelines.images import ImagePipeline
from zjolcrawl.run.lock import holder
from zjolcrawl.run.reparse_jobs import PART_REPORTS
from zjolcrawl.run.run import Mode
from zjolcrawl.run.summary import LOCKED, NEEDS_A_PERSON, UNUSABLE
from zjolcrawl.setting_values import parse_bool

_LOG_OPTIONS = ("LOG_ENABLED", "LOG_FILE", "LOG_LEVEL")  # set by -L, --logfile and --nolog


class Command(CrawlCommand):
    """Runs a spider and sets an exit status that cron can act on.

    0: everything found is stored or skipped as expected; 1: something needs a person; 2: invalid arguments
    or settings; 75: another run holds DATA_DIR.
    """

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Make stdout and stderr safe for terminals before Scrapy sets up its log."""
        sanitize_output()
        super().process_options(args, opts)
        choose_site(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check arguments and settings, run one spider and set `exitcode`."""
        if len(args) != 1:
            raise UsageError("give one spider: column, paper, article, discover or reparse")
        assert self.crawler_process
        try:
            spider = self.crawler_process.spider_loader.load(args[0])
            if check := getattr(spider, "parse_arguments", None):
                check(**opts.spargs)
            _check_settings(self.settings)
            hours = _quiet_hours(self.settings)
        except KeyError:
            known = ", ".join(sorted(self.crawler_process.spider_loader.list()))
            self._refuse(f"unknown spider {args[0]}: expected one of {known}")
        except ArgumentError as error:
            self._refuse(str(error))
        else:
            if (
                hours
                and not seconds_to(hours, datetime.now(CHINA))
                and getattr(spider, "mode", None) is Mode.LIVE
            ):
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
            self._refuse("jobs= excludes -o and -O: several processes would write one file")
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
        self.crawler_process.start()
        if run := getattr(crawler.spider, "run", None):
            self.exitcode = run.exit_status
        if self.crawler_process.bootstrap_failed:
            self.exitcode = self.exitcode or NEEDS_A_PERSON

    def _refuse(self, reason: str) -> None:
        say(reason)
        self.exitcode = UNUSABLE


async def _stop(crawler: Crawler, stop: Callable[[], Awaitable[None]]) -> None:
    """Close the spider, wait until its run is closed, then stop the crawler.

    Scrapy 2.19 treats a spider that is closing as closed, so the first signal would cut off the end of the
    run. A second signal still does.
    """
    if crawler.crawling and crawler.engine.spider:
        await crawler.engine.close_spider_async(reason="shutdown")
        if run := getattr(crawler.spider, "run", None):
            await run.closed.wait()
    await stop()


_COUNTS = (
    "MONGODB_BATCH_SIZE", "CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN", "WARC_MAX_BYTES",
    "IMAGES_MAX_BYTES", "IMAGES_MAX_COUNT", "GIVE_UP_AFTER",
    "CONFIRM_VISITS", "LEASE_SECONDS",
)  # fmt: skip
_AMOUNTS = (
    "MONGODB_BATCH_SECONDS", "MONGODB_PATIENCE", "DOWNLOAD_DELAY", "DOWNLOAD_TIMEOUT", "FULL_SWEEP_DAYS",
    "PAGE_SECONDS",
)  # fmt: skip


_MOST_DAYS = 36_500


def _check_settings(settings) -> None:  # type: ignore[no-untyped-def]
    for name in ("WARC", "IMAGES"):
        try:
            parse_bool(settings.get(name))
        except ValueError as error:
            raise ArgumentError(f"setting {name}: {error}") from None
    for name in _COUNTS:
        value = settings.get(name)
        try:
            if int(value) < 1:
                raise ValueError
        except (TypeError, ValueError):
            raise ArgumentError(f"setting {name}={value} is not a positive whole number") from None
    for name in _AMOUNTS:
        _check_amount(name, settings.get(name))
    for name in ("RECHECK_DAYS", "CONFIRM_DAYS"):
        for days in settings.getlist(name):
            _check_amount(name, days)
    if not str(settings.get("FLIP_ALARM")).isdecimal():
        raise ArgumentError(
            f"setting FLIP_ALARM={settings.get('FLIP_ALARM')} is not a whole number"
        )
    scheme = urlsplit(settings.get("FILES_STORE") or "").scheme
    if scheme not in ImagePipeline.STORE_SCHEMES:
        raise ArgumentError(f"setting FILES_STORE: {scheme}:// is not a supported image store")
    # Without these packages Scrapy disables the image pipeline and only logs it.
    package = {"s3": "botocore", "gs": "google.cloud.storage"}.get(scheme)
    if package and not _is_installed(package):
        raise ArgumentError(f"setting FILES_STORE: {scheme}:// needs the package {package}")
    try:
        store_of(settings.get)
    except ValueError as error:
        raise ArgumentError(f"setting {error}") from None
    database = settings.get("MONGODB_DATABASE") or ""
    if not database or any(sign in database for sign in '/\\. "$*<>:|?\0') or len(database) > 63:
        raise ArgumentError(f"setting MONGODB_DATABASE={database} is not a database name")


def _quiet_hours(settings) -> tuple[time, time] | None:  # type: ignore[no-untyped-def]
    try:
        return parse_hours(settings.get("QUIET_HOURS")) if settings.get("QUIET_HOURS") else None
    except ValueError as error:
        raise ArgumentError(f"setting QUIET_HOURS: {error}") from None


def _check_amount(name: str, value: object) -> None:
    most = _MOST_DAYS if name.endswith("_DAYS") else threading.TIMEOUT_MAX
    try:
        if not 0 <= float(str(value)) <= most:  # NaN is not
            raise ValueError
    except ValueError:
        unit = "days" if name.endswith("_DAYS") else "seconds"
        raise ArgumentError(f"setting {name}={value} is not a number of {unit}") from None


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False
