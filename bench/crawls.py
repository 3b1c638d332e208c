"""Starts crawls of the synthetic site, with settings that suit a site on the same machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.site import COLUMN
from bench.timed import WHERE, WITHOUT_SEARCH, Figures

ROOT = Path(__file__).parent.parent
# The site is this machine: no manners needed.
_QUICK = {
    "DOWNLOAD_DELAY": "0", "AUTOTHROTTLE_ENABLED": "False", "CONCURRENT_REQUESTS": "16",
    "CONCURRENT_REQUESTS_PER_DOMAIN": "16",
}  # fmt: skip
_OURS = {"IMAGES": "off"}
_COLUMN = ("crawl", "column", "-a", f"url={COLUMN}")


def begin(proxy: str, mongodb: str, data: Path, **settings: str) -> subprocess.Popen[str]:
    """Start a crawl in the background; its stderr is readable from the result.

    Lower-case names are arguments of the spider.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", *_COLUMN, *_given({**_QUICK, **_OURS, **settings})],
        cwd=ROOT, env=_environment(proxy) | _places(mongodb, data),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ours(
    proxy: str,
    mongodb: str,
    data: Path,
    command: Sequence[str] = _COLUMN,
    without_search: bool = False,
    **settings: str,
) -> Figures:
    """Time a crawl as shipped; `without_search` skips the full-text index.

    Raises RuntimeError if it fails.
    """
    return _timed(
        [*command, *_given({**_QUICK, **_OURS, **settings})],
        ROOT,
        _environment(proxy)
        | _places(mongodb, data)
        | {WITHOUT_SEARCH: "1" if without_search else ""},
    )


def bare(proxy: str, **settings: str) -> Figures:
    """Time bench.bare with Scrapy's own defaults. Raises RuntimeError if it fails."""
    spider = str(ROOT / "bench" / "bare.py")
    given = _given({"LOG_LEVEL": "WARNING", **_QUICK, **settings})
    with tempfile.TemporaryDirectory() as elsewhere:  # no scrapy.cfg there
        return _timed(["runspider", spider, *given], Path(elsewhere), _environment(proxy))


def _timed(arguments: list[str], folder: Path, environment: dict[str, str]) -> Figures:
    with tempfile.TemporaryDirectory() as scratch:
        figures = Path(scratch) / "figures.json"
        done = subprocess.run(
            [sys.executable, "-m", "bench.timed", *arguments],
            cwd=folder, env=environment | {WHERE: str(figures), "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or not figures.exists():
            raise RuntimeError(f"status {done.returncode} of {arguments}: {done.stderr[-2000:]}")
        return Figures(**json.loads(figures.read_text()))


def _environment(proxy: str) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return own | {"http_proxy": proxy}


def _places(mongodb: str, data: Path) -> dict[str, str]:
    return {"DATA_DIR": str(data), "MONGODB_URI": mongodb}


def _given(settings: dict[str, str]) -> list[str]:
    return [f"-{'s' if name.isupper() else 'a'}{name}={value}" for name, value in settings.items()]
