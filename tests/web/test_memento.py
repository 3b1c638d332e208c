"""Replay by time: the same answers as a real pywb on the same WARC file, and where they differ on purpose."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.support import pywb
from tests.support.captures import FILE, HTML, Taken, write, zipped
from tests.web.serving import Got, Web, browsing

HOST = "http://zjnews.zjol.com.cn"
PAGE, SECURE = f"{HOST}/zjnews/t20170812_4774532.shtml", "https://zjnews.zjol.com.cn/s/t1.shtml"
LIST, QUERY = f"{HOST}/zjnews/zjxw/", f"{HOST}/list.jsp?b=2&a=%E6%B5%99&c=http://x.cn//y|z"
ENCODED, DOTS = f"{HOST}/%e6%b5%99/%d6%d0.html", f"{HOST}/a.b./t2.shtml."
FIELDS = {"urlkey", "timestamp", "url", "mime", "status", "digest", "length", "offset"}
PORT = "http://old.zjol.com.cn:80/t1.shtml"
URLS = (PAGE, SECURE, LIST, QUERY, ENCODED, DOTS)
FIRST = Taken(PAGE, "2017-08-12T03:45:12.500Z", "<p>第一版</p>".encode())
GBK = (("Content-Type", "text/html; charset=gb2312"), ("Server", "nginx/1.9"))


def captures() -> list[Taken]:
    """Fifty-six captures: of six URLs, of all kinds of answer."""
    made = [
        FIRST,
        zipped(PAGE, "2017-08-13T03:45:12.500Z", "<p>第二版</p>".encode()),
        Taken(PAGE, "2017-08-15T00:00:00Z", of=FIRST),
        Taken(PAGE, "2018-01-01T00:00:00Z", b"<h1>404</h1>", 404),
        Taken(PAGE, "2018-02-01T00:00:00Z", b"moved", 302, (*HTML, ("Location", "/s/t9.shtml"))),
        Taken(PAGE, "2018-03-01T00:00:00Z", "<p>三</p>".encode("gb18030"), headers=GBK),
        Taken(PAGE, "2018-04-01T00:00:00Z", b"down", 503, (("Content-Type", "text/plain"),)),
        Taken(PAGE, "2018-05-01T00:00:00Z", b"", headers=(("Content-Type", "text/html"),)),
        Taken(PAGE, "2018-06-01T00:00:00Z", b"\x89PNG\r\n\x1a\n\0", headers=(("Content-Type", "image/png"),)),
        Taken(PAGE, "2018-07-01T00:00:00Z", b"{}", headers=(("Content-Type", "application/json"),)),
        Taken(PORT, "2014-01-01T00:00:00Z", b"port"),
        # https: the redirect there and the page, in the same second.
        Taken(SECURE.replace("https", "http"), "2019-01-01T00:00:00.100Z", b"", 301, (("Location", SECURE),)),
        Taken(SECURE, "2019-01-01T00:00:00.900Z", b"<p>secure</p>"),
    ]  # fmt: skip
    chance = random.Random(5)
    for url in (LIST, QUERY, ENCODED, DOTS):
        day = datetime(2016, 1, 1, tzinfo=timezone.utc)
        for number in range(11):
            day += timedelta(seconds=chance.randint(1, 10_000_000))
            made.append(Taken(url, day.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{url} {number}".encode()))
    return made


CAPTURES = captures()


@pytest.fixture(scope="module")
def replay(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = tmp_path_factory.mktemp("replayed")
    write(data, CAPTURES)
    with browsing(data, mongodb_uri, "test_replay") as (web, _):
        yield web


@pytest.fixture(scope="module")
def other(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A pywb on the same records."""
    assert pytestconfig.cache
    programs = pywb.installed(Path(pytestconfig.cache.mkdir("pywb")))
    records = b"".join(each.record for each in CAPTURES)
    with pywb.serving(programs, tmp_path_factory.mktemp("pywb"), records) as port:
        yield Web(f"http://127.0.0.1:{port}")


def links(text: str) -> dict[str, set[tuple[str, str]]]:
    """The links of a header or a TimeMap by relation, as (path or URL, datetime), without what names the server."""
    found: dict[str, set[tuple[str, str]]] = {}
    for target, rest in re.findall(r'<([^>]*)>((?:;\s*\w+="[^"]*")*)', text):
        values = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        plain = re.sub(r"^http://127\.0\.0\.1:\d+/(?:web|coll)/", "/", target).replace(
            "mp_/", "/", 1
        )
        for rel in values["rel"].split():
            found.setdefault(rel, set()).add((plain, values.get("datetime", "")))
    return found


def test_answers_are_those_of_pywb(replay: Web, other: Web) -> None:
    assert len(CAPTURES) >= 50
    for each in CAPTURES:
        for coding in ("gzip", "identity"):
            path = f"{each.stamp}id_/{each.url}"
            ours, theirs = (
                web.raw(f"/{root}/{path}", headers={"Accept-Encoding": coding})
                for web, root in ((replay, "web"), (other, "coll"))
            )
            assert (ours.status, ours.body) == (theirs.status, theirs.body), path
            for name in ("content-type", "memento-datetime", "content-encoding"):
                assert ours.headers.get(name) == theirs.headers.get(name), (path, name)
            mine, its = links(ours.headers["link"]), links(theirs.headers["link"])
            for rel in ("original", "timegate", "timemap"):
                assert mine[rel] == its[rel], (path, rel)
            assert its["memento"] <= mine["memento"], path


@pytest.mark.parametrize("url", URLS)
def test_timemap_is_that_of_pywb(url: str, replay: Web, other: Web) -> None:
    ours, theirs = replay.raw(f"/web/timemap/link/{url}"), other.raw(f"/coll/timemap/link/{url}")
    assert (
        ours.headers["content-type"] == theirs.headers["content-type"] == "application/link-format"
    )
    mine, its = links(ours.text), links(theirs.text)
    assert {rel: mine[rel] for rel in its} == its
    assert mine["first"] == {min(its["memento"], key=lambda each: each[0])}
    assert mine["last"] == {max(its["memento"], key=lambda each: each[0])}


@pytest.mark.parametrize("url", URLS)
def test_index_is_that_of_pywb(url: str, replay: Web, other: Web) -> None:
    for more in ({}, {"limit": 3}, {"from": "2017", "to": "201804"}, {"output": "json"}):
        given = {"url": url, **more}
        ours, theirs = replay.get("/cdx", **given), other.get("/coll/cdx", **given)
        mine, its = (rows(each) for each in (ours, theirs))
        assert mine == its, more
    assert ours.headers["content-type"].partition(";")[0] == theirs.headers["content-type"]


def test_index_of_all_that_begin_alike(replay: Web, other: Web) -> None:
    ours, theirs = (
        rows(web.get(path, url=f"{HOST}/", matchType="prefix"))
        for web, path in ((replay, "/web/cdx"), (other, "/coll/cdx"))
    )
    assert len(ours) == len(CAPTURES) - 1  # one is on another host
    assert sorted(ours, key=place) == sorted(theirs, key=place)
    assert rows(replay.get("/cdx", url=f"{HOST}/*")) == ours
    assert rows(replay.get("/cdx", url=HOST, matchType="host")) == ours
    assert len(rows(replay.get("/cdx", url=f"{HOST}/*", limit=7))) == 7
    ours, theirs = (
        rows(web.get(path, url="zjol.com.cn", matchType="domain"))
        for web, path in ((replay, "/web/cdx"), (other, "/coll/cdx"))
    )
    assert sorted(ours, key=place) == sorted(theirs, key=place)
    assert rows(replay.get("/cdx", url="l.com.cn", matchType="domain")) == []


def rows(got: Got) -> list[dict[str, str]]:
    """The rows of an index without the name of the file, and without what pywb adds, as `unk` for no media type."""
    assert got.status == 200, got.text
    found = []
    for line in got.text.splitlines():
        key, stamp, values = ("", "", line) if line.startswith("{") else line.split(" ", 2)
        row = {"urlkey": key, "timestamp": stamp, **json.loads(values)}
        if row.get("mime") == "warc/revisit":
            row.pop("status", None)  # pywb does not say it
        found.append({name: row[name] for name in FIELDS & row.keys() if row[name] != "unk"})
    return found


def test_nearest_capture_is_that_of_pywb(replay: Web, other: Web) -> None:
    chance = random.Random(7)
    for _ in range(60):
        moment = datetime(2016, 1, 1, tzinfo=timezone.utc) + timedelta(
            seconds=chance.randint(0, 10**8)
        )
        stamp, url = moment.strftime("%Y%m%d%H%M%S"), chance.choice(URLS)
        theirs = other.raw(f"/coll/{stamp}id_/{url}")
        ours = replay.raw(f"/web/{stamp}id_/{url}")
        if ours.status == 302 and "memento-datetime" not in ours.headers:
            ours = replay.raw(ours.headers["location"])
        assert ours.headers["memento-datetime"] == theirs.headers["memento-datetime"], (stamp, url)


def test_a_time_that_has_no_capture_leads_to_the_one_that_has(replay: Web) -> None:
    for stamp in ("2017", "20170812", "20160101000000", "20170812034511"):
        for modifier in ("", "id_"):
            got = replay.raw(f"/web/{stamp}{modifier}/{PAGE}")
            where = f"/web/{FIRST.stamp}{modifier}/{PAGE}"
            assert (got.status, got.headers["location"]) == (302, where)
            assert links(got.headers["link"]) == {"original": {(PAGE, "")}}


@pytest.mark.parametrize(
    "spelled",
    [PAGE.replace("http", "https"), PAGE + "/", PAGE.replace("zjnews.zjol", "ZJNEWS.zjol"),
     PAGE.replace("http://", "http://www."), PAGE.replace("://", ":/"), PAGE.removeprefix("http://"),
     PAGE.replace(".cn/", ".cn:80/"), PAGE.replace(".cn/", ".cn./"), PAGE.replace("/zjnews/", "//zjnews/x/../")],
)  # fmt: skip
def test_spellings_of_one_url(spelled: str, replay: Web) -> None:
    got = replay.raw(f"/web/{FIRST.stamp}/{spelled}")
    assert (got.status, "第一版" in got.text) == (200, True)
    assert got.headers["content-location"] == f"/web/{FIRST.stamp}/{PAGE}"


def test_port_as_others_write_it(replay: Web) -> None:
    got = replay.raw(f"/web/20140101000000id_/{PORT.replace(':80/', '/')}")
    assert (got.status, got.body) == (200, b"port")
    assert got.headers["content-location"] == f"/web/20140101000000id_/{PORT}"


@pytest.mark.parametrize(
    "url", [QUERY, ENCODED, ENCODED.replace("%e6%b5%99/%d6%d0", "%E6%B5%99/%D6%D0"), DOTS]
)
def test_urls_with_queries_codes_and_dots(url: str, replay: Web) -> None:
    got = replay.raw(f"/web/2016/{url}")
    assert got.status == 302
    got = replay.raw(
        got.headers["location"].replace("/http", "id_/http", 1).replace("id_id_", "id_")
    )
    assert got.status == 200
    assert got.body.endswith(b" 0")


def test_other_urls_are_other_pages(replay: Web) -> None:
    for url in (
        f"{PAGE}?a=1",
        PAGE.upper(),
        QUERY.replace("b=2", "b=3"),
        f"{HOST}/",
        "http://zjol.com.cn/",
    ):
        assert replay.raw(f"/web/2017/{url}").status in {400, 404}, url
        assert replay.raw(f"/web/timemap/link/{url}").status in {400, 404}
        assert replay.get("/cdx", url=url).text == ""
    assert len(rows(replay.get("/cdx", url="http://old.zjol.com.cn/*"))) == 1


def test_timegate(replay: Web) -> None:
    times = {
        "Sat, 12 Aug 2017 03:45:12 GMT": "20170812034512", "Mon, 01 Jan 1990 00:00:00 GMT": "20170812034512",
        "Mon, 25 Dec 2017 00:00:00 GMT": "20180101000000",
    }  # fmt: skip
    for accepted, stamp in times.items():
        got = replay.raw(f"/web/{PAGE}", headers={"Accept-Datetime": accepted})
        assert (got.status, got.headers["location"]) == (302, f"/web/{stamp}/{PAGE}")
        assert got.headers["vary"] == "accept-datetime"
        assert "memento-datetime" not in got.headers
        found = links(got.headers["link"])
        assert found["original"] == {(PAGE, "")}
        assert f"/{stamp}/{PAGE}" in {path for path, _ in found["memento"]}
    assert replay.raw(f"/web/{PAGE}").headers["location"] == f"/web/20180701000000/{PAGE}"
    for wrong in ("rubbish", "2017", "", "Sat, 32 Aug 2017 03:45:12 GMT"):
        assert replay.raw(f"/web/{PAGE}", headers={"Accept-Datetime": wrong}).status == 400
    assert replay.raw("/web/http://none.zjol.com.cn/").status == 404


def test_link_header_names_the_captures_around(replay: Web) -> None:
    of_page = sorted(each.stamp for each in CAPTURES if each.url == PAGE)
    for number, stamp in enumerate(of_page):
        found = links(replay.raw(f"/web/{stamp}/{PAGE}").headers["link"])
        wanted = {"first": of_page[0], "last": of_page[-1]}
        wanted |= {"prev": of_page[number - 1]} if number else {}
        wanted |= {"next": of_page[number + 1]} if number + 1 < len(of_page) else {}
        got = {
            rel: [path.split("/")[1] for path, _ in found.get(rel, ())]
            for rel in ("first", "last", "prev", "next")
        }
        assert got == {rel: [wanted[rel]] if rel in wanted else [] for rel in got}
        for path, date in found["memento"]:
            moment = datetime.strptime(path.split("/")[1], "%Y%m%d%H%M%S").replace(
                tzinfo=timezone.utc
            )
            assert date == format_datetime(moment, usegmt=True)


def test_redirect_leads_within_the_archive(replay: Web) -> None:
    for modifier in ("", "id_"):
        got = replay.raw(f"/web/20180201000000{modifier}/{PAGE}")
        assert got.status == 302
        assert got.headers["location"] == f"/web/20180201000000{modifier}/{HOST}/s/t9.shtml"
        assert got.headers["memento-datetime"] == "Thu, 01 Feb 2018 00:00:00 GMT"
        assert got.headers["x-archive-orig-location"] == "/s/t9.shtml"


def test_missing_page_is_a_capture(replay: Web) -> None:
    got = replay.raw(f"/web/20180101000000/{PAGE}")
    assert got.status == 404
    assert got.headers["memento-datetime"] == "Mon, 01 Jan 2018 00:00:00 GMT"
    assert "原站当时回答 404" in got.text


def test_addresses_behind_a_proxy_are_those_of_the_proxy(mongodb_uri: str, tmp_path: Path) -> None:
    write(tmp_path, [FIRST])
    given = ("--base-url", "https://news.example.org")
    with browsing(tmp_path, mongodb_uri, "test_replay", *given) as (web, _):
        got = web.raw(f"/web/timemap/link/{PAGE}", headers={"X-Forwarded-Host": "evil.example"})
    there = f"<https://news.example.org/web/20170812034512/{PAGE}>"
    assert f'{there}; rel="first last memento"' in got.text
    assert "evil" not in got.text


def test_no_archive_and_a_damaged_one(mongodb_uri: str, tmp_path: Path) -> None:
    """Reading makes no archive, and a record that cannot be read is an error without details."""
    with browsing(tmp_path, mongodb_uri, "test_replay") as (web, _):
        for target in (
            f"/web/2017/{PAGE}",
            f"/web/{PAGE}",
            f"/web/timemap/link/{PAGE}",
            f"/web/*/{PAGE}",
        ):
            assert web.raw(target).status == 404, target
        assert web.get("/cdx", url=PAGE).text == ""
        assert not (tmp_path / "warc").exists()
        content = write(tmp_path, [FIRST])
        names = {path.name for path in (tmp_path / "warc").iterdir()}
        (tmp_path / "warc" / FILE).write_bytes(content[:-20])
        got = web.raw(f"/web/{FIRST.stamp}/{PAGE}")
        assert (got.status, str(tmp_path) in got.text) == (500, False)
        (tmp_path / "warc" / "index.sqlite").write_bytes(b"no database" * 1000)
        assert web.raw(f"/web/{FIRST.stamp}/{PAGE}").status == 500
        assert web.get("/cdx", url=PAGE).status == 500
        left = {path.name for path in (tmp_path / "warc").iterdir()} - names
        assert left <= {"index.sqlite-shm", "index.sqlite-wal"}  # SQLite's own, also for reading


@pytest.mark.parametrize(
    "target",
    ["/web/", "/web/x", "/web/2017/", "/web/20171399/http://zjol.com.cn/", "/web/2017/javascript:alert(1)",
     "/web/2017/http://[/", "/web/2017/file:///etc/passwd", "/web/2017xx_/http://zjol.com.cn/",
     "/web/timemap/link/", "/web/timemap/json/http://zjol.com.cn/", "/web/2017/http://%00.cn/",
     "/web/2017/http://zjol.com.cn/" + "a" * 9000, "/web/99999999999999/http://zjol.com.cn/",
     "/web/00000000000000/http://zjol.com.cn/", "/cdx", "/cdx?url=", "/cdx?url=x.cn&limit=x", "/cdx?url=x.cn&from=1",
     "/cdx?url=x.cn&output=link", "/cdx?url=x.cn&matchType=range", "/web/2017/http://a.cn:99999/", "/web/2017/http:///"],
)  # fmt: skip
def test_rubbish_is_refused(target: str, replay: Web) -> None:
    got = replay.raw(target)
    assert got.status in {400, 404}
    assert "<h1>" in got.text


def place(row: dict[str, str]) -> int:
    return int(row["offset"])
