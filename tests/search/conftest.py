"""Fixtures of the search tests: articles stored as a run does, and a full-text index."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.articles import made_article
from zjolcrawl.items import Article, Outcome, Unchanged
from zjolcrawl.search import SearchIndex, catch_up, search
from zjolcrawl.storage.connection import connect
from zjolcrawl.storage.queries.selection import Selection
from zjolcrawl.storage.store import Store
from zjolcrawl.storage.visit_policy import VisitPolicy

T = TypeVar("T")
Ask = Callable[[Callable[[Any], Awaitable[T]]], T]
Put = Callable[..., None]
Found = Callable[..., list[str]]
DAY = datetime(2017, 8, 11, 23, 34, 27, tzinfo=timezone.utc)


def article(number: int, title: str, body: str, **changes: Any) -> Article:
    """An article; each number is an hour newer than the one before."""
    values: dict[str, Any] = {
        "url": f"http://zjnews.zjol.com.cn/201708/t20170812_{number}.shtml",
        "site": "zjnews.zjol.com.cn", "title": title, "body": body, "body_html": f"<p>{body}</p>",
        "template": "T1", "parser_version": 2, "columns": ["zjxw"],
        "published_at": DAY + timedelta(hours=number), "published_precision": "second",
    }  # fmt: skip
    return made_article(**(values | changes))


@pytest.fixture
def ask(mongodb_uri: str, database: str) -> Ask[Any]:
    """`ask(lambda db: …)`: runs a query with the product's client."""

    def run(question: Callable[[Any], Awaitable[T]]) -> T:
        async def main() -> T:
            client = await connect(mongodb_uri)
            try:
                return await question(client[database])
            finally:
                await client.close()

        return asyncio.run(main())

    return run


@pytest.fixture
def put(mongodb_uri: str, database: str) -> Put:
    """Stores articles, outcomes and unchanged pages as a run does."""

    def run(*items: Article | Outcome | Unchanged) -> None:
        async def main() -> None:
            policy = VisitPolicy(confirm_visits=1)  # a takedown needs no confirmation
            store = await Store.open(
                mongodb_uri, database, run_arguments={}, version="0", policy=policy
            )
            for item in items:
                match item:
                    case Outcome():
                        await store.outcome(item)
                    case Unchanged():
                        await store.unchanged(item)
                    case _:
                        await store.put(item)
            await store.finish()
            await store.close()

        asyncio.run(main())

    return run


@pytest.fixture
def index(tmp_path: Path, database: str) -> SearchIndex:
    """The index in the test's folder."""
    return SearchIndex.open(tmp_path, database)


@pytest.fixture
def found(ask: Ask[Any], index: SearchIndex) -> Found:
    """`found("西湖", columns=("zjxw",))`: the titles of a query's hits, with the index up to date."""

    def run(text: str, order: Any = "newest", **selection: Any) -> list[str]:
        async def question(db: Any) -> list[str]:
            await catch_up(db, index)
            results = await search(db, index, text, Selection(**selection), limit=200, order=order)
            assert results.total == len(results.articles)
            return [each["title"] for each in results.articles]

        return list(ask(question))

    return run
