"""One article over the years: edited, taken down, restored, seen by two crawls at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.database import Database

from tests.spiders.test_incremental import row_of
from tests.support.crawling import Crawl, ended, start_scrapy
from tests.support.pages import COLUMN, DAY, HOST, RELATED, article, saying, serve_column, url_of
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, SiteProxy

IDENT = 4774001
URL = url_of(IDENT)


def newest(db: Database[Any]) -> dict[str, Any]:
    document = db.articles.find_one({"_id": URL})
    assert document is not None
    return document


def test_published_edited_furnished_taken_down_restored(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, IDENT)]])
    site.set(URL, saying(IDENT, "说了第一句"))
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    first = newest(db)
    assert (first["revision"], first["status"]) == (1, "live")

    site.set(URL, saying(IDENT, "说了第二句", "改过的标题"))
    assert "1 changed" in crawl("column", url=COLUMN, recheck="on").stderr
    second = newest(db)
    assert (second["revision"], second["title"]) == (2, "改过的标题")
    assert "第二句" in second["body"]
    assert second["first_seen_at"] == first["first_seen_at"]
    assert second["changed_at"] == second["last_seen_at"] > first["last_seen_at"]
    assert second["warc"] != first["warc"]
    assert db.revisions.find_one() == {**first, "_id": {"url": URL, "revision": 1}}

    site.set(URL, saying(IDENT, "说了第二句", "改过的标题", furniture=RELATED))
    assert "0 changed, 1 same" in crawl("column", url=COLUMN, recheck="on").stderr
    third = newest(db)
    assert third.pop("last_seen_at") > second.pop("last_seen_at")
    assert third == second

    site.set(URL, Answer(status=404))
    assert "0 gone, 1 in doubt" in crawl("column", url=COLUMN, recheck="on").stderr
    assert newest(db)["status"] == "live"
    first_time = row_of(db, URL)["last_attempt_at"]
    assert "0 gone, 1 in doubt" in crawl("column", url=COLUMN, ahead=1.1, recheck="on").stderr
    assert "1 gone" in crawl("column", url=COLUMN, ahead=3.2, recheck="on").stderr
    gone = newest(db)
    assert gone["gone_at"] == first_time
    assert (gone["status"], gone["revision"], gone["body"]) == ("gone", 2, second["body"])
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert row["state"] == "gone"

    site.set(URL, saying(IDENT, "说了第二句", "改过的标题"))
    assert crawl("column", url=COLUMN, ahead=4, recheck="on").returncode == 0
    back = newest(db)
    assert (back["status"], back["revision"]) == ("live", 2)
    assert back["gone_at"] == gone["gone_at"] < back["returned_at"] == back["last_seen_at"]
    assert db.revisions.count_documents({}) == 1
    row = db.frontier.find_one({"_id": URL})
    assert row is not None
    assert row["state"] == "stored"
    assert_rebuilt(db, site, crawl)


def test_front_page_in_its_place_is_a_takedown(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, IDENT)]])
    crawl("column", url=COLUMN, recheck="on")
    fronts = (f"{HOST}/", "http://www.zjol.com.cn/index.shtml", "https://tidenews.com.cn/")
    for day, front in enumerate(fronts):
        site.set(front, Answer(body=b"<html><a href='/'>front</a></html>"))
        site.set(URL, Answer(status=302, headers={"Location": front}))
        for later in (0, 1.1, 3.2):
            assert newest(db)["status"] == "live"
            crawl("column", url=COLUMN, ahead=10 * day + later, recheck="on")
        assert newest(db)["status"] == "gone", front
        assert "tidenews.com.cn" not in "".join(site.urls())
        site.set(URL, saying(IDENT, "说了第一句"))
        crawl("column", url=COLUMN, ahead=10 * day + 4, recheck="on")
        assert newest(db)["status"] == "live"
    assert newest(db)["revision"] == 2  # the text of serve_column, then this one


def test_takedown_of_what_a_redirect_leads_to(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, IDENT)]])
    target = url_of(4774999)
    site.set(URL, Answer(status=301, headers={"Location": target}))
    site.set(target, Answer(body=article(DAY, 4774999)))
    crawl("column", url=COLUMN, recheck="on")
    assert [d["status"] for d in db.articles.find()] == ["live"]
    site.set(target, Answer(status=404))
    for later in (0, 1.1, 3.2):
        assert [d["status"] for d in db.articles.find()] == ["live"]
        crawl("column", url=COLUMN, ahead=later, recheck="on")
    assert [(d["_id"], d["status"]) for d in db.articles.find()] == [(target, "gone")]


def test_redirect_to_an_article_that_is_listed_too(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Neither link stays pending, in either order."""
    other = 4774002
    serve_column(site, [[(DAY, IDENT), (DAY, other)]])
    site.set(url_of(other), Answer(status=301, headers={"Location": URL}))
    assert crawl("column", url=COLUMN).returncode == 0
    assert {row["state"] for row in db.frontier.find()} == {"stored"}
    assert newest(db)["aliases"] == [url_of(other)]


def test_two_crawls_at_once_make_one_revision(
    site: SiteProxy,
    db: Database[Any],
    crawl: Crawl,
    tmp_path: Path,
    mongodb_uri: str,
    database: str,
) -> None:
    idents = [IDENT + n for n in range(20)]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    crawl("column", url=COLUMN)
    for ident in idents:
        site.set(url_of(ident), Answer(body=article(DAY, ident, "改过的标题")))
    urls = ",".join(map(url_of, idents))
    both = [
        start_scrapy(
            "crawl", *arguments,
            site=site, data=tmp_path / arguments[0], uri=mongodb_uri, database=database,
        )
        for arguments in (
            ("column", "-a", f"url={COLUMN}", "-a", "recheck=on"),
            ("article", "-a", f"url={urls}"),
        )
    ]  # fmt: skip
    said = [ended(running)[1] for running in both]
    assert [running.returncode for running in both] == [0, 0], said
    assert {d["revision"] for d in db.articles.find()} == {2}
    assert db.revisions.count_documents({}) == len(idents)
    changed = [int(text.split(" changed")[0].rpartition(" ")[2]) for text in said]
    assert sum(changed) == len(idents)
    assert len(site.urls()) > 3 * len(idents)
