"""Compressed zeros, made without compressing all of them: the block of one megabyte stands for itself."""

from __future__ import annotations

import struct
import zlib

_MEGABYTE = bytes(1 << 20)


def gzip_of(megabytes: int, head: bytes = b"") -> bytes:
    """A gzip member of a head and zeros."""
    checksum = zlib.crc32(head)
    for _ in range(megabytes):
        checksum = zlib.crc32(_MEGABYTE, checksum)
    end = struct.pack("<II", checksum, len(head) + (megabytes << 20))
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + _deflated(megabytes, head) + end


def zlib_of(megabytes: int) -> bytes:
    """Zeros as a zlib stream."""
    adler = (megabytes * len(_MEGABYTE) % 65_521 << 16) + 1
    return b"\x78\xda" + _deflated(megabytes) + struct.pack(">I", adler)


def _deflated(megabytes: int, head: bytes = b"") -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(_MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + block * megabytes + packer.flush()
