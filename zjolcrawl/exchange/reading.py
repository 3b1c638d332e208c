"""Reads JSON Lines files as articles with their versions and survives any content."""

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

_LONGEST = 6 * MOST_BYTES  # bytes of a line if JSON writes every byte of a document as \u0000
_MOST_BLANK = 1_000_000
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"

Tell = Callable[[str, str], None]
"""Called with the place of an error (FILE:LINE) and its description."""


def check(names: list[str]) -> int:
    """The total size of the files in bytes, without stdin. Raises FileRefused if one cannot be read."""
    size = 0
    for name in names:
        if name != STDOUT:
            with _opened(name):
                size += Path(name).stat().st_size
    return size


def articles(names: list[str], tell: Tell, read: Callable[[int], None]) -> Iterator[Brought]:
    """The articles in the files (`-`: stdin); consecutive lines of one URL form one article.

    Errors are reported to `tell` and the faulty lines skipped. `read` is called with the number of
    bytes read since the last call.
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
    number = 0
    try:
        with _opened(name) as (raw, lines):
            for line in _lines(raw, lines, read):
                number += 1
                if line == b"\n":
                    continue
                try:
                    if line is None:
                        raise Unreadable(f"a line of more than {_LONGEST} bytes")
                    if line.strip():
                        place = f"{name}:{number}"
                        yield Version(load(line.rstrip(b"\r\n")), place, len(line))
                except Unreadable as error:
                    tell(f"{name}:{number}", str(error))
    except (FileRefused, OSError, EOFError, zlib.error) as error:
        why = "" if isinstance(error, FileRefused) else "the file breaks off: "
        tell(f"{name}:{number + 1}", f"{why}{error}")


def _lines(raw: IO[bytes], lines: IO[bytes], read: Callable[[int], None]) -> Iterator[bytes | None]:
    """Lines, or None for a line that is too long. Raises FileRefused if the file has no articles."""
    before = total = blank = 0
    most = _most_bytes(raw) if raw is not lines else inf
    part_of_long = False
    while line := lines.readline(_LONGEST):
        total += len(line)
        blank += line == b"\n"
        if not before and line.startswith(_PARQUET):
            raise FileRefused("a Parquet file: import takes JSON Lines of `scrapy export`")
        if total > most or blank > _MOST_BLANK:
            raise FileRefused("not a file of articles: it unpacks to too much, or to empty lines")
        if raw.seekable() and (at := raw.tell()) != before:
            read(at - before)
            before = at
        ends = line.endswith(b"\n") or len(line) < _LONGEST
        if part_of_long or not ends:
            if ends:
                yield None
            part_of_long = not ends
        else:
            yield line
    if part_of_long:
        yield None


def _most_bytes(packed: IO[bytes]) -> float:
    """Size limit of a decompressed file of articles: text compresses tenfold, a gzip bomb a thousandfold."""
    return 2**27 + 200 * os.fstat(packed.fileno()).st_size if packed.seekable() else inf


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A file, and the stream of its content, decompressed if needed. Raises FileRefused."""
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
