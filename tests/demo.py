"""`make demo`: crawls the bundled site under its real host names into an empty database.

Serves fixtures/ through the local proxy, crawls five columns into an embedded MongoDB under
data/demo, and prints the reference article as MongoDB has it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bson import json_util
from pymongo import MongoClient

from tests.support.goldens import FOLDERS
from tests.support.site import SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data" / "demo"
REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
COLUMNS = "zjxw,zjxc,china-gnxw,opinion-bwgd,zzhz-bb"
# The bundled site runs on this machine and needs no rate limit.
QUICK = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False")
NEXT = """\
DATA_DIR=data/demo .venv/bin/scrapy search 督察                # full text
DATA_DIR=data/demo .venv/bin/scrapy browse --open              # the archive in a web browser; Ctrl-C ends it
DATA_DIR=data/demo .venv/bin/scrapy export articles.csv        # for a spreadsheet; also .jsonl, .parquet
"""
END = f"""
Above is the article as MongoDB has it. Next, look at the archive of this demo:

{NEXT}
docs/tutorial.md goes on to a DataFrame. A MongoDB client: mongosh "$(DATA_DIR=data/demo .venv/bin/scrapy mongo)"
"""


def main() -> int:
    """Crawl and print the article; the exit status is that of the crawl."""
    command = [sys.executable, "-m", "scrapy", "crawl", "column", "-a", f"column={COLUMNS}", *QUICK]
    with SiteProxy(FOLDERS) as site:
        environment = {**os.environ, **site.environ, "DATA_DIR": str(DATA), "MONGODB_URI": ""}
        sys.stdout.write(f"$ scrapy crawl column -a column={COLUMNS}\n")
        sys.stdout.flush()
        status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    with EmbeddedServer.acquire(DATA) as server, MongoClient(server.uri, tz_aware=True) as client:
        article = client["zjol"]["articles"].find_one({"_id": REFERENCE})
    sys.stdout.write(json_util.dumps(article, ensure_ascii=False, indent=2) + "\n" + END)
    # The bundled site has pages without an article, to show where they go: status 1 is expected.
    return 0 if article and status in {0, 1} else 1


if __name__ == "__main__":
    sys.exit(main())
