"""A replica set of three members on loopback."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from tests.support.mongod import free_port
from zjolcrawl.storage.embedded import find_mongod


class ReplicaSet:
    """Three members with small caches; a context manager that stops them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [free_port() for _ in range(3)]
        members = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        self.uri = f"mongodb://{members}/?replicaSet=rs"
        self._running: list[subprocess.Popen[bytes]] = []

    def client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.uri, tz_aware=True, serverSelectionTimeoutMS=30_000)

    def step_down(self) -> None:
        """The primary becomes a secondary and cannot be elected for ten seconds."""
        before = self.primary()
        with (
            self.client() as client,
            contextlib.suppress(AutoReconnect),
        ):  # it may close the connection
            client.admin.command({"replSetStepDown": 10, "secondaryCatchUpPeriodSecs": 5})
        assert self.primary() != before

    def primary(self) -> tuple[str, int] | None:
        with self.client() as client:
            client.admin.command("ping")
            return client.primary

    def __enter__(self) -> Self:
        try:
            for port in self._ports:
                self._start(port)
            self._initiate()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._running:
            each.send_signal(signal.SIGKILL)
            each.wait()

    def _start(self, port: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir(parents=True)
        self._running.append(
            subprocess.Popen(
                [
                    str(find_mongod()), "--replSet", "rs", "--dbpath", str(folder),
                    "--port", str(port), "--bind_ip", "127.0.0.1", "--oplogSize", "64",
                    "--wiredTigerCacheSizeGB", "0.25",
                    "--setParameter", "diagnosticDataCollectionEnabled=false",
                ],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def _initiate(self) -> None:
        members = [
            {"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(self._ports)
        ]
        # A primary that a busy machine holds up for two seconds must not be replaced.
        settings = {"electionTimeoutMillis": 10_000, "heartbeatIntervalMillis": 500}
        wanted = {"_id": "rs", "members": members, "settings": settings}
        for port in reversed(
            self._ports
        ):  # each must answer before the first one initiates the set
            address = f"mongodb://127.0.0.1:{port}/?directConnection=true"
            with MongoClient[dict[str, Any]](address, serverSelectionTimeoutMS=60_000) as client:
                client.admin.command("ping")
                if port == self._ports[0]:
                    client.admin.command("replSetInitiate", wanted)
        self.primary()
