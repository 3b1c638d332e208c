"""What a run says of itself: text for a person, and the report in DATA_DIR/reports."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from zjolcrawl import __version__
from zjolcrawl.display.terminal import say, write_text
from zjolcrawl.run import log_file
from zjolcrawl.run.opening import Mode
from zjolcrawl.run.reparse_jobs import PART_REPORTS, report
from zjolcrawl.run.summary import UNUSABLE, RunSummary
from zjolcrawl.storage.documents import storable
from zjolcrawl.storage.preview import Preview
from zjolcrawl.storage.store import Store

if TYPE_CHECKING:
    from zjolcrawl.run.run import Run

_FORMER_RUNS = 10  # earlier runs that a run's templates are compared with
_REPORTS = 1000  # reports kept: about six weeks of hourly runs


def write_report(folder: Path, run: ObjectId, values: dict[str, Any]) -> None:
    """Write the values of a run as JSON, and delete the oldest reports. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {"run": str(run), "version": __version__, **values}
    text = json.dumps(storable(report), ensure_ascii=False, indent=2, default=str)
    (folder / f"{run}.json").write_text(text + "\n", encoding="utf-8")
    log_file.prune(folder, "*.json", _REPORTS)


async def sum_up(run: Run, store: Store, reason: str) -> RunSummary:
    """The summary of a run that ends; `reason` is Scrapy's finish reason."""
    counts = store.counts + run.counts
    counts["columns"] = len(run.columns)
    stats = run.crawler.stats
    counts["errors"] = int(stats.get_value("log_count/ERROR", 0)) if stats else 0
    former = await store.former_templates(_FORMER_RUNS)
    reparsing = store.writer.reparsing
    alarms = [] if reparsing else [*run.flips.alarms(), *run.tally.alarms(former)]
    return RunSummary(
        reason, time.monotonic() - run.started, counts, reparsing, run.faults, alarms,
        [*run.warnings, *run.faults], run.tally.values(), run.mode is Mode.BACKFILL,
    )  # fmt: skip


def tell_end(run: Run, log: logging.Handler | None, summary: RunSummary | None = None) -> None:
    """Report the end of a run to its log, and to the person or process that started it.

    `summary` is None if it did not begin.
    """
    alarms = [f"ALARM: {each}" for each in (summary.alarms if summary else ())]
    failure = [run.failure] if run.failure else []
    lines = [*run.warnings, *run.faults, *alarms, *failure]
    log_file.write(log, [*lines, *([summary.line()] if summary else [])])
    if run.crawler.settings.getbool(PART_REPORTS):
        _tell_parent(lines, summary)
        return
    differences = run.store.lines() if isinstance(run.store, Preview) else None
    _tell_person(lines, None if run.exit_status == UNUSABLE else summary, differences)


def _tell_person(
    lines: Iterable[str], summary: RunSummary | None, differences: Iterable[str] | None
) -> None:
    """Write the end of a run to stderr; the `differences` that a preview found go to stdout instead."""
    for line in lines:
        say(line)
    if summary and differences is not None:
        write_text("".join(f"{line}\n" for line in differences))
    elif summary:
        sys.stderr.write(summary.line() + "\n")


def _tell_parent(lines: list[str], summary: RunSummary | None) -> None:
    """Report the end of a part of `reparse` to the process that started it, if that still runs."""
    counts, reason = (summary.counts, summary.reason) if summary else ({}, None)
    with suppress(BrokenPipeError):
        report(counts, lines=lines, reason=reason)
