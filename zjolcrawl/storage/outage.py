"""Whether MongoDB is away, for how long, and whether a run has to end because of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo.errors import PyMongoError

from zjolcrawl.storage.errors import StoreError, broken, is_outage, lost, short

logger = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_T = TypeVar("_T")


class Outage:
    """The state of one run's database: `away` from a failed operation until it answers again; `lost`
    once the run must end.

    `patience`: seconds without a successful write after which it is lost; None: at the first failure.
    """

    def __init__(self) -> None:
        self.away = False
        self.lost: StoreError | None = None
        self.patience: float | None = None
        self._since: float | None = None

    def failed(self, error: Exception) -> None:
        """An operation failed: MongoDB is away, or lost if waiting does not help. Raises no error."""
        if not is_outage(error):
            logger.info("The store broke", exc_info=error)
            self.lost = broken(error)
            return
        if not self.away:
            logger.warning("MongoDB is away: %s", short(error))
        self.away = True
        self._since = self._since or time.monotonic()
        if self.patience is None or time.monotonic() - self._since > self.patience:
            self.lost = lost(error)

    def wrote(self) -> None:
        """A write succeeded, which ends an outage. That a server answers a ping alone does not."""
        self._since = None

    def check(self) -> None:
        """Raise StoreError where the database is lost."""
        if self.lost:
            raise self.lost

    async def ask(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        """The operation's answer, once MongoDB gives one. Raises StoreError once it is lost."""
        while True:
            self.check()
            if not self.away:
                try:
                    return await operation()
                except PyMongoError as error:
                    self.failed(error)
                    continue
            await asyncio.sleep(_POLL_SECONDS)
