"""What the pages show: one archive, and how a page asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.image_stores import ImageReader
from zjolcrawl.storage.queries import find_article, version_of
from zjolcrawl.web.asked import key_of, text, whole


@dataclass(frozen=True, slots=True)
class Site:
    """The archive that is shown: its database, its DATA_DIR, its stores of images and of WARC files."""

    db: Database
    data_dir: Path
    images: ImageReader
    warc_store: WarcStore | None = None


def site_of(request: Request) -> Site:
    """The archive that the application shows."""
    site: Site = request.app.state.site
    return site


async def newest_of(request: Request) -> dict[str, Any]:
    """The newest version of the article that `url=` names, by any address of it. Raises 400, 404."""
    url = text(request.query_params, "url", most=2000)
    if not url:
        raise HTTPException(400, "请给出文章的网址：url=…")
    key = key_of(url)
    found = await find_article(site_of(request).db, key) if key else None
    if found is None:
        raise HTTPException(404, f"归档中没有这篇文章：{url[:200]}")
    return found


async def asked_version(request: Request, newest: dict[str, Any]) -> dict[str, Any]:
    """The version that `revision=` names, else the newest. Raises 400, 404."""
    revision = whole(request.query_params, "revision", newest["revision"], most=10**6)
    version = await version_of(site_of(request).db, newest, revision)
    if version is None:
        raise HTTPException(404, f"这篇文章只有第 1 至第 {newest['revision']} 版。")
    return version
