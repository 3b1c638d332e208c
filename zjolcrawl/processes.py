"""What a crawl's process and those that run beside it need."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path

# How many new containers make Python look for cycles, and how many such looks a deeper one: 700, 10 and 10 by
# default, which takes 6 % of a crawl's processor time. No page is kept alive by a cycle: memory is the same.
_COLLECTIONS = (20_000, 20, 20)
_M_MMAP_THRESHOLD = -3  # malloc.h
_MAPPED_APART = 128 * 1024  # bytes; glibc's default until it changes it by itself


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


def tend_memory() -> None:
    """Have this process look after its memory as one that reads many pages should.

    Python looks for cyclic garbage seldom, and never among what is there already: modules, settings. And glibc
    goes on to map large blocks apart: by itself it takes ever larger ones from the heap once one was freed,
    which leaves holes (7 MB of 135 in a crawl of 20,000 pages, and more in a longer one).
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED_APART)
