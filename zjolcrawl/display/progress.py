"""Progress bars on stderr; hidden if stderr is not a terminal, as under cron."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from zjolcrawl.display.terminal import console
from zjolcrawl.messages import counted


def bar_on_stderr() -> Progress:
    """A progress bar as a context manager; hidden if stderr is not a terminal, as under cron."""
    return Progress(
        TextColumn("{task.completed:,.0f} {task.description}"), BarColumn(),
        TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        redirect_stdout=False,  # stdout may carry the data
    )  # fmt: skip


def counting_bar(*, shown: bool = True) -> Progress:
    """A transient progress line on stderr; disabled if stderr is not a terminal."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=console(stderr=True), transient=True, disable=not (shown and sys.stderr.isatty()),
    )  # fmt: skip


def describe(counts: Mapping[str, int]) -> str:
    """One line of a run's counts so far."""
    stored = sum(counts.get(name, 0) for name in ("new", "changed", "reread", "same"))
    bad = sum(counts.get(name, 0) for name in ("rejected", "failed", "gone"))
    return (
        f"{counted(counts.get('pages', 0), 'column page')} · {counted(counts.get('links', 0), 'link')} · "
        f"{counted(stored, 'article')} stored ({counts.get('new', 0)} new) · {bad} not stored"
    )
