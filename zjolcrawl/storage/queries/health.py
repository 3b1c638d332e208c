"""Queries of `scrapy runs` and `scrapy health`: recent runs, columns, the data folder.

They only read, and each result is small whatever the archive's size.
"""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bson import ObjectId

from zjolcrawl.clock import clock_limit
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.host_leases import LIVE
from zjolcrawl.storage.spool import QUARANTINE
from zjolcrawl.storage.versions import UNREAD

# Reparsing, discovery of columns and imports say nothing about the state of the crawl.
_CRAWLS = {"arguments.spider": {"$nin": ["reparse", "discover", "import"]}}
_NEWEST_FIRST = {"started_at": -1}


async def last_runs(db: Database, count: int) -> list[dict[str, Any]]:
    """The last runs of any spider, newest first."""
    return await db["runs"].find().sort(_NEWEST_FIRST).limit(count).to_list()


async def one_run(db: Database, run: str) -> list[dict[str, Any]]:
    """The run with this id, which must be an ObjectId in hex, as a list; empty if there is none."""
    return await db["runs"].find({"_id": ObjectId(run)}).to_list()


async def rejects_of(db: Database, run: ObjectId) -> list[dict[str, Any]]:
    """The rows of `rejects` that a run wrote, oldest first: `url` and `reason`."""
    return (
        await db["rejects"].find({"run_id": run}, {"url": 1, "reason": 1}).sort("_id", 1).to_list()
    )


async def live_runs(db: Database, *, held: bool) -> dict[Any, list[str]]:
    """The runs that are at work now, by id, with the hosts that each one leases.

    A run that requests pages renews its leases, on whatever machine. A run that only reads the archive has
    none: it is the newest run without an end if `held`, that is, if a run holds the lock of DATA_DIR.
    """
    live: dict[Any, list[str]] = {
        each["_id"]: [] async for each in db["runs"].find(LIVE, {"_id": 1})
    }
    async for host in (
        db["hosts"].find({"holder": {"$in": list(live)}}, {"holder": 1}).sort("_id", 1)
    ):
        live[host["holder"]].append(host["_id"])
    for newest in await last_runs(db, 1) if held else []:
        if "ended_at" not in newest:
            live.setdefault(newest["_id"], [])
    return live


async def last_crawls(db: Database, count: int) -> list[dict[str, Any]]:
    """The last runs that requested articles from the site, newest first."""
    return await db["runs"].find({**_CRAWLS, **_past()}).sort(_NEWEST_FIRST).limit(count).to_list()


def _past() -> dict[str, Any]:
    """Exclude runs of a clock that was ahead; they would stay the newest until then."""
    return {"started_at": {"$lt": clock_limit()}}


async def last_good_crawl(db: Database) -> dict[str, Any] | None:
    """The newest run over columns that ended with status 0.

    A run of single articles does not count, because it keeps no column up to date.
    """
    good = {"arguments.spider": "column", "exit_status": 0, **_past()}
    return await db["runs"].find_one(good, sort=_NEWEST_FIRST)


async def crawls_with_articles(db: Database, count: int) -> list[dict[str, Any]]:
    """The last runs that requested the site and read articles, newest first."""
    read = {**_CRAWLS, **_past(), "templates": {"$exists": True, "$ne": {}}}
    return await db["runs"].find(read).sort(_NEWEST_FIRST).limit(count).to_list()


async def column_rows(db: Database) -> dict[str, dict[str, Any]]:
    """The `columns` document of each column that was ever requested, by id."""
    return {each["_id"]: each async for each in db["columns"].find().sort("_id", 1)}


async def referred_files(db: Database) -> set[str]:
    """The WARC files that articles and their former versions refer to.

    It reads both collections once, which takes seconds for a million articles.
    """
    records = {"$setUnion": [{"$ifNull": ["$pages_warc.file", []]}, ["$warc.file"]]}
    stages: list[dict[str, Any]] = [
        {"$match": {"warc.file": {"$type": "string"}}},
        {"$project": {"file": records}},
        {"$unwind": "$file"},
        {"$group": {"_id": "$file"}},
    ]
    return {
        str(row["_id"])
        for name in ("articles", "revisions")
        async for row in await db[name].aggregate(stages)
    }


async def unread_versions(db: Database) -> int:
    """The number of versions that are copies and not yet re-parsed. It reads both collections once."""
    copies = {"parser.version": UNREAD}
    return sum([await db[name].count_documents(copies) for name in ("articles", "revisions")])


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Bytes `free` on its disk and in `archive`, the WARC files.

    `spooled`: bytes by name of the spool's files, `set_aside` likewise of those that no run takes in.
    `parts`: bytes by subfolder of DATA_DIR; empty if they were not measured.
    """

    free: int
    archive: int = 0
    spooled: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, int] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)


def data_folder(data_dir: Path, *, thorough: bool = False) -> DataFolder:
    """What DATA_DIR holds; one that is not there yet is empty. Raises OSError.

    `thorough` measures all of it, which takes seconds for a million images.
    """
    there = data_dir.absolute()
    while not there.exists():
        there = there.parent  # where it would be made
    files = {name: size for name, size in _sizes(data_dir / "spool").items() if size}
    spooled = {name: size for name, size in files.items() if not name.startswith(QUARANTINE)}
    set_aside = {name: size for name, size in files.items() if name not in spooled}
    archive = sum(_sizes(data_dir / "warc").values())
    parts = _parts(data_dir) if thorough and data_dir.is_dir() else {}
    return DataFolder(shutil.disk_usage(there).free, archive, spooled, set_aside, parts)


def _parts(data_dir: Path) -> dict[str, int]:
    """Bytes by subfolder, and `other` for single files; without empty ones."""
    parts: Counter[str] = Counter()
    for path in sorted(data_dir.iterdir()):
        if path.is_dir():
            parts[path.name] = sum(_sizes(path).values())
        else:
            parts["other"] += path.stat().st_size
    return dict(+parts)


def _sizes(folder: Path) -> dict[str, int]:
    sizes = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # a run that goes on has renamed or emptied it
            if path.is_file():
                sizes[str(path.relative_to(folder))] = path.stat().st_size
    return sizes
