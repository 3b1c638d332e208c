"""`scrapy browse`: starts, prints its URL and ends cleanly; or prints one line with exit status 2."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.crawling import LONG, ROOT, Crawl
from tests.support.mongod import is_running
from tests.web.serving import browsing
from zjolcrawl.storage.embedded import EmbeddedServer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_cleanly(
    number: signal.Signals, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    with browsing(tmp_path, mongodb_uri, database) as (web, running):
        assert web.get("/").status == 200
        running.send_signal(number)
        assert running.wait(timeout=LONG) == 0


def test_on_the_embedded_database(tmp_path: Path) -> None:
    EmbeddedServer.acquire(tmp_path).release()
    with browsing(tmp_path, "", "zjol") as (web, running):
        for path in ("/", "/columns", "/calendar", "/health"):
            assert web.get(path).status == 200, path
        assert is_running(tmp_path)
        running.terminate()
        assert running.wait(timeout=LONG) == 0
    assert not is_running(tmp_path)


def test_others_are_warned_of(mongodb_uri: str, database: str, tmp_path: Path) -> None:
    options = ("--host", "0.0.0.0", "-s", "API_TOKEN=off")
    with browsing(tmp_path, mongodb_uri, database, *options) as (web, running):
        assert web.url.startswith("http://127.0.0.1:")  # 0.0.0.0 is no address to open
        assert web.get("/").status == 200
        running.terminate()
        assert running.wait(timeout=LONG) == 0
        assert running.stderr
        warning = running.stderr.read()
        assert "other machines can reach http://" in warning
        assert "0.0.0.0" not in warning


def test_a_proxy_may_pass_its_own_name(mongodb_uri: str, database: str, tmp_path: Path) -> None:
    name = {"Host": "news.example.org"}
    with browsing(tmp_path, mongodb_uri, database) as (web, _):
        got = web.get("/columns", headers=name)
        assert (got.status, "BROWSE_HOSTS" in got.text) == (400, True)
    options = ("-s", "BROWSE_HOSTS=other.example.org, news.example.org")
    with browsing(tmp_path, mongodb_uri, database, *options) as (web, _):
        assert web.get("/columns", headers=name).status == 200
        assert web.get("/columns", headers={"Host": "evil.example"}).status == 400


def test_database_that_goes_away_is_told_without_a_trace(tmp_path: Path) -> None:
    from tests.support.mongod import Mongod

    with Mongod(tmp_path / "mongod") as mongod, browsing(tmp_path, mongod.uri, "zjol") as (web, _):
        assert web.get("/").status == 200
        mongod.stop()
        got = web.get("/")
        assert got.status == 503
        assert "数据库没有及时回答" in got.text
        mongod.start()
        assert web.get("/").status == 200


def test_unusable_arguments(command: Crawl) -> None:
    for options in (["--port", "x"], ["--port", "70000"], ["word"]):
        assert command("browse", *options).returncode == 2
    done = command("browse", "-s", "BROWSE_HOSTS=http://x/")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "setting BROWSE_HOSTS=http://x/ is not a host name" in done.stderr
    done = command("browse", "--host", "no.such.name.invalid")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = command("browse", "--port", str(taken.getsockname()[1]))
        assert (done.returncode, done.stdout) == (2, "")
        assert "cannot listen on 127.0.0.1:" in done.stderr


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError(name='starlette')")
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "browse"], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "DATA_DIR": str(tmp_path)}, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "zjolcrawl: scrapy browse needs an extra: pip install 'zjolcrawl[browse]' (no starlette)\n"
    )
