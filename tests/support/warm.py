"""Runs Scrapy commands in processes forked from one that has imported everything.

A test's crawl has its own memory, signals, output and exit status, like a user's. Only the imports of Python,
Twisted and the product are done once for all tests of a process.
"""

from __future__ import annotations

import asyncio
import atexit
import faulthandler
import multiprocessing
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import reduction
from pathlib import Path
from typing import Any, NoReturn

TELL_TASKS = signal.SIGUSR2
"""The signal at which a started command writes to stderr what its asyncio tasks wait for."""
ROOT = Path(__file__).parents[2]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["pytest", "tests.support.preloaded"])


class Warm:
    """A started `scrapy ARGUMENTS` with exactly this environment; has the part of `subprocess.Popen` that tests use."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: dict[str, str],
        ahead: float = 0,
        folder: Path = ROOT,
        terminal: int | None = None,
    ) -> None:
        """`folder`: the working folder, the checkout if not given. `terminal`: for all input and output."""
        self.args = ["scrapy", *arguments]
        pipes = [] if terminal else [os.pipe(), os.pipe()]
        streams = [terminal] * 3 if terminal else [write for _, write in pipes]
        sent = [_Descriptor(each) for each in streams]
        given = (self.args, environment, ahead, folder, sent)
        self._process = _SERVER.Process(target=_be_scrapy, args=given)
        self._process.start()
        for _, write in pipes:
            os.close(write)
        if pipes:
            self.stdout, self.stderr = (os.fdopen(read, encoding="utf-8") for read, _ in pipes)
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status after it has ended; negative for a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit status."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def communicate(self, timeout: float = 3600) -> tuple[str, str]:
        """stdout and stderr, after all processes have closed them."""
        end = time.monotonic() + timeout
        said: dict[Any, bytes] = {self.stdout: b"", self.stderr: b""}
        with selectors.DefaultSelector() as selector:
            for each in said:
                selector.register(each, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0, end - time.monotonic()))
                if not ready:
                    raise subprocess.TimeoutExpired(self.args, timeout)
                for key, _ in ready:
                    if part := os.read(key.fd, 65536):
                        said[key.fileobj] += part
                    else:
                        selector.unregister(key.fileobj)
        self.wait(max(0.0, end - time.monotonic()))
        for each in said:
            each.close()
        out, err = (each.decode("utf-8") for each in said.values())
        return out, err

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class _Descriptor:
    """A file descriptor that is sent to the process with its arguments."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self._number),)


def _received(sent: Any) -> int:
    number: int = sent.detach()
    return number


def _be_scrapy(
    arguments: list[str],
    environment: dict[str, str],
    ahead: float,
    folder: Path,
    streams: list[int],
) -> NoReturn:
    first = 3 - len(streams)  # stdin is not always among them
    for number, descriptor in enumerate(streams, first):
        os.dup2(descriptor, number)
        os.close(descriptor)
    execute_in(arguments, environment, ahead, folder)
    sys.exit(0)


def execute_in(
    arguments: list[str], environment: dict[str, str], ahead: float, folder: Path
) -> None:
    """Run a command in this process with exactly this environment, then what it registered for the exit."""
    from scrapy.cmdline import execute

    from tests.support import clock

    faulthandler.enable(2)  # stderr, wherever it goes now
    signal.signal(TELL_TASKS, _tell_tasks)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    clock.set_ahead(ahead)
    try:
        execute(arguments)
    finally:
        atexit._run_exitfuncs()  # a forked process ends without them


def _tell_tasks(*_: object) -> None:
    """Handles TELL_TASKS, in the main thread between two steps of the event loop."""
    loop = asyncio.get_event_loop_policy().get_event_loop()
    for task in asyncio.all_tasks(loop):
        waits: list[str] = []
        step: Any = task.get_coro()
        while step is not None:
            waits.append(repr(step)[:300])
            step = getattr(step, "cr_await", None) or getattr(step, "ag_await", None)
        sys.stderr.write(f"{task.get_name()}: {' <- '.join(waits)}\n")
    sys.stderr.flush()
