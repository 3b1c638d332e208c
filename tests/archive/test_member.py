"""A record as a gzip member, compressed or stored, can be read by any gzip reader."""

from __future__ import annotations

import gzip
import random

import pytest

from zjolcrawl.archive.warc import digest, member, parse_record

NOISE = random.Random(1).randbytes(200_000)  # not a security use


# A stored block of a deflate stream has at most 65,535 bytes; four follow the body.
@pytest.mark.parametrize("size", [0, 1, 4000, 4096, 65_531, 65_532, 131_066, 131_067, 200_000])
@pytest.mark.parametrize("level", [0, 1, 4])
def test_whatever_its_size(level: int, size: int) -> None:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + NOISE[:size]
    record = parse_record(gzip.decompress(member("urn:x:1", "response", [], block, level)))
    assert record.block == block
    assert record.fields["warc-block-digest"] == digest(block)


def test_a_long_head_is_squeezed_too() -> None:
    block = b"HTTP/1.1 200 OK\r\nX: " + b"abc" * 20_000 + b"\r\n\r\nbody"
    whole = member("urn:x:1", "response", [("Y", "z" * 10_000)], block, 0)
    assert parse_record(gzip.decompress(whole)).block == block
    assert len(whole) < 1000
