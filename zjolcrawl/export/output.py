"""Output files that are complete or absent, and the formats of an export."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BufferedWriter
from pathlib import Path
from typing import IO, Any, cast

from zjolcrawl.export import csv_rows
from zjolcrawl.export.conform import conform
from zjolcrawl.export.jsonl import comes_back, dump
from zjolcrawl.filesystem import FileLock, sync_folder
from zjolcrawl.messages import cause_of

FORMATS = ("jsonl", "csv", "parquet")
STDOUT = "-"
_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}

_LEFT_OUT = "left out: of another type"
_AMBIGUOUS = "a value that import would read otherwise or refuse"

Write = Callable[[dict[str, Any]], list[str]]
"""Writes a document and returns a line for each part that could not be written unchanged.

Raises UnicodeEncodeError for half of a surrogate pair, and then has written nothing.
"""


class FileRefused(Exception):
    """A file cannot or must not be written or read; the message is one line."""


def format_of(name: str, chosen: str | None) -> str:
    """The format of a file: `chosen`, or else the one of its extension. Raises FileRefused."""
    ending = Path(name.removesuffix(".gz")).suffix.lower()
    form = chosen or ("jsonl" if name == STDOUT else _ENDINGS.get(ending))
    if form is None:
        raise FileRefused(
            f"{name}: give --format, or an extension of {', '.join(_ENDINGS)}, .jsonl.gz"
        )
    if form == "parquet":
        if name == STDOUT or name.endswith(".gz"):
            raise FileRefused("parquet needs a file name without .gz: it is compressed itself")
        if not find_spec("pyarrow"):
            raise FileRefused("parquet needs pyarrow: pip install 'zjolcrawl[export]'")
    return form


@contextmanager
def open_output(name: str, form: str, *, force: bool = False) -> Iterator[Write]:
    """A writer of documents to a file (`-`: stdout) in a format; the file appears at the end.

    Raises FileRefused if the file exists and `force` is off, or if it cannot be written.
    """
    try:
        with (
            _stdout() if name == STDOUT else whole_file(Path(name), force=force) as file,
            _packed(file, name) as packed,
            _FORMS[form](packed) as write,
        ):
            yield write
    except BrokenPipeError as error:
        raise FileRefused("stdout was closed before all was written") from error
    except OSError as error:
        raise FileRefused(f"{name} cannot be written: {cause_of(error, name)}") from error


def keeps_content(name: str) -> bool:
    """Whether a file of this name exists and is not empty."""
    path = Path(name)
    return name != STDOUT and path.is_file() and path.stat().st_size > 0


def written_bytes(name: str) -> int:
    """The size of a written file in bytes; 0 for stdout."""
    return 0 if name == STDOUT else Path(name).stat().st_size


@contextmanager
def _stdout() -> Iterator[IO[bytes]]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes stdout again at exit and would report the error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def whole_file(path: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """FILE.part, which is renamed to FILE once it is complete and durable, or else removed."""
    if path.exists() and not (force and path.is_file()):
        what = "exists: use --force to replace it" if path.is_file() else "is not a regular file"
        raise FileRefused(f"{path} {what}")
    part = path.with_name(f"{path.name}.part")
    lock = FileLock(part)
    with BufferedWriter(lock) as file:
        # Another export may have renamed or removed the file since it was opened here.
        mine = (
            lock.try_take()
            and part.exists()
            and os.path.samestat(part.stat(), os.fstat(lock.fileno()))
        )
        if not mine:
            raise FileRefused(f"{part} is being written by another export")
        try:
            file.seek(0)
            file.truncate()
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    sync_folder(path.absolute().parent)


@contextmanager
def _packed(file: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    if name.endswith(".gz"):
        # No name and no time in the header, so that the same articles make the same file.
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            yield cast("IO[bytes]", packed)
    else:
        yield file


@contextmanager
def _jsonl(file: IO[bytes]) -> Iterator[Write]:
    def write(document: dict[str, Any]) -> list[str]:
        line = dump(document)
        file.write(line)
        return [] if comes_back(line, document) else [_AMBIGUOUS]

    yield write


@contextmanager
def _csv(file: IO[bytes]) -> Iterator[Write]:
    def write(document: dict[str, Any]) -> list[str]:
        row, wrong = conform(document)
        file.write(csv_rows.line(csv_rows.cells(row)))
        return [f"{path} {_LEFT_OUT}" for path in wrong]

    file.write(csv_rows.BOM + csv_rows.line(csv_rows.header()))
    yield write


@contextmanager
def _parquet(file: IO[bytes]) -> Iterator[Write]:
    from zjolcrawl.export.parquet import row_groups

    with row_groups(file) as group:

        def write(document: dict[str, Any]) -> list[str]:
            row, wrong = conform(document)
            group.add(row)
            return [f"{path} {_LEFT_OUT}" for path in wrong]

        yield write


_FORMS = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
