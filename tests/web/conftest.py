"""Fixtures of the web tests: one crawled archive, and one running `scrapy browse` on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.support.crawling import Running
from tests.support.goldens import FOLDERS
from tests.support.site import SiteProxy
from tests.web.sample import crawl, plant, sow
from tests.web.serving import PatientWeb, Web, browsing


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive: its folder, and a client of its database."""

    data: Path
    uri: str
    database: str
    db: Database[dict[str, Any]]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Archive]:
    data, database = tmp_path_factory.mktemp("shown"), "test_web"
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        client.drop_database(database)
        with SiteProxy(FOLDERS) as site:
            crawl(site, data, mongodb_uri, database)
        sow(client[database])
        plant(client[database])
        yield Archive(data, mongodb_uri, database, client[database])
        client.drop_database(database)


@pytest.fixture(scope="session")
def web(archive: Archive) -> Iterator[Web]:
    with browsing(archive.data, archive.uri, archive.database) as (web, _):
        until_indexed(web)
        yield web


def until_indexed(web: Web) -> None:
    """Wait for the full-text index: a search waits for it a second at most."""
    for words in ("一则消息", "环保督察", "第一种说法"):  # sown, crawled, crawled last
        found = (web.get("/", q=words).text for _ in range(120))
        assert any("没有符合的文章" not in text for text in found), words


@pytest.fixture
def shown(mongodb_uri: str, database: str, tmp_path: Path) -> Iterator[tuple[Web, Running]]:
    """A server on the empty database of the test."""
    with browsing(tmp_path, mongodb_uri, database) as (web, running):
        assert web.get("/").status == 200
        yield PatientWeb(web.url), running
