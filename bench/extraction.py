"""Compares the time to parse an article with bare lxml, plain selectors and other extractors.

python -m bench.extraction [PAGES [ROUNDS]]     600 5

zjolcrawl extracts all fields, including normalization. Bare is only lxml's parser with the
project's options, on bytes of a known encoding. Selectors are those of bench.plain_spider. All
three run as in a crawl, with rare garbage collection. The other extractors run in .venv-peers as in
bench.fidelity, on a tenth of the pages, since they take much longer; each gets decoded text. The
pages are those of the synthetic site and, smaller, the T1 fixtures.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lxml import etree

from bench import peers
from bench.fidelity import ask
from bench.plain_spider import select
from bench.site import COLUMN, HOST, build
from bench.truth import goldens
from bench.turns import in_turns, spread, table, versions
from tests.support.goldens import FIXTURES
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.page import decode
from zjolcrawl.pipelines.normalize import normalize

OURS, BARE = "zjolcrawl", "lxml, parsing alone"
_FEW = 10


class Pages:
    """Pages in memory and on disk; `encodings` are determined before the clock starts."""

    def __init__(self, found: list[tuple[Path, str]]) -> None:
        self.found = found
        self.bodies = [(path.read_bytes(), url) for path, url in found]
        self.encodings = [decode(body)[1] for body, _ in self.bodies]


def report(pages: int = 600, rounds: int = 5) -> str:
    """A table for the synthetic pages and one for the fixtures."""
    told = [
        f"Medians of {rounds} rounds (least–greatest), {versions('lxml', 'parsel')}; peers: bench/peers.txt."
    ]
    with tempfile.TemporaryDirectory() as name:
        build(Path(name), pages)
        paths = sorted((Path(name) / HOST).rglob("t*.shtml"))
        site = Pages([(path, f"{COLUMN}201708/{path.name}") for path in paths])
        told.append(compare(f"{pages} pages of the made site", site, rounds))
    fixtures = Pages([(each.page, each.url) for each in goldens(FIXTURES / "T1")])
    told.append(compare(f"{len(fixtures.found)} fixtures of T1", fixtures, rounds))
    return "\n".join(told)


def compare(title: str, pages: Pages, rounds: int) -> str:
    """A table with a row per extractor."""
    few = pages.found[::_FEW] if len(pages.found) > 10 * _FEW else pages.found
    readers: dict[str, Callable[[], float]] = {
        OURS: partial(each_page, ours, pages),
        BARE: partial(parse, pages),
        "parsel, T1's selectors": partial(each_page, select, pages),
        **{name: partial(by_peer, name, few) for name in peers.OFFERS},
    }
    seconds = in_turns(readers, rounds)
    rates = {name: [1 / each for each in some] for name, some in seconds.items()}
    rows = [
        [
            name, f"{statistics.median(each):.0f}", spread(each, rates[BARE]),
            spread(rates[OURS], each),
        ]
        for name, each in rates.items()
    ]  # fmt: skip
    heads = [title, "pages/s", "÷ bare parsing", "zjolcrawl ÷ it"]
    return f"\n{table(heads, rows)}"


def each_page(read: Callable[[bytes, str], object], pages: Pages) -> float:
    """Seconds per page; one-time loading is done before the clock starts."""
    read(*pages.bodies[0])
    begun = time.perf_counter()
    for body, url in pages.bodies:
        read(body, url)
    return (time.perf_counter() - begun) / len(pages.bodies)


def ours(body: bytes, url: str) -> object:
    """Extract all fields, normalized."""
    raw = read_article(body, url)
    return normalize(raw) if isinstance(raw, RawArticle) else raw


def parse(pages: Pages) -> float:
    """Seconds per page of the parser alone."""
    begun = time.perf_counter()
    for (body, _), encoding in zip(pages.bodies, pages.encodings, strict=True):
        parser = etree.HTMLParser(
            encoding=encoding, huge_tree=True, remove_comments=True, remove_pis=True
        )
        etree.fromstring(body, parser)
    return (time.perf_counter() - begun) / len(pages.bodies)


def by_peer(name: str, found: list[tuple[Path, str]]) -> float:
    """Seconds per page of another extractor, by its own clock in its own process."""
    milliseconds = [answer["ms"] for answer in ask(name, found)]
    return sum(milliseconds) / len(milliseconds) / 1000


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:])))
