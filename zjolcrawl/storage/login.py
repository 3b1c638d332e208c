"""Explains why a MongoDB server refuses a user: password, name, authentication database or rights."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from zjolcrawl.messages import login_of

NO_RIGHT, NO_LOGIN = 13, 18
"""Server error codes: Unauthorized, AuthenticationFailed."""
_DENIED = re.compile(r"not authorized on (\S+) to execute command \{ (\w+):")
_OF_LOGIN = re.compile("auth.*", re.IGNORECASE)  # options: authSource, authMechanism …


def missing_right(error: OperationFailure) -> str | None:
    """What the user lacks, with the next step; None for any other error."""
    if error.code != NO_RIGHT:
        return None
    if found := _DENIED.search(str(error)):
        database, command = found.groups()
        return (
            f"gives this user no right to {command} on database {database}: "
            "grant the role readWrite there (read, if it only reads)"
        )
    return "requires a user: put USER:PASSWORD@ before the host in MONGODB_URI"


async def login_failure(uri: str, database: str, timeouts: dict[str, Any]) -> str:
    """Why the server refused the login that `uri` has, with the next step.

    The server tells anyone whether it knows a user (`hello` with saslSupportedMechs). It is asked about
    the authentication database, admin, and `database`, the one that MONGODB_DATABASE names.
    """
    scheme, _, rest = uri.partition("://")
    place, _, query = rest.rpartition("@")[2].partition("?")
    hosts, _, path = place.partition("/")
    options = parse_qsl(query, keep_blank_values=True)
    named = {name.lower(): value for name, value in options}
    user, source = unquote(login_of(uri)[0]), named.get("authsource") or path or "admin"
    others = urlencode([each for each in options if not _OF_LOGIN.fullmatch(each[0])])
    known: set[str] = set()
    try:
        async with AsyncMongoClient[Any](f"{scheme}://{hosts}/?{others}", **timeouts) as client:
            for each in {source, "admin", database} - {""}:
                answer = await client.admin.command("hello", saslSupportedMechs=f"{each}.{user}")
                known |= {each} if answer.get("saslSupportedMechs") else set()
    except (PyMongoError, ValueError):
        return f"refuses user {user}: name, password or authentication database ({source}) is wrong"
    if source in known:
        return f"refuses the password of user {user}"
    if known:
        right = min(known)
        return (
            f"has no user {user} in the authentication database {source}, but in {right}: "
            f"add authSource={right} to the options of the URI"
        )
    return (
        f"has no user {user} in the authentication database {source}: "
        "correct the name, or name the user's database by authSource in the URI"
    )
