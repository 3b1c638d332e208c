"""One real mongod for the session, one fresh database a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

from zjolcrawl.storage.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a mongod of our own."""
    folder: Path = tmp_path_factory.mktemp("mongodb")
    with EmbeddedServer.acquire(folder) as server:
        yield server.uri


@pytest.fixture
def database(mongodb_uri: str) -> Iterator[str]:
    """The name of a database that no other test uses; dropped afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    yield name
    with MongoClient(mongodb_uri) as client:
        client.drop_database(name)
