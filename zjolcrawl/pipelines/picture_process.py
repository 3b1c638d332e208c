"""Worker process that decodes a crawl's pictures (`python -m zjolcrawl.pipelines.picture_process`).

It reads pictures from stdin and writes one answer each to stdout, until the other end closes or
dies. Hostile bytes can exhaust memory or time in a decoder. Here they kill only this process, and
the crawl starts a new one.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from contextlib import suppress
from dataclasses import astuple

from zjolcrawl.parsing.picture import NotPicture, read_picture

LENGTH = struct.Struct(">I")
"""The length prefix of a picture, in bytes.

An answer is a line of JSON: the fields of a Picture, or a reason.
"""
MOST_MEMORY = 768 * 1024 * 1024
"""Bytes of address space; the interpreter and the libraries take about 200 MB of them."""
MOST_SECONDS = 20
"""Seconds of processor time for one picture, far above what the largest accepted ones need."""


def main() -> int:
    """Answer pictures until stdin ends; returns the exit status, 0."""
    # The limit is lower already, or the system has none.
    with suppress(ValueError, OSError, ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a decoder may print
    with suppress(BrokenPipeError), answers:  # the crawl was killed
        while len(head := asked.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            data = asked.read(length)
            if len(data) < length:
                break
            _alarm(MOST_SECONDS)
            answer = _answer(data)
            _alarm(0)
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
    return 0


def _alarm(seconds: float) -> None:
    """End the process after this processor time; 0: never. Windows has no such alarm."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _answer(data: bytes) -> list[int | str | None] | str:
    try:
        return list(astuple(read_picture(data)))
    except NotPicture as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
