"""Runs the product as a user does: in a subprocess, on the test site, with a real MongoDB."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.site import SiteProxy
from tests.support.turns import turns
from tests.support.warm import TELL_TASKS, Warm

Crawl = Callable[..., subprocess.CompletedProcess[str]]
Running = subprocess.Popen[str] | Warm
Begin = Callable[..., Running]
ROOT = Path(__file__).parents[2]
_PATH = os.environ.get("PYTHONPATH", "")
# A command gets only these of the machine's own variables, and all that a test sets.
_NEEDED = re.compile(r"PATH|HOME|TMPDIR|LANG|TZ|TERM|(LC_|LD_|PYTHON|COV)\w*")
_NOT_NEEDED = {k: v for k, v in os.environ.items() if not _NEEDED.fullmatch(k)}
LONG = 300.0  # seconds; only a hanging process takes longer
QUICK = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False", "-s", "RETRY_ENABLED=False")


def scrapy(
    *arguments: str,
    site: SiteProxy | None = None,
    data: Path,
    uri: str = "",
    database: str = "zjol",
    ahead: float = 0,
) -> subprocess.CompletedProcess[str]:
    """Runs `scrapy ARGUMENTS` to its end, with fast settings for a crawl; `ahead`: days added to the clock."""
    given = _with_settings(arguments, QUICK)
    running: Running
    if _is_warm():
        running = turns().begin(given, environment(site, data, uri, database), ahead)
    else:
        running = _anew(given, environment(site, data, uri, database))
    out, err = ended(running)
    return subprocess.CompletedProcess(running.args, running.returncode or 0, out, err)


def wait_until(condition: Callable[[], object], *running: Running, seconds: float = LONG) -> None:
    """Waits until the condition holds. Fails if a process ends before that, or after a timeout."""
    deadline = time.monotonic() + seconds
    while not condition():
        for each in running:
            assert each.poll() is None, each.communicate()[1]
        if time.monotonic() > deadline:
            raise AssertionError("\n".join(["it did not come about:", *map(stacks, running)]))
        time.sleep(0.01)


def ended(running: Running, seconds: float = LONG) -> tuple[str, str]:
    """Waits for a process that must end by itself; returns stdout and stderr."""
    try:
        return running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it does not end:\n{stacks(running)}") from None


def stacks(running: Running) -> str:
    """Ends a process that was started here; returns its output, its tasks and the stacks of its threads."""
    if isinstance(running, Warm):
        running.send_signal(TELL_TASKS)
        time.sleep(1)
    running.send_signal(signal.SIGABRT)
    try:
        return running.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:  # one of its children is still running
        return "nothing is known of it"


def peak_memory(running: Running) -> int:
    """Waits for a process; returns its peak memory in bytes.

    That of a process that was not started with `anew` includes what it was forked with: compare two.
    """
    peak = 0
    while running.poll() is None:
        with suppress(FileNotFoundError, ProcessLookupError, StopIteration):  # it has ended since
            peak = peak_so_far(running.pid)
        time.sleep(0.02)
    assert peak
    return peak


def peak_so_far(pid: int) -> int:
    """The peak memory in bytes of a process that is running."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def start_scrapy(
    *arguments: str,
    site: SiteProxy | None,
    data: Path,
    uri: str,
    database: str,
    settings: tuple[str, ...] = QUICK,
    ahead: float = 0,
    anew: bool = False,
) -> Running:
    """Starts the same without waiting; `settings` are those of a crawl, `anew`: in a new interpreter."""
    given = _with_settings(arguments, settings)
    if not anew and _is_warm():
        return Warm(given, environment(site, data, uri, database), ahead)
    return _anew(given, environment(site, data, uri, database))


def _is_warm() -> bool:
    """Not if there is a module of the test that must be imported first: only a new interpreter can do that."""
    return os.environ.get("PYTHONPATH", "") == _PATH


def _anew(arguments: list[str], environment: dict[str, str]) -> Running:
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", *arguments], cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _with_settings(arguments: tuple[str, ...], settings: tuple[str, ...]) -> list[str]:
    return [*arguments[:2], *(settings if arguments[0] == "crawl" else ()), *arguments[2:]]


def environment(site: SiteProxy | None, data: Path, uri: str, database: str) -> dict[str, str]:
    """Environment variables of a process: the test site, the folder and the database."""
    given = {k: v for k, v in os.environ.items() if _NOT_NEEDED.get(k) != v}
    given |= site.environ if site else {}
    given |= {"DATA_DIR": str(data), "MONGODB_URI": uri, "MONGODB_DATABASE": database}
    given.setdefault("CONTACT", "archive@example.org")
    given["PYTHONFAULTHANDLER"] = "1"  # for `stacks`
    return given
