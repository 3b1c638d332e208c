"""Formats runs in two lines each: start, duration, ending and arguments; then the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from rich.text import Text

from zjolcrawl.display.formatting import moment, span
from zjolcrawl.messages import counted

_COUNTS = (
    "new", "changed", "same", "rejected", "skipped", "failed", "gone", "doubted", "inserted", "repeated",
    "proposed",
)  # fmt: skip
_MOST_REJECTS = 50
_WORDS = {"doubted": "in doubt", "repeated": "as before", "proposed": "columns proposed"}


def render(
    runs: list[dict[str, Any]], live: Mapping[Any, list[str]], *, full: bool = False
) -> Iterator[Text]:
    """Two lines per run, newest first, in China time.

    `live`: runs at work by id, with the hosts they lease. `full`: then a line per warning and alarm.
    """
    if not runs:
        yield Text("no runs")
    for run in runs:
        running = run["_id"] in live and "ended_at" not in run
        bad = bool(run.get("exit_status", 1)) and not running
        parts = [started(run), duration(run), ending(run, running=running), arguments(run)]
        shown = "  ".join(part for part in [*parts, str(run["_id"])] if part)
        yield Text(shown, style="bold red" if bad else "bold")
        yield Text(f"    {at_work(run, live[run['_id']]) if running else outcome(run)}")
        if full:
            yield from _lines(run)


def _lines(run: dict[str, Any]) -> Iterator[Text]:
    for name, style in (("alarms", "bold red"), ("warnings", "")):
        for each in run.get(name, ()):
            yield Text(f"    {name.removesuffix('s')}: {each}", style=style)


def render_rejects(rejects: list[dict[str, Any]]) -> Iterator[Text]:
    """A line per rejected page of a run."""
    for row in rejects[:_MOST_REJECTS]:
        yield Text(f"    rejected: {row['url']}: {row.get('reason', 'unknown reason')}")
    if (more := len(rejects) - _MOST_REJECTS) > 0:
        yield Text(f"    and {counted(more, 'more rejected page')}: see `rejects` in MongoDB")


def started(run: dict[str, Any]) -> str:
    """When a run began, in China time."""
    return moment(run["started_at"]) if "started_at" in run else "unknown start"


def duration(run: dict[str, Any]) -> str:
    """How long a run took; empty if unknown."""
    if "seconds" in run:
        return span(timedelta(seconds=run["seconds"]))
    both = {"started_at", "ended_at"} <= run.keys()
    return span(run["ended_at"] - run["started_at"]) if both else ""


def ending(run: dict[str, Any], *, running: bool = False) -> str:
    """The exit status of a run and why it ended, or `running` or `cut off`."""
    if "ended_at" not in run:
        return "running" if running else "cut off"
    reason = run.get("finish_reason", "")
    return f"exit {run.get('exit_status', '?')}{', ' if reason else ''}{reason}"


def arguments(run: dict[str, Any]) -> str:
    """The spider and its arguments, as given on the command line."""
    given = dict(run.get("arguments", {}))
    spider = str(given.pop("spider", "unknown spider"))
    return " ".join([spider, *(f"{name}={value}" for name, value in given.items())])


def at_work(run: dict[str, Any], hosts: list[str]) -> str:
    """What a live run has done so far, where it is, and which hosts it leases, as far as is known."""
    place = f"on {run['place'].rpartition('#')[0] or run['place']}" if "place" in run else ""
    leases = f"leases {', '.join(hosts)}" if hosts else ""
    return "; ".join(filter(None, [results(run) or "no result yet", place, leases]))


def outcome(run: dict[str, Any]) -> str:
    """The results of a run that has ended, or of one that was cut off as far as they are known."""
    if "ended_at" in run:
        return results(run) or "nothing"
    stored = "the articles with this run_id are what it stored"
    return f"at least {known}; {stored}" if (known := results(run)) else f"counts unknown; {stored}"


def results(run: dict[str, Any]) -> str:
    """The non-zero counts of a run in words, and how many warnings and alarms it has."""
    counts = dict(run.get("counts", {}))
    # `rejected` includes `skipped`, the pages that are expected to have no article.
    counts["rejected"] = counts.get("rejected", 0) - counts.get("skipped", 0)
    parts = [f"{counts[name]} {_WORDS.get(name, name)}" for name in _COUNTS if counts.get(name)]
    if links := counts.get("links_new"):
        parts.append(f"{counted(links, 'link')} new")
    if images := counts.get("images_failed"):
        parts.append(f"{counted(images, 'image')} failed")
    parts += [
        counted(len(run[f"{each}s"]), each) for each in ("warning", "alarm") if run.get(f"{each}s")
    ]
    return ", ".join(parts)
