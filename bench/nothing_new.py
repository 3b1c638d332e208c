"""Measures a run over 100 columns where nothing is new: number of requests and time.

python -m bench.nothing_new [COLUMNS [ROUNDS]]     100 5

The site has columns of the catalogue with 20 articles each, on their real hosts behind nginx, which
answers If-Modified-Since with 304. After a first crawl the same command is repeated without delay.
The time with the default delay of one second follows from the number of requests per host.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from pymongo import MongoClient

from bench.crawls import ours
from bench.nginx import serve
from bench.pages import Writer, list_page
from bench.turns import progress, table, versions
from zjolcrawl.site.catalogue import Column, load_catalogue
from zjolcrawl.storage.embedded import EmbeddedServer

_ARTICLES = 20


def report(columns: int = 100, rounds: int = 5) -> str:
    """A table of one row."""
    chosen = list(load_catalogue().values())[:columns]
    command = ["crawl", "column", "-a", f"column={','.join(each.id for each in chosen)}"]
    with tempfile.TemporaryDirectory() as name, EmbeddedServer.acquire(Path(name)) as server:
        folder = Path(name)
        stored = _build(folder / "site", chosen)
        with serve(folder / "site", folder / "nginx", gzip=False) as proxy:
            ours(proxy, server.uri, folder / "data", command)
            runs = []
            for _ in range(rounds):
                runs.append(ours(proxy, server.uri, folder / "data", command))
                progress(str(runs[-1]))
        with MongoClient[dict[str, object]](server.uri) as client:
            articles = client["zjol"]["articles"].count_documents({})
            last = client["zjol"]["runs"].find_one(sort=[("started_at", -1)]) or {}
    if articles != stored:
        raise RuntimeError(f"{articles} of {stored} articles stored")
    counts = last["counts"]
    assert isinstance(counts, dict)
    if counts.get("new") or counts.get("changed"):
        raise RuntimeError(f"something was new: {counts}")
    hosts = [urlsplit(each.url).netloc for each in chosen]
    row = [
        f"{len(chosen)} on {len(set(hosts))} hosts", f"{stored:,}",
        f"{statistics.median(run.responses for run in runs):.0f}",
        f"{statistics.median(run.seconds for run in runs):.2f}",
        f"{statistics.median(run.cpu for run in runs):.2f}",
        str(max(hosts.count(host) for host in hosts)),
    ]  # fmt: skip
    heads = [
        "columns",
        "articles stored",
        "answers",
        "seconds",
        "CPU seconds",
        "columns on one host",
    ]
    return f"Medians of {rounds} runs, {versions('scrapy')}\n\n{table(heads, [row])}"


def _build(root: Path, columns: list[Column]) -> int:
    """Write a list and its articles for each column; returns the number of articles."""
    writer = Writer(1)
    for number, column in enumerate(columns):
        parts = urlsplit(column.url)
        folder = root / parts.netloc / parts.path.strip("/")
        (folder / "201708").mkdir(parents=True, exist_ok=True)
        (root / parts.netloc / "robots.txt").write_text("User-agent: *\nAllow: /\n")
        rows = []
        for n in range(_ARTICLES):
            ident = f"4{number:03}{n:04}"
            title, page = writer.article(ident)
            path = f"201708/t20170812_{ident}.shtml"
            (folder / path).write_text(page, encoding="utf-8")
            rows.append((title, f"./{path}"))
        (folder / "index.shtml").write_text(list_page(rows, None), encoding="utf-8")
    return len(columns) * _ARTICLES


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
