"""Runs `scrapy crawl reparse -a jobs=N`: one process for each of N parts, reported as one run.

Each part reports its counts to the parent process on stdout.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from zjolcrawl.display.progress import counting_bar, describe
from zjolcrawl.display.terminal import say
from zjolcrawl.processes import own_environment
from zjolcrawl.run.summary import (
    DONE,
    GOOD_ENDS,
    LOCKED,
    NEEDS_A_PERSON,
    NOTHING_CHOSEN,
    STOPPED,
    UNUSABLE,
    RunSummary,
)

PART_REPORTS = "PART_REPORTS"
"""Name of the setting that makes a part of `reparse` report to its parent process."""
_SEVERITY = (DONE, STOPPED, NEEDS_A_PERSON, LOCKED, UNUSABLE)


class _Part:
    """A process that reads one part of the archive; `report` is its latest one (see `report`)."""

    def __init__(self, command: list[str], number: int, jobs: int) -> None:
        self.name, self.jobs = f"{number}/{jobs}", jobs
        self.report: dict[str, Any] = {"counts": {}}
        self.terminated = False
        self.process = subprocess.Popen(
            [*command, "-a", f"part={self.name}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=own_environment(),
            # Ctrl-C signals the whole foreground group: a part in it would be signalled twice.
            start_new_session=True,
        )

    def follow(self, changed: Callable[[], None]) -> None:
        """Read reports until the process ends; `changed` is called after each."""
        assert self.process.stdout
        with self.process.stdout as reports:
            for line in reports:
                with suppress(ValueError):  # a line cut off when the process was killed
                    self.report = json.loads(line)
                    changed()
        self.process.wait()

    def terminate(self) -> None:
        """Shut the process down."""
        self.terminated = True
        self.process.terminate()

    @property
    def shut_down(self) -> bool:
        """Whether `terminate` ended the process before it could handle the signal."""
        return self.terminated and self.process.returncode == -signal.SIGTERM

    @property
    def died(self) -> bool:
        """Whether the process ended without its final report."""
        return "lines" not in self.report or self.process.returncode not in _SEVERITY

    @property
    def status(self) -> int:
        return NEEDS_A_PERSON if self.died else self.process.returncode

    @property
    def reason(self) -> str | None:
        """Why it ended; None if it never began to read."""
        if self.shut_down:
            return "shutdown"
        return f"part {self.name} died" if self.died else self.report["reason"]

    def lines(self) -> list[str]:
        """Its warnings and faults, or how it died and how to run it again."""
        if self.shut_down:
            return []
        if not self.died:
            return list(self.report["lines"])
        code = self.process.returncode
        how = f"signal {-code}" if code < 0 else f"exit status {code}, without a report"
        return [
            f"part {self.name} died ({how}): not all of its captures were read. "
            f"Run the same command with part={self.name} in place of jobs={self.jobs}"
        ]


def report(counts: Mapping[str, int], **end: Any) -> None:
    """Send the counts so far to the parent process, as one line of JSON on stdout.

    The final report also has `lines` and `reason`. Raises BrokenPipeError if the parent has ended.
    """
    print(json.dumps({"counts": counts, **end}), file=sys.__stdout__, flush=True)


def run_parts(jobs: int, arguments: dict[str, str], settings: list[str]) -> int:
    """Run `jobs` processes of `crawl reparse`; returns the worst exit status of them.

    `settings` are NAME=VALUE. SIGINT and SIGTERM are forwarded as SIGTERM, which shuts the parts down.
    """
    began = time.monotonic()
    command = [sys.executable, "-m", "scrapy", "crawl", "reparse"]
    command += [text for each in settings for text in ("-s", each)]
    command += [text for each in arguments.items() for text in ("-a", "=".join(each))]
    parts = asyncio.run(_run(command, jobs))
    for line in dict.fromkeys(line for part in parts for line in part.lines()):
        say(line)
    counts, reasons = _counts(parts), [part.reason for part in parts]
    idle = not counts["chosen"] and set(reasons) == {"finished"}
    if idle and "parser_before" not in arguments:
        say(NOTHING_CHOSEN)
        return UNUSABLE
    if any(reasons):
        bad = [each for each in reasons if each and not each.startswith(GOOD_ENDS)]
        reason = ", ".join(dict.fromkeys(bad)) or "finished"
        seconds = time.monotonic() - began
        sys.stderr.write(RunSummary(reason, seconds, counts, reparsing=True).line() + "\n")
    return max((part.status for part in parts), key=_SEVERITY.index)


async def _run(command: list[str], jobs: int) -> list[_Part]:
    """Start the parts and wait until all have ended."""
    loop, parts = asyncio.get_running_loop(), list[_Part]()

    def stop() -> None:
        for part in parts:
            part.terminate()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)  # called after all parts have started
    parts += [_Part(command, number, jobs) for number in range(1, jobs + 1)]
    with counting_bar() as bar, ThreadPoolExecutor(jobs) as pool:
        task = bar.add_task("starting")

        def show() -> None:
            bar.update(task, description=describe(_counts(parts)))

        await asyncio.gather(*(loop.run_in_executor(pool, each.follow, show) for each in parts))
    return parts


def _counts(parts: list[_Part]) -> Counter[str]:
    return sum((Counter(part.report["counts"]) for part in parts), Counter())
