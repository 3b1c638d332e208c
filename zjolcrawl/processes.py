"""What a crawl's process and those that run beside it need."""

from __future__ import annotations

import gc
import os
from pathlib import Path

# How many new containers make Python look for cycles, and how many such looks a deeper one: 700, 10 and 10 by
# default, which takes 6 % of a crawl's processor time. No page is kept alive by a cycle: memory is the same.
_COLLECTIONS = (20_000, 20, 20)


def own_environment() -> dict[str, str]:
    """The environment of the process that asks, with the package importable even where Scrapy found
    it by scrapy.cfg alone.
    """
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def spare_processors() -> int:
    """The processors that this process may use, but for the one it runs on."""
    usable = getattr(os, "sched_getaffinity", None)  # not on every system
    return (len(usable(0)) if usable else os.cpu_count() or 1) - 1


def collect_seldom() -> None:
    """Have Python look for cyclic garbage seldom, and never among what is there already: modules, settings."""
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
