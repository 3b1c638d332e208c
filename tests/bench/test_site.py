"""The generated site of the benchmarks has the pages it claims, and the parser reads all of them."""

from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from bench.nginx import program, serve
from bench.site import COLUMN, HOST, build
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.pipelines.normalize import normalize


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    assert build(root, 250, bodies=30) == 253
    return root


def articles(root: Path) -> list[Path]:
    return sorted((root / HOST / "bench" / "201708").glob("*.shtml"))


def test_articles_are_of_the_size_that_is_said_and_distinct(site: Path) -> None:
    pages = [path.read_bytes() for path in articles(site)]
    assert len(set(pages)) == len(pages) == 30
    assert all(45_000 <= len(page) <= 60_000 for page in pages)


def test_articles_have_all_fields(site: Path) -> None:
    for path in articles(site):
        raw = read_article(path.read_bytes(), f"{COLUMN}201708/{path.name}")
        assert isinstance(raw, RawArticle)
        article = normalize(raw)
        assert article.template == "T1"
        assert article.warnings == []
        assert 900 <= len(article.body) <= 7500
        assert article.title in path.read_text("utf-8")


def test_the_same_seed_makes_the_same_site(site: Path, tmp_path: Path) -> None:
    build(tmp_path, 5)
    for path in articles(tmp_path):
        assert path.read_bytes() == (site / path.relative_to(tmp_path)).read_bytes()


def test_lists_lead_to_every_article_once(site: Path) -> None:
    found: list[str] = []
    address: str | None = COLUMN
    while address:
        name = address.removeprefix(COLUMN) or "index.shtml"
        page = read_column((site / HOST / "bench" / name).read_bytes(), address)
        found += [link.url for link in page.links]
        address = page.next_url
    assert len(found) == len(set(found)) == 250


@pytest.mark.skipif(not program(), reason="there is no nginx")
def test_copies_are_served_with_ids_of_their_own(site: Path, tmp_path: Path) -> None:
    with serve(site, tmp_path / "nginx", gzip=False, copies=True) as proxy:
        fetch = build_opener(ProxyHandler({"http": proxy})).open
        first, copy = (
            fetch(f"{COLUMN}201708/t20170812_{ident}.shtml").read().decode()
            for ident in ("40000007", "40050007")
        )
    assert "40000007" in first
    assert copy == first.replace("40000007", "40050007")
