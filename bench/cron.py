"""Checks three runs by a real cron daemon, the second overlapping the first.

python -m bench.cron

Needs root and cron (Debian: cron). Adds a line for every minute to /etc/cron.d, starts `cron -f`,
and removes both afterwards. The site answers slowly at first, so that the first run lasts over a
minute. Takes about four minutes. Exits with status 1 unless the runs end with 0, 75 and 0.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.support.goldens import FOLDERS
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

ROOT = Path(__file__).parent.parent
TABLE = Path("/etc/cron.d/zjolcrawl-bench")
RUNS = 3


def main() -> int:
    """Print the exit status and the output of each run."""
    cron = shutil.which("cron") or shutil.which("cron", path="/usr/sbin")
    if not cron:
        print("this needs cron: apt-get install cron")
        return 1
    with tempfile.TemporaryDirectory() as name, SiteProxy(FOLDERS) as site:
        folder = Path(name)
        serve_column(site, [[(DAY, 4774001 + n) for n in range(40)]])
        site.delay = 2.0  # 42 answers, one after the other: the first run lasts over a minute
        line = (
            f"* * * * * root cd {ROOT} && http_proxy={site.url} DATA_DIR={folder}/data"
            f" {sys.executable} -m scrapy crawl column -a url={COLUMN} -s DOWNLOAD_DELAY=0"
            f" -s AUTOTHROTTLE_ENABLED=False -s CONCURRENT_REQUESTS=1 2>> {folder}/said;"
            f" echo $? >> {folder}/statuses\n"
        )
        TABLE.write_text(line)
        daemon = subprocess.Popen([cron, "-f"])
        statuses: list[str] = []
        try:
            deadline = time.monotonic() + 420
            while len(statuses) < RUNS and time.monotonic() < deadline:
                time.sleep(1)
                ended = folder / "statuses"
                statuses = ended.read_text().split() if ended.exists() else []
                site.delay = 0.0 if "0" in statuses else site.delay
        finally:
            TABLE.unlink()
            daemon.terminate()
            daemon.wait()
        said = (folder / "said").read_text()
        with (
            EmbeddedServer.acquire(folder / "data") as server,
            MongoClient[dict[str, Any]](server.uri) as client,
        ):
            stored = client["zjol"]["articles"].count_documents({})
    print(
        f"{said}exit statuses in the order of their ends: {' '.join(statuses)}; {stored} articles"
    )
    return 0 if sorted(statuses[:RUNS]) == ["0", "0", "75"] and stored == 40 else 1


if __name__ == "__main__":
    sys.exit(main())
