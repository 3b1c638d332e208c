"""Runs, two lines each: when, how it ended, what was asked for; then what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from rich.text import Text

from zjolcrawl.display.words import counted, moment, span

# In the words of a run's own summary.
_COUNTS = {
    "new": "new", "changed": "changed", "same": "same", "rejected": "rejected",
    "skipped": "skipped", "failed": "failed", "gone": "gone", "doubted": "in doubt", "missed": "missed",
    "repeated": "as before",
    "proposed": "columns proposed",
}  # fmt: skip


def render(runs: list[dict[str, Any]], *, held: bool) -> Iterator[Text]:
    """Lines for runs, newest first; times are China's. `held`: a run holds the lock now."""
    if not runs:
        yield Text("no runs")
    for number, run in enumerate(runs):
        # One run at a time holds the lock, so an older one that has no end was cut off.
        running = held and number == 0 and "ended_at" not in run
        bad = bool(run.get("exit_status", 1)) and not running
        parts = [started(run), duration(run), ending(run, running=running), arguments(run)]
        shown = "  ".join(part for part in [*parts, str(run["_id"])] if part)
        yield Text(shown, style="bold red" if bad else "bold")
        yield Text(f"    {outcome(run)}")


def started(run: dict[str, Any]) -> str:
    """When a run began, on the site's clock."""
    return moment(run["started_at"]) if "started_at" in run else "unknown start"


def duration(run: dict[str, Any]) -> str:
    """How long a run took; empty where that is not known."""
    if "seconds" in run:
        return span(timedelta(seconds=run["seconds"]))
    return (
        span(run["ended_at"] - run["started_at"])
        if {"started_at", "ended_at"} <= run.keys()
        else ""
    )


def ending(run: dict[str, Any], *, running: bool = False) -> str:
    """A run's exit status and why it ended; or that it has not."""
    if "ended_at" not in run:
        return "running" if running else "cut off"
    reason = run.get("finish_reason", "")
    return f"exit {run.get('exit_status', '?')}{', ' if reason else ''}{reason}"


def arguments(run: dict[str, Any]) -> str:
    """The spider and its arguments as they were given."""
    given = dict(run.get("arguments", {}))
    spider = str(given.pop("spider", "unknown spider"))
    return " ".join([spider, *(f"{name}={value}" for name, value in given.items())])


def outcome(run: dict[str, Any]) -> str:
    """The counts that are not zero."""
    counts = dict(run.get("counts", {}))
    # A page that rightly gave no article is counted among the rejected too.
    counts["rejected"] = counts.get("rejected", 0) - counts.get("skipped", 0)
    parts = [f"{counts[name]} {word}" for name, word in _COUNTS.items() if counts.get(name)]
    if links := counts.get("links_new"):
        parts.append(f"{counted(links, 'link')} new")
    if images := counts.get("images_failed"):
        parts.append(f"{counted(images, 'image')} failed")
    parts += [
        counted(len(told), noun) for noun in ("warning", "alarm") if (told := run.get(f"{noun}s"))
    ]
    return ", ".join(parts) or "nothing"
