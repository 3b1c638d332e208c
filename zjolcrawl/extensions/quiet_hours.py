"""Ends runs during QUIET_HOURS, the hours in which nothing is fetched."""

from __future__ import annotations

import asyncio
import contextlib
import re
from datetime import datetime, time, timedelta
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from zjolcrawl.parsing.fields.dates import CHINA
from zjolcrawl.run.run import Run, run_of

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def parse_hours(text: str) -> tuple[time, time]:
    """Parse `01:00-05:30` into two times of day (China). Raises ValueError."""
    if not (found := _HOURS.fullmatch(text.strip())):
        raise ValueError(f"{text} is not of the form 01:00-05:30")
    a, b, c, d = map(int, found.groups())
    return time(a, b), time(c, d)


def seconds_to(hours: tuple[time, time], now: datetime) -> float:
    """Seconds until the hours begin, 0 within them; they may span midnight."""
    begin, end = hours
    clock = now.time()
    if (begin <= clock < end) if begin <= end else (clock >= begin or clock < end):
        return 0.0
    following = datetime.combine(now.date(), begin, now.tzinfo)
    if following <= now:
        following += timedelta(days=1)
    return (following - now).total_seconds()


class QuietHours:
    """Ends a run that uses the network, with a regular finish, when QUIET_HOURS begin."""

    def __init__(self, run: Run, hours: tuple[time, time]) -> None:
        self._run, self.hours = run, hours
        self._watching: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured without QUIET_HOURS, ValueError if it is malformed."""
        if not (text := crawler.settings.get("QUIET_HOURS")):
            raise NotConfigured
        quiet = cls(run_of(crawler), parse_hours(text))
        crawler.signals.connect(quiet.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(quiet.spider_closed, signal=signals.spider_closed)
        return quiet

    def spider_opened(self) -> None:
        if self._run.live:
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def spider_closed(self) -> None:
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        await asyncio.sleep(seconds_to(self.hours, datetime.now(CHINA)))
        self._run.warnings.append(f"quiet hours until {self.hours[1]:%H:%M}, China time")
        self._run.end_early("closespider_quiet_hours")
