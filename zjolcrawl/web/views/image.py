"""`/image/<sha256>`: the bytes of an image that an article contains."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.storage.queries.browsing import image_entry
from zjolcrawl.web.site import site_of
from zjolcrawl.web.texts import _

# Only raster formats, with their suffix in the store; SVG can contain scripts.
_TYPES = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp",
    "image/bmp": ".bmp", "image/avif": ".avif",
}  # fmt: skip
_KEPT = "public, max-age=31536000, immutable"


async def show(request: Request) -> Response:
    """The image bytes. The store path is made of hash and type; a path in a document is never used.

    Raises HTTPException 404.
    """
    sha256 = request.path_params["sha256"]
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise HTTPException(404, _("没有这张图片。"))
    headers = {"etag": f'"{sha256}"', "cache-control": _KEPT}
    site = site_of(request)
    entry = await image_entry(site.db, sha256)
    kind = (entry or {}).get("content_type")
    if kind not in _TYPES:
        raise HTTPException(404, _("没有这张图片。"))
    if f'"{sha256}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    data = await site.images.read(f"{sha256[:2]}/{sha256}{_TYPES[kind]}")
    if data is None:
        raise HTTPException(404, _("图片的字节不在这里的图片库中。"))
    return Response(data, media_type=kind, headers=headers)
