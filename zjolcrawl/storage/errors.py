"""Errors of the database: which are outages, how long an outage lasts, and one-line messages without credentials."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import unquote

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from zjolcrawl.messages import cause_of, hide_passwords, login_of, without_password
from zjolcrawl.storage.login import missing_right

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
_POLL_SECONDS = 0.2

# Server error codes: duplicate key, refused by the validator, collection exists.
DUPLICATE, REFUSED, EXISTS = 11000, 121, 48
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


DatabaseError = PyMongoError
"""Any error of MongoDB or its driver, for callers that do not import pymongo."""


class StoreUnavailable(Exception):
    """No usable database; the message is one line without credentials."""


class StoreError(Exception):
    """The database failed during a run; links that were not written are still `pending`."""


class ServerRefuses(PyMongoError):
    """Not even a plain row of a few fields can be written, so no document is at fault."""


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


def broken(error: Exception) -> StoreError:
    """The error for a bug in the store."""
    return StoreError(f"internal error in the store: {short(error)}; unwritten links stay pending")


def refusal(error: dict[str, Any]) -> str:
    """Why the server refused a document, from one `writeErrors` entry."""
    text = str(error.get("errmsg", "refused"))
    if info := error.get("errInfo"):
        found = re.findall(
            r"'propertyName': '(\w+)'|'missingProperties': \[([^\[\]]+)\]", str(info)
        )
        names = sorted({name.strip("'\" ") for pair in found for name in pair if name})
        text += f": {', '.join(names)}" if names else ""
    what = "refused by the validator" if error.get("code") == REFUSED else "cannot be stored"
    return f"{what}: {text}"[:500]


def short(error: Exception) -> str:
    """The driver's message on one line, without passwords."""
    if isinstance(error, OperationFailure) and (what := missing_right(error)):
        return f"the server {what}"
    text = cause_of(error).split(", Timeout:")[0].split(", full error:")[0]
    return hide_passwords(" ".join(text.split()))[:200]


def unavailable(uri: str, error: Exception) -> StoreUnavailable:
    """The error for a database that cannot be used from the start."""
    where = without_password(uri)
    if isinstance(error, OperationFailure):
        what = missing_right(error) or short(error)
    elif isinstance(error, (InvalidURI, ConfigurationError, ValueError, TypeError)):
        what = f"is unusable: {_fault_of_uri(uri, error)}"
    elif isinstance(error, (ConnectionFailure, AutoReconnect)):
        what = "cannot be reached"
    else:
        what = short(error)
    return StoreUnavailable(f"MONGODB_URI {where} {what}")


def _fault_of_uri(uri: str, error: Exception) -> str:
    """What is wrong with a URI. The driver quotes parts of it, so its message is used only if safe."""
    user, password = login_of(uri)
    if re.search(r"[@:/?#\[\]]|%(?![0-9A-Fa-f]{2})", user + password):
        return "write @ as %40, : as %3A, / as %2F and % as %25 in its user name and password"
    text = short(error)
    quoted = any(len(part) > 2 and part in text for part in (password, unquote(password)))
    return "its host or its options cannot be read" if quoted else text


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
                except PyMongoError as error:
                    self.failed(error)
                    continue
            await asyncio.sleep(_POLL_SECONDS)
