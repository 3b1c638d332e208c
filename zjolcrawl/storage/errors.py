"""What can go wrong with the database, each as one line without credentials."""

from __future__ import annotations

import re
from typing import Any

from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
)

# Server error codes: key exists, validator says no, collection exists.
DUPLICATE, REFUSED, EXISTS = 11000, 121, 48


class StoreUnavailable(Exception):
    """No usable database; the message is one line without credentials."""


class StoreError(Exception):
    """The database was lost during a run: what was not written is still `pending`."""


def lost(error: Exception) -> StoreError:
    """The error of a database that stopped answering in the middle of a run."""
    return StoreError(f"MongoDB was lost: {short(error)}; unwritten links stay pending")


def refusal(error: dict[str, Any]) -> str:
    """Why the server refused a document: one `writeErrors` entry in words."""
    text = str(error.get("errmsg", "refused"))
    if info := error.get("errInfo"):
        found = re.findall(
            r"'propertyName': '(\w+)'|'missingProperties': \[([^\[\]]+)\]", str(info)
        )
        names = sorted({name.strip("'\" ") for pair in found for name in pair if name})
        text += f": {', '.join(names)}" if names else ""
    return f"refused by the validator: {text}"[:500] if error.get("code") == REFUSED else text[:500]


def short(error: Exception) -> str:
    """What the driver says, on one line."""
    return " ".join(str(error).split(", Timeout:")[0].split())[:200]


def unavailable(uri: str, error: Exception) -> StoreUnavailable:
    """The error of a database that cannot be used from the start."""
    where = re.sub(r"//[^@/]*@", "//", uri).partition("?")[0]
    if isinstance(error, OperationFailure):
        what = "refuses this user" if error.code in {13, 18} else short(error)
    elif isinstance(error, (InvalidURI, ConfigurationError, ValueError, TypeError)):
        what = f"is unusable: {re.sub(r'//[^@/]*@', '//', short(error))}"
    elif isinstance(error, (ConnectionFailure, AutoReconnect)):
        what = "cannot be reached"
    else:
        what = short(error)
    return StoreUnavailable(f"MONGODB_URI {where} {what}")
