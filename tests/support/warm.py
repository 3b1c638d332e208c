"""Scrapy commands in a process of their own that need not import anything: forked from one that has.

A test's crawl keeps what a user's has: its own memory, signals, output and exit status. Only the second and
a half that Python, Twisted and the product take to be imported is spent once for all tests of a process.
"""

from __future__ import annotations

import atexit
import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

_ROOT = Path(__file__).parents[2]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["pytest", "tests.support.preloaded"])


class _Last:
    begun = 0  # the second in which the last crawl began


def run(
    arguments: list[str], environment: dict[str, str], seconds: float, ahead: float = 0
) -> subprocess.CompletedProcess[str]:
    """`scrapy ARGUMENTS`, with exactly this environment. One that does not end is a failure, with its stacks."""
    if arguments[0] == "crawl":
        _await_another_second()
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _SERVER.Process(target=_be_scrapy, args=(arguments, environment, ahead, out, err))
        process.start()
        process.join(seconds)
        if is_hung := process.is_alive():
            assert process.pid
            os.kill(process.pid, signal.SIGABRT)
            process.join()
        said = [path.read_text("utf-8") if path.exists() else "" for path in (out, err)]
    assert not is_hung, f"it does not end:\n{said[1]}"
    assert process.exitcode is not None
    return subprocess.CompletedProcess(["scrapy", *arguments], process.exitcode, *said)


def _await_another_second() -> None:
    """Runs are in the order of their ids, which tell seconds apart, and no user begins two in one."""
    while int(time.time()) == _Last.begun:
        time.sleep(0.02)
    _Last.begun = int(time.time())


def _be_scrapy(
    arguments: list[str], environment: dict[str, str], ahead: float, out: Path, err: Path
) -> NoReturn:
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    faulthandler.enable()
    os.chdir(_ROOT)
    os.environ.clear()
    os.environ.update(environment)
    if ahead:
        from tests.support import clock

        clock.set_ahead(ahead)
    from scrapy.cmdline import execute

    try:
        execute(["scrapy", *arguments])
    finally:
        atexit._run_exitfuncs()  # a fork ends without them
    sys.exit(0)
