"""A small detached process that holds the embedded server for clients that are not zjolcrawl.

`scrapy mongo` has to end as soon as it has printed the URI, and a shell or a notebook takes no lock
of ours, so somebody else must be the server's user for them: `python -m zjolcrawl.storage.keeper`.
It stays while anything is connected and for a grace after the last connection.

At most one keeper holds a data folder (keeper.lock). A new one asks the old to leave by touching
keeper.leave, and is a user of the server before it does: so the server never stops in between, and
the newest `scrapy mongo` always gets its full grace.
"""

from __future__ import annotations

import argparse
import contextlib
import enum
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from zjolcrawl.processes import own_environment
from zjolcrawl.storage.embedded import (
    APP_NAME,
    STOP_SECONDS,
    EmbeddedServer,
    EmbeddedUnavailable,
    FileLock,
    is_running,
    leave_running,
    prepare_folder,
    server_folder,
    stop_if_unused,
)

logger = logging.getLogger(__name__)

LINGER_SECONDS = 300.0
"""The grace after the last connection: long enough to copy a URI into a notebook."""

_COUNT_SECONDS = 1.0
_LOG_BYTES = 1024 * 1024
_POLL_SECONDS = 0.05


class Dismissal(enum.Enum):
    """What became of the server when the keeper was dismissed."""

    NOT_RUNNING = "no server was running"
    STOPPED = "the server has stopped"
    IN_USE = "a crawl uses the server; it stops when the crawl ends"


def keep(data_dir: Path, *, linger: float = LINGER_SECONDS, timeout: float = 30.0) -> str:
    """Have a new keeper hold the server on `data_dir`, started if need be; return its URI.

    The keeper stays for `linger` seconds after the last foreign connection. Raises
    `EmbeddedUnavailable` as `EmbeddedServer.acquire` does, with the same message.
    """
    folder = prepare_folder(data_dir)
    log_path = folder / "keeper.log"
    with contextlib.suppress(OSError):
        if log_path.stat().st_size > _LOG_BYTES:
            log_path.replace(log_path.with_name("keeper.log.1"))
    command = [sys.executable, "-m", __name__, str(folder.parent)]
    command += ["--linger", str(linger), "--timeout", str(timeout)]
    try:
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=own_environment(),
                start_new_session=True,
            )
    except OSError as error:
        raise EmbeddedUnavailable(f"no keeper for {folder}: {error}") from error
    assert process.stdout is not None
    with process.stdout:
        answer = process.stdout.read().decode("utf-8", "replace").strip()
    leave_running(process)
    if answer.startswith("mongodb://"):
        return answer
    raise EmbeddedUnavailable(answer or f"the keeper failed; its last words are in {log_path}")


def dismiss(data_dir: Path) -> Dismissal:
    """Make the keeper leave now, and stop the server if nothing else uses it.

    This also stops a server whose users were all killed. Raises `EmbeddedUnavailable` if the keeper
    does not leave or the server does not stop.
    """
    folder = server_folder(data_dir)
    if not folder.exists() or not is_running(data_dir):
        return Dismissal.NOT_RUNNING
    # To be the only keeper for a moment, and then none, is all there is to it.
    with _only_keeper(folder, STOP_SECONDS):
        return Dismissal.STOPPED if stop_if_unused(data_dir) else Dismissal.IN_USE


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold the server of a data folder; write its URI, or the one-line reason why not, to stdout.

    0 when it has left of itself or was asked to, 1 if it lost the server, 2 if it never had it.
    """
    options = _parse(arguments)
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leave.set())
    try:
        with (
            EmbeddedServer.acquire(options.data_dir, timeout=options.timeout) as server,
            _only_keeper(server.folder, options.timeout),
        ):
            _answer(server.uri)
            _stay(server, options.linger, leave)
            # While keeper.lock is still held: who waits for it wants to know how this ends.
            server.release()
    except EmbeddedUnavailable as reason:
        _answer(str(reason))
        return 2
    except PyMongoError as error:
        logger.warning("the keeper of %s lost the server: %s", options.data_dir, error)
        return 1
    return 0


def _stay(server: EmbeddedServer, linger: float, leave: threading.Event) -> None:
    request = _request(server.folder)
    client: MongoClient[dict[str, Any]] = MongoClient(
        server.uri, appname=APP_NAME, serverSelectionTimeoutMS=5000
    )
    with client:
        quiet_since = next_count = time.monotonic()
        while not request.exists() and not leave.wait(_POLL_SECONDS):
            now = time.monotonic()
            if now < next_count:
                continue
            if _has_strangers(client):
                quiet_since = now
            elif now - quiet_since >= linger:
                return
            next_count = now + _COUNT_SECONDS


def _has_strangers(client: MongoClient[dict[str, Any]]) -> bool:
    """Whether any connection is not one of ours, be it idle or in the middle of a query."""
    connections = client.admin.aggregate(
        [
            {
                "$currentOp": {
                    "allUsers": True,
                    "idleConnections": True,
                    "idleSessions": False,
                    "localOps": True,
                }
            },
            # What has no client is a thread of the server itself.
            {"$match": {"client": {"$exists": True}, "appName": {"$ne": APP_NAME}}},
            {"$limit": 1},
        ]
    )
    return any(connections)


@contextmanager
def _only_keeper(folder: Path, timeout: float) -> Iterator[None]:
    """Be the one that holds keeper.lock, asking the one that does to leave."""
    deadline = time.monotonic() + timeout
    request = _request(folder)
    try:
        with FileLock(folder / "keeper.lock") as lock:
            while not lock.try_take():
                if time.monotonic() > deadline:
                    raise EmbeddedUnavailable(f"the keeper of {folder} does not answer")
                request.touch()  # Each time: one that has just arrived has cleared it.
                time.sleep(_POLL_SECONDS)
            request.unlink(missing_ok=True)
            yield
    except OSError as error:
        raise EmbeddedUnavailable(f"no keeper for {folder}: {error}") from error


def _request(folder: Path) -> Path:
    return folder / "keeper.leave"


def _answer(line: str) -> None:
    """Say one line on stdout and let go of it: `$(scrapy mongo)` waits for the pipe to close."""
    sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m zjolcrawl.storage.keeper")
    parser.add_argument("data_dir", metavar="DATA_DIR", type=Path)
    parser.add_argument("--linger", type=float, default=LINGER_SECONDS, metavar="SECONDS")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
