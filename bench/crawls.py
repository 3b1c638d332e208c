"""One crawl of the made-up site, with settings that fit a site on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.site import COLUMN

ROOT = Path(__file__).parent.parent
# The site is this machine: no manners needed.
_QUICK = {
    "DOWNLOAD_DELAY": "0", "AUTOTHROTTLE_ENABLED": "False", "CONCURRENT_REQUESTS": "16",
    "CONCURRENT_REQUESTS_PER_DOMAIN": "16", "IMAGES": "off",
}  # fmt: skip


def begin(proxy: str, mongodb: str, data: Path, **settings: str) -> subprocess.Popen[str]:
    """A crawl in the background; what it says on stderr can be read from it."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment |= {"http_proxy": proxy, "DATA_DIR": str(data), "MONGODB_URI": mongodb}
    given = [f"-s{name}={value}" for name, value in {**_QUICK, **settings}.items()]
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", "crawl", "column", "-a", f"url={COLUMN}", *given],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
