"""PAGE_SECONDS: a page that takes too long is abandoned by every reader."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import threading
import time
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, list_page, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.items import Outcome, RawArticle, Visit
from zjolcrawl.parsing.article_page import NotArticle
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.deadline import LimitExceeded, within
from zjolcrawl.pipelines.normalize import NormalizePipeline
from zjolcrawl.spiders.pages import PageReader

# Some seconds of work for the reader; the pattern below runs without end.
LONG = article(DAY, 1, more="<p>这是一个很长的句子，好好学习<b>天天</b>向上。</p>" * 40_000)
HTML = {"Content-Type": "text/html"}
FIRST = 4774001


@pytest.fixture(autouse=True)
def unreported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The alarm may arrive in a garbage collection callback (Hypothesis has one): there it is dropped, reported and
    repeated. A long report, such as pytest's, would be interrupted by the next one.
    """
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)


def hang() -> None:
    re.fullmatch("(?:a+)+b", "a" * 60)


def swallow() -> None:
    while True:
        with contextlib.suppress(Exception):  # as a careless reader might
            hang()


def python_alone() -> None:
    while True:
        pass


def lost_in_a_callback() -> None:
    class Noisy:
        def __del__(self) -> None:
            until = time.process_time() + 0.3
            while time.process_time() < until:
                pass

    Noisy()
    python_alone()


@pytest.mark.parametrize("read", [hang, swallow, python_alone])
def test_what_takes_too_long_is_interrupted(read: Any) -> None:
    with pytest.raises(LimitExceeded, match=r"takes too long: not read in 0.1 s.*PAGE_SECONDS"):
        within(0.1, read)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_an_alarm_that_is_lost_comes_again() -> None:
    with pytest.raises(LimitExceeded):
        within(0.1, lost_in_a_callback)


def test_what_is_in_time_is_as_without_it() -> None:
    assert within(5, int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        within(5, int, "x")
    assert (
        within(5, lambda: within(0.01, lambda: sum(range(3_000_000)))) > 0
    )  # the limit of the outer one
    assert within(0, lambda: sum(range(3_000_000))) > 0  # no limit
    signal.raise_signal(signal.SIGVTALRM)  # late: belongs to no page


def test_in_another_thread_there_is_no_bound() -> None:
    found: list[int] = []
    thread = threading.Thread(
        target=lambda: found.append(within(0.01, lambda: sum(range(3_000_000))))
    )
    thread.start()
    thread.join()
    assert found


def test_a_long_page_of_an_article_is_no_article() -> None:
    found = PageReader(0.2).read(LONG, url_of(1))
    assert isinstance(found, NotArticle)
    assert found.reason.startswith("takes too long: not read in 0.2 s")
    assert not found.missing
    assert not found.withheld


def test_a_long_list_has_a_fault() -> None:
    page = list_page([(DAY, FIRST + n) for n in range(20_000)])
    found = PageReader(0.1).read_list(read_column, page, COLUMN)
    assert found.fault
    assert found.fault.startswith("takes too long")
    assert found.links == []


def test_what_is_normalized_too_long_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zjolcrawl.pipelines.normalize.normalize", lambda _: hang())
    raw = RawArticle(url_of(1), "T1", visit=Visit("http://x.zjol.com.cn/", warc={"file": "a"}))
    outcome = NormalizePipeline(0.1).process_item(raw)
    assert isinstance(outcome, Outcome)
    assert (outcome.url, outcome.state) == ("http://x.zjol.com.cn/", "rejected")
    assert outcome.reason.startswith("takes too long")
    assert outcome.warc == {"file": "a"}


def test_a_crawl_goes_on_and_a_reread_with_more_time_stores_it(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    idents = [FIRST + n for n in range(30)]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    long = url_of(idents[3])
    site.set(long, Answer(body=LONG, headers=HTML))
    done = crawl("column", url=COLUMN, PAGE_SECONDS=0.5, recheck="on")
    assert done.returncode == 1, done.stderr
    row = db.frontier.find_one({"_id": long})
    assert row
    assert (row["state"], row["last_error"][:14]) == ("rejected", "takes too long")
    reject = db.rejects.find_one({"url": long})
    assert reject
    assert reject["warc"]["file"]
    assert db.articles.count_documents({}) == 29
    done = crawl("reparse", url=long)
    assert db.articles.count_documents({}) == 30, done.stderr


def test_a_column_page_that_takes_too_long_is_an_error_of_the_column(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(COLUMN, Answer(body=list_page([(DAY, FIRST + n) for n in range(9_000)]), headers=HTML))
    done = crawl("column", url=COLUMN, PAGE_SECONDS=0.02)
    assert done.returncode == 1, done.stderr
    assert "takes too long" in done.stderr


def test_a_setting_that_is_no_number_is_refused(crawl: Crawl) -> None:
    done = crawl("column", url=COLUMN, PAGE_SECONDS="soon")
    assert done.returncode == 2
    assert "PAGE_SECONDS=soon is not a number of seconds" in done.stderr
