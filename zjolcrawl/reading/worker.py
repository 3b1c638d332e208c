"""The crawl's end of a process that reads pages."""

from __future__ import annotations

import asyncio
import pickle
import socket
import subprocess
import sys
from collections import deque
from typing import Self, cast

from zjolcrawl.processes import own_environment
from zjolcrawl.reading.process import ANSWER, PAGE, Found

_PROCESS = "zjolcrawl.reading.process"
_PATIENCE = 10  # seconds: it ends as soon as it is through with what it was asked


class Worker(asyncio.Protocol):
    """One such process. `waiting` is how many pages it was sent and has not answered."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.alive = True
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._asked: deque[asyncio.Future[Found | None]] = deque()
        self._received = bytearray()

    @classmethod
    async def start(cls, seconds: float) -> Self:
        """Start one that reads each page in so many seconds of processor time at most; it need not be
        up before it is asked. Raises OSError.
        """
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.to_thread(_begin, theirs, seconds)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        _, worker = await asyncio.get_running_loop().create_connection(
            lambda: cls(process), sock=ours
        )
        return worker

    @property
    def waiting(self) -> int:
        """Pages under way."""
        return len(self._asked)

    async def read(self, body: bytes, url: str) -> Found | None:
        """What `read_article` says of a page; None where there is no answer: the process is lost, or
        the page is one that our code cannot take.
        """
        if not self.alive or self._transport is None:
            return None
        answer: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        address = url.encode()
        self._transport.writelines([PAGE.pack(len(address), len(body)), address, body])
        return await answer

    async def close(self) -> None:
        """Let it end, and wait for that."""
        if self._transport:
            self._transport.close()
        await asyncio.to_thread(self._reap)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Asyncio's."""
        self._received += data
        while len(self._received) >= ANSWER.size:
            (size,) = ANSWER.unpack_from(self._received)
            end = ANSWER.size + size
            if len(self._received) < end:
                break
            found = pickle.loads(self._received[ANSWER.size : end])  # noqa: S301  # of our own process
            del self._received[:end]
            answer = self._asked.popleft()
            if not answer.done():  # its crawl may have been cancelled
                answer.set_result(found)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's. What was asked has no answer."""
        self.alive = False
        while self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_result(None)

    def _reap(self) -> None:
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _begin(channel: socket.socket, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _PROCESS, str(seconds)],  # -P: no module of the folder it is run in
        stdin=channel.fileno(), stdout=subprocess.DEVNULL, env=own_environment(),
        start_new_session=True,  # Ctrl-C is for the crawl, which lets it finish
    )  # fmt: skip
