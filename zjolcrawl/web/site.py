"""The archive behind the pages: database, stores, full-text index, and lookups by query string."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.search import SearchIndex, catch_up
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.errors import DatabaseError, StoreUnavailable
from zjolcrawl.storage.image_stores import ImageReader
from zjolcrawl.storage.queries.articles import find_article, version_at, version_of
from zjolcrawl.web.query_string import instant, integer, key_of, text
from zjolcrawl.web.texts import _

logger = logging.getLogger(__name__)
_PATIENCE, _PAUSE = 1.0, 10.0  # seconds: a page's wait for the index; pause between two catch-ups


@dataclass(frozen=True)
class Site:
    """The archive that is shown: database, DATA_DIR, stores of images and WARC files.

    `base_url`: where a proxy serves the pages, with a slash at its end; empty without a proxy.
    """

    db: Database
    data_dir: Path
    images: ImageReader
    warc_store: WarcStore | None = None
    base_url: str = ""
    catching_up: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def index(self) -> SearchIndex:
        """The full-text index, opened on each use because it may have been deleted."""
        return SearchIndex.open(self.data_dir, self.db.name)

    async def indexed(self) -> None:
        """Bring the full-text index up to date, but wait at most one second for it."""
        self.catching_up[:] = [each for each in self.catching_up if not each.done()]
        if not self.catching_up:
            # Outside the time limit of the page: the first index of an archive may take minutes.
            task = asyncio.create_task(self._catch_up(), context=Context())
            self.catching_up.append(task)
        await asyncio.wait(self.catching_up, timeout=_PATIENCE)

    async def stay_indexed(self) -> None:
        """Bring the full-text index up to date every 10 seconds, until cancelled."""
        while True:
            await self.indexed()
            await asyncio.sleep(_PAUSE)

    async def stop_indexing(self, upkeep: asyncio.Task[None]) -> None:
        """Cancel `stay_indexed` and any running catch-up; a later search continues from there."""
        tasks = [upkeep, *self.catching_up]
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)

    async def _catch_up(self) -> None:
        try:
            await catch_up(self.db, self.index)
        except (DatabaseError, StoreUnavailable) as error:
            logger.info("The full-text index is behind: %s", error)


def site_of(request: Request) -> Site:
    """The Site of the application that handles the request."""
    site: Site = request.app.state.site
    return site


def base_url(request: Request) -> str:
    """The URL of the pages for absolute links, with a slash at its end: as the proxy has it, else as it was asked for."""
    return site_of(request).base_url or str(request.base_url)


async def newest_of(request: Request) -> dict[str, Any]:
    """The newest version of the article at `url=`, by any of its URLs. Raises HTTPException 400, 404."""
    url = text(request.query_params, "url", most=2000)
    if not url:
        raise HTTPException(400, _("请给出文章的网址：url=…"))
    key = key_of(url)
    found = await find_article(site_of(request).db, key) if key else None
    if found is None:
        raise HTTPException(404, _("归档中没有这篇文章：{}", url[:200]))
    return found


async def requested_version(request: Request, newest: dict[str, Any]) -> dict[str, Any]:
    """The version with the number `revision=`, that of the time `at=`, or the newest. Raises HTTPException 400, 404."""
    if at := instant(request.query_params, "at"):
        if found := await version_at(site_of(request).db, newest, at):
            return found
        raise HTTPException(404, _("这篇文章那时还没有存档。"))
    revision = integer(request.query_params, "revision", newest["revision"], most=10**6)
    version = await version_of(site_of(request).db, newest, revision)
    if version is None:
        raise HTTPException(404, _("这篇文章只有第 1 至第 {} 版。", newest["revision"]))
    return version
