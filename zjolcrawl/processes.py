"""What processes that run beside a crawl need."""

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
