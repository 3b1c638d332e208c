"""A detached process that keeps the embedded server running for mongosh, notebooks and the like.

They hold no lock of ours: the monitor holds monitor.lock until some time after they disconnect.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from zjolcrawl.filesystem import FileLock
from zjolcrawl.storage.embedded import EmbeddedServer, spawn, start_lock, stop_if_unused

LINGER_SECONDS = 300.0  # time to copy a URI into a notebook
_APP_NAME = "zjolcrawl-monitor"
_CLIENTS: list[dict[str, Any]] = [  # connections of others, idle ones too; threads have no `client`
    {"$currentOp": {"allUsers": True, "idleConnections": True, "localOps": True}},
    {"$match": {"client": {"$exists": True}, "appName": {"$ne": _APP_NAME}}},
    {"$limit": 1},
]


def start_monitored(data_dir: Path, *, linger: float = LINGER_SECONDS) -> str:
    """The URI of the server on `data_dir`, with a new monitor, or EmbeddedUnavailable."""
    with EmbeddedServer.acquire(data_dir) as server, start_lock(server.folder):
        path = server.folder / "monitor.lock"
        path.unlink(missing_ok=True)  # an older monitor leaves once its file is gone
        with FileLock(path) as lock:
            lock.try_take()
            command: list[str | Path] = [sys.executable, "-m", __name__, server.folder.parent]
            command += [str(lock.fileno()), server.uri, str(linger)]
            spawn(command, server.folder / "monitor.log", lock)
    return server.uri


def main(data_dir: str, descriptor: str, uri: str, linger: str) -> None:
    """Hold the inherited lock until the server is idle, a new monitor starts, or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    path, lock, last_used = (
        Path(data_dir, "mongodb/monitor.lock"),
        int(descriptor),
        time.monotonic(),
    )
    client = MongoClient[Any](uri, appname=_APP_NAME, serverSelectionTimeoutMS=5000)
    try:
        # FileNotFoundError: it was dismissed. PyMongoError: the server has ended.
        with client, suppress(FileNotFoundError, PyMongoError):
            while os.path.samestat(path.stat(), os.fstat(lock)):
                if any(client.admin.aggregate(_CLIENTS)):
                    last_used = time.monotonic()
                elif time.monotonic() - last_used >= float(linger):
                    break
                time.sleep(1)
    finally:
        os.close(lock)
        stop_if_unused(Path(data_dir))


if __name__ == "__main__":
    main(*sys.argv[1:])
