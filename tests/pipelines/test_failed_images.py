"""A failed image is fetched again, whatever its page answers, until it is stored or given up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pymongo import UpdateOne
from pymongo.database import Database

from tests.pipelines.test_images import FOLDER, IDENT, JPEG, PNG, image_of, serve
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, url_of
from tests.support.pictures import EPS, ico, png, saved
from tests.support.rebuilding import assert_rebuilt, snapshot
from tests.support.site import Answer, Request, SiteProxy
from zjolcrawl.items import Outcome
from zjolcrawl.storage.frontier import settle_link, store_link, unchanged_link
from zjolcrawl.storage.visit_policy import VisitPolicy

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def row_of(db: Database[Any]) -> dict[str, Any]:
    row = db.frontier.find_one({"_id": url_of(IDENT)})
    assert row
    return dict(row)


def make_due(db: Database[Any]) -> None:
    """Makes links due now; links without a next visit stay so."""
    past = datetime(2020, 1, 1, tzinfo=timezone.utc)
    db.frontier.update_many({"next_visit_at": {"$exists": True}}, {"$set": {"next_visit_at": past}})


def with_validators(site: SiteProxy, *names: str) -> None:
    """The article; conditional requests for it get a 304."""
    marks = "".join(f'<p><img src="./{name}.jpg"></p>' for name in names)
    page = article(DAY, IDENT, more=marks)
    headers = {"ETag": '"1"', "Last-Modified": "Sat, 12 Aug 2017 02:00:00 GMT"}

    def answer(request: Request) -> Answer:
        if {"if-none-match", "if-modified-since"} & request.headers.keys():
            return Answer(304, headers)
        return Answer(headers={**headers, "Content-Type": "text/html"}, body=page)

    site.set(url_of(IDENT), answer)


def of_images(document: dict[str, Any]) -> list[str]:
    return [each for each in document["warnings"] if each.startswith("image")]


FAULTS = {
    "error": Answer(status=500),
    "refused": Answer(status=403),
    "reset": Answer(fault="reset"),
    "half": Answer(body=JPEG, fault="truncate"),
    "cut": Answer(body=JPEG[:-100]),
    "page": Answer(body=b"<html>later</html>", headers={"Content-Type": "text/html"}),
    "program": Answer(body=EPS),
    "nothing": Answer(body=b""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_asked_again_though_the_page_is_unchanged_and_no_recheck_is_left(
    fault: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, late=FAULTS[fault], good=Answer(body=PNG))
    with_validators(site, "late", "good")
    assert crawl("column", url=COLUMN).returncode == 1
    assert [image_of(db, n)["status"] for n in (1, 2)] == ["failed", "stored"]
    row = row_of(db)
    assert (row["state"], row["image_failures"]) == ("stored", 1)
    assert not {"etag", "last_modified"} & row.keys()
    assert row["next_visit_at"] - row["last_attempt_at"] == HOUR  # the last recheck was in 2017

    site.reset_log()
    crawl("column", url=COLUMN)
    assert url_of(IDENT) not in site.urls()  # not due yet

    site.set(f"{FOLDER}/late.jpg", Answer(body=JPEG))
    make_due(db)
    done = crawl("column", url=COLUMN)
    assert done.returncode == 0, done.stderr
    assert [image_of(db, n)["status"] for n in (1, 2)] == ["stored", "stored"]
    document = db.articles.find_one()
    assert document
    assert document["revision"] == 1
    assert of_images(document) == []
    row = row_of(db)
    assert row["etag"] == '"1"'
    assert not {"image_failures", "next_visit_at"} & row.keys()
    make_due(db)
    assert_rebuilt(db, site, crawl)


def test_edit_with_a_failed_image_forgets_the_validators_too(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, good=Answer(body=PNG))
    with_validators(site, "good")
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    assert row_of(db)["etag"] == '"1"'
    site.set(f"{FOLDER}/late.jpg", Answer(status=500))
    marks = '<p><img src="./good.jpg"></p><p><img src="./late.jpg"></p>'
    edited = article(DAY, IDENT, "改过的标题", marks)
    site.set(url_of(IDENT), Answer(headers={"ETag": '"2"'}, body=edited))
    crawl("column", url=COLUMN, recheck="on")
    assert "etag" not in row_of(db)
    assert image_of(db, 2)["status"] == "failed"
    site.set(f"{FOLDER}/late.jpg", Answer(body=JPEG))
    with_validators(site, "good", "late")
    make_due(db)
    crawl("column", url=COLUMN)
    site.set(url_of(IDENT), Answer(headers={"ETag": '"2"'}, body=edited))
    statuses = {
        i["status"]
        for d in db.articles.find()
        for i in d["images"]
        if i["url"].endswith("late.jpg")
    }
    assert statuses <= {"stored"}
    assert_rebuilt(db, site, crawl)


def test_what_came_damaged_and_then_whole_is_rebuilt(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, one=Answer(body=JPEG[:-100]), two=Answer(body=b"<html>x</html>"))
    crawl("column", url=COLUMN, recheck="on")
    site.set(f"{FOLDER}/one.jpg", [Answer(status=503), Answer(body=JPEG)])
    site.set(f"{FOLDER}/two.jpg", [Answer(body=PNG[:-9]), Answer(body=PNG)])
    for _ in range(2):
        make_due(db)
        crawl("column", url=COLUMN)
    assert {image_of(db, n)["status"] for n in (1, 2)} == {"stored"}
    assert_rebuilt(db, site, crawl)
    before = snapshot(db)
    assert crawl("reparse").returncode == 0
    assert snapshot(db) == before


def test_given_up_after_as_many_visits_as_a_link(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, never=Answer(status=500))
    with_validators(site, "never")
    for _ in range(3):
        make_due(db)
        crawl("column", url=COLUMN, GIVE_UP_AFTER=3)
    row = row_of(db)
    assert (row["image_failures"], row.get("next_visit_at"), row["etag"]) == (3, None, '"1"')
    assert_rebuilt_with(db, site, crawl)


def assert_rebuilt_with(db: Database[Any], site: SiteProxy, crawl: Crawl) -> None:
    def same_policy(spider: str, **arguments: object) -> Any:
        return crawl(spider, **arguments, GIVE_UP_AFTER=3)

    assert_rebuilt(db, site, same_policy)


def test_missing_images_and_references_are_not_asked_for_again(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, gone=Answer(status=404), removed=Answer(status=410), good=Answer(body=PNG))
    with_validators(site, "gone", "removed", "good")
    assert crawl("column", url=COLUMN).returncode == 0
    row = row_of(db)
    assert row["etag"] == '"1"'
    assert not {"next_visit_at", "image_failures"} & row.keys()


def test_picture_that_is_too_large_is_kept_and_named(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    bomb = ico(png(13_000, 13_000))
    serve(site, **{f"n{n}": Answer(body=bomb + bytes(n)) for n in range(12)}, good=Answer(body=PNG))
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 0, done.stderr
    assert {image_of(db, n)["status"] for n in range(1, 14)} == {"stored"}
    assert (image_of(db, 1)["width"], image_of(db, 1)["content_type"]) == (13_000, "image/x-icon")
    document = db.articles.find_one()
    assert document
    claim = "13000 × 13000 pixels are too many to decode"
    assert of_images(document) == [f"image {n} is kept undecoded: {claim}" for n in range(1, 13)]
    before = snapshot(db)
    assert_rebuilt(db, site, crawl)
    assert crawl("reparse").returncode == 0
    assert snapshot(db) == before


def test_format_that_no_page_shows_fails_by_name(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve(site, eps=Answer(body=EPS), icns=Answer(body=saved("ICNS", mode="RGBA")))
    assert crawl("column", url=COLUMN).returncode == 1
    document = db.articles.find_one()
    assert document
    assert of_images(document) == ["image 1: not an image", "image 2: not an image"]


def visits(db: Database[Any], updates: list[UpdateOne]) -> list[dict[str, Any]]:
    """The row after each update; each update is applied twice."""
    rows = []
    for update in updates:
        db.frontier.bulk_write([update])
        row = db.frontier.find_one({})
        db.frontier.bulk_write([update])
        assert db.frontier.find_one({}) == row
        assert row
        rows.append(row)
    return rows


def test_delay_grows_and_rechecks_stay(db: Database[Any]) -> None:
    policy = VisitPolicy(recheck_days=(1, 3, 7, 30), give_up_after=12)
    etag = {"etag": '"1"'}
    at, updates = NOON, []
    for number in range(14):
        updates.append(
            store_link("x", at, policy, published_at=NOON, validators=etag, incomplete=True)
        )
        at += timedelta(hours=2 ** min(number, 6))
    rows = visits(db, updates)
    waits = [r["next_visit_at"] - r["last_attempt_at"] for r in rows if "next_visit_at" in r]
    assert waits[:4] == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR]
    rechecks = {NOON + timedelta(days=days) for days in (1, 3, 7, 30)}
    assert all(wait <= timedelta(days=7) for wait in waits[:11])
    assert rows[4]["next_visit_at"] in rechecks  # earlier than after the sixteen hours
    assert [row["image_failures"] for row in rows] == list(range(1, 15))
    assert ["etag" in row for row in rows] == [False] * 11 + [True] * 3
    assert {row["next_visit_at"] for row in rows[11:] if "next_visit_at" in row} <= rechecks


def test_other_visits_between_do_not_end_it(db: Database[Any]) -> None:
    policy = VisitPolicy(recheck_days=(1,), give_up_after=12)
    old = NOON - timedelta(days=400)
    rows = visits(db, [
        store_link("x", NOON, policy, published_at=old, incomplete=True),
        settle_link(Outcome("x", "gone", "HTTP 404", seen_at=NOON + HOUR), policy),
        store_link("x", NOON + 2 * HOUR, policy, published_at=old, incomplete=True),
        store_link("x", NOON + 5 * HOUR, policy, published_at=old, validators={"etag": "1"}),
        unchanged_link("x", NOON + 6 * HOUR, policy),
    ])  # fmt: skip
    assert [row.get("image_failures") for row in rows] == [1, 1, 2, None, None]
    assert [row["state"] for row in rows] == ["stored", "gone", "stored", "stored", "stored"]
    assert rows[2]["next_visit_at"] == NOON + 4 * HOUR
    assert "next_visit_at" not in rows[4]
