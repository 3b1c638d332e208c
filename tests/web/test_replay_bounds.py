"""Captures with odd URLs and headers: each is found by its own address, and no header is too long for a client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.captures import HTML, Taken, write
from tests.web.serving import Web, browsing

HOST, AT = "http://zjnews.zjol.com.cn", "2018-01-01T00:00:00Z"
# As other programs may have recorded them, without percent-encoding.
RAW = [
    f"{HOST}/专题/西湖.shtml",
    f"{HOST}/x/1{{2}}.shtml",
    f"{HOST}/x/1^2`3|4.shtml",
    f'{HOST}/x/"1"<2>.shtml',
    f"{HOST}/x/a b.shtml",
    f"{HOST}/x/\u202eabc.shtml",
    f"{HOST}/list.jsp?栏目=浙江&b=%26",
]
LONG = f"{HOST}/{'L' * 4000}"
AWAY = Taken(f"{HOST}/away", AT, b"", 302, (*HTML, ("Location", f"{HOST}/{'y' * 70_000}")))
MANY = Taken(f"{HOST}/many", AT, headers=(*HTML, *((f"X-{number}", "y") for number in range(3000))))


@pytest.fixture(scope="module")
def replay(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = tmp_path_factory.mktemp("odd")
    raw = [Taken(url, AT, f"<p>{number} here</p>".encode()) for number, url in enumerate(RAW)]
    years = [Taken(LONG, f"201{year}-01-01T00:00:00Z", b"<p>%d" % year) for year in range(6)]
    write(data, [*raw, *years, AWAY, MANY])
    with browsing(data, mongodb_uri, "test_replay") as (web, _):
        yield web


@pytest.mark.parametrize(("number", "url"), list(enumerate(RAW)))
def test_url_that_was_recorded_unencoded_is_found(number: int, url: str, replay: Web) -> None:
    encoded = quote(url, safe=":/?=&%")
    for path in ("20180101000000id_", "20180101000000", "*", "timemap/link"):
        got = replay.raw(f"/web/{path}/{encoded}")
        assert got.status == 200, (path, got.text)
    assert f"{number} here" in replay.raw(f"/web/20180101000000id_/{encoded}").text
    assert replay.raw(f"/web/{encoded}").status == 302


def test_headers_have_bounds(replay: Web) -> None:
    for target in (
        f"/web/20140101000000id_/{LONG}",
        f"/web/20140101000000/{LONG}",
        f"/web/20180101000000id_/{AWAY.url}",
        f"/web/20180101000000/{MANY.url}",
    ):
        for method in ("GET", "HEAD"):
            got = replay.raw(target, method)  # Python's client takes 100 headers and 64 KB a line
            assert got.status in {200, 302}
            assert sum(len(name) + len(value) for name, value in got.headers.items()) < 30_000
    assert "location" not in replay.raw(f"/web/20180101000000id_/{AWAY.url}").headers
    assert replay.get("/cdx", url=LONG).text.count("\n") == 6


def test_repeated_content_is_named_only_after_the_same_content(
    mongodb_uri: str, tmp_path: Path
) -> None:
    """A revisit has the content of an older capture, not always of the one before."""
    page = Taken(f"{HOST}/a.shtml", "2018-01-01T00:00:00Z", b"<p>A")
    missing = Taken(page.url, "2018-01-02T00:00:00Z", b"<p>404", 404)
    again = Taken(page.url, "2018-01-03T00:00:00Z", of=page)
    same = Taken(page.url, "2018-01-04T00:00:00Z", of=page)
    write(tmp_path, [page, missing, again, same])
    with browsing(tmp_path, mongodb_uri, "test_replay") as (web, _):
        rows = web.raw(f"/web/*/{page.url}").main.split("<li>")[1:]
    assert ["内容同前" in row for row in rows] == [True, False, False, False]


def test_capture_pages_offer_no_switch_of_the_language(replay: Web) -> None:
    """In their addresses `lang=` would be part of the archived URL."""
    for target in (f"/web/*/{MANY.url}", f"/web/20180101000000/{HOST}/none"):
        text = replay.raw(target, headers={"Accept-Language": "en"}).text
        assert 'lang="en"' in text
        assert 'class="switch"' not in text
        assert "hreflang" not in text
