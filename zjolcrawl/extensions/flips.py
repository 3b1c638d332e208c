"""Tells a host that is out of order from pages that are gone: many at once are not believed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from zjolcrawl.items import Article, Outcome, Unchanged

# Visits of a host after which texts that are another page's are judged: each would be stored as an edit.
_TOGETHER = 20
# What is held of a host at most; other flips wait for the end of the run, for they only raise a doubt.
_MOST_HELD = 200
_TEXTS = 8  # of a host, with which the next is compared
_UNBELIEVED = "not believed, as most visits of the host in this run were like it: "

Flip = Outcome | Article


@dataclass(slots=True)
class _Host:
    """Visits in this run, and those since texts were judged; flips that wait, and how many `fresh` ones
    were judged; the URLs of the newest texts.
    """

    visits: int = 0
    recent: int = 0
    held: list[Flip] = field(default_factory=list)
    fresh: int = 0
    texts: OrderedDict[int, str] = field(default_factory=OrderedDict)


@dataclass(slots=True)
class _Alarm:
    first: Outcome
    flips: int = 0
    visits: int = 0


class FlipWatch:
    """Holds flips until their host is judged.

    A flip is a link that looks gone, a page that is rejected, or one with the very text of another
    page of its host. If at least `least` of a host's visits in the run, and half of them, are flips that
    no visit before has found, each flip is `failed` for this run: nothing changes, and the link is visited
    again soon. From then on the run believes no flip of the host. Of texts, half of the latest visits will
    do.
    """

    def __init__(
        self,
        least: int,
        doubted: Callable[[list[str]], Awaitable[dict[str, str]]],
        record: Callable[[list[Outcome]], None],
    ) -> None:
        """`least` 0: all is believed. `doubted` gives what visits before have found of links, by URL;
        `record` is told what is not believed.
        """
        self._least, self._doubted, self._record = least, doubted, record
        self._hosts: dict[str, _Host] = {}
        self._alarms: dict[str, _Alarm] = {}

    async def saw(self, item: Any) -> list[Any]:
        """What may be stored now that the item came."""
        if not self._least or not isinstance(item, Outcome | Article | Unchanged):
            return [item]
        name = _host_of(item)
        host = self._hosts.setdefault(name, _Host())
        ready: list[Any] = []
        if not isinstance(item, Unchanged) and _is_flip(item, host):
            host.held.append(item)
        elif isinstance(item, Outcome):
            return [item]  # failed, pending or skipped: says nothing of the host
        else:
            ready.append(item)
        host.visits += 1
        host.recent += 1
        is_due = host.recent >= _TOGETHER if _texts_in(host.held) else len(host.held) >= _MOST_HELD
        if is_due or (host.held and name in self._alarms):
            ready += await self._judge(name, host)
        elif host.recent >= _TOGETHER:
            host.recent = 0
        return ready

    async def rest(self) -> list[Any]:
        """What is still held at the end of the run."""
        return [
            each for name, host in self._hosts.items() for each in await self._judge(name, host)
        ]

    def alarms(self) -> list[str]:
        """A line for each host that was not believed."""
        return [
            f"host {name}: {alarm.flips} of {alarm.visits} visits found the page gone, rejected or the same "
            f"as another (first {alarm.first.url}: {alarm.first.reason.removeprefix(_UNBELIEVED)}); "
            "nothing was changed and the links are visited again soon. If it is true, run once "
            "with -s FLIP_ALARM=0"
            for name, alarm in self._alarms.items()
        ]

    async def _judge(self, name: str, host: _Host) -> list[Any]:
        flips, host.held = host.held, []
        recent, host.recent = host.recent, 0
        if not flips:
            return []
        again = await self._found_before(flips)
        host.fresh += len(flips) - again
        host.visits -= again  # links that are visited to confirm what was found say nothing new
        many = self._are_many(_texts_in(flips), recent) or self._are_many(host.fresh, host.visits)
        if not (many or name in self._alarms):
            return flips
        failed = [unbelieved(each) for each in flips]
        alarm = self._alarms.setdefault(name, _Alarm(failed[0]))
        alarm.flips += len(flips)
        alarm.visits = host.visits
        self._record(failed)
        return failed

    def _are_many(self, flips: int, visits: int) -> bool:
        return flips >= self._least and 2 * flips >= visits

    async def _found_before(self, flips: list[Flip]) -> int:
        """How many of the links the visit before found just so."""
        outcomes = [each for each in flips if isinstance(each, Outcome)]
        known = await self._doubted([each.url for each in outcomes])
        return sum(known.get(each.url) == each.state for each in outcomes)


def _texts_in(flips: list[Flip]) -> int:
    return sum(isinstance(each, Article) for each in flips)


def unbelieved(flip: Flip) -> Outcome:
    """A flip as the failure of its host."""
    if isinstance(flip, Article):
        reason = f"{_UNBELIEVED}the text of another page"
        return Outcome(
            flip.frontier_url or flip.url, "failed", reason,
            final_url=flip.url, seen_at=flip.seen_at, warc=flip.warc,
        )  # fmt: skip
    reason = _UNBELIEVED + flip.reason
    return replace(flip, state="failed", reason=reason, front=False, excerpt=None)


def link_of(item: Outcome | Article | Unchanged) -> str:
    """The URL of the link that led to it."""
    return (item.frontier_url or item.url) if isinstance(item, Article) else item.url


def _host_of(item: Outcome | Article | Unchanged) -> str:
    return urlsplit(link_of(item)).hostname or ""


def _is_flip(item: Flip, host: _Host) -> bool:
    if isinstance(item, Outcome):
        return item.state in {"gone", "rejected"} and not item.skipped
    if not item.body:
        return False
    text = hash((item.title, item.body))
    known = host.texts.setdefault(text, item.url)
    if len(host.texts) > _TEXTS:
        host.texts.popitem(last=False)
    return known != item.url
