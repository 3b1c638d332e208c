"""Writes buffers and spooled items to MongoDB; an item that cannot be written does not affect others."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from zjolcrawl.items import Outcome
from zjolcrawl.storage.buffer import ArticleVisit, Buffer, Item, link_of, named
from zjolcrawl.storage.documents import describe
from zjolcrawl.storage.outage import is_outage
from zjolcrawl.storage.spool import Damaged, Spool

logger = logging.getLogger(__name__)


class IsolatingWriter:
    """Calls `write` with buffers of at most `size` items; `faults` gets a line for each quarantined item."""

    def __init__(
        self, write: Callable[[Buffer], Awaitable[None]], counts: Counter[str], size: int
    ) -> None:
        self.spool: Spool | None = None
        self.faults: list[str] = []
        self._write, self._counts, self._size = write, counts, size

    async def write(self, buffer: Buffer) -> None:
        """Write a buffer. Raises only for an outage, and OSError if an item cannot be quarantined.

        The writer itself contains errors of single documents; this handles unexpected ones.
        """
        try:
            await self._write(buffer)
        except Exception as error:
            if is_outage(error):
                raise
            logger.info("Batch write failed; writing its items one by one", exc_info=True)
            for item in list(buffer.items()):
                await self._write_alone(item)

    def waiting(self) -> int:
        """The number of spool files that wait for MongoDB."""
        return len(self.spool.files()) if self.spool else 0

    async def keep(self, buffer: Buffer) -> None:
        """Put a buffer into the spool, if there is one. Raises OSError and what encoding raises."""
        if self.spool:
            added = await asyncio.to_thread(self.spool.add, list(buffer.items()))
            self._counts["spooled"] += added

    async def write_spool(self) -> int:
        """Write the spool, file by file; returns the number of items.

        Raises as `write`, and then keeps the file.
        """
        assert self.spool
        before = self._counts["taken_in"]
        for path in self.spool.files():
            buffer = Buffer()
            for item in self.spool.read(path):
                if isinstance(item, Damaged):
                    self._quarantine(item, f"{path}: {item.reason}")
                    continue
                if buffer.has_same_page(item) or len(buffer) >= self._size:
                    await self.write(buffer)
                    buffer = Buffer()
                buffer.add(item)
                self._counts["taken_in"] += 1
            await self.write(buffer)
            path.unlink(missing_ok=True)
        return self._counts["taken_in"] - before

    async def _write_alone(self, item: Item) -> None:
        """Write one item. If that fails, reject its link; quarantine the item if it has none or others captured it."""
        try:
            await self._write(Buffer.of(item))
        except Exception as error:
            if is_outage(error):
                raise
            why = describe(error)
            logger.info("%s cannot be written", named(item), exc_info=True)
            is_foreign = isinstance(item, ArticleVisit) and item.is_foreign
            if is_foreign or not await self._reject(item, why):
                self._quarantine(item, f"{named(item)} cannot be written: {why}")

    async def _reject(self, item: Item, why: str) -> bool:
        """Reject the link of an item; returns whether that succeeded."""
        if not (url := link_of(item)):
            return False
        try:
            await self._write(Buffer.of(Outcome(url, "rejected", why)))
        except Exception as error:
            if is_outage(error):
                raise
            return False
        return True

    def _quarantine(self, item: Item | Damaged, why: str) -> None:
        """Move an item to quarantine and add a fault line. Raises OSError."""
        kept = self.spool.set_aside([item]) if self.spool else None
        where = f". It is kept in {kept}; links and columns are visited again, so the file can be deleted"
        self.faults.append(why + (where if kept else ""))
