"""Images for tests: of each format, damaged, and decompression bombs."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image as Pillow

from tests.support.bombs import zlib_of

SHOWN = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO")
"""The accepted formats; ICO images have 64 × 64 pixels."""
OTHERS = ("ICNS", "JPEG2000", "PPM", "PCX", "TGA", "SGI", "PDF", "DDS", "QOI")
"""Formats that no browser shows but Pillow can write."""
EPS = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n"
    b"0 0 100 100 rectfill showpage\n%%EOF\n"
)


def saved(
    kind: str, size: tuple[int, int] = (64, 64), mode: str = "RGB", **options: object
) -> bytes:
    out = BytesIO()
    if kind == "PNG":
        options = {"compress_level": 1, **options}  # noise gets no smaller by more work
    Pillow.effect_noise(size, 100).convert(mode).save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def png(width: int, height: int, more: bytes = b"") -> bytes:
    """A black image with one bit per pixel, small in bytes at any size; `more` are further chunks."""
    rows = zlib.compress((b"\0" + bytes((width + 7) // 8)) * height, 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), more, chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def ico(*parts: bytes) -> bytes:
    """An icon file that declares each of its images as 16 × 16."""
    entries, at = [], 6 + 16 * len(parts)
    for part in parts:
        entries.append(struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(part), at))
        at += len(part)
    return struct.pack("<HHH", 0, 1, len(parts)) + b"".join(entries) + b"".join(parts)


def dib(width: int, height: int) -> bytes:
    """The header of an icon's bitmap, without pixels."""
    return struct.pack("<IiiHHIIiiII", 40, width, height * 2, 1, 32, 0, 0, 0, 0, 0, 0)


def gif(width: int, height: int, frame: tuple[int, int] | None = None, comments: int = 0) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    comment = b"\x21\xfe" + (b"\xff" + b"x" * 255) * comments + b"\0" if comments else b""
    size = struct.pack("<HHHHB", 0, 0, *(frame or (width, height)), 0)
    return head + comment + b"\x2c" + size + b"\x02\x02\x4c\x01\0;"


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size + bytes(40)


def lossless(width: int, height: int) -> bytes:
    """The header of a lossless WebP of this size."""
    size = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return b"RIFF\x40\0\0\0WEBPVP8L\x20\0\0\0\x2f" + size + bytes(40)


def tiff(*tags: tuple[int, int, int, int], data: bytes = b"") -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    start = struct.pack("<I", 8 + len(data))
    return b"II*\0" + start + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def tiff_tile(side: int) -> bytes:
    """An image of 10 × 10 in one tile with sides of this many pixels."""
    data = zlib_of(-(-side * side // 2**20))
    return tiff(
        (256, 4, 1, 10), (257, 4, 1, 10), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1),
        (322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 8), (325, 4, 1, len(data)), data=data,
    )  # fmt: skip


def tiff_tags(count: int, size: int) -> bytes:
    """This many fields that all refer to the same megabytes of the file."""
    fields = [(1000 + number, 7, size, 0) for number in range(count)]
    return tiff((256, 4, 1, 10), (257, 4, 1, 10), (273, 4, 1, 8), *fields) + bytes(size)


def bmp(width: int, height: int, pixels: bytes = b"\0\1") -> bytes:
    """Run-length encoded: two bytes stand for up to 255 pixels."""
    size = struct.pack("<IHHI", 1078 + len(pixels), 0, 0, 1078)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    return b"BM" + size + head + bytes(1024) + pixels


def scans(count: int) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    data = saved("JPEG", (2000, 2000), "L", progressive=True)
    at, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:at] + data[at:end] * count + data[end:]


def jpeg_claiming(width: int, height: int, **options: object) -> bytes:
    """A small JPEG whose frame header declares another size."""
    data = saved("JPEG", **options)  # type: ignore[arg-type]
    marker = b"\xff\xc2" if options.get("progressive") else b"\xff\xc0"
    at = data.index(marker) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]
