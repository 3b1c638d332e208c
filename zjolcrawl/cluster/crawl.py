"""The crawl that the workers share, as one worker sees it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import uuid4

from zjolcrawl.cluster.membership import How, Membership
from zjolcrawl.cluster.orders import Order
from zjolcrawl.cluster.server import PREFIX

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """Orders; `waiting` are in the queue, and in `wait` seconds (None: none waits) one can be had."""

    orders: list[dict[str, Any]]
    waiting: int
    wait: float | None


@dataclass(frozen=True, slots=True)
class Lead:
    """Whether this worker leads, and whether the start links are still to be given."""

    leads: bool
    begins: bool
    waiting: int


class SharedCrawl:
    """One crawl in Redis, named by its `database`, spider and arguments.

    `held` are the orders that this worker took and that are not durable yet, by id. What is pushed and
    what is done is told with the next `settle`. `over`: nothing waits and nobody holds anything.
    """

    def __init__(self, member: Membership, database: str, spider: str, given: Mapping[str, str]):
        named = json.dumps([spider, sorted(given.items())])
        mark = hashlib.sha256(named.encode()).hexdigest()[:12]
        self._member = member
        self._key = f"{PREFIX}{database}:{mark}:"
        self._epoch = uuid4().hex
        self._pushed: deque[Order] = deque()
        self._done: deque[str] = deque()
        self._settling = asyncio.Lock()
        self.held: dict[str, str] = {}
        self.over = False
        self.losses = 0
        """How often Redis was found to have forgotten something."""

    async def join(self, how: How = "fresh") -> None:
        """Become one of its workers, with all that is held. Raises ServerAway."""
        self.losses += how == "lost"
        told = [part for each in self.held.items() for part in each]
        answer = await self._member.ask("join", self._key, self._epoch, how, *told)
        self.over = answer == "over"
        self._epoch = self._epoch if self.over else answer

    def push(self, order: Order) -> None:
        """Queue an order, unless one of its id was ever queued."""
        self._pushed.append(order)

    def done(self, ids: Iterable[str]) -> None:
        """What came of these orders is durable."""
        self._done.extend(each for each in ids if self.held.pop(each, None))

    async def settle(self) -> None:
        """Tell what was pushed, then what is done: what comes of an order is queued before it ends."""
        async with self._settling:
            while some := list(islice(self._pushed, _AT_ONCE)):
                told = [part for order in some for part in (order.id, order.text)]
                standing = await self._member.call("push", self._key, self._epoch, *told)
                self._heed(standing)
                if standing != "lost":
                    for _ in some:
                        self._pushed.popleft()
            while ids := list(islice(self._done, _AT_ONCE)):
                await self._member.call("done", self._key, *ids)
                for _ in ids:
                    self._done.popleft()

    async def take(self, wanted: int, delay: float, most: int, have: Mapping[str, int]) -> Taken:
        """So many orders at most, of a host `most` with those that this worker `have`s already."""
        told = [part for each in have.items() for part in each]
        standing, waiting, wait, *texts = await self._member.call(
            "take", self._key, self._epoch, wanted, 1000 * delay, most, *told
        )
        orders: list[dict[str, Any]] = [json.loads(text) for text in texts]
        self.held |= {order["id"]: text for order, text in zip(orders, texts, strict=True)}
        self._heed(standing)
        return Taken(orders, waiting, None if wait < 0 else wait / 1000)

    async def lead(self) -> Lead:
        """Lead if nobody does; who leads brings back what the dead held."""
        standing, leads, begun, waiting = await self._member.call("lead", self._key, self._epoch)
        self._heed(standing)
        return Lead(bool(leads), bool(leads and not begun), waiting)

    async def started(self) -> None:
        """All start links were given."""
        await self.settle()
        await self._member.call("started", self._key, self._epoch)

    async def close(self) -> None:
        """End it for all if there is nothing left."""
        if not self._pushed and not self.held:
            await self.settle()
            self._heed(await self._member.call("close", self._key, self._epoch))

    async def part(self) -> None:
        """Leave it; what is held is there for others. Raises ServerAway."""
        if self._done:
            await self._member.ask("done", self._key, *self._done)
        await self._member.ask("part", self._key)

    def _heed(self, standing: str) -> None:
        if standing == "lost":
            self._member.doubt()
        elif standing == "over":
            self.over = True
