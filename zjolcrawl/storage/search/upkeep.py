"""When the index is brought up to date, and by whom: many articles by a process of their own.

Cutting texts into words and pairs takes 2-3 ms of CPU an article, as much as all else that a crawl does
with a page, and 70 MB; a thread of the crawl would take both from it. That process is
`python -m zjolcrawl.storage.search.upkeep`; it gives way to all that wants the processor.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.errors import PyMongoError

from zjolcrawl.processes import own_environment
from zjolcrawl.storage.connection import Database, connect, durable
from zjolcrawl.storage.errors import StoreUnavailable, short
from zjolcrawl.storage.operations import utc_now
from zjolcrawl.storage.search.index import BATCH, update, waiting

logger = logging.getLogger(__name__)
_DUE = 5 * BATCH  # a search looks at what waits one by one: so many take it a second
_AT_ONCE = 20_000  # articles: half a minute, where an old archive gets its first index
_NICE = 10


class Upkeep:
    """The index's upkeep in one run, whose id is `by`, on a database at `uri`; none if not `wanted`.

    What it cannot do, the next run does, and until then a search looks at what waits.
    """

    def __init__(self, db: Database, uri: str, by: ObjectId) -> None:
        self.wanted = True
        self._db, self._uri, self._by = db, uri, by
        self._written = self._since = 0
        self._running: asyncio.Task[None] | None = None

    def written(self, articles: int) -> None:
        """Count articles that were written; once many are due, they are indexed beside the run.

        To be called while all that was announced is written: what is announced later is left alone.
        """
        self._written += articles
        self._since += articles
        if self.wanted and self._since >= _DUE and (self._running is None or self._running.done()):
            self._since = 0
            self._running = asyncio.get_running_loop().create_task(self._beside(utc_now()))

    async def finish(self) -> None:
        """Index what waits, as far as may be done at the end of a run."""
        if self._running:
            await self._running
        try:
            if not self.wanted or not await waiting(self._db):
                return
            if self._written < BATCH:  # not worth a process: it takes half a second to start
                await update(self._db, self._by, most=_AT_ONCE)
                return
        except PyMongoError as error:
            logger.info("the index is behind: %s", short(error))
            return
        await self._beside()

    async def stop(self) -> None:
        """Leave what is under way to the next run."""
        if self._running and not self._running.done():
            self._running.cancel()  # which ends the process
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _beside(self, until: datetime | None = None) -> None:
        """`update` in another process. It is told on stdin what to do: a URI may hold a password."""
        task = {
            "uri": self._uri, "database": self._db.name, "by": str(self._by), "most": _AT_ONCE,
            "until": until.isoformat() if until else None,
        }  # fmt: skip
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", __name__,
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=own_environment(),
                start_new_session=True,  # Ctrl-C is for the run, which lets it finish
            )  # fmt: skip
        except OSError as error:
            logger.info("the index is behind: %s", error)
            return
        try:
            _, told = await process.communicate(json.dumps(task).encode())
        finally:
            if process.returncode is None:
                process.kill()  # what it had half-written is cleared up by the next
                await process.communicate()
        if process.returncode:
            logger.info("the index is behind: %s", told.decode("utf-8", "replace").strip()[-300:])


def main() -> int:
    """Do what stdin says; the exit status. The reason of a failure is one line on stderr."""
    os.nice(_NICE)
    try:
        asyncio.run(_update(json.load(sys.stdin)))
    except (PyMongoError, StoreUnavailable) as error:
        sys.stderr.write(f"{short(error)}\n")
        return 1
    return 0


async def _update(task: dict[str, Any]) -> None:
    client = await connect(task["uri"])
    try:
        db = durable(client, task["database"])
        until = datetime.fromisoformat(task["until"]) if task["until"] else None
        await update(db, ObjectId(task["by"]), most=task["most"], until=until)
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(main())
