"""The shared crawl in a real Redis, without Scrapy's engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.utils.test import get_crawler

from tests.cluster.servers import RedisServer, needs_redis
from zjolcrawl.cluster.crawl import SharedCrawl
from zjolcrawl.cluster.membership import Membership
from zjolcrawl.cluster.orders import Order

pytestmark = needs_redis
LEASE = 0.6


def order(ident: str, host: str = "a", rank: int = 1) -> Order:
    return Order(ident, json.dumps({"id": ident, "host": host, "rank": rank}))


@asynccontextmanager
async def member(redis: RedisServer) -> AsyncIterator[Membership]:
    crawler = get_crawler(settings_dict={
        "REDIS_URL": redis.url, "REDIS_LEASE": LEASE, "MONGODB_PATIENCE": 5,
    })  # fmt: skip
    crawler.engine = SimpleNamespace(running=True)  # type: ignore[assignment]
    one = Membership(crawler)
    await one.open()
    try:
        yield one
    finally:
        await one.spider_closed()


async def joined(one: Membership, **given: str) -> SharedCrawl:
    crawl = SharedCrawl(one, "zjol", "column", given)
    await crawl.join()
    return crawl


async def push(crawl: SharedCrawl, *orders: Order) -> None:
    for each in orders:
        crawl.push(each)
    await crawl.settle()


async def take(
    crawl: SharedCrawl, wanted: int = 10, delay: float = 0.0, most: int = 10, **have: int
) -> list[str]:
    return [each["id"] for each in (await crawl.take(wanted, delay, most, have)).orders]


Case = Callable[[Membership, Membership], Awaitable[None]]


@pytest.fixture
def run(redis: RedisServer) -> Callable[[Case], None]:
    """Runs a case with two members."""

    async def both(case: Case) -> None:
        async with member(redis) as one, member(redis) as two:
            await case(one, two)

    return lambda case: asyncio.run(both(case))


def test_an_id_is_queued_once_and_taken_once(run: Callable[[Case], None]) -> None:
    async def case(one: Membership, two: Membership) -> None:
        a, b, other = await joined(one), await joined(two), await joined(two, column="zjxw")
        await push(a, order("x"), order("list", rank=0), order("y"), order("x"))
        await push(b, order("y"), order("z"))
        assert await take(other) == []  # another crawl
        assert await take(b, 2) == ["list", "x"]
        assert await take(a) == ["y", "z"]
        b.done(["x"])
        await push(a, order("x"), order("list"))
        assert await take(a) == []
        assert set(b.held) == {"list"}

    run(case)


def test_a_host_gives_as_many_as_it_may(run: Callable[[Case], None]) -> None:
    async def case(one: Membership, two: Membership) -> None:
        a = await joined(one)
        await push(a, *(order(f"{host}{n}", host) for host in "ab" for n in range(5)))
        assert sorted(await take(a, most=2, a=1)) == ["a0", "b0", "b1"]
        assert sorted(await take(a, most=2, a=2, b=2)) == []
        b = await joined(two)
        assert sorted(await take(b, delay=0.3)) == ["a1", "b2"]
        taken = await a.take(10, 0.3, 10, {})
        assert taken.orders == []
        assert taken.waiting == 5
        assert taken.wait is not None
        assert 0.1 < taken.wait <= 0.3
        await asyncio.sleep(0.3)
        assert sorted(await take(a, delay=0.3)) == ["a2", "b3"]

    run(case)


def test_what_the_dead_and_the_leaving_held_is_there_for_others(
    run: Callable[[Case], None],
) -> None:
    async def case(one: Membership, two: Membership) -> None:
        a, b = await joined(one), await joined(two)
        lead = await a.lead()
        assert (lead.leads, lead.begins) == (True, True)
        assert not (await b.lead()).leads
        await push(a, *map(order, "vwxyz"))
        assert await take(a, 3) == ["v", "w", "x"]
        a.done(["v"])
        await a.part()
        assert await take(b, 3) == ["w", "x", "y"]
        b.done(["w"])
        await b.settle()
        assert two._beating
        two._beating.cancel()  # it is silent from now on
        c = await joined(one)
        assert (await c.lead()).leads
        assert await take(c) == ["z"]
        await asyncio.sleep(LEASE + 0.1)
        await c.lead()
        assert await take(c) == ["x", "y"]

    run(case)


def test_it_is_over_for_all_when_nobody_holds_anything(run: Callable[[Case], None]) -> None:
    async def case(one: Membership, two: Membership) -> None:
        a, b = await joined(one), await joined(two)
        assert (await a.lead()).begins
        await push(a, order("x"))
        await a.started()
        assert not (await a.lead()).begins
        await b.close()
        assert not b.over
        assert await take(a) == ["x"]
        await b.close()
        assert not b.over
        a.done(["x"])
        await a.settle()
        await b.close()
        assert b.over
        assert not a.over
        assert await take(a) == []
        assert a.over
        c = await joined(one)  # a new crawl, which knows of no x
        assert (await c.lead()).begins
        await push(c, order("x"))
        assert await take(c) == ["x"]

    run(case)


def test_a_redis_that_forgot_is_told_again(run: Callable[[Case], None], redis: RedisServer) -> None:
    async def case(one: Membership, two: Membership) -> None:
        a, b = await joined(one), await joined(two)
        one.mended, two.mended = a.join, b.join
        await a.lead()
        await push(a, order("x"), order("y"), order("z"))
        await a.started()
        assert await take(a, 1) == ["x"]
        await asyncio.to_thread(redis.kill)
        await asyncio.to_thread(redis.start)
        await asyncio.sleep(1)
        await push(b, order("x"), order("y"))  # x is held, though Redis was empty
        assert await take(b) == ["y"]
        assert a.losses == b.losses == 1
        await asyncio.sleep(1)  # meanwhile no one gives start links
        leads: list[Any] = [await each.lead() for each in (a, b)]
        assert sorted(each.begins for each in leads) == [False, True]

    run(case)
