"""Compares the WARC writer with warcio's at its default (gzip level 9), a record pair per page.

python -m bench.warc [ARTICLES [ROUNDS]]     3000 5

The same exchanges (request, response with headers, body as it came over the wire) go into one file
each, with plain and with gzipped bodies. The project's writer also keeps its index of captures,
digests with SHA-256, looks for duplicate payloads, and makes the file durable at the end. warcio
makes its SHA-1 digests. `records alone` is the project's writer up to the last record: without the
final fsync, index and CDXJ.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from io import BytesIO
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from bench.pages import Writer
from bench.site import COLUMN, gzipped, ident
from bench.turns import in_turns, spread, table, versions
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.writer import Exchange, WarcWriter

_ASKED = [(b"Host", b"zjnews.zjol.com.cn"), (b"Accept-Encoding", b"gzip, deflate")]
_RUN = "0" * 24


def report(articles: int = 3000, rounds: int = 5) -> str:
    """A table with a row per form of the bodies."""
    rows = []
    for form in ("plain", "gzip"):
        made = list(exchanges(articles, squeezed=form == "gzip"))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            figures = in_turns(
                {"ours": partial(ours, made, folder), "warcio": partial(theirs, made, folder)},
                rounds,
            )
        speeds = {who: [len(made) / each[0] for each in f] for who, f in figures.items()}
        alone = [len(made) / each[1] for each in figures["ours"]]
        sizes = {who: statistics.median(each[2] for each in f) for who, f in figures.items()}
        medians = (f"{statistics.median(each):.0f}" for each in speeds.values())
        rows.append(
            [
                form, *medians, spread(speeds["ours"], speeds["warcio"]),
                spread(alone, speeds["warcio"]),
                *(f"{size / 1e6:.1f}" for size in sizes.values()),
                f"{sizes['ours'] / sizes['warcio']:.3f}",
            ]
        )  # fmt: skip
    heads = [
        "bodies",
        "ours, pages/s",
        "warcio, pages/s",
        "ratio",
        "records alone",
        "ours, MB",
        "warcio, MB",
        "ratio",
    ]
    return (
        f"{articles:,} pages, medians of {rounds} rounds (least–greatest), {versions('warcio')}\n\n"
        + table(heads, rows)
    )


def exchanges(number: int, *, squeezed: bool) -> Iterator[Exchange]:
    """Exchanges with pages of the synthetic site, as a server would send them."""
    writer = Writer(1)
    for each in range(number):
        name = ident(each, number)
        page = writer.article(name)[1].encode()
        body = gzipped(page) if squeezed else page
        headers = [
            (b"Server", b"nginx"), (b"Content-Type", b"text/html; charset=utf-8"),
            (b"Content-Length", str(len(body)).encode()), (b"Connection", b"keep-alive"),
        ] + [(b"Content-Encoding", b"gzip")] * squeezed  # fmt: skip
        yield Exchange(
            f"{COLUMN}201708/t20170812_{name}.shtml", 200, headers, body,
            datetime(2017, 8, 12, 4, tzinfo=timezone.utc), _ASKED,
        )  # fmt: skip


def ours(made: list[Exchange], folder: Path) -> tuple[float, float, int]:
    """Seconds of the project's writer, seconds until its last record, and bytes written."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        archive = Archive(Path(name))
        writer = WarcWriter(archive, run=_RUN, info={})
        begun = time.perf_counter()
        for each in made:
            writer.write(each)
        alone = time.perf_counter() - begun
        asyncio.run(writer.close())
        seconds = time.perf_counter() - begun
        archive.close()
        return seconds, alone, sum(path.stat().st_size for path in Path(name).glob("*.warc.gz"))


def theirs(made: list[Exchange], folder: Path) -> tuple[float, float, int]:
    """The same for warcio's writer, which after the last record only makes the file durable."""
    path = folder / "warcio.warc.gz"
    begun = time.perf_counter()
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for each in made:
            answer = writer.create_warc_record(
                each.url, "response", payload=BytesIO(each.body),
                http_headers=StatusAndHeaders("200 OK", _text(each.headers), "HTTP/1.1"),
            )  # fmt: skip
            asked = writer.create_warc_record(
                each.url, "request", payload=BytesIO(),
                http_headers=StatusAndHeaders(f"GET {each.url} HTTP/1.1", _text(_ASKED), is_http_request=True),
            )  # fmt: skip
            writer.write_request_response_pair(asked, answer)
        alone = time.perf_counter() - begun
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - begun, alone, path.stat().st_size


def _text(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, value in headers]


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
