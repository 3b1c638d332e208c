"""`scrapy import FILE…`: imports articles from JSON Lines files that `scrapy export` wrote."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter

from scrapy.exceptions import UsageError

from zjolcrawl import __version__
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import ReadingCommand
from zjolcrawl.display.progress import bar_on_stderr
from zjolcrawl.display.terminal import FewLines, say
from zjolcrawl.export.input import import_files, total_size
from zjolcrawl.export.output import FileRefused
from zjolcrawl.messages import cause_of, counted
from zjolcrawl.parsing.urls import canonical, kind
from zjolcrawl.run.lock import LockHeld, RunLock
from zjolcrawl.run.summary import DONE, LOCKED, NEEDS_A_PERSON
from zjolcrawl.setting_values import visit_policy
from zjolcrawl.storage.connection import server_address
from zjolcrawl.storage.errors import StoreError, StoreUnavailable
from zjolcrawl.storage.importer import Importer
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.visit_policy import VisitPolicy

_MOST_WARNINGS = 100  # kept in `runs`; stderr shows the first few
_BAD = ("unreadable", "refused")


class Command(ReadingCommand):
    """Exit status 1: some lines were not imported, the first ones named on stderr; 75: another run holds DATA_DIR."""

    usage = "FILE…"
    summary = "Import articles from JSON Lines files of `scrapy export`"
    # Articles imported before Ctrl-C stay; importing them again changes nothing.
    interrupted = "interrupted: run the import again; stored articles are skipped"

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        if not args:
            raise UsageError("give files, or - for stdin")
        assert self.settings is not None  # set in scrapy.cmdline
        try:
            size = total_size(args)
            policy = visit_policy(self.settings)
            lock = RunLock(self.data_dir())
        except LockHeld as error:
            self.refuse(str(error), LOCKED)
            return
        except (FileRefused, ValueError) as error:
            raise ArgumentError(str(error)) from error
        except OSError as error:
            raise ArgumentError(
                f"DATA_DIR {self.data_dir()} cannot be used: {cause_of(error, self.data_dir())}"
            ) from error
        try:
            async with server_address(self.setting("MONGODB_URI"), self.data_dir()) as uri:
                store = await Store.open(
                    uri, self.setting("MONGODB_DATABASE"), version=__version__,
                    run_arguments={"spider": "import", "file": " ".join(args)},
                )  # fmt: skip
                try:
                    await self._import(store, policy, args, size)
                except StoreError as error:
                    raise StoreUnavailable(str(error)) from error
                finally:
                    await store.close()
        finally:
            lock.release()

    async def _import(self, store: Store, policy: VisitPolicy, names: list[str], size: int) -> None:
        begun = time.monotonic()
        warnings: list[str] = []
        faults = FewLines()

        def warn(place: str, why: str) -> None:
            if len(warnings) < _MOST_WARNINGS:
                warnings.append(f"{place}: {why}")
            faults.say(f"{place}: {why}")

        importer = Importer(store, policy, _kind_of, warn)
        try:
            with bar_on_stderr() as bar:
                task = bar.add_task("bytes", total=size or None)
                await import_files(importer, names, lambda more: bar.advance(task, more))
        except asyncio.CancelledError:
            await self._end(store, "shutdown", begun, importer.counts, warnings)
            raise
        await self._end(store, "finished", begun, importer.counts, warnings)
        faults.end(f"`scrapy runs {store.run_id}` shows up to {_MOST_WARNINGS} of them")
        say(f"{_summary(importer.counts)}; {time.monotonic() - begun:.1f} s")

    async def _end(
        self, store: Store, reason: str, begun: float, counts: Counter[str], warnings: list[str]
    ) -> None:
        """Set the exit status and close the run's document in `runs`."""
        bad = reason != "finished" or any(counts[name] for name in _BAD)
        self.exitcode = NEEDS_A_PERSON if bad else DONE
        values = {
            "exit_status": self.exitcode, "finish_reason": reason,
            "seconds": round(time.monotonic() - begun, 3),
            "counts": dict(+counts), "warnings": warnings,
        }  # fmt: skip
        await store.finish()
        await store.end_run({name: each for name, each in values.items() if each not in ({}, [])})


def _kind_of(url: str) -> str | None:
    try:
        return kind(url) if canonical(url) == url else None
    except ValueError:  # not a URL
        return None


def _summary(counts: Counter[str]) -> str:
    return (
        f"{counted(counts['new'], 'article')} new, {counts['changed']} changed, "
        f"{counts['inserted']} with earlier versions, {counts['reread']} corrected, {counts['same']} unchanged; "
        f"{counted(counts['unreadable'], 'line')} unreadable, {counts['refused']} refused"
    )
