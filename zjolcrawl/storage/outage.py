"""How long a run waits for MongoDB before it gives up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from zjolcrawl.storage.errors import DatabaseError, StoreError, broken, is_outage, short

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
_POLL_SECONDS = 0.2


class Outage:
    """The database state of one run.

    `away`: from a failed operation until the server answers again. `lost`: set once the run must end.
    `patience`: seconds without a successful write until then; None: the first failure ends the run.
    """

    def __init__(self) -> None:
        self.away = False
        self.lost: StoreError | None = None
        self.patience: float | None = None
        self._since: float | None = None

    def failed(self, error: Exception) -> None:
        """Record a failed operation; sets `lost` if waiting does not help. Raises nothing."""
        if not is_outage(error):
            logger.info("Internal error in the store", exc_info=error)
            self.lost = broken(error)
            return
        if not self.away:
            logger.warning("MongoDB is unavailable: %s", short(error))
        self.away = True
        self._since = self._since or time.monotonic()
        if self.patience is None or time.monotonic() - self._since > self.patience:
            message = f"MongoDB is unavailable: {short(error)}; unwritten links stay pending"
            self.lost = StoreError(message)

    def wrote(self) -> None:
        """Restart the patience after a successful write; an answered ping is not enough."""
        self._since = None

    def check(self) -> None:
        """Raise StoreError if the database is lost."""
        if self.lost:
            raise self.lost

    async def ask(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        """Run an operation, and repeat it after each outage. Raises StoreError once the database is lost."""
        while True:
            self.check()
            if not self.away:
                try:
                    return await operation()
                except DatabaseError as error:
                    self.failed(error)
                    continue
            await asyncio.sleep(_POLL_SECONDS)
