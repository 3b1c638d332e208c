"""What processes of ours that run beside a crawl need."""

from __future__ import annotations

import os
from pathlib import Path


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
