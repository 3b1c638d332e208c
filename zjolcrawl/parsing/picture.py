"""Determines an image's type and size from its bytes, not from its name or HTTP headers."""

from __future__ import annotations

import struct
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from io import BytesIO
from typing import Any

# Formats that browsers show, with the memory to decode one, in bytes a pixel (Pillow 13, including its
# buffers). Formats for which Pillow runs a program (EPS) are left out; ICO is handled below.
_FORMATS = {"JPEG": 4, "PNG": 4, "GIF": 8, "BMP": 8, "TIFF": 8, "WEBP": 12, "AVIF": 12}
_PLUGINS = ("Jpeg", "Png", "Gif", "Bmp", "Tiff", "WebP", "Avif")
_MOST_BYTES = 128 * 1024 * 1024
"""Maximum memory for decoding. Larger images are not decoded: a few bytes could claim gigabytes."""
_ICON = b"\0\0\1\0"
_PNG = b"\x89PNG\r\n\x1a\n"


class NotPicture(ValueError):
    """The bytes are not an image, or a damaged one; the message says which."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image's width and height in pixels, media type and file suffix.

    `unread` gives the reason if the pixels were not decoded; then size and type are only what the
    header claims.
    """

    width: int
    height: int
    content_type: str
    suffix: str
    unread: str | None = None


def read_picture(data: bytes) -> Picture:
    """The type and size of an image. Raises NotPicture if the bytes are not an image or are damaged.

    Decodes the first frame if that takes at most 128 MiB. Hostile bytes may still take more memory and
    time, so `PictureReader` calls this in a process with limits.
    """
    try:
        if data.startswith(_ICON):  # Pillow would decode an icon's largest picture on opening it
            return _judged(Picture(*_icon_size(data), "image/x-icon", ".ico"), _FORMATS["PNG"])
        if size := _webp_size(data):
            claimed = _judged(Picture(*size, "image/webp", ".webp"), _FORMATS["WEBP"])
            if claimed.unread:
                return claimed
        return _decoded(data)
    except NotPicture:
        raise
    except MemoryError:
        raise NotPicture("needs too much memory to read") from None
    except Exception as error:  # Pillow raises a dozen kinds of errors
        raise NotPicture(f"damaged: {' '.join(str(error).split())}") from error


def _decoded(data: bytes) -> Picture:
    from PIL import Image, UnidentifiedImageError

    for plugin in _PLUGINS:
        with suppress(ImportError):  # AVIF needs Pillow 11.3
            import_module(f"PIL.{plugin}ImagePlugin")
    Image.MAX_IMAGE_PIXELS = None  # _MOST_BYTES is stricter
    with warnings.catch_warnings():
        # Pillow warns of odd metadata, which does not matter here.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(BytesIO(data), formats=[f for f in _FORMATS if f in Image.OPEN])
        except UnidentifiedImageError:
            raise NotPicture("not an image") from None
        with image:
            kind = image.format or ""
            content_type = Image.MIME.get(kind, f"image/{kind.lower()}")
            suffix = {"JPEG": ".jpg", "TIFF": ".tif"}.get(kind, f".{kind.lower()}")
            picture = _judged(Picture(*image.size, content_type, suffix), _bytes_a_pixel(image))
            if picture.unread:
                return picture
            # For JPEG: decode at an eighth of the size; every byte is still read.
            image.draft("L", (image.width // 8 or 1, image.height // 8 or 1))
            try:
                image.load()
            except MemoryError:
                return replace(picture, unread="decoding needs too much memory")
    return picture


def _judged(picture: Picture, bytes_a_pixel: float) -> Picture:
    """The picture, with `unread` set if it is too large to decode. Raises NotPicture if it has no pixels."""
    if picture.width < 1 or picture.height < 1:
        raise NotPicture("damaged: it has no pixels")
    if picture.width * picture.height * bytes_a_pixel <= _MOST_BYTES:
        return picture
    claim = f"{picture.width} × {picture.height} pixels are too many to decode"
    return replace(picture, unread=claim)


def _bytes_a_pixel(image: Any) -> float:
    """The memory needed to decode, in bytes a pixel.

    A JPEG is decoded at an eighth of each side. A progressive JPEG is first held whole, with two bytes
    for each sample of each component.
    """
    layers = getattr(image, "layer", None)  # MPO too
    if not layers:
        return _FORMATS.get(image.format, max(_FORMATS.values()))
    if not image.info.get("progressive"):
        return _FORMATS["JPEG"] / 64
    samples = [(layer[1], layer[2]) for layer in layers]
    most = max(h for h, _ in samples) * max(v for _, v in samples)
    return float(2 * sum(h * v for h, v in samples) / (most or 1))


def _icon_size(data: bytes) -> tuple[int, int]:
    """Width and height of an icon's largest picture, from the picture's own header.

    Raises NotPicture if the file is cut off or has no icons, struct.error if a header is too short.
    """
    (count,) = struct.unpack_from("<H", data, 4)
    view, sizes = memoryview(data), []
    for number in range(count):
        length, offset = struct.unpack_from("<II", data, 6 + 16 * number + 8)
        part = view[offset : offset + length]
        if len(part) < max(length, 16):
            raise NotPicture("damaged: an icon is cut off")
        if part[:8] == _PNG:
            sizes.append(struct.unpack_from(">II", part, 16))
        else:  # BITMAPINFOHEADER: its height covers the picture and its mask
            width, height = struct.unpack_from("<ii", part, 4)
            sizes.append((abs(width), abs(height) // 2))
    if not sizes:
        raise NotPicture("damaged: an icon file without icons")
    return max(sizes, key=lambda size: size[0] * size[1])


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP, or None for other formats.

    Read here because the WebP decoder allocates memory for all pixels on opening the file.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF
