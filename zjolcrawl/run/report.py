"""What a run says of itself: the report in DATA_DIR/reports and the warcinfo record of its WARC files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import scrapy
from bson import ObjectId
from scrapy.settings import BaseSettings

from zjolcrawl import __version__
from zjolcrawl.run import log_file
from zjolcrawl.storage.documents import storable

# Settings that affect what a run archives. URIs are left out: they may hold a password.
_TOLD_SETTINGS = (
    "ROBOTSTXT_OBEY", "DOWNLOAD_DELAY", "DOWNLOAD_MAXSIZE", "CONCURRENT_REQUESTS_PER_DOMAIN",
    "AUTOTHROTTLE_ENABLED", "RETRY_TIMES",
)  # fmt: skip
_REPORTS = 1000  # reports kept: about six weeks of hourly runs


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


def write_report(folder: Path, run: ObjectId, values: dict[str, Any]) -> None:
    """Write the values of a run as JSON, and delete the oldest reports. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {"run": str(run), "version": __version__, **values}
    text = json.dumps(storable(report), ensure_ascii=False, indent=2, default=str)
    (folder / f"{run}.json").write_text(text + "\n", encoding="utf-8")
    log_file.prune(folder, "*.json", _REPORTS)
