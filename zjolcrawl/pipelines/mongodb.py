"""Item pipeline, the last: passes every item to the MongoDB store."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from zjolcrawl.archive.warc import warc_date
from zjolcrawl.extensions.flips import link_of, unbelieved
from zjolcrawl.extensions.run_ledger import RunLedger
from zjolcrawl.items import Article, ColumnVisit, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.errors import StoreError
from zjolcrawl.storage.store import Store


class MongoDBPipeline:
    """Passes items to the store, which writes in bulk; stops the spider if the store is lost."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store: Store | None = None
        self._offline = bool(getattr(crawler.spider, "offline", False))
        self._unbelieved: set[tuple[str, str]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @property
    def ledger(self) -> RunLedger:
        """The run's RunLedger; it owns the store."""
        return RunLedger.of(self.crawler)

    async def open_spider(self) -> None:
        """Connect before the first request. Raises CloseSpider if that fails."""
        self.store = await self.ledger.open()
        archive = self.ledger.archive
        if self._offline and archive:
            self._unbelieved = archive.index.unbelieved()

    async def process_item(self, item: Any) -> Any:
        """Store the item, unless it is held until its host is judged, and items no longer held.

        Waits while a full buffer is written.
        """
        if isinstance(item, ColumnVisit):
            self.ledger.column_seen(item)
        try:
            for each in await self._judged(item):
                await self._put(each)
        except StoreError as error:
            # Do not await the stop: the end of the run waits for this item.
            self.ledger.stop(str(error), "mongo_lost")
        return item

    async def _judged(self, item: Any) -> list[Any]:
        if not self._offline:
            return await self.ledger.flips.saw(item)
        if self._unbelieved and isinstance(item, Outcome | Article) and item.seen_at:
            visit = link_of(item), warc_date(item.seen_at)
            return [unbelieved(item) if visit in self._unbelieved else item]
        return [item]

    async def _put(self, item: Any) -> None:
        assert self.store is not None
        if isinstance(item, Article):
            self.ledger.tally.article(item)
            await self.store.put(item, item.frontier_url)
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
            for each in await self.ledger.flips.rest():
                await self._put(each)
            await self.store.flush()
        except StoreError as error:
            self.ledger.fail(str(error))
