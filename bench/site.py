"""Writes a synthetic site: one column, distinct T1 articles of 45 to 60 KB, lists of 100 links."""

from __future__ import annotations

import gzip
from pathlib import Path

from bench.pages import Writer, list_page

HOST = "zjnews.zjol.com.cn"
COLUMN = f"http://{HOST}/bench/"
FOLDER = "/bench/201708/"
_PER_LIST = 100
_MOST_BODIES = 10_000  # four digits of an id


def build(
    root: Path, articles: int, *, seed: int = 1, bodies: int | None = None, squeeze: bool = True
) -> int:
    """Write the site under `root/HOST/`, each page also gzipped; returns the number of pages.

    With `bodies` only so many articles are written, at most 10,000. `ident` says which body an
    address has; nginx (`bench.nginx`) inserts the address's own id.
    """
    written = min(articles, bodies or _MOST_BODIES)
    folder = root / HOST / FOLDER.strip("/")
    folder.mkdir(parents=True)
    (root / HOST / "robots.txt").write_text("User-agent: *\nAllow: /\n")
    writer = Writer(seed)
    titles = []
    for number in range(written):
        title, page = writer.article(ident(number, written))
        titles.append(title)
        _write(folder / _name(ident(number, written)), page, squeeze)
    starts = range(0, articles, _PER_LIST)
    for number, start in enumerate(starts):
        rows = [
            (titles[each % written], f"./201708/{_name(ident(each, written))}")
            for each in range(start, min(start + _PER_LIST, articles))
        ]
        more = f"index_{number + 1}.shtml" if number + 1 < len(starts) else None
        name = f"index_{number}.shtml" if number else "index.shtml"
        _write(root / HOST / "bench" / name, list_page(rows, more), squeeze)
    return articles + len(starts)


def ident(number: int, bodies: int) -> str:
    """The id of an article: 4, three digits for the copy, four for the body."""
    copy, body = divmod(number, bodies)
    return f"4{copy:03}{body:04}"


def gzipped(page: bytes) -> bytes:
    """A page compressed as by a server."""
    return gzip.compress(page, 6, mtime=0)


def _name(ident: str) -> str:
    return f"t20170812_{ident}.shtml"


def _write(path: Path, page: str, squeeze: bool) -> None:
    data = page.encode()
    path.write_bytes(data)
    if squeeze:
        path.with_name(path.name + ".gz").write_bytes(gzipped(data))
