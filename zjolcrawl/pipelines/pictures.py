"""Client of the worker process that decodes pictures, one at a time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from contextlib import suppress

from zjolcrawl.messages import cause_of
from zjolcrawl.parsing.picture import NotPicture, Picture
from zjolcrawl.pipelines.picture_process import LENGTH, MOST_MEMORY, MOST_SECONDS
from zjolcrawl.processes import own_environment

_PROCESS = "zjolcrawl.pipelines.picture_process"
_LOST = f"takes more than {MOST_MEMORY >> 20} MB or {MOST_SECONDS} s to decode"


class PictureReader:
    """Decodes pictures; starts the worker on first use and again after a picture that killed it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = asyncio.Lock()
        self._exchange = threading.Lock()  # a cancelled task's exchange still runs in its thread

    async def read(self, data: bytes) -> Picture:
        """The result of `read_picture`. Raises NotPicture."""
        async with self._turn:
            return await asyncio.to_thread(self._ask, data)

    async def close(self) -> None:
        """End the process and wait for it."""
        await asyncio.to_thread(self._end)

    def _ask(self, data: bytes) -> Picture:
        with self._exchange:
            line = b""
            try:
                process = self._process = self._process or _begin()
                assert process.stdin
                assert process.stdout
                process.stdin.write(LENGTH.pack(len(data)))
                process.stdin.write(data)
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                pass  # handled below as no answer
            except OSError as error:
                raise NotPicture(f"not read: no process for it ({cause_of(error)})") from error
        if not line.endswith(b"\n"):
            self._end()
            raise NotPicture(_LOST)
        answer = json.loads(line)
        if isinstance(answer, str):
            raise NotPicture(answer)
        return Picture(*answer)

    def _end(self) -> None:
        with self._exchange:
            process, self._process = self._process, None
            if process is None:
                return
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):  # data that was not sent yet
                        pipe.close()
            try:
                process.wait(MOST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _begin() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _PROCESS],  # -P: import nothing from the current folder
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=own_environment(),
        start_new_session=True,  # Ctrl-C goes only to the crawl, which ends it
    )  # fmt: skip
