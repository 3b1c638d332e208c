"""Files that are whole or not there, and the forms that articles can have in them."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

from zjolcrawl.durable import sync_folder
from zjolcrawl.exchange import tables
from zjolcrawl.exchange.jsonl import comes_back, dump
from zjolcrawl.exchange.values import fitted

FORMATS = ("jsonl", "csv", "parquet")
STDOUT = "-"
_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}

_LEFT_OUT = "left out: of another type"
_AMBIGUOUS = "a value that import would read otherwise or refuse"

Write = Callable[[dict[str, Any]], list[str]]
"""Writes a document; what of it could not be written as it is, each in words.

Raises UnicodeEncodeError where a text has half a surrogate pair, and then has written nothing.
"""


class FileRefused(Exception):
    """A file cannot be written or is not to be; the message is one line."""


def format_of(name: str, chosen: str | None) -> str:
    """The form of a file: the chosen one, else that of its ending. Raises FileRefused."""
    ending = Path(name.removesuffix(".gz")).suffix.lower()
    form = chosen or ("jsonl" if name == STDOUT else _ENDINGS.get(ending))
    if form is None:
        raise FileRefused(
            f"{name}: give --format, or an ending of {', '.join(_ENDINGS)}, .jsonl.gz"
        )
    if form == "parquet":
        if name == STDOUT or name.endswith(".gz"):
            raise FileRefused("parquet goes into a file, and is compressed as it is")
        if not find_spec("pyarrow"):
            raise FileRefused("parquet needs pyarrow: pip install 'zjolcrawl[export]'")
    return form


@contextmanager
def written(name: str, form: str, *, force: bool = False) -> Iterator[Write]:
    """What writes documents into a file (`-`: stdout) in a form; the file is there at the end.

    Raises FileRefused where it is there already and not to be overwritten, or cannot be written.
    """
    try:
        with (
            _stdout() if name == STDOUT else _whole(Path(name), force=force) as file,
            _packed(file, name) as packed,
            _FORMS[form](packed) as write,
        ):
            yield write
    except BrokenPipeError as error:
        raise FileRefused("stdout was closed before all was written") from error
    except OSError as error:
        raise FileRefused(f"{name} cannot be written: {error.strerror or error}") from error


def written_bytes(name: str) -> int:
    """The size of a file that was written; 0 of stdout."""
    return 0 if name == STDOUT else Path(name).stat().st_size


@contextmanager
def _stdout() -> Iterator[IO[bytes]]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends, and would tell of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def _whole(path: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """FILE.part, which becomes FILE once it is whole and durable, and else is removed."""
    if path.exists() and not (force and path.is_file()):
        what = "is there: --force overwrites it" if path.is_file() else "is no ordinary file"
        raise FileRefused(f"{path} {what}")
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        _hold(part, file)
        try:
            file.truncate()
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    sync_folder(path.absolute().parent)


def _hold(part: Path, file: IO[bytes]) -> None:
    """Let no other export write the same file. Raises FileRefused."""
    import fcntl  # Not at the top: Windows has none.

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another may have renamed or removed what was opened here.
        alone = part.exists() and os.path.samestat(part.stat(), os.fstat(file.fileno()))
    except BlockingIOError:
        alone = False
    if not alone:
        raise FileRefused(f"{part} is being written by another export")


@contextmanager
def _packed(file: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    if name.endswith(".gz"):
        # No name and no time in it: the same articles make the same file.
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
        row, wrong = fitted(document)
        file.write(tables.line(tables.cells(row)))
        return [f"{path} {_LEFT_OUT}" for path in wrong]

    file.write(tables.BOM + tables.line(tables.header()))
    yield write


@contextmanager
def _parquet(file: IO[bytes]) -> Iterator[Write]:
    from zjolcrawl.exchange.parquet import row_groups  # needs the extra `export`

    with row_groups(file) as group:

        def write(document: dict[str, Any]) -> list[str]:
            row, wrong = fitted(document)
            group.add(row)
            return [f"{path} {_LEFT_OUT}" for path in wrong]

        yield write


_FORMS = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
