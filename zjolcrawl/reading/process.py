"""The process that reads pages for a crawl: `python -m zjolcrawl.reading.process SECONDS`, a socket as
stdin; each page is read in so many seconds of processor time at most.

It is sent pages and answers each, in order, until the other end closes or dies: then it ends too, so
that it is never left behind. It imports the parsing alone: 21 MB.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
import sys

from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.processes import tend_memory
from zjolcrawl.reading.deadline import TooLong, within

Found = RawArticle | Stub | NotArticle
"""What `read_article` returns."""
PAGE = struct.Struct(">II")
"""Before a page: how many bytes its URL (UTF-8) has, and how many its body."""
ANSWER = struct.Struct(">I")
"""Before an answer: how many bytes it has. It is what `read_article` returned, pickled, or None."""


def main() -> int:
    """Answer pages. 0 when there are no more."""
    tend_memory()
    seconds = float(sys.argv[1])
    with (
        socket.socket(fileno=os.dup(sys.stdin.fileno())) as channel,
        channel.makefile("rb") as asked,
    ):
        try:
            while len(head := asked.read(PAGE.size)) == PAGE.size:
                of_url, of_body = PAGE.unpack(head)
                url, body = asked.read(of_url), asked.read(of_body)
                if len(url) + len(body) < of_url + of_body:
                    break
                answer = _answer(seconds, body, url.decode())
                channel.sendall(ANSWER.pack(len(answer)) + answer)
        except ConnectionError:
            pass  # the crawl was killed: no one waits for an answer
    return 0


def read_in_time(seconds: float, body: bytes, url: str) -> Found:
    """What `read_article` returns, or raises; a NotArticle where it took too long."""
    try:
        return within(seconds, read_article, body, url)
    except TooLong as error:
        return NotArticle(str(error))


def _answer(seconds: float, body: bytes, url: str) -> bytes:
    try:
        return pickle.dumps(read_in_time(seconds, body, url), pickle.HIGHEST_PROTOCOL)
    except Exception:  # who asked reads the page itself, and so has the error with its traceback
        return pickle.dumps(None)


if __name__ == "__main__":
    sys.exit(main())
