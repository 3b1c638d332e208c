"""Fixtures of the feed tests: articles stored as a run does, and a reader of feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.search.conftest import Ask, ask, index, put
from zjolcrawl.feeds.feed import Feed, Page, read_page
from zjolcrawl.search import SearchIndex, catch_up

__all__ = ["ask", "index", "put"]

ReadFeed = Callable[..., list[Page]]


@pytest.fixture
def pages(ask: Ask[Any], index: SearchIndex) -> ReadFeed:
    """`pages(Feed("changes"), size=3)`: all pages of a feed."""

    def read(feed: Feed, size: int = 50, most: int = 1000) -> list[Page]:
        async def question(db: Any) -> list[Page]:
            if feed.q:
                await catch_up(db, index)
            found = [await read_page(db, index, feed, 1, size)]
            while found[-1].more and len(found) < most:
                found.append(await read_page(db, index, feed, len(found) + 1, size))
            return found

        return list(ask(question))

    return read
