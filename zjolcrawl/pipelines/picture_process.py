"""The process that reads pictures for a crawl: `python -m zjolcrawl.pipelines.picture_process`.

It is sent pictures on stdin and answers each on stdout, until the other end closes or dies. Hostile bytes
can take any memory and time in a decoder; here they take this process, which its crawl starts anew.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from contextlib import suppress
from dataclasses import astuple

from zjolcrawl.parsing.picture import NotPicture, read_picture

LENGTH = struct.Struct(">I")
"""Before a picture: how many bytes it has. An answer is a line of JSON: a Picture's fields, or a reason."""
MOST_MEMORY = 768 * 1024 * 1024
"""Bytes of address space, of which the interpreter and the libraries take some 200 MB."""
MOST_SECONDS = 20
"""Processor time for one picture; the largest that are decoded take about one second."""


def main() -> int:
    """Answer pictures. 0 when there are no more."""
    with suppress(ValueError, OSError):  # the limit is lower already, or the system has none
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a decoder's own words are no answer
    with suppress(BrokenPipeError), answers:  # the crawl was killed: no one waits
        while len(head := asked.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            data = asked.read(length)
            if len(data) < length:
                break
            signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)  # whose signal ends the process
            answer = _answer(data)
            signal.setitimer(signal.ITIMER_PROF, 0)
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
    return 0


def _answer(data: bytes) -> list[int | str | None] | str:
    try:
        return list(astuple(read_picture(data)))
    except NotPicture as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
