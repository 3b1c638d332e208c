"""Computes a run's exit status and its one-line summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from zjolcrawl.messages import counted, hide_passwords

DONE, NEEDS_A_PERSON, UNUSABLE, STOPPED, LOCKED = 0, 1, 2, 3, 75
SHUTDOWN = "shutdown"
"""Scrapy's finish reason after a signal."""
# How the finish reasons of regular ends begin: nothing is left to do, or a limit of the user's
# (CLOSESPIDER_…, QUIET_HOURS) was reached.
GOOD_ENDS = ("finished", "closespider_")
NOTHING_CHOSEN = "no capture in the archive matches the arguments"
_MOST_LINES = 300  # of warnings, and of alarms: a run's document has to fit into MongoDB


def _bounded(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LINES
    return [
        *map(hide_passwords, lines[:_MOST_LINES]),
        *([f"and {more} more, in the log"] if more > 0 else []),
    ]


@dataclass(slots=True)
class RunSummary:
    """The facts of a finished run; `faults` and `alarms` are lines that need action."""

    reason: str
    seconds: float
    counts: Counter[str]
    reparsing: bool = False
    faults: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    templates: dict[str, Any] = field(default_factory=dict)
    backfill: bool = False

    @property
    def ended_well(self) -> bool:
        """Whether the run finished without being cut off."""
        return self.reason.startswith(GOOD_ENDS)

    @property
    def exit_status(self) -> int:
        """The documented exit status: 1 if something needs action, 3 if a signal ended the run, else 0."""
        counts = self.counts
        if self.reparsing:
            # A page that was faulty when fetched is not news; one that is parsed worse now is.
            bad = bool(counts["unread"])
        else:
            bad = any(counts[name] for name in ("failed", "images_failed"))
            bad = bad or counts["rejected"] > counts["skipped"]
        cut_off = not self.ended_well and self.reason != SHUTDOWN
        if bad or self.faults or self.alarms or counts["errors"] or cut_off:
            return NEEDS_A_PERSON
        return DONE if self.ended_well else STOPPED

    def line(self) -> str:
        """The one-line summary for stderr."""
        end = "" if self.ended_well else f" (ended early: {self.reason})"
        if self.backfill:
            text = self._backfilled()
        elif self.reparsing:
            text = (self._imported() if self.counts["import_files"] else "") + self._reparsed()
        elif self.counts["looked_at"]:
            text = self._discovered()
        else:
            text = self._crawled()
        alarms = f"; {counted(len(self.alarms), 'alarm').upper()}" if self.alarms else ""
        return f"zjolcrawl: {text}{alarms}; {self.seconds:.1f} s{end}"

    def values(self) -> dict[str, Any]:
        """The fields that the run's document in `runs` keeps, without empty ones."""
        counts = {name: count for name, count in self.counts.items() if count}
        values = {
            "exit_status": self.exit_status, "finish_reason": self.reason, "counts": counts,
            "seconds": round(self.seconds, 3), "alarms": _bounded(self.alarms),
            "warnings": _bounded(self.warnings),
            "templates": self.templates,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value not in ([], {})}

    def _crawled(self) -> str:
        c = self.counts
        doubted = f", {c['doubted']} in doubt" if c["doubted"] else ""
        off = f" ({c['columns_off']} switched off)" if c["columns_off"] else ""
        reused = f"{c['images_reused']} already stored, " if c["images_reused"] else ""
        return (
            f"{counted(c['columns'], 'column')}{off}, {counted(c['pages'], 'page')}, {counted(c['links'], 'link')} found "
            f"({c['links_new']} new); stored {c['new']} new, {c['changed']} changed{self._earlier()}, "
            f"{c['same']} same; {c['rejected'] - c['skipped']} rejected, {c['failed']} failed, "
            f"{c['gone']} gone{doubted}; images {c['images_stored']} stored, {reused}"
            f"{c['images_missing']} missing, {c['images_failed']} failed"
        )

    def _earlier(self) -> str:
        """The versions that were added before the newest one, if any."""
        count = self.counts["inserted"]
        return f", {count} earlier" if count else ""

    def _discovered(self) -> str:
        c = self.counts
        return (
            f"{counted(c['looked_at'], 'page')} fetched, {counted(c['linked'], 'link')} that the catalogue lacks; "
            f"{counted(c['proposed'], 'column')} proposed"
        )

    def _backfilled(self) -> str:
        c = self.counts
        return (
            f"{counted(c['listed'], 'capture')} listed, {c['archived']} archived before, {c['fetched']} fetched, "
            f"{c['no_page']} no page, {c['unfetched']} failed; {c['new']} new, {c['changed']} changed, "
            f"{c['reread']} corrected, {c['same']} same, {c['inserted']} earlier; "
            f"{c['no_article']} gave no article, {counted(c['links'], 'link')} found ({c['links_new']} new)"
        )

    def _imported(self) -> str:
        c = self.counts
        return (
            f"{counted(c['import_files'], 'file')} imported: {counted(c['recorded'], 'capture')} recorded, "
            f"{c['known']} known, {c['other_hosts']} of other hosts, "
            f"{c['unusable'] + c['unresolved']} not usable; "
        )

    def _reparsed(self) -> str:
        c = self.counts
        return (
            f"{counted(c['chosen'], 'capture')} re-parsed; {c['new']} new, {c['changed']} changed{self._earlier()}, "
            f"{c['reread']} corrected, {c['same']} same; "
            f"{c['unread']} can no longer be parsed, {c['refused']} refused"
        )
