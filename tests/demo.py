"""`make demo`: crawls the bundled site under its real host names into an empty database.

Serves fixtures/ through the local proxy, crawls five columns into an embedded MongoDB under
data/demo, crawls an article again that was edited meanwhile, and prints the reference article as MongoDB has it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bson import json_util
from pymongo import MongoClient

from tests.support.goldens import FOLDERS, file_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data" / "demo"
REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
EDITED = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170811_4767395.shtml"
EDIT = ("18个部门的413个事项", "20个部门的437个事项")
COLUMNS = "zjxw,zjxc,china-gnxw,opinion-bwgd,zzhz-bb"
# The bundled site runs on this machine and needs no rate limit.
QUICK = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False")
_SHOWN = 120  # characters of a long text
START = """\
This crawls the bundled site. It signs its own certificate, hence the warnings, and one of its pages is no article
on purpose, hence exit status 1.
"""
NEXT = """\
DATA_DIR=data/demo .venv/bin/scrapy search 督察                # full text
DATA_DIR=data/demo .venv/bin/scrapy browse --open              # the archive in a web browser; Ctrl-C ends it
DATA_DIR=data/demo .venv/bin/scrapy export articles.csv        # for a spreadsheet; also .jsonl, .parquet
"""
END = f"""
Above is the article as MongoDB has it. Next, look at the archive of this demo:

{NEXT}
README.md and docs/tutorial.md go on to a DataFrame. With MongoDB's shell: mongosh "$(DATA_DIR=data/demo .venv/bin/scrapy mongo)"
"""


def edit(site: SiteProxy) -> None:
    """Change a sentence of EDITED on the test site, as an editor would."""
    old, new = (text.encode() for text in EDIT)
    page = file_of(EDITED).read_bytes()
    assert old in page
    site.set(EDITED, Answer(body=page.replace(old, new)))


def main() -> int:
    """Crawl, crawl once more after an edit, and print the article; the exit status is that of the crawl."""
    sys.stdout.write(START)
    with SiteProxy(FOLDERS) as site:
        status = _crawl(site, "column", "-a", f"column={COLUMNS}")
        edit(site)
        revisit = _crawl(site, "article", "-a", f"url={EDITED}")
    with EmbeddedServer.acquire(DATA) as server, MongoClient(server.uri, tz_aware=True) as client:
        article = client["zjol"]["articles"].find_one({"_id": REFERENCE}) or {}
    for name in {"body", "body_html"} & article.keys():
        article[name] = f"{article[name][:_SHOWN]}… ({len(article[name]):,} characters)"
    sys.stdout.write(json_util.dumps(article, ensure_ascii=False, indent=2) + "\n" + END)
    # The bundled site has pages without an article, to show where they go: status 1 is expected.
    return 0 if article and status in {0, 1} and revisit == 0 else 1


def _crawl(site: SiteProxy, *arguments: str) -> int:
    """Print and run `scrapy crawl`; returns its exit status."""
    contact = {"CONTACT": "demo@example.org"}
    environment = contact | os.environ | site.environ | {"DATA_DIR": str(DATA), "MONGODB_URI": ""}
    sys.stdout.write(f"$ scrapy crawl {' '.join(arguments)}\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "scrapy", "crawl", *arguments, *QUICK]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
