"""What a run says of itself: text for a person, and the report in DATA_DIR/reports."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bson import ObjectId

from zjolcrawl import __version__
from zjolcrawl.display.terminal import say, write_text
from zjolcrawl.run import log_file
from zjolcrawl.run.reparse_jobs import report
from zjolcrawl.run.summary import RunSummary
from zjolcrawl.storage.documents import storable

_REPORTS = 1000  # reports kept: about six weeks of hourly runs


def write_report(folder: Path, run: ObjectId, values: dict[str, Any]) -> None:
    """Write the values of a run as JSON, and delete the oldest reports. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {"run": str(run), "version": __version__, **values}
    text = json.dumps(storable(report), ensure_ascii=False, indent=2, default=str)
    (folder / f"{run}.json").write_text(text + "\n", encoding="utf-8")
    log_file.prune(folder, "*.json", _REPORTS)


def tell_person(
    lines: Iterable[str], summary: RunSummary | None, differences: Iterable[str] | None
) -> None:
    """Write the end of a run to stderr; the `differences` that a preview found go to stdout instead."""
    for line in lines:
        say(line)
    if summary and differences is not None:
        write_text("".join(f"{line}\n" for line in differences))
    elif summary:
        sys.stderr.write(summary.line() + "\n")


def tell_parent(lines: list[str], summary: RunSummary | None) -> None:
    """Report the end of a part of `reparse` to the process that started it, if that still runs."""
    counts, reason = (summary.counts, summary.reason) if summary else ({}, None)
    with suppress(BrokenPipeError):
        report(counts, lines=lines, reason=reason)
