"""Running the product as its user does: a subprocess, the local web, a real MongoDB."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.site import SiteProxy

ROOT = Path(__file__).parent.parent
QUICK = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False", "-s", "RETRY_ENABLED=False")


def scrapy(
    *arguments: str,
    site: SiteProxy | None = None,
    data: Path,
    uri: str = "",
    database: str = "zjol",
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """`scrapy ARGUMENTS` with its output; quick settings for a crawl."""
    running = start_scrapy(*arguments, site=site, data=data, uri=uri, database=database)
    try:
        out, err = running.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    return subprocess.CompletedProcess(running.args, running.returncode, out, err)


def peak_memory(running: subprocess.Popen[str]) -> int:
    """Waits for a process that was started here; the most memory it held, in bytes."""
    status = Path(f"/proc/{running.pid}/status")
    peak = 0
    while running.poll() is None:
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1024
        time.sleep(0.02)
    return peak


def start_scrapy(
    *arguments: str,
    site: SiteProxy | None,
    data: Path,
    uri: str,
    database: str,
    settings: tuple[str, ...] = QUICK,
) -> subprocess.Popen[str]:
    """The same, not waited for; `settings` are those of a crawl."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment |= site.environ if site else {}
    environment |= {"DATA_DIR": str(data), "MONGODB_URI": uri, "MONGODB_DATABASE": database}
    given = settings if arguments[0] == "crawl" else ()
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", *arguments, *given],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
