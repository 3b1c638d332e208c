"""Judges the health of crawls and archive: runs, columns, links, disk space, WARC files, spool, alarms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from rich.text import Text

from zjolcrawl.archive.files import DAMAGED, shown
from zjolcrawl.archive.state import ArchiveState
from zjolcrawl.display.drift import of_templates
from zjolcrawl.display.findings import Finding, line
from zjolcrawl.display.formatting import moment, size, some, span
from zjolcrawl.display.runs import arguments, ending, started
from zjolcrawl.messages import counted
from zjolcrawl.site.catalogue import Column
from zjolcrawl.storage.queries.health import DataFolder
from zjolcrawl.storage.queries.links import LinkCounts

_VISITS = ("new", "changed", "same", "rejected", "failed", "gone", "doubted", "repeated")
_FEWEST_VISITS = 20  # below that a failure rate means nothing
_MOST_FAILED = 0.1
_MOST_ERRORS = 8  # different errors of columns that get their own line


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a healthy archive: longest time since a success and since an article, least bytes free."""

    age: timedelta
    silence: timedelta
    free: float


USUAL = Limits(timedelta(hours=48), timedelta(days=60), 1e9)


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """The facts to judge, as of `now`.

    `columns`: the catalogue. `rows`: documents of `columns` by id. `runs`: the last crawls, newest first.
    `articles`: the last crawls that read an article. `good`: the last successful crawl. `live`: the
    ids of runs at work. `archive`: missing and damaged WARC files. `server`: MongoDB's version. `copies`: the
    versions that a run has cut in two and not yet re-parsed.
    """

    now: datetime
    columns: Iterable[Column]
    links: LinkCounts
    folder: DataFolder
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    articles: list[dict[str, Any]] = field(default_factory=list)
    good: dict[str, Any] | None = None
    live: Collection[Any] = ()
    archive: ArchiveState = field(default_factory=ArchiveState)
    server: str = ""
    copies: int = 0


def judge(seen: HealthFacts, limits: Limits) -> list[Finding]:
    """The findings, grouped by section."""
    return [
        *_of_runs(seen, limits),
        *_of_columns(seen, limits),
        _of_links(seen.links),
        _of_visits(seen.runs),
        *of_templates([each["templates"] for each in seen.articles]),
        _of_disk(seen.folder, limits),
        *_of_archive(seen.archive),
        *_of_imports(seen),
        *_of_spool(seen.folder),
        *_of_alarms(seen.runs),
        *_of_server(seen.server, seen.now),
    ]


def render(findings: list[Finding]) -> Iterator[Text]:
    """One line per finding, and the overall result at the end."""
    yield from map(line, findings)
    if bad := sum(each.bad for each in findings):
        yield Text(f"not well: {counted(bad, 'finding')}", style="bold red")
    else:
        yield Text("well", style="bold green")


def _of_runs(seen: HealthFacts, limits: Limits) -> Iterator[Finding]:
    if seen.runs:
        last = seen.runs[0]
        running = last["_id"] in seen.live and "ended_at" not in last
        cut_off = not running and "ended_at" not in last
        text = f"last: {started(last)}, {arguments(last)}, {ending(last, running=running)}"
        values = {"last_run": last["_id"], "exit_status": last.get("exit_status")}
        yield Finding("run", text, cut_off, values)
    if seen.good is None:
        yield Finding("run", "no crawl of columns has ended with exit status 0 yet", bad=True)
        return
    at = seen.good.get("ended_at")
    age = f" ({span(seen.now - at)} ago)" if at else ""
    text = f"last good one: {started(seen.good)}, {arguments(seen.good)}{age}"
    values = {"last_good_run": seen.good["_id"], "ended_at": at}
    yield Finding("run", text, at is None or seen.now - at > limits.age, values)


# The last day on which MongoDB Inc. supports a version (mongodb.com/legal/support-policy/lifecycles).
_END_OF_LIFE = {
    "4.4": date(2024, 2, 29), "5.0": date(2024, 10, 31), "6.0": date(2025, 7, 31), "7.0": date(2027, 8, 31),
    "8.0": date(2029, 10, 31),
}  # fmt: skip


def _of_server(version: str, now: datetime) -> Iterator[Finding]:
    """A note, never bad: a server that only this machine reaches may be old."""
    end = _END_OF_LIFE.get(".".join(version.split(".")[:2]))
    if end and now.date() > end:
        text = (
            f"MongoDB {version} gets no more fixes since {end}; MONGODB_URI can name a newer server"
        )
        yield Finding("server", text, values={"server": version, "end_of_life": str(end)})


def _of_columns(seen: HealthFacts, limits: Limits) -> Iterator[Finding]:
    """Findings on enabled columns; of other columns, only errors are reported, and not as bad.

    No schedule crawls the other columns, so their errors would stay. A column with an error is in no other finding.
    """
    enabled = {column.id: seen.rows.get(column.id, {}) for column in seen.columns if column.enabled}
    oldest, quietest = seen.now - limits.age, seen.now - limits.silence
    errors = [key for key, row in enabled.items() if "last_error" in row]
    others = {key: row for key, row in enabled.items() if "last_error" not in row}
    never = [key for key, row in others.items() if "last_crawled_at" not in row]
    late = [key for key, row in others.items() if row.get("last_crawled_at", oldest) < oldest]
    swept = {key: row for key, row in enabled.items() if "swept_at" in row}
    silent = [key for key, row in swept.items() if row.get("newest_listed_at", quietest) < quietest]
    well = len(enabled.keys() - {*never, *late, *silent, *errors})
    values = {"well": well, "enabled": len(enabled)}
    yield Finding("columns", f"{well} of {len(enabled)} are well", values=values)
    if never:
        yield Finding("columns", f"never crawled: {some(never)}", True, {"never": never})
    if late:
        text = f"no success in {span(limits.age)}: {some(_since(enabled, late, 'last_crawled_at'))}"
        yield Finding("columns", text, True, {"late": late})
    yield from _of_errors(enabled, errors)
    if silent:
        text = f"list nothing new: {some(_since(enabled, silent, 'newest_listed_at'))}"
        yield Finding("columns", text, values={"silent": silent})
    off = [k for k, row in seen.rows.items() if k not in enabled and "last_error" in row]
    if off:
        text = f"not enabled, and failed on their last visit: {some(off)}"
        yield Finding("columns", text, values={"other_errors": off})


def _since(rows: dict[str, dict[str, Any]], keys: list[str], name: str) -> list[str]:
    """The columns with their days, oldest first."""
    ordered = sorted(keys, key=lambda key: rows[key][name])
    return [f"{key} (since {moment(rows[key][name])[:10]})" for key in ordered]


def _of_errors(rows: dict[str, dict[str, Any]], keys: list[str]) -> Iterator[Finding]:
    """One finding per error, with the columns that have it and its last time."""
    by_error: dict[str, list[str]] = {}
    for key in keys:
        by_error.setdefault(rows[key]["last_error"], []).append(key)
    for error, failing in [*by_error.items()][:_MOST_ERRORS]:
        times = [at for key in failing if (at := rows[key].get("last_error_at"))]
        at = f" ({moment(max(times))})" if times else ""
        values = {"failing": failing, "last_error": error}
        yield Finding("columns", f"{some(failing)}: {error}{at}", True, values)
    if rest := [key for failing in [*by_error.values()][_MOST_ERRORS:] for key in failing]:
        yield Finding("columns", f"errors of {some(rest)}", True, {"errors": rest})


def _of_links(links: LinkCounts) -> Finding:
    """Link counts, never bad: `scrapy audit` reports the columns that lack links."""
    states = ", ".join(f"{count} {state}" for state, count in links.states.items())
    text = f"{states or 'none'}; {links.due} due now, {links.gave_up} given up"
    values = {"states": links.states, "due": links.due, "gave_up": links.gave_up}
    return Finding("links", text, values=values)


def _of_visits(runs: list[dict[str, Any]]) -> Finding:
    counts = [run.get("counts", {}) for run in runs]
    visits = sum(each.get(name, 0) for each in counts for name in _VISITS)
    failed = sum(each.get("failed", 0) for each in counts)
    rate = failed / visits if visits else 0.0
    text = f"{failed} of {visits} failed in the last {counted(len(runs), 'run')} ({rate:.1%})"
    bad = visits >= _FEWEST_VISITS and rate > _MOST_FAILED
    return Finding("visits", text, bad, {"visits": visits, "failed": failed})


def _of_disk(folder: DataFolder, limits: Limits) -> Finding:
    text = f"{size(folder.free)} free; "
    if folder.parts:
        largest = sorted(folder.parts.items(), key=lambda part: -part[1])
        parts = some([f"{name} {size(count)}" for name, count in largest])
        text += f"DATA_DIR holds {size(sum(folder.parts.values()))}: {parts}"
    else:
        text += f"WARC files {size(folder.archive)}"
    values = {"free": folder.free, "archive": folder.archive, "parts": folder.parts}
    return Finding("disk", text, folder.free < limits.free, values)


def _of_archive(archive: ArchiveState) -> Iterator[Finding]:
    if archive.missing:
        text = (
            f"{counted(len(archive.missing), 'WARC file')} missing: {some(archive.missing, 3)}. "
            "Restore them to DATA_DIR/warc, or run `scrapy archive pull`"
        )
        yield Finding("archive", text, True, {"missing_files": archive.missing})
    if archive.damaged:
        text = (
            f"{counted(len(archive.damaged), 'part')} damaged: {some(archive.damaged, 3)}. "
            "Replace the file with an intact copy. If a repair kept a copy of it "
            f"({DAMAGED}), you may inspect and delete that copy instead"
        )
        yield Finding("archive", text, True, {"damaged_parts": archive.damaged})
    if archive.foreign:
        text = (
            f"{counted(len(archive.foreign), 'WARC file')} of other programs in DATA_DIR/warc, not read: "
            f"{some(archive.foreign, 3)}. Import each with `zjolcrawl archive import PATH`"
        )
        yield Finding("archive", text, values={"foreign_files": archive.foreign})


def _of_imports(seen: HealthFacts) -> Iterator[Finding]:
    """Imports and re-parsing that ended too early; a run at work may still complete them."""
    live = {str(each) for each in seen.live}
    left = {each.name: each.why for each in seen.archive.unfinished if each.run not in live}
    if left:
        names = some([f"{shown(name)} ({why})" for name, why in left.items()], 3)
        text = (
            f"{counted(len(left), 'file')} in DATA_DIR/warc/foreign not imported: {names}. "
            "Import the same files again with `zjolcrawl archive import PATH`; one that cannot be "
            "read on may be deleted there with its note"
        )
        yield Finding("archive", text, True, {"unfinished_imports": left})
    if seen.copies:
        text = (
            f"{counted(seen.copies, 'version')} not re-parsed since a capture divided them: "
            "run `scrapy crawl reparse -a parser_before=1`"
        )
        yield Finding("archive", text, not seen.live, {"copies": seen.copies})


def _of_spool(folder: DataFolder) -> Iterator[Finding]:
    if folder.spooled:
        held = size(sum(folder.spooled.values()))
        text = f"{held} waiting for the database: {some(list(folder.spooled), 3)}"
        yield Finding("spool", text, True, {"files": folder.spooled})
    else:
        yield Finding("spool", "empty")
    if folder.set_aside:
        held = size(sum(folder.set_aside.values()))
        names = some(list(folder.set_aside), 3)
        text = f"{held} of unusable spool items, kept for inspection: {names}"
        yield Finding("spool", text, values={"set_aside": folder.set_aside})


def _of_alarms(runs: list[dict[str, Any]]) -> Iterator[Finding]:
    """Alarms of the last run that has ended; a run raises its alarms at its end."""
    last: dict[str, Any] = next((run for run in runs if "ended_at" in run), {})
    for alarm in last.get("alarms", []):
        yield Finding("alarm", alarm, bad=True)
    if not last.get("alarms"):
        yield Finding("alarm", "none in the last run")
