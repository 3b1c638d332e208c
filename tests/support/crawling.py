"""Running the product as its user does: a subprocess, the local web, a real MongoDB."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support import warm
from tests.support.site import SiteProxy

Crawl = Callable[..., subprocess.CompletedProcess[str]]
Begin = Callable[..., subprocess.Popen[str]]
ROOT = Path(__file__).parents[2]
_PATH = os.environ.get("PYTHONPATH", "")
LONG = 300.0  # seconds that only what hangs takes
QUICK = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False", "-s", "RETRY_ENABLED=False")


def scrapy(
    *arguments: str,
    site: SiteProxy | None = None,
    data: Path,
    uri: str = "",
    database: str = "zjol",
    ahead: float = 0,
) -> subprocess.CompletedProcess[str]:
    """`scrapy ARGUMENTS` with its output; quick settings for a crawl; `ahead`: days added to the clock."""
    # A module of the test's own that is to be there first: only a new interpreter takes it.
    if os.environ.get("PYTHONPATH", "") != _PATH:
        running = start_scrapy(*arguments, site=site, data=data, uri=uri, database=database)
        out, err = ended(running, LONG)
        return subprocess.CompletedProcess(running.args, running.returncode, out, err)
    given = _with_settings(arguments, QUICK)
    return warm.run(given, _environment(site, data, uri, database), LONG, ahead)


def wait_until(
    condition: Callable[[], object], *running: subprocess.Popen[str], seconds: float = LONG
) -> None:
    """Until it holds. Fails where one of the processes ends before that, or they are so long about it."""
    deadline = time.monotonic() + seconds
    while not condition():
        for each in running:
            assert each.poll() is None, each.communicate()[1]
        if time.monotonic() > deadline:
            raise AssertionError("\n".join(["it did not come about:", *map(stacks, running)]))
        time.sleep(0.01)


def ended(running: subprocess.Popen[str], seconds: float) -> tuple[str, str]:
    """Waits for a process that must end by itself; what it said on stdout and stderr."""
    try:
        return running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it does not end:\n{stacks(running)}") from None


def stacks(running: subprocess.Popen[str]) -> str:
    """Ends a process that was started here; what it had said, and where each of its threads was."""
    running.send_signal(signal.SIGABRT)
    try:
        return running.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:  # a child of it lives on
        return "nothing is known of it"


def peak_memory(running: subprocess.Popen[str]) -> int:
    """Waits for a process that was started here; the most memory it held, in bytes."""
    status = Path(f"/proc/{running.pid}/status")
    peak = 0
    while running.poll() is None:
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1024
        time.sleep(0.02)
    return peak


def start_scrapy(
    *arguments: str,
    site: SiteProxy | None,
    data: Path,
    uri: str,
    database: str,
    settings: tuple[str, ...] = QUICK,
) -> subprocess.Popen[str]:
    """The same, not waited for, in a process begun from nothing; `settings` are those of a crawl."""
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", *_with_settings(arguments, settings)],
        cwd=ROOT, env=_environment(site, data, uri, database),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _with_settings(arguments: tuple[str, ...], settings: tuple[str, ...]) -> list[str]:
    return [*arguments[:2], *(settings if arguments[0] == "crawl" else ()), *arguments[2:]]


def _environment(site: SiteProxy | None, data: Path, uri: str, database: str) -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment |= site.environ if site else {}
    environment |= {"DATA_DIR": str(data), "MONGODB_URI": uri, "MONGODB_DATABASE": database}
    environment["PYTHONFAULTHANDLER"] = "1"  # for `stacks`
    return environment
