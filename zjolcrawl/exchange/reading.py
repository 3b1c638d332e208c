"""JSON Lines files as the versions of one article after the other, whatever the files hold."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import IO

from zjolcrawl.exchange.files import STDOUT, FileRefused
from zjolcrawl.exchange.jsonl import MOST_BYTES, Unreadable, load
from zjolcrawl.storage.restore import Brought, Version

_LONGEST = 6 * MOST_BYTES  # a document whose every byte JSON writes as \u0000
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"

Tell = Callable[[str, str], None]
"""Takes where a fault is (FILE:LINE) and what it is."""


def check(names: list[str]) -> int:
    """The bytes of the files, as far as that is known. Raises FileRefused where one cannot be read."""
    size = 0
    for name in names:
        if name != STDOUT:
            with _opened(name):
                size += Path(name).stat().st_size
    return size


def articles(names: list[str], tell: Tell, read: Callable[[int], None]) -> Iterator[Brought]:
    """What the files (`-`: stdin) bring of each article: lines of one URL that follow each other.

    Faults are told, and what is faulty is passed over; `read` is called with the bytes that were read.
    """
    for name in names:
        known: Brought | None = None
        for version in _versions(name, tell, read):
            if known and (known.newest or known.url != version.url):
                yield known
                known = None
            known = known or Brought(version.url)
            known.add(version)
        if known:
            yield known


def _versions(name: str, tell: Tell, read: Callable[[int], None]) -> Iterator[Version]:
    number = total = 0
    try:
        with _opened(name) as (raw, lines):
            before = 0
            most = _most_bytes(raw) if raw is not lines else inf
            while line := lines.readline(_LONGEST):
                number, total = number + 1, total + len(line)
                if number == 1 and line.startswith(_PARQUET):
                    raise FileRefused("a Parquet file: import takes JSON Lines of `scrapy export`")
                if total > most:
                    raise FileRefused(f"it unpacks to more than {most} bytes")
                if raw.seekable() and (at := raw.tell()) != before:
                    read(at - before)
                    before = at
                place = f"{name}:{number}"
                whole = line.endswith(b"\n") or len(line) < _LONGEST
                while not whole and (rest := lines.readline(_LONGEST)):
                    line, whole = b"\0", rest.endswith(b"\n")  # let it go
                    total += len(rest)
                    if total > most:
                        break
                try:
                    if line == b"\0":
                        raise Unreadable(f"a line of more than {_LONGEST} bytes")
                    if line.strip():
                        yield Version(load(line.rstrip(b"\r\n")), place, len(line))
                except Unreadable as error:
                    tell(place, str(error))
    except FileRefused as error:
        tell(f"{name}:{number}", str(error))
    except (OSError, EOFError, zlib.error) as error:
        tell(f"{name}:{number + 1}", f"the file breaks off: {error}")


def _most_bytes(packed: IO[bytes]) -> float:
    """What a packed file of articles may come to: text is a tenth, a gzip bomb a thousandth."""
    return 2**28 + 200 * os.fstat(packed.fileno()).st_size if packed.seekable() else inf


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A file and what it holds, which is unpacked if need be. Raises FileRefused."""
    if name == STDOUT:
        yield sys.stdin.buffer, sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  # closed below
    except OSError as error:
        raise FileRefused(f"{name} cannot be read: {error.strerror}") from error
    with file:
        packed = file.peek(2)[:2] == _GZIP
        yield file, gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[misc]
