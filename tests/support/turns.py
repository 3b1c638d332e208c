"""Runs the commands of a test file one after another in one process, forked as by `tests.support.warm`.

All but the first need half as much CPU time: they copy no memory. What a command changes in its process is put back
before the next one. A file has a process of its own, so that its tests do not depend on other files.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import gc
import logging
import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from typing import Any, NoReturn

from tests.support.warm import _SERVER, ROOT, Warm, execute_in

_MOST = 50  # commands: each may leave some memory
_MADE_ANEW = "twisted.internet.reactor", "zjolcrawl.settings"
_HANDLED = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD, signal.SIGPIPE,
)  # fmt: skip


class Turns:
    """The process. It takes one command at a time."""

    def __init__(self) -> None:
        self.line, theirs = _SERVER.Pipe()
        self.process = _SERVER.Process(target=_serve, args=(theirs,))
        self.process.start()
        theirs.close()
        self._left = _MOST

    def begin(
        self,
        arguments: Sequence[str],
        environment: dict[str, str],
        ahead: float = 0,
        folder: Path = ROOT,
    ) -> Warm:
        """A started `scrapy ARGUMENTS`. Its output must be read to the end before the next one."""
        self._left -= 1
        return _Turn(self, ["scrapy", *arguments], environment, ahead, folder)

    def close(self) -> None:
        """End the process."""
        self.line.close()
        self.process.join()

    @property
    def is_open(self) -> bool:
        """Whether it takes one more command."""
        return self._left > 0 and self.process.exitcode is None


class _Current:
    turns: Turns | None = None
    file = ""


def turns() -> Turns:
    """The process of the test file that pytest runs now."""
    file = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
    if _Current.turns and not (_Current.file == file and _Current.turns.is_open):
        end_turns()
    _Current.turns, _Current.file = _Current.turns or Turns(), file
    return _Current.turns


@atexit.register
def end_turns() -> None:
    """End the process, if there is one."""
    if _Current.turns:
        _Current.turns.close()
    _Current.turns = None


class _Turn(Warm):
    """A command in its turn."""

    _status: int | None

    def __init__(self, turns: Turns, arguments: list[str], *given: Any) -> None:
        """`arguments` and `given` are what `execute_in` takes."""
        self.args = arguments
        self._turns, self._status = turns, None
        assert turns.process.pid
        self.pid = turns.process.pid
        turns.line.send((arguments, *given))
        pipes = [os.pipe(), os.pipe()]
        for _, write in pipes:
            send_handle(turns.line, write, self.pid)
            os.close(write)
        self.stdout, self.stderr = (os.fdopen(read, encoding="utf-8") for read, _ in pipes)

    @property
    def returncode(self) -> int | None:
        if self._status is None and self._turns.line.poll():
            self.wait()
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        if self._status is None:
            if not self._turns.line.poll(timeout):
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            try:
                self._status = self._turns.line.recv()
            except EOFError:  # it has ended the process
                self._turns.process.join()
                self._status = self._turns.process.exitcode
        assert self._status is not None
        return self._status


def _serve(line: Connection) -> NoReturn:
    with contextlib.suppress(EOFError):
        while True:
            given = line.recv()
            streams = [recv_handle(line) for _ in range(2)]
            with _as_it_was():
                status = contextvars.copy_context().run(_take, streams, *given)
            line.send(status)
    sys.exit(0)


def _take(streams: list[int], *given: Any) -> int:
    """Run a command with these streams as stdout and stderr; returns its exit status.

    `given` is what `execute_in` takes.
    """
    with _output(streams):
        try:
            execute_in(*given)
        except SystemExit as end:
            return _status(end.code)
        except BaseException:
            traceback.print_exc()
            return 1
    return 0


def _status(code: object) -> int:
    if code is None or isinstance(code, int):
        return int(code or 0)
    print(code, file=sys.stderr)
    return 1


@contextmanager
def _output(streams: list[int]) -> Iterator[None]:
    opened: list[TextIOWrapper] = []
    for number, descriptor in enumerate(streams, 1):
        os.dup2(descriptor, number)
        own: Any = (sys.__stdout__, sys.__stderr__)[number - 1]
        opened.append(
            TextIOWrapper(
                os.fdopen(descriptor, "wb"), "utf-8", own.errors, line_buffering=number == 2
            )
        )
    sys.stdout, sys.stderr = opened
    try:
        yield
    finally:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number, stream in enumerate(opened, 1):
            with contextlib.suppress(OSError):
                stream.close()
            os.dup2(nothing, number)
        os.close(nothing)


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Put back what a command of Scrapy changes in its process."""
    from twisted.logger import globalLogPublisher

    from zjolcrawl.site.current import use_site

    handlers = {each: signal.getsignal(each) for each in _HANDLED}
    observers = list(globalLogPublisher._observers)
    thresholds = gc.get_threshold()
    with warnings.catch_warnings():
        yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.set_wakeup_fd(-1)
    for observer in [each for each in globalLogPublisher._observers if each not in observers]:
        globalLogPublisher.removeObserver(observer)
    logging.captureWarnings(capture=False)
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    gc.set_threshold(*thresholds)
    use_site("")
    for name in _MADE_ANEW:
        sys.modules.pop(name, None)
