"""`python -m tests.support.site --root fixtures/lists --root fixtures/T1`: the test site for the demo, until SIGTERM or SIGINT."""

import argparse
import json
import os
import signal
import threading
from pathlib import Path
from typing import TextIO

from tests.support.site.messages import Request
from tests.support.site.proxy import SiteProxy


def main() -> None:
    """Serve until SIGTERM or SIGINT; the proxy's URL is the one line on stdout."""
    arguments = _parse_arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (
        arguments.log.open("a", encoding="utf-8", buffering=1) as log,
        SiteProxy(
            arguments.root,
            port=arguments.port,
            listener=lambda request: _write(log, request),
        ) as proxy,
    ):
        if arguments.port_file:
            _write_whole(arguments.port_file, proxy.url.rpartition(":")[2] + "\n")
        print(proxy.url, flush=True)
        stop.wait()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.site", description=__doc__)
    parser.add_argument(
        "--root", type=Path, action="append", required=True, help="folder of hosts; repeatable"
    )
    parser.add_argument("--port", type=int, default=0, help="0: one that the system chooses")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it is open")
    parser.add_argument(
        "--log",
        type=Path,
        default=Path(os.devnull),
        help="file to append a JSON line to for every request",
    )
    arguments = parser.parse_args()
    for root in arguments.root:
        if not root.is_dir():
            parser.error(f"not a folder: {root}")
    return arguments


def _write(log: TextIO, request: Request) -> None:
    fields = ("time", "method", "url", "status", "headers")
    line = {name: getattr(request, name) for name in fields}
    log.write(json.dumps(line, ensure_ascii=False) + "\n")


def _write_whole(path: Path, text: str) -> None:
    # Atomically: a script that waits for the file must not read an empty one.
    draft = path.with_name(path.name + ".part")
    draft.write_text(text)
    draft.replace(path)


if __name__ == "__main__":
    main()
