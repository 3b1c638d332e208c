"""Runs nginx on loopback as a forward proxy that serves the site (Debian: nginx-light)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.site import FOLDER

_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 100000; types {{ {html} shtml; text/plain txt; }}
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {root}/$host; index index.shtml; gzip_static {gzip}; {copies} }}
}}
"""
# An article's copies have one file: bench.site.ident says how their addresses and their ids are made.
_COPIES = """
  location ~ "^{folder}t20170812_4(?<copy>[0-9]{{3}})(?<body>[0-9]{{4}})\\.shtml$" {{
    sub_filter_types *; sub_filter_once off; sub_filter "4000$body" "4$copy$body";
    try_files {folder}t20170812_4000$body.shtml =404;
  }}
"""


@contextmanager
def serve(
    root: Path, folder: Path, *, gzip: bool, charset: bool = False, copies: bool = False
) -> Iterator[str]:
    """Serve `root/<host>/<path>`; yields the proxy's URL. Raises RuntimeError without nginx.

    `charset`: Content-Type names the charset; on many servers of the time it does not. `copies`:
    the site has more articles than files; those are served plain.
    """
    binary = program()
    if not binary:
        raise RuntimeError("the benchmarks need nginx: apt-get install nginx-light")
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    configuration = folder / "nginx.conf"
    user = "user root;" if Path.home() == Path("/root") else ""
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            root=root,
            port=port,
            user=user,
            gzip="on" if gzip else "off",
            copies=_COPIES.format(folder=FOLDER) if copies else "",
            html='"text/html; charset=utf-8"' if charset else "text/html",
        )
    )
    running = subprocess.Popen([binary, "-c", str(configuration), "-p", str(folder)])
    try:
        _await(port, running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def program() -> str | None:
    """The path of nginx, or None."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _await(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if running.poll() is not None:
            raise RuntimeError("nginx did not start; its words are above")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx does not answer")
