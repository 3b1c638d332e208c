"""A broken or hostile site: each fault has a state and a reason, and all good articles are stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Begin, Crawl, peak_memory
from tests.support.pages import COLUMN, DAY, article, list_page, serve_column, url_of
from tests.support.site import Answer, Request, SiteProxy
from zjolcrawl.site.catalogue import load_catalogue

FIRST = 4774001
COLUMNS = [c for c in load_catalogue().values() if c.enabled and not c.paging][:4]
HTML = {"Content-Type": "text/html"}
CHALLENGE = b"<html><script>var a=1;document.cookie='x='+a;location.reload()</script></html>"
LOGIN = "<html><form><input type='password'></form><a href='/'>首页</a></html>".encode()
SOFT_404 = "<html><title>404</title><body><p>对不起，页面不存在</p><a href='/'>首页</a></body></html>".encode()
OTHER_CHARSET = {"Content-Type": "text/html; charset=iso-8859-1"}


def faults(day: str) -> list[tuple[Answer, str, str]]:
    """The server's fault, the state of the link, the start of the reason."""
    loop = Answer(status=302, headers={"Location": "?again"})
    return [
        (Answer(status=500), "failed", "HTTP 500"),
        (Answer(status=502), "failed", "HTTP 502"),
        (Answer(status=403, headers={"Retry-After": "86400"}), "failed", "HTTP 403"),
        (Answer(status=429, headers={"Retry-After": "7200"}), "failed", "HTTP 429"),
        (Answer(fault="reset"), "failed", ""),
        (Answer(fault="close"), "failed", ""),
        (Answer(body=article(day, FIRST), fault="truncate"), "failed", ""),
        (Answer(fault="hang"), "failed", "DownloadTimeoutError"),
        (Answer(body=SOFT_404, headers=HTML), "gone", "page says it is missing"),
        (Answer(body=CHALLENGE, headers=HTML), "failed", "script only"),
        (Answer(body=b"", headers=HTML), "failed", "empty page"),
        (Answer(body=b"x" * 50_000_000, headers=HTML), "failed", "DownloadCancelledError"),
        (loop, "rejected", "IgnoreRequest: max redirections"),
        (Answer(body=LOGIN, headers=HTML), "rejected", ""),
        (Answer(body=article(day, FIRST), headers=OTHER_CHARSET), "stored", ""),
        (Answer(body=article(day, FIRST).decode().encode("gb18030"), headers=OTHER_CHARSET), "stored", ""),
    ]  # fmt: skip


def listing(site: SiteProxy, number: int, idents: list[int]) -> None:
    body = list_page([(DAY, ident) for ident in idents])
    site.set(COLUMNS[number].url, Answer(body=body, headers=HTML))
    for ident in idents:
        url = f"{COLUMNS[number].url}201708/t20170812_{ident}.shtml"
        site.set(url, Answer(body=article(DAY, ident), headers=HTML))


def test_every_fault_in_one_crawl_of_240_articles(
    site: SiteProxy, db: Database[Any], crawl: Crawl, begin: Begin
) -> None:
    for number in range(4):
        listing(site, number, [5_000_000 + number * 1000])
    ids = ",".join(column.id for column in COLUMNS)
    assert crawl("column", column=ids).returncode == 0

    idents = [6_000_000 + n for n in range(240)]  # more than are written at once
    listing(site, 0, idents)
    site.set(COLUMNS[1].url, Answer(body=LOGIN, headers=HTML))
    site.set(COLUMNS[2].url, Answer(body=list_page([]), headers=HTML))
    site.set(COLUMNS[3].url, Answer(body=CHALLENGE, headers=HTML))
    bad = {}
    for n, (answer, state, reason) in enumerate(faults(DAY)):
        url = f"{COLUMNS[0].url}201708/t20170812_{idents[n * 15]}.shtml"
        bad[url] = (state, reason)
        site.set(url, answer)
        site.set(url + "?again", answer)
    running = begin(
        "column",
        "-a",
        f"column={ids}",
        "-s",
        "DOWNLOAD_TIMEOUT=4",
        anew=True,
    )
    most = peak_memory(running)
    err = running.communicate()[1]
    assert running.returncode == 1, err
    assert most < 300_000_000
    rows = {row["_id"]: row for row in db.frontier.find({"columns": COLUMNS[0].id})}
    for url, (state, reason) in bad.items():
        assert rows[url]["state"] == state, (url, rows[url])
        assert str(rows[url].get("last_error", "")).startswith(reason), rows[url]
    good = [u for u in rows if u not in bad]
    assert {rows[url]["state"] for url in good} == {"stored"}
    assert db.articles.count_documents({"_id": {"$in": good}}) == len(good) == 225
    waits = sorted(
        rows[url]["next_visit_at"] - rows[url]["last_attempt_at"]
        for url, (_, reason) in bad.items()
        if reason in {"HTTP 403", "HTTP 429", "HTTP 500"}
    )
    assert waits == [timedelta(hours=1), timedelta(hours=2), timedelta(days=1)]
    alarms = db.runs.find_one({"alarms": {"$exists": True}})["alarms"]  # type: ignore[index]
    for number, why in ((1, "a login page"), (2, "an empty page"), (3, "script only")):
        (alarm,) = [
            a for a in alarms if f"column {COLUMNS[number].id} lists nothing, 1 before" in a
        ]
        assert why in alarm
        assert f"ALARM: {alarm}" in err
    assert "3 ALARMS" in err


@pytest.mark.parametrize("refusal", [Answer(status=403), Answer(body=CHALLENGE, headers=HTML)])
def test_site_that_refuses_is_left_alone(
    refusal: Answer, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    idents = [FIRST + n for n in range(60)]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    for ident in idents:
        site.set(url_of(ident), refusal)
    done = crawl("column", url=COLUMN, CONCURRENT_REQUESTS=2)
    assert done.returncode == 1
    assert "the site refuses" in done.stderr
    assert len(site.urls()) < 40
    states = {row["state"] for row in db.frontier.find()}
    assert states == {"failed", "pending"}


def test_template_that_misses_a_field_it_used_to_find_is_an_alarm(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    first = [FIRST + n for n in range(12)]
    serve_column(site, [[(DAY, ident) for ident in first]])
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    second = [FIRST + 100 + n for n in range(12)]
    serve_column(site, [[(DAY, ident) for ident in second]])
    for ident in second:
        page = article(DAY, ident).replace("来源：浙江在线".encode(), b"")
        site.set(url_of(ident), Answer(body=page, headers=HTML))
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 1
    alarm = "template T1: source is missing in 100% of 12 articles, 0% before"
    assert f"zjolcrawl: ALARM: {alarm}" in done.stderr.splitlines()
    assert db.runs.find_one({"alarms": alarm}) is not None


def test_alarms_are_carried_to_a_webhook(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    told: list[bytes] = []

    def hook(request: Request) -> Answer:
        told.append(request.body)
        return Answer(status=204)

    serve_column(site, [[(DAY, FIRST)]])
    crawl("column", url=COLUMN, recheck="on")
    site.set(COLUMN, Answer(body=LOGIN, headers=HTML))
    # The hook's host is served by the proxy of the tests, as every host is.
    site.set("http://hook.example.org/alarm", hook)
    done = crawl("column", url=COLUMN, ALARM_WEBHOOK="http://hook.example.org/alarm", recheck="on")
    assert done.returncode == 1
    assert len(told) == 1, done.stderr
    assert b"lists nothing" in told[0]
    done = crawl(
        "column",
        url=COLUMN,
        ALARM_MAIL="a@example.org",
        MAIL_PORT=1,
        recheck="on",
    )
    assert "ALARM_MAIL: " in done.stderr
