"""Detects a broken host, so that its pages are not mistaken for deleted or changed ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from zjolcrawl.items import Article, Outcome, Unchanged
from zjolcrawl.messages import counted
from zjolcrawl.parsing.urls import host_of

# Duplicate texts are judged after this many visits of a host: each would be stored as an edit.
_BATCH = 20
# Most flips held per host. Without a duplicate text they wait for this or the end of the run.
_MOST_HELD = 200
_TEXTS = 8  # newest texts of a host that the next one is compared with
_UNBELIEVED = "not believed, as most visits of the host in this run were like it: "

Flip = Outcome | Article


@dataclass(slots=True)
class _Host:
    """The state of one host in this run.

    `visits` counts all visits, `recent` those since the last judgement. `held` are flips not judged
    yet, `fresh` counts judged flips that are new. `texts` maps the newest texts to their URLs.
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

    A flip is a link that looks gone, a rejected page, or a page with exactly the text of another
    page of its host. A host is broken if at least `least` of its visits in the run, and at least
    half of them, are flips that no earlier visit found. For duplicate texts, half of the latest
    visits is enough. Each flip of a broken host becomes `failed`: no stored article changes, and
    the link is revisited soon. The host counts as broken until the run ends.
    """

    def __init__(
        self,
        least: int,
        doubted: Callable[[list[str]], Awaitable[dict[str, str]]],
        on_unbelieved: Callable[[list[Outcome]], None],
    ) -> None:
        """Configure the watch; with `least` 0 every flip is believed.

        `doubted` returns what earlier visits found of links, by URL. `on_unbelieved` gets the flips that
        are not believed.
        """
        self._least, self._doubted, self._on_unbelieved = least, doubted, on_unbelieved
        self._hosts: dict[str, _Host] = {}
        self._alarms: dict[str, _Alarm] = {}

    async def admit(self, item: Any) -> list[Any]:
        """The items that may be stored now, after this item arrived."""
        if not self._least or not isinstance(item, Outcome | Article | Unchanged):
            return [item]
        name = _host_of(item)
        host = self._hosts.setdefault(name, _Host())
        ready: list[Any] = []
        if not isinstance(item, Unchanged) and _is_flip(item, host):
            host.held.append(item)
        elif isinstance(item, Outcome):
            return [item]  # failed, pending or skipped: says nothing about the host
        else:
            ready.append(item)
        host.visits += 1
        host.recent += 1
        is_due = host.recent >= _BATCH if _texts_in(host.held) else len(host.held) >= _MOST_HELD
        if is_due or (host.held and name in self._alarms):
            ready += await self._judge(name, host)
        elif host.recent >= _BATCH:
            host.recent = 0
        return ready

    async def release_held(self) -> list[Any]:
        """The items still held at the end of the run."""
        return [
            each for name, host in self._hosts.items() for each in await self._judge(name, host)
        ]

    def alarms(self) -> list[str]:
        """One line per host whose flips were not believed."""
        return [
            f"host {name}: {alarm.flips} of {counted(alarm.visits, 'visit')} found the page gone, rejected or the same "
            f"as another (first {alarm.first.url}: {alarm.first.reason.removeprefix(_UNBELIEVED)}); "
            "nothing was changed and the links are visited again soon. If the pages really changed, run once "
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
        host.visits -= again  # confirming an earlier finding is no new evidence
        many = self._are_many(_texts_in(flips), recent) or self._are_many(host.fresh, host.visits)
        if not (many or name in self._alarms):
            return flips
        failed = [unbelieved(each) for each in flips]
        alarm = self._alarms.setdefault(name, _Alarm(failed[0]))
        alarm.flips += len(flips)
        alarm.visits = host.visits
        self._on_unbelieved(failed)
        return failed

    def _are_many(self, flips: int, visits: int) -> bool:
        return flips >= self._least and 2 * flips >= visits

    async def _found_before(self, flips: list[Flip]) -> int:
        """How many flips repeat what the previous visit of their link found."""
        outcomes = [each for each in flips if isinstance(each, Outcome)]
        known = await self._doubted([each.url for each in outcomes])
        return sum(known.get(each.url) == each.state for each in outcomes)


def _texts_in(flips: list[Flip]) -> int:
    return sum(isinstance(each, Article) for each in flips)


def unbelieved(flip: Flip) -> Outcome:
    """The failed Outcome that replaces a flip of a broken host."""
    if isinstance(flip, Article):
        reason = f"{_UNBELIEVED}the text of another page"
        return Outcome(
            flip.link, "failed", reason,
            final_url=flip.url, seen_at=flip.visit.seen_at, warc=flip.visit.warc,
        )  # fmt: skip
    reason = _UNBELIEVED + flip.reason
    return replace(flip, state="failed", reason=reason, front=False, excerpt=None)


def link_url(item: Outcome | Article | Unchanged) -> str:
    """The URL of the link that led to the item."""
    return item.link if isinstance(item, Article) else item.url


def _host_of(item: Outcome | Article | Unchanged) -> str:
    return host_of(link_url(item))


def _is_flip(item: Flip, host: _Host) -> bool:
    if isinstance(item, Outcome):
        return item.state in {"gone", "rejected"} and not item.skipped
    if not item.body:
        return False
    text = hash((item.title, item.body))
    first_url = host.texts.setdefault(text, item.url)
    if len(host.texts) > _TEXTS:
        host.texts.popitem(last=False)
    return first_url != item.url
