"""A bar on stderr for work that takes a while; nothing under cron."""

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
    """A context manager; it shows what is done of each of its tasks where stderr is a terminal."""
    return Progress(
        TextColumn("{task.completed:,.0f} {task.description}"), BarColumn(), TaskProgressColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(),
        console=console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        redirect_stdout=False,  # the data may go there
    )  # fmt: skip
