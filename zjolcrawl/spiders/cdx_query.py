"""Asks a CDX server for all captures of a host or a path, in answers of bounded size.

Which server it is, its first answer says:

    a resume key           Wayback: the next request has the key
    rows of crawl-data/…   Common Crawl: numbered pages, as many as showNumPages says
    none of these          pywb: an answer as long as the limit is not complete, so the span of time is halved
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from zjolcrawl.archive.cdx import Listing, NotCdx, pages_of, read_cdx, stamp_of
from zjolcrawl.archive.mementos import is_common_crawl
from zjolcrawl.spiders.archive_client import ArchiveAway, ArchiveClient, Service

LIMIT = 10_000
"""Rows of one answer: about 2 MB."""
# Drops what is no page where the server knows these filters (Wayback's, of Java regular expressions). pywb takes
# them for words that no row has, so that it drops nothing; the rows are checked again here.
_FILTERS = [
    ("filter", "!statuscode:[345].."),
    ("filter", "!mimetype:(image|audio|video|font)/.*"),
]
_SECOND = timedelta(seconds=1)
_NO_CDX_TIMES = 3
_MOST_EMPTY = 100  # answers without a row in a row: a server that pages without end


@dataclass(frozen=True, slots=True)
class Scope:
    """What captures are asked for: `match` is CDX's matchType: domain, host or prefix."""

    url: str
    match: str


class CdxQuery:
    """The listings of one CDX server."""

    def __init__(self, client: ArchiveClient, cdx: str, limit: int = LIMIT) -> None:
        self._client, self._cdx, self._limit = client, cdx, limit
        self._known = False  # whether the server has answered with CDX

    async def listings(
        self, scope: Scope, first: datetime, last: datetime
    ) -> AsyncGenerator[Listing]:
        """Answers with all captures of a scope from `first` to `last`, both included and full seconds.

        The captures of one URL are in order of time. Raises NotCdx and ArchiveAway.
        """
        listing = await self._ask(scope, first, last)
        if any(is_common_crawl(row) for row in listing.rows):
            async for page in self._numbered(scope, first, last):
                yield page
        elif listing.resume_key or listing.size < self._limit:
            async for page in self._resumed(listing, scope, first, last):
                yield page
        elif last - first >= _SECOND:
            middle = first + timedelta(seconds=(last - first) // _SECOND // 2)
            for ends in ((first, middle), (middle + _SECOND, last)):
                async for page in self.listings(scope, *ends):
                    yield page
        else:
            raise NotCdx(f"{listing.size} captures of one second and no resume key")

    async def _resumed(
        self, listing: Listing, scope: Scope, first: datetime, last: datetime
    ) -> AsyncGenerator[Listing]:
        yield listing
        seen: set[str] = set()
        empty = 0
        while key := listing.resume_key:
            if key in seen:
                raise NotCdx("a resume key that it has sent before")
            seen.add(key)
            listing = await self._ask(scope, first, last, resumeKey=key)
            empty = self._count_empty(listing, empty)
            yield listing

    async def _numbered(
        self, scope: Scope, first: datetime, last: datetime
    ) -> AsyncGenerator[Listing]:
        """All pages; a limit would cut rows off each, so there is none."""
        empty = 0
        for number in range(pages_of(await self._body(scope, first, last, showNumPages="true"))):
            listing = read_cdx(await self._body(scope, first, last, page=str(number)))
            empty = self._count_empty(listing, empty)
            yield listing

    def _count_empty(self, listing: Listing, before: int) -> int:
        """The number of answers without a row, this one and those right before. Raises NotCdx for too many."""
        empty = 0 if listing.size else before + 1
        if empty > _MOST_EMPTY:
            raise NotCdx(f"{empty} answers without a row, one after the other")
        return empty

    async def _ask(self, scope: Scope, first: datetime, last: datetime, **more: str) -> Listing:
        """One listing. Text that is no CDX is asked for again if the server has sent CDX before."""
        for left in reversed(range(_NO_CDX_TIMES)):
            body = await self._body(
                scope, first, last, limit=str(self._limit), showResumeKey="true", **more
            )
            try:
                listing = read_cdx(body)
            except NotCdx:
                if not (self._known and left):
                    raise
            else:
                break
        self._known = True
        return listing

    async def _body(self, scope: Scope, first: datetime, last: datetime, **more: str) -> bytes:
        given = [
            ("url", scope.url), ("matchType", scope.match), ("output", "json"),
            ("from", stamp_of(first)), ("to", stamp_of(last)), *_FILTERS, *more.items(),
        ]  # fmt: skip
        response = await self._client.get(f"{self._cdx}?{urlencode(given)}", Service.INDEX)
        if response.status == 200:
            return response.body
        if response.status == 404 and response.body.lstrip().startswith(b"{"):
            return response.body  # no captures, says Common Crawl
        if response.status in {301, 302, 303, 307, 308}:
            target = (response.headers.get("Location") or b"").decode("latin-1")
            raise NotCdx(f"a redirect to {target}")
        if self._known:
            raise ArchiveAway(f"HTTP {response.status}")
        raise NotCdx(f"HTTP {response.status}")
