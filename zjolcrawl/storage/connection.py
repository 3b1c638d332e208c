"""Opens connections to MongoDB and checks that the server answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from zjolcrawl.messages import without_password
from zjolcrawl.storage.embedded import EmbeddedServer, database_folder
from zjolcrawl.storage.errors import StoreUnavailable, short, unavailable
from zjolcrawl.storage.login import NO_LOGIN, login_failure, missing_right

_TIMEOUTS = ("serverSelectionTimeoutMS", "connectTimeoutMS")
_REPLICATION_MS = 60_000  # without a limit, a write waits forever for an unreachable majority

Client = AsyncMongoClient[dict[str, Any]]
Database = AsyncDatabase[dict[str, Any]]
# Values stored by other clients must not abort a query: text that is not UTF-8 is read with U+FFFD, a date
# after the year 9999 as Python's last date.
LENIENT: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    unicode_decode_error_handler="replace",
    datetime_conversion=DatetimeConversion.DATETIME_CLAMP,
)


@asynccontextmanager
async def open_database(uri: str, database: str, data_dir: Path) -> AsyncIterator[Database]:
    """A project's database for reading, on the embedded server if `uri` is empty.

    Raises StoreUnavailable, also if the folder has no database, and EmbeddedUnavailable.
    """
    if not uri:
        require_database(data_dir)
    async with server_address(uri, data_dir) as address:
        client = await connect(address, database)
        try:
            yield client.get_database(database, codec_options=LENIENT)
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and missing_right(error):
                raise unavailable(address, error) from error
            raise StoreUnavailable(f"MongoDB did not answer a query: {short(error)}") from error
        finally:
            await client.close()


def require_database(data_dir: Path) -> None:
    """Raise StoreUnavailable if a folder has no embedded database: to open it would make an empty one."""
    if database_folder(data_dir).is_dir():
        return
    pattern = f"*/{database_folder(data_dir).name}"
    found = sorted(data_dir.glob(pattern)) or sorted(data_dir.parent.glob(pattern))
    others = [str(each.parent) for each in found]
    where = f" (there is one in {' and in '.join(others[:3])})" if others else ""
    raise StoreUnavailable(
        f"no archive in {data_dir}{where}: set DATA_DIR or MONGODB_URI, or crawl first"
    )


@asynccontextmanager
async def server_address(uri: str, data_dir: Path) -> AsyncIterator[str]:
    """The URI, or that of the embedded server if empty, which stays acquired during the block.

    Raises EmbeddedUnavailable.
    """
    server = None if uri else await asyncio.to_thread(EmbeddedServer.acquire, data_dir)
    try:
        yield server.uri if server else uri
    finally:
        if server:
            await asyncio.to_thread(server.release)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Limit the time of queries in this block, also on the server (maxTimeMS). Raises StoreUnavailable."""
    try:
        with pymongo.timeout(seconds):
            yield
    except PyMongoError as error:
        what = f"took more than {seconds:g} s" if error.timeout else short(error)
        raise StoreUnavailable(f"MongoDB did not answer a query: {what}") from error


def durable(client: Client, name: str) -> Database:
    """A database whose writes finish once a majority of the replica set has them in its journal."""
    concern = WriteConcern(w="majority", j=True, wtimeout=_REPLICATION_MS)
    return client.get_database(name, write_concern=concern)


async def connect(uri: str, database: str = "") -> Client:
    """A client with timezone-aware times whose server answers.

    `database`: where else a user is looked for if the server refuses the login. Raises
    StoreUnavailable, within 8 s unless the URI sets timeouts.
    """
    client: Client | None = None
    given = _options(uri.partition("?")[2])
    own: dict[str, Any] = {name: 5000 for name in _TIMEOUTS if name.lower() not in given}
    try:
        client = AsyncMongoClient(uri, tz_aware=True, appname="zjolcrawl", **own)
        await client.admin.command("ping")
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        if client:
            await client.close()
        if isinstance(error, OperationFailure) and error.code == NO_LOGIN:
            what = await login_failure(uri, database, own)
            raise StoreUnavailable(f"MONGODB_URI {without_password(uri)} {what}") from error
        raise unavailable(uri, error) from error
    return client


async def server_version(uri: str) -> str:
    """The version of the server at a URI. Raises StoreUnavailable."""
    client = await connect(uri)
    try:
        return str((await client.server_info())["version"])
    finally:
        await client.close()


def with_database(uri: str, database: str) -> str:
    """`uri` with `database` as the default database, if it names none itself.

    Without authSource, MongoDB also looks up a user in the database of the path. Its default, admin,
    is then written out; where the default is another (SRV records, authMechanism), the URI is
    returned unchanged.
    """
    scheme, _, rest = uri.partition("://")
    place, _, query = rest.partition("?")
    hosts, _, named = place.partition("/")
    if named or not hosts:
        return uri
    options = _options(query)
    if "@" in hosts and "authsource" not in options:
        if scheme != "mongodb" or "authmechanism" in options:
            return uri
        query = f"{query}&authSource=admin".lstrip("&")
    return f"{scheme}://{hosts}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def _options(query: str) -> set[str]:
    """The names of a connection string's options, in lower case, as MongoDB compares them."""
    return {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}
