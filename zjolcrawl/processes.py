"""The environment of child processes."""

from __future__ import annotations

import os
from pathlib import Path


def own_environment() -> dict[str, str]:
    """The environment for a child process, with this package on PYTHONPATH.

    Scrapy may have found the package through scrapy.cfg alone, which a child process would not do.
    """
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
