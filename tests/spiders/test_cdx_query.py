"""How all captures are got from servers that page differently, or not at all."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from scrapy.http import Response

from zjolcrawl.archive.cdx import NotCdx, Row, stamp_of
from zjolcrawl.spiders.archive_client import Service
from zjolcrawl.spiders.cdx_query import CdxQuery, Scope

FIRST = datetime(2010, 1, 1, tzinfo=timezone.utc)
LAST = datetime(2020, 1, 1, tzinfo=timezone.utc)


class Pywb:
    """A server that only has `from`, `to` and `limit`; it notes the requests."""

    def __init__(self, times: list[datetime]) -> None:
        self.stamps = sorted(map(stamp_of, times))
        self.asked: list[tuple[str, str]] = []

    async def get(self, url: str, service: Service, headers: Any = None) -> Response:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append((query["from"], query["to"]))
        found = [each for each in self.stamps if query["from"] <= each <= query["to"]]
        lines = [{"url": "http://x/", "timestamp": each} for each in found[: int(query["limit"])]]
        return Response(url, body="\n".join(map(json.dumps, lines)).encode())


def rows(server: Any, limit: int = 4) -> list[Row]:
    async def collected() -> list[Row]:
        query = CdxQuery(server, "http://localhost/coll/cdx", limit)
        listings = query.listings(Scope("x", "domain"), FIRST, LAST)
        return [row async for listing in listings for row in listing.rows]

    return asyncio.run(collected())


def test_a_full_answer_is_asked_for_in_halves() -> None:
    times = [FIRST + timedelta(seconds=n) for n in range(10)] + [LAST]
    server = Pywb(times)
    assert [row.timestamp for row in rows(server)] == server.stamps
    assert server.asked[0] == (stamp_of(FIRST), stamp_of(LAST))


def test_more_captures_of_one_second_than_an_answer_has() -> None:
    with pytest.raises(NotCdx, match="4 captures of one second"):
        rows(Pywb([FIRST] * 5))


def test_the_same_resume_key_again_is_no_endless_loop() -> None:
    class Stuck(Pywb):
        async def get(self, url: str, service: Service, headers: Any = None) -> Response:
            return Response(
                url, body=b'[["timestamp","original"],["20100101000000","http://x/"],[],["k"]]'
            )

    with pytest.raises(NotCdx, match="a resume key that it has sent before"):
        rows(Stuck([]))


@pytest.mark.parametrize(
    ("number_of_keys", "row", "said"),
    [(3, True, "sent before"), (10_000, False, "answers without a row")],
)
def test_resume_keys_without_end(number_of_keys: int, row: bool, said: str) -> None:
    class Endless(Pywb):
        async def get(self, url: str, service: Service, headers: Any = None) -> Response:
            self.asked.append((url, ""))
            found = [["20100101000000", "http://x/"]] if row else []
            key = f"k{len(self.asked) % number_of_keys}"
            table = [["timestamp", "original"], *found, [], [key]]
            return Response(url, body=json.dumps(table).encode())

    server = Endless([])
    with pytest.raises(NotCdx, match=said):
        rows(server)
    assert len(server.asked) < 200
