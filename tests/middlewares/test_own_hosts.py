"""Nothing outside the site is fetched; the rejected link says where it leads."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, HOST, article, list_page, serve_column, url_of
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, SiteProxy
from zjolcrawl.parsing.urls import is_image_host, is_own_host, kind

FIRST = 4774001
HTML = {"Content-Type": "text/html"}
PATH = "/test/lm/201708/t20170812_4774099.shtml"
OUTSIDE = [
    f"{HOST}:8080{PATH}",
    f"{HOST}:443{PATH}",
    f"https://zjnews.zjol.com.cn:80{PATH}",
    f"https://zjnews.zjol.com.cn:8443{PATH}",
    f"{HOST}:22/",
    f"http://zjnews.zjol.com.cn@evil.example.org{PATH}",
    f"http://user:word@zjnews.zjol.com.cn{PATH}",
    f"http://evil.example.org{PATH}?zjol.com.cn",
    f"http://zjol.com.cn.evil.example.org{PATH}",
    f"http://evilzjol.com.cn{PATH}",
    f"http://127.0.0.1{PATH}",
    f"http://[::1]{PATH}",
    "ftp://zjnews.zjol.com.cn/a.shtml",
    "file:///etc/passwd",
    "data:text/html,<p>x</p>",
    "gopher://zjol.com.cn/",
]


@pytest.fixture
def crawl(crawl: Crawl) -> Crawl:
    """A run with FLIP_ALARM=0, which believes every rejection."""
    return partial(crawl, FLIP_ALARM=0)


@pytest.mark.parametrize("url", OUTSIDE)
def test_address_off_the_site(url: str) -> None:
    assert not is_own_host(url)
    assert not is_image_host(url)
    assert not is_image_host(url.replace("zjnews.zjol.com.cn", "img.zjolcdn.com"))


@pytest.mark.parametrize(
    "url",
    [
        "http://zjol.com.cn", "http://ZJOL.com.cn/", "HTTP://zjnews.zjol.com.cn:80/x", "http://zjol.com.cn?x",
        "https://zjnews.zjol.com.cn:443/", "http://zjol.com.cn:/", "https://a.b-c.zjol.com.cn#x",
        "http://zjnews.zjol.com.cn./", "http://a_b.zjol.com.cn/",
    ],
)  # fmt: skip
def test_address_of_the_site(url: str) -> None:
    assert is_own_host(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://zjol.com.cn\n.evil.example.org/", "http://zjol.com.cn\x00/", "http://zjol.com.cn:80@evil.example.org/",
        "http://zjol.com.cn\\@evil.example.org/", "http://zjol.com.cn%2eevil.example.org/", "http://.zjol.com.cn/",
        "http://zjol.com.cn../", "http://[zjol.com.cn]/", "http:zjol.com.cn/", "//zjol.com.cn/", "http://zjol.com.cn:8O/",
        "http://zjol。com。cn/", "http\u017f://zjol.com.cn/",
    ],
)  # fmt: skip
def test_address_that_only_looks_like_the_site(url: str) -> None:
    assert not is_own_host(url)


def test_other_port_is_offsite() -> None:
    assert kind(f"{HOST}:8080{PATH}") == "offsite"
    assert kind(f"{HOST}:80{PATH}") == "article"


def test_no_redirect_off_the_site_is_followed(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    good = FIRST + 90
    idents = [FIRST + n for n in range(len(OUTSIDE))]
    serve_column(site, [[(DAY, ident) for ident in [*idents, good]]])
    for url, ident in zip(OUTSIDE, idents, strict=True):
        site.set(url_of(ident), Answer(status=302, headers={"Location": url}))
        if url.startswith("http"):
            site.set(url, Answer(body=article(DAY, FIRST), headers=HTML))
    crawl("column", url=COLUMN)
    asked = [url for url in site.urls() if not url.endswith("/robots.txt")]
    assert sorted(asked) == sorted([COLUMN, *map(url_of, [*idents, good])])
    assert {url for url in site.urls() if url.endswith("/robots.txt")} == {f"{HOST}/robots.txt"}
    for url, ident in zip(OUTSIDE, idents, strict=True):
        row = db.frontier.find_one({"_id": url_of(ident)})
        assert row is not None
        assert row["state"] == "rejected", row
        assert row["last_error"].startswith("redirects to "), row
        assert url.partition("<")[0].partition("://")[2][:20] in row["last_error"], row
    assert [each["_id"] for each in db.articles.find()] == [url_of(good)]
    assert_rebuilt(db, site, crawl)


def test_broken_location_is_a_failure_of_its_link_alone(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    broken = ["http://[broken/", "javascript:alert(1)", "mailto:a@zjol.com.cn", "http://a:port/"]
    idents = [FIRST + n for n in range(len(broken) + 1)]
    serve_column(site, [[(DAY, ident) for ident in idents]])
    for ident, location in zip(idents[1:], broken, strict=True):
        site.set(url_of(ident), Answer(status=302, headers={"Location": location}))
    crawl("column", url=COLUMN)
    states = {row["_id"]: row["state"] for row in db.frontier.find()}
    assert states.pop(url_of(FIRST)) == "stored"
    assert set(states.values()) <= {"failed", "rejected"}
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize(
    "url", [f"{HOST}:8080/test/lm/", "ftp://zjol.com.cn/", "http://evil.example.org/"]
)
def test_column_that_leads_off_the_site_is_a_fault_that_names_it(
    url: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(COLUMN, Answer(status=301, headers={"Location": url}))
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert f"leads off the site: {url}" in done.stderr


def test_link_and_next_page_at_another_port_are_not_fetched(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    other = f"{HOST}:8080{PATH}"
    pager = f'<span class="fenye"><a href="{HOST}:8080/test/lm/index_1.shtml">下一页</a></span>'
    page = list_page([(DAY, FIRST)], pager).decode()
    item = f'<li class="listLi"><a href="{other}">文章</a></li></ul>'
    site.set(url_of(FIRST), Answer(body=article(DAY, FIRST), headers=HTML))
    site.set(COLUMN, Answer(body=page.replace("</ul>", item).encode(), headers=HTML))
    crawl("column", url=COLUMN)
    assert not [url for url in site.urls() if ":8080" in url]
    row = db.frontier.find_one({"_id": other})
    assert row is not None
    assert (row["state"], row["kind"]) == ("rejected", "offsite")


def test_address_at_another_port_is_refused_on_the_command_line(crawl: Crawl) -> None:
    done = crawl("article", url=f"{HOST}:8080{PATH}")
    assert done.returncode == 2
    assert "is not on zjol.com.cn" in done.stderr
