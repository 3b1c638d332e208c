"""A mongod that a test can stop and start again."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Self

from pymongo import MongoClient

from zjolcrawl.filesystem import FileLock
from zjolcrawl.storage.embedded import find_mongod, start_lock


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def is_running(data_dir: Path) -> bool:
    """Whether an embedded server runs on the data folder, with or without users."""
    folder = data_dir.resolve() / "mongodb"
    if not folder.exists():
        return False
    with start_lock(folder), FileLock(folder / "server.lock") as server:
        return not server.try_take()


class Mongod:
    """A mongod that is not started yet; a context manager that stops it at the end."""

    def __init__(self, folder: Path, *options: str) -> None:
        """`options` are further command-line options of mongod."""
        self._folder, self._options = folder, options
        folder.mkdir(parents=True)
        self._port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self._port}/?directConnection=true"
        # For a client that notices soon that the server is back, and for one that gives up soon if it is down.
        self.watchful_uri = f"{self.uri}&heartbeatFrequencyMS=500"
        self.hasty_uri = f"{self.watchful_uri}&serverSelectionTimeoutMS=3000"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """`options` are those of this start only."""
        self._running = subprocess.Popen(
            [
                str(find_mongod()), "--dbpath", str(self._folder), "--port", str(self._port),
                "--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25", *self._options, *options,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with self.client() as client:
            client.admin.command("ping")

    def stop(self) -> None:
        assert self._running
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(60)
        finally:
            self._running.kill()
        self._running = None

    def client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.uri, tz_aware=True, serverSelectionTimeoutMS=30_000)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._running:
            self.stop()
