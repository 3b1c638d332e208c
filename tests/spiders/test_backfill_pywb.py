"""`crawl backfill` from a real pywb: its CDX server, its headers, its nearest captures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo.database import Database

from tests.spiders.test_backfill import QUICK, captures, text, url, versions
from tests.support import pywb
from tests.support.captures import write
from tests.support.crawling import Crawl
from tests.support.other_archives import Held
from tests.support.rebuilding import snapshot
from tests.support.site import SiteProxy
from tests.web.serving import browsing

CDX = "http://archive.example.org/coll/cdx"


@pytest.fixture(scope="module")
def port(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    assert pytestconfig.cache
    programs = pywb.installed(Path(pytestconfig.cache.mkdir("pywb")))
    more = [Held(url(3000 + n), f"20{10 + n}0101000000", text(3000 + n)) for n in range(10)]
    warc = b"".join(each.record for each in [*captures(), *more])
    with pywb.serving(programs, tmp_path_factory.mktemp("pywb"), warc) as found:
        yield found


@pytest.fixture
def served(site: SiteProxy, port: int) -> SiteProxy:
    pywb.forward(site, "archive.example.org", port)
    return site


def test_versions_with_their_times(served: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    done = crawl("backfill", cdx=CDX, **QUICK)
    assert done.returncode == 0, done.stderr
    assert [day for day, _ in versions(db, 1001)] == ["20090902", "20100101", "20130101"]
    assert len(versions(db, 1002)) == 1  # its body was compressed
    assert db.articles.count_documents({}) == 12
    before = snapshot(db)
    served.reset_log()
    done = crawl("backfill", cdx=CDX, **QUICK)
    assert done.returncode == 0, done.stderr
    assert len(served.urls()) == 1  # the index
    assert snapshot(db) == before


def test_versions_from_another_archive_of_ours(
    site: SiteProxy, db: Database[Any], crawl: Crawl, mongodb_uri: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write(other, captures())
    with browsing(other, mongodb_uri, "test_other") as (web, _):
        pywb.forward(site, "archive.example.org", urlsplit(web.url).port or 0, renamed=True)
        done = crawl("backfill", cdx="http://archive.example.org/web/cdx", **QUICK)
    assert done.returncode == 0, done.stderr
    assert [day for day, _ in versions(db, 1001)] == ["20090902", "20100101", "20130101"]
    assert len(versions(db, 1002)) == 1  # its body was compressed
    found = db.articles.find_one({"_id": url(1002)}) or {}
    assert found["provenance"]["from"] == "http://archive.example.org/web/"


def test_dry_run(served: SiteProxy, crawl: Crawl) -> None:
    done = crawl("backfill", cdx=CDX, dry_run="on", **QUICK)
    assert done.stdout.splitlines()[-1].split() == ["all", "15", "0", "2"]
