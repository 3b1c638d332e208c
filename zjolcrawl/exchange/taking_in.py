"""Imports JSON Lines files into the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zjolcrawl.exchange.reading import articles
from zjolcrawl.storage.restore import Brought, Restorer

_ARTICLES, _BYTES = 200, 8 * 2**20  # limits of one bulk write


async def take_in(
    restorer: Restorer,
    names: list[str],
    tell: Callable[[str, str], None],
    read: Callable[[int], None] = lambda size: None,
) -> None:
    """Import the files in order and count the results in `restorer.counts`.

    Lines that are not documents count as `unreadable` and are reported to `tell`. `read` is called with
    the number of bytes read since the last call. Raises StoreError.
    """

    def unreadable(place: str, why: str) -> None:
        restorer.counts["unreadable"] += 1
        tell(place, why)

    for batch in _batches(articles(names, unreadable, read)):
        await restorer.put(batch)


def _batches(found: Iterator[Brought]) -> Iterator[list[Brought]]:
    """Batches of articles within the size limits, each URL once per batch."""
    batch: dict[str, Brought] = {}
    size = 0
    for each in found:
        more = sum(version.size for version in each.versions)
        if batch and (each.url in batch or len(batch) >= _ARTICLES or size + more > _BYTES):
            yield list(batch.values())
            batch, size = {}, 0
        batch[each.url] = each
        size += more
    if batch:
        yield list(batch.values())
