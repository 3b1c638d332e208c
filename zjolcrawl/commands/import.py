"""`scrapy import FILE…`: imports articles from JSON Lines files that `scrapy export` wrote."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter

from scrapy.exceptions import UsageError

from zjolcrawl import __version__
from zjolcrawl.arguments import ArgumentError
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.display.terminal import bar_on_stderr, say
from zjolcrawl.export.input import import_files, total_size
from zjolcrawl.export.output import FileRefused
from zjolcrawl.parsing.urls import canonical, kind
from zjolcrawl.run.lock import LockHeld, RunLock
from zjolcrawl.run.run import visit_policy
from zjolcrawl.run.summary import DONE, LOCKED, NEEDS_A_PERSON
from zjolcrawl.storage.connection import server_address
from zjolcrawl.storage.errors import StoreError, StoreUnavailable
from zjolcrawl.storage.importer import Importer
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.visit_policy import VisitPolicy

_TOLD_IN_RUNS = 100  # messages kept in `runs`; stderr shows all of them
_BAD = ("unreadable", "refused", "missed")


class Command(ReadingCommand):
    """Exit status 1: some lines were not imported, named on stderr; 75: another run holds DATA_DIR."""

    # Articles imported before Ctrl-C stay; importing them again changes nothing.
    interrupted = "interrupted: run the import again; stored articles are skipped"

    def syntax(self) -> str:
        return "FILE…"

    def short_desc(self) -> str:
        return "Import articles from JSON Lines files of `scrapy export`"

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Import the files and print the counts."""
        if not args:
            raise UsageError("give files, or - for stdin")
        assert self.settings is not None  # set in scrapy.cmdline
        try:
            size = total_size(args)
            policy = visit_policy(self.settings)
            lock = RunLock(self.data_dir())
        except LockHeld as error:
            self._refuse(str(error), LOCKED)
            return
        except (FileRefused, ValueError) as error:
            raise ArgumentError(str(error)) from error
        except OSError as error:
            raise ArgumentError(f"DATA_DIR {self.data_dir()} cannot be used: {error}") from error
        try:
            async with server_address(self.setting("MONGODB_URI"), self.data_dir()) as uri:
                store = await Store.open(
                    uri, self.setting("MONGODB_DATABASE"), version=__version__,
                    run_arguments={"spider": "import", "file": " ".join(args)},
                )  # fmt: skip
                try:
                    await self._take_in(store, policy, args, size)
                except StoreError as error:
                    raise StoreUnavailable(str(error)) from error
                finally:
                    await store.close()
        finally:
            lock.release()

    async def _take_in(
        self, store: Store, policy: VisitPolicy, names: list[str], size: int
    ) -> None:
        begun = time.monotonic()
        warnings: list[str] = []

        def tell(place: str, why: str) -> None:
            if len(warnings) < _TOLD_IN_RUNS:
                warnings.append(f"{place}: {why}")
            say(f"{place}: {why}")

        importer = Importer(store, policy, _kind_of, tell)

        async def end(reason: str) -> None:
            bad = reason != "finished" or any(importer.counts[name] for name in _BAD)
            self.exitcode = NEEDS_A_PERSON if bad else DONE
            told = {"counts": dict(+importer.counts), "warnings": warnings}
            values = {
                "exit_status": self.exitcode, "finish_reason": reason,
                "seconds": round(time.monotonic() - begun, 3),
            }  # fmt: skip
            await store.finish()
            await store.end_run(values | {name: value for name, value in told.items() if value})

        try:
            with bar_on_stderr() as bar:
                task = bar.add_task("bytes", total=size or None)
                await import_files(importer, names, lambda more: bar.advance(task, more))
        except asyncio.CancelledError:
            await end("shutdown")
            raise
        await end("finished")
        counts, seconds = importer.counts, time.monotonic() - begun
        say(f"{_line(counts)}; {seconds:.1f} s")


def _kind_of(url: str) -> str | None:
    try:
        return kind(url) if canonical(url) == url else None
    except ValueError:  # not a URL
        return None


def _line(counts: Counter[str]) -> str:
    return (
        f"{counts['new']} articles new, {counts['changed']} changed, {counts['reread']} read "
        f"otherwise, {counts['same']} same; {counts['unreadable']} lines not readable, "
        f"{counts['refused']} refused, {counts['missed']} between versions"
    )
