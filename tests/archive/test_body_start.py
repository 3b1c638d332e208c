"""Reading the start of an archived body, also of a compression bomb."""

from __future__ import annotations

import gzip
import sys
import zlib

import brotli  # type: ignore[import-untyped]
import pytest

from zjolcrawl.archive.decoding import body_start
from zjolcrawl.archive.warc import Message

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BOMB = b"\0" * 30_000_000


def message(coding: str, body: bytes) -> Message:
    return Message("HTTP/1.1 200 OK", [("Content-Encoding", coding)], body)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress),
        ("zstd", zstd.compress), ("identity", bytes), ("", bytes),
    ],
)  # fmt: skip
def test_start_of_each_coding(coding: str, packed: object) -> None:
    assert callable(packed)
    assert body_start(message(coding, packed(b"abcdef" * 100)), 6) == (b"abcdef", True)
    assert body_start(message(coding, packed(b"abcdef")), 6) == (b"abcdef", False)
    assert body_start(message(coding, packed(BOMB)), 1000) == (b"\0" * 1000, True)


def test_what_cannot_be_unpacked_is_said() -> None:
    for coding, body in (
        ("gzip", b"this is not gzip"),
        ("br", b"this is not brotli"),
        ("zstd", b"this is not zstd"),
        ("gzip, br", b""),
        ("x", b""),
    ):
        with pytest.raises(ValueError, match="content coding"):
            body_start(message(coding, body), 10)
