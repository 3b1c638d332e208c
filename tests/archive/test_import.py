"""`scrapy archive import`: files by other programs become articles, as if they had been crawled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.archive import foreign_made as made
from tests.pipelines.test_images import PNG
from tests.support.crawling import Crawl
from tests.support.rebuilding import drop
from tests.support.site import SiteProxy

COLUMN = "zjxw"
# What differs between a crawl and the import of the same pages: which run, when, and in which record.
OF_A_VISIT = {
    "run_id", "warc", "pages_warc", "provenance", "first_seen_at", "last_seen_at", "changed_at",
}  # fmt: skip


def articles(db: Database[Any]) -> dict[str, dict[str, Any]]:
    """The articles without what tells of their visits."""
    found = {}
    for each in db.articles.find():
        each["columns"] = sorted(each.get("columns", []))
        found[each["_id"]] = {k: v for k, v in each.items() if k not in OF_A_VISIT}
    return found


@pytest.fixture
def crawled(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> dict[str, dict[str, Any]]:
    """The articles of a crawl of one column; their archive is moved away and the database is empty again."""
    crawl("column", column=COLUMN)
    found = articles(db)
    assert len(found) > 5
    assert any(each["status"] == "stored" for a in found.values() for each in a.get("images", []))
    drop(db)
    for name in ("warc", "images"):
        (tmp_path / name).rename(tmp_path / f"{name}-of-the-crawl")
    return found


def answered(site: SiteProxy) -> list[str]:
    return list(dict.fromkeys(url for url in site.urls() if not url.endswith("robots.txt")))


@pytest.mark.skipif(not made.WGET.exists(), reason="needs GNU Wget")
@pytest.mark.parametrize("options", [(), ("--no-warc-compression",)])
def test_file_by_wget(
    options: tuple[str, ...], crawled: dict[str, Any], site: SiteProxy, db: Database[Any],
    command: Crawl, tmp_path: Path,
) -> None:  # fmt: skip
    file = made.wget(site, tmp_path / "others", answered(site), *options)
    site.reset_log()
    done = command("archive", "import", str(file))
    print(done.stderr)
    assert differing(crawled, articles(db)) == {}
    assert site.requests == []


def differing(one, other):
    return {u: {f: (d.get(f), other.get(u, {}).get(f)) for f in d.keys() | other.get(u, {}).keys() if d.get(f) != other.get(u, {}).get(f)} for u, d in one.items() if d != other.get(u)}
