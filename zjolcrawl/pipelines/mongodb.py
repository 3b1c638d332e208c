"""Item pipeline, the last: passes every item to the MongoDB store."""

from __future__ import annotations

import logging
from typing import Any, Self

from scrapy.crawler import Crawler

from zjolcrawl.archive.warc import warc_date
from zjolcrawl.items import Article, ColumnVisit, Outcome, Unchanged, WalkEnd
from zjolcrawl.run.flip_watch import link_url, unbelieved
from zjolcrawl.run.run import Run, run_of
from zjolcrawl.storage.errors import StoreError
from zjolcrawl.storage.store import Store

logger = logging.getLogger(__name__)


class MongoDBPipeline:
    """Passes items to the store, which writes in bulk; stops the spider if the store is lost."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.store: Store | None = None
        self._unbelieved: set[tuple[str, str]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a run."""
        return cls(run_of(crawler))

    async def open_spider(self) -> None:
        """Connect before the first request. Raises CloseSpider if that fails."""
        self.store = await self._run.open()
        archive = self._run.archive
        if archive and not self._run.live:
            self._unbelieved = archive.index.unbelieved()

    async def process_item(self, item: Any) -> Any:
        """Store the item, unless it is held until its host is judged, and items no longer held.

        Waits while a full buffer is written.
        """
        if isinstance(item, ColumnVisit):
            self._run.column_seen(item)
        with self._run.stops_if_lost():
            for each in await self._judged(item):
                await self._put(each)
        return item

    async def _judged(self, item: Any) -> list[Any]:
        if self._run.live:
            return await self._run.flips.admit(item)
        if isinstance(item, Outcome) and item.url in self._run.foreign:
            # That says nothing about the site: the other crawler may have been refused or cut off. So the
            # link's row stays as it is, and no article becomes gone.
            logger.info("%s as another archive has it: %s", item.url, item.reason)
            self._run.counts["no_article"] += 1
            return []
        if self._unbelieved and isinstance(item, Outcome | Article):
            seen_at = item.visit.seen_at if isinstance(item, Article) else item.seen_at
            if seen_at and (link_url(item), warc_date(seen_at)) in self._unbelieved:
                return [unbelieved(item)]
        return [item]

    async def _put(self, item: Any) -> None:
        assert self.store is not None
        if isinstance(item, Article):
            self._run.tally.article(item)
            await self.store.put(item)
        elif isinstance(item, Outcome):
            await self.store.outcome(item)
        elif isinstance(item, Unchanged):
            await self.store.unchanged(item)
        elif isinstance(item, ColumnVisit | WalkEnd):
            await self.store.column_visit(item)

    async def close_spider(self) -> None:
        """Store the items still held and flush the buffer."""
        if self.store is None:
            return
        try:
            for each in await self._run.flips.release_held():
                await self._put(each)
            await self.store.flush()
        except StoreError as error:
            self._run.fail(str(error))
