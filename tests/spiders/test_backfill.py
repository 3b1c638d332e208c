"""`scrapy crawl backfill`: what other archives have becomes dated versions, whatever those archives answer."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Begin, Crawl, ended, wait_until
from tests.support.other_archives import INDEX, WAYBACK, Archive, Held, replays, zipped
from tests.support.pages import COLUMN, HOST, article, list_page
from tests.support.rebuilding import drop, snapshot
from tests.support.site import Answer, SiteProxy
from tests.support.site.messages import Request
from zjolcrawl.archive.archive import Archive as OurArchive

QUICK = {"BACKFILL_DELAY": 0, "BACKFILL_CDX_DELAY": 0, "BACKFILL_WAIT": 0}
LIST = f"{HOST}/zjnews/zjxw/"  # 浙江新闻 of the catalogue


def url(ident: int, part: str = "") -> str:
    return f"{LIST}200909/t20090901_{ident}{part}.shtml"


def text(ident: int, words: str = "讲述了浙江各地的新鲜事情") -> bytes:
    page = article("2009-09-01", ident).decode()
    return page.replace("讲述了浙江各地的新鲜事情", words).encode()


def captures() -> list[Held]:
    """Edits, repeats, redirects, errors and lists; https and a port in URLs; a compressed body."""
    packed, headers = zipped(text(1002))
    return [
        Held(url(1001), "20090902000000", text(1001)),
        Held(url(1001).replace("http:", "https:"), "20090903000000", text(1001)),  # a repeat
        Held(url(1001), "20100101000000", text(1001, "后来改了一次")),
        Held(url(1001), "20110101000000", b"gone", 404),
        Held(url(1001), "20120101000000", b"", 302, (("Location", f"{HOST}/"),)),
        Held(url(1001), "20130101000000", text(1001)),  # as it was before
        Held(url(1002).replace(".cn/", ".cn:80/"), "20090905000000", packed, headers=headers),
        Held(url(1003), "20090906000000", b"<html>no article</html>"),
        Held(LIST, "20090907000000", list_page([("2009-09-01", 1001), ("2009-09-01", 1009)])),
        Held(f"{LIST}index_1.shtml", "20090908000000", list_page([("2009-09-01", 1002)])),
        Held(f"{HOST}/zjnews/zjxw/images/a.jpg", "20090908000000", b"x", mime="image/jpeg"),
        Held("http://www.example.org/", "20090908000000", b"x"),
    ]  # fmt: skip


@pytest.fixture
def other(site: SiteProxy) -> Archive:
    return Archive(captures()).serve(site)


@pytest.fixture
def backfill(crawl: Crawl) -> Callable[..., Any]:
    def run(cdx: str = WAYBACK, **given: object) -> Any:
        return crawl("backfill", cdx=cdx, **{**QUICK, **given})

    return run


def versions(db: Database[Any], ident: int) -> list[tuple[str, str]]:
    """The versions of an article: when each was seen first, and the last words of its text."""
    (newest,) = db.articles.find({"_id": url(ident)})
    former = db.revisions.find({"_id.url": url(ident)}).sort("_id.revision", 1)
    return [(f"{v['changed_at']:%Y%m%d}", v["body"][-8:]) for v in (*former, newest)]


@pytest.mark.parametrize("cdx", [WAYBACK, INDEX])
def test_each_version_once_in_order_with_its_time(
    other: Archive, db: Database[Any], backfill: Callable[..., Any], cdx: str
) -> None:
    other.most = 4  # rows of an answer: several with a resume key
    done = backfill(cdx)
    assert done.returncode == 0, done.stderr
    seen = versions(db, 1001)
    assert [day for day, _ in seen] == ["20090902", "20100101", "20130101"]
    assert seen[0][1] == seen[2][1] != seen[1][1]
    assert len(versions(db, 1002)) == 1
    first = db.revisions.find_one({"_id": {"url": url(1001), "revision": 1}})
    assert first
    assert f"{first['first_seen_at']:%Y%m%d%H%M%S}" == "20090902000000"
    assert {a["_id"]: a.get("columns") for a in db.articles.find()} == {
        url(1001): ["zjxw"], url(1002): ["zjxw"],
    }  # fmt: skip


def test_into_a_crawled_archive(
    other: Archive, site: SiteProxy, db: Database[Any], backfill: Callable[..., Any], crawl: Crawl
) -> None:
    """Older captures become earlier versions; the crawled one stays the newest, with its state."""
    site.set(url(1001), Answer(body=text(1001, "今天又改了一次")))
    assert crawl("article", url=url(1001)).returncode == 0
    crawled = db.articles.find_one({"_id": url(1001)})
    assert crawled
    done = backfill()
    assert done.returncode == 0, done.stderr
    days = [day for day, _ in versions(db, 1001)]
    assert days == ["20090902", "20100101", "20130101", f"{crawled['changed_at']:%Y%m%d}"]
    newest = db.articles.find_one({"_id": url(1001)})
    assert newest
    changed = {
        name for name in newest.keys() | crawled.keys() if newest.get(name) != crawled.get(name)
    }
    assert changed == {"revision", "first_seen_at", "columns"}
    assert (newest["revision"], "provenance" in newest) == (4, False)
    assert f"{newest['first_seen_at']:%Y%m%d}" == "20090902"
    (oldest,) = db.revisions.find({"_id.revision": 1, "_id.url": url(1001)})
    assert oldest["provenance"]["kind"] == "backfill"
    before = snapshot(db)
    assert backfill().returncode == 0
    assert snapshot(db) == before


def test_what_an_archive_lacks_settles_no_link(
    other: Archive, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    done = backfill()
    assert done.returncode == 0, done.stderr
    assert "1 gave no article" in done.stderr
    states = {row["_id"]: row["state"] for row in db.frontier.find()}
    assert states == {url(1001): "stored", url(1002): "stored", url(1009): "pending"}
    assert db.rejects.count_documents({}) == 0
    assert db.columns.count_documents({}) == 0  # it is no crawl of the column
    assert {a["status"] for a in db.articles.find()} == {"live"}


def test_records_have_the_original_url_time_and_provenance(
    other: Archive, backfill: Callable[..., Any], tmp_path: Path
) -> None:
    backfill()
    with OurArchive(tmp_path / "warc") as ours:
        found = list(ours.index.captures())
        assert {"web.archive.org", "data.commoncrawl.org"}.isdisjoint(ours.index.hosts())
        packed = next(each for each in found if "_1002" in each.url)
        assert (packed.url, packed.date) == (url(1002), "2009-09-05T00:00:00.000Z")
        assert packed.context == {
            "article": url(1002),
            "provenance": {
                "kind": "backfill", "from": "http://web.archive.org/web/",
                "url": f"http://web.archive.org/web/20090905000000/{url(1002)}",
            },
        }  # fmt: skip
        message = ours.message(packed)
        assert message.header("content-encoding") == "gzip"
        assert message.body == captures()[6].body
        assert not [name for name, _ in message.headers if name.lower().startswith("x-archive")]
        listed = next(each for each in found if each.url == LIST)
        assert (listed.context["column"]["id"], listed.context["page"]) == ("zjxw", 0)


def test_common_crawl_names_file_and_record(
    other: Archive, backfill: Callable[..., Any], tmp_path: Path
) -> None:
    backfill(INDEX)
    with OurArchive(tmp_path / "warc") as ours:
        known = next(each.context for each in ours.index.captures() if "_1002" in each.url)
    assert known["provenance"]["from"] == "https://data.commoncrawl.org/"
    assert known["provenance"]["url"].endswith("/warc/CC-MAIN-1-00001.warc.gz")
    assert known["provenance"]["record"].startswith("urn:uuid:")


def test_a_repeat_fetches_nothing_and_changes_nothing(
    other: Archive, site: SiteProxy, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    backfill()
    before = snapshot(db)
    assert len(replays(site.urls())) == 7
    site.reset_log()
    done = backfill()
    assert replays(site.urls()) == []
    assert "7 archived before, 0 fetched" in done.stderr
    assert snapshot(db) == before


def test_rebuilt_from_the_archive(
    other: Archive, site: SiteProxy, db: Database[Any], backfill: Callable[..., Any], crawl: Crawl
) -> None:
    backfill()
    before = snapshot(db)
    drop(db)
    site.reset_log()
    assert crawl("reparse").returncode == 0
    assert snapshot(db) == before
    assert site.requests == []


def without_records(documents: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The documents without their records' places, which another archive file changes."""
    return {
        name: {field: value for field, value in each.items() if field != "warc"}
        for name, each in documents.items()
    }


def test_killed_five_times(
    other: Archive, site: SiteProxy, db: Database[Any], backfill: Callable[..., Any], begin: Begin, tmp_path: Path
) -> None:  # fmt: skip
    backfill()
    whole = without_records(snapshot(db))
    drop(db)
    for path in (tmp_path / "warc").iterdir():
        path.unlink()
    settings = [part for name, value in QUICK.items() for part in ("-s", f"{name}={value}")]
    site.delay = 0.1
    for _ in range(5):
        site.reset_log()
        running = begin("backfill", "-a", f"cdx={WAYBACK}", *settings)
        wait_until(lambda: len(site.urls("web.archive.org")) >= 3, running)
        running.send_signal(signal.SIGKILL)
        running.communicate()
    done = backfill()
    assert done.returncode == 0, done.stderr
    assert without_records(snapshot(db)) == whole


def test_a_signal_ends_the_wait_for_a_busy_archive(
    other: Archive, site: SiteProxy, begin: Begin
) -> None:
    other.interrupt = lambda request: Answer(429, {"Retry-After": "600"})
    running = begin("backfill", "-a", f"cdx={WAYBACK}")
    wait_until(lambda: site.urls("web.archive.org"), running)
    running.send_signal(signal.SIGTERM)
    ended(running)
    assert running.returncode == 3


def once_each(*answers: Answer) -> Callable[[Request], Answer | None]:
    """Gives these answers to every URL first."""
    given: dict[str, int] = {}

    def interrupt(request: Request) -> Answer | None:
        count = given[request.url] = given.get(request.url, 0) + 1
        return answers[count - 1] if count <= len(answers) else None

    return interrupt


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, {"Retry-After": "0"}),
        Answer(503),
        Answer(fault="reset"),
        Answer(headers={"Content-Type": "text/html"}, body=b"x" * 200, fault="truncate"),
    ],
    ids=["429", "503", "reset", "truncated"],
)
def test_a_busy_archive_is_asked_again(
    other: Archive, db: Database[Any], backfill: Callable[..., Any], answer: Answer
) -> None:
    other.interrupt = once_each(answer, answer)
    done = backfill()
    assert done.returncode == 0, done.stderr
    assert len(versions(db, 1001)) == 3


def test_an_archive_that_stays_away_is_left_alone(
    other: Archive, site: SiteProxy, backfill: Callable[..., Any]
) -> None:
    other.interrupt = lambda request: Answer(503) if "/web/" in request.url else None
    done = backfill()
    assert done.returncode == 1
    assert "the archive does not answer: HTTP 503, 4 times; repeat the command" in done.stderr
    assert len(replays(site.urls())) == 12  # three captures, four times each
    other.interrupt = lambda request: Answer(429, {"Retry-After": "7200"})
    site.reset_log()
    done = backfill()
    assert "HTTP 429, and asks to wait for 2.0 hours; repeat the command" in done.stderr
    assert len(site.urls()) == 1


def test_one_request_at_a_time(
    other: Archive, site: SiteProxy, backfill: Callable[..., Any]
) -> None:
    """Each answer takes a while; no request arrives before the one before it was answered."""
    open_now: list[str] = []
    overlaps: list[str] = []
    site.delay = 0.02

    def interrupt(request: Request) -> Answer | None:
        open_now[:] = [each.url for each in site.requests if each.status is None]
        overlaps.extend(url for url in open_now if url != request.url)
        return None

    other.interrupt = interrupt
    backfill()
    assert len(site.urls("web.archive.org")) > 7
    assert overlaps == []
    asked = [(each.url, each.headers["user-agent"]) for each in site.requests]
    assert all("archive@example.org" in agent for _, agent in asked)
    assert not [
        address for address, _ in asked if address.endswith("robots.txt") or address == HOST
    ]


def test_delays_between_requests(
    other: Archive, site: SiteProxy, backfill: Callable[..., Any]
) -> None:
    """As the archive sees them: none comes sooner after the one before than the setting of its service says."""
    other.most = 4
    assert backfill(BACKFILL_CDX_DELAY=0.3, BACKFILL_DELAY=0.1).returncode == 0
    for delay, part in ((0.3, "/cdx/"), (0.1, "/web/")):
        times = [each.time for each in site.requests if part in each.url]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert len(gaps) > 1
        assert [gap for gap in gaps if gap < delay] == []


def test_bad_rows_are_named_and_skipped(
    other: Archive, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    other.extra_lines = ['["cut', '{"timestamp": "2017"}', *(f"[{n}" for n in range(30))]
    done = backfill()
    assert "and 12 more rows skipped" in done.stderr
    assert done.returncode == 0, done.stderr
    assert 'skipped, not a row of CDX: ["cut' in done.stderr
    assert len(versions(db, 1001)) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(headers={"Content-Type": "text/html"}, body=b"<html>hello</html>"), "an HTML or XML page instead of CDX"),
        (Answer(404, {"Content-Type": "text/html"}, b"<h1>404</h1>"), "HTTP 404"),
        (Answer(302, {"Location": "https://web.archive.org/x"}), "a redirect to https://web.archive.org/x"),
        (Answer(body=b"hello world\n"), "text that is no CDX"),
    ],
)  # fmt: skip
def test_what_is_no_cdx_server_is_refused(
    other: Archive, backfill: Callable[..., Any], answer: Answer, said: str
) -> None:
    other.interrupt = lambda request: answer
    done = backfill()
    assert done.returncode == 2
    assert f"cdx={WAYBACK} answers with {said}" in done.stderr
    assert "give the address of a CDX server" in done.stderr


def test_an_archive_without_the_site(other: Archive, backfill: Callable[..., Any]) -> None:
    other.captures.clear()
    for cdx in (WAYBACK, INDEX):
        done = backfill(cdx)
        assert done.returncode == 0, done.stderr
        assert "0 captures listed" in done.stderr


def test_another_time_than_the_index_says(
    site: SiteProxy, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    """The archive redirects to the nearest capture that it can show; one that it cannot show fails."""
    other = Archive([
        Held(url(2001), "20100101000000", text(2001)),
        Held(url(2001), "20110101000000", text(2001, "不能显示"), broken=True),
        Held(url(2002), "20100101000000", text(2002), broken=True),
    ]).serve(site)  # fmt: skip
    done = backfill()
    assert done.returncode == 1
    assert (
        f"1 capture could not be fetched, first {url(2002)} at 20100101000000: HTTP 404 without"
        in done.stderr
    )
    assert [day for day, _ in versions(db, 2001)] == ["20100101"]
    other.captures[2] = Held(url(2002), "20100101000000", text(2002))
    site.reset_log()
    assert backfill().returncode == 0
    assert [day for day, _ in versions(db, 2002)] == ["20100101"]
    assert len(replays(site.urls())) == 1  # of 2002 alone
    before = snapshot(db)
    site.reset_log()
    assert backfill().returncode == 0
    assert replays(site.urls()) == []
    assert snapshot(db) == before


def test_a_row_that_leads_to_a_capture_of_another_time_is_fetched_once(
    site: SiteProxy, db: Database[Any], backfill: Callable[..., Any], crawl: Crawl, tmp_path: Path
) -> None:
    """Several rows of one page lead to one capture, of which the index has no row."""
    shown = Held(url(2001), "20100101000000", text(2001))
    rows = [Held(url(2001), f"201{n}0601000000", text(2001, f"{n}"), broken=True) for n in range(3)]
    other = Archive(rows).serve(site)
    other.hidden.append(shown)
    for fetched in (3, 0):
        site.reset_log()
        done = backfill()
        assert done.returncode == 0, done.stderr
        assert f"{3 - fetched} archived before, {fetched} fetched" in done.stderr
        assert bool(replays(site.urls())) == bool(fetched)
        assert [day for day, _ in versions(db, 2001)] == ["20100101"]
    before = snapshot(db)
    (tmp_path / "warc" / "index.sqlite").unlink()  # the archive itself has it
    site.reset_log()
    assert backfill().returncode == 0
    assert replays(site.urls()) == []
    assert snapshot(db) == before


def test_a_damaged_record_of_common_crawl_is_named(
    site: SiteProxy, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    other = Archive(
        [
            Held(url(2001), "20170801000000", text(2001)),
            Held(url(2002), "20170801000000", text(2002)),
        ]
    ).serve(site)
    torn = other.captures[0].record[:-9] + b"123456789"
    other.interrupt = lambda request: (
        Answer(206, {}, torn) if request.headers.get("range", "").startswith("bytes=0-") else None
    )
    done = backfill(INDEX)
    assert done.returncode == 1
    assert "1 capture could not be fetched" in done.stderr
    assert "its WARC record cannot be read" in done.stderr
    assert db.articles.distinct("_id") == [url(2002)]


def test_further_pages_of_an_article(
    site: SiteProxy, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    """The page nearest in time; an article whose further page no archive has goes on without it."""
    pager = (
        '<div class="page"><script>createPageHTML(2, 0, "t20090901_2005", "shtml");</script></div>'
    )
    first = article("2009-09-01", 2005, more=pager)
    Archive([
        Held(url(2005), "20100101000000", first),
        Held(url(2005, "_1"), "20090101000000", text(2005, "太早的一页")),
        Held(url(2005, "_1"), "20100101000003", text(2005, "第二页的话")),
        Held(url(2006), "20100101000000", first.replace(b"_2005", b"_2006")),
    ]).serve(site)  # fmt: skip
    done = backfill()
    assert done.returncode == 0, done.stderr
    found = {each["_id"]: each["body"] for each in db.articles.find()}
    assert "第二页的话" in found[url(2005)]
    assert "太早的一页" not in found[url(2005)]
    assert set(found) == {url(2005), url(2006)}


def test_dry_run_fetches_nothing(
    other: Archive, site: SiteProxy, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    done = backfill(dry_run="on")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows == [
        ["year", "articles", "further", "pages", "lists"],
        ["2009", "3", "0", "2"], ["2010", "1", "0", "0"], ["2013", "1", "0", "0"], ["all", "5", "0", "2"],
    ]  # fmt: skip
    assert replays(site.urls()) == []
    assert snapshot(db) == {}


def test_hosts_columns_and_days(
    other: Archive, site: SiteProxy, backfill: Callable[..., Any]
) -> None:
    def listed(**given: object) -> int:
        done = backfill(dry_run="on", **given)
        assert done.returncode == 0, done.stderr
        return sum(map(int, done.stdout.splitlines()[-1].split()[1:]))

    assert listed(site="zjnews") == 7
    assert listed(site="biz") == 0
    assert listed(column="zjxw") == 7
    assert listed(captured_until="2009-12-31") == 5
    assert listed(captured_since="2010-01-01", captured_until="2010-12-31") == 1
    assert listed(since="2009-09-02") == 2  # lists have no day
    assert listed(until="2009-09-01") == 7
    matched = {url.split("matchType=")[1].split("&")[0] for url in site.urls("web.archive.org")}
    assert matched == {"host", "prefix", "domain"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cdx": ""}, "crawl backfill needs cdx=URL"),
        ({"cdx": "http://web.archive.org/"}, "is not the address of a CDX server"),
        ({"cdx": f"{WAYBACK}?url=zjol.com.cn"}, "is not the address of a CDX server"),
        ({"cdx": "ftp://host/cdx"}, "is not the address of a CDX server"),
        ({"site": "nowhere"}, "nowhere"),
        ({"captured_since": "2017-13-01"}, "captured_since=2017-13-01"),
        ({"year": "2017"}, "unknown argument year"),
    ],
)
def test_arguments_are_checked(
    backfill: Callable[..., Any], given: dict[str, str], said: str
) -> None:
    done = backfill(**given)
    assert done.returncode == 2
    assert said in done.stderr


def test_lists_are_further_pages_of_columns_only(
    site: SiteProxy, db: Database[Any], backfill: Callable[..., Any]
) -> None:
    """A page that the catalogue lacks is not fetched."""
    Archive([Held(COLUMN, "20100101000000", list_page([("2009-09-01", 1)]))]).serve(site)
    assert "0 captures listed" in backfill().stderr
