"""Imports JSON Lines files: reads articles with their versions, and survives any content."""

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

from zjolcrawl.export.conform import broken_rule
from zjolcrawl.export.jsonl import MOST_BYTES, Unreadable, load
from zjolcrawl.export.output import STDOUT, FileRefused
from zjolcrawl.messages import cause_of
from zjolcrawl.storage.importer import ImportedArticle, ImportedVersion, Importer

_LONGEST = 6 * MOST_BYTES  # bytes of a line if JSON writes every byte of a document as \u0000
_MOST_BLANK = 1_000_000
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"

_ARTICLES, _BYTES = 200, 8 * 2**20  # limits of one bulk write

Reject = Callable[[str, str, str], None]
"""Called with the place of a faulty line (FILE:LINE), the reason, and `unreadable` or `refused`."""


def total_size(names: list[str]) -> int:
    """The total size of the files in bytes, without stdin. Raises FileRefused if one cannot be read."""
    size = 0
    for name in names:
        if name != STDOUT:
            with _opened(name):
                size += Path(name).stat().st_size
    return size


async def import_files(
    importer: Importer, names: list[str], read: Callable[[int], None] = lambda size: None
) -> None:
    """Import the files in order, and count and report the results through `importer`.

    `read` is called with the number of bytes read since the last call. Raises StoreError.
    """
    for batch in _batches(read_articles(names, importer.reject, read)):
        await importer.put(batch)


def _batches(found: Iterator[ImportedArticle]) -> Iterator[list[ImportedArticle]]:
    """Batches of articles within the size limits, each URL once per batch."""
    batch: dict[str, ImportedArticle] = {}
    size = 0
    for each in found:
        more = sum(version.size for version in each.versions)
        if batch and (each.url in batch or len(batch) >= _ARTICLES or size + more > _BYTES):
            yield list(batch.values())
            batch, size = {}, 0
        batch[each.url] = each
        size += more
    if batch:
        yield list(batch.values())


def read_articles(
    names: list[str], reject: Reject, read: Callable[[int], None]
) -> Iterator[ImportedArticle]:
    """The articles in the files (`-`: stdin); consecutive lines of one URL form one article.

    Faulty lines are reported to `reject` and skipped. `read` is called with the number of bytes read since
    the last call.
    """
    for name in names:
        known: ImportedArticle | None = None
        for version in _versions(name, reject, read):
            if known and (known.newest or known.url != version.url):
                yield known
                known = None
            known = known or ImportedArticle(version.url)
            known.add(version)
        if known:
            yield known


def _versions(name: str, reject: Reject, read: Callable[[int], None]) -> Iterator[ImportedVersion]:
    number = 0
    try:
        with _opened(name) as (raw, lines):
            for number, line in enumerate(_lines(raw, lines, read), 1):
                place = f"{name}:{number}"
                try:
                    if line is None:
                        raise Unreadable(f"a line of more than {_LONGEST} bytes")
                    if not line.strip():
                        continue
                    document = load(line.rstrip(b"\r\n"))
                except Unreadable as error:
                    reject(place, str(error), "unreadable")
                    continue
                if why := broken_rule(document):
                    reject(place, why, "refused")
                else:
                    yield ImportedVersion(document, place, len(line))
    except (FileRefused, OSError, EOFError, zlib.error) as error:
        why = "" if isinstance(error, FileRefused) else "the file breaks off: "
        reject(f"{name}:{number + 1}", f"{why}{cause_of(error)}", "unreadable")


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
        raise FileRefused(f"{name} cannot be read: {cause_of(error, name)}") from error
    with file:
        packed = file.peek(2)[:2] == _GZIP
        yield file, gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[misc]
