"""Pages that MongoDB cannot store, among good ones: each is rejected by name and affects only itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, list_page, saying, url_of
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, SiteProxy

GOOD = range(4774001, 4774053)
POISON = 4774900


def head(script: str) -> bytes:
    """An article with its headline only in JSON-LD."""
    page = article(DAY, POISON, title="").decode()
    ld = f'<script type="application/ld+json">{{"@type": "NewsArticle", {script}}}</script>'
    return page.replace("<title>-浙江在线</title>", ld).encode()


def many(html: str, count: int) -> bytes:
    return saying(POISON, "正文。", furniture="").body.replace(
        b"</p>", b"</p>" + (html * count).encode(), 1
    )


REJECTED: dict[str, tuple[bytes, str]] = {
    "surrogate in the headline": (head(r'"headline": "\ud83d 题"'), "title"),
    "low surrogate at its end": (head(r'"headline": "两会开幕\udc00"'), "title"),
    "body over 16 MB": (many(f"<p>{'浙江' * 100_000}</p>", 30), "bytes"),
    "as text and as HTML over 16 MB": (many(f"<p>{'浙江' * 1000}</p>", 1500), "bytes"),
    "a hundred thousand keywords": (
        article(DAY, POISON).replace(
            b"</head>",
            b'<meta name="keywords" content="%b"></head>'
            % b",".join(b"k%d" % n for n in range(100_000)),
        ),
        "tags has 100000 entries",
    ),
    "one line over 16 MB": (saying(POISON, "浙" * 3_000_000).body, "bytes"),
    # 4 MB are parsed; in `body_html` each sign is five.
    "as HTML over 16 MB": (many(f"<p>{'&' * 1000}</p>", 4000), "bytes"),
}
DAYS = {
    "99991231": "year 9999",
    "00010101": "year 1",
    "20170230": "a day that is none",
    "21010101": "a year too late",
}


def serve(
    site: SiteProxy, addresses: list[str], title: str = "", good: Sequence[int] = GOOD
) -> None:
    rows = list_page([(DAY, each) for each in good]).decode()
    more = "".join(
        f'<li class="listLi"><a href="{url}">毒{title if url == addresses[0] else ""}</a></li>'
        for url in addresses
    )
    site.set(COLUMN, Answer(body=rows.replace("</ul>", f"{more}</ul>").encode()))
    for each in good:
        site.set(url_of(each), Answer(body=article(DAY, each)))


def test_eight_poison_pages_among_sixty(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    bodies = [body for body, _ in REJECTED.values()][:4]
    pages = {url_of(POISON + n): body for n, body in enumerate(bodies)}
    # Without a date of its own, a page has the day in its URL.
    undated = article(DAY, POISON).replace(f"{DAY} 10:00:00".encode(), b"")
    dated = {f"{COLUMN}201708/t{day}_4774990.shtml": undated for day in ("99991231", "00010101")}
    legacy = {f"{COLUMN.removesuffix('test/lm/')}system/9999/12/31/012345678.shtml": undated}
    endless = {url_of(POISON + 9): Answer(body=b"x" * 21 * 2**20).body}
    serve(site, [*pages, *dated, *legacy, *endless], title="题" * 1_500_000)
    for url, body in {**pages, **dated, **legacy, **endless}.items():
        site.set(url, Answer(body=body))
    for number in range(3):
        done = crawl("column", url=COLUMN, recheck="on")
        assert "Traceback" not in done.stderr
        assert db.articles.count_documents({"_id": {"$in": [url_of(n) for n in GOOD]}}) == 52
        assert done.returncode == 1, done.stderr
        assert db.frontier.count_documents({"state": "pending"}) == 0
        assert not list((tmp_path / "spool").glob("**/*.bson"))
        assert db.runs.count_documents({"ended_at": {"$exists": True}}) == number + 1
    for url in pages:
        row = db.frontier.find_one({"_id": url})
        assert row["state"] == "rejected"
        assert row["last_error"].startswith(("cannot be stored: ", "is too large: "))
        reject = db.rejects.find_one({"url": url})
        assert reject["reason"] == row["last_error"]
        assert reject["warc"]["record_id"]
    for url in [*dated, *legacy]:  # an implausible day counts as absent
        stored = db.articles.find_one({"_id": url})
        assert stored is not None
        assert "missing: published_at" in stored["warnings"]
    assert db.frontier.find_one({"_id": next(iter(endless))})["state"] == "failed"
    assert all(len(row.get("listed_title", "")) <= 2000 for row in db.frontier.find())
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize("name", REJECTED)
def test_page_is_rejected_by_name(
    name: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    body, why = REJECTED[name]
    serve(site, [url_of(POISON)], good=GOOD[:12])
    site.set(url_of(POISON), Answer(body=body))
    done = crawl("column", url=COLUMN, IMAGES="off")
    assert done.returncode == 1, done.stderr
    assert "stored 12 new" in done.stderr
    row = db.frontier.find_one({"_id": url_of(POISON)})
    assert row is not None
    assert row["state"] == "rejected", name
    assert why in row["last_error"]


@pytest.mark.parametrize(
    "form", ["{lm}201708/t{day}_4774990.shtml", "{host}system/{y}/{m}/{d}/012345678.shtml"]
)
@pytest.mark.parametrize("day", DAYS)
def test_day_of_an_address_that_is_not_plausible_is_none(
    form: str, day: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    url = form.format(
        lm=COLUMN, host=COLUMN.removesuffix("test/lm/"), day=day, y=day[:4], m=day[4:6], d=day[6:]
    )
    site.set(url, Answer(body=article(DAY, POISON).replace(f"{DAY} 10:00:00".encode(), b"")))
    done = crawl("article", url=url)
    assert done.returncode == 0, done.stderr
    stored = db.articles.find_one({"_id": url})
    assert stored is not None
    assert "published_at" not in stored
    assert db.frontier.find_one({"_id": url})["state"] == "stored"
