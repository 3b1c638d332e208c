"""Which errors are outages of MongoDB, and how long a run waits for it before it gives up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError

from zjolcrawl.storage.errors import DatabaseError, ServerRefuses, StoreError, broken, short

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
_POLL_SECONDS = 0.2
# Errors of the server, not of a document (mongo/src/mongo/base/error_codes.yml): not primary, shutdown,
# interrupted, time limit, overload, replication failure, disk full, or no write permission. The first line
# is from the retryable writes specification.
_OF_THE_SERVER = frozenset(
    {
        6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 10058,
        112, 24, 43, 50, 64, 79, 100, 175, 11601, 462, 13, 18, 391, 14031,
    }
)  # fmt: skip
_RETRYABLE = ("RetryableWriteError", "RetryableError", "TransientTransactionError")


def is_outage(error: BaseException) -> bool:
    """Whether the same operation may succeed later: no connection, or the server cannot write now.

    Every other error concerns the data that was to be written.
    """
    if isinstance(error, (ConnectionFailure, ServerRefuses)):
        return True
    if not isinstance(error, PyMongoError):
        return False
    if any(error.has_error_label(label) for label in _RETRYABLE):
        return True
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        codes = {each.get("code") for each in details.get("writeErrors", ())}
        return bool(details.get("writeConcernErrors") or codes & _OF_THE_SERVER)
    return isinstance(error, OperationFailure) and error.code in _OF_THE_SERVER


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
