"""Reads WARC files with independent tools: warcio's checker, FastWARC's reader, cdxj-indexer's index."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdxj_indexer.main import CDXJIndexer
from fastwarc.warc import ArchiveIterator


@dataclass(frozen=True)
class Seen:
    """A record as FastWARC reads it; `payload` is undecoded, `decoded` has no content-encoding."""

    type: str
    url: str
    status: int | None
    headers: dict[str, str]
    payload: bytes
    offset: int
    file: str

    @property
    def decoded(self) -> bytes:
        encoding = self.headers.get("Content-Encoding", "")
        return gzip.decompress(self.payload) if encoding == "gzip" else self.payload


def accepted(folder: Path) -> list[Seen]:
    """All records of the files in a folder, after warcio and FastWARC have accepted them."""
    files = sorted(folder.glob("*.warc.gz"))
    assert not list(folder.glob("*.open"))
    if files:
        check = subprocess.run(
            [sys.executable, "-m", "warcio.cli", "check", *map(str, files)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert check.returncode == 0, check.stdout
    return [seen for file in files for seen in _read(file)]


def _read(file: Path) -> list[Seen]:
    found = []
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream, parse_http=False, strict_mode=True):
            assert record.verify_block_digest(), (file, record.stream_pos)
            kind = record.headers["WARC-Type"]
            if kind in {"response", "revisit"}:
                record.parse_http()
                if kind == "response":
                    assert record.verify_payload_digest(), (file, record.stream_pos)
            http: Any = record.http_headers if kind in {"response", "revisit"} else None
            found.append(
                Seen(
                    kind,
                    record.headers.get("WARC-Target-URI", ""),
                    http.status_code if http else None,
                    dict(record.headers.items()) | (dict(http.items()) if http else {}),
                    record.reader.read(),
                    record.stream_pos,
                    file.name,
                )
            )
    return found


def other_cdxj(file: Path) -> str:
    """The CDXJ index that cdxj-indexer makes of a file."""
    out = io.StringIO()
    CDXJIndexer(output=out, inputs=[str(file)], sort=True).process_all()
    return out.getvalue()
