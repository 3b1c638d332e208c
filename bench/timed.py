"""Runs a scrapy command in its own process and measures its crawl.

BENCH_FIGURES=FILE python -m bench.timed SCRAPY_ARGUMENTS

The figures go to FILE. The clock runs from the first scheduled request until the engine has
stopped. It includes what a spider writes when it closes, but not the start of the interpreter and
the connection to the database.
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

from zjolcrawl.run.run import Run

WHERE = "BENCH_FIGURES"
WITHOUT_SEARCH = "BENCH_WITHOUT_SEARCH"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one crawl; times are in seconds.

    `cpu` is CPU time of its process and of the ended processes it started. `began` is Unix time.
    `peak` is the peak resident memory of the process in bytes.
    """

    began: float
    responses: int
    items: int
    seconds: float
    cpu: float
    peak: int


class Clock:
    """Scrapy extension that writes the figures to the file named in the environment."""

    def __init__(self, crawler: Crawler) -> None:
        self._begun: tuple[float, float, float] | None = None
        self._responses = self._items = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        clock = cls(crawler)
        crawler.signals.connect(clock.begin, signal=signals.request_scheduled)
        crawler.signals.connect(clock.response, signal=signals.response_received)
        crawler.signals.connect(clock.item, signal=signals.item_scraped)
        crawler.signals.connect(clock.end, signal=signals.engine_stopped)
        return clock

    def begin(self) -> None:
        """Scrapy signal: start the clock at the first scheduled request."""
        self._begun = self._begun or _now()

    def response(self) -> None:
        self._responses += 1

    def item(self) -> None:
        self._items += 1

    def end(self) -> None:
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
    """CPU seconds of this process and of its ended children."""
    return sum(os.times()[:4])


def _now() -> tuple[float, float, float]:
    return time.time(), time.perf_counter(), cpu_time()


def _peak() -> int:
    """Peak memory of this program in bytes; `ru_maxrss` can include the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this needs Linux")


async def _nothing(run: Run, db: object) -> None:
    """Replaces the update of the full-text index."""


def main() -> None:
    """Run Scrapy's command line with the clock as an extension."""
    settings = get_project_settings()
    settings.get("EXTENSIONS").set("bench.timed.Clock", 1, priority="cmdline")
    if os.environ.get(WITHOUT_SEARCH):
        Run._index = _nothing  # type: ignore[method-assign]
    cmdline.execute(["scrapy", *sys.argv[1:]], settings)


if __name__ == "__main__":
    main()
