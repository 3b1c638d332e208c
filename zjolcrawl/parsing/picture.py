"""An image's type and size from its bytes, whatever its name or its server say."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

# Beyond this no pixel is decoded, so that a few bytes cannot ask for gigabytes.
_MOST_PIXELS = 50_000_000


class NotPicture(ValueError):
    """The bytes are no image, or only part of one; the message says which."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Width and height in pixels, media type, and the suffix that goes with it."""

    width: int
    height: int
    content_type: str
    suffix: str


def read_picture(data: bytes) -> Picture:
    """What the bytes are. Decodes them, so call it in a thread. Raises NotPicture."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of a large picture and of odd metadata; neither is our reader's matter.
            warnings.simplefilter("ignore")
            with Pillow.open(BytesIO(data)) as image:
                width, height = image.size
                kind = image.format or ""
                if width * height <= _MOST_PIXELS:
                    # JPEG: an eighth of the work, yet every byte is read.
                    image.draft("L", (width // 8 or 1, height // 8 or 1))
                    image.load()
    except UnidentifiedImageError:
        raise NotPicture("no image") from None
    except Pillow.DecompressionBombError:
        raise NotPicture("claims too many pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise NotPicture(f"damaged: {error}") from error
    content_type = Pillow.MIME.get(kind, f"image/{kind.lower()}")
    suffix = {"JPEG": ".jpg", "TIFF": ".tif"}.get(kind, f".{kind.lower()}")
    return Picture(width, height, content_type, suffix)
