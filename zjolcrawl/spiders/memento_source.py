"""Fetches single captures from another archive: by replay, or from the WARC files of Common Crawl."""

from __future__ import annotations

from zjolcrawl.archive.cdx import Row
from zjolcrawl.archive.mementos import (
    COMMON_CRAWL,
    Memento,
    NotAPage,
    NotTheMemento,
    is_common_crawl,
    of_record,
    of_replay,
    redirect_within,
)
from zjolcrawl.spiders.archive_client import ArchiveClient, Service

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 3


class MementoSource:
    """Gets the captures that the rows of an index name. `base` is the URL before a replayed page's timestamp."""

    def __init__(self, client: ArchiveClient, base: str) -> None:
        self._client, self._base = client, base

    async def get(self, row: Row) -> Memento:
        """The capture with its own time, which can differ from the row's.

        Raises NotAPage, NotTheMemento, and what ArchiveClient raises.
        """
        return await (self._by_range(row) if is_common_crawl(row) else self._by_replay(row))

    async def _by_replay(self, row: Row) -> Memento:
        address = f"{self._base}{row.timestamp}id_/{row.url}"
        for _ in range(_MOST_REDIRECTS):
            response = await self._client.get(address, Service.PAGES)
            location = (response.headers.get("Location") or b"").decode("latin-1")
            if response.status not in _REDIRECTS or not location:
                headers = [(name, v) for name, vs in response.headers.items() for v in vs]
                return of_replay(row, self._base, response.status, headers, response.body)
            target = redirect_within(row, address, location)
            if target is None:
                raise NotAPage(f"HTTP {response.status} to {location}")
            address = target
        raise NotTheMemento("the archive redirects without end")

    async def _by_range(self, row: Row) -> Memento:
        assert row.offset is not None
        assert row.length
        wanted = f"bytes={row.offset}-{row.offset + row.length - 1}"
        # The bytes as they are in the file: no coding on the way.
        headers = {"Range": wanted, "Accept-Encoding": "identity"}
        url = f"{COMMON_CRAWL}{row.filename}"
        response = await self._client.get(url, Service.PAGES, headers)
        if response.status != 206 or len(response.body) != row.length:
            raise NotTheMemento(f"HTTP {response.status} instead of {row.length} bytes of {url}")
        return of_record(row, response.body)
