"""The last step: everything that must be remembered goes to the store."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from zjolcrawl.extensions.run_ledger import RunLedger
from zjolcrawl.items import Article, ColumnVisit, Outcome, Unchanged, WalkEnd
from zjolcrawl.storage.errors import StoreError
from zjolcrawl.storage.store import Store


class MongoDBPipeline:
    """Hands items to the store, which writes in bulk; closes the spider when it cannot."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store: Store | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    @property
    def ledger(self) -> RunLedger:
        """The run's ledger, which owns the store."""
        return RunLedger.of(self.crawler)

    async def open_spider(self) -> None:
        """Connect before the first request; raises CloseSpider where that fails."""
        self.store = await self.ledger.open()

    async def process_item(self, item: Any) -> Any:
        """Store an Article, Unchanged, Outcome, ColumnVisit or WalkEnd. Waits while a full buffer is written."""
        assert self.store is not None
        try:
            if isinstance(item, Article):
                self.ledger.tally.article(item)
                await self.store.put(item, item.frontier_url)
            elif isinstance(item, Outcome):
                self.ledger.counts["skipped"] += item.skipped
                await self.store.outcome(item)
            elif isinstance(item, Unchanged):
                await self.store.unchanged(item)
            elif isinstance(item, WalkEnd):
                await self.store.column_visit(item)
            elif isinstance(item, ColumnVisit):
                self.ledger.column_seen(item)
                await self.store.column_visit(item)
        except StoreError as error:
            # Not waited for: the end of the run waits for this item.
            self.ledger.stop(str(error), "mongo_lost")
        return item

    async def close_spider(self) -> None:
        """Write what is still in the buffer."""
        if self.store is None:
            return
        try:
            await self.store.flush()
        except StoreError as error:
            self.ledger.fail(str(error))
