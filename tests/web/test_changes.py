"""Recent changes: each edit, takedown and return once, the last one first; and the history of one article."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html
from pymongo.database import Database

from tests.export.made import article
from tests.support.crawling import Running
from tests.web.conftest import Archive
from tests.web.sample import EDITED, GONE, REFERENCE, REVERTED
from tests.web.serving import Web
from tests.web.test_costly import put
from tests.web.test_pages import tree, words
from zjolcrawl.display.formatting import moment


def world(db: Database[Any]) -> list[tuple[datetime, str, str]]:
    """All changes that the database knows as (time, kind, URL), the last one first."""
    found: list[tuple[datetime, str, str]] = []
    for each in db.articles.find():
        if each["revision"] > 1:
            found.append((each["changed_at"], "edited", each["_id"]))
        if "gone_at" in each:
            found.append((each["gone_at"], "gone", each["_id"]))
            if each["status"] == "live":
                found.append((each["returned_at"], "back", each["_id"]))
    former = [each for each in db.revisions.find() if each["_id"]["revision"] > 1]
    found += [(each["changed_at"], "edited", each["_id"]["url"]) for each in former]
    return sorted(found, reverse=True)


def listed(web: Web, target: str = "/changes") -> list[tuple[str, str, str]]:
    """The changes of a page and all that follow: time, kind, URL of the article."""
    found: list[tuple[str, str, str]] = []
    while target:
        page = tree(web.raw(target))
        for row in page.xpath("//ol[@class='events']/li"):
            url = parse_qs(urlsplit(row.xpath(".//h3/a/@href")[0]).query)["url"][0]
            found.append((row.xpath(".//time/@datetime")[0], row.get("class"), url))
        target = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    return found


def test_each_change_once_the_last_one_first(web: Web, archive: Archive) -> None:
    wanted = [(at.isoformat(), what, url) for at, what, url in world(archive.db)]
    assert {what for _, what, _ in wanted} == {"edited", "gone", "back"}
    assert [url for _, what, url in wanted if what == "edited"].count(REVERTED) == 2
    assert listed(web) == wanted
    for kind, kinds in (("edited", {"edited"}), ("gone", {"gone", "back"})):
        chosen = [each for each in wanted if each[1] in kinds]
        assert listed(web, f"/changes?kind={kind}") == chosen


def test_links_lead_to_the_change(web: Web) -> None:
    page = tree(web.get("/changes"))
    rows = page.xpath("//li[@class='edited']")
    for row in rows:
        target, _, place = row.xpath(".//a[contains(@class,'flag')]/@href")[0].partition("#")
        assert tree(web.raw(target)).xpath(f"//h2[@id='{place}']")
    assert "归档" in words(page.xpath("//header")[0])
    assert web.get("/changes", kind="new").status == 400
    for number in ("0", "21", "x"):
        assert web.get("/changes", page=number).status == 400


def test_an_empty_archive_has_none(shown: tuple[Web, Running]) -> None:
    assert "还没有见到变动" in words(tree(shown[0].get("/changes")))


def test_many_versions_of_a_few_articles(shown: tuple[Web, Running], db: Database[Any]) -> None:
    """Pages of 30 changes, also where one article has all the changes of several pages."""
    web, _ = shown
    put(db, *(f"第{n}种说法。" for n in range(1, 90)))
    others = [
        article(n, revision=2, changed_at=article(0)["changed_at"], first_seen_at=article(0)["changed_at"])
        for n in range(1, 41)
    ]  # fmt: skip
    for each in others:
        former = {**each, "_id": {"url": each["_id"], "revision": 1}, "revision": 1}
        db.revisions.insert_one(former)
    db.articles.insert_many(others)
    wanted = sorted(((at.isoformat(), what, url) for at, what, url in world(db)), reverse=True)
    found = listed(web)
    assert len(found) == len(wanted) == 88 + 40
    assert sorted(found, reverse=True) == wanted
    assert [at for at, _, _ in found] == [at for at, _, _ in wanted]
    for number in (19, 20):
        assert web.get("/changes", page=number).status == 200


def test_history_of_a_taken_down_article_leads_to_the_evidence(web: Web, archive: Archive) -> None:
    page = tree(web.get("/history", url=GONE))
    assert "没有改动" not in words(page)
    assert "后来撤下了" in words(page)
    (link,) = page.xpath("//li[@class='event gone']//a/@href")
    record = tree(web.raw(link))
    stored = archive.db.articles.find_one({"_id": GONE}) or {}
    assert "HTTP/1.1 404" in words(record.xpath("//dl[@class='headers']")[0])
    assert moment(stored["gone_at"]) in words(record)
    date = stored["gone_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert date in words(record)
    assert web.get("/record", url=EDITED, gone=1).status == 200  # it came back, the record stays
    assert web.get("/record", url=REFERENCE, gone=1).status == 404


def test_a_takedown_without_a_record_has_no_link(
    shown: tuple[Web, Running], db: Database[Any]
) -> None:
    web, _ = shown
    db.articles.insert_one(article(0, status="gone", gone_at=article(0)["changed_at"]))
    url = article(0)["_id"]
    assert tree(web.get("/history", url=url)).xpath("//li[@class='event gone']//a") == []
    assert web.get("/record", url=url, gone=1).status == 404


def lines(page: html.HtmlElement, version: int) -> list[str]:
    """The lines of the body's edits in a version; context in (), what is left out as …N."""
    found: list[str] = []
    section = page.xpath(f"//section[@aria-labelledby='v{version}']")[0]
    for each in section.xpath(".//div[h3='正文']//p"):
        kind = each.get("class")
        text = words(each)
        found.append(
            f"({text})" if kind == "context" else f"…{text.split()[2]}" if kind == "kept" else text
        )
    return found


@pytest.mark.parametrize(
    ("before", "after", "shown_lines"),
    [
        ("甲。乙。丙。丁。戊。", "甲。乙。丙丙丙丙。丁。戊。", ["…1", "(乙。)", "丙丙丙丙。", "(丁。)"]),
        ("甲。乙。", "甲甲甲甲。乙。", ["甲甲甲甲。", "(乙。)"]),
        ("甲。乙。", "甲。乙。丙。", ["…1", "(乙。)", "丙。"]),
        ("甲。乙。丙。", "甲。丙。", ["(甲。)", "乙。", "(丙。)"]),
        # One unchanged sentence between two edits stands there once, two stand once each.
        ("甲一二三。中。乙一二三。", "甲一二四。中。乙一二四。", ["甲一二三四。", "(中。)", "乙一二三四。"]),
        ("甲一二三。中。间。乙一二三。", "甲一二四。中。间。乙一二四。", ["甲一二三四。", "(中。)", "(间。)", "乙一二三四。"]),
        ("甲一二三。中。很。间。乙一二三。", "甲一二四。中。很。间。乙一二四。",
         ["甲一二三四。", "(中。)", "…1", "(间。)", "乙一二三四。"]),
        (f"{'长' * 500}。甲一二三。", f"{'长' * 500}。甲一二四。", [f"(…{'长' * 199}。)", "甲一二三四。"]),
    ],
)  # fmt: skip
def test_edits_have_a_sentence_around_them(
    before: str, after: str, shown_lines: list[str], shown: tuple[Web, Running], db: Database[Any],
) -> None:  # fmt: skip
    web, _ = shown
    url = put(db, before, after)
    assert lines(tree(web.get("/history", url=url)), 2) == shown_lines
