"""A page of a feed reads few documents of a large archive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.database import Database

from tests.support.plans import Document, Sent, explained, parts
from zjolcrawl.feeds.feed import Feed
from zjolcrawl.storage.queries.events import Wanted, last_events
from zjolcrawl.storage.queries.selection import Selection

MOST = 51
_GONE = {"gone_at": {"$exists": True}}
_EDITED = {"revision": {"$gt": 1}}
_COLUMN = {"columns": "zjxw"}


class Kept(Sent):
    """All queries of a client."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Document] = []

    def started(self, event: Any) -> None:
        super().started(event)
        if event.command_name in {"find", "aggregate"}:
            self.commands.append(self.command)


def queries(uri: str, database: str, feed: Feed) -> list[Document]:
    """The queries that find the candidates of a page."""

    async def ask() -> None:
        async with AsyncMongoClient(uri, tz_aware=True, event_listeners=[kept]) as client:
            wanted = Wanted(feed.kinds, feed.selection, feed.since)
            assert len(await last_events(client[database], wanted, MOST)) == MOST

    kept = Kept()
    asyncio.run(ask())
    return [each for each in kept.commands if "articles" in each.values()]


@pytest.mark.parametrize(
    ("feed", "behind"),
    [
        (Feed(), _GONE),
        (Feed("changes"), {"$or": [_GONE, _EDITED]}),
        (Feed("edited"), _EDITED),
        (Feed("gone"), _GONE),
        (Feed(selection=Selection(columns=("zjxw",))), {"$or": [_GONE, _COLUMN]}),
    ],
    ids=["all", "changes", "edited", "gone", "column"],
)
def test_it_reads_what_the_answer_is_about(
    feed: Feed, behind: Document, mongodb_uri: str, large: Database[Any]
) -> None:
    """At most the documents `behind` the answer, and a few for the newest articles.

    Of edits, at most as many as lie between 51 of them in order of time: MongoDB chooses between that and all edits.
    """
    examined = 0
    for command in queries(mongodb_uri, large.name, feed):
        plan, told = explained(large, command)
        assert "COLLSCAN" not in {each["stage"] for each in parts(plan)}
        examined += told["totalDocsExamined"]
    every, edited = (large.articles.count_documents(each) for each in ({}, _EDITED))
    between = MOST * every // edited if feed.name in {"changes", "edited"} else 0
    assert examined <= large.articles.count_documents(behind) + 4 * MOST + between < every // 2
