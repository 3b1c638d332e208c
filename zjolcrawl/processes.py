"""What processes that run beside a crawl need."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PART_REPORTS = "PART_REPORTS"
"""The setting of a part of `reparse` that another process runs and reports (see zjolcrawl.jobs)."""


def report(counts: Mapping[str, int], **end: Any) -> None:
    """Tell the parent of this process the counts so far, or with `lines` and `reason` how the run ended.

    A line of JSON on stdout. Raises BrokenPipeError if the parent has ended.
    """
    print(json.dumps({"counts": counts, **end}), file=sys.__stdout__, flush=True)


def own_environment() -> dict[str, str]:
    """The environment of the process that asks, with the package importable even where Scrapy found
    it by scrapy.cfg alone.
    """
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
