"""A process that indexes without end, for tests that kill it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from zjolcrawl.search import SearchIndex, catch_up
from zjolcrawl.storage.connection import connect


def index_again(uri: str, database: str, folder: str) -> None:
    """Index everything anew, again and again."""

    async def main() -> None:
        client = await connect(uri, database)
        while True:
            await catch_up(client[database], SearchIndex.open(Path(folder), database), anew=True)

    asyncio.run(main())
