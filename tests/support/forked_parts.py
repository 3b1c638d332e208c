"""Forks the parts of `scrapy crawl reparse -a jobs=N`, where the product starts a new interpreter for each.

They are processes with their own session, signals and exit status too, but import nothing anew. Some tests of
`jobs=` still start the parts as the product does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from tests.support.warm import _be_scrapy

_NEW_INTERPRETER = [sys.executable, "-m", "scrapy"]


def be_scrapy(
    arguments: list[str],
    environment: dict[str, str],
    ahead: float,
    folder: Path,
    streams: list[int],
) -> NoReturn:
    """What a process of `tests.support.warm` does; it gets the parts that its arguments ask for."""
    from zjolcrawl.run import reparse_jobs

    jobs = [int(each[1]) for text in arguments if (each := re.fullmatch(r"jobs=(\d+)", text))]
    # Made before Scrapy has an event loop and threads, which a fork must not copy.
    ready = iter([_Ready(ahead, folder, streams) for _ in range(sum(jobs))])

    def start(command: list[str], *, env: Mapping[str, str] | None, **how: Any) -> _Part:
        assert how == {
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "start_new_session": True,
        }  # fmt: skip
        return _Part(ready, command, env)

    replaced: Any = reparse_jobs
    replaced.subprocess = SimpleNamespace(
        Popen=start, DEVNULL=subprocess.DEVNULL, PIPE=subprocess.PIPE
    )
    _be_scrapy(arguments, environment, ahead, folder, streams)


class _Ready:
    """A forked process that waits for its command line."""

    def __init__(self, ahead: float, folder: Path, streams: list[int]) -> None:
        self.line, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid:
            theirs.close()
            return
        self.line.close()
        with theirs:
            told, descriptors, _, _ = socket.recv_fds(theirs, 1 << 20, 1)
        if not told:  # the command has ended without parts
            os._exit(0)
        os.setsid()
        command, environment = json.loads(told)
        stderr = streams.pop()
        for each in streams:
            os.close(each)
        _run_sitecustomize(environment)
        null = os.open(os.devnull, os.O_RDONLY)
        _be_scrapy(command, environment, ahead, folder, [null, *descriptors, stderr])


class _Part:
    """Has what `zjolcrawl.run.reparse_jobs` uses of `subprocess.Popen`."""

    def __init__(
        self, ready: Iterator[_Ready], command: list[str], environment: Mapping[str, str] | None
    ) -> None:
        assert command[:3] == _NEW_INTERPRETER
        process = next(ready)
        self._pid, self.returncode = process.pid, None
        read, write = os.pipe()
        told = [command[2:], dict(os.environ if environment is None else environment)]
        with process.line:
            socket.send_fds(process.line, [json.dumps(told).encode()], [write])
        os.close(write)
        self.stdout = os.fdopen(read, "rb")

    returncode: int | None

    def wait(self) -> None:
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def terminate(self) -> None:
        if self.returncode is None:
            os.kill(self._pid, signal.SIGTERM)


def _run_sitecustomize(environment: Mapping[str, str]) -> None:
    """Run a test's module of that name, as a new interpreter would."""
    for folder in filter(None, environment.get("PYTHONPATH", "").split(":")):
        if (path := Path(folder, "sitecustomize.py")).exists():
            exec(compile(path.read_bytes(), path, "exec"), {})
