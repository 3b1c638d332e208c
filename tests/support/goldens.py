"""The fixtures: each page with the document that a person read from it (its golden file)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from zjolcrawl.fixture import UNCHECKED
from zjolcrawl.items import Link, RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.spiders.multipage import Parts

FIXTURES = Path(__file__).parents[2] / "fixtures"
# One folder per template, and `site` for other files; each has folders of hosts.
FOLDERS = sorted(path for path in FIXTURES.iterdir() if path.is_dir())


class Unchecked(AssertionError):
    """A golden file that the parser wrote and no person has checked."""


def sidecars(key: str) -> list[Path]:
    """The golden files that have `key`: document, stub, not_article or links."""
    found = [
        path for path in sorted(FIXTURES.rglob("*.json")) if key in json.loads(path.read_text())
    ]
    assert found, f"no fixture with {key}"
    return found


def file_of(url: str) -> Path:
    """The fixture for an http URL."""
    (path,) = (
        path for folder in FOLDERS if (path := folder / url.removeprefix("http://")).is_file()
    )
    return path


def load(path: Path) -> tuple[dict[str, Any], bytes]:
    """A golden file and the bytes of its page. Raises Unchecked."""
    golden = json.loads(path.read_text())
    if UNCHECKED in golden:
        raise Unchecked(f"{path}: compare it with the page, then delete its line {UNCHECKED!r}")
    return golden, path.with_suffix("").read_bytes()


def read(path: Path) -> RawArticle | Stub | NotArticle:
    """The parser's result for the page of a golden file, with its further pages."""
    golden, page = load(path)
    found = read_article(page, golden["url"])
    if not isinstance(found, RawArticle) or not found.pages:
        return found
    parts = Parts(Link(found.url), found, found.pages)
    parts.add(golden["url"], found)
    while url := parts.missing:
        part = read_article(path.with_name(url.rpartition("/")[2]).read_bytes(), url)
        parts.add(url, part if isinstance(part, RawArticle) else None)
    return parts.whole()
