"""Errors of the database as one-line messages without credentials."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from zjolcrawl.messages import cause_of, hide_passwords, login_of, without_password
from zjolcrawl.storage.login import missing_right

# Server error codes: duplicate key, refused by the validator, collection exists.
DUPLICATE, REFUSED, EXISTS = 11000, 121, 48


DatabaseError = PyMongoError
"""Any error of MongoDB or its driver, for callers that do not import pymongo."""


class StoreUnavailable(Exception):
    """No usable database; the message is one line without credentials."""


class StoreError(Exception):
    """The database failed during a run; links that were not written are still `pending`."""


class ServerRefuses(PyMongoError):
    """Not even a plain row of a few fields can be written, so no document is at fault."""


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
