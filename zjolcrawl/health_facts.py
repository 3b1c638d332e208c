"""Collects the facts behind a health report, for `scrapy health` and the web page /health."""

from __future__ import annotations

import asyncio
from pathlib import Path

from zjolcrawl.archive.state import state
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.clock import utc_now
from zjolcrawl.display.health import HealthFacts
from zjolcrawl.messages import cause_of
from zjolcrawl.run.lock import holder
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.site.description import SiteError
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.health import (
    column_rows,
    crawls_with_articles,
    data_folder,
    last_crawls,
    last_good_crawl,
    live_runs,
    referred_files,
    unread_versions,
)
from zjolcrawl.storage.queries.links import link_counts

_RUNS = 10


async def collect_facts(db: Database, data_dir: Path, *, thorough: bool = False) -> HealthFacts:
    """The current state of runs, columns, links, disk and archive.

    `thorough` also looks at every version, at the WARC file that it refers to, and measures all of DATA_DIR; in a
    large archive this takes seconds. Raises ArgumentError if the catalogue or DATA_DIR cannot be read.
    """
    now = utc_now()
    referred = await referred_files(db) if thorough else set()
    try:
        return HealthFacts(
            now, load_catalogue().values(), await link_counts(db, now), data_folder(data_dir, thorough=thorough),
            rows=await column_rows(db),
            articles=await crawls_with_articles(db, _RUNS + 1),
            good=await last_good_crawl(db),
            runs=await last_crawls(db, _RUNS),
            # After `runs`: a run that starts meanwhile must not look cut off.
            live=await live_runs(db, held=holder(data_dir) is not None),
            archive=await asyncio.to_thread(state, data_dir / "warc", referred),
            copies=await unread_versions(db) if thorough else 0,
            server=str((await db.client.server_info())["version"]),
        )  # fmt: skip
    except SiteError as error:
        raise ArgumentError(str(error)) from error
    except OSError as error:
        raise ArgumentError(
            f"DATA_DIR {data_dir} cannot be read: {cause_of(error, data_dir)}"
        ) from error
