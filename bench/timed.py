"""Any scrapy command in a process of its own, with a clock on its crawl.

python -m bench.timed ARGUMENTS OF SCRAPY, with the file for the figures in BENCH_FIGURES

The clock runs from the first request that is scheduled until the engine has stopped: what a spider
writes when it closes is in it, the start of the interpreter and the connection to the database are not.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from scrapy import cmdline, signals
from scrapy.crawler import Crawler
from scrapy.utils.project import get_project_settings

from zjolcrawl.extensions.run_ledger import RunLedger

WHERE = "BENCH_FIGURES"
WITHOUT_SEARCH = "BENCH_WITHOUT_SEARCH"


@dataclass(frozen=True, slots=True)
class Figures:
    """One crawl: responses, items, seconds on the clock, CPU seconds of its process, and of those that it started, in that time.

    `began`: by the clock of the machine. `peak`: the most resident memory of the process, in bytes.
    """

    began: float
    responses: int
    items: int
    seconds: float
    cpu: float
    peak: int


class Clock:
    """Scrapy extension; leaves the figures in the file that the environment names."""

    def __init__(self, crawler: Crawler) -> None:
        self._begun: tuple[float, float, float] | None = None
        self._responses = self._items = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        clock = cls(crawler)
        crawler.signals.connect(clock.begin, signal=signals.request_scheduled)
        crawler.signals.connect(clock.response, signal=signals.response_received)
        crawler.signals.connect(clock.item, signal=signals.item_scraped)
        crawler.signals.connect(clock.end, signal=signals.engine_stopped)
        return clock

    def begin(self) -> None:
        """Scrapy signal, of which only the first counts."""
        self._begun = self._begun or _now()

    def response(self) -> None:
        """Scrapy signal."""
        self._responses += 1

    def item(self) -> None:
        """Scrapy signal."""
        self._items += 1

    def end(self) -> None:
        """Scrapy signal."""
        began, counter, cpu = self._begun or _now()
        figures = Figures(
            began,
            self._responses,
            self._items,
            time.perf_counter() - counter,
            cpu_time() - cpu,
            _peak(),
        )
        Path(os.environ[WHERE]).write_text(json.dumps(asdict(figures)))


def cpu_time() -> float:
    """CPU seconds of this process and of those it has started that have ended."""
    return sum(os.times()[:4])


def _now() -> tuple[float, float, float]:
    return time.time(), time.perf_counter(), cpu_time()


def _peak() -> int:
    """The high-water mark of this program, in bytes; `ru_maxrss` has that of who started it in it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this needs Linux")


async def _nothing(ledger: RunLedger, db: object) -> None:
    """In the place of what brings the full-text index up to date."""


def main() -> None:
    """Scrapy's command line, with the clock among the extensions."""
    settings = get_project_settings()
    settings.get("EXTENSIONS").set("bench.timed.Clock", 1, priority="cmdline")
    if os.environ.get(WITHOUT_SEARCH):
        RunLedger._index = _nothing  # type: ignore[method-assign]
    cmdline.execute(["scrapy", *sys.argv[1:]], settings)


if __name__ == "__main__":
    main()
