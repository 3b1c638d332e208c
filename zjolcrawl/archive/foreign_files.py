"""Keeps the files that others made, whole, in DATA_DIR/warc/foreign, each with a note beside it."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from zjolcrawl.archive.files import shown
from zjolcrawl.archive.foreign import Unusable
from zjolcrawl.archive.foreign_bytes import GZIP_MAGIC, LONGEST_LINE, begins_a_record, next_record
from zjolcrawl.archive.foreign_notes import NOTE, SCRATCH, Kept, kept_files, left_copies
from zjolcrawl.archive.warc import warc_date
from zjolcrawl.clock import utc_now

_ZIP_MAGIC = b"PK\x03\x04"
_FORMS = (".warc", ".warc.gz", ".arc", ".arc.gz")
_PIECE = 1024 * 1024
_LONGEST_NAME = 150  # characters, with room for what is added
_ODD = re.compile(r"[^\w.+=@~-]")
# Bytes of a ZIP file's list of entries, which is held in memory.
_LARGEST_DIRECTORY = 32 * 1024 * 1024
_MOST_RATIO = 100  # of a compressed entry's size to its size in the ZIP file; more is a bomb


class NotAnArchive(Exception):
    """A file is no WARC, ARC or WACZ file, or cannot be read; the message is the reason."""


def keep_all(folder: Path, given: Iterable[str]) -> Iterator[Kept]:
    """Keep files, the WARC, ARC and WACZ files in folders, and `-` for stdin; each once.

    Raises NotAnArchive and OSError for a file that was named, before any file is kept.
    """
    sources: dict[Path, str] = {}
    for name in given:
        path = Path(name)
        if path.is_dir():
            found = sorted(each for each in path.rglob("*") if each.is_file() and is_archive(each))
            if not found:
                raise NotAnArchive(f"{shown(name)} has no WARC, ARC or WACZ file")
            sources |= {each: str(each) for each in found}
        elif name != "-":
            check_form(path, name)
            sources[path] = name
    if "-" in given:
        yield keep(folder, sys.stdin.buffer, "-")
    done: set[str] = set()
    for path, name in sources.items():
        kept = keep(folder, path, name)
        if kept.name not in done:
            yield kept
        done.add(kept.name)


def keep(folder: Path, source: Path | BinaryIO, given: str) -> Kept:
    """Keep a file in `folder`; the one that is there already if it has the same content.

    A file is copied, not linked: another program may still write to it. `given` is where it came from.
    Raises NotAnArchive and OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for each in left_copies(folder):
        each.unlink(missing_ok=True)
    descriptor, text = tempfile.mkstemp(prefix=SCRATCH, dir=folder)
    os.close(descriptor)
    scratch = Path(text)
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                _copy(file, scratch)
        else:
            _copy(source, scratch)
        sha256, size = _hashed(scratch)
        check_form(scratch, given)
        if kept := next((each for each in kept_files(folder) if each.sha256 == sha256), None):
            if not kept.is_done and not (folder / kept.name).exists():
                scratch.replace(folder / kept.name)
            return kept
        stem = Path(given).name if isinstance(source, Path) else f"stdin-{sha256[:12]}"
        # A file's name need not be UTF-8, but the note is.
        given = given.encode("utf-8", "backslashreplace").decode()
        left = _without_note(folder, sha256, size)
        name = left or _free_name(folder, stem, sha256)
        kept = Kept(name, sha256, size, given, warc_date(utc_now()))
        if left is None:
            scratch.replace(folder / name)
        kept.write(folder)
        return kept
    finally:
        scratch.unlink(missing_ok=True)


def _without_note(folder: Path, sha256: str, size: int) -> str | None:
    """The name of a file with this content that a killed import left without a note, or None."""
    for path in sorted(folder.iterdir()):
        is_ours = path.name.startswith(SCRATCH) or path.name.endswith(NOTE)
        if is_ours or not path.is_file() or path.stat().st_size != size or Kept.read(path):
            continue
        if _hashed(path)[0] == sha256:
            return path.name
    return None


def check_form(path: Path, given: str) -> None:
    """Raises NotAnArchive unless the file is a WARC, ARC or WACZ file, perhaps with a damaged beginning."""
    with path.open("rb") as file:
        if _is_known(file.read(LONGEST_LINE)):
            return
        size = file.seek(0, os.SEEK_END)
        if size and given.lower().endswith(_FORMS) and next_record(file, 0) is not None:
            return
    why = "is not a WARC, ARC or WACZ file" if size else "is empty"
    raise NotAnArchive(f"{shown(given)} {why}")


def is_archive(path: Path) -> bool:
    """Whether the first bytes of a file are those of a WARC, ARC or WACZ file. Raises OSError."""
    with path.open("rb") as file:
        return _is_known(file.read(LONGEST_LINE))


def _is_known(start: bytes) -> bool:
    if start.startswith(GZIP_MAGIC):
        with suppress(zlib.error):
            return begins_a_record(zlib.decompressobj(31).decompress(start, LONGEST_LINE))
        return False
    return start.startswith(_ZIP_MAGIC) or begins_a_record(start)


def _copy(source: BinaryIO, target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file, _PIECE)


def _hashed(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _free_name(folder: Path, stem: str, sha256: str) -> str:
    """A plain name that no other kept file has: the file's own if possible."""
    name = _ODD.sub("_", stem).lstrip(".-")[-_LONGEST_NAME:] or sha256[:12]
    if (folder / name).exists() or name.endswith(NOTE):
        name = f"{sha256[:12]}-{name.removesuffix(NOTE)}"
    return name


@contextmanager
def warc_files(path: Path) -> Iterator[Iterator[tuple[str, BinaryIO] | Unusable]]:
    """The WARC and ARC files in a kept file: itself, or those in a WACZ.

    Each comes with its name for messages, empty for the file itself. A name in a ZIP file is never used
    as a path. Raises OSError.
    """
    with path.open("rb") as file:
        if file.read(4) != _ZIP_MAGIC:
            yield iter([("", file)])
            return
        yield _of_wacz(file, path.parent)


# What zipfile and the decompressors raise for an entry; bzip2 raises OSError.
_UNREADABLE = (
    zipfile.BadZipFile, ValueError, struct.error, RuntimeError, NotImplementedError, EOFError, OSError,
    zlib.error, lzma.LZMAError,
)  # fmt: skip


def _of_wacz(file: BinaryIO, scratch: Path) -> Iterator[tuple[str, BinaryIO] | Unusable]:
    try:
        _check_directory(file)
        package = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, NotImplementedError) as error:
        yield Unusable(0, f"the WACZ file is incomplete or damaged ({error})")
        yield "", file  # its records may be whole, because they are not compressed again
        return
    except ValueError as error:
        yield Unusable(0, f"the WACZ file cannot be read ({error})")
        return
    entries = [each for each in package.infolist() if _is_warc(each.filename)]
    if not entries:
        yield Unusable(0, "the ZIP file has no WARC file in archive/")
    for entry in sorted(entries, key=lambda each: each.header_offset):
        name = shown(entry.filename)
        try:
            with _unpacked(package, entry, file, scratch) as warc:
                yield name, warc
        except _UNREADABLE as error:
            yield Unusable(entry.header_offset, f"{name} cannot be read ({error})")


def _is_warc(name: str) -> bool:
    return name.startswith("archive/") and name.lower().endswith(_FORMS)


def _check_directory(file: BinaryIO) -> None:
    """Raises ValueError if the list of entries is too long to be held in memory."""
    size = file.seek(0, os.SEEK_END)
    # The end of the directory has at most 65,557 bytes, or 76 more in ZIP64.
    file.seek(max(0, size - 66_000))
    tail = file.read()
    if (at := tail.rfind(b"PK\x05\x06")) < 0:
        return
    (length,) = struct.unpack_from("<I", tail, at + 12)
    if (large := tail.rfind(b"PK\x06\x06")) >= 0:
        (length,) = struct.unpack_from("<Q", tail, large + 40)
    if length > _LARGEST_DIRECTORY:
        raise ValueError("it lists too many entries")


@contextmanager
def _unpacked(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, file: BinaryIO, scratch: Path
) -> Iterator[BinaryIO]:
    """The bytes of an entry as a seekable file; a compressed one is unpacked into a temporary file."""
    with package.open(entry) as source:  # checks the entry's own header
        if entry.compress_type == zipfile.ZIP_STORED:
            file.seek(entry.header_offset + 26)
            names = struct.unpack("<HH", file.read(4))
            start = entry.header_offset + 30 + sum(names)
            yield cast(BinaryIO, _Stored(file, start, entry.file_size))
            return
        if entry.file_size > _MOST_RATIO * max(entry.compress_size, 1):
            raise ValueError("its size is not plausible")
        with tempfile.TemporaryFile(dir=scratch) as target:
            shutil.copyfileobj(source, target)
            yield target


class _Stored:
    """An entry that is stored without compression, as a file that can be read from any offset."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset if whence == os.SEEK_SET else self._size + offset
        return self._at

    def read(self, size: int) -> bytes:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(size, self._size - self._at)))
        self._at += len(data)
        return data
