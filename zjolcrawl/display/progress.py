"""Progress bar on stderr for long tasks; hidden if stderr is not a terminal, as under cron."""

from __future__ import annotations

import sys

from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from zjolcrawl.terminal import console


def bar_on_stderr() -> Progress:
    """A progress bar as a context manager; add tasks to it."""
    return Progress(
        TextColumn("{task.completed:,.0f} {task.description}"), BarColumn(), TaskProgressColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(),
        console=console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        redirect_stdout=False,  # stdout may carry the data
    )  # fmt: skip
