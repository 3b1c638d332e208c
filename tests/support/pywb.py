"""pywb as a local Wayback, in an environment of its own: it needs older versions of packages that the tests need too."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import Answer, SiteProxy
from tests.support.site.messages import Request

# pywb imports pkg_resources.
_PACKAGES = ("pywb==2.10.0", "setuptools<81")
_LOCAL = {"proxy-connection", "connection", "accept-encoding"}


def installed(folder: Path) -> Path:
    """The folder of pywb's programs; made once. Skips the test where pywb cannot be installed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "complete"
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not done.exists():
            home = folder / "environment"
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
            # This environment's pip, and only what pywb imports is compiled, when it starts.
            pip = [
                sys.executable, "-m", "pip", "--python", home, "install", "--quiet", "--no-compile", *_PACKAGES,
            ]  # fmt: skip
            made = subprocess.run(pip, capture_output=True, text=True, check=False)
            if made.returncode:
                pytest.skip(f"pywb cannot be installed: {made.stderr[-300:]}")
            done.touch()
    return folder / "environment" / "bin"


@contextlib.contextmanager
def serving(
    programs: Path, folder: Path, content: bytes, name: str = "made.warc.gz"
) -> Iterator[int]:
    """The port of a pywb whose collection `coll` has the records of a WARC or WACZ file with this name."""
    (folder / name).write_bytes(content)
    unpacked = ("--unpack-wacz",) if name.endswith(".wacz") else ()
    for arguments in (("init", "coll"), ("add", *unpacked, "coll", name)):
        subprocess.run(
            [programs / "wb-manager", *arguments], cwd=folder, check=True, capture_output=True
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    log = (folder / "log").open("wb")
    with log, subprocess.Popen(
        [programs / "wayback", "-p", str(port), "-b", "127.0.0.1"],
        cwd=folder, stdout=log, stderr=log,
    ) as server:  # fmt: skip
        try:
            _wait(port, server)
            yield port
        finally:
            server.terminate()


def forward(site: SiteProxy, host: str, port: int, *, renamed: bool = False) -> None:
    """Let a host name of the test site stand for the server at a local port; `renamed`: under its own name."""
    dropped = _LOCAL | ({"host"} if renamed else set())

    def responder(request: Request) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        target = request.url.partition("://")[2].partition("/")[2]
        kept = {name: v for name, v in request.headers.items() if name not in dropped}
        with contextlib.closing(connection):
            connection.request("GET", f"/{target}", headers=kept)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())

    site.set_host(host, responder)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("pywb does not start")
