"""The mode of a run, and its store and WARC writer as the settings say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import scrapy
from scrapy.settings import BaseSettings

from zjolcrawl import __version__
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.writer import WarcWriter
from zjolcrawl.setting_values import visit_policy
from zjolcrawl.storage.preview import Preview
from zjolcrawl.storage.store import Store

# Settings that affect what a run archives. URIs are left out: they may hold a password.
_TOLD_SETTINGS = (
    "ROBOTSTXT_OBEY", "DOWNLOAD_DELAY", "DOWNLOAD_MAXSIZE", "CONCURRENT_REQUESTS_PER_DOMAIN",
    "AUTOTHROTTLE_ENABLED", "RETRY_TIMES",
)  # fmt: skip


class Mode(Enum):
    """Where a run gets its pages from, and whether it writes."""

    LIVE = "live"
    """From the site; stored and archived."""
    REPLAY = "replay"
    """From the WARC archive; stored."""
    BACKFILL = "backfill"
    """From archives of others, by way of the WARC archive; stored and archived."""
    PREVIEW = "preview"
    """From the WARC archive; only reports what re-parsing would change."""


async def open_store(
    settings: BaseSettings, mode: Mode, uri: str, arguments: dict[str, str], data_dir: Path
) -> Store:
    """The store of a run; that of a preview writes nothing. Raises StoreUnavailable."""
    preview = mode is Mode.PREVIEW
    return await (Preview if preview else Store).open(
        uri,
        settings.get("MONGODB_DATABASE"),
        run_arguments=arguments,
        version=__version__,
        batch_size=settings.getint("MONGODB_BATCH_SIZE"),
        batch_seconds=settings.getfloat("MONGODB_BATCH_SECONDS"),
        policy=visit_policy(settings),
        spool=None if preview else data_dir / "spool",
        patience=settings.getfloat("MONGODB_PATIENCE"),
    )


def warc_writer(
    settings: BaseSettings, archive: Archive, run: str, arguments: Mapping[str, str]
) -> WarcWriter:
    """The writer of a run's WARC files; `run` is its id."""
    info = warc_info(settings, run, arguments)
    return WarcWriter(archive, run=run, info=info, max_bytes=settings.getint("WARC_MAX_BYTES"))


def warc_info(settings: BaseSettings, run: str, arguments: Mapping[str, str]) -> dict[str, str]:
    """The warcinfo fields: software, run, and settings of the crawl."""
    contact = settings.get("CONTACT")
    return {
        "software": f"zjolcrawl/{__version__} Scrapy/{scrapy.__version__}",
        "isPartOf": f"run {run}",
        **({"operator": contact} if contact else {}),
        "robots": "obey" if settings.getbool("ROBOTSTXT_OBEY") else "ignore",
        "http-header-user-agent": settings.get("USER_AGENT"),
        "arguments": json.dumps(arguments),
        "settings": json.dumps({name: settings.get(name) for name in _TOLD_SETTINGS}),
    }
