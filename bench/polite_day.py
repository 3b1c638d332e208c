"""Simulates a day of polite crawling request by request, with host delays and leases.

Every `interval` a round starts: robots.txt of each host, then the first page of each column. New
articles are fetched, then their images; due articles are revisited. A host gets one request per
`delay` seconds. Each host belongs to one run; hosts are divided evenly among the runs. A run has at
most `slots` concurrent requests. The same seed gives the same day.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace

HOUR, DAY = 3600.0, 86_400.0
_BEFORE = -2 * HOUR  # the day begins with what the night before left
_ROUND = -1  # instead of a host: a round starts


@dataclass(frozen=True, slots=True)
class Sites:
    """What is crawled; `articles` per day over all hosts, distributed by Zipf's law (`skew`)."""

    name: str
    hosts: int
    columns: int  # a host
    articles: float
    skew: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """The crawl's settings. Times are in seconds, `recheck_days` and `sweep_days` in days."""

    interval: float
    delay: float
    latency: float
    slots: int
    pages_a_second: float  # of one run
    recheck_days: tuple[int, ...]
    sweep_days: float
    sweep_pages: int
    images: float  # an article
    hours: tuple[float, ...]  # the share of each hour of the day in what is published


@dataclass(slots=True)
class Day:
    """Requests by kind, minute and host, and seconds from publication to fetch of each article."""

    requests: Counter[str] = field(default_factory=Counter)
    fresh: list[float] = field(default_factory=list)
    minutes: Counter[int] = field(default_factory=Counter)
    hosts: Counter[int] = field(default_factory=Counter)
    longest_round: float = 0.0  # until the last list of a round was asked for
    backlog: int = 0  # the most requests that waited at once
    unread: int = 0  # articles published on the day that had not come two hours after it


def simulate(sites: Sites, policy: Policy, runs: int, seed: int = 1) -> Day:
    """Simulate a day with this number of parallel runs."""
    return _Fetching(sites, policy, runs, seed).run()


@dataclass(slots=True)
class _Host:
    """The state of a host; `lists` go before `others`, as in the crawl.

    `published` has the moments by column, `seen` how many of them are known. `run` is the number of
    the run that holds the lease.
    """

    published: list[list[float]]
    due: list[float]
    swept: set[int]
    run: int = 0
    lists: deque[tuple[str, int, float]] = field(default_factory=deque)
    others: deque[tuple[str, float]] = field(default_factory=deque)
    seen: list[int] = field(default_factory=list)
    free: float = _BEFORE
    waits: bool = False  # it is in the heap


class _Fetching:
    def __init__(self, sites: Sites, policy: Policy, runs: int, seed: int) -> None:
        self.policy, self.chance, self.day = policy, random.Random(seed), Day()
        self.hosts = [self._host(mean, sites.columns) for mean in _means(sites)]
        shares = [number % runs for number in range(sites.hosts)]
        random.Random(seed).shuffle(shares)  # hosts are sorted by their number of articles
        for host, share in zip(self.hosts, shares, strict=True):
            host.run = share
        self.busy = max(policy.latency, policy.slots / policy.pages_a_second)
        self.free_slots = [[_BEFORE] * policy.slots for _ in range(runs)]
        self.turns: list[tuple[float, int]] = []
        self.waiting, self.began = 0, _BEFORE

    def _host(self, mean: float, columns: int) -> _Host:
        published: list[list[float]] = [[] for _ in range(columns)]
        for moment in self._publications(mean):
            published[self.chance.randrange(columns)].append(moment)
        due = sorted(at for _ in self.policy.recheck_days for at in self._publications(mean))
        swept = {n for n in range(columns) if self.chance.random() < 1 / self.policy.sweep_days}
        return _Host(published, due[::-1], swept, seen=[0] * columns)

    def _publications(self, mean: float) -> list[float]:
        """Sorted publication times of a day and of the two hours before it."""
        found: list[float] = []
        for hour in range(-2, 24):
            expected = mean * self.policy.hours[hour % 24]
            found += [(hour + self.chance.random()) * HOUR for _ in range(self._poisson(expected))]
        return sorted(found)

    def _poisson(self, mean: float) -> int:
        count, product, floor = 0, self.chance.random(), math.exp(-mean)
        while product > floor:
            count, product = count + 1, product * self.chance.random()
        return count

    def run(self) -> Day:
        rounds = math.ceil((DAY + 2 * HOUR - _BEFORE) / self.policy.interval)
        self.turns = [(_BEFORE + n * self.policy.interval, _ROUND) for n in range(rounds)]
        heapify(self.turns)
        while self.turns and self.turns[0][0] < DAY + 2 * HOUR:
            at, number = heappop(self.turns)
            if number == _ROUND:
                self._begin_round(at)
            else:
                self._serve(at, number)
        self.day.unread = sum(
            1 for host in self.hosts for column, seen in zip(host.published, host.seen, strict=True)
            for at in column[seen:] if at >= 0
        ) + sum(kind == "article" and 0 <= at < DAY for h in self.hosts for kind, at in h.others)  # fmt: skip
        return self.day

    def _begin_round(self, at: float) -> None:
        self.began = at
        for number, host in enumerate(self.hosts):
            asked = {column for kind, column, _ in host.lists if kind == "list"}
            wanted = [c for c in range(len(host.published)) if c not in asked]
            self._add(number, lists=[("robots", 0, at), *(("list", c, at) for c in wanted)])
            while host.due and host.due[-1] <= at:
                self._add(number, others=[("recheck", host.due.pop())])

    def _add(
        self,
        number: int,
        lists: Sequence[tuple[str, int, float]] = (),
        others: Sequence[tuple[str, float]] = (),
    ) -> None:
        host = self.hosts[number]
        host.lists.extend(lists)
        host.others.extend(others)
        self.waiting += len(lists) + len(others)
        self.day.backlog = max(self.day.backlog, self.waiting)
        if (lists or others) and not host.waits:
            host.waits = True
            heappush(self.turns, (max(host.free, self.began), number))

    def _serve(self, at: float, number: int) -> None:
        host, policy = self.hosts[number], self.policy
        slots = self.free_slots[host.run]
        start = max(at, slots[0])
        heapreplace(slots, start + self.busy)
        host.free = start + max(policy.delay * self.chance.uniform(0.5, 1.5), policy.latency)
        host.waits = False
        self.waiting -= 1
        if host.lists:
            kind, column, asked = host.lists.popleft()
            if kind == "list":
                self.day.longest_round = max(self.day.longest_round, start - asked)
                self._read_list(number, column, start)
        else:
            kind, published = host.others.popleft()
            if kind == "article":
                if 0 <= published < DAY:
                    self.day.fresh.append(start + policy.latency - published)
                images = int(policy.images + self.chance.random())
                self._add(number, others=[("image", published)] * images)
        if 0 <= start < DAY:
            self.day.requests[kind] += kind != "list"  # counted when it is read
            self.day.hosts[number] += 1
            self.day.minutes[int(start // 60)] += 1
        if (host.lists or host.others) and not host.waits:
            host.waits = True
            heappush(self.turns, (host.free, number))

    def _read_list(self, number: int, column: int, at: float) -> None:
        """Read a list: request page 2 if there was news, all pages on the day of a sweep."""
        host = self.hosts[number]
        first, known = host.seen[column], bisect_right(host.published[column], at)
        host.seen[column] = known
        further = 1 if known > first else 0
        if 0 <= at < DAY:
            self.day.requests["list with news"] += further
            self.day.requests["list without news"] += 1 - further
        if column in host.swept and at >= 0:
            host.swept.discard(column)
            further = self.policy.sweep_pages
        self._add(
            number,
            lists=[("further list", column, at)] * further,
            others=[("article", moment) for moment in host.published[column][first:known]],
        )


def _means(sites: Sites) -> list[float]:
    """Articles per day of each host."""
    weights = [1 / (rank + 1) ** sites.skew for rank in range(sites.hosts)]
    return [sites.articles * weight / sum(weights) for weight in weights]
