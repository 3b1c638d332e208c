"""Our validation gives the same result as the server's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from bson import Int64
from pymongo.database import Database
from pymongo.errors import WriteError

from tests.export.made import article
from zjolcrawl.export.conform import broken_rule, conform
from zjolcrawl.storage.connection import open_database
from zjolcrawl.storage.schema import ensure_schema

IMAGE = article(0)["images"][0]
CHANGES: list[dict[str, Any]] = [
    {}, {"images": None}, {"body": ""}, {"authors": []}, {"images": []}, {"warnings": []}, {"title": ""},
    {"title": 1}, {"body": None}, {"tags": "生态"}, {"tags": ["生态", ""]}, {"tags": [1]}, {"status": "away"},
    {"published_precision": "week"}, {"published_at": "2017"}, {"revision": 0}, {"revision": Int64(1)},
    {"revision": 2**40}, {"revision": 1.0}, {"revision": True}, {"content_sha256": "A" * 64},
    {"content_sha256": "0" * 65}, {"parser": {"template": "T1"}}, {"parser": {"template": "", "version": 1}},
    {"parser": None}, {"warc": {"file": "x"}}, {"warc": {}}, {"pages_warc": [{}]}, {"run_id": "x"},
    {"authors": [{"name": "江帆"}]}, {"authors": [{"name": "江帆", "role": "记者", "outlet": ""}]},
    {"authors": ["江帆"]}, {"images": [{**IMAGE, "position": 0}]}, {"images": [{**IMAGE, "status": "odd"}]},
    {"images": [{**IMAGE, "width": "600"}]}, {"videos": [{"url": "http://x/"}]}, {"mine": 1},
]  # fmt: skip


@pytest.mark.parametrize("collection", ["articles", "revisions"])
def test_same_answer_as_the_server(
    collection: str, db: Database[Any], mongodb_uri: str, database: str
) -> None:
    async def ensure() -> None:
        async with open_database(mongodb_uri, database, Path()) as db:
            await ensure_schema(db)

    asyncio.run(ensure())
    taken = []
    for number, change in enumerate(CHANGES):
        document = article(number, **change)
        if collection == "revisions":
            document["_id"] = {"url": document["_id"], "revision": number + 1}
        try:
            db[collection].insert_one(document)
            taken.append(change)
        except WriteError:
            assert conform(document)[1] or broken_rule(document), change
        else:
            assert broken_rule(document) is None, change
    assert taken == [
        {}, {"images": None}, {"body": ""}, {"authors": []}, {"images": []},
        {"images": [{**IMAGE, "width": "600"}]}, {"mine": 1},
    ]  # fmt: skip
