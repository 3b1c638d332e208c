"""Helpers for child processes: their environment and their progress reports."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PART_REPORTS = "PART_REPORTS"
"""Name of the setting that makes a part of `reparse` report to its parent process (zjolcrawl.jobs)."""


def report(counts: Mapping[str, int], **end: Any) -> None:
    """Send the counts so far to the parent process, as one line of JSON on stdout.

    The final report also has `lines` and `reason`. Raises BrokenPipeError if the parent has ended.
    """
    print(json.dumps({"counts": counts, **end}), file=sys.__stdout__, flush=True)


def own_environment() -> dict[str, str]:
    """The environment for a child process, with this package on PYTHONPATH.

    Scrapy may have found the package through scrapy.cfg alone, which a child process would not do.
    """
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
