"""What robots.txt forbids is not fetched, however slow or broken the file is."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, HOST, article, list_page, serve_column, url_of
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.middlewares.robots import MOST_BYTES, _steps

ROBOTS = f"{HOST}/robots.txt"
HTML = {"Content-Type": "text/html"}
FIRST = 4774001
IDENTS = [FIRST + n for n in range(31)]
OPEN = b"User-agent: *\nAllow: /\n"


@pytest.fixture
def crawl(crawl: Crawl) -> Crawl:
    """A run with FLIP_ALARM=0, which believes every rejection."""
    return partial(crawl, FLIP_ALARM=0)


def saying(*lines: str, **answer: Any) -> Answer:
    return Answer(body="\n".join(lines).encode(), **answer)


def listed(site: SiteProxy, idents: list[int] = IDENTS) -> None:
    serve_column(site, [[(DAY, ident) for ident in idents]])


def pages_asked(site: SiteProxy) -> list[str]:
    return [url for url in site.urls() if url != ROBOTS]


def states(db: Database[Any]) -> dict[str, str]:
    return {row["_id"]: row["state"] for row in db.frontier.find()}


def robots_of(number: int) -> str:
    return f"http://h{number}.zjol.com.cn/robots.txt"


def page_of(number: int, ident: int = FIRST) -> str:
    return url_of(ident).replace("zjnews", f"h{number}")


def urls(*idents: int) -> str:
    return ",".join(map(url_of, idents))


@pytest.mark.parametrize("concurrency", [2, 16])
@pytest.mark.parametrize("delay", [0.0, 1.5])
def test_no_forbidden_page_is_fetched_while_robots_txt_is_waited_for(
    concurrency: int, delay: float, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site)
    site.set(ROBOTS, saying("User-agent: *", "Disallow: /test/", delay=delay))
    done = crawl(
        "article", url=urls(*IDENTS),
        CONCURRENT_REQUESTS=concurrency, CONCURRENT_REQUESTS_PER_DOMAIN=concurrency,
    )  # fmt: skip
    assert done.returncode == 1
    assert site.urls() == [ROBOTS]
    rows = list(db.frontier.find())
    assert len(rows) == 31
    assert {row["state"] for row in rows} == {"rejected"}
    assert {row["last_error"] for row in rows} == {f"Forbidden: Forbidden by robots.txt: {ROBOTS}"}


def test_default_settings_fetch_no_forbidden_page(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site)
    site.set(ROBOTS, saying("User-agent: *", "Disallow: /test/lm/2017", delay=0.5))
    crawl("column", url=COLUMN)
    assert pages_asked(site) == [COLUMN]
    assert set(states(db).values()) == {"rejected"}


def test_longest_rule_decides(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    listed(site)
    allowed = FIRST + 7
    rules = ["User-agent: *", "Disallow: /test/lm/201708/", f"Allow: /test/lm/201708/*_{allowed}."]
    site.set(ROBOTS, saying(*rules, delay=0.5))
    crawl("column", url=COLUMN)
    assert pages_asked(site) == [COLUMN, url_of(allowed)]
    assert states(db)[url_of(allowed)] == "stored"


RULES = [
    (("User-agent: zjolcrawl", "Disallow: /", "User-agent: *", "Allow: /"), False),
    (("User-agent: otherbot", "Disallow: /", "User-agent: *", "Allow: /"), True),
    (("user-AGENT: ZJOLCrawl", "DISALLOW: /"), False),
    (("User-agent: a", "User-agent: *", "# a comment", "Disallow: /  # all"), False),
    (("User-agent: *", "Disallow: /*.shtml$"), False),
    (("User-agent: *", "Disallow: /%74est/"), False),
    (("User-agent: *", "Disallow: /test/lm/201709/"), True),
    (("User-agent: *", "Disallow:"), True),
    (("\ufeffUser-agent: *", "Disallow: /test"), False),
    (("User-agent: *\rDisallow: /test",), False),
    (("<html><body>Disallow: / User-agent: *</body></html>",), True),
    (("\x00\x01\x02", "Disallow: /"), True),
    (("",), True),
]


def test_rules(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    for n, (lines, _) in enumerate(RULES):
        site.set(robots_of(n), saying(*lines))
        site.set(page_of(n), Answer(body=article(DAY, FIRST + n), headers=HTML))
    crawl("article", url=",".join(map(page_of, range(len(RULES)))))
    expected = {
        page_of(n): "stored" if allowed else "rejected" for n, (_, allowed) in enumerate(RULES)
    }
    assert states(db) == expected
    assert {url for url in site.urls() if not url.endswith("/robots.txt")} == {
        url for url, state in expected.items() if state == "stored"
    }


def test_agent_of_the_setting_is_the_one_that_rules_are_for(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site, IDENTS[:1])
    site.set(ROBOTS, saying("User-agent: archivist", "Disallow: /", "User-agent: *", "Allow: /"))
    crawl("article", url=url_of(FIRST), ROBOTSTXT_USER_AGENT="archivist")
    assert pages_asked(site) == []
    crawl("article", url=url_of(FIRST))
    assert states(db) == {url_of(FIRST): "stored"}


def test_4xx_means_no_rules(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    statuses = [400, 401, 403, 404, 410, 451]
    for n, status in enumerate(statuses):
        site.set(robots_of(n), saying("User-agent: *", "Disallow: /", status=status))
        site.set(page_of(n), Answer(body=article(DAY, FIRST + n), headers=HTML))
    done = crawl("article", url=",".join(map(page_of, range(len(statuses)))))
    assert done.returncode == 0, done.stderr
    assert set(states(db).values()) == {"stored"}


AWAY: list[tuple[Answer, str]] = [
    (Answer(status=500, body=OPEN), "HTTP 500"),
    (Answer(status=503, body=OPEN, delay=0.5), "HTTP 503"),
    (Answer(status=429, body=OPEN), "HTTP 429"),
    (Answer(status=304), "BrokenAnswer: HTTP 304"),
    (Answer(fault="reset"), "Download"),
    (Answer(fault="close"), "Download"),
    (Answer(fault="hang"), "DownloadTimeoutError"),
    (Answer(body=OPEN, fault="truncate"), "BrokenAnswer: the connection was lost"),
    (Answer(status=302, headers={"Location": "/robots.txt?again"}), "IgnoreRequest: max redir"),
    (Answer(status=302, headers={"Location": "http://portal.example.org/"}), "OffSite"),
    (Answer(status=302, headers={"Location": f"{HOST}:8080/robots.txt"}), "OffSite"),
    (Answer(status=302, headers={"Location": "http://[broken"}), "ValueError"),
]


def test_host_waits_while_its_robots_txt_cannot_be_fetched(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    pages = [[page_of(n, FIRST + n * 10 + each) for each in range(4)] for n in range(len(AWAY))]
    links = ",".join(url for each in pages for url in each)
    for n, (answer, _) in enumerate(AWAY):
        site.set(robots_of(n), answer)
        site.set(f"{robots_of(n)}?again", answer)
        for url in pages[n]:
            site.set(url, Answer(body=article(DAY, FIRST), headers=HTML))
    done = crawl("article", url=links, DOWNLOAD_TIMEOUT=3, CONCURRENT_REQUESTS=16)
    assert done.returncode == 1
    assert all(url.partition("?")[0].endswith("/robots.txt") for url in site.urls())
    assert done.stderr.count("no page of this host is fetched") == len(AWAY)
    for n, (_, reason) in enumerate(AWAY):
        assert f"zjolcrawl: {robots_of(n)} cannot be fetched ({reason}" in done.stderr
        for row in db.frontier.find({"_id": {"$in": pages[n]}}):
            assert row["state"] == "failed"
            said = f"RobotsUnavailable: {robots_of(n)} cannot be fetched: {reason}"
            assert row["last_error"].startswith(said)
            assert row["next_visit_at"] > row["last_attempt_at"]
        site.set(robots_of(n), Answer(body=OPEN))
    assert db.frontier.count_documents({}) == 4 * len(AWAY)
    assert crawl("article", url=links).returncode == 0
    assert set(states(db).values()) == {"stored"}


def test_redirects_are_followed_five_times_and_more(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site, IDENTS[:2])
    for n in range(7):
        here = f"{HOST}/hop{n}" if n else ROBOTS
        site.set(here, Answer(status=301 + n % 2, headers={"Location": f"/hop{n + 1}"}))
    site.set(
        f"{HOST}/hop7", saying("User-agent: *", f"Disallow: /test/lm/201708/t20170812_{FIRST}")
    )
    crawl("article", url=urls(*IDENTS[:2]))
    assert states(db) == {url_of(FIRST): "rejected", url_of(FIRST + 1): "stored"}


def test_each_host_and_scheme_has_rules_of_its_own(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    plain = url_of(FIRST)
    secure = url_of(FIRST + 1).replace("http:", "https:")
    other = url_of(FIRST + 2).replace("zjnews", "china")
    for n, url in enumerate((plain, secure, other)):
        site.set(url, Answer(body=article(DAY, FIRST + n), headers=HTML))
    shut = saying("User-agent: *", "Disallow: /")
    site.set(ROBOTS, Answer(body=OPEN))
    site.set(ROBOTS.replace("http:", "https:"), shut)
    site.set(ROBOTS.replace("zjnews", "china"), Answer(status=404))
    crawl("article", url=",".join((plain, secure, other)))
    found = states(db)
    assert found == {plain: "stored", url_of(FIRST + 1): "rejected", other: "stored"}
    assert secure not in site.urls()
    assert sorted(url for url in site.urls() if url.endswith("robots.txt")) == sorted(
        [ROBOTS, ROBOTS.replace("http:", "https:"), ROBOTS.replace("zjnews", "china")]
    )


def test_host_that_fails_holds_up_no_other(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site, IDENTS[:2])
    other = url_of(FIRST + 2).replace("zjnews", "china")
    site.set(other, Answer(body=article(DAY, FIRST + 2), headers=HTML))
    site.set(ROBOTS.replace("zjnews", "china"), Answer(fault="hang"))
    crawl("article", url=f"{other},{urls(*IDENTS[:2])}", DOWNLOAD_TIMEOUT=3)
    assert states(db) == {
        url_of(FIRST): "stored", url_of(FIRST + 1): "stored", other: "failed",
    }  # fmt: skip


def test_redirect_leads_past_no_rule(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    path = "secret/201708/t20170812_4774001.shtml"
    locations = [
        f"/{path}", f"{HOST}/open/../{path}", f"{HOST}/open/%2e%2E/{path}", f"{HOST}//{path}",
        f"{HOST}/%73ecret{path[6:]}", f"{HOST}/./{path}", f"{HOST.replace('zjn', 'ZJN')}:80/{path}",
        f"{HOST}./{path}", f"https://zjnews.zjol.com.cn/{path}",
    ]  # fmt: skip
    for rules in (ROBOTS, f"{HOST}./robots.txt", ROBOTS.replace("http:", "https:")):
        site.set(rules, saying("User-agent: *", "Disallow: /secret/"))
    for ident, location in zip(IDENTS, locations, strict=False):
        site.set(url_of(ident), Answer(status=302, headers={"Location": location}))
    asked = [url_of(ident) for ident in IDENTS[: len(locations)]]
    crawl("article", url=",".join(asked))
    assert sorted(url for url in site.urls() if not url.endswith("robots.txt")) == asked
    for row in db.frontier.find():
        assert row["state"] == "rejected", row
        assert row["last_error"].startswith("Forbidden: Forbidden by robots.txt: http"), row


def test_images_are_asked_for_as_rules_allow(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    more = "".join(f'<p><img src="http://img.zjolcdn.com/pic/{n}.jpg"></p>' for n in range(5))
    listed(site, IDENTS[:1])
    site.set(url_of(FIRST), Answer(body=article(DAY, FIRST, more=more), headers=HTML))
    robots = "http://img.zjolcdn.com/robots.txt"
    site.set(robots, saying("User-agent: *", "Disallow: /pic/", delay=0.5))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert site.urls("img.zjolcdn.com") == [robots]
    (found,) = db.articles.find()
    assert [image["status"] for image in found["images"]] == ["failed"] * 5
    assert all(robots in warning for warning in found["warnings"] if warning.startswith("image"))
    assert_rebuilt(db, site, crawl)


def test_column_page_that_is_forbidden_is_a_fault(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site)
    site.set(ROBOTS, saying("User-agent: *", "Disallow: /test/lm/"))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert site.urls() == [ROBOTS]
    assert f"column page {COLUMN}: Forbidden: Forbidden by robots.txt: {ROBOTS}" in done.stderr


def test_rest_of_an_article_that_is_forbidden_is_without_text(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    pager = f'<a href="t20170812_{FIRST}_1.shtml">2</a>'
    listed(site, IDENTS[:1])
    site.set(url_of(FIRST), Answer(body=article(DAY, FIRST, more=pager), headers=HTML))
    site.set(ROBOTS, saying("User-agent: *", f"Disallow: /test/lm/201708/t20170812_{FIRST}_1."))
    crawl("column", url=COLUMN)
    (found,) = db.articles.find()
    assert any("has no text" in warning for warning in found["warnings"])
    assert_rebuilt(db, site, crawl)


def test_rebuild_knows_what_was_forbidden_and_what_had_to_wait(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site, IDENTS[:6])
    away = f"http://china.zjol.com.cn/gnxw/201708/t20170812_{FIRST + 9}.shtml"
    rows = list_page([(DAY, ident) for ident in IDENTS[:6]]).decode()
    item = f'<li class="listLi"><a href="{away}">文章</a></li></ul>'
    site.set(COLUMN, Answer(body=rows.replace("</ul>", item).encode(), headers=HTML))
    site.set("http://china.zjol.com.cn/robots.txt", Answer(status=503))
    rules = [f"Disallow: /test/lm/201708/t20170812_{ident}." for ident in IDENTS[:2]]
    site.set(ROBOTS, saying("User-agent: *", *rules, "Disallow: /secret/"))
    site.set(url_of(FIRST + 2), Answer(status=302, headers={"Location": "/secret/"}))
    crawl("column", url=COLUMN)
    found = states(db)
    assert [found[url_of(ident)] for ident in IDENTS[:6]] == ["rejected"] * 3 + ["stored"] * 3
    assert found[away] == "failed"
    assert_rebuilt(db, site, crawl)


def test_long_run_asks_again_and_keeps_its_rules_while_there_is_no_answer(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site, IDENTS[:6])
    site.set(ROBOTS, [Answer(body=OPEN), Answer(status=503), Answer(status=503)])
    done = crawl("article", url=urls(*IDENTS[:6]), ROBOTSTXT_MAX_AGE=0, CONCURRENT_REQUESTS=1)
    assert site.urls().count(ROBOTS) == 2  # a 503 is requested again after ten minutes, not at once
    assert "its previous rules apply" in done.stderr
    assert set(states(db).values()) == {"stored"}


def test_new_rules_of_a_long_run_hold(site: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    listed(site, IDENTS[:4])
    site.set(ROBOTS, [Answer(body=OPEN), saying("User-agent: *", "Disallow: /")])
    crawl("article", url=urls(*IDENTS[:4]), ROBOTSTXT_MAX_AGE=0, CONCURRENT_REQUESTS=1)
    assert sorted(states(db).values()) == ["rejected"] * 3 + ["stored"]


def test_answer_is_archived_and_asked_for_once_a_run(
    site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    listed(site, IDENTS[:6])
    crawl("article", url=urls(*IDENTS[:6]))
    assert site.urls().count(ROBOTS) == 1
    assert site.urls()[0] == ROBOTS
    with Archive(tmp_path / "warc") as archive:
        capture = archive.index.newest(ROBOTS)
        assert capture is not None
        assert archive.message(capture).body == OPEN


def test_rules_beyond_500_kib_are_not_read(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    listed(site, IDENTS[:1])
    filler = "# a comment of forty characters, no more\n" * (MOST_BYTES // 41)
    site.set(ROBOTS, saying("User-agent: *", filler + f"Disallow: /{'x' * 99}", "Disallow: /"))
    assert crawl("article", url=url_of(FIRST)).returncode == 0
    site.set(ROBOTS, saying("User-agent: *", "Disallow: /", filler * 3))
    assert crawl("article", url=url_of(FIRST)).returncode == 1
    assert states(db) == {url_of(FIRST): "stored"}


HOSTILE = {
    "agents": "".join(f"User-agent: {n}\n" for n in range(20_000)) + "Disallow: /x\n" * 20_000,
    "again": 2 * ("".join(f"User-agent: {n}\n" for n in range(15_000)) + "Disallow: /x\n"),
    "apart": "".join(f"User-agent: {n}\nSitemap: /\n\n" for n in range(9_000)) + "Disallow: /x\n" * 9_000,
}  # fmt: skip


def test_file_that_takes_too_long_to_read_shuts_its_host_alone(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    for n in range(len(HOSTILE) + 1):
        site.set(page_of(n), Answer(body=article(DAY, FIRST + n), headers=HTML))
    for n, text in enumerate(HOSTILE.values()):
        site.set(robots_of(n), Answer(body=text.encode()))
    done = crawl("article", url=",".join(map(page_of, range(len(HOSTILE) + 1))))
    assert done.stderr.count("too many agents share too many rules") == len(HOSTILE)
    found = states(db)
    assert found.pop(page_of(len(HOSTILE))) == "stored"
    assert set(found.values()) == {"failed"}


def test_large_file_of_an_honest_site_is_read() -> None:
    group = "User-agent: {}\n" + "".join(f"Disallow: /a/b/c/{n}\n" for n in range(100))
    text = "".join(group.format(f"bot{n}") for n in range(200))
    begun = time.process_time()
    assert _steps(text) < 30_000
    assert time.process_time() - begun < 5


def test_crawl_delay_is_kept_and_remembered(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(ROBOTS, saying("User-agent: *", "Crawl-delay: 0.6"))
    listed(site, IDENTS[:4])
    for _ in range(2):  # the second time the link is known before robots.txt is read
        site.reset_log()
        crawl("column", url=COLUMN, recheck="on", CONCURRENT_REQUESTS_PER_DOMAIN=4)
        times = [request.time for request in site.requests]
        assert len(times) == 6
        assert times[-1] - times[1] > 4 * 0.6 - 0.4
    (row,) = db.hosts.find()
    assert row["crawl_delay"] == 0.6


def test_crawl_delay_that_no_one_can_wait_for_is_bounded(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(ROBOTS, saying("User-agent: *", "Crawl-delay: 86400"))
    listed(site, IDENTS[:2])
    crawl("column", url=COLUMN, AUTOTHROTTLE_MAX_DELAY=0.1)
    assert db.articles.count_documents({}) == 2
