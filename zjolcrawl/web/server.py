"""Runs the ASGI application on a socket until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 picks a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With an explicit IPPROTO_TCP asyncio sets TCP_NODELAY. It does not for socket.create_server's sockets,
    # where each page would wait for a delayed acknowledgment.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except BaseException:
        listening.close()
        raise
    return listening


def address(listening: socket.socket, host: str) -> str:
    """The URL of a listening socket on this machine; for a socket on all addresses that of loopback."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (only compared)
    return _url(here, listening)


def address_for_others(listening: socket.socket, host: str) -> str:
    """The URL of a listening socket for other machines, as far as it is known."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104 (only compared)
        return _url(host, listening)
    far = "2001:db8::1" if host == "::" else "192.0.2.1"  # for documentation: nothing is sent there
    with socket.socket(listening.family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((far, 9))
        except OSError:
            return _url(socket.gethostname(), listening)
        return _url(probe.getsockname()[0], listening)


def _url(host: str, listening: socket.socket) -> str:
    port = listening.getsockname()[1]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Serve requests from the start of the block; leaving it waits for SIGINT or SIGTERM.

    Requests in progress at that signal get up to 5 seconds to complete.
    """
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        http="h11", loop="asyncio", timeout_graceful_shutdown=5, proxy_headers=False,
    )  # fmt: skip
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.handle_exit, number, None)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listening]))
        yield


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: uvicorn's version raises the signal again, before the database is closed."""
        yield
